"""A season of two nodes' evidence, cut into messages that arrive when they arrive: at once, or weeks late. Seeded."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from msgspec.structs import replace

from detak_collector.store.base import Arrival
from detak_wire.messages import Exchange, Part, PreviousRun, RunOpening, Span, State
from evidence_builders import START_UTC, arrival, beat, exchange, opening, reading, span

SECOND = 1_000
HOUR = 3_600 * SECOND
DAY = 24 * HOUR
NODES = ("db-01", "db-02")
CHECKS = ("alive", "web", "pg")
SEASON = 75 * DAY


@dataclass(slots=True)
class Life:
    """One run of an agent: all the records it will ever make."""

    run: str
    opening: RunOpening
    spans: list[Span] = field(default_factory=list)
    exchanges: list[Exchange] = field(default_factory=list)


def deliveries(random: Random) -> list[Arrival]:
    """Every message of both nodes in the order in which they arrive."""
    found = [message for node in NODES for message in _of_node(node, random)]
    return sorted(found, key=lambda one: one.at.boottime)


def _of_node(node: str, random: Random) -> Iterator[Arrival]:
    late_from, late_until = sorted(random.randrange(SEASON) for _ in range(2))
    for life in _lives(random):
        opened = life.opening.opened_agent
        yield _message(
            node, life.run, Part(life.run, life.opening), max(opened + SECOND, _due(opened, late_from, late_until))
        )
        for record in life.spans:
            sent = max(record.last_end + SECOND, _due(record.last_end, late_from, late_until)) + random.randrange(
                SECOND
            )
            yield _message(node, life.run, Part(life.run, spans=[record]), sent)
        for told in life.exchanges:
            sent = max(told.received_agent + SECOND, _due(told.received_agent, late_from, late_until))
            yield _message(node, life.run, Part(life.run, exchanges=[told]), sent)


def _due(at: int, late_from: int, late_until: int) -> int:
    """What is said while the node is cut off arrives when it no longer is."""
    return late_until + SECOND if late_from <= at < late_until else at


def _message(node: str, run: str, part: Part, sent: int) -> Arrival:
    return arrival(beat(part, sent=sent, run=run, node=node), reading(sent + 10))


def _lives(random: Random) -> Iterator[Life]:
    """Runs one after another, of the same boot or a new one; agent time goes on as if the host had never stopped."""
    at, previous, boot = HOUR, None, 0
    while at < SEASON:
        until = min(SEASON, at + random.randrange(DAY, 40 * DAY))
        told = opening(("web", "pg"), at, previous, boot=f"b007000{boot}")
        life = Life(f"aaaa{at:012x}", told)
        begun = [one for check in CHECKS for one in _spans(check, at, until, random)]
        begun.sort(key=lambda one: one.first_end)
        life.spans += [replace(one, number=number) for number, one in enumerate(begun, start=1)]
        number = len(begun)
        for sent in range(at + HOUR, until, random.randrange(HOUR, 30 * HOUR)):
            number += 1
            life.exchanges.append(exchange(number, sent))
        yield life
        last_tick = max((one.last_begin for one in life.spans if one.check == "alive"), default=at)
        previous = PreviousRun(life.run, told.boot, last_tick, number)
        boot += random.random() < 0.5
        at = until + random.choice([5 * SECOND, HOUR, 3 * DAY])


def _spans(check: str, at: int, until: int, random: Random) -> Iterator[Span]:
    """The check's spans, still to be numbered."""
    begin = at + random.randrange(5 * SECOND)
    states: list[State] = ["up", "up", "up", "down", "degraded", "unknown"]
    while begin + SECOND < until:
        state: State = "up" if check == "alive" else random.choice(states)
        length = min(random.randrange(HOUR, DAY), until - begin - SECOND) // SECOND
        message = "refused" if state == "down" else ""
        yield span(1, check, begin, max(length, 1), state=state, closed=True, every=SECOND, message=message)
        begin += length * SECOND + random.choice([SECOND, SECOND, SECOND, HOUR])


def last_moment() -> int:
    """UTC at which everything has long arrived."""
    return START_UTC + SEASON + 40 * DAY
