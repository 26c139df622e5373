# ruff: noqa: INP001 - a script's module, in no package
"""What is packaged: the two programs, the machines they are built for, and the Pythons that may run them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Program:
    """One program as a package of the system."""

    name: str
    project: str
    """The folder of its distribution, whose pyproject.toml says what it needs."""

    extras: tuple[str, ...]
    locks: tuple[str, ...]
    """Which of requirements/*.txt pin what it needs; the first that pins a library counts."""

    pythons: tuple[str, ...]
    """The Pythons that may run it, the newest first: the launcher takes the first that the machine has."""

    summary: str
    description: str
    configuration: str
    """The file without which its unit has nothing to do."""

    examples: tuple[str, ...]

    @property
    def module(self) -> str:
        """The import package that holds its command line."""
        return self.name.replace("-", "_")

    @property
    def home(self) -> str:
        """Its private directory, from the root of the system."""
        return f"usr/lib/{self.name}"

    @property
    def own(self) -> tuple[str, ...]:
        """Its own distributions: they are built here, and pinned nowhere."""
        return ("detak-wire", self.name)


PROGRAMS = {
    "detak-agent": Program(
        name="detak-agent",
        project="agent",
        extras=("all",),
        locks=("agent.txt", "drivers.txt"),
        pythons=("3.14", "3.13", "3.12", "3.11", "3.10"),
        summary="runs checks on a node and reports what it saw",
        description=(
            "Runs checks on this machine, writes what it saw into a durable journal, and ships it\n"
            "to every collector of Detak, which derives the downtime figure from it."
        ),
        configuration="/etc/detak/agent.toml",
        examples=("config/agent.toml",),
    ),
    "detak-collector": Program(
        name="detak-collector",
        project="collector",
        extras=("ldap", "notify", "postgresql", "seal"),
        locks=("collector.txt", "drivers.txt"),
        pythons=("3.14", "3.13", "3.12", "3.11"),
        summary="derives the downtime figure and shows it",
        description=(
            "Keeps what the agents of Detak saw as evidence, derives the downtime figure with its\n"
            "bounds, and shows, reports and mails it."
        ),
        configuration="/etc/detak/collector.toml",
        examples=("config/collector.toml", "config/services.toml"),
    ),
}

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
"""The machines, by Debian's name: the name that the kernel, wheels and .rpm have for it."""

NEWEST_GLIBC = 28
"""Wheels may ask for glibc 2.28 at most: that of RHEL 8, the oldest system of all."""

LEFT_OUT = {"pip": "sqlite-utils asks for it, for a command of its own that Detak never runs"}


class NotBuiltError(Exception):
    """A package cannot be built; the text says why and what to do."""
