"""What a layer answers for where several members may be the lowest: certain in all cases, possible in any."""

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.derive import derive
from detak_collector.downtime.periods import Period
from detak_collector.downtime.shares import Share
from downtime_cases import MINUTE, UTC, facts, group, service, stated

JUNE, JULY = 1_717_200_000_000, 1_719_792_000_000


def test_nothing_is_certain_of_a_layer_while_another_member_may_stand_for_its_group() -> None:
    down, unseen = ((JUNE, JUNE + 60 * MINUTE),), ((JULY - 100 * MINUTE, JULY - 50 * MINUTE),)
    later = ((JULY - 200 * MINUTE, JULY - 170 * MINUTE),)
    seen = {"a/c": stated("a/c", JUNE, JULY, down), "b/c": stated("b/c", JUNE, JULY, later, unseen)}
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["a/c", "b/c"], "lowest_member")),))
    result = derive(Case(catalogue, UTC, facts(seen), (), JULY), Period("2024-06", JUNE, JULY))
    (one,) = result.services
    (month,) = one.months
    assert (one.totals.certain_ms, one.totals.counted_ms, one.totals.possible_ms) == (
        30 * MINUTE, 60 * MINUTE, 80 * MINUTE,
    )  # fmt: skip
    assert month.shares == {"database": Share(60 * MINUTE, 0, 140 * MINUTE, 60 * MINUTE)}
