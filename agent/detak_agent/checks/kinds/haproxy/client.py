"""One connection to HAProxy for each sample, to its socket or its page of statistics."""

from __future__ import annotations

import asyncio
import errno
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import refusal, shared_context
from detak_agent.checks.connecting import Caller
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.http_get import TooLongError, basic, fetch, request_for
from detak_agent.checks.kinds.haproxy.health import Answer, judge
from detak_agent.checks.kinds.haproxy.kind import HaproxySettings
from detak_agent.checks.kinds.haproxy.stats import (
    BACKEND,
    FIRST,
    FRONTEND,
    NotStatisticsError,
    Process,
    Row,
    process_of,
    rows_of,
)
from detak_agent.checks.kinds.http.address import host_and_port
from detak_agent.checks.secrets import SecretReader
from detak_agent.checks.uptimes import UptimeMark
from detak_agent.http_answer import BrokenAnswerError

MOST_BYTES = 16 * 1_024 * 1_024
_READ_BYTES = 65_536
_SHOWN_NAMES = 12


class Told(NamedTuple):
    """What HAProxy said in one sample; the process is told by a socket only."""

    rows: list[Row]
    process: Process | None


class HaproxyClient:
    """Keeps the start of what it watches, for its mark; no connection."""

    def __init__(self, settings: HaproxySettings) -> None:
        self._settings = settings
        self._source = _Socket(settings) if settings.socket else _Page(settings)
        self._start = UptimeMark()

    async def sample(self, deadline_ms: int) -> Outcome:
        source, patience = self._source, patience_s(deadline_ms)
        until = time.monotonic() + patience
        try:
            told = await asyncio.wait_for(source.told(until), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{source.caller.waiting_for} within {deadline_ms} ms")
        except TooLongError:
            raise CouldNotCheckError(f"{source.caller.where} sends more than {MOST_BYTES} bytes") from None
        except NotStatisticsError:
            raise CouldNotCheckError(f"{source.caller.where} answers, but not with HAProxy's statistics") from None
        answer = self._answer(told)
        return judge(answer, self._settings, self._marks(answer))

    def _answer(self, told: Told) -> Answer:
        settings = self._settings
        rows = [row for row in told.rows if row.proxy == settings.proxy]
        name = settings.server or (FRONTEND if settings.frontend else BACKEND)
        found = next((row for row in rows if row.name == name), None)
        if found is None:
            raise CouldNotCheckError(self._absent(told.rows, rows))
        whole = name == BACKEND
        return Answer(found, [row for row in rows if whole and row.name not in {FRONTEND, BACKEND}], told.process)

    def _absent(self, every: list[Row], of_proxy: list[Row]) -> str:
        settings = self._settings
        servers = [row.name for row in of_proxy if row.name not in {FRONTEND, BACKEND}]
        if settings.server and servers:
            return f"backend {settings.backend} has no server {settings.server!r}; it has {_listed(servers)}"
        kind, side = ("frontend", FRONTEND) if settings.frontend else ("backend", BACKEND)
        names = [row.proxy for row in every if row.name == side]
        return f"HAProxy has no {kind} {settings.proxy!r}; it has {_listed(names)}"

    def _marks(self, answer: Answer) -> dict[str, str]:
        row, process = answer.row, answer.process
        marks = {} if row.times_down is None else {"times_down": str(row.times_down)}
        if process is not None:
            started = self._started(process.uptime_s) if process.started_s is None else str(process.started_s)
            marks["process"] = f"{process.pid}:{started}"
        elif row.unchanged_s is not None:
            marks["unchanged_since"] = self._started(row.unchanged_s)
        return marks

    def _started(self, uptime_s: int) -> str:
        return self._start.of(uptime_s, time.clock_gettime(time.CLOCK_BOOTTIME), time.time())


def _listed(names: list[str]) -> str:
    more = ["…"] if len(names) > _SHOWN_NAMES else []
    return ", ".join([*names[:_SHOWN_NAMES], *more]) or "none"


class _Socket:
    """The stats socket: it tells the process too."""

    def __init__(self, settings: HaproxySettings) -> None:
        self.caller = Caller(settings.socket, 0)
        self._proxy = settings.proxy
        self._side = FRONTEND if settings.frontend else BACKEND

    async def told(self, until: float) -> Told:
        text = await self._said(f"show info;show stat {self._proxy} -1 -1", until)
        info, mark, table = text.partition(FIRST)
        rows = rows_of(mark + table) if mark else []
        if not any(row.name == self._side for row in rows):
            # There is no such frontend or backend: which are there?
            rows = rows_of(await self._said("show stat -1 3 -1", until))
        return Told(rows, process_of(info))

    async def _said(self, command: str, until: float) -> str:
        loop = asyncio.get_running_loop()
        try:
            with await self.caller.connected(until) as connected:
                await loop.sock_sendall(connected, f"{command}\n".encode())
                heard = bytearray()
                while part := await loop.sock_recv(connected, _READ_BYTES):
                    heard += part
                    if len(heard) > MOST_BYTES:
                        raise TooLongError
        except PermissionError:
            raise CouldNotCheckError(
                f"the agent may not talk to {self.caller.where}: give its user the right in HAProxy's line "
                "`stats socket PATH user detak-agent mode 600 level user`"
            ) from None
        except FileNotFoundError as error:
            words = f"there is no socket {self.caller.where}: HAProxy does not run, or its `stats socket` is another"
            raise OSError(errno.ENOENT, words) from error
        except OSError as error:
            raise met(error, self.caller.where) from error
        if not heard:
            raise OSError(errno.ECONNRESET, f"{self.caller.where} closed the connection without an answer")
        return heard.decode(errors="replace")


class _Page:
    """The page of statistics, over HTTP."""

    def __init__(self, settings: HaproxySettings) -> None:
        url = urlsplit(settings.url)
        self._host, port = host_and_port(url)
        self.caller = Caller(self._host, port)
        self._user = settings.user
        self._password = SecretReader(settings.password, settings.password_file)
        self._authority = url.netloc
        self._target = f"{(url.path or '/').removesuffix(';csv')};csv;norefresh"
        secure = url.scheme == "https"
        self._context = shared_context(verify=settings.verify_tls, ca_file=settings.ca_file) if secure else None

    async def told(self, until: float) -> Told:
        password = await self._password.read(max(1, int((until - time.monotonic()) * 1_000)))
        request = request_for(self._target, self._authority, basic(self._user, password))
        connected = await self.caller.connected(until)
        try:
            page = await fetch(connected, self._context, self._host, request, MOST_BYTES, FIRST.encode())
        except ssl.SSLError as error:
            raise CouldNotCheckError(refusal(error, self._host)) from error
        except BrokenAnswerError as error:
            raise OSError(errno.EPROTO, f"{self.caller.where} {error}") from error
        except OSError as error:
            raise met(error, self.caller.where) from error
        if page.status != 200:
            raise CouldNotCheckError(f"{self.caller.where} {self._refused(page.status)}")
        return Told(rows_of(page.body.decode(errors="replace")), None)

    def _refused(self, status: int) -> str:
        if status == 401:
            return (
                f"refuses user {self._user!r}: is the password right?" if self._user else "wants a user and a password"
            )
        return f"answers with status {status}: is this path the one of its line `stats uri`?"
