"""The mails of one summary: each recipient's own part, language and attachments. What is the same is made once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from detak_collector.accounts.roles import Role
from detak_collector.downtime.derive import Result
from detak_collector.mail.content import Around, Summary
from detak_collector.mail.html import html
from detak_collector.mail.letter import Letter, key_of
from detak_collector.mail.matter import summary
from detak_collector.mail.message import Attachment, Envelope, Inline, composed, fitting
from detak_collector.mail.periods import kind_of
from detak_collector.mail.png import png
from detak_collector.mail.recipients import Recipient
from detak_collector.mail.text import text
from detak_collector.report.formats import FORMATS, Order
from detak_collector.report.matter import Matter
from detak_collector.report.narrowed import narrowed
from detak_collector.translation.language import Language, language, mark

PURPOSE = "summary"
TYPES = {"pdf": "application/pdf", "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"}
ROLES = {
    Role.VIEWER: mark("viewers"),
    Role.OPERATOR: mark("operators"),
    Role.APPROVER: mark("approvers"),
    Role.AUDITOR: mark("auditors"),
    Role.ADMIN: mark("administrators"),
}


@dataclass(slots=True)
class Summaries:
    """All mails about one whole result. `effects` measures what each exclusion changed, for what is attached.

    `url` is where people reach the collector, `waiting` how many proposals wait, `sender` what stands in From.
    """

    result: Result
    effects: Callable[[], Mapping[str, int]]
    url: str
    sender: str
    waiting: int
    now_utc: int
    _parts: dict[str | None, Result] = field(default_factory=dict, init=False)
    _files: dict[tuple[str | None, str, str], Attachment] = field(default_factory=dict, init=False)
    _measured: Mapping[str, int] | None = field(default=None, init=False)

    def key(self, one: Recipient) -> str:
        """What tells that this recipient was sent the summary of this period."""
        return key_of(PURPOSE, self.result.period.name, one.of or "", one.address.casefold())

    def letter(self, one: Recipient) -> Letter:
        """The mail to one recipient; raises UnknownPartError."""
        mail, taken = self._mail(one)
        key = self.key(one)
        envelope = Envelope(key, self.sender, one.address, mail.subject, one.language, self.now_utc)
        pictures = [Inline(picture.name, png(picture.drawing)) for picture in mail.pictures]
        content = composed(envelope, text(mail), html(mail, key), pictures, taken)
        title = f"{self.result.period.name} {one.of}" if one.of else self.result.period.name
        return Letter(key, PURPOSE, title, one.address, (key,), content, self.now_utc, mail.head)

    def preview(self, of: str | None, code: str) -> str:
        """The text of the mail about a part of it, or the whole; raises UnknownPartError."""
        return text(self._mail(Recipient("", of, (), code, None))[0])

    def _mail(self, one: Recipient) -> tuple[Summary, list[Attachment]]:
        told = language(one.language)
        taken, left = fitting([self._attachment(one, form) for form in one.attach])
        around = Around(
            link=_link(self.url, self.result, one.of),
            attached=tuple(file.name for file in taken),
            left_out=tuple(file.name for file in left),
            reason=_reason(one, told, self.url),
            waiting=self.waiting,
        )
        return summary(Matter(self._part(one.of), told, {}), around), taken

    def _part(self, of: str | None) -> Result:
        if of not in self._parts:
            self._parts[of] = self.result if of is None else narrowed(self.result, of)
        return self._parts[of]

    def _attachment(self, one: Recipient, form: str) -> Attachment:
        wanted = (one.of, one.language, form)
        if wanted not in self._files:
            if self._measured is None:
                self._measured = self.effects()
            order = Order(language=one.language, effects=self._measured)
            name = "-".join(("detak", *([one.of] if one.of else []), self.result.period.name))
            content = FORMATS[form].made(self._part(one.of), order)
            self._files[wanted] = Attachment(f"{name}.{form}", TYPES[form], content)
        return self._files[wanted]


def _link(url: str, result: Result, of: str | None) -> str:
    if any(one.service.id == of for one in result.services):
        return f"{url}/service/{of}"
    year = result.period.name[:4]
    return f"{url}/figure/{year if kind_of(result.period) == 'weekly' else result.period.name}"


def _reason(one: Recipient, told: Language, url: str) -> str:
    if not one.address:
        return told.say("Sent by {url}", url=url)
    if one.role is None:
        return told.say("Sent by {url} to {address}, which collector.toml names for it.", url=url, address=one.address)
    return told.say("Sent by {url} to {address}: all {role} get it.", url=url, address=one.address,
                    role=told.say(ROLES[one.role]))  # fmt: skip
