"""Two agents that speak as one node at once: found from who speaks when. Pure; times are BOOTTIME of the collector.

One agent after another is no rivalry: a run that ended never speaks again once the next one has begun.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from detak_collector.translation.saying import Saying, saying

SURE_AFTER_MS = 10_000
"""A run that speaks so long after another one began is no late message of the one before it."""

LASTS_MS = 60_000
"""How long after their last word two agents are still held to be two."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """One of the agents that speak as a node. `boot` is empty where nothing of its run is stored yet."""

    run: str
    address: str
    boot: str = ""

    @property
    def called(self) -> Saying:
        """What people are told of it."""
        boot = saying("boot {boot}", boot=self.boot[:8]) if self.boot else saying("a boot not known yet")
        address = self.address or saying("an address not known")
        return saying("{boot}, run {run}, from {address}", boot=boot, run=self.run[:8], address=address)


@dataclass(slots=True)
class _Voice:
    first: int
    last: int
    address: str


@dataclass(frozen=True, slots=True)
class Look:
    """The nodes as which several agents speak now, and which of them began or ceased since the last look."""

    found: dict[str, tuple[Speaker, ...]]
    begun: frozenset[str]
    ended: frozenset[str]


@dataclass(slots=True)
class Rivals:
    """Remembers who spoke lately as which node."""

    _voices: dict[str, dict[str, _Voice]] = field(default_factory=dict)
    _several: set[str] = field(default_factory=set)
    _told: frozenset[str] = frozenset()

    def spoke(self, node: str, run: str, address: str, at: int) -> None:
        """A message of this run was taken."""
        voices = self._voices.setdefault(node, {})
        voice = voices.get(run)
        if voice is None:
            voices[run] = _Voice(at, at, address)
            if len(voices) > 1:
                self._several.add(node)
        else:
            voice.last, voice.address = at, address

    def spoke_elsewhere(self, node: str, run: str, at: int) -> None:
        """This run was heard at that time, perhaps by another collector, which knows from where."""
        known = self._voices.get(node, {}).get(run)
        if known is None or at > known.last:
            self.spoke(node, run, "" if known is None else known.address, at)

    def look(self, now: int) -> Look:
        """What is to be told at this moment."""
        found = {node: speakers for node in self._several if len(speakers := self._speakers(node, now)) > 1}
        before, self._told = self._told, frozenset(found)
        self._several = {node for node in self._several if len(self._voices[node]) > 1}
        return Look(found, self._told - before, before - self._told)

    def _speakers(self, node: str, now: int) -> tuple[Speaker, ...]:
        """Who of them surely speaks besides the one that began last; those long silent are forgotten."""
        voices = {run: voice for run, voice in self._voices[node].items() if now - voice.last <= LASTS_MS}
        self._voices[node] = voices
        newest = max((voice.first for voice in voices.values()), default=0)
        return tuple(
            Speaker(run, voice.address)
            for run, voice in voices.items()
            if voice.first == newest or voice.last - newest >= SURE_AFTER_MS
        )


def rivalry(node: str, speakers: Sequence[Speaker]) -> Saying:
    """What is wrong and what to do, for the log, the list of nodes and the page."""
    return saying(
        "two agents with one identity: {speakers}. Enrol the copy under a name of its own "
        "(`detak-collector enroll NAME`), or stop both with `detak-collector revoke {node}`; "
        "until then their time is not observed",
        speakers=_one_by_one([one.called for one in speakers]),
        node=node,
    )


def _one_by_one(told: Sequence[Saying]) -> str:
    """With semicolons between, since there are commas in each."""
    *before, last = told
    return saying("{one}; {other}", one=_one_by_one(before), other=last) if before else last
