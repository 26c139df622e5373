"""One thing seen from several nodes, and sums that must hold for every field and every outage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import product

import pytest

from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.reading import Passage, Reading, Sketch
from detak_collector.downtime.remote import observed_together, unobserved_together
from detak_collector.downtime.summary import warnings
from detak_collector.downtime.triple import Triple
from downtime_cases import MINUTE, facts, figures, group, only, service, stated

SECOND = Intervals.span(0, 1)
SAYS = ("up", "down", "certain", "unseen")
"""What an observer may say of an instant; `certain` is down with a reference of its own that is certainly up."""


def observer(says: str) -> Reading:
    down = SECOND if says in {"down", "certain"} else EMPTY
    proven = SECOND if says == "certain" else EMPTY
    unseen = SECOND if says == "unseen" else EMPTY
    return Reading("n/c", Triple(proven, down, down | unseen), unobserved=unseen, seen=down, remote=True)


def nodes_of(count: int) -> Sequence[Sequence[str]]:
    return [["a"] * count, ["a", "b", "a"][:count], ["a", "b", "c"][:count]]


@pytest.mark.parametrize("says", [*product(SAYS, repeat=2), *product(SAYS, repeat=3)])
def test_observers_of_one_thing_are_read_together(says: tuple[str, ...]) -> None:
    readings = [observer(one) for one in says]
    seeing = [one for one in says if one != "unseen"]
    all_down = bool(seeing) and "up" not in seeing
    assert bool(unobserved_together(readings)) == (not seeing)
    for nodes in nodes_of(len(says)):
        together = observed_together(readings, nodes)
        from_nodes = {node for node, one in zip(nodes, says, strict=True) if one in {"down", "certain"}}
        assert bool(together.counted) == all_down
        assert bool(together.possible) == ("up" not in says)
        assert bool(together.certain) == (all_down and ("certain" in says or len(from_nodes) > 1))


def test_totals_add_up_field_by_field() -> None:
    numbers = {one.name: place for place, one in enumerate(fields(Totals), start=1) if one.name != "excluded_ms"}
    once = Totals(**numbers, excluded_ms={"planned": 5})
    twice = summed([once, once])
    assert {name: getattr(twice, name) for name in numbers} == {name: 2 * value for name, value in numbers.items()}
    assert twice.excluded_ms is not None
    assert twice.excluded_ms["planned"] == 10


def test_each_outage_has_its_own_share_of_what_is_certain_and_possible() -> None:
    down = [(10 * MINUTE, 12 * MINUTE), (40 * MINUTE, 43 * MINUTE)]
    known = facts({"a/c": stated("a/c", 0, 60 * MINUTE, down=down, unseen=[(12 * MINUTE, 40 * MINUTE)])})
    first, second = only(figures([service(group(["a/c"]))], known, 0, 60 * MINUTE)).outages
    assert (first.certain_ms, second.certain_ms) == (2 * MINUTE, 3 * MINUTE)
    assert (first.possible_ms, second.possible_ms) == (16 * MINUTE, 17 * MINUTE), "the gap is shared at its middle"


def test_an_outage_between_two_others_has_what_is_possible_on_both_sides_up_to_the_middle() -> None:
    down = [(10 * MINUTE, 12 * MINUTE), (30 * MINUTE, 33 * MINUTE), (50 * MINUTE, 51 * MINUTE)]
    unseen = [(12 * MINUTE, 30 * MINUTE), (33 * MINUTE, 50 * MINUTE)]
    known = facts({"a/c": stated("a/c", 0, 60 * MINUTE, down=down, unseen=unseen)})
    first, second, third = only(figures([service(group(["a/c"]))], known, 0, 60 * MINUTE)).outages
    assert (first.possible_ms, third.possible_ms) == (11 * MINUTE, MINUTE + 17 * MINUTE // 2)
    assert second.possible_ms == 9 * MINUTE + 3 * MINUTE + 17 * MINUTE // 2


def test_a_counted_service_that_nobody_saw_is_named() -> None:
    seen, unseen = service(group(["a/c"]), name="seen"), service(group(["b/c"]), name="unseen")
    result = figures([seen, unseen], facts({"a/c": stated("a/c", 0, MINUTE)}), 0, MINUTE)
    assert list(warnings(result)) == ["service unseen was not observed at all"]


def test_neighbouring_passages_that_say_the_same_are_one() -> None:
    sketch = Sketch("n/c")
    sketch.note((0, 5), "down", "refused", ["r/1"])
    sketch.note((5, 9), "down", "refused", ["r/1", "r/2"])
    sketch.note((9, 12), "down", "hangs", ["r/3"])
    assert sketch.read(0, 12).passages == (
        Passage(0, 9, "down", "refused", ("r/1", "r/2")),
        Passage(9, 12, "down", "hangs", ("r/3",)),
    )
