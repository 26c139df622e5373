"""Alarms of mails that do not go out. Pure. The page may be public: it tells no address, no server and no answer."""

from __future__ import annotations

from collections.abc import Iterator

from detak_collector.mail.letter import HOUR_MS
from detak_collector.operating.alarms import Alarm
from detak_collector.store.outbox import Box
from detak_collector.translation.saying import counted

WAITING = "mail-waiting"
REFUSED = "mail-refused"


def mail_alarms(box: Box, after_ms: int, now: int) -> Iterator[Alarm]:
    """`after_ms`: so long a mail may wait before anybody is told."""
    if box.since_utc is not None and now - box.since_utc >= after_ms:
        text = counted(
            "{number} mail is not sent, for more than {hours} h. It is kept and tried again; `mail list` says why",
            "{number} mails are not sent, the oldest for more than {hours} h. They are kept and tried again; "
            "`mail list` says why",
            box.waiting,
            hours=after_ms // HOUR_MS,
        )
        yield Alarm(WAITING, is_urgent=False, text=text)
    if box.troubled:
        text = counted(
            "{number} mail was refused, or may not have arrived: `mail list` says which, `mail again` sends it once "
            "more, `mail drop` says that it is seen to",
            "{number} mails were refused, or may not have arrived: `mail list` says which, `mail again` sends one once "
            "more, `mail drop` says that it is seen to",
            box.troubled,
        )
        yield Alarm(REFUSED, is_urgent=False, text=text)
