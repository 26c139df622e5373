"""Enrolment: a one-time token becomes this node's key with one collector."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from detak_agent.config import AgentConfig, CollectorSettings
from detak_agent.connection import Connection, ConnectionBrokenError, Reply, problem_of
from detak_agent.failures import CouldNotError
from detak_agent.keys import is_handed_over, key_path, pin_files, previous_path, write_key
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.origin import Origin, foreign, read_origin, set_aside, write_origin
from detak_agent.state_directory import StateDirectory
from detak_agent.timing import within
from detak_agent.trust import NO_PINS, Pins
from detak_agent.way import way_to_enrol
from detak_wire import PROTOCOL_VERSION
from detak_wire.codec import InvalidMessageError, decode, encode
from detak_wire.messages import Enrolled, Enrolment

_DEADLINE_S = 15.0
_UNLIKE_ANY = "this is no token: paste the whole line that `detak-collector enroll` printed"


@dataclass(frozen=True, slots=True)
class Pasted:
    """What the collector's line says. `key_to` is where the key shall lie instead, as for a systemd credential."""

    token: str
    pins: Pins = NO_PINS
    key_to: Path | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """Where the key lies now, and the journal of the node that this machine was before, if it was one."""

    key: Path
    set_aside: Path | None = None


async def enrol(
    config: AgentConfig,
    collector: CollectorSettings,
    pasted: Pasted,
    identify: Callable[[], MachineIdentity] = this_machine,
) -> Outcome:
    """Ask for the key and store it. Raises CouldNotError, where it can be before the token is used up."""
    path = _where(config, collector, pasted)
    origin, machine = read_origin(config.state_directory), identify()
    former = origin.node if origin is not None and origin.node != config.node else None
    clone = foreign(origin, config.node, machine, config.state_directory)
    if clone is not None and former is None:
        raise clone
    with ExitStack() as held:
        if former is not None:
            # The journal may only be moved while no agent writes it.
            held.callback(StateDirectory(config.state_directory).release)
        key = await _key(config, collector, pasted)
        aside = None if former is None else set_aside(config.state_directory, former)
        _keep(config, collector, pasted, path, key)
        write_origin(config.state_directory, Origin(config.node, machine))
    return Outcome(path, aside)


def _where(config: AgentConfig, collector: CollectorSettings, pasted: Pasted) -> Path:
    if pasted.key_to is not None:
        return pasted.key_to
    if is_handed_over(collector):
        name = collector.key_file
        raise CouldNotError(
            f"key_file {name} is a systemd credential, which cannot be written from here: add --key-to FILE, "
            f"then LoadCredential={name}:FILE to the service"
        )
    return key_path(collector, config.state_directory)


async def _key(config: AgentConfig, collector: CollectorSettings, pasted: Pasted) -> str:
    connection = way_to_enrol(collector, pasted.pins)
    body = encode(Enrolment(PROTOCOL_VERSION, config.node, pasted.token))
    try:
        reply = await within(_DEADLINE_S, _ask(connection, body))
    except ConnectionBrokenError as error:
        raise CouldNotError(f"{collector.url}: {error}") from error
    except TimeoutError as error:
        raise CouldNotError(f"{collector.url}: no answer within {_DEADLINE_S:.0f} s") from error
    finally:
        connection.close()
    return _enrolled(collector.url, reply).key


def _keep(config: AgentConfig, collector: CollectorSettings, pasted: Pasted, path: Path, key: str) -> None:
    """The fingerprint first: a key without it could not be used. What was pasted without one trusts authorities."""
    files = pin_files(collector, config.state_directory)
    is_configured = collector.fingerprint is not None or bool(collector.ca_keys)
    try:
        files.write(NO_PINS if is_configured else pasted.pins)
        previous_path(path).unlink(missing_ok=True)
    except OSError as error:
        raise CouldNotError(f"{files.fingerprint.parent}: cannot be written: {error.strerror}") from error
    write_key(path, key, config.state_directory)


async def _ask(connection: Connection, body: bytes) -> Reply:
    await connection.open()
    return await connection.post("/api/v1/enrol", body, {"Content-Type": "application/json"})


def _enrolled(url: str, reply: Reply) -> Enrolled:
    if reply.status == 200:
        try:
            return decode(reply.body, Enrolled)
        except InvalidMessageError as error:
            raise CouldNotError(f"{url}: this is not a collector's answer: {error}") from error
    problem = problem_of(reply)
    why = _UNLIKE_ANY if problem.path == "$.token" else problem.detail
    raise CouldNotError(f"{url}: the collector refuses the enrolment: {why}")
