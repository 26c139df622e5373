"""One HTTP request for each sample, on a fresh connection: loaded with the first sample of an `http` check."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import time

import h11

from detak_agent.checks.addresses import Lookup
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.certificates import days_left, refusal, shared_context
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.http.address import NoWebAddressError
from detak_agent.checks.kinds.http.answer import Answer, judge
from detak_agent.checks.kinds.http.kind import HttpSettings
from detak_agent.checks.kinds.http.request import first_question
from detak_agent.checks.kinds.http.visit import Visit
from detak_agent.checks.threads import in_thread
from detak_agent.http_answer import BrokenAnswerError


class HttpClient:
    """Keeps what is asked first, and what is dear: the TLS context."""

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._lookup = Lookup()
        try:
            self._question = first_question(settings)
            self._question.request()
        except (NoWebAddressError, h11.LocalProtocolError) as error:
            raise CouldNotCheckError(f"the request cannot be made: {error}") from None
        self._context = self._new_context() if self._question.address.is_secure else None

    async def sample(self, deadline_ms: int) -> Outcome:
        patience = patience_s(deadline_ms)
        follows, address = self._settings.follow_redirects, self._question.address
        visit = Visit(self._lookup, self._context_for_tls, follows, time.monotonic() + patience, address)
        try:
            answer = await asyncio.wait_for(self._answer(visit), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"{visit.caller.waiting_for} within {deadline_ms} ms")
        except BrokenAnswerError as error:
            return Outcome("down", f"{visit.caller.where} {error}")
        except ssl.SSLError as error:
            return Outcome("down", refusal(error, visit.address.server_name))
        return judge(answer, self._settings)

    async def _answer(self, visit: Visit) -> Answer:
        begin = time.perf_counter()
        arrival = await visit.arrive(self._question)
        latency_ms = (time.perf_counter() - begin) * 1_000
        days = days_left(arrival.certificates, dt.datetime.now(dt.timezone.utc))
        return Answer(arrival.head.status_code, arrival.body, latency_ms, days)

    async def _context_for_tls(self) -> ssl.SSLContext:
        """Made in a thread where only a redirect leads to TLS: reading all authorities takes the time of a tick."""
        if self._context is None:
            self._context = await in_thread(self._new_context)
        return self._context

    def _new_context(self) -> ssl.SSLContext:
        return shared_context(verify=self._settings.verify_tls, ca_file=self._settings.ca_file)
