"""Reads evidence back as the engine's facts, in a connection and a snapshot of its own.

Which spans may touch a window of UTC is decided by a rough mapping with a wide margin: too many is right, too few
is not. The exact mapping is the engine's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import replace
from itertools import repeat

from detak_collector.clocks import Reading
from detak_collector.downtime.facts import ALIVE, Claim, Exchange, Facts, Node, Previous, Run, Settings, Span
from detak_collector.downtime.intervals import Intervals
from detak_collector.store.as_of import known_runs
from detak_collector.store.beside import stepped_beside, together, watched_beside
from detak_collector.store.database import Connection, Database
from detak_collector.store.disposed import whole_from
from detak_collector.store.flaws import contradicted, greatest, lost
from detak_collector.store.outlines import FOREVER, RunOutline, heard_utc, runs_of
from detak_collector.store.spans import Quiet, closed_spans, fact_of, missing
from detak_collector.store.unheard import unheard
from detak_collector.store.versions import furthest, span_versions
from detak_collector.store.watch import stepped, watched
from detak_wire import limits
from detak_wire.messages import CheckSettings, PreviousRun

MARGIN_MS = limits.SPAN_MS + 24 * 3_600_000
"""A span may begin this long before the window and still reach into it; a day of it is for the rough mapping."""


def facts(
    database: Database, begin_utc: int, end_utc: int, now: Reading, checks: Collection[str] | None, known_at: int | None
) -> Facts:
    """As EvidenceStore.facts says."""
    wanted = None if checks is None else _by_node(checks)
    at, known = (now, FOREVER) if known_at is None else (known_at, known_at)
    with database.reading() as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM node ORDER BY name")]
        nodes = {
            name: _node(connection, name, begin_utc, end_utc, at, None if wanted is None else wanted[name])
            for name in names
            if wanted is None or name in wanted
        }
        around = (begin_utc - MARGIN_MS, end_utc + MARGIN_MS)
        until = min(around[1], known)
        steps = {*stepped(connection, *around, known), *stepped_beside(connection, *around, known)}
        silences: Mapping[str, Intervals] = unheard(connection, begin_utc, at)
        both = together(connection, begin_utc, at.utc if isinstance(at, Reading) else at, silences)
        if both is not None:
            nodes = {name: replace(node, heard_utc=both.heard(name, node.heard_utc)) for name, node in nodes.items()}
            silences = both
        return Facts(
            nodes,
            watched(connection, around[0], until) | watched_beside(connection, around[0], until),
            tuple(sorted(steps)),
            unheard=silences,
            whole_from=whole_from(connection),
        )


def node_facts(database: Database, name: str, begin_utc: int, end_utc: int, now: Reading) -> Node:
    """As EvidenceStore.node_facts says."""
    with database.reading() as connection:
        return _node(connection, name, begin_utc, end_utc, now, None)


def _by_node(checks: Collection[str]) -> dict[str, frozenset[str]]:
    """The names of checks such as `node/check`, by node."""
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for check in checks:
        node, _, name = check.partition("/")
        wanted[node].add(name)
    return {node: frozenset(names) for node, names in wanted.items()}


def _node(
    connection: Connection,
    name: str,
    begin_utc: int,
    end_utc: int,
    at: Reading | int,
    wanted: frozenset[str] | None,
) -> Node:
    """`at` is now, or an earlier moment in UTC as of which it was known."""
    outlines, heard = _outlines(connection, name, at)
    touching = [at for at, run in enumerate(outlines) if _touches(run, begin_utc, end_utc)]
    # The run before and the run after bound the silence at the window's edges.
    before = sum(run.begin_utc < begin_utc for run in outlines)
    first, last = (touching[0], touching[-1]) if touching else (before, before - 1)
    kept = outlines[max(0, first - 1) : last + 2]
    successors = {run.opening.previous.run: run.opening.previous for run in outlines if run.opening.previous}
    runs = tuple(_run(connection, run, successors.get(run.run), begin_utc, end_utc, wanted) for run in kept)
    return Node(name, runs, heard_utc=heard)


def _outlines(connection: Connection, name: str, at: Reading | int) -> tuple[list[RunOutline], int | None]:
    """The node's runs, and when it had been heard last."""
    if isinstance(at, Reading):
        return runs_of(connection, name), heard_utc(connection, name, at)
    return known_runs(connection, name, at)


