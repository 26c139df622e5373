"""What a collector tells the log and, where one is configured, the syslog server: one shape for both. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

Kind = Literal["audit", "outage", "alarm", "heartbeat"]
Value = str | int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at `utc`: `name` for programs, `text` for people, `fields` for whoever searches.

    `kind` becomes the MSGID of syslog; `level` is a level of `logging`.
    """

    kind: Kind
    name: str
    utc: int
    text: str
    level: int = logging.INFO
    fields: Mapping[str, Value] = field(default_factory=dict)

    @property
    def told(self) -> dict[str, Value]:
        """All that a program may search for."""
        return {"kind": self.kind, "event": self.name, **self.fields}


class Audit(Protocol):
    """Takes what belongs into the audit trail: `name` for programs, `text` for people, and what to search it by."""

    def __call__(self, name: str, text: str, level: int = logging.INFO, **told: Value) -> None:
        """Tells it."""
        ...
