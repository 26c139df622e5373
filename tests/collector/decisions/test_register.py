"""What is in force out of a log of proposals and decisions: four eyes, amendments, withdrawals, two collectors."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decision_log import BEGIN, DAY, RECORD, Log, apart, states_of
from detak_collector.decisions.register import NAMES_APART, Register, next_number
from detak_collector.pair.entry import PROMOTION, PROPOSAL, contradictions

OTHERWISE = {**RECORD, "to": "2026-03-01T18:00:00Z"}


def in_force(log: Log, moment: int | None = None) -> set[str]:
    return {one.in_force.name for one in log.register(moment).roots if one.in_force is not None}


def test_what_one_proposes_takes_effect_when_another_one_approves_it() -> None:
    log = Log()
    name = log.add("Ani")
    assert (name, log.states()) == ("x1", {"x1": "pending"})
    assert in_force(log) == set()
    log.approve("x1", "Budi")
    assert in_force(log) == {"x1"}


@pytest.mark.parametrize("name", ["Ani", "ani", " ANI ", "A n i", "Ani.", "ＡＮＩ", "Áni", "A\u200bni"])  # noqa: RUF001
def test_nobody_approves_what_is_his_own_however_he_writes_his_name(name: str) -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", name)
    assert log.states() == {"x1": "pending"}


def test_names_that_differ_in_a_letter_are_two_persons() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Anis")
    assert in_force(log) == {"x1"}


def test_an_amendment_leaves_the_old_one_in_force_until_another_person_approves_it() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.amend("x1", "Budi", OTHERWISE)
    log.approve("x2", "Budi")
    assert log.states() == {"x1": "in force", "x2": "pending"}
    log.approve("x2", "Ani")
    assert log.states() == {"x1": "replaced", "x2": "in force"}


def test_an_amendment_of_a_pending_one_takes_its_place_at_once() -> None:
    log = Log()
    log.add("Ani")
    log.amend("x1", "Budi", OTHERWISE)
    log.approve("x1", "Cici")
    assert log.states() == {"x1": "replaced", "x2": "pending"}


def test_a_withdrawal_needs_a_second_person_too() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.end("x1", "Ani")
    log.approve("x2", "Ani")
    assert in_force(log) == {"x1"}
    log.approve("x2", "Budi")
    assert log.states() == {"x1": "withdrawn", "x2": "approved"}


def test_a_rejected_amendment_changes_nothing() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.amend("x1", "Ani", OTHERWISE)
    log.reject("x2", "Budi")
    assert log.states() == {"x1": "in force", "x2": "rejected"}


def test_only_its_proposer_takes_a_proposal_back() -> None:
    log = Log()
    log.add("Ani")
    log.take_back("x1", "Budi")
    assert log.states() == {"x1": "pending"}
    log.take_back("x1", "ani")
    log.approve("x1", "Budi")
    assert log.states() == {"x1": "taken back"}


def test_what_was_decided_stays_so_for_whoever_knew_of_it() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.reject("x1", "Cici")
    assert log.states() == {"x1": "in force"}


def test_every_earlier_moment_is_known_as_it_was() -> None:
    log = Log()
    log.add("Ani")
    moments = [log.now]
    for step in (lambda: log.approve("x1", "Budi"), lambda: log.end("x1", "Ani"), lambda: log.approve("x2", "Budi")):
        log.wait(DAY)
        step()
        moments.append(log.now)
    assert [in_force(log, moment) for moment in (BEGIN, *moments)] == [set(), set(), {"x1"}, {"x1"}, set()]


def test_an_entry_of_another_version_is_counted_and_passed_over() -> None:
    log = Log()
    log.make(PROPOSAL, {"about": "exclusion", "name": "x1", "new": True}, "Ani")
    log.add("Ani")
    log.approve("x1", "Budi")
    assert (log.register().unreadable, in_force(log)) == (1, {"x1"})


def test_of_two_that_two_collectors_decided_differently_the_later_counts_at_both_and_is_listed() -> None:
    log = Log()
    log.add("Ani")
    dc, drc = apart(log)
    dc.approve("x1", "Budi")
    drc.wait(DAY)
    drc.reject("x1", "Cici")
    assert (dc.states(), drc.states()) == ({"x1": "in force"}, {"x1": "rejected"})
    dc.hear(drc)
    drc.hear(dc)
    assert dc.states() == drc.states() == {"x1": "rejected"}
    (found,) = contradictions(dc.entries)
    assert (found.subject, found.later.author) == ("exclusion x1", "Cici")


def test_an_approval_of_one_collector_and_an_amendment_at_the_other_both_stand() -> None:
    log = Log()
    log.add("Ani")
    dc, drc = apart(log)
    drc.amend("x1", "Ani", OTHERWISE)
    dc.wait(DAY)
    dc.approve("x1", "Budi")
    dc.hear(drc)
    assert dc.states() == {"x1": "in force", "x2": "pending"}


def test_two_amendments_approved_at_two_collectors_never_count_both() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    dc, drc = apart(log)
    for at in (dc, drc):
        at.amend("x1", "Ani", OTHERWISE)
        at.approve("x2", "Budi")
        drc.wait(DAY)
    dc.hear(drc)
    assert dc.states() == {"x1": "replaced", "x2": "replaced", "x2-2": "in force"}


def test_what_two_collectors_gave_one_name_is_told_apart_and_listed() -> None:
    dc, drc = apart(Log())
    dc.add("Ani")
    drc.wait(DAY)
    drc.add("Budi", OTHERWISE)
    dc.hear(drc)
    drc.hear(dc)
    assert dc.states() == drc.states() == {"x1": "pending", "x1-2": "pending"}
    assert [one.subject for one in contradictions(dc.entries)] == ["exclusion x1"]


def test_who_was_promoted_leaves_the_names_that_the_other_one_may_have_given() -> None:
    log = Log()
    log.add("Ani")
    dc, drc = apart(log)
    dc.add("Ani")
    drc.make(PROMOTION, {"least_number": 1, "reason": "it is gone"}, "Budi")
    assert drc.add("Budi") == f"x{2 + NAMES_APART}"
    assert drc.add("Budi") == f"x{3 + NAMES_APART}"
    dc.hear(drc)
    assert len(dc.states()) == 4


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "amend", "end", "approve", "approve", "reject", "take_back"]),
        st.integers(0, 30),
        st.sampled_from(["Ani", "ANI", "Budi", "Cici"]),
    ),
    max_size=25,
)


def played(steps: list[tuple[str, int, str]], log: Log) -> None:
    """Whatever people may try; what may not be has no effect."""
    for what, place, author in steps:
        known = [one for one in log.register().matters.values() if what in {"approve", "reject", "take_back"}
                 or not one.is_withdrawal]  # fmt: skip
        if what == "add" or not known:
            log.add(author)
        else:
            getattr(log, what)(known[place % len(known)].name, author)


def expected(log: Log, moment: int) -> set[str]:
    """As a clerk with two trays would say it: by exclusion what waits, and what is in force."""
    waiting: dict[str, tuple[str, str, str]] = {}
    standing: dict[str, str] = {}
    for one in log.entries:
        told, author = one.told, one.author.casefold()
        if one.recorded_utc > moment:
            break
        if one.kind == PROPOSAL:
            waiting[told["root"]] = (told["name"], author, told["action"])
            continue
        name, proposer, action = waiting.get(told["root"], ("", "", ""))
        may = {"approve": author != proposer, "reject": True, "take-back": author == proposer}
        if name != told["name"] or not may[told["verdict"]]:
            continue
        del waiting[told["root"]]
        if told["verdict"] == "approve":
            standing.pop(told["root"], None)
            if action != "withdraw":
                standing[told["root"]] = name
    return set(standing.values())


@given(STEPS)
def test_what_is_in_force_at_any_moment_is_what_a_clerk_would_say(steps: list[tuple[str, int, str]]) -> None:
    log = Log()
    played(steps, log)
    for one in log.entries:
        assert in_force(log, one.recorded_utc) == expected(log, one.recorded_utc)


@given(STEPS, STEPS, STEPS, st.integers(0, 2**32))
def test_two_collectors_that_have_heard_each_other_say_the_same(
    before: list[tuple[str, int, str]], here: list[tuple[str, int, str]], there: list[tuple[str, int, str]], seed: int
) -> None:
    log = Log()
    played(before, log)
    dc, drc = apart(log)
    played(here, dc)
    drc.wait(seed % (40 * 1_000))
    played(there, drc)
    dc.hear(drc)
    drc.hear(dc)
    shuffled = list(dc.entries)
    random.Random(seed).shuffle(shuffled)
    assert states_of(dc.entries) == states_of(drc.entries) == states_of(shuffled)
    assert next_number(dc.entries) == next_number(drc.entries)
    for root in Register.of(shuffled).roots:
        # One at most is in force, somebody else approved it, and one at most waits.
        standing = [one for one in root.matters if one.state.value == "in force"]
        assert standing == ([] if root.in_force is None else [root.in_force])
        assert all(
            one.approval and one.approval.author.casefold() != one.proposal.author.casefold() for one in standing
        )
        assert sum(one.state.value == "pending" for one in root.matters) <= 1
