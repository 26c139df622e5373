"""Other monitors on the same faults: put into the laboratory as their operators would, and held against the truth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.triple import Triple
from lab.host import Program
from lab.peers.all_peers import all_peers
from lab.peers.peer import Peer
from lab.peers.place import Place
from lab.scores import Said, Scores, mean, score
from lab.stage import BRANCHES, Lab
from lab.targets import Target
from lab.truth import Outage, keep_claims


@dataclass(frozen=True)
class Standing:
    """How one tool did; None where it could not say."""

    tool: str
    version: str
    scores: Scores | None
    trouble: str = ""


@dataclass
class Peers:
    """All of them, in one laboratory. What one cannot do is told, and the others go on."""

    every: list[Peer] = field(default_factory=list)
    trouble: dict[str, str] = field(default_factory=dict)

    def prepare(self, lab: Lab) -> None:
        """Before the hosts boot: what they run there is put on them."""
        place = Place(address=lab.network.address("control"))
        for peer in all_peers(place, max(1, lab.pace.interval_ms // 1_000)):
            folder = lab.folder / f"peer-{peer.name.lower().replace(' ', '-')}"
            folder.mkdir()
            try:
                peer.prepare(targets(lab), folder)
                agents = peer.agents()
            except Exception as error:  # noqa: BLE001 - whatever is wrong with one, the others are compared
                self.trouble[peer.name] = f"{type(error).__name__}: {error}"
                continue
            for one in agents:
                host = lab.hosts[one.host]
                host.programs.append(Program(host, one.name, one.command))
            self.every.append(peer)

    def start(self) -> None:
        """When all that they look at is up."""
        self.every = [peer for peer in self.every if self._started(peer)]

    def _started(self, peer: Peer) -> bool:
        try:
            peer.start()
        except Exception as error:  # noqa: BLE001 - as above
            self.trouble[peer.name] = f"{type(error).__name__}: {error}"
            return False
        return True

    def stop(self) -> None:
        """All of them."""
        for peer in self.every:
            peer.stop()

    def standings(
        self, lab: Lab, truth: Sequence[Outage], services: Mapping[str, str], span: tuple[int, int]
    ) -> list[Standing]:
        """What each says of the time [begin, end); `services` are those that it was told of, with their layer."""
        judged = [one for one in truth if one.service in services]
        found: list[Standing] = []
        for peer in self.every:
            try:
                said = peer.outages(*span)
                version = peer.version()
            except Exception as error:  # noqa: BLE001 - as above
                self.trouble[peer.name] = f"{type(error).__name__}: {error}"
                continue
            keep_claims(lab.folder, peer.name, said)
            sets = {
                service: _claimed([(one.begin, one.end) for one in said if one.service == service])
                for service in services
            }
            found.append(Standing(peer.name, version, score(judged, Said(sets), (), {}, services)))
        return found + [Standing(tool, "", None, trouble) for tool, trouble in self.trouble.items()]


def targets(lab: Lab) -> list[Target]:
    """What a central monitor is told of: each service that is one thing, and is the same for whoever looks at it.

    What only a branch cannot reach, no central monitor can see; and two things behind one service take rules of its
    own in each tool.
    """
    return [one.target for one in lab.things if one.node not in BRANCHES and one.service != "ganda"]


def comparison(ours: Scores, standings: Sequence[Standing], services: Mapping[str, str]) -> Iterator[str]:
    """A row for each tool, in Markdown: how far its downtime is off, over the same outages."""
    yield "| tool | outages | not noticed | made up | mean error | largest error | counted of the true downtime |"
    yield "|---|---|---|---|---|---|---|"
    own = Scores([one for one in ours.verdicts if one.outage.service in services], ours.false)
    for one in (Standing("Detak", "", own), *standings):
        yield f"| {one.tool} | {_row(one.scores) if one.scores else f'could not: {one.trouble[:100]} |' + ' |' * 5}"


def _row(scores: Scores) -> str:
    true = [one.outage.end - one.outage.begin for one in scores.verdicts]
    missed = sum(one.error_ms <= -length + 1 for one, length in zip(scores.verdicts, true, strict=True))
    errors = [abs(one.error_ms) for one in scores.verdicts]
    share = 100 + 100 * sum(one.error_ms for one in scores.verdicts) / max(1, sum(true))
    return (
        f"{len(true)} | {missed} | {len(scores.false)} | {mean(errors):.0f} ms | {max(errors, default=0)} ms | "
        f"{share:.1f} % |"
    )


def _claimed(pairs: Sequence[tuple[int, int]]) -> Triple:
    return Triple(EMPTY, Intervals.of(pairs), Intervals.of(pairs))
