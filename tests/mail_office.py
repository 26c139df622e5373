"""A collector's job that posts mails, to accounts of every role, at a real SMTP server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.clocks import Reading
from detak_collector.config import Config, load
from detak_collector.decisions.recording import Author, Draft, Ruling, enter
from detak_collector.mail.posting import Posting
from detak_collector.pair.entry import GRANT
from detak_collector.rules import Rules, rules_in_force
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from mail_server import Inbox, mail_server
from outage_history import SERVICES

HOUR, DAY = 3_600_000, 86_400_000
CONFIG = """
[mail]
server = "127.0.0.1:{port}"
security = "none"
timeout_ms = 1000
sender = "Detak <detak@example.go.id>"
deputies = ["dewi"]
language = "id"
"""


@dataclass
class Office:
    """A collector's job that posts, its store, and a clock that a test moves."""

    store: Store
    config: Config
    rules: Rules
    inbox: Inbox
    now: int

    def __post_init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        self.posting = Posting(
            self.store, lambda: Reading(self.now, self.now, "b"), lambda: self.config, lambda: True, lambda: self.rules
        )

    def look(self, later_ms: int = 0) -> list[tuple[str, str]]:
        """Who gets which mail when the job looks at that time."""
        self.now += later_ms
        self.inbox.taken.clear()
        assert self.config.mail is not None
        self.posting.look(self.config, self.config.mail)
        return sorted((recipient.partition("@")[0], str(mail["Subject"])) for recipient, mail in self.mails())

    def mails(self) -> list[tuple[str, EmailMessage]]:
        pairs = zip(self.inbox.taken, self.inbox.mails(), strict=True)
        return [(recipient, mail) for (recipient, _), mail in pairs]

    def enter(self, step: Draft | Ruling, author: str) -> str:
        return enter(self.store.database, [step], Author(author, author), self.now)[1][0]

    def alarms(self) -> list[str]:
        """The keys of the alarms at the job's last look, as of now."""
        return [one.key for one in self.posting.alarms(self.now)]


@contextmanager
def mail_office(folder: Path) -> Iterator[Office]:
    """The approvers ani and budi, their deputy dewi, and the operator omar."""
    now = reading(0)
    (folder / "services.toml").write_text(SERVICES)
    with mail_server() as inbox, closing(open_store(folder, now)) as store:
        path = folder / "collector.toml"
        path.write_text(f'state_directory = "{folder}"\n' + CONFIG.format(port=inbox.port))
        config = load(path)
        for name in ("ani", "budi", "dewi", "omar"):
            assert store.accounts.add(Account(name, name.title(), f"{name}@example.go.id", Origin.LOCAL, 0))
            role = Role.OPERATOR if name == "omar" else Role.APPROVER
            store.entries.append(
                GRANT, body_of(Wish(name, role, "root", Source.MACHINE), withdrawn=False), "r", now.utc
            )
        yield Office(store, config, rules_in_force(config, store.entries), inbox, now.utc)
