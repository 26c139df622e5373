"""What a beat costs on the wire: its bytes, and the time to write and to read it. It measures the codec, no network.

Each time is the best of several rounds of one process on one core, so that it says what the work costs and not
what else the machine did.
"""

import platform
import timeit
from collections.abc import Callable

from detak_wire import PROTOCOL_VERSION, codec
from detak_wire.messages import (
    Answer,
    CheckSettings,
    ClockClaim,
    Evidence,
    Exchange,
    Growth,
    Part,
    PreviousRun,
    RunOpening,
    Span,
    State,
    Stored,
)

CHECKS = 20
BACKLOG = 1_000
DAY_MS = 86_400_000
SENT_AGENT = 30 * DAY_MS
UTC = 1_790_000_000_000
RUN = "9f86d081884c7d659a2feaa0c55ad015"
BOOT = "a3bf4f1b2b0b822cd15d6c15b0f00a08"
COLLECTOR = "2c26b46b68ffc68ff99b453c1d304134"
GZIP_FROM_BYTES = 1_024
"""The agent packs a body that is larger than this."""

ROUNDS = 5
LEAST_SECONDS = 0.1


def span(number: int, state: State = "up", *, closed: bool = False) -> Span:
    """A span of one of the checks, somewhere in the last day."""
    begin = SENT_AGENT - DAY_MS + number * 5_000
    return Span(
        number, f"check-{number % CHECKS:02}", state, begin, begin + 12, begin + 4_000, begin + 4_009, 2, 5_003, closed,
        "connection refused by 10.20.30.40:5432" if state == "down" else "",
    )  # fmt: skip


def beat(part: Part) -> Evidence:
    return Evidence(PROTOCOL_VERSION, "dc-app-01", RUN, SENT_AGENT, [part], oldest={RUN: 1})


def opening() -> RunOpening:
    checks = [
        CheckSettings(f"check-{at:02}", "http", 5_000, 4_000, remote=True, digest="0" * 32) for at in range(CHECKS)
    ]
    previous = PreviousRun(RUN[::-1], BOOT, SENT_AGENT - 60_000, 4_711, "reload", SENT_AGENT - 60_000)
    return RunOpening(
        BOOT, SENT_AGENT, 900, "0.1.0", 1_000, 5_000, checks, ClockClaim(SENT_AGENT, UTC, 4), previous=previous
    )


def messages() -> dict[str, Evidence | Answer]:
    """The messages by what they are for, the most frequent first."""
    growths = [Growth(at, at * 37 % 5_000 + 9, at * 37 % 5_000, 17_000 + at, 5_011) for at in range(1, CHECKS + 2)]
    exchange = Exchange(CHECKS + 2, COLLECTOR, SENT_AGENT - 5_000, UTC, UTC + 2, SENT_AGENT - 4_993)
    changed = [span(900, closed=True), span(901, "down")]
    backlog = [span(at, "down" if at % 2 else "up", closed=True) for at in range(1, BACKLOG + 1)]
    reach = {at: SENT_AGENT - at for at in range(1, CHECKS + 2)}
    return {
        "quiet beat": beat(Part(RUN, growths=growths)),
        "its answer": Answer(
            PROTOCOL_VERSION, COLLECTOR, UTC, UTC + 2, {RUN: Stored(opened=True, mark=899, open=reach)}, 5_000
        ),
        "beat with a change of state": beat(Part(RUN, spans=changed, growths=growths[1:], exchanges=[exchange])),
        "first beat of a run": beat(Part(RUN, opening(), [span(at) for at in range(1, CHECKS + 2)])),
        f"beat with {BACKLOG} backlog spans": beat(Part(RUN, spans=backlog, growths=growths)),
    }


def microseconds(work: Callable[[], object]) -> float:
    """What one call costs."""
    timer = timeit.Timer(work)
    calls = 1
    while timer.timeit(calls) < LEAST_SECONDS / 10:
        calls *= 4
    calls = max(calls, 10)
    return min(timer.repeat(ROUNDS, calls)) / calls * 1e6


def row(name: str, message: Evidence | Answer) -> str:
    """One line of the table; what is packed on the way is measured packed, as agent and collector do it."""
    kind = type(message)
    body = codec.encode(message)
    assert codec.decode(body, kind) == message
    if len(body) > GZIP_FROM_BYTES and kind is Evidence:
        sent = codec.compress(body)
        write = microseconds(lambda: codec.compress(codec.encode(message)))
        read = microseconds(lambda: codec.decode(codec.inflate(sent), kind))
    else:
        sent = body
        write = microseconds(lambda: codec.encode(message))
        read = microseconds(lambda: codec.decode(body, kind))
    return f"{name:<32}{len(body):>10,}{len(sent):>10,}{write:>12,.1f}{read:>12,.1f}"


def main() -> None:
    """Print the table, and the machine it was made on."""
    print(
        f"A node with {CHECKS} checks. Python {platform.python_version()}, {platform.machine()}, {platform.system()}."
    )
    print(f"{'':<32}{'JSON':>10}{'sent':>10}{'write':>12}{'read':>12}")
    print(f"{'message':<32}{'bytes':>10}{'bytes':>10}{'µs':>12}{'µs':>12}")
    for name, message in messages().items():
        print(row(name, message))


if __name__ == "__main__":
    main()
