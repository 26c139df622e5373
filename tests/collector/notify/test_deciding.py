"""What a target is told of outages as they come and go, whatever restarts in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.notify.deciding import LATE_MS, SETTLE_MS, Choice
from detak_collector.notify.items import UNSEEN_NODE, Fate, Seen, Sighting, Why
from notified import HOUR, MINUTE, NOW, Told, seen, sighting

LATELY = HOUR


def test_an_outage_is_told_when_it_has_lasted_long_enough_and_when_it_ends() -> None:
    told = Told()
    begin = NOW - 20_000
    assert told.look(seen(NOW, sighting(begin=begin))) == []
    assert [one.event for one in told.look(seen(NOW + 10_000, sighting(begin=begin)))] == ["opened"]
    assert told.look(seen(NOW + 20_000, sighting(begin=begin))) == []
    told.look(seen(NOW + 30_000, sighting(begin=begin, end=NOW + 25_000)))
    assert told.events() == [("opened", "outage 12"), ("closed", "outage 12")]


def test_an_outage_shorter_than_the_least_length_is_not_told() -> None:
    told = Told()
    told.look(seen(NOW, sighting(begin=NOW - 20_000)))
    told.look(seen(NOW + 10_000, sighting(begin=NOW - 20_000, end=NOW + 5_000)))
    assert told.events() == []


def test_forty_services_behind_one_dead_switch_are_one_message() -> None:
    told = Told(Choice("noc", after_ms=30_000, gather_ms=10_000))
    many = [sighting(number, NOW + number * 100, cause="network", subject=f"s{number}") for number in range(40)]
    for at in range(25, 50):
        told.look(seen(NOW + at * 1_000, *(one for one in many if one.begin <= NOW + at * 1_000)))
    assert [len(one.items) for one in told.messages] == [40]


def test_nodes_that_fall_silent_at_once_are_one_message_whatever_layer_they_are_in() -> None:
    told = Told()
    silent = sighting(1, cause="server", shown_as="presumed down: missing heartbeats", proven=False)
    told.look(seen(NOW, silent, replace(silent, matter="outage 2", number=2, cause="database")))
    assert [len(one.items) for one in told.messages] == [2]


def test_different_causes_are_different_messages() -> None:
    told = Told()
    told.look(seen(NOW, sighting(1, cause="power"), sighting(2, cause="database")))
    assert [[one.cause for one in message.items] for message in told.messages] == [["database"], ["power"]]


def test_what_was_presumed_is_confirmed_once_and_another_cause_is_told() -> None:
    told = Told()
    presumed = sighting(shown_as="presumed down: missing heartbeats", proven=False, cause="server")
    told.look(seen(NOW, presumed))
    told.look(seen(NOW + 1_000, replace(presumed, proven=True)))
    told.look(seen(NOW + 2_000, replace(presumed, proven=True, cause="power")))
    told.look(seen(NOW + 3_000, replace(presumed, proven=True, cause="power")))
    assert [event for event, _ in told.events()] == ["opened", "confirmed", "cause-changed"]


def test_late_evidence_of_what_is_long_over_is_no_alarm() -> None:
    told = Told()
    told.look(seen(NOW, sighting(begin=NOW - HOUR, end=NOW - LATE_MS - 1)))
    assert told.events() == []


def test_late_evidence_of_what_still_runs_is_one() -> None:
    told = Told()
    told.look(seen(NOW, sighting(begin=NOW - 48 * HOUR)))
    assert told.events() == [("opened", "outage 12")]


def test_in_maintenance_it_is_silent_and_what_outlasts_it_is_told_then() -> None:
    told = Told()
    told.look(seen(NOW, sighting(quiet=True)))
    told.look(seen(NOW + HOUR, sighting(quiet=True)))
    assert told.events() == []
    told.look(seen(NOW + 2 * HOUR, sighting()))
    assert told.events() == [("opened", "outage 12")]


def test_what_was_opened_before_maintenance_is_closed_in_it() -> None:
    told = Told()
    told.look(seen(NOW, sighting()))
    told.look(seen(NOW + MINUTE, sighting(end=NOW + MINUTE, quiet=True)))
    assert told.events() == [("opened", "outage 12"), ("closed", "outage 12")]


def test_further_targets_are_told_only_of_what_nobody_acknowledged() -> None:
    further = Choice("kepala", after_ms=30 * MINUTE, gather_ms=0, only_unacknowledged=True)
    known, unknown = Told(further), Told(further)
    for at in (NOW, NOW + 30 * MINUTE):
        known.look(seen(at, sighting(begin=NOW, acknowledged=True)))
        unknown.look(seen(at, sighting(begin=NOW)))
    assert (known.events(), unknown.events()) == ([], [("opened", "outage 12")])
    unknown.look(seen(NOW + HOUR, sighting(begin=NOW, end=NOW + HOUR, acknowledged=True)))
    assert unknown.events()[-1] == ("closed", "outage 12")


def test_an_outage_that_never_was_is_withdrawn_once_its_evidence_had_time_to_come() -> None:
    told = Told()
    told.look(seen(NOW, sighting()))
    gone = {12: Fate(NOW)}
    assert told.look(seen(NOW + 1_000, fates=gone)) == []
    [message] = told.look(seen(NOW + 1_000 + SETTLE_MS, fates=gone))
    assert [(one.why, one.over) for one in message.items] == [(Why.WITHDRAWN, True)]
    [again] = told.look(seen(NOW + HOUR, sighting(end=NOW)))
    assert [(one.why, one.over) for one in again.items] == [(Why.WAS_DOWN, True)]
    assert told.look(seen(NOW + HOUR + 1_000, sighting(end=NOW))) == []


def test_an_outage_that_is_not_numbered_yet_withdraws_no_other() -> None:
    told = Told()
    told.look(seen(NOW, sighting()))
    for at in (1_000, 2 * SETTLE_MS):
        assert told.look(seen(NOW + at, fates={12: Fate(NOW)}, blind=frozenset({"impor"}))) == []


def test_an_outage_that_became_part_of_another_says_of_which() -> None:
    told = Told()
    told.look(seen(NOW, sighting(12), sighting(13)))
    [message] = told.look(seen(NOW + 1_000, sighting(12), fates={13: Fate(NOW, merged_into=12)}))
    assert [(one.matter, one.why, one.other) for one in message.items] == [("outage 13", Why.MERGED, 12)]


def test_what_ended_before_all_that_is_seen_is_closed_with_its_end() -> None:
    told = Told()
    told.look(seen(NOW, sighting()))
    told.restart()
    told.look(seen(NOW + 9 * HOUR, fates={12: Fate(NOW + HOUR)}, whole_since=NOW + 8 * HOUR))
    [message] = told.look(seen(NOW + 10 * HOUR, fates={12: Fate(NOW + HOUR)}, whole_since=NOW + 8 * HOUR))
    assert [(str(one.event), one.end) for one in message.items] == [("closed", NOW + HOUR)]


def test_an_exclusion_approved_meanwhile_is_told_as_what_it_makes_of_the_outage() -> None:
    told = Told()
    told.look(seen(NOW, sighting()))
    [message] = told.look(seen(NOW + 1_000, sighting(counts=False)))
    assert (str(message.event), message.items[0].why) == ("reclassified", Why.NOT_COUNTED)


def unseen(since: int) -> Sighting:
    return Sighting("unseen-node db-01", UNSEEN_NODE, "db-01", "db-01", since, after_ms=5 * MINUTE, cause=UNSEEN_NODE)


def test_lost_observation_is_told_after_its_time_and_again_when_it_is_lost_again() -> None:
    told = Told()
    for at, *what in (
        (4, unseen(NOW)),
        (5, unseen(NOW)),
        (6,),
        (7, unseen(NOW + 6 * MINUTE)),
        (11, unseen(NOW + 6 * MINUTE)),
    ):
        told.look(seen(NOW + at * MINUTE, *what))
    assert [event for event, _ in told.events()] == ["opened", "closed", "opened"]


def test_while_nobody_looked_at_the_nodes_none_is_heard_again() -> None:
    told = Told()
    told.look(seen(NOW + 5 * MINUTE, unseen(NOW)))
    assert told.look(seen(NOW + 6 * MINUTE, looked=False)) == []


def test_the_same_decided_elsewhere_has_the_same_key() -> None:
    here, there = Told(), Told()
    here.look(seen(NOW, sighting()))
    there.look(seen(NOW + 7_000, sighting()))
    assert [one.key for one in here.messages] == [one.key for one in there.messages]


@dataclass(frozen=True)
class Truth:
    """An outage as it really is, and as it becomes known: its begin at `known`, its end at `end_known`."""

    number: int
    begin: int
    known: int
    end: int | None
    end_known: int | None

    def at(self, now: int) -> Sighting | None:
        if now < self.known:
            return None
        if self.end is None or self.end_known is None or now < self.end_known:
            return sighting(self.number, self.begin)
        return sighting(self.number, self.begin, self.end) if now - self.end < LATELY else None

    def fate(self, now: int) -> Fate | None:
        if now < self.known:
            return None
        is_over = self.end is not None and self.end_known is not None and now >= self.end_known
        return Fate(self.end or self.begin if is_over else self.begin)


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[Truth], list[tuple[int, bool]]]:
    outages = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        begin = NOW + draw(st.integers(0, 4 * HOUR))
        known = begin + draw(st.sampled_from([0, 5_000, HOUR]))
        length = draw(st.one_of(st.none(), st.integers(1_000, 3 * HOUR)))
        end = None if length is None else begin + length
        late = draw(st.sampled_from([0, 20_000, 20 * MINUTE, 2 * HOUR]))
        outages.append(Truth(number, begin, known, end, None if end is None else max(known, end) + late))
    steps = draw(st.lists(st.tuples(st.integers(1_000, 40 * MINUTE), st.booleans()), min_size=1, max_size=40))
    at, looks = NOW, []
    for step, restarts in steps:
        at += step
        looks.append((at, restarts))
    return outages, looks


def look_of(outages: Sequence[Truth], now: int) -> Seen:
    sightings = [found for one in outages if (found := one.at(now)) is not None]
    fates = {one.number: fate for one in outages if (fate := one.fate(now)) is not None}
    # All that ended and is not seen any more began before this.
    return seen(now, *sightings, fates=fates, whole_since=now + HOUR)


def expected(one: Truth, after_ms: int, looks: Sequence[int]) -> list[str]:
    """The slow way: each outage by itself, looked through from the begin of time at each look."""
    told: list[str] = []
    for now in looks:
        if now < one.known:
            continue
        is_over = one.end_known is not None and now >= one.end_known
        if not is_over and not told and now - one.begin >= after_ms:
            told.append("opened")
        if is_over and one.end is not None:
            is_alarm = one.end - one.begin >= after_ms and now - one.end <= LATE_MS
            if told == ["opened"] or (not told and is_alarm):
                told.append("closed")
    return told


@given(histories(), st.sampled_from([0, 30_000, 10 * MINUTE]))
def test_each_outage_is_opened_once_and_closed_once_whatever_restarts(
    history: tuple[list[Truth], list[tuple[int, bool]]], after_ms: int
) -> None:
    outages, looks = history
    # By then everything is known, and what is gone has had time to settle.
    last = max(looks[-1][0], NOW + 12 * HOUR)
    looks = [*looks, (last, False), (last + 2 * SETTLE_MS, False)]
    told = Told(Choice("noc", after_ms=after_ms, gather_ms=0))
    for now, restarts in looks:
        if restarts:
            told.restart()
        told.look(look_of(outages, now))
    for one in outages:
        said = [event for event, matter in told.events() if matter == f"outage {one.number}"]
        assert said == expected(one, after_ms, [now for now, _ in looks])


@given(histories())
def test_gathered_or_not_nothing_is_told_twice(history: tuple[list[Truth], list[tuple[int, bool]]]) -> None:
    outages, looks = history
    told = Told(Choice("noc", after_ms=0, gather_ms=10_000))
    for now, restarts in looks:
        if restarts:
            told.restart()
        told.look(look_of(outages, now))
    keys = [one.key for one in told.messages]
    assert len(keys) == len(set(keys))
    assert len(told.events()) == len(set(told.events()))
