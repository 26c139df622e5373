"""What the status page is told of members and probes that are in force only from or until a date."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.board.board import Condition, ServiceState
from detak_collector.board.boards import Standing, service_state
from detak_collector.downtime.catalogue import Catalogue, Dated, Member, Service
from detak_collector.downtime.derive import Case, derive
from detak_collector.downtime.periods import Period
from downtime_cases import DAY, HOUR, UTC, facts, group, service, stated

NOON = 12 * HOUR
FROM_NOON, UNTIL_NOON = Member(("a/c",), since=NOON), Member(("a/c",), until=NOON)


def with_members(*members: Member, probes: tuple[Member, ...] = ()) -> Service:
    groups = (replace(group([]), members=members),) if members else ()
    return replace(service(*groups), probes=probes)


def shown(one: Service, now: int) -> ServiceState:
    """The service as of `now`, all of whose checks were up until then."""
    evidence = facts({check: stated(check, 0, now) for check in ("a/c", "p/c")})
    case = Case(Catalogue(Dated.always("org"), "UTC", (one,)), UTC, evidence, (), now)
    (month,) = derive(case, Period("day", 0, DAY), beside=False).details
    return service_state(case, month, Standing(one))


@pytest.mark.parametrize(
    ("one", "measured_at", "unmeasured_at"),
    [
        (with_members(FROM_NOON), NOON + 1, NOON),
        (with_members(UNTIL_NOON), NOON, NOON + 1),
        (with_members(probes=(FROM_NOON,)), NOON + 1, NOON),
        (with_members(probes=(UNTIL_NOON,)), NOON, NOON + 1),
    ],
)
def test_a_service_that_nothing_measures_now_is_not_observed(
    one: Service, measured_at: int, unmeasured_at: int
) -> None:
    assert shown(one, measured_at).condition is Condition.UP
    unmeasured = shown(one, unmeasured_at)
    assert unmeasured.condition is Condition.UNOBSERVED
    assert unmeasured.groups == ()


def test_only_groups_with_a_member_in_force_are_shown() -> None:
    one = with_members(FROM_NOON, probes=(Member(("p/c",)),))
    before, after = shown(one, NOON), shown(one, NOON + 1)
    assert [each.name for each in before.groups] == ["probe"]
    assert [each.name for each in after.groups] == ["g", "probe"]
    assert before.condition is after.condition is Condition.UP
