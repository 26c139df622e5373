"""What a soak makes of what was weighed and acknowledged: of runs that were flat and lost nothing, and of others."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from detak_collector.downtime import facts
from detak_wire import PROTOCOL_VERSION
from detak_wire.messages import Evidence, Growth, Part, Span
from soaking.faults import kinds
from soaking.judging import KIB, MIB, Ending, Run, Sample, last_line, limits
from soaking.playing import BURST_AT, RESTARTS_UNTIL, Kind, Player
from soaking.promises import Promise, Promised, lacking
from soaking.simulated import Simulated
from soaking.stand import Sizes, Stand

HOUR_S = 3_600
SIDES = ("dc", "drc")
RUN = "r" * 32

Shape = Callable[[float], float]
"""Of a run's share that is over."""


def flat(_share: float) -> float:
    return 100.0


def made(
    memory: Shape = flat, stored: Shape = lambda share: share, journal: Shape = flat, ending: Ending | None = None
) -> Run:
    """An hour, weighed each minute. `memory` in MiB, `stored` in MiB, `journal` in KiB."""
    samples = [
        Sample(
            60.0 * minute,
            {name: memory(minute / 60) for name in (*SIDES, "real-01")},
            {side: int(MIB * stored(minute / 60)) for side in SIDES},
            {"real-01": int(KIB * journal(minute / 60))},
            dict.fromkeys(SIDES, MIB),
        )
        for minute in range(60)
    ]
    return Run(1.0, 1_024, samples, (*SIDES, "real-01"), SIDES, {"agent killed": 3}, ending or Ending())


def missed(run: Run) -> list[str]:
    return [str(one).removeprefix("MISSED  ").split(",")[0].split(":")[0] for one in limits(run) if not one.is_met]


def test_a_run_that_gets_acquainted_first_and_then_stays_as_it_is_meets_every_limit() -> None:
    assert missed(made(memory=lambda share: min(100.0, 20 + 400 * share))) == []


def test_memory_that_keeps_growing_is_found_of_each_process_that_lasted() -> None:
    assert missed(made(memory=lambda share: 100 + 50 * share)) == [f"memory of {name}" for name in (*SIDES, "real-01")]


def test_a_few_percent_and_a_little_more_are_allowed_and_that_is_less_for_an_agent() -> None:
    grown = made(memory=lambda share: 100 + 20 * share)
    assert grown.memory_growth_mib("dc") == pytest.approx(10.0, rel=0.05)
    assert missed(grown) == ["memory of real-01"]


def test_one_moment_of_much_memory_is_no_growth() -> None:
    assert missed(made(memory=lambda share: 500.0 if 0.9 < share < 0.95 else 100.0)) == []


def test_a_store_may_grow_as_fast_as_it_did_and_not_much_faster() -> None:
    steady, ever_faster = made(stored=lambda share: 3 * share), made(stored=lambda share: 100 * share * share)
    assert steady.store_kib_per_node_hour("dc", 4) == pytest.approx(3.0, rel=0.01)
    assert missed(steady) == []
    assert missed(ever_faster) == ["store of dc", "store of drc"]


def test_a_store_that_only_grows_at_the_end_grows_too_fast() -> None:
    assert missed(made(stored=lambda share: max(1.0, 100 * share - 74.0))) == ["store of dc", "store of drc"]


def test_a_journal_that_grows_ever_faster_is_found() -> None:
    assert missed(made(journal=lambda share: 4_000 * share)) == []
    assert missed(made(journal=lambda share: 4_000 * share**3)) == ["journal that grew most"]


def test_a_run_in_which_too_little_was_weighed_proves_nothing() -> None:
    run = made()
    short = Run(run.hours, run.nodes, run.samples[:47], run.lasting, SIDES, run.faults, run.ending)
    assert missed(short)[0] == "weighings that a quarter lacks to be judged"
    blind = [Sample(one.at_s, {}, one.stores, one.journals, one.logs) for one in run.samples]
    assert missed(Run(run.hours, run.nodes, blind, run.lasting, SIDES, run.faults, run.ending))


def test_a_log_that_is_never_written_back_is_found() -> None:
    run = made()
    kept = Sample(1.0, {}, {}, {}, {"drc": 65 * MIB})
    left = Run(run.hours, run.nodes, [*run.samples, kept], run.lasting, SIDES, run.faults, run.ending)
    assert missed(left) == ["write-ahead log of drc"]


def test_whatever_is_found_at_the_end_is_a_missed_limit_and_stands_in_a_line_of_its_own() -> None:
    found = Ending(["a"], ["b"], {"dc": "c"}, ["d"], ["e"], ["f"])
    run = made(ending=found)
    assert len(missed(run)) == 6
    assert found.lines == ["lost: a", "differs: b", "altered: dc: c", "refused: d", "flaw: e", "traceback: f"]
    assert last_line(run) == (
        "soak hours=1 nodes=1024 faults=3 lost=1 memory_growth_mib=0.0 disk_kib_per_node_hour=1.0 "
        "verify=altered:dc figures=different"
    )
    assert last_line(made()).endswith(
        "lost=0 memory_growth_mib=0.0 disk_kib_per_node_hour=1.0 verify=clean figures=equal"
    )


