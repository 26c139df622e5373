"""One connection to Oracle for each sample, made by a driver in a process of its own (`worker`)."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from detak_agent.checks.addresses import Address
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.oracle.driver_process import DriverCrashedError, DriverProcess
from detak_agent.checks.kinds.oracle.health import answer_of, judge
from detak_agent.checks.kinds.oracle.kind import OracleSettings, database
from detak_agent.checks.kinds.oracle.words import refused
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.threads import Lane

WORKER = "detak_agent.checks.kinds.oracle.worker"


class OracleClient:
    """Keeps the process with the driver, and no connection: one that stands would hide that new ones are refused."""

    def __init__(self, settings: OracleSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._driver = DriverProcess(WORKER)
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        until = time.monotonic() + patience_s(deadline_ms)
        password = await self._password.read(deadline_ms)
        try:
            return await asyncio.wait_for(self._ask(password, until), until - time.monotonic())
        except (TimeoutError, asyncio.TimeoutError):
            return Outcome("down", f"{self._caller.waiting_for} within {deadline_ms} ms")

    async def _ask(self, password: str, until: float) -> Outcome:
        return await self._caller.first(until, lambda address: self._attempt(address, password, until))

    async def _attempt(self, address: Address, password: str, until: float) -> Outcome:
        self._wait_for("did not let the user in, and did not refuse either,")
        try:
            said = await self._lane.run(lambda: self._said(address, password, until), _left_ms(until))
        except (asyncio.CancelledError, asyncio.TimeoutError):
            # The thread that waits for the killed process ends by itself, a moment later.
            self._driver.kill()
            self._lane = Lane()
            raise
        return self._outcome(said)

    def _said(self, address: Address, password: str, until: float) -> dict[str, Any]:
        """What the driver's process said. Nothing is raised: when the sample is over, nobody would take it."""
        try:
            return self._driver.ask(self._request(address, password, until), until, self._wait_for)
        except DriverCrashedError as error:
            return {"crashed": str(error)}
        except TimeoutError:
            return {"overdue": True}
        except OSError as error:
            return {"failed": f"the Oracle driver's process cannot be started: {error.strerror}"}

    def _request(self, address: Address, password: str, until: float) -> dict[str, Any]:
        settings = self._settings
        return {
            # A certificate is for a name.
            "host": settings.host if settings.tls else address.host,
            "port": settings.port,
            "service_name": settings.service_name,
            "sid": settings.sid,
            "user": settings.user,
            "password": password,
            "tls": settings.tls,
            "verify_tls": settings.verify_tls,
            "ca_file": settings.ca_file,
            "query": settings.query,
            "wants": {
                "role": settings.wants_role,
                "lag": settings.wants_lag,
                "processes": settings.wants_processes,
            },
            "until": until,
        }

    def _wait_for(self, what: str) -> None:
        self._caller.waiting_for = f"{self._caller.where} {what}"

    def _outcome(self, said: dict[str, Any]) -> Outcome:
        settings, where = self._settings, self._caller.where
        if "missing" in said:
            raise CouldNotCheckError(
                f"the library {said['missing']} that this kind needs is not installed: install detak-agent[oracle]"
            )
        if "crashed" in said:
            raise CouldNotCheckError(f"the Oracle driver did not survive what {where} sent: it ended {said['crashed']}")
        if "failed" in said:
            raise CouldNotCheckError(said["failed"])
        if "overdue" in said:
            raise TimeoutError
        if "refused" in said:
            return refused(said["refused"], where, settings.user, database(settings))
        return judge(answer_of(said["facts"], said["latency_ms"], settings.user), settings)


def _left_ms(until: float) -> int:
    return max(int((until - time.monotonic()) * 1_000), 1)
