"""What a collector says once all evidence is there, read from its store and its report; and what a store lacks."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from detak_agent.journal_file import connect_read_only
from detak_collector.clocks import system_clock
from detak_collector.config import load
from detak_collector.downtime.case import Case
from detak_collector.downtime.derive import derive
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.intervals import union
from detak_collector.downtime.periods import Period
from detak_collector.downtime.triple import Triple
from detak_collector.rules import rules_in_force
from detak_wire.codec import decode
from detak_wire.messages import Span
from lab.host import NotDoneError
from lab.scores import Said, Shown
from lab.stage import Lab
from lab.things import NODES

MARGIN_MS = 3_600_000
EQUAL_WITHIN_S = 180.0


def said_by(lab: Lab, side: str, begin: int, end: int) -> tuple[Said, Facts]:
    """All of [begin, end), in UTC milliseconds."""
    config = load(lab.home(side) / "collector.toml")
    now = system_clock()()
    with closing(config.store.open_to_read(now, "it is looked at")) as store:
        rules = rules_in_force(config, store.entries)
        facts = store.evidence.facts(begin - MARGIN_MS, end + MARGIN_MS, now)
    case = Case(rules.catalogue, rules.zone, facts, (), now.utc)
    result = derive(case, Period("all", begin, end), beside=False)
    sets = {
        service.id: Triple(*(
            union(getattr(month.accounts[service.id].gross, name) for month in result.details)
            for name in ("certain", "counted", "possible")
        ))
        for service in rules.catalogue.services
    }  # fmt: skip
    told = json.loads(_report(lab, side, begin, end))["services"]
    return Said(sets, list(_listed(told)), {one["id"]: one["excluded_ms"]["planned"] for one in told}), facts


def _listed(services: list[dict[str, Any]]) -> Iterator[Shown]:
    for service in services:
        for one in service["outages"]:
            yield Shown(service["id"], _instant(one["from"]), _instant(one["to"]), one["shown_as"], one["cause"])


def differences(lab: Lab, begin: int, end: int) -> list[str]:
    """Lines in which the reports of the two collectors differ, once they have had time to become one."""
    deadline = time.monotonic() + EQUAL_WITHIN_S
    while True:
        as_of = time.time_ns() // 1_000_000 - 2_000
        ours, theirs = (_without_ledger(_report(lab, side, begin, end, as_of)) for side in ("dc", "drc"))
        if ours == theirs:
            return []
        if time.monotonic() > deadline:
            pairs = zip(ours.splitlines(), theirs.splitlines(), strict=False)
            return [f"{one.strip()} | {other.strip()}" for one, other in pairs if one != other] or ["in length"]
        time.sleep(5)


def lacking(lab: Lab, facts: Mapping[str, Facts]) -> list[str]:
    """The closed spans in an agent's journal that a store does not hold whole."""
    return [
        f"{side} lacks record {span.number} of run {run} of {node}: {span.check} {span.state}"
        for node in NODES
        for run, span in _journalled(lab.hosts[node].folder / "agent")
        for side, known in facts.items()
        if not _is_held(known, node, run, span)
    ]


def _journalled(state_directory: Path) -> Iterator[tuple[str, Span]]:
    with closing(connect_read_only(state_directory)) as journal:
        query = "SELECT run.run, body FROM record JOIN run ON run.id = record.run WHERE kind = 'span'"
        for run, body in journal.execute(query):
            yield run, decode(body, Span)


def _is_held(facts: Facts, node: str, run: str, span: Span) -> bool:
    known = facts.nodes.get(node)
    return known is not None and any(
        one.run == run
        and any(
            held.check == span.check and held.state == span.state and held.number <= span.number <= held.last
            and held.first_begin <= span.first_begin and span.last_begin <= held.last_begin
            for held in one.spans
        )
        for one in known.runs
    )  # fmt: skip


def _report(lab: Lab, side: str, begin: int, end: int, as_of: int | None = None) -> str:
    words = ["report", "--from", _words(begin), "--to", _words(end), "--format", "json"]
    return lab.says(side, *words, *(["--as-of", _words(as_of)] if as_of else []))


def _without_ledger(report: str) -> str:
    told = json.loads(report)
    if not told.pop("ledger"):
        raise NotDoneError("a report without the head of the ledger")
    return json.dumps(told, indent=1)


def _instant(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000)


def _words(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1_000))
