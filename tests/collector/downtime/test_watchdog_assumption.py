"""What of the certain time rests on the watchdog assumption: kept apart, named, and set aside beside the figure."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from random import Random

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Service
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.explain import ASSUMED, explain
from detak_collector.downtime.facts import ALIVE, Facts, Node, Previous, Run, Span
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.periods import Period
from detak_collector.downtime.summary import warnings
from detak_collector.downtime.tail import Beside
from detak_collector.report.document import document
from detak_collector.report.text import print_report
from downtime_cases import UTC, excluded, group, node, only, service
from reading_cases import BEFORE, EARLY, LATE, SECOND, at, read, run, span
from true_history import EPOCH_MS, Node1

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
ASSUMED_DOWN = Intervals.span(at(50) + LATE, at(60) - BEFORE)
"""From 30 s after the last tick to the new boot, as far as the clocks are sure of it."""


def crashed(
    *also: Span, state: str = "up", booted: float = 60, watchdog_ms: int | None = 10_000, **ended: object
) -> tuple[Run, Run]:
    """A guarded node whose host crashed after its tick at 20 s, and that was back 5 s after it had booted."""
    before = run("r1", span(ALIVE, 1, "up", 0, 20), span("c", 2, state, 0, 18), *also, watchdog_ms=watchdog_ms)
    after = run(
        "r2", span(ALIVE, 1, "up", 5, 40), span("c", 2, "up", 6, 40), boot="b2", booted=at(booted), opened=5,
        previous=Previous("r1", "b1", 20_000, 2 + len(also), **ended),  # type: ignore[arg-type]
    )  # fmt: skip
    return before, after


def figure(*services: Service, also: tuple[Span, ...] = ()) -> Result:
    """The figure over 99 s of the node `n` above and of `m`, which was always up."""
    quiet = run("r1", span(ALIVE, 1, "up", 0, 101), span("c", 2, "up", 0, 101), watchdog_ms=10_000)
    runs = {"n": crashed(*also), "m": (quiet,)}
    nodes = {name: Node(name, runs=lives, heard_utc=at(101)) for name, lives in runs.items()}
    facts = Facts(nodes, watched=Intervals.span(at(0), at(101)), drift_ppm=0)
    catalogue = Catalogue(Dated.always("org"), "UTC", services)
    return derive(Case(catalogue, UTC, facts, (), at(101)), Period("p", at(1), at(100)))


ALONE = service(group(["n/c"]))


def printed(result: Result) -> str:
    console = Console(file=io.StringIO(), width=200, color_system=None)
    print_report(result, UTC, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_what_a_watchdog_makes_certain_is_kept_apart() -> None:
    reading = read("c", *crashed(), now=101)
    assert reading.assumed == reading.down.certain == reading.seen == ASSUMED_DOWN


def test_without_the_assumption_it_is_counted_and_possible_as_before_and_not_certain() -> None:
    reading = read("c", *crashed(), now=101)
    without = reading.without_watchdog()
    assert without.down.certain == without.seen == without.assumed == EMPTY
    assert without.down.counted == reading.down.counted == Intervals.span(at(21), at(66))
    assert without.down.possible == reading.down.possible


def test_what_bad_samples_prove_does_not_rest_on_it() -> None:
    reading = read("c", *crashed(state="down"), now=101)
    sampled = Intervals.span(at(0) + LATE, at(18) - EARLY)
    assert reading.down.certain == sampled | ASSUMED_DOWN
    assert reading.assumed == ASSUMED_DOWN
    assert reading.without_watchdog().down.certain == sampled


def test_while_a_witness_was_certainly_down_too_nothing_needs_to_be_assumed() -> None:
    beside = Beside(host_down=Intervals.span(at(55), at(64)))
    reading = read("c", *crashed(), now=101, beside=beside)
    assert reading.down.certain == Intervals.span(at(50) + LATE, at(64))
    assert reading.assumed == Intervals.span(at(50) + LATE, at(55))
    assert reading.without_watchdog().down.certain == Intervals.span(at(55), at(64))


def test_a_witness_that_may_itself_have_been_cut_off_leaves_it_an_assumption() -> None:
    beside = Beside(host_unreached=Intervals.span(at(50), at(3_000)))
    reading = read("c", *crashed(booted=3_000), now=3_100, beside=beside)
    assert reading.assumed == reading.down.certain == Intervals.span(at(50) + LATE, at(3_000) - BEFORE)


@pytest.mark.parametrize(
    "ended",
    [{"watchdog_ms": None}, {"stopped": "shutdown", "stopped_at": 20_500, "slowest_stop_ms": 10_000}],
    ids=["unguarded", "shut down"],
)
def test_other_crashes_and_orderly_shutdowns_assume_nothing_of_a_watchdog(ended: dict[str, object]) -> None:
    assert read("c", *crashed(**ended), now=101).assumed == EMPTY  # type: ignore[arg-type]


def test_the_report_has_the_certain_time_without_it_beside_the_figure() -> None:
    result = figure(ALONE)
    told = document(result)
    jsonschema.validate(told, SCHEMA)
    assert (told["figure"]["counted_ms"], told["figure"]["certain_ms"]) == (45_000, ASSUMED_DOWN.total)
    beside = told["figure"]["beside"]
    assert (beside["without_watchdog"]["counted_ms"], beside["without_watchdog"]["certain_ms"]) == (45_000, 0)
    assert beside["all_down"]["certain_ms"] == ASSUMED_DOWN.total
    assert told["services"][0]["without_watchdog_certain_ms"] == 0


def test_the_report_for_people_names_the_assumption_where_something_rests_on_it() -> None:
    named = "Watchdog assumption: 9.7 s are certain because a watchdog would have brought back an agent that died alone"
    assert f"{named}; without it certain 0.0 s." in printed(figure(ALONE))
    assert "Watchdog assumption" not in printed(figure(service(group(["m/c"]))))


def test_what_a_group_with_a_member_left_never_counted_is_not_named() -> None:
    result = figure(service(group(["n/c", "m/c"], "all_down")))
    assert result.figure.certain_ms == result.beside["without_watchdog"].certain_ms == 0
    assert "Watchdog assumption" not in printed(result)


def test_services_that_no_such_crash_touched_are_not_derived_again() -> None:
    touched, untouched = figure(ALONE, service(group(["m/c"], name="h"), name="t")).services
    assert set(touched.months[0].beside) == {"without_watchdog"}
    assert not untouched.months[0].beside


def test_a_proof_that_rests_on_it_is_warned_of() -> None:
    result = figure(ALONE)
    assert result.figure.proof(result.target_percent) == "missed"
    assert result.beside["without_watchdog"].proof(result.target_percent) == "undecided"
    assert "the proof rests on the watchdog assumption: without it the verdict is not proven" in list(warnings(result))


def test_a_proof_that_bad_samples_give_alone_is_not() -> None:
    failing = service(group(["n/c"]), group(["n/p"], name="q"))
    result = figure(failing, also=(span("p", 3, "down", 2, 18),))
    assert only(result).beside["without_watchdog"][0].certain_ms == 16 * SECOND - LATE - EARLY
    assert not [one for one in warnings(result) if "watchdog" in one]


def test_explain_names_it_with_the_check_and_the_time_it_makes_certain() -> None:
    (explained,) = explain(figure(ALONE), "s")
    (piece,) = explained.pieces
    told = [(check, one.begin, one.end) for check, one in piece.evidence if one.shown_as == ASSUMED]
    assert told == [("n/c", *ASSUMED_DOWN.parts[0])]


class Estate:
    """Three nodes with crashes, guarded or not, under rules that interlock, and exclusions: all from a seed."""

    def __init__(self, seed: int) -> None:
        random = Random(seed)
        played = {name: Node1(seed + place).play() for place, name in enumerate("abw")}
        self.end = max(one.end for one in played.values())
        self.nodes = {name: replace(one.facts.nodes["n"], name=name) for name, one in played.items()}
        pair = [group(["a/c", "b/c"], random.choice(["all_down", "any_down", "lowest_member"]))]
        theirs = Dated.always(random.random() < 0.5)
        behind = [group(["b/c"]), group(["a/alive"], name="h", category="provider-network", third_party=theirs)]
        self.services = (service(*pair, name="s", probes=["w/c"]), service(*behind, name="t", probes=["w/c"]))
        self.exclusions = tuple(self._exclusion(random) for _ in range(random.randint(0, 3)))

    def _exclusion(self, random: Random) -> Exclusion:
        begin = random.randrange(EPOCH_MS, self.end)
        scope = random.choice([{"check": "a/c"}, {"node": "b"}, {"service": "s"}])
        return excluded(begin, begin + random.randrange(300_000), **scope)

    def derived(self, *, guarded: bool) -> Result:
        """The figure; not `guarded`: as if no agent had ever said that a watchdog guards it."""
        nodes = self.nodes if guarded else {name: _unguarded(one) for name, one in self.nodes.items()}
        facts = Facts(nodes, watched=Intervals.span(EPOCH_MS, self.end))
        catalogue = Catalogue(Dated.always("org"), "UTC", self.services, (node("a", witnesses=("w/c",)),))
        return derive(Case(catalogue, UTC, facts, self.exclusions, self.end), Period("p", EPOCH_MS, self.end))


def _unguarded(one: Node) -> Node:
    return replace(one, runs=tuple(replace(life, watchdog_ms=None) for life in one.runs))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**48))
def test_the_figure_without_it_is_that_of_agents_which_no_watchdog_guards(seed: int) -> None:
    estate = Estate(seed)
    result, unguarded = estate.derived(guarded=True), estate.derived(guarded=False)
    for one, other in zip(result.services, unguarded.services, strict=True):
        without, counted = one.beside["without_watchdog"]
        assert (without, counted) == (other.totals, other.in_figure)
        assert without.certain_ms <= one.totals.certain_ms
        assert without.counted_ms == one.totals.counted_ms
        assert without.possible_ms >= one.totals.possible_ms
    assert result.beside["without_watchdog"] == unguarded.figure
