"""The beats of simulated nodes, byte for byte as real agents send them: made by the wire's own encoder and packing.

A node has twenty checks, sampled every five seconds, and `alive`, ticking each second. Most beats are quiet; a point
of metrics travels with every twelfth, and one beat in two hundred brings a change of state, the next one the clock
exchange that follows it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from detak_wire import PROTOCOL_VERSION, codec
from detak_wire.messages import (
    CheckSettings,
    ClockClaim,
    Evidence,
    Exchange,
    Growth,
    Metrics,
    Part,
    RunOpening,
    Span,
    State,
)

CHECKS = 20
BEAT_MS = 5_000
METRICS_EVERY = 12
CHANGE_EVERY = 200
GZIP_ABOVE_BYTES = 1_024
"""As the agent does it."""

FIRST_AGENT = 100_000_000
OFFSET = time.time_ns() // 1_000_000 - FIRST_AGENT
"""UTC less agent time: the runs open now."""

BOOT = "a3bf4f1b2b0b822cd15d6c15b0f00a08"
COLLECTOR = "2c26b46b68ffc68f"
NAMES = ("alive", *(f"check-{at:02}" for at in range(CHECKS)))
TURNING = 5
"""The place in NAMES of the check that changes its state."""

MODEL_NODE = "model-node"
MODEL_RUN = "0123456789abcdef0123456789abcdef"
"""Stand in a beat that is encoded once for all nodes, and are replaced by each node's own."""

_TICK_MS = 1_000
_TOOK_MS = 12


def node_name(at: int) -> str:
    """The name of one of the simulated nodes."""
    return f"node-{at:05}"


def run_of(at: int) -> str:
    """The identity of its agent's run."""
    return f"{at:032x}"


class Turns(NamedTuple):
    """The changes of the check that turns: how many before a beat, the beat of the last one, how many with the beat."""

    before: int
    since: int
    now: int


@dataclass(slots=True)
class Node:
    """One agent's side: what it will say next. Nodes turn, and send their metrics, at beats of their own."""

    at: int
    key: str
    beats: int = 0
    changes: int = 0
    turned: int = 0
    owes_exchange: bool = False

    def first(self) -> bytes:
        """The whole request that opens its run: the settings of all checks, and every span whole.

        One check has turned already: of a check that had no span before, the next one would bear on all time.
        """
        self.beats = 2
        self._turned(1, 1)
        return self._request(_first())

    def next(self) -> bytes:
        """The whole request of its next beat."""
        at, self.beats = self.beats, self.beats + 1
        turns = (at + self.at) % CHANGE_EVERY == 0 and at > self.turned + 1
        points = int((at + self.at) % METRICS_EVERY == 0)
        body = _beat(at, Turns(self.changes, self.turned, int(turns)), self.owes_exchange, points)
        self._turned(at, int(turns))
        return self._request(body)

    def after_outage(self, beats: int, changes: int, points: int) -> bytes:
        """The request with which it comes back after so many beats that reached nobody."""
        self.beats += beats
        at, self.beats = self.beats, self.beats + 1
        body = _beat(at, Turns(self.changes, self.turned, changes), False, points)  # noqa: FBT003 - none was made
        self._turned(at, changes)
        return self._request(body)

    def _turned(self, at: int, changes: int) -> None:
        self.owes_exchange = changes > 0
        if changes:
            self.changes, self.turned = self.changes + changes, at

    def _request(self, model: bytes) -> bytes:
        body = model.replace(MODEL_NODE.encode(), node_name(self.at).encode())
        body = body.replace(MODEL_RUN.encode(), run_of(self.at).encode())
        coding = ""
        if len(body) > GZIP_ABOVE_BYTES:
            body = codec.compress(body)
            coding = "Content-Encoding: gzip\r\n"
        head = (
            f"POST /api/v1/evidence HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nContent-Length: {len(body)}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: application/json\r\n{coding}\r\n"
        )
        return head.encode() + body


def sent_agent(beat: int) -> int:
    """The agent time of a beat."""
    return FIRST_AGENT + beat * BEAT_MS


def _interval_ms(place: int) -> int:
    return _TICK_MS if NAMES[place] == "alive" else BEAT_MS


def _ago_ms(place: int) -> int:
    """How long before a beat the last sample of a check began: they are spread over their interval."""
    return _TOOK_MS + 1 + place * 229 % _interval_ms(place)


def _samples(place: int, beats: int) -> int:
    return 1 + beats * BEAT_MS // _interval_ms(place)


def _number(place: int, changes: int) -> int:
    """The number of a check's open span; each change takes one number for a span and one for an exchange."""
    return place + 1 if place != TURNING or not changes else len(NAMES) + 2 * changes - 1


