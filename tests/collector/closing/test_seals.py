"""Which seals are in force: four eyes, one of each period, and nothing but a restatement ever changes one."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from decision_log import Log, apart
from detak_collector.closing.bodies import body_of
from detak_collector.closing.seals import Seals
from detak_collector.pair.entry import RESTATEMENT, SEAL, SEAL_DECISION, Entry, contradictions
from seal_log import MONTHS, SealLog, body

PEOPLE = ("Ani", "Budi", "Cici")


def test_a_seal_against_which_nothing_stands_is_in_force_at_once() -> None:
    log = SealLog()
    assert (log.seal("Ani"), log.states()) == ("1", {"1": "in force"})


def test_one_despite_what_hinders_it_waits_for_another_person() -> None:
    log = SealLog()
    log.seal("Ani", despite=True)
    log.decide(" ani ", "1")
    assert log.states() == {"1": "pending"}
    log.decide("Budi", "1")
    assert log.states() == {"1": "in force"}
    assert log.named("1").approved_by == "Budi"


def test_a_restatement_takes_the_place_of_a_seal_when_another_person_approves_it() -> None:
    log = SealLog()
    log.seal("Ani")
    log.restate("Ani", "1")
    log.decide("Ani", "2")
    assert log.states() == {"1": "in force", "2": "pending"}
    log.decide("Budi", "2")
    assert log.states() == {"1": "restated", "2": "in force"}


def test_what_is_rejected_or_taken_back_changes_nothing() -> None:
    log = SealLog()
    log.seal("Ani")
    log.restate("Ani", "1")
    log.decide("Budi", "2", "take-back")
    assert log.states()["2"] == "pending"
    log.decide("Budi", "2", "reject")
    log.restate("Budi", "1")
    log.decide("Budi", "3", "take-back")
    log.decide("Cici", "3")
    assert log.states() == {"1": "in force", "2": "rejected", "3": "taken back"}


def test_of_two_restatements_that_wait_the_second_to_be_approved_lapses() -> None:
    log = SealLog()
    log.seal("Ani")
    log.restate("Ani", "1", "b")
    log.restate("Budi", "1", "c")
    log.decide("Cici", "3")
    assert log.states() == {"1": "restated", "2": "lapsed", "3": "in force"}


def test_a_second_seal_of_a_sealed_period_never_stands() -> None:
    log = SealLog()
    log.seal("Ani", figure="a")
    log.seal("Budi", figure="b")
    assert log.states() == {"1": "in force", "2": "lapsed"}


def test_a_longer_period_is_sealed_beside_its_months() -> None:
    log = SealLog()
    log.seal("Ani", "2026-01")
    log.seal("Ani", "2026-Q1")
    assert [one.label for one in log.seals().touching(0, 10)] == ["1", "2"]
    assert [one.label for one in log.seals().touching(40, 50)] == ["2"]


def test_what_another_version_says_is_counted_and_left_out() -> None:
    log = Log()
    log.make(SEAL, {"period": "2026-01", "later": True}, "Ani")
    log.make(RESTATEMENT, body_of(body()), "Ani")
    log.make(SEAL_DECISION, {"on": "0" * 32, "verdict": "approve", "login": "x"}, "Budi")
    assert (Seals.of(log.entries).all, Seals.of(log.entries).unreadable) == ([], 3)


def test_two_collectors_that_seal_one_period_unknown_to_each_other_contradict() -> None:
    dc, drc = apart(Log())
    dc.make(SEAL, body_of(body(figure="a")), "Ani")
    drc.make(SEAL, body_of(body(figure="b")), "Budi")
    dc.hear(drc)
    assert [one.subject for one in contradictions(dc.entries)] == ["the seal of 2026-01"]
    assert {one.label: one.state.value for one in Seals.of(dc.entries).all} == {"1": "in force", "1-2": "lapsed"}


STEPS = st.lists(
    st.tuples(
        st.sampled_from(("seal", "despite", "restate", "approve", "reject", "take-back")),
        st.sampled_from(PEOPLE),
        st.sampled_from(tuple(MONTHS)),
        st.integers(0, 30),
    ),
    max_size=25,
)


def play(steps: list[tuple[str, str, str, int]]) -> SealLog:
    log = SealLog()
    for at, (what, who, period, which) in enumerate(steps):
        known = log.seals().all
        if what in {"seal", "despite"}:
            log.seal(who, period, f"figure {at}", despite=what == "despite")
        elif known:
            label = known[which % len(known)].label
            if what == "restate":
                log.restate(who, label, f"figure {at}")
            else:
                log.decide(who, label, what)  # type: ignore[arg-type]
    return log


def figures(entries: list[Entry]) -> dict[str, str]:
    standing = list(Seals.of(entries).standing())
    assert len(standing) == len({one.body.period for one in standing})
    return {one.body.period: one.body.digest for one in standing}


@given(STEPS)
def test_a_sealed_figure_changes_by_nothing_but_a_restatement_that_another_person_approved(
    steps: list[tuple[str, str, str, int]],
) -> None:
    entries = play(steps).log.entries
    before: dict[str, str] = {}
    for at in range(1, len(entries) + 1):
        after = figures(entries[:at])
        for period, digest in before.items():
            if after.get(period) != digest:
                (changed,) = (one for one in Seals.of(entries[:at]).standing() if one.body.period == period)
                last = entries[at - 1]
                assert last.kind == SEAL_DECISION
                assert changed.is_restatement
                assert changed.decision == last
                assert changed.author != last.author
        before = after


@given(STEPS, st.randoms(use_true_random=False))
def test_entries_say_the_same_in_any_order(steps: list[tuple[str, str, str, int]], chance: random.Random) -> None:
    entries = play(steps).log.entries
    shuffled = list(entries)
    chance.shuffle(shuffled)
    assert figures(shuffled) == figures(entries)


@given(STEPS)
def test_nothing_takes_effect_by_one_person_alone_but_a_seal_that_nothing_hinders(
    steps: list[tuple[str, str, str, int]],
) -> None:
    for one in play(steps).seals().standing():
        if one.is_restatement or one.body.hindrances:
            assert one.approved_by not in {None, one.author}
