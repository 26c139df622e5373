"""Which member stands for a group under `lowest_member`, where the evidence leaves room for doubt."""

from __future__ import annotations

import pytest

from downtime_cases import DAY, HOUR, MINUTE, facts, figures, group, only, service, stated


def test_a_member_that_was_not_observed_never_counts_as_zero() -> None:
    known = facts(
        {
            "a/c": stated("a/c", 0, DAY, unseen=[(2 * HOUR, 3 * HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(10 * HOUR, 10 * HOUR + 45 * MINUTE)]),
        }
    )
    result = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], known, 0, DAY))
    assert result.totals.counted_ms == 45 * MINUTE
    assert (result.totals.certain_ms, result.totals.possible_ms) == (0, HOUR)


def test_of_two_that_are_certainly_equal_the_first_listed_stands_and_the_other_never_can() -> None:
    known = facts(
        {
            "a/c": stated("a/c", 0, DAY, down=[(2 * HOUR, 3 * HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(10 * HOUR, 11 * HOUR)]),
        }
    )
    result = only(figures([service(group(["a/c", "b/c"], "lowest_member"))], known, 0, DAY))
    (outage,) = result.outages
    assert (outage.begin, outage.end) == (2 * HOUR, 3 * HOUR)
    assert (outage.certain_ms, outage.counted_ms, outage.possible_ms) == (HOUR, HOUR, HOUR)


def test_doubt_about_one_group_leaves_its_neighbours_as_they_are() -> None:
    known = facts(
        {
            "a/c": stated("a/c", 0, DAY, unseen=[(2 * HOUR, 3 * HOUR)]),
            "b/c": stated("b/c", 0, DAY, down=[(10 * HOUR, 10 * HOUR + MINUTE)]),
            "c/c": stated("c/c", 0, DAY, down=[(20 * HOUR, 21 * HOUR)]),
            "d/c": stated("d/c", 0, DAY, down=[(20 * HOUR, 22 * HOUR)]),
        }
    )
    groups = group(["a/c", "b/c"], "lowest_member"), group(["c/c", "d/c"], "all_down", name="h")
    totals = only(figures([service(*groups)], known, 0, DAY)).totals
    assert (totals.certain_ms, totals.counted_ms, totals.possible_ms) == (HOUR, HOUR + MINUTE, 2 * HOUR)


@pytest.mark.parametrize(("members", "possible_ms"), [(64, MINUTE), (65, 65 * MINUTE)])
def test_beyond_sixty_four_choices_the_bounds_are_those_of_all_choices_at_once(members: int, possible_ms: int) -> None:
    """Each was not seen for a minute of its own, so any may stand for the group, and only for its own minute."""
    names = [f"m{place}/c" for place in range(members)]
    minutes = [(place * MINUTE, (place + 1) * MINUTE) for place in range(members)]
    known = facts({name: stated(name, 0, DAY, unseen=[one]) for name, one in zip(names, minutes, strict=True)})
    totals = only(figures([service(group(names, "lowest_member"))], known, 0, DAY)).totals
    assert (totals.certain_ms, totals.counted_ms, totals.possible_ms) == (0, 0, possible_ms)
