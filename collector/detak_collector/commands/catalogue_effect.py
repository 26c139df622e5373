"""What another catalogue would make of this year's figure, printed side by side."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from detak_collector.clocks import Reading
from detak_collector.decisions.log import DecisionLog
from detak_collector.deriving.catalogue_effect import Evidence, Share, effect_of
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import percent_text
from detak_collector.rules import Rules
from detak_collector.store.parts import Store

MOST_ROWS = 40


def print_effect(store: Store, rules: Rules, other: Catalogue, now: Reading, console: Console) -> None:
    """This year's figure so far, and each service's part in it, now and by the other catalogue."""
    evidence = Evidence(store.evidence, store.derived, store.registry)
    effect = effect_of(evidence, DecisionLog(store).over(rules, now.utc), other, now)
    if effect.unknown:
        console.print(f"What that does to this year's figure cannot be known: {effect.unknown}")
        return
    table = Table(f"{effect.year} so far", "now", "downtime", "then", "downtime", box=None, pad_edge=False)
    table.add_row("the figure", *_cells(effect.before), *_cells(effect.after))
    for one in effect.services[:MOST_ROWS]:
        table.add_row(f"  {one.service}", *_cells(one.before), *_cells(one.after))
    console.print(table)
    if len(effect.services) > MOST_ROWS:
        console.print(f"and {len(effect.services) - MOST_ROWS} more services")


def _cells(one: Share | None) -> tuple[str, str]:
    if one is None:
        return "-", "-"
    counted = "" if one.in_figure else " (not in the figure)"
    return f"{percent_text(one.percent)}{counted}", clock_text(one.counted_ms)
