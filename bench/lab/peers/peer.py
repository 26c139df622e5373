"""What the laboratory asks of every other monitor, so that all of them are asked the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from lab.peers.place import Programs
from lab.targets import Target
from lab.truth import Interval


@dataclass(frozen=True, slots=True)
class AgentProgram:
    """What a peer runs on a host: whoever boots the host starts the command there, as root, and it dies with it."""

    host: str
    name: str
    command: tuple[str, ...]


def page_of(target: Target) -> str:
    """The address of a page, or of the server whose certificate is looked at."""
    return target.url or f"https://{target.address}:{target.port}/"


class Peer(Protocol):
    """One other monitor, configured for the targets as its documentation advises."""

    name: str
    programs: Programs
    """Its central programs."""

    def prepare(self, targets: Sequence[Target], folder: Path) -> None:
        """Writes its configuration, and makes its database if it has one, in an empty folder that is its own.

        Raises PeerError, as `start` does; nothing of it runs then.
        """

    def agents(self) -> list[AgentProgram]:
        """What it runs on hosts; known once it is prepared."""

    def start(self) -> None:
        """Starts its central programs and waits until they serve."""

    def stop(self) -> None:
        """Ends all that it has started."""

    def outages(self, begin: int, end: int) -> list[Interval]:
        """When it says a service was down between two moments, by its own means of telling; while it runs."""

    def version(self) -> str:
        """The versions of its parts."""
