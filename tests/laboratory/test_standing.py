"""How tools are held against each other: over the same outages, and by the same rules."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from detak_collector.downtime.triple import Triple
from lab.faults.registry import KINDS
from lab.results import PeerSaid, Results, UnreadableError
from lab.standing import LEFT_OUT, Standing, standings
from lab.telling import by_kind, compared, is_good, occasion, told
from lab.truth import Outage
from proof_results import FIRST, FROZEN, SECOND, SETS, peer, results


def only(standing_of: PeerSaid) -> Standing:
    return standings(results(standing_of))[1]


def test_results_that_were_written_are_read_again_and_tell_the_same(tmp_path: Path) -> None:
    kept = results(peer(("a", 105_000, 125_000)), PeerSaid("Broken", trouble="does not start"))
    kept.write(tmp_path / "results.json")

    again = Results.read(tmp_path / "results.json")

    assert list(told(again)) == list(told(kept))
    assert occasion(again) == occasion(kept)


@pytest.mark.parametrize("content", ["", "[]", '{"run": 1}', "{"])
def test_a_file_of_something_else_is_refused_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "other.json").write_text(content)

    with pytest.raises(UnreadableError, match=r"other\.json does not hold the results of a run"):
        Results.read(tmp_path / "other.json")
    with pytest.raises(UnreadableError, match="missing"):
        Results.read(tmp_path / "missing")


def test_every_tool_is_held_against_the_same_outages_and_none_that_not_all_were_told_of() -> None:
    ours, other = standings(results(peer(("a", 105_000, 125_000))))

    assert [one.outage for one in ours.held] == [one.outage for one in other.held] == [FIRST, SECOND]
    assert ours.errors == [500, 1_000]


def test_the_time_in_which_the_others_settle_is_held_against_nobody() -> None:
    began_later = msgspec.structs.replace(results().run, began=results().run.began + 100_001)

    ours, other = standings(msgspec.structs.replace(results(peer()), run=began_later))

    assert [one.outage for one in ours.held] == [one.outage for one in other.held] == [SECOND]


def test_what_is_left_out_are_kinds_that_there_are() -> None:
    assert set(LEFT_OUT) <= set(KINDS)


def test_an_outage_that_a_tool_has_nothing_of_is_missed_and_off_by_its_whole_length() -> None:
    other = only(peer(("a", 105_000, 125_000)))

    assert [(one.is_noticed, one.error_ms) for one in other.held] == [(True, 0), (False, -20_000)]
    assert (other.missed, other.mean_error_ms, other.counted_percent) == (1, 10_000, 50.0)


def test_what_is_counted_soon_after_an_outage_is_late_and_what_is_counted_of_none_is_made_up() -> None:
    late, false = ("a", 121_000, 124_000), ("a", 400_000, 405_000)

    assert (only(peer(late)).missed, only(peer(late)).made_up) == (1, 0)
    assert (only(peer(false)).missed, only(peer(false)).made_up) == (2, 1)


def test_each_part_of_a_run_has_its_own_outages_and_what_was_made_up_in_its_time() -> None:
    kept = results(peer(("a", 150_000, 151_000), ("a", 201_000, 219_000), ("a", 400_000, 401_000)))
    _, before = standings(kept, disturbed=False)
    _, after = standings(kept, disturbed=True)

    assert ([one.outage for one in before.held], before.missed, before.made_up) == ([FIRST], 1, 1)
    assert ([one.outage for one in after.held], after.missed, after.made_up) == ([SECOND], 0, 1)


def test_what_is_made_up_once_the_last_undisturbed_outage_is_over_is_laid_to_the_disturbance() -> None:
    kept = results(peer(("a", 150_000, 151_000)), alone=(FIRST,))
    (_, before), (_, after) = (standings(kept, disturbed=which) for which in (False, True))

    assert (before.made_up, after.made_up) == (0, 1)


def test_who_notices_what_not_all_were_told_of_has_made_nothing_up() -> None:
    assert only(peer(("b", 104_000, 119_000))).made_up == 0


def test_a_tool_knows_from_where_it_counts_and_detak_from_when_it_showed() -> None:
    ours, other = standings(results(peer(("a", 101_000, 125_000))))

    assert [one.known_ms for one in ours.held] == [3_000, 4_000]
    assert [one.known_ms for one in other.held] == [1_000, 20_000]


def test_nobody_is_late_for_what_nobody_can_know_in_time() -> None:
    frozen = Outage("a", FROZEN, 100_000, 120_000, 100_000, 120_000)

    ours, other = standings(results(peer(("a", 101_000, 125_000)), alone=(frozen,), mixed=()))

    assert ours.known_ms is None
    assert other.known_ms is None


def test_only_detak_states_bounds_and_they_are_held_against_the_truth() -> None:
    ours, other = standings(results(peer()))

    assert (ours.within, other.within) == (1, None)


def test_a_monitor_that_could_not_be_asked_is_told_and_the_others_are_compared() -> None:
    told_of = results(PeerSaid("Broken", trouble="does not start"), peer(("a", 99_000, 121_000)))
    rows = [row for row in compared(told_of) if row.startswith("|")]

    assert [row.split(" | ")[:2] for row in rows[2:]] == [
        ["| *undisturbed*", "|"],
        ["| Detak", "1 of 1"],
        ["| Broken", "could not: does not start"],
        ["| Other", "1 of 1"],
        ["| *while Detak's agents, collectors or networks are disturbed*", "|"],
        ["| Detak", "1 of 1"],
        ["| Broken", "could not: does not start"],
        ["| Other", "0 of 1"],
    ]
    assert len({row.count("|") for row in rows}) == 1


def test_of_each_kind_the_least_error_is_bold_whoever_has_it() -> None:
    exact = peer(("a", 100_000, 120_000), ("a", 200_000, 220_000))

    assert list(by_kind(results(exact)))[2:] == ["| process killed | 1 | 0.50 s | **0.00 s** |"]


def test_a_fault_that_could_not_be_played_is_told_and_the_run_is_not_good() -> None:
    fitting = SETS["a"].clip(0, 150_000)
    good = results(alone=(FIRST,), mixed=(), sets={"a": fitting, "b": Triple()})
    failed = msgspec.structs.replace(good, failed=("x: no room",))

    assert is_good(good)
    assert not is_good(failed)
    assert "could not: x: no room" in list(told(failed))
