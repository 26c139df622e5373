"""One question to every server of a check, all at once. It imports dnspython: only `dns` loads it, when it must."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import dns.exception
import dns.message
import dns.reversename

from detak_agent.checks.addresses import Address, Lookup, endpoint, family_of, met
from detak_agent.checks.base import CouldNotCheckError, Outcome, Surroundings
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.dns.answer import fault, serial_of, shown, values_of
from detak_agent.checks.kinds.dns.exchange import exchange
from detak_agent.checks.kinds.dns.kind import DNS_PORT, DnsSettings, server_endpoint
from detak_agent.checks.kinds.dns.serials import SerialHistory
from detak_agent.checks.kinds.tls.connection import PeerError

_UDP_PAYLOAD_BYTES = 1_232  # what passes everywhere in one piece (DNS flag day 2020)
_RESOLV_CONF = "etc/resolv.conf"
_LOCAL_SERVER = ("127.0.0.1", DNS_PORT)


@dataclass(slots=True)
class Finding:
    """What became of the question to one server; `wrong` follows its name, `error` is what the system met."""

    server: str
    latency_ms: float = 0.0
    wrong: str = ""
    error: OSError | None = None
    answer: dns.message.Message | None = None

    @property
    def words(self) -> str:
        """What is wrong, for people."""
        return self.error.strerror or str(self.error) if self.error is not None else f"{self.server} {self.wrong}"

    @property
    def good(self) -> bool:
        """Whether the server did as it should."""
        return not self.wrong and self.error is None


class DnsClient:
    """Asks anew for each sample; keeps only which serials were seen when."""

    def __init__(self, settings: DnsSettings, surroundings: Surroundings) -> None:
        self._settings = settings
        self._resolv_conf = surroundings.root / _RESOLV_CONF
        self._lookup = Lookup()
        self._serials = SerialHistory()
        try:
            self._name = (
                dns.reversename.from_address(settings.query)
                if settings.type == "PTR" and family_of(settings.query) is not None
                else settings.query
            )
            self._question()
        except (dns.exception.DNSException, UnicodeError) as error:
            raise CouldNotCheckError(f"{settings.query} cannot be asked for: {error}") from None

    async def sample(self, deadline_ms: int) -> Outcome:
        until = asyncio.get_running_loop().time() + patience_s(deadline_ms)
        asked = [self._ask(host, port, until, deadline_ms) for host, port in self._servers()]
        findings: list[Finding] = []
        for found in await asyncio.gather(*asked, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found
            findings.append(found)
        notes = self._compare_serials(findings, time.monotonic()) if self._settings.serial_equal else []
        return judge(findings, notes, self._settings)

    def _servers(self) -> list[tuple[str, int]]:
        """As the settings name them, else as the system has them now (resolv.conf(5))."""
        if self._settings.servers:
            return [server_endpoint(server) for server in self._settings.servers]
        try:
            lines = self._resolv_conf.read_text(errors="replace").splitlines()
        except FileNotFoundError:
            return [_LOCAL_SERVER]
        except OSError as error:
            raise CouldNotCheckError(f"{self._resolv_conf} cannot be read: {error.strerror}") from None
        words = [line.split() for line in lines]
        found = [(line[1], DNS_PORT) for line in words if line[:1] == ["nameserver"] and len(line) > 1]
        return found[:3] or [_LOCAL_SERVER]

    def _question(self) -> dns.message.Message:
        return dns.message.make_query(self._name, self._settings.type, use_edns=0, payload=_UDP_PAYLOAD_BYTES)

    async def _ask(self, host: str, port: int, until: float, deadline_ms: int) -> Finding:
        where = endpoint(host, port) if port != DNS_PORT else host
        finding = Finding(where)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        try:
            finding.wrong = f"was not found by its name within {deadline_ms} ms"
            address = (await asyncio.wait_for(self._lookup.addresses(host, port), until - begin))[0]
            finding.wrong = f"did not answer within {deadline_ms} ms"
            finding.answer = await self._exchange(address, where, until)
            finding.wrong = fault(finding.answer, self._settings)
        except asyncio.TimeoutError:
            pass
        except PeerError as error:
            finding.wrong = str(error)
        except OSError as error:
            finding.error = error
        finding.latency_ms = (loop.time() - begin) * 1_000
        return finding

    async def _exchange(self, address: Address, where: str, until: float) -> dns.message.Message:
        try:
            return await exchange(self._question(), address, self._settings.transport, until)
        except asyncio.TimeoutError:  # from Python 3.11 on it is an OSError
            raise
        except OSError as error:
            raise met(error, where) from error

    def _compare_serials(self, findings: list[Finding], now: float) -> list[str]:
        """Marks who is behind for too long as wrong; returns words on who is behind for less."""
        serials = {
            finding.server: serial_of(finding.answer)
            for finding in findings
            if finding.good and finding.answer is not None
        }
        if not serials:
            return []
        latest = self._serials.note(serials.values(), now)
        grace_s = self._settings.serial_grace_ms / 1_000
        notes = []
        for finding in findings:
            serial = serials.get(finding.server, latest)
            if serial == latest:
                continue
            behind_s = self._serials.behind_s(serial, now)
            words = f"has serial {serial} while another has {latest}, for {behind_s:.0f} s"
            if behind_s >= grace_s:
                finding.wrong = f"{words} (limit {grace_s:.0f} s)"
            else:
                notes.append(f"{finding.server} {words}")
        return notes


def judge(findings: list[Finding], notes: list[str], settings: DnsSettings) -> Outcome:
    """Pure: the state for what all servers did."""
    good = [finding for finding in findings if finding.good]
    bad = [finding for finding in findings if not finding.good]
    values = {"servers_good": float(len(good))}
    if good:
        values["latency_ms"] = max(finding.latency_ms for finding in good)
    wrong = _counted("; ".join(finding.words for finding in bad), bad, findings)
    if len(good) < settings.at_least:
        errors = [finding.error for finding in findings if finding.error is not None]
        if len(errors) == len(findings):
            # All the same kind of fault: its number tells the runner whether it is this machine's own.
            raise OSError(errors[0].errno, wrong)
        return Outcome("down", wrong, values=values)
    found = [wrong] if bad else []
    found += [
        f"slow: {finding.server} answered after {finding.latency_ms:.0f} ms (limit {settings.slow_ms} ms)"
        for finding in good
        if settings.slow_ms is not None and finding.latency_ms > settings.slow_ms
    ]
    if found:
        return Outcome("degraded", "; ".join(found), values=values)
    return Outcome("up", "; ".join([_answered(good, settings), *notes]), values=values)


def _counted(wrong: str, bad: list[Finding], findings: list[Finding]) -> str:
    return wrong if len(findings) == 1 else f"{len(bad)} of {len(findings)} servers fail: {wrong}"


def _answered(good: list[Finding], settings: DnsSettings) -> str:
    latency_ms = max(finding.latency_ms for finding in good)
    answers: set[str] = set()
    for finding in good:
        if finding.answer is not None:
            answers |= (
                {str(serial_of(finding.answer))} if settings.serial_equal else values_of(finding.answer, settings)
            )
    what = f"serial {shown(answers)}" if settings.serial_equal else shown(answers)
    who = f" from {len(good)} servers" if len(good) > 1 else ""
    return f"{what}{who} in {latency_ms:.0f} ms"
