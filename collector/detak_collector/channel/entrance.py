"""The way in to a serving collector, in one piece: its door, its certificate and what is to be told of them.

What other commands need to know of it is noted in the state directory (`channel/note.py`).
"""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass

from aiohttp import web

from detak_collector.channel.authority_files import AuthorityFolder, renew_if_due
from detak_collector.channel.certificate_alarms import end_alarms, refused_alarm, told_addresses
from detak_collector.channel.certificate_files import CertificateError, Period, period_of
from detak_collector.channel.certificate_refusals import CertificateRefusals, Refuser, is_unheard
from detak_collector.channel.door import Door
from detak_collector.channel.door_site import DoorSite
from detak_collector.channel.note import FILE_NAME, Noted, read_noted, write_noted
from detak_collector.channel.tls import ServedTls
from detak_collector.clocks import Clock
from detak_collector.config import Config, Tls
from detak_collector.errors import CannotServeError
from detak_collector.operating.alarms import Alarm

NOTE_S = 5.0
RENEW_LOOK_S = 3_600.0

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Heard:
    """How many nodes were heard within half the deadline, so before any is presumed down, of how many there are."""

    nodes: int
    expected: int


class Channel:
    """Of one serving process, used in its event loop only."""

    def __init__(self, config: Config, clock: Clock) -> None:
        """Raises CannotServeError where the certificate cannot be served."""
        self._config = config
        self._clock = clock
        self._served = None if config.tls is None else _served(config.tls, clock)
        self._noted = read_noted(config.state_directory) or Noted(0)
        self._told: frozenset[str] = frozenset()
        self._unheard = False
        self.door = Door(clock, self._context, CertificateRefusals(self._noted.known))

    @property
    def scheme(self) -> str:
        """What its addresses begin with."""
        return "http" if self._served is None else "https"

    def site(self, runner: web.AppRunner, backlog: int) -> DoorSite:
        """What listens."""
        return DoorSite(runner, self.door, self._config.host, self._config.port, backlog)

    def reload(self) -> None:
        """Takes the certificate as it is now; where it is not right, the old one stays."""
        if self._served is not None:
            self._served.reload()

    async def run(self) -> None:
        """Keeps all of it in order for ever."""
        work = [self.door.run(), self._note_for_ever()]
        if self._served is not None:
            work += [self._served.watch(), self._renew_for_ever()]
        async with asyncio.TaskGroup() as group:
            for one in work:
                group.create_task(one)

    def is_unheard(self, heard: Heard, now_utc: int) -> bool:
        """Whether its certificate keeps most of its nodes away: then their silence says nothing."""
        refusers = self.door.certificates.standing(now_utc)
        self._tell(refusers)
        self._unheard = is_unheard(refusers, heard.nodes, heard.expected)
        return self._unheard

    def alarms(self, now_utc: int) -> Iterator[Alarm]:
        """What somebody must see to."""
        yield from end_alarms(self.ends(), now_utc)
        yield from refused_alarm(self.door.certificates.standing(now_utc), unheard=self._unheard)

    def ends(self) -> Mapping[str, Period]:
        """When the certificate served and that of its authority are good, as far as they are known."""
        if self._served is None:
            return {}
        return {"collector": self._served.period, **_authority_period(self._config.tls)}

    def announced(self) -> bytes | None:
        """The certificates of the authorities that agents are to trust, PEM; None where they are others'."""
        if self._config.tls is None or self._config.tls.authority is None:
            return None
        with suppress(CertificateError):
            return AuthorityFolder(self._config.tls.authority).announced()
        return None

    def _context(self) -> ssl.SSLContext | None:
        return None if self._served is None else self._served.context

    def _tell(self, refusers: list[Refuser]) -> None:
        """Logs each address once for as long as it refuses."""
        new = [one for one in refusers if one.address not in self._told]
        self._told = frozenset(one.address for one in refusers)
        if new:
            _log.error("the certificate is refused by %s: %s", told_addresses(new), new[0].reason)

    async def _note_for_ever(self) -> None:
        while True:
            await asyncio.sleep(NOTE_S)
            certificates = self.door.certificates
            now = self._clock().utc
            found = Noted(now, self._unheard, certificates.standing(now), list(certificates.known))
            if found.refusers or self._noted.refusers or found.known != self._noted.known:
                self._noted = found
                await asyncio.to_thread(self._note, found)

    def _note(self, found: Noted) -> None:
        try:
            write_noted(self._config.state_directory, found)
        except OSError as error:
            _log.debug("%s: %s", self._config.state_directory / FILE_NAME, error.strerror)

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.to_thread(self._renew)
            await asyncio.sleep(RENEW_LOOK_S)

    def _renew(self) -> None:
        tls = self._config.tls
        assert tls is not None
        try:
            if renew_if_due(tls, self._clock().utc):
                _log.info("certificate renewed by the own authority: %s", tls.certificate)
        except (CertificateError, OSError) as error:
            _log.error("certificate not renewed: %s", error)


def _served(tls: Tls, clock: Clock) -> ServedTls:
    try:
        return ServedTls(tls, lambda: clock().utc)
    except CertificateError as error:
        raise CannotServeError(f"tls.certificate {tls.certificate}, tls.key {tls.key}: {error}") from error


def _authority_period(tls: Tls | None) -> Mapping[str, Period]:
    if tls is None or tls.authority is None:
        return {}
    try:
        return {"authority": period_of(AuthorityFolder(tls.authority).certificates()[0])}
    except CertificateError:
        return {}
