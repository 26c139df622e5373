"""Two collectors in virtual time, with the real code between them: they come to one report, to the byte."""

from collections.abc import Sequence
from random import Random

import pytest

from detak_collector.pair.fetching import Fetching
from simulation.campaign import prepared
from simulation.faults import AWAY, EVERY_FAULT, NETWORK, PAIR, Fault, Stretch
from simulation.history import Verdict, play
from simulation.plan import PACES, Plan, Weather, planned

N_TO_DC, N_TO_DRC, DC_TO_DRC, DRC_TO_DC = range(4)
"""The ways between the parties, as a fault names them."""

DC, DRC = range(2)

WITHOUT_STEPS = tuple(kind for kind in EVERY_FAULT if kind != "step-utc")
"""A report as of a moment is not compared where one of them took another moment for it."""


def _played(seed: str, kinds: Sequence[str], every_ms: float = 12_000.0) -> Verdict:
    under = Weather(kinds, every_ms, length_ms=300_000.0, scene="two collectors")
    with prepared() as empty:
        return play(seed, empty, plan=planned(Random(seed), under))


def _plan(*faults: Fault, length: float = 300_000.0, down: tuple[Stretch, ...] = ((60_000.0, 75_000.0),)) -> Plan:
    return Plan(PACES[2], length, faults, down, (), guarded_ms=None, marked=False, scene="two collectors")


def _verdict(plan: Plan) -> Verdict:
    with prepared() as empty:
        return play("pair", empty, plan=plan)


@pytest.mark.parametrize(
    "kinds",
    [
        ("cut", "cut-out", "cut-in", "loss", "delay"),
        ("restore-collector", "kill-collector", "full-store"),
        ("restore-collector", "promote", "cut"),
        ("restore", "restore-disk", "cut"),
        (*WITHOUT_STEPS, *NETWORK, *PAIR, *PAIR),
    ],
    ids=lambda kinds: " ".join(kinds[:5]),
)
def test_both_give_the_same_report_a_minute_after_whatever_went_wrong(kinds: Sequence[str]) -> None:
    verdict = _played(f"pair {kinds}", kinds)
    assert verdict.violations == []
    assert verdict.counts["reports compared"] == 2
    assert sum(verdict.counts[f"fault {kind}"] for kind in kinds) >= 3


@pytest.mark.parametrize("where", [DC, DRC])
def test_either_may_be_away_for_an_hour(where: int) -> None:
    away = Fault(AWAY, 50_000.0, 3_600_000.0, where=where)
    at = 1_800_000.0
    plan = _plan(
        away, Fault("promote", 100_000.0, 30_000.0, where=1 - where), length=3_900_000.0, down=((at, at + 30_000.0),)
    )
    verdict = _verdict(plan)
    assert (verdict.outages, verdict.violations) == (1, [])
    assert verdict.counts["reports compared"] == 2


def test_each_way_may_be_cut_while_the_others_are_whole() -> None:
    ways = (N_TO_DC, N_TO_DRC, DC_TO_DRC, DRC_TO_DC)
    cuts = [Fault("cut", 30_000.0 + 45_000.0 * at, 40_000.0, where=way) for at, way in enumerate(ways)]
    down = tuple((begin, begin + 12_000.0) for begin in (40_000.0, 85_000.0, 130_000.0, 175_000.0))
    verdict = _verdict(_plan(*cuts, down=down))
    assert (verdict.outages, verdict.violations) == (4, [])


def test_who_is_promoted_while_they_are_apart_leads_and_so_does_the_first_one_after_that() -> None:
    apart = (Fault("cut", 30_000.0, 80_000.0, where=DC_TO_DRC), Fault("cut", 30_000.0, 80_000.0, where=DRC_TO_DC))
    there, back = Fault("promote", 50_000.0, 70_000.0, where=DRC), Fault("promote", 170_000.0, 10_000.0, where=DC)
    verdict = _verdict(_plan(*apart, there, back, down=((60_000.0, 75_000.0), (90_000.0, 105_000.0))))
    assert (verdict.outages, verdict.violations) == (2, [])
    assert verdict.counts["promoted"] == 2


def _seen_by_one_alone() -> Plan:
    """Only DC hears of an outage, and its node is set back to a state before it."""
    cut = Fault("cut", 40_000.0, 70_000.0, where=N_TO_DRC)
    set_back = Fault("restore-disk", 45_000.0, 60_000.0, lead=50_000.0, agent_after=4_000.0, target_after=5_000.0)
    return _plan(cut, set_back)


def test_what_only_one_of_them_heard_and_no_agent_has_any_more_comes_to_the_other() -> None:
    verdict = _verdict(_seen_by_one_alone())
    assert (verdict.violations, verdict.counts["restored"]) == ([], 1)


def test_evidence_that_is_never_fetched_makes_the_reports_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(*_: object) -> None:
        """As if there were nothing to fetch."""

    monkeypatch.setattr(Fetching, "fetch", nothing)
    assert any("the reports differ" in one for one in _verdict(_seen_by_one_alone()).violations)
