"""What other monitors say of a few small servers on loopback that are killed, hung and begun again, and the truth.

    python bench/peers_alone.py [--only prometheus,zabbix,icinga] [--rounds 6] [--interval 5] [--seed 1]

No laboratory is needed: the servers are processes on this machine, each on a loopback address of its own, and the
truth is when they were killed, stopped or answered again. It shows that each peer is set up rightly, and how it counts.
Ends with one line for each peer: `peer=… outages=… found=… false=… mean_abs_error_ms=… seen_after_ms=… cpu_ms_per_s=…`.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from lab.peers.all_peers import all_peers
from lab.peers.peer import Peer
from lab.peers.place import Place, Programs
from lab.targets import Target
from lab.truth import Interval, now_ms
from peers_alone_servers import Small, servers

SETTLE_S = 15.0
SLACK_CHECKS = 4
"""So many check intervals after an outage, what a peer says is still of it."""

NEVER_DOWN = (
    Target("host", "small1", "127.0.77.1", "host"),
    Target("disk", "small1", "127.0.77.1", "filesystem", path="/"),
)


@dataclass(frozen=True, slots=True)
class Score:
    """Of one peer: how many outages it saw and made up, how far off their lengths were, how late they began."""

    found: int
    false: int
    error_ms: float
    late_ms: float


def main() -> None:
    """Breaks the servers, asks the peers and prints what they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="names of peers, with commas between them; default: all")
    parser.add_argument("--rounds", type=int, default=6, help="how often each server is broken")
    parser.add_argument("--interval", type=int, default=5, help="seconds between checks")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    names = [one.casefold() for one in asked.only.split(",") if one]
    peers = [one for one in all_peers(Place(), asked.interval) if not names or one.name.casefold().split()[0] in names]
    if not peers:
        raise SystemExit(f"no such peer: {asked.only}")
    _run(peers, asked.rounds, asked.interval, random.Random(asked.seed))


def _run(peers: Sequence[Peer], rounds: int, interval_s: int, chance: random.Random) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="detak-peers-")))
        folder.chmod(0o755)
        every = stack.enter_context(servers(folder))
        targets = [*NEVER_DOWN, *(target for server in every for target in server.targets)]
        running = [(peer, _started(peer, targets, folder, stack)) for peer in peers]
        time.sleep(SETTLE_S)
        began, used = now_ms(), [_cpu_ms(programs) for _, programs in running]
        plans = [(server, random.Random(chance.random()), rounds, interval_s) for server in every]
        with ThreadPoolExecutor(len(plans)) as breakers:
            for done in [breakers.submit(_broken, *plan) for plan in plans]:
                done.result()
        time.sleep(SLACK_CHECKS * interval_s)
        ended = now_ms()
        true = [one for server in every for one in server.down]
        for (peer, programs), before in zip(running, used, strict=True):
            spent = (_cpu_ms(programs) - before) / (ended - began) * 1_000
            _show(peer, true, peer.outages(began, ended), interval_s, spent)


def _broken(server: Small, chance: random.Random, rounds: int, interval_s: int) -> None:
    """Killed or hung so many times; well for long enough between that nothing is of two outages."""
    for _ in range(rounds):
        time.sleep((SLACK_CHECKS + chance.uniform(0.0, 1.0)) * interval_s)
        break_it = chance.choice((server.killed, server.killed, server.hung))
        break_it(chance.uniform(0.5, 4.0) * interval_s)


def _started(peer: Peer, targets: Sequence[Target], folder: Path, stack: ExitStack) -> list[Programs]:
    own = folder / peer.name.split()[0]
    own.mkdir()
    stack.callback(peer.stop)
    peer.prepare(targets, own)
    agents = Programs(Place(), own)
    stack.callback(agents.stop)
    for one in peer.agents():
        agents.start(f"{one.host}-{one.name}", one.command, lambda: True)
    peer.start()
    print(f"{peer.name} {peer.version()} runs", flush=True)
    return [peer.programs, agents]


def _cpu_ms(programs: Sequence[Programs]) -> float:
    return 1_000 * sum(one.cpu_s() for one in programs)


def _show(peer: Peer, true: Sequence[Interval], said: Sequence[Interval], interval_s: int, spent: float) -> None:
    slack_ms = SLACK_CHECKS * interval_s * 1_000
    print(f"\n{peer.name}\n{'service':<18}{'true s':>8}{'said s':>8}{'begins after s':>16}")
    said_of = _told(true, said, slack_ms)
    for one in sorted(true, key=lambda one: one.begin):
        of_it = said_of.get(one, [])
        length_ms = sum(other.end - other.begin for other in of_it)
        late = f"{(of_it[0].begin - one.begin) / 1_000:.2f}" if of_it else "not seen"
        print(f"{one.service:<18}{(one.end - one.begin) / 1_000:>8.2f}{length_ms / 1_000:>8.2f}{late:>16}")
    score = scored(true, said, slack_ms)
    print(
        f"peer={peer.name.split()[0]} outages={len(true)} found={score.found} false={score.false} "
        f"mean_abs_error_ms={score.error_ms:.0f} seen_after_ms={score.late_ms:.0f} cpu_ms_per_s={spent:.1f}",
        flush=True,
    )


def scored(true: Sequence[Interval], said: Sequence[Interval], slack_ms: int) -> Score:
    """An outage that is not seen is off by its whole length; what is said of no outage is false."""
    said_of = _told(true, said, slack_ms)
    lengths = [sum(other.end - other.begin for other in said_of.get(one, [])) for one in true]
    errors = [abs(length - (one.end - one.begin)) for one, length in zip(true, lengths, strict=True)]
    lates = [of_it[0].begin - one.begin for one, of_it in said_of.items()]
    false = len(said) - sum(map(len, said_of.values()))
    return Score(len(said_of), false, sum(errors) / len(errors), sum(lates) / max(1, len(lates)))


def _told(true: Sequence[Interval], said: Sequence[Interval], slack_ms: int) -> dict[Interval, list[Interval]]:
    """What is said of each outage: that which lies in it most, or begins soon after it."""
    found: dict[Interval, list[Interval]] = {}
    for other in sorted(said):
        near = [
            one
            for one in true
            if one.service == other.service and one.begin - slack_ms < other.end and other.begin < one.end + slack_ms
        ]
        if near:
            best = max(near, key=lambda one: min(one.end, other.end) - max(one.begin, other.begin))
            found.setdefault(best, []).append(other)
    return found


if __name__ == "__main__":
    main()
