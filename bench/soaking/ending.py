"""What both collectors hold and say once all is mended: whether anything is lost, altered, or told in two ways."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

from detak_agent.journal_file import connect_read_only
from detak_collector.clocks import system_clock
from detak_collector.config import load
from detak_collector.downtime.facts import Facts
from detak_collector.store.sqlite import open_to_read
from detak_wire.codec import decode
from detak_wire.messages import Span
from soaking.faults import restart
from soaking.judging import Ending
from soaking.promises import Promise, lacking, promise
from soaking.simulated import Simulated
from soaking.stand import SIDES, Stand

MARGIN_MS = 3_600_000
LAST_WORD_WITHIN_S = 180.0
DELIVERED_WITHIN_S = 300.0
EQUAL_WITHIN_S = 300.0
LOOK_AGAIN_S = 5.0
SETTLED_MS = 2_000
"""Reports are as of so long ago: what is on its way just now is in neither."""


def ending(stand: Stand, simulated: Simulated, begin_utc: int) -> Ending:
    """Both collectors are killed once more, every node has its last word, and then it is held against that."""
    for side in SIDES:
        stand.answers(side)
        restart(stand, side)
    silent = [] if simulated.finish(LAST_WORD_WITHIN_S) else ["some nodes cannot say their last word"]
    end_utc = now_ms()
    promised, lost = _lost(stand, simulated, begin_utc, end_utc)
    outages, differing = _differing(stand, begin_utc, end_utc)
    verified = {side: stand.tried(side, "verify") for side in SIDES}
    unclean = {side: f"{one.stdout}{one.stderr}" for side, one in verified.items() if one.returncode}
    stand.look_after()
    refused = [*simulated.refused, *silent]
    return Ending(lost, differing, unclean, refused, stand.flaws, list(_tracebacks(stand)), promised, outages)


def _tracebacks(stand: Stand) -> Iterator[str]:
    for name in (*SIDES, *stand.nodes):
        with stand.processes[name].log.open(errors="replace") as log:
            yield from (f"{name}.log, line {at}" for at, line in enumerate(log, 1) if line.startswith("Traceback "))


def now_ms() -> int:
    """UTC."""
    return time.time_ns() // 1_000_000


def _lost(stand: Stand, simulated: Simulated, begin_utc: int, end_utc: int) -> tuple[int, Sequence[str]]:
    """How much was promised, and what of it is lacking when all had time to deliver what they have."""
    deadline = time.monotonic() + DELIVERED_WITHIN_S
    while True:
        promises = {*simulated.promises(), *(one for node in stand.nodes for one in _journalled(stand, node))}
        lost = lacking(promises, {side: _facts(stand, side, begin_utc, end_utc) for side in SIDES})
        if not lost or time.monotonic() > deadline:
            return len(promises), lost
        time.sleep(LOOK_AGAIN_S)


def _journalled(stand: Stand, node: str) -> Iterator[Promise]:
    """The closed spans of an agent's journal: it keeps what was acknowledged, for days."""
    with closing(connect_read_only(stand.home(node) / "state")) as journal:
        query = "SELECT run.run, body FROM record JOIN run ON run.id = record.run WHERE kind = 'span'"
        for run, body in journal.execute(query):
            yield promise(node, run, decode(body, Span))


def _facts(stand: Stand, side: str, begin_utc: int, end_utc: int) -> Facts:
    config = load(stand.home(side) / "collector.toml")
    with closing(open_to_read(config.state_directory, "it is looked at")) as store:
        return store.evidence.facts(begin_utc - MARGIN_MS, end_utc + MARGIN_MS, system_clock()())


def _differing(stand: Stand, begin_utc: int, end_utc: int) -> tuple[int, list[str]]:
    """How many outages are told, and the lines in which the two reports differ once they had time to become one."""
    deadline = time.monotonic() + EQUAL_WITHIN_S
    while True:
        as_of = now_ms() - SETTLED_MS
        told = [_report(stand, side, begin_utc, end_utc, as_of) for side in SIDES]
        if told[0] == told[1] or time.monotonic() > deadline:
            outages = sum(len(service["outages"]) for service in told[0]["services"])
            return outages, _unequal_lines(*(json.dumps(one, indent=1).splitlines() for one in told))
        time.sleep(LOOK_AGAIN_S)


def _unequal_lines(ours: list[str], theirs: list[str]) -> list[str]:
    if len(ours) != len(theirs):
        return [f"{len(ours)} lines | {len(theirs)} lines"]
    return [f"{one.strip()} | {other.strip()}" for one, other in zip(ours, theirs, strict=True) if one != other]


def _report(stand: Stand, side: str, begin_utc: int, end_utc: int, as_of: int) -> dict[str, Any]:
    """Without the head of its own ledger: each chains what it recorded in an order of its own."""
    times = ("--from", _words(begin_utc), "--to", _words(end_utc), "--as-of", _words(as_of))
    told: dict[str, Any] = json.loads(stand.says(side, "report", *times, "--format", "json"))
    del told["ledger"]
    return told


def _words(at: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1_000))
