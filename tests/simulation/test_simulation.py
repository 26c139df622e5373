"""The real agent and the real collector in virtual time: the truth stays within what the figures say."""

import os
from dataclasses import replace
from itertools import islice
from random import Random

import pytest

from detak_collector.downtime.facts import Span as Stored
from detak_wire.messages import Span
from simulation.campaign import Tally, prepared, verdicts
from simulation.faults import EVERY_FAULT, EVERYWHERE, GUARD_MS, OBSERVER, Fault
from simulation.generated import many_generated
from simulation.history import DECLARED_PPM, Verdict, holds, play
from simulation.plan import ISOLATED, PACES, Plan, Scene, Weather, planned

HISTORIES = 20 if os.environ.get("DETAK_NIGHTLY") == "1" else 10
"""A few hundred outages. `make simulate OUTAGES=50000` plays more."""

ALLOWANCE_MS = 100
"""On each of four edges: what the engine grants to freezes too short to notice."""

SCENES: tuple[Scene, ...] = ("alone", "two collectors", "observed")

SPAN = Span(5, "c", "up", 1_000, 1_001, 9_000, 9_001, 9, 1_000, closed=True)
HELD = Stored("c", 5, "up", 1_000, 1_001, 9_000, 9_001, 9, 1_000)


def _played(seed: str, under: Weather, drift_ppm: float = DECLARED_PPM) -> Verdict:
    with prepared() as empty:
        return play(seed, empty, drift_ppm, planned(Random(seed), under))


def _plain(down: tuple[tuple[float, float], ...], *faults: Fault) -> Plan:
    return Plan(PACES[0], 300_000.0, faults, down, (), guarded_ms=None, marked=False)


@pytest.mark.parametrize("seed", ["first", "second"])
def test_the_truth_lies_within_the_figures_whatever_goes_wrong(seed: str) -> None:
    tally = Tally()
    for verdict in islice(verdicts(seed, jobs=1), HISTORIES):
        tally.add(verdict)
    assert tally.violations == []
    assert tally.outages > 10 * HISTORIES
    assert tally.counts["spans"] > tally.outages


@pytest.mark.parametrize("kind", EVERY_FAULT)
def test_the_truth_lies_within_the_figures_when_one_thing_goes_wrong_often(kind: str) -> None:
    verdict = _played(f"often {kind}", Weather((kind,), every_ms=15_000.0, length_ms=300_000.0))
    assert verdict.violations == []
    assert verdict.counts[f"fault {kind}"] >= 1


@pytest.mark.parametrize("kind", ["cut", "crash", "frozen-guest", "full-disk", "full-store", "step-utc"])
def test_two_collectors_say_the_same_once_all_is_delivered(kind: str) -> None:
    under = Weather((kind,), every_ms=30_000.0, length_ms=300_000.0, scene="two collectors")
    assert _played(f"both {kind}", under).violations == []


@pytest.mark.parametrize("kind", [*OBSERVER, "crash", "frozen-guest", "suspend", "restore", "cut"])
def test_what_nodes_say_of_a_thing_elsewhere_is_certain_only_where_it_is_true(kind: str) -> None:
    under = Weather((*OBSERVER, kind), every_ms=30_000.0, length_ms=300_000.0, scene="observed")
    assert _played(f"observed {kind}", under).violations == []


@pytest.mark.parametrize("scene", SCENES)
def test_a_history_is_the_same_whenever_its_seed_is_played(scene: Scene) -> None:
    under = Weather(EVERY_FAULT, every_ms=15_000.0, length_ms=240_000.0, scene=scene)
    first, second = _played("again", under), _played("again", under)
    assert first == second
    assert first.digest != _played("another", under).digest


def test_an_oscillator_worse_than_declared_is_found_out() -> None:
    seeds = [f"drift {number}" for number in range(3)]
    assert any(_played(seed, ISOLATED, drift_ppm=400.0).violations for seed in seeds)
    assert not any(_played(seed, ISOLATED).violations for seed in seeds)


@pytest.mark.parametrize("scene", SCENES)
def test_an_outage_while_connected_is_known_to_two_check_intervals(scene: Scene) -> None:
    tally = Tally()
    for number in range(3):
        under = Weather(("step-wall", "steer"), every_ms=60_000.0, length_ms=400_000.0, scene=scene)
        tally.add(_played(f"calm {number}", under))
    for interval_ms, width_ms in tally.widths_of(50).items():
        assert width_ms <= 2 * interval_ms + 4 * ALLOWANCE_MS


def test_an_outage_too_short_to_be_seen_is_not_held_against_the_figures() -> None:
    with prepared() as empty:
        verdict = play("short", empty, plan=_plain(((100_000.0, 100_300.0), (150_000.0, 170_000.0))))
    assert (verdict.outages, verdict.unseeable, verdict.violations) == (1, 1, [])


def test_an_agent_whose_disk_is_full_gives_up_and_is_back_when_there_is_room() -> None:
    with prepared() as empty:
        verdict = play("full", empty, plan=_plain((), Fault("full-disk", 60_000.0, 31_000.0)))
    assert verdict.violations == []
    assert verdict.counts["gave_up"] >= 5
    assert verdict.counts["runs"] == 2


def test_a_crash_long_after_a_full_disk_ended_a_guarded_agent_is_not_taken_to_have_begun_then() -> None:
    crash = Fault("crash", 130_000.0, 30_000.0, agent_after=5_000.0, target_after=5_000.0)
    plan = replace(_plain((), Fault("full-disk", 60_000.0, 90_000.0), crash), guarded_ms=GUARD_MS)
    with prepared() as empty:
        verdict = play("full and crashed", empty, plan=plan)
    assert (verdict.outages, verdict.violations) == (1, [])


def test_a_machine_that_sleeps_while_its_agent_is_away_may_have_been_down_whatever_its_marks_say() -> None:
    faults = (Fault("kill-agent", 60_000.0, 90_000.0), Fault("suspend", 80_000.0, 40_000.0))
    with prepared() as empty:
        verdict = play("asleep", empty, plan=replace(_plain((), *faults), marked=True))
    assert (verdict.outages, verdict.violations) == (1, [])


def test_what_happened_in_a_cut_is_known_once_it_is_over() -> None:
    cut = Fault("cut", 60_000.0, 120_000.0, where=EVERYWHERE)
    with prepared() as empty:
        verdict = play("cut", empty, plan=_plain(((100_000.0, 130_000.0),), cut))
    assert verdict.violations == []
    assert verdict.counts["lost"] > 0


@pytest.mark.parametrize(
    "held",
    [None, replace(HELD, samples=8), replace(HELD, last_begin=8_000), replace(HELD, closed=False)],
    ids=["missing", "fewer", "shorter", "open"],
)
def test_a_span_that_is_not_held_whole_is_lost_evidence(held: Stored | None) -> None:
    assert not holds(held, SPAN, settled=20_000)
    assert holds(HELD, SPAN, settled=20_000)
    assert holds(held, SPAN, settled=500)


def test_made_up_facts_stay_within_the_figures_and_a_worse_drift_is_found_out() -> None:
    verdict = many_generated("made up")
    assert verdict.violations == []
    assert verdict.outages > 1_000
    assert many_generated("made up", drift_ppm=60_000.0).violations
