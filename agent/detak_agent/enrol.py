"""Enrolment: a one-time token becomes this node's key with one collector."""

from __future__ import annotations

from pathlib import Path

from detak_agent.config import AgentConfig, CollectorSettings
from detak_agent.connection import Connection, ConnectionBrokenError, Reply, problem_of
from detak_agent.failures import CouldNotError
from detak_agent.keys import key_path, write_key
from detak_agent.timing import within
from detak_wire import PROTOCOL_VERSION
from detak_wire.codec import InvalidMessageError, decode, encode
from detak_wire.messages import Enrolled, Enrolment

_DEADLINE_S = 15.0


async def enrol(config: AgentConfig, collector: CollectorSettings, token: str) -> Path:
    """Ask for the key and store it; returns where it lies. Raises CouldNotError."""
    connection = Connection(collector.url, collector.ca_file)
    body = encode(Enrolment(PROTOCOL_VERSION, config.node, token))
    try:
        reply = await within(_DEADLINE_S, _ask(connection, body))
    except ConnectionBrokenError as error:
        raise CouldNotError(f"{collector.url}: {error}") from error
    except TimeoutError as error:
        raise CouldNotError(f"{collector.url}: no answer within {_DEADLINE_S:.0f} s") from error
    finally:
        connection.close()
    enrolled = _enrolled(collector.url, reply)
    path = key_path(collector, config.state_directory)
    write_key(path, enrolled.key)
    return path


async def _ask(connection: Connection, body: bytes) -> Reply:
    await connection.open()
    return await connection.post("/api/v1/enrol", body, {"Content-Type": "application/json"})


def _enrolled(url: str, reply: Reply) -> Enrolled:
    if reply.status == 200:
        try:
            return decode(reply.body, Enrolled)
        except InvalidMessageError as error:
            raise CouldNotError(f"{url}: this is not a collector's answer: {error}") from error
    raise CouldNotError(f"{url}: the collector refuses the enrolment: {problem_of(reply).detail}")
