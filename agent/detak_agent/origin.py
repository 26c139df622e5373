"""Whose state this is: the node and the machine under which the state directory was made.

A copy of a disk holds the key of the original. Its agent must not use it: two agents would speak as one node.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from detak_agent.failures import CouldNotError
from detak_agent.journal_file import FILE_NAME as JOURNAL
from detak_agent.keys import FOLDER as KEYS
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.private_files import synchronise, write_private

FILE_NAME = "origin.json"


class Origin(Struct, frozen=True):
    """The node whose evidence and keys lie here, and the machine that it was then."""

    node: str
    machine: MachineIdentity


class ForeignStateError(CouldNotError):
    """The state is that of another machine or node. The message says what to do."""


def read_origin(state_directory: Path) -> Origin | None:
    """Whose state it is; None where that was never noted, or cannot be read any more."""
    try:
        return msgspec.json.decode((state_directory / FILE_NAME).read_bytes(), type=Origin)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    except OSError as error:
        raise CouldNotError(f"{state_directory / FILE_NAME}: {error.strerror}") from error


def write_origin(state_directory: Path, origin: Origin) -> None:
    """Note it durably; raises CouldNotError."""
    path = state_directory / FILE_NAME
    try:
        write_private(path, msgspec.json.encode(origin).decode("ascii") + "\n", state_directory)
    except OSError as error:
        raise CouldNotError(f"{path}: cannot be written: {error.strerror}") from error


def claim(state_directory: Path, node: str, identify: Callable[[], MachineIdentity] = this_machine) -> None:
    """Nothing if the state is this node's and of this machine, or of nobody yet: then it is from now on.

    Raises ForeignStateError and CouldNotError.
    """
    origin, machine = read_origin(state_directory), identify()
    error = foreign(origin, node, machine, state_directory)
    if error is not None:
        raise error
    known = machine if origin is None else origin.machine.with_known_of(machine)
    if origin is None or known != origin.machine:
        write_origin(state_directory, Origin(node, known))


def foreign(
    origin: Origin | None, node: str, machine: MachineIdentity, state_directory: Path
) -> ForeignStateError | None:
    """Why the state is not that of `node` on this machine, if it is not."""
    if origin is None:
        return None
    if origin.node != node:
        return ForeignStateError(
            f"{state_directory} holds the evidence and the keys of node {origin.node}, and agent.toml says {node}: "
            f"enrol {node} here with the line that `detak-collector enroll {node}` prints, or write {origin.node} again"
        )
    if origin.machine.differs_from(machine):
        return ForeignStateError(
            f"this looks like a clone of {node}, so its key is not used: give this machine a name of its own in "
            f"agent.toml and enrol it under that (`detak-agent enroll`), or run `detak-agent adopt` if it is {node}, "
            "moved or restored"
        )
    return None


def adopt(state_directory: Path, node: str, identify: Callable[[], MachineIdentity] = this_machine) -> bool:
    """This machine is that node from now on; False where it was already. Raises CouldNotError."""
    origin, machine = read_origin(state_directory), identify()
    if origin is not None and origin.node != node:
        raise CouldNotError(f"{state_directory} holds the evidence of node {origin.node}, and agent.toml says {node}")
    if origin is not None and not origin.machine.differs_from(machine):
        return False
    write_origin(state_directory, Origin(node, machine))
    return True


def set_aside(state_directory: Path, node: str) -> Path | None:
    """Keep another node's journal apart and drop its keys; where the journal lies now. The directory must be locked."""
    try:
        for key in (state_directory / KEYS).glob("*.key*"):
            key.unlink()
        return _renamed(state_directory, node)
    except OSError as error:
        raise CouldNotError(f"{state_directory}: the journal of {node} cannot be set aside: {error}") from error


def _renamed(state_directory: Path, node: str) -> Path | None:
    journal = state_directory / JOURNAL
    if not journal.exists():
        return None
    number = 1
    while (aside := state_directory / f"{JOURNAL}.of-{node}-{number}").exists():
        number += 1
    # The write-ahead log goes first: without it the journal would be an older one.
    for ending in ("-wal", "-shm", ""):
        part = state_directory / (JOURNAL + ending)
        if part.exists():
            part.rename(aside.with_name(aside.name + ending))
    synchronise(state_directory)
    return aside
