"""The job of the collector that leads: tells people of what waits for them, and sends what is in the outbox.

A summary that the server would not take when cron made it goes out from here. Where mails do not go out there is an
alarm.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from detak_collector.accounts.grants import in_force
from detak_collector.clocks import Clock
from detak_collector.config import Config
from detak_collector.mail.delivery import Delivery
from detak_collector.mail.file import MailTerms
from detak_collector.mail.letter import MINUTE_MS, TROUBLED, Letter, joint_key
from detak_collector.mail.message import Envelope, composed
from detak_collector.mail.pending import people, things
from detak_collector.mail.text import notice_text
from detak_collector.mail.trouble import mail_alarms
from detak_collector.mail.waiting import PURPOSE, Delays, Due, Thing, due, grouped
from detak_collector.operating.alarms import Alarm
from detak_collector.operating.logs import fields
from detak_collector.pair.entry import GRANT
from detak_collector.rules import Rules
from detak_collector.store.base import StoreUnavailableError
from detak_collector.store.outbox import Box
from detak_collector.store.parts import Store
from detak_collector.translation.language import language

EVERY_S = 15.0
LAID_OUT_MS = 10 * MINUTE_MS
"""So often windows that recur are laid out anew, also where nothing was entered."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Posting:
    """Of one serving process. `leads`: whether this collector is the one that sends; all are asked each time."""

    store: Store
    clock: Clock
    config: Callable[[], Config]
    leads: Callable[[], bool]
    rules: Callable[[], Rules]
    trouble: str = field(default="", init=False)
    _stopping: threading.Event = field(default_factory=threading.Event, init=False)
    _told: set[str] = field(default_factory=set, init=False)
    _things: tuple[int, int, list[Thing]] = field(default=(-1, 0, []), init=False)
    _box: Box = field(default=Box(), init=False)

    async def run(self) -> None:
        """Looks for ever; where no mails are configured it waits for a reload."""
        try:
            while True:
                config = self.config()
                if config.mail is not None and self.leads():
                    await asyncio.to_thread(self.look, config, config.mail)
                await asyncio.sleep(EVERY_S)
        finally:
            self._stopping.set()

    def alarms(self, now: int) -> Iterator[Alarm]:
        """Of mails that do not go out, as they were when this collector last looked."""
        terms = self.config().mail
        if terms is not None and self.leads():
            yield from mail_alarms(self._box, terms.alarm_after_ms, now)

    def look(self, config: Config, terms: MailTerms) -> None:
        """Once: takes what is due into the outbox, and sends what waits there."""
        try:
            self._take_due(config, terms)
            done = Delivery(
                self.store.outbox, terms.server, terms.give_up_ms, lambda: self.clock().utc, self._stopping.is_set
            ).round()
            self._box = self.store.outbox.box()
        except StoreUnavailableError as error:
            self._note(str(error))
            return
        for one in done.of(*TROUBLED):
            told = fields(event="mail-not-sent", mail=one.key)
            _log.warning("the mail %s to %s: %s: %s", one.title, one.recipient, one.standing, one.said, extra=told)
        self._note(done.trouble)

    def _take_due(self, config: Config, terms: MailTerms) -> None:
        now = self.clock().utc
        everybody = list(people(self.store.accounts.listing(), in_force(self.store.entries.of(GRANT)), terms))
        waiting = self._waiting(now, config, terms)
        dues = list(due(waiting, everybody, Delays(terms.deputy_after_ms, terms.warn_before_ms), now))
        if all(one.key in self._told for one in dues):
            return
        self._told |= self.store.outbox.told()
        self.store.outbox.add([self._letter(some, config, terms, now) for some in grouped(dues, self._told)])
        self._told |= {one.key for one in dues}

    def _waiting(self, now: int, config: Config, terms: MailTerms) -> list[Thing]:
        mark, laid_out, known = self._things
        if mark == self.store.entries.mark() and now < laid_out + LAID_OUT_MS:
            return known
        mark = self.store.entries.mark()
        ahead_ms = terms.warn_before_ms + LAID_OUT_MS
        known = things(self.store.database, now, ahead_ms, config.seal, self.rules().zone)
        self._things = (mark, now, known)
        return known

    def _letter(self, dues: list[Due], config: Config, terms: MailTerms, now: int) -> Letter:
        # As in report/formats.py.
        from detak_collector.mail.html import notice_html  # noqa: PLC0415
        from detak_collector.mail.notice import notice  # noqa: PLC0415

        rules = self.rules()
        organisation = rules.catalogue.organisation.value_at(now)
        told = notice(dues, language(terms.language), rules.zone, config.url, organisation)
        covers, address = tuple(one.key for one in dues), dues[0].person.address
        key = joint_key(covers)
        envelope = Envelope(key, terms.sender, address, told.subject, terms.language, now)
        names = ", ".join(one.thing.name for one in dues[:3])
        content = composed(envelope, notice_text(told), notice_html(told))
        return Letter(key, PURPOSE, f"{dues[0].cause} {names}", address, covers, content, now)

    def _note(self, trouble: str) -> None:
        if trouble and trouble != self.trouble:
            _log.warning("mails wait: %s", trouble, extra=fields(event="mail-trouble"))
        elif self.trouble and not trouble:
            _log.info("mails are taken again", extra=fields(event="mail-well"))
        self.trouble = trouble
