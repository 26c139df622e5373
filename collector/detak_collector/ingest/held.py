"""What is held of one run in memory: as the store keeps it, and small, since there are thousands of runs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from msgspec import Struct, msgpack, structs

from detak_collector.downtime.facts import ALIVE
from detak_collector.ingest.numbers import Ranges
from detak_collector.ingest.reach import NOTHING, Reach, unpacked
from detak_wire.messages import RunOpening, StopReason


class HeldSpan(Struct, frozen=True, array_like=True, gc=False):
    """One version of a span, compact: a node's open ones are written at every beat.

    `heard_utc` is when the first version of it arrived; None where that was not noted.
    """

    number: int
    check: str
    state: str
    first_begin: int
    first_end: int
    last_begin: int
    last_end: int
    samples: int
    largest_gap: int
    closed: bool = False
    message: str = ""
    marks: dict[str, str] = {}
    heard_utc: int | None = None


NOTHING_OPEN = b"\x90"
_pack = msgpack.Encoder().encode
_unpack = msgpack.Decoder(list[HeldSpan]).decode

OpenSpans = dict[int, HeldSpan]


class RunState(Struct, frozen=True):
    """What is held of one run. Never changed in place, so a commit that fails changes nothing.

    `begun` has the open spans as they began, `reach` how far each of them reaches by now: a quiet beat changes no more.
    Both are packed as the store keeps them: as objects the spans of ten thousand nodes would take ten times the memory.
    `held` numbers are stored as closed records, `lost` ones are named by gap records; `alive_reach` is the end of
    the last tick that is known, `alive` numbers the open spans of `alive`. `stopped_utc` is when the word of its stop
    arrived.
    """

    checks: frozenset[str]
    begun: bytes
    reach: bytes
    held: Ranges = ()
    lost: Ranges = ()
    alive_reach: int = -1
    alive: tuple[int, ...] = ()
    stopped: StopReason | None = None
    stopped_agent: int | None = None
    stopped_utc: int | None = None

    @property
    def has_open(self) -> bool:
        """Whether any span is open."""
        return self.begun != NOTHING_OPEN

    @property
    def open(self) -> OpenSpans:
        """The open spans as they began, by number."""
        return {span.number: span for span in begun_spans(self.begun)}

    def reached(self) -> OpenSpans:
        """The open spans as far as they reach by now."""
        reach = unpacked(self.reach)
        return {number: reaching(span, reach[number]) for number, span in self.open.items()}


def opened(opening: RunOpening) -> RunState:
    """The state of a run of which nothing but its opening is known."""
    return RunState(_checks(tuple(check.name for check in opening.checks)), NOTHING_OPEN, NOTHING)


@lru_cache(maxsize=128)
def _checks(names: tuple[str, ...]) -> frozenset[str]:
    """One set for all nodes that are set up alike: of what is held of a node it would be a good part."""
    return frozenset((ALIVE, *names))


def begun_spans(begun: bytes) -> list[HeldSpan]:
    """Open spans as they began, as the store keeps them."""
    return _unpack(begun)


def alive_among(spans: Iterable[HeldSpan]) -> tuple[int, ...]:
    """The numbers of those that are of `alive`."""
    return tuple(sorted(span.number for span in spans if span.check == ALIVE))


def reaching(span: HeldSpan, reach: Reach) -> HeldSpan:
    """The span, reaching so far."""
    return structs.replace(span, last_begin=reach[1], last_end=reach[2], samples=reach[3], largest_gap=reach[4])


def packed_begun(spans: Iterable[HeldSpan]) -> bytes:
    """As `begun_spans` reads them: each as it was with its first sample."""
    begun = (reaching(span, _beginning(span)) for span in spans)
    return _pack(sorted(begun, key=lambda span: span.number))


def _beginning(span: HeldSpan) -> Reach:
    """How far it reached with its first sample."""
    return (span.number, span.first_begin, span.first_end, 1, 0)
