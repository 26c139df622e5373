"""What every check kind is: typed settings, and a probe that is asked once per sample and answers with an outcome.

A kind measures and says what it found. It never schedules itself, never retries beyond its own sample and never
looks at a clock to decide a state: the runner times it, isolates it and reports what became of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

import msgspec

from detak_wire.messages import State


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one sample found. `marks` are continuity marks; `values` are measured, their unit is in their name."""

    state: State
    message: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


class CouldNotCheckError(Exception):
    """The check itself could not run (a missing right, a missing file): the sample is `unknown`, never `down`."""


class Silence(Enum):
    """What it means when a sample does not end in time."""

    DOWN = "the checked thing gave no answer in time"
    UNKNOWN = "the check itself hangs"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The machine as a check may see it; a test points `root` at a fixture tree."""

    root: Path = Path("/")


class Probe(Protocol):
    """One configured check, ready to be asked. It may keep what spares work (a process id, a TLS context)."""

    async def sample(self, deadline_ms: int) -> Outcome:
        """One measurement, within about `deadline_ms`. Raises TimeoutError, OSError or CouldNotCheckError."""
        ...


SECRET_KEYS = frozenset({"password", "community", "privacy_password"})
"""The keys of any kind that hold secrets: they are never shown, logged or sent."""


class CheckSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The keys every check has in agent.toml."""

    name: str
    kind: str
    interval_ms: int = 5_000
    timeout_ms: int = 4_000
    confirm: int = 1
    tries: int = 1

    def digest(self) -> str:
        """Changes when anything that is measured changes. Secrets are left out: who sees it could try passwords."""
        told = {key: value for key, value in msgspec.structs.asdict(self).items() if key not in SECRET_KEYS}
        told |= self.contents()
        return hashlib.sha256(msgspec.json.encode(told, order="deterministic")).hexdigest()[:32]

    def contents(self) -> Mapping[str, str]:
        """Digests of the files that do the measuring, by path: of what is outside the agent's own code. It may hang."""
        return {}

    @property
    def has_contents(self) -> bool:
        """Whether there are such files."""
        return type(self).contents is not CheckSettings.contents


@dataclass(frozen=True, slots=True)
class Kind:
    """One entry of the registry: how a kind is configured, built, described, and what its silence means."""

    name: str
    summary: str
    settings: type[CheckSettings]
    build: Callable[[Any, Surroundings], Probe]
    target: Callable[[Any], str]
    """What it checks, for people, without secrets."""
    remote: Callable[[Any], bool]
    """Whether its target is another host."""
    silence: Silence
    problems: Callable[[Any], list[tuple[str, str]]] = lambda _settings: []
    """Further errors in the settings, as (key, reason)."""