def _state(changes: int) -> State:
    return "down" if changes % 2 else "up"


def _span(place: int, number: int, begun: int, beat: int, state: State = "up", *, closed: bool = False) -> Span:
    """A span that began with beat `begun` and reaches to beat `beat`."""
    first, last = sent_agent(begun) - _ago_ms(place), sent_agent(beat) - _ago_ms(place)
    message = "connection refused by 10.20.30.40:5432" if state == "down" else ""
    gap = _interval_ms(place) if beat > begun else 0
    return Span(
        number, NAMES[place], state, first, first + _TOOK_MS, last, last + _TOOK_MS,
        _samples(place, beat - begun), gap, closed, message,
    )  # fmt: skip


def _exchange(number: int, beat: int) -> Exchange:
    sent = sent_agent(beat)
    return Exchange(number, COLLECTOR, sent, OFFSET + sent, OFFSET + sent + 2, sent + 7)


def _growths(beat: int, turns: Turns) -> list[Growth]:
    """One for each open span but those that turn with this beat."""
    return [
        Growth(
            _number(place, turns.before), _ago_ms(place), _ago_ms(place) - _TOOK_MS,
            _samples(place, beat - (turns.since if place == TURNING else 0)), _interval_ms(place),
        )
        for place in range(len(NAMES))
        if place != TURNING or not turns.now
    ]  # fmt: skip


def _turning(beat: int, turns: Turns) -> list[Span]:
    """The span that ends, those between it and the last change one beat each, and the one that begins."""
    if not turns.now:
        return []
    begins = [turns.since, *range(beat - turns.now + 1, beat + 1)]
    ends = [begin - 1 for begin in begins[1:]]
    closed = [
        _span(TURNING, _number(TURNING, turns.before + at), begin, end, _state(turns.before + at), closed=True)
        for at, (begin, end) in enumerate(zip(begins, ends, strict=False))
    ]
    last = turns.before + turns.now
    return [*closed, _span(TURNING, _number(TURNING, last), beat, beat, _state(last))]


def _evidence(beat: int, part: Part, metrics: list[Metrics]) -> bytes:
    return codec.encode(
        Evidence(
            PROTOCOL_VERSION, MODEL_NODE, MODEL_RUN, sent_agent(beat), [part], oldest={MODEL_RUN: 1}, metrics=metrics
        )
    )


def metrics_at(beat: int) -> Metrics:
    """What a node with four filesystems, two disks and two networks says of itself each minute."""
    mounts = ("/", "/boot", "/var", "/srv")
    busy = 1 + beat * 37 % 41 / 7
    return Metrics(
        sent_agent(beat) - 400, 60_000, 3.1 * busy, 0.4, 0.0, 0.62 * busy, 41.3 + busy, 0.8,
        dict.fromkeys(mounts, 37.25 + busy), dict.fromkeys(mounts, 4.81),
        {"sda": 18_432.0 * busy, "sdb": 0.0}, {"sda": 91_340.7 * busy, "sdb": 4_096.2}, {"sda": 2.13, "sdb": 0.04},
        {"eth0": 48_210.3 * busy, "eth1": 1_204.9}, {"eth0": 92_511.8 * busy, "eth1": 880.4},
        {"eth0": 0.0, "eth1": 0.0}, dict.fromkeys(NAMES[1:], (1.92 * busy, 8.41 * busy)), 23_470_080.0, 2_097_152.0,
    )  # fmt: skip


@lru_cache(maxsize=1)
def _first() -> bytes:
    checks = [
        CheckSettings(name, "http", BEAT_MS, 4_000, remote=True, target="https://10.20.30.40/", digest="0" * 32)
        for name in NAMES[1:]
    ]
    clock = ClockClaim(FIRST_AGENT - 1_000, OFFSET + FIRST_AGENT - 1_000, 4)
    opening = RunOpening(BOOT, FIRST_AGENT - 1_000, 900, "0.1.0", _TICK_MS, BEAT_MS, checks, clock, watchdog_ms=30_000)
    spans = [_span(place, place + 1, 0, 1) for place in range(len(NAMES)) if place != TURNING]
    return _evidence(1, Part(MODEL_RUN, opening, [*spans, *_turning(1, Turns(0, 0, 1))]), [])


@lru_cache(maxsize=8_192)
def _beat(beat: int, turns: Turns, exchange: bool, points: int) -> bytes:  # noqa: FBT001 - a cache's key
    exchanges = [_exchange(len(NAMES) + 2 * turns.before, beat - 1)] if exchange else []
    metrics = [metrics_at(beat - METRICS_EVERY * ago) for ago in reversed(range(points))]
    return _evidence(beat, Part(MODEL_RUN, None, _turning(beat, turns), _growths(beat, turns), exchanges), metrics)
