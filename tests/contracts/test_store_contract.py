"""What every store promises, whichever database is behind it. Each test runs over each store."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from msgspec.structs import replace

from contracts.kinds import OpenStore
from detak_collector.downtime.facts import Lost, Run
from detak_collector.ingest.rivals import Speaker
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.store.base import Receipt, Redeemed
from detak_collector.store.parts import Store
from detak_wire.messages import Evidence, Part, PreviousRun
from evidence_builders import (
    NODE,
    RUN,
    START_UTC,
    arrival,
    beat,
    exchange,
    first_beat,
    gap,
    later_beat,
    opening,
    reading,
    span,
)

NEXT_RUN = "aaaa0002"
DAY_MS = 86_400_000
KEY, TOKEN = b"k" * 32, b"t" * 32


@pytest.fixture(autouse=True)
def enrolled(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.registry.issue(NODE, TOKEN, START_UTC + DAY_MS, reading(0))
        assert store.registry.redeem(TOKEN, NODE, KEY, reading(0)) is Redeemed.ACCEPTED


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        yield opened


def taken(store: Store, evidence: Evidence) -> Receipt:
    outcome = store.evidence.commit([arrival(evidence)])[0]
    assert isinstance(outcome, Receipt)
    return outcome


def runs(store: Store, begin: int = 0, end: int = DAY_MS) -> tuple[Run, ...]:
    return store.evidence.node_facts(NODE, START_UTC + begin, START_UTC + end, reading(20_000)).runs


def test_a_first_beat_opens_its_run_and_says_how_far_each_span_is_stored(store: Store) -> None:
    receipt = taken(store, first_beat())
    assert receipt.heard
    assert receipt.news
    stored = receipt.stored[RUN]
    assert (stored.opened, stored.mark, stored.ranges, stored.open) == (True, 0, [], {1: 2_000, 2: 2_000})


def test_a_run_that_is_not_known_is_said_to_be_not_opened_and_nothing_of_it_is_stored(store: Store) -> None:
    receipt = taken(store, later_beat(3))
    assert not receipt.stored[RUN].opened
    assert not receipt.heard
    assert runs(store) == ()


def test_closed_records_move_the_mark_and_what_lies_beyond_a_hole_is_a_range(store: Store) -> None:
    taken(store, first_beat())
    closed = [span(2, closed=True), span(3, first=4_000, closed=True), span(6, first=7_000, closed=True)]
    stored = taken(store, beat(Part(RUN, spans=closed, exchanges=[exchange(4)]))).stored[RUN]
    assert (stored.mark, stored.ranges) == (0, [(2, 4), (6, 6)])
    stored = taken(store, beat(Part(RUN, spans=[span(1, "alive", samples=3, closed=True)]))).stored[RUN]
    assert (stored.mark, stored.ranges, stored.open) == (4, [(6, 6)], {})


def test_numbers_that_a_gap_names_are_not_asked_for_again(store: Store) -> None:
    taken(store, beat(Part(RUN, opening())))
    stored = taken(store, beat(Part(RUN, spans=[span(1, closed=True)], gaps=[gap(5, 2, 4)]))).stored[RUN]
    assert (stored.mark, stored.ranges) == (5, [])
    (run,) = runs(store)
    assert (run.complete_to, run.lost) == (5, (Lost(2, 4, after=2_000, before=None, told=True),))


def test_everything_is_still_there_when_the_store_is_opened_again(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        taken(store, first_beat())
        taken(store, beat(Part(RUN, spans=[span(3, state="down", closed=True, message="refused")]), sent=4_000))
        before = runs(store)
    with closing(open_store()) as store:
        assert runs(store) == before
        assert taken(store, later_beat(2)).stored[RUN].open == {1: 4_000, 2: 4_000}
        assert [one.samples for one in runs(store)[0].spans] == [3, 3, 1]


def test_a_message_with_an_invalid_record_changes_nothing_and_the_others_are_stored(store: Store) -> None:
    bad = beat(Part(RUN, opening(), [span(1), span(2, "stranger")]))
    good = first_beat(run=NEXT_RUN)
    outcomes = store.evidence.commit([arrival(bad), arrival(good)])
    assert isinstance(outcomes[0], InvalidRecordError)
    assert isinstance(outcomes[1], Receipt)
    assert [run.run for run in runs(store)] == [NEXT_RUN]


def test_messages_of_one_batch_build_on_each_other(store: Store) -> None:
    store.evidence.commit([arrival(first_beat()), arrival(later_beat(1)), arrival(later_beat(2))])
    assert [one.samples for one in runs(store)[0].spans] == [3, 3]


def test_the_same_messages_twice_make_the_same_facts(store: Store) -> None:
    messages = [first_beat(), later_beat(2), beat(Part(RUN, spans=[span(2, samples=4, closed=True)]))]
    first = [taken(store, message) for message in messages]
    before = runs(store)
    again = [taken(store, message) for message in messages]
    assert runs(store) == before
    assert not any(receipt.heard or receipt.news for receipt in again)
    assert again[-1].stored == first[-1].stored


def test_only_growth_of_alive_in_the_newest_run_counts_as_heard(store: Store) -> None:
    taken(store, first_beat())
    assert taken(store, later_beat(1)).heard
    assert not taken(store, later_beat(1)).heard
    assert taken(store, first_beat(NEXT_RUN, previous=PreviousRun(RUN, "0b007000", 4_000, 2))).heard
    assert not taken(store, later_beat(5)).heard


def test_a_predecessor_that_arrives_after_its_successor_is_not_heard_either(store: Store) -> None:
    taken(store, first_beat(NEXT_RUN, previous=PreviousRun(RUN, "0b007000", 4_000, 2)))
    assert not taken(store, first_beat()).heard


def test_a_deadline_survives_a_restart_and_a_step_of_utc(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.evidence.commit([arrival(first_beat(), reading(5_000))])
    with closing(open_store()) as store:
        stepped = reading(9_000, utc=START_UTC + 500_000)
        assert store.evidence.heard(stepped) == {NODE: 5_000}
        facts = store.evidence.node_facts(NODE, START_UTC, START_UTC + DAY_MS, stepped)
        assert facts.heard_utc == START_UTC + 496_000


def test_after_a_reboot_of_the_collector_the_deadline_is_kept_in_utc(open_store: OpenStore) -> None:
    with closing(open_store()) as store:
        store.evidence.commit([arrival(first_beat(), reading(5_000))])
    with closing(open_store()) as store:
        rebooted = reading(200, utc=START_UTC + 9_000, boot="11111111")
        assert store.evidence.heard(rebooted) == {NODE: -3_800}


def test_another_opening_of_a_run_is_kept_apart_and_the_first_one_stands(store: Store) -> None:
    taken(store, first_beat())
    receipt = taken(store, beat(Part(RUN, opening(opened=1_500))))
    assert receipt.news
    assert runs(store)[0].opened == 1_000
    assert store.registry.listing(reading(20_000))[0].conflicts == 1


def test_a_contradicting_version_is_kept_once_however_often_it_comes(store: Store) -> None:
    taken(store, first_beat())
    for _ in range(3):
        taken(store, beat(Part(RUN, spans=[span(2, state="down", samples=3)])))
    assert store.registry.listing(reading(20_000))[0].conflicts == 1


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_versions_that_contradict_each_other_the_furthest_is_told_whichever_came_first(
    store: Store, first: int
) -> None:
    taken(store, first_beat())
    versions = [span(3, state="down", samples=3, closed=True), span(3, state="up", samples=2, closed=True)]
    for version in (versions[first], versions[1 - first]):
        taken(store, beat(Part(RUN, spans=[version])))
    (run,) = runs(store)
    assert [one.state for one in run.spans if one.number == 3] == ["down"]
    assert [one.check for one in run.contradicted] == ["web", "web"]


def test_a_stop_is_kept_and_the_first_one_stands(store: Store) -> None:
    taken(store, first_beat())
    taken(store, replace(beat(), stopping="shutdown", stopping_agent=9_000))
    taken(store, replace(beat(), stopping="stop", stopping_agent=9_500))
    assert (runs(store)[0].stopped, runs(store)[0].stopped_at) == ("shutdown", 9_000)


def test_a_stop_that_only_the_next_run_tells_of_is_known_too(store: Store) -> None:
    taken(store, first_beat())
    previous = PreviousRun(RUN, "0b007000", 4_000, 2, "stop", 4_100)
    taken(store, first_beat(NEXT_RUN, previous=previous))
    first, second = runs(store)
    assert (first.stopped, first.stopped_at) == ("stop", 4_100)
    assert second.previous is not None
    assert second.previous.last_number == 2


def test_facts_hold_what_the_agent_said(store: Store) -> None:
    marked = replace(span(3, state="degraded", samples=2, closed=True, message="slow"), marks={"pid": "7", "boot": "x"})
    taken(store, first_beat())
    taken(store, beat(Part(RUN, spans=[marked], exchanges=[exchange(4)])))
    run = runs(store)[0]
    fact = run.spans[2]
    assert (fact.check, fact.state, fact.message, fact.marks) == (
        "web",
        "degraded",
        "slow",
        (("boot", "x"), ("pid", "7")),
    )
    assert (fact.first_begin, fact.first_end, fact.last_begin, fact.last_end) == (2_000, 2_003, 3_000, 3_003)
    assert [one.sent for one in run.exchanges] == [3_000]
    assert (run.checks[0].name, run.checks[0].interval_ms, run.complete_to) == ("web", 5_000, 4)


def test_the_character_nul_is_replaced_and_what_held_it_may_come_again(store: Store) -> None:
    taken(store, first_beat())
    marked = replace(span(3, closed=True, message="a\0b"), marks={"pid": "\0"})
    for _ in range(2):
        taken(store, beat(Part(RUN, spans=[marked], gaps=[replace(gap(5, 4, 4), reason="full\0")])))
    fact = runs(store)[0].spans[2]
    assert (fact.message, fact.marks) == ("a\N{REPLACEMENT CHARACTER}b", (("pid", "\0"),))
    assert store.registry.listing(reading(20_000))[0].conflicts == 0


def test_a_window_holds_its_spans_and_the_nearest_of_each_check_outside(store: Store) -> None:
    taken(store, beat(Part(RUN, opening(), [span(1, "alive")])))
    daily = [span(number, first=number * DAY_MS, closed=True) for number in range(2, 40)]
    exchanges = [exchange(number, sent=(number - 100) * DAY_MS) for number in range(101, 140)]
    taken(store, beat(Part(RUN, spans=daily, exchanges=exchanges), sent=40 * DAY_MS))
    run = runs(store, 20 * DAY_MS, 21 * DAY_MS)[0]
    numbers = [one.number for one in run.spans if one.check == "web"]
    assert set(range(19, 23)) <= set(numbers)
    assert len(numbers) < 12
    assert numbers == list(range(numbers[0], numbers[-1] + 1))
    assert set(range(19, 23)) <= {one.sent // DAY_MS for one in run.exchanges}
    assert len(run.exchanges) < 12


def test_the_runs_next_to_a_window_come_with_it_and_others_do_not(store: Store) -> None:
    previous: PreviousRun | None = None
    for number in range(12):
        run, at = f"aaaa00{number:02d}", number * 10 * DAY_MS
        opened = opening(opened=at + 1_000, previous=previous)
        taken(store, beat(Part(run, opened, [span(1, "alive", first=at + 2_000)]), sent=at + 3_000, run=run))
        previous = PreviousRun(run, "0b007000", at + 2_003, 1)
    found = [run.run for run in runs(store, 55 * DAY_MS, 56 * DAY_MS)]
    assert found == ["aaaa0005", "aaaa0006"]
    assert [run.run for run in runs(store, 60 * DAY_MS, 61 * DAY_MS)] == ["aaaa0005", "aaaa0006", "aaaa0007"]


def test_all_nodes_come_in_one_view_with_the_time_watched(store: Store) -> None:
    taken(store, first_beat())
    row = store.watch.begin(reading(1_000))
    store.watch.extend(row, reading(5_000))
    facts = store.evidence.facts(START_UTC, START_UTC + 3_000, reading(6_000))
    assert list(facts.nodes) == [NODE]
    assert list(facts.watched) == [(START_UTC + 1_000, START_UTC + 5_000)]


def test_the_watch_log_holds_each_stretch(store: Store) -> None:
    first = store.watch.begin(reading(1_000))
    store.watch.extend(first, reading(5_000))
    store.watch.end(first, "lagged")
    second = store.watch.begin(reading(9_000))
    store.watch.extend(second, reading(9_500))
    watched = store.watch.watched(START_UTC, START_UTC + 20_000)
    assert list(watched) == [(START_UTC + 1_000, START_UTC + 5_000), (START_UTC + 9_000, START_UTC + 9_500)]
    assert store.watch.latest_utc() == START_UTC + 9_500


def test_a_token_works_once(store: Store) -> None:
    assert store.registry.redeem(TOKEN, NODE, b"x" * 32, reading(1_000)) is Redeemed.USED
    assert store.registry.keys() == {KEY: NODE}


def test_a_token_works_for_its_node_and_in_its_time_only(store: Store) -> None:
    token = b"u" * 32
    store.registry.issue("app-01", token, START_UTC + 5_000, reading(0))
    assert store.registry.redeem(b"?" * 32, "app-01", KEY, reading(0)) is Redeemed.UNKNOWN
    assert store.registry.redeem(token, NODE, KEY, reading(0)) is Redeemed.OTHER_NODE
    assert store.registry.redeem(token, "app-01", b"y" * 32, reading(5_000)) is Redeemed.EXPIRED
    assert store.registry.keys() == {KEY: NODE}


def test_a_node_that_enrols_again_keeps_its_evidence_and_only_its_new_key(store: Store) -> None:
    taken(store, first_beat())
    store.registry.issue(NODE, b"v" * 32, START_UTC + 5_000, reading(0))
    assert store.registry.redeem(b"v" * 32, NODE, b"z" * 32, reading(0)) is Redeemed.ACCEPTED
    assert store.registry.keys() == {b"z" * 32: NODE}
    assert len(runs(store)) == 1


def test_a_revoked_key_is_void_and_the_evidence_stays(store: Store) -> None:
    taken(store, first_beat())
    assert store.registry.revoke(NODE, reading(9_000))
    assert not store.registry.revoke(NODE, reading(9_000))
    assert store.registry.keys() == {}
    assert len(runs(store)) == 1


def test_a_fresh_key_stands_beside_the_old_one_until_it_is_used(store: Store) -> None:
    assert store.registry.renew(KEY, b"f" * 32, reading(5_000))
    assert store.registry.keys() == {KEY: NODE, b"f" * 32: NODE}
    assert store.registry.fresh_keys() == {b"f" * 32}
    assert store.registry.listing(reading(6_000))[0].issued_utc == START_UTC
    store.registry.settle(b"f" * 32)
    store.registry.settle(b"f" * 32)
    assert store.registry.keys() == {b"f" * 32: NODE}
    assert store.registry.fresh_keys() == frozenset()
    assert store.registry.listing(reading(6_000))[0].issued_utc == START_UTC + 5_000


def test_of_two_fresh_keys_only_the_later_one_is_good(store: Store) -> None:
    assert store.registry.renew(KEY, b"f" * 32, reading(5_000))
    assert store.registry.renew(KEY, b"g" * 32, reading(6_000))
    assert store.registry.keys() == {KEY: NODE, b"g" * 32: NODE}


def test_a_void_or_unknown_key_cannot_be_renewed(store: Store) -> None:
    assert not store.registry.renew(b"?" * 32, b"f" * 32, reading(5_000))
    assert store.registry.revoke(NODE, reading(5_000))
    assert not store.registry.renew(KEY, b"f" * 32, reading(5_000))
    assert store.registry.keys() == {}


def test_revocation_and_a_new_enrolment_void_the_fresh_key_too(store: Store) -> None:
    assert store.registry.renew(KEY, b"f" * 32, reading(5_000))
    assert store.registry.revoke(NODE, reading(6_000))
    assert store.registry.keys() == {}
    store.registry.issue(NODE, b"v" * 32, START_UTC + 50_000, reading(7_000))
    assert store.registry.redeem(b"v" * 32, NODE, b"z" * 32, reading(7_000)) is Redeemed.ACCEPTED
    assert store.registry.renew(b"z" * 32, b"g" * 32, reading(8_000))
    store.registry.issue(NODE, b"w" * 32, START_UTC + 50_000, reading(9_000))
    assert store.registry.redeem(b"w" * 32, NODE, b"y" * 32, reading(9_000)) is Redeemed.ACCEPTED
    assert store.registry.keys() == {b"y" * 32: NODE}
    assert store.registry.fresh_keys() == frozenset()


def test_a_change_by_another_process_is_noticed_once(open_store: OpenStore) -> None:
    with closing(open_store()) as mine, closing(open_store()) as other:
        assert not mine.registry.changed_elsewhere()
        other.registry.revoke(NODE, reading(1_000))
        assert mine.registry.changed_elsewhere()
        assert not mine.registry.changed_elsewhere()


def test_the_listing_tells_what_each_node_last_said(store: Store) -> None:
    taken(store, beat(Part(RUN, opening(), [span(1, "alive"), span(2, state="down")])))
    row = store.registry.listing(reading(20_000))[0]
    assert (row.name, row.enrolled, row.heard_utc) == (NODE, True, START_UTC + 10_010)
    assert (row.agent_version, row.states, row.rivals) == ("0.1.0", {"alive": "up", "web": "down"}, ())


def test_two_agents_with_one_identity_are_both_kept_and_told_apart(store: Store) -> None:
    taken(store, first_beat())
    taken(store, first_beat(NEXT_RUN))
    assert [run.run for run in runs(store)] == [RUN, NEXT_RUN]
    both = [Speaker(RUN, "10.0.0.5"), Speaker(NEXT_RUN, "10.0.0.6"), Speaker("f" * 8, "10.0.0.7")]
    store.registry.note_rivals({NODE: both, "nobody": both}, reading(20_000))
    told = store.registry.listing(reading(21_000))[0].rivals
    assert {(one.run, one.address, bool(one.boot)) for one in told} == {
        (RUN, "10.0.0.5", True), (NEXT_RUN, "10.0.0.6", True), ("f" * 8, "10.0.0.7", False),
    }  # fmt: skip


def test_two_agents_are_told_only_as_long_as_they_are_noted(store: Store) -> None:
    taken(store, first_beat())
    both = [Speaker(RUN, "10.0.0.5"), Speaker(NEXT_RUN, "10.0.0.6")]
    store.registry.note_rivals({NODE: both}, reading(20_000))
    assert store.registry.listing(reading(90_000))[0].rivals == ()
    store.registry.note_rivals({NODE: both}, reading(100_000))
    store.registry.note_rivals({NODE: ()}, reading(101_000))
    assert store.registry.listing(reading(101_000))[0].rivals == ()
