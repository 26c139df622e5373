"""One connection to upsd for each sample."""

from __future__ import annotations

import asyncio
import errno
import time

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.ups.health import judge, uptime_s
from detak_agent.checks.kinds.ups.kind import UpsSettings
from detak_agent.checks.kinds.ups.protocol import Conversation, NotNutError, UpsdError
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.uptimes import UptimeMark

_SHOWN_NAMES = 12

_NO_DATA = {
    "DATA-STALE": "upsd has lost the UPS: its driver gets no data any more (cable, its network card, driver hung?)",
    "DRIVER-NOT-CONNECTED": "the driver of the UPS does not run: see `upsdrvctl start` and the log of nut-driver",
}
_REFUSED = {
    "ACCESS-DENIED": "upsd does not let this node read",
    "USERNAME-REQUIRED": "upsd wants a user: set user and password",
    "PASSWORD-REQUIRED": "upsd wants a password: set user and password",
    "INVALID-USERNAME": "upsd refuses the user",
    "INVALID-PASSWORD": "upsd refuses the password",
}

_NOT_THERE = frozenset({errno.ECONNREFUSED, errno.ECONNRESET, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ETIMEDOUT})
"""What says that upsd does not answer, and is no fault of this machine's own."""


class UpsClient:
    """Keeps the start of the device, for its mark; no connection."""

    def __init__(self, settings: UpsSettings) -> None:
        self._settings = settings
        self._caller = Caller(settings.host, settings.port)
        self._password = SecretReader(settings.password, settings.password_file)
        self._start = UptimeMark()

    async def sample(self, deadline_ms: int) -> Outcome:
        password, patience = await self._password.read(deadline_ms), patience_s(deadline_ms)
        until = time.monotonic() + patience
        try:
            variables = await asyncio.wait_for(self._ask(password, until), patience)
        except asyncio.TimeoutError:
            return self._blind(f"{self._caller.waiting_for} within {deadline_ms} ms")
        except NotNutError:
            return self._blind(f"{self._caller.where} does not speak NUT's protocol")
        except UpsdError as error:
            return self._told(error)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                raise
            return self._blind(error.strerror or str(error))
        return judge(variables, self._settings, self._marks(variables))

    async def _ask(self, password: str, until: float) -> dict[str, str]:
        with await self._caller.connected(until) as connected:
            conversation = Conversation(connected)
            try:
                if self._settings.user:
                    await conversation.sign_in(self._settings.user, password)
                return await self._variables(conversation)
            except OSError as error:
                raise met(error, self._caller.where) from error

    async def _variables(self, conversation: Conversation) -> dict[str, str]:
        ups = self._settings.ups
        try:
            return await conversation.variables(ups)
        except UpsdError as error:
            if error.code != "UNKNOWN-UPS":
                raise
        names = await conversation.names()
        known = ", ".join(names[:_SHOWN_NAMES]) or "none"
        raise CouldNotCheckError(f"upsd at {self._caller.where} has no UPS {ups!r}; it has {known}")

    def _told(self, error: UpsdError) -> Outcome:
        if error.code in _NO_DATA:
            return self._blind(_NO_DATA[error.code])
        raise CouldNotCheckError(_REFUSED.get(error.code, f"upsd at {self._caller.where} answers ERR {error.code}"))

    def _blind(self, words: str) -> Outcome:
        return Outcome(self._settings.no_data, words)

    def _marks(self, variables: dict[str, str]) -> dict[str, str]:
        running_s = uptime_s(variables)
        if running_s is None:
            return {}
        return {"started": self._start.of(running_s, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())}
