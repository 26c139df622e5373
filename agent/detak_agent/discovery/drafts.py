"""Drafts of checks: what may be proposed, why, and what must be done first. It decides nothing about a machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

from detak_agent.discovery.toml_text import Value


class Group(IntEnum):
    """The parts of the proposed file, in their order."""

    MACHINE = 0
    DATABASES = 1
    WEB = 2
    APPLICATIONS = 3
    NAME_SERVICE = 4
    MESSAGING = 5
    CONTAINERS = 6
    MAIL = 7
    DIRECTORY = 8
    SYSTEM = 9
    OWN_UNITS = 10
    UNKNOWN = 11


HEADINGS: Mapping[Group, str] = {
    Group.MACHINE: "This machine",
    Group.DATABASES: "Databases and caches",
    Group.WEB: "Web servers and load balancers",
    Group.APPLICATIONS: "Applications",
    Group.NAME_SERVICE: "Name service",
    Group.MESSAGING: "Messages, files and objects",
    Group.CONTAINERS: "Containers and clusters",
    Group.MAIL: "Mail",
    Group.DIRECTORY: "Directory and sign-in",
    Group.SYSTEM: "Remote access, time, power and management",
    Group.OWN_UNITS: "Units that were written for this machine",
    Group.UNKNOWN: "Ports that were not recognised: switch on what users depend on",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """One check without its name. `note` says what somebody should know who keeps it."""

    kind: str
    keys: Mapping[str, Value]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """One thing to check, and ways to check it, the best first: the first that is up when tried is written.

    What is `off` is written switched off and not tried: `steps` say what somebody must do first. What is `sure` is
    written switched on, whatever it says.
    """

    name: str
    drafts: tuple[Draft, ...]
    steps: tuple[str, ...] = ()
    off: bool = False
    sure: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was recognised: its title, where it is, and the proposals for it."""

    group: Group
    title: str
    where: str
    proposals: tuple[Proposal, ...]
    note: str = ""


AGENT_ACCOUNT = "detak-agent"
"""The account that the agent's unit runs under."""


def password_file(name: str) -> str:
    """Where the steps of a proposal put a password."""
    return f"/etc/detak/{name}.password"


def how_to_keep_a_password(path: str) -> tuple[str, ...]:
    """The step that every proposal with a password ends with."""
    return (
        "Write its password, and nothing else, into a file that only the agent reads:",
        f"  install -m 0640 -g {AGENT_ACCOUNT} /dev/stdin {path}",
    )