def _touches(run: RunOutline, begin_utc: int, end_utc: int) -> bool:
    return run.begin_utc - MARGIN_MS < end_utc and run.end_utc + MARGIN_MS > begin_utc


def _run(
    connection: Connection,
    run: RunOutline,
    told: PreviousRun | None,
    begin_utc: int,
    end_utc: int,
    wanted: frozenset[str] | None,
) -> Run:
    """`told` is what the run after this one says of its end."""
    window = (begin_utc - run.greatest_offset - MARGIN_MS, end_utc - run.least_offset + MARGIN_MS)
    opening = run.opening
    return Run(
        run=run.run,
        boot=opening.boot,
        opened=opening.opened_agent,
        init_started=opening.init_started_agent,
        tick_ms=opening.tick_ms,
        claim=Claim(opening.clock.agent, opening.clock.utc, opening.clock.error_ms),
        checks=tuple(map(_settings, opening.checks)),
        spans=_spans(connection, run, window, wanted),
        exchanges=_exchanges(connection, run, window),
        watchdog_ms=opening.watchdog_ms,
        previous=_previous(opening.previous) if opening.previous else None,
        stopped=told.stopped if run.stopped is None and told else run.stopped,
        stopped_at=told.stopped_agent if run.stopped is None and told else run.stopped_agent,
        complete_to=greatest(run.known),
        lost=lost(connection, run),
        contradicted=contradicted(connection, run),
        suspended_ms=opening.suspended_ms,
        generation=opening.virtual_machine_generation,
    )


def _settings(told: CheckSettings) -> Settings:
    return Settings(
        told.name, told.kind, told.interval_ms, told.timeout_ms, told.remote, told.confirm, told.target, told.digest
    )


def _previous(told: PreviousRun) -> Previous:
    return Previous(
        told.run, told.boot, told.last_tick, told.last_number, told.stopped, told.stopped_agent, told.slowest_stop_ms
    )


def _spans(
    connection: Connection, run: RunOutline, window: tuple[int, int], wanted: frozenset[str] | None
) -> tuple[Span, ...]:
    reach = {ALIVE: Settings(ALIVE, ALIVE, run.opening.tick_ms, 0).reach_ms} | {
        each.name: Settings(each.name, each.kind, each.interval_ms, each.timeout_ms).reach_ms
        for each in run.opening.checks
        if wanted is None or each.name in wanted
    }
    versions = span_versions(connection, run.sequence, run.known_at)
    # What is contradicted is told alone, as if records were missing on either side of it.
    apart = [*missing(run.known), *((number - 1, number + 1) for number in versions)]
    still_open = (fact_of(span) for span in run.open if span.check in reach)
    closed = closed_spans(connection, run.sequence, window, Quiet(reach, apart), run.known_at)
    spans = (furthest(span, versions.get(span.number, ())) for span in (*closed, *still_open))
    return tuple(sorted(spans, key=lambda span: span.number))


_EXCHANGES = """
    WITH RECURSIVE heard (collector) AS (
        SELECT min(collector) FROM exchange WHERE run = :run
        UNION ALL SELECT (SELECT min(collector) FROM exchange WHERE run = :run AND collector > heard.collector)
            FROM heard WHERE heard.collector IS NOT NULL)
    SELECT sent_agent, arrived_utc, answered_utc, received_agent
    FROM heard CROSS JOIN exchange ON run = :run AND exchange.collector = heard.collector
        AND sent_agent >= coalesce((SELECT max(sent_agent) FROM exchange AS earlier WHERE earlier.run = :run
            AND earlier.collector = heard.collector AND earlier.sent_agent < :from
            AND earlier.recorded_utc <= :known_at), :from)
        AND sent_agent <= coalesce((SELECT min(sent_agent) FROM exchange AS later WHERE later.run = :run
            AND later.collector = heard.collector AND later.sent_agent > :to
            AND later.recorded_utc <= :known_at), :to)
        AND recorded_utc <= :known_at
    ORDER BY number
"""
"""Those of the window, and of each collector the nearest on either side."""


def _exchanges(connection: Connection, run: RunOutline, window: tuple[int, int]) -> tuple[Exchange, ...]:
    bounds = {"run": run.sequence, "from": window[0], "to": window[1], "known_at": run.known_at}
    rows = connection.execute(_EXCHANGES, bounds)
    # As `Exchange._make` does, without a call of Python for each: a month of a thousand nodes has 700,000.
    return tuple(map(tuple.__new__, repeat(Exchange), rows))
