"""One thing seen from several nodes, and sums that must hold for every field and every outage."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from itertools import product

import pytest

from detak_collector.downtime.catalogue import Catalogue, Dated, Declaration
from detak_collector.downtime.derive import Case, derive
from detak_collector.downtime.facts import ALIVE, Facts, Node
from detak_collector.downtime.figure import Totals, summed
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.periods import Period
from detak_collector.downtime.reading import Passage, Reading, Sketch
from detak_collector.downtime.remote import observed_together, unobserved_together
from detak_collector.downtime.summary import warnings
from detak_collector.downtime.triple import Triple
from downtime_cases import HOUR, MINUTE, UTC, facts, figures, group, only, service, stated
from reading_cases import at, run, span

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


def test_what_is_possible_apart_from_an_outage_is_not_its() -> None:
    apart = [(0, MINUTE), (20 * MINUTE, 21 * MINUTE)]
    known = facts({"a/c": stated("a/c", 0, HOUR, down=[(10 * MINUTE, 12 * MINUTE)], unseen=apart)})
    (outage,) = only(figures([service(group(["a/c"]))], known, 0, HOUR)).outages
    assert outage.possible_ms == 2 * MINUTE


def test_an_outage_says_what_its_checks_said_during_it_and_not_before_or_after() -> None:
    said = [
        *stated("a/c", 0, HOUR, down=[(10 * MINUTE, 12 * MINUTE)], message="refused"),
        *stated("a/c", HOUR, 2 * HOUR, down=[(70 * MINUTE, 73 * MINUTE)], message="hangs"),
    ]
    first, second = only(figures([service(group(["a/c"]))], facts({"a/c": said}), 0, 2 * HOUR)).outages
    assert (first.said, second.said) == (("a/c: refused",), ("a/c: hangs",))


def test_a_check_that_was_down_right_before_and_right_after_an_outage_says_nothing_of_it() -> None:
    down = {"a/c": [(12, 15)], "b/c": [(12, 15)], "c/c": [(9, 12), (15, 18)]}
    known = facts({name: stated(name, 0, HOUR, down=where) for name, where in down.items()})
    (outage,) = only(figures([service(group(list(down), "k_of_n", k=Dated.always(2)))], known, 0, HOUR)).outages
    assert (outage.begin, outage.end, outage.said) == (12, 15, ("a/c: down", "b/c: down"))


def test_a_counted_service_that_nobody_saw_is_named() -> None:
    seen, unseen = service(group(["a/c"]), name="seen"), service(group(["b/c"]), name="unseen")
    result = figures([seen, unseen], facts({"a/c": stated("a/c", 0, MINUTE)}), 0, MINUTE)
    assert list(warnings(result)) == ["service unseen was not observed at all"]


def test_what_is_presumed_is_told_apart_from_what_was_declared_and_is_not_observed_either() -> None:
    """A node falls silent at 40 s; people say that its service was down from 10 to 15 s."""
    silent = run("r1", span(ALIVE, 1, "up", 0, 40), span("c", 2, "up", 0, 38))
    known = Facts({"n": Node("n", runs=(silent,), heard_utc=at(40))}, watched=Intervals.span(at(0), at(100)))
    declared = Declaration("d", "down", "service", "s", at(10), at(15), "BA-1", "seen", "a", 0, "b", 0)
    catalogue = Catalogue(Dated.always("org"), "UTC", (service(group(["n/c"])),))
    figure = derive(Case(catalogue, UTC, known, (), at(100), (declared,)), Period("p", at(1), at(100))).figure
    assert figure.counted_ms == 64_000
    assert figure.presumed_ms == 59_000
    assert figure.unobserved_ms == 62_000, "from the check's last sample on"


def test_a_service_that_is_all_a_provider_s_counts_nothing_where_a_third_party_is_not_counted() -> None:
    line = group(["a/c"], category="provider-network", third_party=Dated.always(value=True))
    known = facts({"a/c": stated("a/c", 0, 2 * HOUR, down=[(0, HOUR)])})
    assert figures([service(line)], known, 0, 2 * HOUR).figure.counted_ms == 0
    counted = figures([service(line)], known, 0, 2 * HOUR, counted_exclusions=("planned",)).figure
    assert counted.counted_ms == HOUR


def test_neighbouring_passages_that_say_the_same_are_one() -> None:
    sketch = Sketch("n/c")
    sketch.note((0, 5), "down", "refused", ["r/1"])
    sketch.note((5, 9), "down", "refused", ["r/1", "r/2"])
    sketch.note((9, 12), "down", "hangs", ["r/3"])
    assert sketch.read(0, 12).passages == (
        Passage(0, 9, "down", "refused", ("r/1", "r/2")),
        Passage(9, 12, "down", "hangs", ("r/3",)),
    )
