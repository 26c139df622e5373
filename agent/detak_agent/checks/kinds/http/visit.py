"""The way of one sample: from the first server, over those that send it elsewhere, to the one with the last answer."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from detak_agent.checks.addresses import Lookup, met
from detak_agent.checks.connecting import Caller
from detak_agent.checks.http_exchange import Exchange, exchange
from detak_agent.checks.kinds.http.address import NoWebAddressError, WebAddress
from detak_agent.checks.kinds.http.body import Body
from detak_agent.checks.kinds.http.request import Head, Question, values_of
from detak_agent.http_answer import BrokenAnswerError

MOST_REDIRECTS = 10


@dataclass(frozen=True, slots=True)
class Arrival:
    """The last answer, and the certificates of all servers on the way, as DER."""

    head: Head
    body: Body
    certificates: list[bytes]


@dataclass
class Visit:
    """`caller` and `address` are those of the server that is being asked."""

    lookup: Lookup
    context: Callable[[], Awaitable[ssl.SSLContext]]
    follows: bool
    until: float
    """In time.monotonic()."""
    address: WebAddress
    certificates: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.caller = self._caller()

    async def arrive(self, question: Question) -> Arrival:
        """OSError with words, ssl.SSLError, or BrokenAnswerError of what the server in `caller` did."""
        for _ in range(MOST_REDIRECTS + 1):
            self.address = question.address
            self.caller = self._caller()
            asked = await self._ask(question)
            if isinstance(asked, Arrival):
                return asked
            question = asked
        raise BrokenAnswerError(f"redirects more than {MOST_REDIRECTS} times")

    async def _ask(self, question: Question) -> Arrival | Question:
        """The last answer, or what is to be asked next."""
        context = await self.context() if self.address.is_secure else None
        connected = await self.caller.connected(self.until)
        if context is not None:
            self.caller.waiting_for = f"{self.caller.where} took the connection, but did not complete the TLS handshake"
        try:
            async with exchange(connected, context, self.address.server_name) as exchanged:
                return await self._converse(question, exchanged)
        except ssl.SSLError:
            raise
        except OSError as error:
            raise met(error, self.caller.where) from error

    async def _converse(self, question: Question, exchanged: Exchange) -> Arrival | Question:
        self.caller.waiting_for = f"{self.caller.where} took the connection, but did not answer"
        if exchanged.certificate is not None:
            self.certificates.append(exchanged.certificate)
        head = await exchanged.ask(question.request(), question.body)
        following = self._following(question, head)
        if following is not None:
            return following
        status = head.status_code
        self.caller.waiting_for = f"{self.caller.where} answered with status {status}, but its answer did not end"
        return Arrival(head, await _body(head, exchanged), self.certificates)

    def _following(self, question: Question, head: Head) -> Question | None:
        try:
            return question.after(head) if self.follows else None
        except NoWebAddressError:
            raise BrokenAnswerError("redirects to something that is not a web address") from None

    def _caller(self) -> Caller:
        return Caller(self.address.host, self.address.port, self.lookup)


async def _body(head: Head, exchanged: Exchange) -> Body:
    body = Body(values_of(head, b"content-encoding"))
    if head.status_code < 200:
        return body
    while part := await exchanged.part():
        body.take(part)
        if body.is_cut:
            return body
    body.end()
    return body
