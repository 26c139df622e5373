"""The exclusions and declarations that a log comes to, as the engine takes them."""

from __future__ import annotations

import pytest

from decision_log import BEGIN, DAY, DECLARED, RECORD, Log
from detak_collector.decisions.corrections import known, with_approved
from detak_collector.decisions.proposal import DECLARATION

WEEKLY = {**RECORD, "recurrence": "FREQ=WEEKLY;BYDAY=SU;COUNT=4", "timezone": "Asia/Jakarta"}
MARCH_1 = 1_772_377_200_000
"""15:00 UTC, when the first window begins."""
WEEK = 7 * DAY


def test_a_pending_one_is_shown_and_has_no_effect() -> None:
    log = Log()
    log.add("Ani")
    (one,) = known(log.entries, log.now).exclusions
    assert (one.id, one.in_force, one.proposed_by, one.approved_by) == ("x1", False, "Ani", None)
    assert (one.begin, one.end) == (MARCH_1, MARCH_1 + 2 * 3_600_000)


def test_one_in_force_says_who_approved_it_and_when() -> None:
    log = Log()
    log.add("Ani")
    log.wait(DAY)
    log.approve("x1", "Budi")
    (one,) = known(log.entries, log.now).exclusions
    assert (one.in_force, one.approved_by, one.approved_at) == (True, "Budi", log.now)
    (then,) = known(log.entries, log.now - 1).exclusions
    assert not then.in_force


def test_what_was_rejected_or_withdrawn_is_gone_and_an_amendment_stands_beside_what_it_would_replace() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.add("Ani")
    log.reject("x2", "Budi")
    log.amend("x1", "Ani", {**RECORD, "document": "ND-13/2026"})
    shown = [(one.id, one.in_force, one.document) for one in known(log.entries, log.now).exclusions]
    assert shown == [("x1", True, "ND-12/2026"), ("x3", False, "ND-13/2026")]
    log.approve("x3", "Budi")
    log.end("x3", "Ani")
    log.approve("x4", "Budi")
    assert known(log.entries, log.now).exclusions == ()


def test_one_that_was_proposed_after_its_time_had_begun_is_late() -> None:
    log = Log(now=MARCH_1 - 2_000)
    log.add("Ani")
    log.wait(1_000)
    log.add("Ani")
    assert [one.late for one in known(log.entries, log.now).exclusions] == [False, True]


def test_of_one_that_recurs_the_windows_are_those_that_have_begun() -> None:
    log = Log()
    log.add("Ani", {**WEEKLY, "except": ["2026-03-08T15:00:00Z"]})
    log.approve("x1", "Budi")
    later = MARCH_1 + 2 * WEEK + 1
    begins = [one.begin for one in known(log.entries, later).exclusions]
    assert begins == [MARCH_1, MARCH_1 + 2 * WEEK]
    assert len(known(log.entries, later, until=later + WEEK).exclusions) == 3


def test_a_declaration_is_told_apart_from_exclusions() -> None:
    log = Log()
    log.add("Ani", DECLARED, about=DECLARATION)
    log.approve("d1", "Budi")
    found = known(log.entries, log.now)
    assert found.exclusions == ()
    assert [(one.id, one.category, one.in_force) for one in found.declarations] == [("d1", "down", True)]


@pytest.mark.parametrize("record", [{**RECORD, "category": "lunch"}, {"reason": "nothing else"}])
def test_a_record_that_this_version_cannot_read_excludes_nothing(record: dict[str, object]) -> None:
    log = Log()
    log.add("Ani", record)
    log.approve("x1", "Budi")
    assert known(log.entries, log.now).exclusions == ()


def test_what_an_approval_would_come_to_can_be_seen_before() -> None:
    log = Log()
    log.add("Ani")
    log.approve("x1", "Budi")
    log.amend("x1", "Ani", {**RECORD, "document": "ND-13/2026"})
    after = with_approved(log.register(), ["x2"], log.now)
    assert [(one.id, one.in_force) for one in after.exclusions] == [("x2", True)]
    log.reject("x2", "Budi")
    log.end("x1", "Ani")
    assert with_approved(log.register(), ["x3"], log.now).exclusions == ()
    assert [one.id for one in known(log.entries, log.now).exclusions] == ["x1"]


def test_the_beginning_of_the_log_knows_nothing() -> None:
    log = Log()
    log.add("Ani")
    assert known(log.entries, BEGIN).exclusions == ()
