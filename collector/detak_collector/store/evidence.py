"""Commits evidence: every message of a batch folded into what is held, then one durable transaction.

All that may still grow is kept in memory as it is in the database, so a quiet beat reads nothing and writes one row.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec
from msgspec import structs

from detak_collector.clocks import Reading
from detak_collector.downtime.facts import Facts, Node
from detak_collector.ingest.held import RunState, opened
from detak_collector.ingest.merge import Lookup, merge, merge_quiet
from detak_collector.ingest.numbers import beyond_mark, mark, united
from detak_collector.ingest.reach import last_begins
from detak_collector.ingest.validation import InvalidRecordError
from detak_collector.ingest.versions import versions_apart
from detak_collector.store import as_of, records, unheard
from detak_collector.store import facts as fact_rows
from detak_collector.store import runs as run_rows
from detak_collector.store.base import Arrival, Receipt
from detak_collector.store.batch import Message, Pending
from detak_collector.store.database import Database
from detak_collector.store.memory import Memory
from detak_collector.store.records import NewRecord
from detak_collector.store.runs import KnownRun
from detak_wire import limits
from detak_wire.messages import Evidence, Part, RunOpening, Stored

_json = msgspec.json.Encoder(order="sorted").encode


class SqlEvidence:
    """The evidence store in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection = database.connect()
        self._memory = Memory(database, self._connection)

    def close(self) -> None:
        """Gives the database back."""
        self._connection.close()

    def commit(self, arrivals: Sequence[Arrival]) -> list[Receipt | InvalidRecordError]:
        """As the seam says."""
        try:
            with self._connection.transaction():
                pending = self._memory.begun(arrivals)
                outcomes = [self._take(arrival, pending) for arrival in arrivals]
                self._write(pending)
        except BaseException:
            self._memory.texts.forget()
            raise
        self._memory.adopt(pending)
        return outcomes

    def news_elsewhere(self) -> bool:
        """As the seam says."""
        return self._memory.news_elsewhere()

    def heard(self, now: Reading) -> dict[str, int]:
        """As the seam says."""
        return self._memory.heard(now)

    def node_facts(self, name: str, begin_utc: int, end_utc: int, now: Reading) -> Node:
        """As the seam says."""
        return fact_rows.node_facts(self._database, name, begin_utc, end_utc, now)

    def facts(
        self,
        begin_utc: int,
        end_utc: int,
        now: Reading,
        checks: Collection[str] | None = None,
        *,
        known_at: int | None = None,
    ) -> Facts:
        """As the seam says."""
        return fact_rows.facts(self._database, begin_utc, end_utc, now, checks, known_at)

    def known_since(self) -> int | None:
        """As the seam says."""
        return as_of.known_since(self._database)

    def recorded(self, begin_utc: int, end_utc: int, since: int, until: int) -> dict[str, int]:
        """As the seam says."""
        return as_of.recorded(self._database, begin_utc, end_utc, since, until)

    def _take(self, arrival: Arrival, pending: Pending) -> Receipt | InvalidRecordError:
        node = self._memory.node(arrival.node)
        quiet = self._take_quiet(arrival, node, pending)
        if quiet is not None:
            return quiet
        message = Message(arrival, node)
        try:
            for part in arrival.evidence.parts:
                self._take_part(part, message, pending)
            for part in arrival.versions:
                self._keep_apart(part, message, pending)
        except InvalidRecordError as error:
            return error
        self._take_stop(message, pending)
        self._supersede(message, pending)
        self._accept(message, pending)
        return Receipt(self._stored(message, pending), message.heard, message.news)

    def _take_quiet(self, arrival: Arrival, node: int, pending: Pending) -> Receipt | None:
        """What most messages are, told without all that others need: a run that speaks in time, and only grows."""
        evidence = arrival.evidence
        key = (node, evidence.run)
        known = pending.runs.get(key) or self._memory.live.get(key)
        if known is None or evidence.stopping is not None or len(evidence.parts) != 1 or arrival.relayed:
            return None
        merged = merge_quiet(known.state, evidence.parts[0], evidence)
        if merged is None or (merged.alive_grew and known.is_overdue(arrival.at)):
            return None
        heard = merged.alive_grew and known.current
        known = pending.runs[key] = self._grown(known, merged.state, arrival if heard else None)
        return Receipt({evidence.run: _holding(known)}, heard, merged.news)

    def _take_part(self, part: Part, message: Message, pending: Pending) -> None:
        known = self._run(part.run, message, pending)
        if part.opening is not None:
            known = self._open(part, known, message)
        if known is None:
            return
        current = part.run == message.arrival.evidence.run and not message.arrival.relayed
        lookup = self._lookup(known.sequence, pending)
        merged = merge(known.state, part, message.arrival.evidence.sent_agent, lookup, pending.now.utc)
        heard = merged.alive_grew and current and known.current
        message.runs[part.run] = self._grown(known, merged.state, message.arrival if heard else None)
        message.closed += [(part.run, record) for record in merged.closed]
        message.conflicts += [(part.run, record) for record in merged.conflicts]
        message.heard = message.heard or heard
        message.news = message.news or merged.news

    def _lookup(self, run: int, pending: Pending) -> Lookup:
        """Finds closed records of a run."""
        return lambda number: pending.closed.get((run, number)) or records.find(self._connection, run, number)

    def _keep_apart(self, part: Part, message: Message, pending: Pending) -> None:
        """What contradicts a record at another collector is flagged here too, whichever of them stands here."""
        known = self._run(part.run, message, pending)
        if known is None:
            return
        message.runs[part.run] = known
        if part.opening is not None:
            self._open(part, known, message)
        versions = versions_apart(known.state, part, self._lookup(known.sequence, pending))
        message.conflicts += [(part.run, one) for one in versions]
        message.news = message.news or bool(message.conflicts)

    def _grown(self, known: KnownRun, state: RunState, heard: Arrival | None) -> KnownRun:
        if heard is None:
            return structs.replace(known, state=state)
        at, agent = heard.at, heard.evidence.sent_agent
        return KnownRun(known.sequence, known.node, known.run, known.current, state, known.beat_ms, at, agent)

    def _open(self, part: Part, known: KnownRun | None, message: Message) -> KnownRun:
        """The run with its opening, which is record 0: the first one stands, another one is kept apart."""
        assert part.opening is not None
        if known is None:
            message.openings[part.run] = part.opening
            message.news = True
            current = not self._has_successor(message, part.run)
            return KnownRun(0, message.node, part.run, current, opened(part.opening), part.opening.beat_ms)
        first = message.openings.get(part.run) or self._opening(known)
        if first != part.opening:
            message.other_openings.append((part.run, part.opening))
            message.news = True
        return known

    def _take_stop(self, message: Message, pending: Pending) -> None:
        evidence = message.arrival.evidence
        known = self._run(evidence.run, message, pending)
        if evidence.stopping is None or known is None or known.state.stopped is not None:
            return
        state = structs.replace(
            known.state,
            stopped=evidence.stopping,
            stopped_agent=evidence.stopping_agent,
            stopped_utc=pending.now.utc,
        )
        message.runs[evidence.run] = structs.replace(known, state=state)
        message.news = True

    def _supersede(self, message: Message, pending: Pending) -> None:
        """A run that another one names as its predecessor no longer speaks for its node."""
        for opening in message.openings.values():
            previous = opening.previous and self._run(opening.previous.run, message, pending)
            if previous:
                message.runs[previous.run] = structs.replace(previous, current=False)

    def _has_successor(self, message: Message, run: str) -> bool:
        """Whether the run that follows `run` was opened before it: backlog comes after what is new."""
        if any(opening.previous and opening.previous.run == run for opening in message.openings.values()):
            return True
        query = "SELECT 1 FROM run WHERE node = ? AND previous = ?"
        return self._connection.execute(query, (message.node, run)).fetchone() is not None

    def _end_silence(self, message: Message, pending: Pending) -> None:
        """The node speaks: how far its runs had reached is kept where it missed a beat, or speaks in a new run."""
        speaking = self._before(message.node, message.arrival.evidence.run, pending)
        if speaking is not None and not speaking.is_overdue(message.arrival.at):
            return
        self._memory.look_at(message.node)
        names = self._connection.execute("SELECT run FROM run WHERE node = ?", (message.node,))
        runs = [known for (run,) in names if (known := self._before(message.node, run, pending)) is not None]
        unheard.keep(self._connection, message.node, runs, pending.now.utc)

    def _before(self, node: int, run: str, pending: Pending) -> KnownRun | None:
        """A run that may still grow, as it was before this message."""
        return pending.runs.get((node, run)) or self._memory.live.get((node, run))

    def _accept(self, message: Message, pending: Pending) -> None:
        if message.heard:
            self._end_silence(message, pending)
        for run, opening in message.openings.items():
            sequence = self._write_run(message, run, opening, pending)
            message.runs[run] = structs.replace(message.runs[run], sequence=sequence)
        for run, known in message.runs.items():
            pending.runs[message.node, run] = known
        for run, record in message.closed:
            sequence = message.runs[run].sequence
            pending.records.append(NewRecord(pending.next_sequence(), sequence, record))
            pending.closed[sequence, record.number] = record
        for run, record in message.conflicts:
            sequence = message.runs[run].sequence
            pending.records.append(NewRecord(pending.next_sequence(), sequence, record, conflicting=True))
        for run, opening in message.other_openings:
            sequence, at = message.runs[run].sequence, pending.next_sequence()
            records.write_conflict(self._connection, at, sequence, opening, pending.now.utc)

    def _write_run(self, message: Message, run: str, opening: RunOpening, pending: Pending) -> int:
        """Written at once and not with the batch's records, since those refer to it."""
        evidence: Evidence = message.arrival.evidence
        sequence = pending.next_sequence()
        self._connection.execute(
            "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (
                sequence,
                message.node,
                run,
                opening.boot,
                opening.previous and opening.previous.run,
                _json(opening).decode(),
                evidence.sent_agent if evidence.run == run and not message.arrival.relayed else None,
                message.arrival.at.utc,
            ),
        )
        return sequence

    def _write(self, pending: Pending) -> None:
        runs = pending.runs
        changed = [known for key, known in runs.items() if _opens_or_closes(self._memory.live.get(key), known)]
        if changed:
            run_rows.save_open(self._connection, changed, pending.next_sequence())
        with self._connection.together():
            run_rows.save_reach(self._connection, self._memory.texts, runs.values())
            records.write(self._connection, self._memory.texts, pending.records, pending.now.utc)

    def _stored(self, message: Message, pending: Pending) -> dict[str, Stored]:
        named = dict.fromkeys((message.arrival.evidence.run, *(part.run for part in message.arrival.evidence.parts)))
        return {run: _holding(self._run(run, message, pending)) for run in named}

    def _run(self, run: str, message: Message, pending: Pending) -> KnownRun | None:
        key = (message.node, run)
        known = message.runs.get(run) or pending.runs.get(key) or self._memory.live.get(key)
        return known or run_rows.load_one(self._connection, self._memory.texts, message.node, run)

    def _opening(self, known: KnownRun) -> RunOpening:
        row = self._connection.execute("SELECT opening FROM run WHERE sequence = ?", (known.sequence,)).fetchone()
        return msgspec.json.decode(row[0], type=RunOpening)


def _opens_or_closes(before: KnownRun | None, after: KnownRun) -> bool:
    """Whether more has changed than how far the open spans reach."""
    if before is None or before.current != after.current:
        return True
    was, now = before.state, after.state
    same_records = was.held is now.held and was.lost is now.lost and was.begun is now.begun
    return not same_records or was.stopped != now.stopped


def _holding(known: KnownRun | None) -> Stored:
    if known is None:
        return Stored(opened=False, mark=0)
    state = known.state
    ranges = united((*state.held, *state.lost)) if state.lost else state.held
    begins = last_begins(state.reach)
    return Stored(True, mark(ranges), list(beyond_mark(ranges)[: limits.RANGES]), begins)  # noqa: FBT003 - every beat's
