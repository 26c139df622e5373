"""facts.ndjson: what checks saw, stated in absolute time, one fact a line. Millions of lines take seconds.

A line is right exactly if it decodes as `_Line`; only where it does not is it read again, slowly, to say why.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import IO, Annotated, get_args

import msgspec

from detak_collector.catalogue.moments import MILLISECOND, instant
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.table import Table
from detak_collector.catalogue.values import flag, name, one_of
from detak_collector.downtime.facts import Node, Stated
from detak_collector.downtime.periods import EPOCH
from detak_wire import limits
from detak_wire.messages import Message, Name, State

LINE_BYTES = 64 * 1024
PROBLEMS_TOLD = 20

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    node: Name
    check: Name
    state: State
    first: Moment
    last: Moment
    remote: bool | None = False
    message: Message | None = ""


def read_facts(stream: IO[bytes], top: Place) -> dict[str, Node]:
    """Every node's facts in the order of the file. Of what is wrong the first problems are noted and counted."""
    reader = _Reader(top)
    for number, line in enumerate(_lines(stream), start=1):
        reader.take(number, line)
    if reader.untold:
        top.say(f"and {reader.untold} more lines with problems")
    return {node: Node(node, stated=tuple(facts)) for node, facts in reader.by_node.items()}


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The lines; one that is too long comes cut, as the last."""
    while line := stream.readline(LINE_BYTES + 1):
        yield line
        if len(line) > LINE_BYTES:
            return


class _Reader:
    """Collects facts by node, keeping each name and message in memory once."""

    def __init__(self, top: Place) -> None:
        self.by_node: dict[str, list[Stated]] = {}
        self.untold = 0
        self._top = top
        self._told = 0
        self._once = dict[str, str]().setdefault
        self._decode = msgspec.json.Decoder(_Line).decode

    def take(self, number: int, line: bytes) -> None:
        """One line, with its number for messages."""
        if len(line) > LINE_BYTES:
            self._refuse(number, line, "too long")
            return
        if line.isspace():
            return
        try:
            fact = self._decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            self._refuse(number, line, str(error))
            return
        first, last = (fact.first - EPOCH) // MILLISECOND, (fact.last - EPOCH) // MILLISECOND
        if not 0 <= first <= last or fact.first.microsecond % 1000 or fact.last.microsecond % 1000:
            self._refuse(number, line, "impossible times")
            return
        check, message = self._once(fact.check, fact.check), fact.message or ""
        stated = Stated(check, fact.state, first, last, bool(fact.remote), self._once(message, message))
        self.by_node.setdefault(fact.node, []).append(stated)

    def _refuse(self, number: int, line: bytes, why: str) -> None:
        if self._told == PROBLEMS_TOLD:
            self.untold += 1
            return
        self._told += 1
        place = Place(f"{self._top.file}:{number}", self._top.lines)
        before = len(place.lines)
        _explain(line, place)
        if len(place.lines) == before:
            place.say(why)


def _explain(line: bytes, place: Place) -> None:
    """Note what is wrong with a line."""
    if len(line) > LINE_BYTES:
        place.say(f"longer than {LINE_BYTES} bytes; nothing after it was read")
        return
    try:
        record = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        place.say(f"not JSON: {error}")
        return
    if not isinstance(record, dict):
        place.refuse("a JSON object", record)
        return
    entry = Table(record, place)
    entry.required("node", name)
    entry.required("check", name)
    entry.required("state", one_of(get_args(State)))
    first, last = entry.required("first", instant), entry.required("last", instant)
    if first is not None and last is not None and first > last:
        place.key("last").refuse("not earlier than first", record["last"])
    entry.optional("remote", flag)
    entry.optional("message", _message)
    entry.finish()


def _message(value: object, place: Place) -> None:
    if not isinstance(value, str) or len(value) > limits.MESSAGE_CHARACTERS:
        place.refuse(f"a text of at most {limits.MESSAGE_CHARACTERS} characters", value)
