"""What people wrote of an outage, as a report tells it: entered and never computed. No figure depends on it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Happening:
    """A line of a chronology; `at` is UTC milliseconds."""

    at: int
    text: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is to follow: who does it, and until which day (`2026-12-31`, empty where that is open)."""

    what: str
    who: str
    until: str


@dataclass(frozen=True, slots=True)
class Story:
    """The latest version of what was written; `told_at` is UTC milliseconds, `version` counts from 1."""

    cause: str
    effect: str
    chronology: tuple[Happening, ...]
    follow_up: tuple[Task, ...]
    told_by: str
    told_at: int
    version: int = 1
