"""When two agents are held to speak as one node, and when it is one agent after another."""

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.ingest.rivals import Rivals, Speaker, rivalry

NODE = "db-01"
BEAT_MS = 5_000


def found(rivals: Rivals, now: int) -> set[str]:
    return {one.run for one in rivals.look(now).found.get(NODE, ())}


def test_two_runs_that_go_on_beside_each_other_are_two_agents_with_their_addresses() -> None:
    rivals = Rivals()
    for at in range(0, 30_000, BEAT_MS):
        rivals.spoke(NODE, "original", "10.0.0.5", at)
        rivals.spoke(NODE, "copy", "10.0.0.6", at + 100)
    look = rivals.look(30_000)
    assert look.found == {NODE: (Speaker("original", "10.0.0.5"), Speaker("copy", "10.0.0.6"))}
    assert look.begun == {NODE}
    assert rivals.look(31_000).begun == frozenset()


def test_it_is_over_once_one_of_them_is_silent() -> None:
    rivals = Rivals()
    for at in range(0, 30_000, BEAT_MS):
        rivals.spoke(NODE, "original", "", at)
        rivals.spoke(NODE, "copy", "", at)
    assert found(rivals, 30_000) == {"original", "copy"}
    for at in range(30_000, 120_000, BEAT_MS):
        rivals.spoke(NODE, "original", "", at)
    look = rivals.look(120_000)
    assert look.found == {}
    assert look.ended == {NODE}
    assert rivals.look(121_000).ended == frozenset()


def test_a_last_word_that_was_long_on_its_way_is_no_second_agent() -> None:
    rivals = Rivals()
    rivals.spoke(NODE, "before", "", 0)
    rivals.spoke(NODE, "after", "", 2_000)
    rivals.spoke(NODE, "before", "", 11_000)
    rivals.spoke(NODE, "after", "", 20_000)
    assert found(rivals, 20_000) == set()
    rivals.spoke(NODE, "before", "", 21_000)
    assert found(rivals, 21_000) == {"before", "after"}


def test_nodes_do_not_mix() -> None:
    rivals = Rivals()
    for at in range(0, 60_000, BEAT_MS):
        rivals.spoke("a", "run", "", at)
        rivals.spoke("b", "run", "", at)
    assert rivals.look(60_000).found == {}


@given(st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=40))
def test_one_agent_that_restarts_however_often_is_never_two(lives: list[tuple[int, bool]]) -> None:
    rivals, at = Rivals(), 0
    for number, (beats, pauses) in enumerate(lives):
        for _ in range(beats):
            rivals.spoke(NODE, f"run-{number}", "10.0.0.5", at)
            at += BEAT_MS
            assert rivals.look(at).found == {}
        at += 200_000 if pauses else 0


def test_what_is_told_names_both_and_what_to_do() -> None:
    told = rivalry(NODE, (Speaker("aaaa0001ff", "10.0.0.5", "b007b007ff"), Speaker("aaaa0002ff", "", "")))
    assert told.startswith(
        "two agents with one identity: boot b007b007, run aaaa0001, from 10.0.0.5; "
        "a boot not known yet, run aaaa0002, from an address not known. "
    )
    assert "`detak-collector enroll NAME`" in told
    assert "`detak-collector revoke db-01`" in told
