"""A fleet in words and cells, and as JSON: what `detak-collector nodes` prints. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from detak_collector.commands.nodes import length_told
from detak_collector.fleet.standing import INVITED, Fleet, Invited, Standing
from detak_collector.report.numbers import iso_utc
from detak_collector.store.base import NodeRow

HEADINGS = ("node", "state", "last heard", "late", "site", "key", "agent", "checks")
SHOWN = 20
FEW = 5
"""Where there are no more nodes than that, nobody needs them counted."""


def rows_of(found: Fleet, states: Collection[str], now_utc: int) -> list[tuple[str, ...]]:
    """The cells of each node, in these states or, without any, in all."""
    nodes = [_cells(one, now_utc) for one in found.nodes if not states or one.state in states]
    invited = [_invited(one, now_utc) for one in found.invited() if not states or INVITED in states]
    return sorted([*nodes, *invited])


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """The rows as lines with their columns below each other: rich takes two milliseconds for each."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    padded = ((cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return ["  ".join(cells).rstrip() for cells in padded]


def notes_of(found: Fleet, now_utc: int) -> Iterator[str]:
    """What is to be said of all of them: sums, shared tokens that wait, nodes that only the catalogue knows."""
    states, versions = found.counted(), found.versions()
    if len(found.nodes) > FEW:
        yield f"{sum(number for _, number in states)} nodes: {_counted(states)}."
    if len(versions) > 1:
        yield f"Agents: {_counted(versions, ' of version ')}."
    for one in found.awaited:
        if one.node is None:
            yield f"A token lets in {one.left} more new nodes, for {_ahead(one, now_utc)}."
    if found.unknown:
        more = f" and {len(found.unknown) - SHOWN} more" if len(found.unknown) > SHOWN else ""
        yield f"services.toml names nodes that never enrolled: {', '.join(found.unknown[:SHOWN])}{more}."


def plain(found: Fleet, states: Collection[str], unwatched: str) -> dict[str, Any]:
    """For programs. `unwatched` says why what follows is only what was last known; empty where it is of now."""
    return {
        "unwatched": unwatched,
        "nodes": [_plain(one) for one in found.nodes if not states or one.state in states],
        "invited": [{"node": one.node, "left": one.left, "expires": iso_utc(one.expires_utc)} for one in found.awaited],
        "never_enrolled": list(found.unknown),
    }


def _plain(one: Standing) -> dict[str, Any]:
    row = one.row
    return {
        "node": row.name,
        "state": one.state,
        "bad_news": one.is_bad,
        "site": one.site or None,
        "last_heard": None if row.heard_utc is None else iso_utc(row.heard_utc),
        "late_records": one.late,
        "key_issued": None if row.issued_utc is None or not row.enrolled else iso_utc(row.issued_utc),
        "agent_version": row.agent_version or None,
        "checks": row.states,
        "contradictions": row.conflicts,
    }


def _cells(one: Standing, now_utc: int) -> tuple[str, ...]:
    row = one.row
    heard = "-" if row.heard_utc is None else f"{length_told(max(0, now_utc - row.heard_utc))} ago"
    late = str(one.late) if one.late else "-"
    return (
        row.name,
        one.state,
        heard,
        late,
        one.site or "-",
        _key(row, now_utc),
        row.agent_version or "-",
        _checks(row),
    )


def _invited(one: Invited, now_utc: int) -> tuple[str, ...]:
    return (one.node or "", INVITED, "-", "-", "-", f"token for {_ahead(one, now_utc)}", "-", "-")


def _ahead(one: Invited, now_utc: int) -> str:
    return length_told(max(0, one.expires_utc - now_utc))


def _key(row: NodeRow, now_utc: int) -> str:
    """How old its key is."""
    is_there = row.enrolled and row.issued_utc is not None
    return f"{length_told(max(0, now_utc - (row.issued_utc or 0)))} old" if is_there else "-"


def _checks(row: NodeRow) -> str:
    """How many are in each state, and by name those that are not up."""
    counted = Counter(row.states.values())
    told = [f"{number} {state}" for state, number in sorted(counted.items(), key=lambda item: item[0] != "up")]
    named = [check for check, state in row.states.items() if state != "up"]
    text = ", ".join(told) + (f": {', '.join(named)}" if named else "")
    return f"{text} ({row.conflicts} contradictions)" if row.conflicts else text or "-"


def _counted(counted: list[tuple[str, int]], of: str = " ") -> str:
    return ", ".join(f"{number}{of}{what}" for what, number in counted)