def said(*spans: Span, growths: tuple[Growth, ...] = (), at: int = 0) -> Evidence:
    return Evidence(PROTOCOL_VERSION, "n", RUN, at, [Part(RUN, None, list(spans), list(growths))])


def span(number: int, last: int, *, closed: bool = False) -> Span:
    return Span(number, "c", "up", 1_000, 1_010, last, last + 10, 2, 1_000, closed)


def held(*spans: facts.Span, run: str = RUN) -> facts.Facts:
    one = facts.Run(run, "b", 0, 0, 1_000, facts.Claim(0, 0, None), (), spans)
    return facts.Facts({"n": facts.Node("n", (one,))})


def test_an_open_span_is_promised_as_far_as_it_was_told_and_once_closed_for_good() -> None:
    promised = Promised()
    promised.note(said(span(1, 2_000), span(2, 2_000)))
    promised.note(said(growths=(Growth(1, 500, 490, 4, 1_000), Growth(2, 400, 390, 4, 1_000)), at=9_000))
    promised.note(said(span(2, 9_500, closed=True)))
    assert {(one.number, one.last_begin) for one in promised.all("n")} == {(1, 8_500), (2, 9_500)}


def test_what_a_store_holds_less_far_under_another_state_or_run_or_not_at_all_is_lacking() -> None:
    wanted = Promise("n", RUN, 2, "c", "up", 1_000, 8_500)
    whole = facts.Span("c", 2, "up", 1_000, 1_010, 8_500, 8_510)
    joined = facts.Span("c", 1, "up", 0, 10, 9_000, 9_010, through=3)
    assert lacking([wanted], {"dc": held(whole), "drc": held(joined)}) == []
    for wrong in (
        held(),
        facts.Facts({}),
        held(whole, run="s" * 32),
        held(replace(whole, last_begin=8_499)),
        held(replace(whole, first_begin=1_001)),
        held(replace(whole, state="down")),
        held(replace(whole, number=3)),
        held(replace(whole, check="d")),
    ):
        (line,) = lacking([wanted], {"dc": held(whole), "drc": wrong})
        assert line == f"drc lacks record 2 of run {RUN} of n: c up"


class Things:
    """Which are broken now."""

    def __init__(self) -> None:
        self.broken: list[str] = []

    @contextmanager
    def breaking(self, name: str) -> Iterator[None]:
        self.broken.append(name)
        yield
        self.broken.remove(name)


def test_nothing_is_broken_twice_at_once_and_everything_is_mended_in_its_time() -> None:
    things = Things()
    kinds = [Kind(name, ("a", "b"), things.breaking, (5, 20)) for name in ("killed", "stopped")]
    player = Player(kinds, 2.0, random.Random(1))
    most = 0
    for second in range(600):
        player.step(float(second), second / 600)
        assert len(set(things.broken)) == len(things.broken)
        most = max(most, len(things.broken))
    assert most == 2
    assert min(player.begun.values()) > 10
    player.mend()
    assert things.broken == []


def test_what_would_make_memory_impossible_to_judge_happens_early_only() -> None:
    things = Things()
    kinds = [
        Kind("restarts", ("a",), things.breaking, (1, 1), only_early=True),
        Kind("other", ("b",), things.breaking, (1, 1)),
    ]
    player = Player(kinds, 2.0, random.Random(1))
    for second in range(100):
        player.step(float(second), 0.1)
    early = player.begun["restarts"]
    for second in range(100, 600):
        player.step(float(second), 0.5)
    assert early > 0
    assert player.begun["restarts"] == early
    assert player.begun["other"] > early


def test_what_is_certain_to_come_befalls_everyone_once_at_its_longest_and_not_beside_another_of_the_same() -> None:
    things = Things()
    kinds = [
        Kind("stands still", ("a", "b"), things.breaking, (1, 15), certain_at=0.2),
        Kind("misbehaves", ("a",), things.breaking, (40, 40), certain_at=0.15),
    ]
    player = Player(kinds, 1e9, random.Random(1))
    broken: dict[str, list[int]] = {"a": [], "b": []}
    for second in range(600):
        player.step(float(second), second / 600)
        for name in things.broken:
            broken[name].append(second)
    assert broken == {"a": list(range(90, 145)), "b": list(range(120, 135))}
    assert player.begun == {"stands still": 2, "misbehaves": 1}


def test_each_collector_has_its_greatest_burst_after_its_last_restart_and_before_it_is_judged(tmp_path: Path) -> None:
    nobody = cast("Simulated", None)
    certain = [one for one in kinds(Stand(tmp_path, Sizes(20, 2, 15.0)), nobody, random.Random(1)) if one.certain_at]
    assert [(one.name, one.victims, one.only_early) for one in certain] == [("collector stopped", SIDES, False)]
    assert RESTARTS_UNTIL < BURST_AT < 0.25
