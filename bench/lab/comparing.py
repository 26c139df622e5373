"""Other monitors on the same faults: put into the laboratory as their operators would, and asked at the end."""

from __future__ import annotations

from dataclasses import dataclass, field

from lab.host import Program
from lab.peers.all_peers import all_peers
from lab.peers.peer import Peer
from lab.peers.place import Place
from lab.results import PeerSaid
from lab.stage import BRANCHES, Lab
from lab.targets import Target


@dataclass
class Peers:
    """All of them, in one laboratory. What one cannot do is told, and the others go on."""

    every: list[Peer] = field(default_factory=list)
    trouble: dict[str, str] = field(default_factory=dict)

    def prepare(self, lab: Lab) -> None:
        """Before the hosts boot: what they run there is put on them."""
        lab.left.callback(self.stop)
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

    def said(self, begin: int, end: int) -> list[PeerSaid]:
        """What each says of the time [begin, end), in UTC milliseconds."""
        asked = [self._said(peer, begin, end) for peer in self.every]
        return asked + [PeerSaid(tool, trouble=words) for tool, words in self.trouble.items()]

    @staticmethod
    def _said(peer: Peer, begin: int, end: int) -> PeerSaid:
        try:
            return PeerSaid(peer.name, peer.version(), claims=peer.outages(begin, end))
        except Exception as error:  # noqa: BLE001 - as above
            return PeerSaid(peer.name, trouble=f"{type(error).__name__}: {error}")


def targets(lab: Lab) -> list[Target]:
    """What a central monitor is told of: each service that is one thing, and is the same for whoever looks at it.

    What only a branch cannot reach, no central monitor can see; and two things behind one service take rules of its
    own in each tool.
    """
    return [one.target for one in lab.things if one.node not in BRANCHES and one.service != "ganda"]
