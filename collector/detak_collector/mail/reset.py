"""The mail with a link that sets a password, in the language in which mails are written to people here."""

from __future__ import annotations

from detak_collector.accounts.account import Account
from detak_collector.mail.file import MailTerms
from detak_collector.mail.html import notice_html
from detak_collector.mail.letter import HOUR_MS, Letter, key_of
from detak_collector.mail.message import Envelope, composed
from detak_collector.mail.notice import Item, Notice
from detak_collector.mail.text import notice_text
from detak_collector.translation.language import language

PURPOSE = "reset"
LINK_MS = HOUR_MS


def reset_letter(account: Account, link: str, terms: MailTerms, url: str, now: int) -> Letter:
    """The mail to the owner of the account; another one each time, since each link is another one."""
    told = language(terms.language)
    title = told.say("Set another password for {name}", name=account.name)
    notice = Notice(
        language=told,
        subject=f"{title} \N{EN DASH} {url}",
        title=title,
        sentence=told.say(
            "Somebody asked for this. The link works once, within one hour. If it was not you, do nothing: the old "
            "password stays good."
        ),
        items=(Item(told.say("Set the password"), (), link),),
        more="",
        footer=told.say("Sent by {url}", url=url),
    )
    key = key_of(PURPOSE, account.name, link)
    envelope = Envelope(key, terms.sender, account.mail, notice.subject, terms.language, now)
    content = composed(envelope, notice_text(notice), notice_html(notice))
    return Letter(key, PURPOSE, f"reset {account.name}", account.mail, (key,), content, now)
