"""What the collector told its nodes that it keeps, read from the answers it wrote to its connections."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from detak_wire.codec import decode
from detak_wire.messages import Answer, Enrolled, Stored
from power_loss_calls import Sent, Step

Told = Answer | Enrolled


@dataclass(slots=True)
class Promise:
    """What was acknowledged of one run: its opening, closed records, and how far open spans are stored."""

    opened: bool = False
    closed: set[int] = field(default_factory=set)
    open: dict[int, int] = field(default_factory=dict)

    def add(self, stored: Stored) -> None:
        """A later acknowledgement; none takes an earlier one back."""
        self.opened = self.opened or stored.opened
        self.closed |= numbers_of(stored)
        for number, reach in stored.open.items():
            self.open[number] = max(reach, self.open.get(number, 0))


@dataclass(slots=True)
class Promises:
    """All that was acknowledged by a moment: keys by node, and by run."""

    keys: dict[str, str] = field(default_factory=dict)
    runs: dict[str, Promise] = field(default_factory=dict)

    def add(self, told: Told) -> None:
        """One answer."""
        if isinstance(told, Enrolled):
            self.keys[told.node] = told.key
            return
        for run, stored in told.stored.items():
            self.runs.setdefault(run, Promise()).add(stored)

    def records(self) -> int:
        """How many closed records."""
        return sum(len(one.closed) for one in self.runs.values())


def numbers_of(stored: Stored) -> set[int]:
    """The closed records that it says are stored."""
    ranges: Iterable[tuple[int, int]] = [(1, stored.mark), *stored.ranges]
    return {number for begin, end in ranges for number in range(begin, end + 1)}


def told_by(steps: Sequence[Step]) -> dict[int, list[Told]]:
    """By the index of the step at which their last bytes left: the answers that acknowledge something."""
    streams: dict[str, bytearray] = {}
    told: dict[int, list[Told]] = {}
    for index, step in enumerate(steps):
        if isinstance(step.call, Sent) and not step.ends:
            stream = streams.setdefault(step.call.connection, bytearray())
            stream += step.call.data
            answers = [one for head, body in _answers(stream) if (one := _told(head, body)) is not None]
            if answers:
                told[index] = answers
    return told


def _answers(stream: bytearray) -> Iterator[tuple[bytes, bytes]]:
    """Takes the whole answers from a stream: head and body."""
    while (end := stream.find(b"\r\n\r\n")) >= 0:
        head = bytes(stream[:end]).lower()
        length = head.partition(b"content-length:")[2].partition(b"\r\n")[0]
        if not length and b" 304 " not in head:
            raise ValueError(f"an answer without a length: {head[:200]!r}")
        whole = end + 4 + int(length or 0)
        if len(stream) < whole:
            return
        body = bytes(stream[end + 4 : whole])
        del stream[:whole]
        yield head, body


def _told(head: bytes, body: bytes) -> Told | None:
    if not head.startswith(b"http/1.1 200") or b"application/json" not in head:
        return None
    if b'"stored"' in body:
        return decode(body, Answer)
    return decode(body, Enrolled) if b'"key"' in body else None
