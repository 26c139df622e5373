"""Mails and a real SMTP server: each is sent once, whatever the server does, and one that fails stops no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from certificates import self_signed
from conftest import program_path
from detak_collector.mail.delivery import Delivery, Round
from detak_collector.mail.letter import CLAIM_MS, HOUR_MS, MINUTE_MS, Letter, Standing, key_of
from detak_collector.mail.message import Envelope, composed
from detak_collector.mail.smtp import Server
from detak_collector.pair.entry import MAIL
from detak_collector.store.outbox import SqlOutbox
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from mail_server import CLOSE, SILENT, Inbox, mail_server

SENDER = "Detak <detak@example.go.id>"
GIVE_UP_MS = 72 * HOUR_MS
NAMES = ("ani", "budi", "citra")
KEYS = [key_of("summary", "2026-10", "", name) for name in NAMES]


def letter(name: str, now: int, text: str = "Selamat pagi.\n.\n..dots\n") -> Letter:
    address, key = f"{name}@example.go.id", key_of("summary", "2026-10", "", name)
    content = composed(Envelope(key, SENDER, address, "Ringkasan", "id", now), text, "<p>Selamat pagi.</p>")
    return Letter(key, "summary", "2026-10", address, (key,), content, now)


@dataclass
class Post:
    """An outbox with a mail for each of NAMES, its server, and a clock that a test moves."""

    store: Store
    inbox: Inbox
    now: int = 1_700_000_000_000
    server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.server = Server("127.0.0.1", self.inbox.port, "none", "detak@example.go.id", timeout_ms=1_000)
        self.store.outbox.add([letter(name, self.now) for name in NAMES])

    @property
    def delivery(self) -> Delivery:
        return Delivery(self.store.outbox, self.server, GIVE_UP_MS, lambda: self.now)

    def round(self) -> Round:
        return self.delivery.round()

    def standing(self, name: str) -> Standing:
        (found,) = self.store.outbox.with_keys([key_of("summary", "2026-10", "", name)])
        return found.standing

    def standings(self) -> list[Standing]:
        return [self.standing(name) for name in NAMES]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as one:
        yield one


@pytest.fixture
def post(tmp_path: Path, inbox: Inbox) -> Iterator[Post]:
    with closing(open_store(tmp_path, reading(0))) as store:
        yield Post(store, inbox)


ALL = [f"{name}@example.go.id" for name in NAMES]


def test_each_mail_arrives_once_whole_and_as_it_was_written(post: Post, inbox: Inbox) -> None:
    assert [one.standing for one in post.round().found.values()] == [Standing.SENT] * 3
    assert inbox.recipients == ALL
    assert not post.round().found
    assert len(inbox.taken) == 3
    for mail in inbox.mails():
        body = mail.get_body(("plain",))
        assert body is not None
        assert body.get_content().replace("\r\n", "\n") == "Selamat pagi.\n.\n..dots\n"
        assert mail["Message-ID"].startswith(f"<{key_of('summary', '2026-10', '', str(mail['To']).partition('@')[0])}@")
    assert len(post.store.entries.of(MAIL)) == 3
    assert "example.go.id" not in "".join(one.body for one in post.store.entries.of(MAIL))


def test_the_same_mails_are_not_taken_into_the_outbox_again(post: Post, inbox: Inbox) -> None:
    assert post.store.outbox.add([letter(name, post.now) for name in (*NAMES, "dewi")]) == 1
    post.round()
    assert post.store.outbox.add([letter(name, post.now + 1) for name in NAMES]) == 0
    assert len(inbox.taken) == 4


@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("fault", [CLOSE, "421 4.3.2 going down", "451 4.7.1 later"])
def test_until_the_server_agreed_a_mail_waits_and_arrives_once_when_all_is_well(
    post: Post, inbox: Inbox, step: str, fault: str
) -> None:
    inbox.faults[step] = fault
    post.round()
    assert post.standings() == [Standing.WAITING] * 3
    inbox.faults.clear()
    post.round()
    assert inbox.taken == [], "it is tried again later, and not at once"
    post.now += MINUTE_MS
    post.round()
    assert post.standings() == [Standing.SENT] * 3
    assert inbox.recipients == ALL


def test_a_server_that_says_nothing_is_given_up_in_time(post: Post, inbox: Inbox) -> None:
    inbox.faults["EHLO"] = SILENT
    assert post.round().trouble == "no answer in time"
    assert post.standings() == [Standing.WAITING] * 3


@pytest.mark.parametrize("step", ["RCPT", "DATA", "body"])
def test_a_recipient_that_is_refused_stops_no_other(post: Post, inbox: Inbox, step: str) -> None:
    turn = iter([None, "550 5.1.1 no such user", None])
    inbox.faults[step] = lambda _: next(turn)
    done = post.round()
    assert sorted(post.standings()) == sorted([Standing.REFUSED, Standing.SENT, Standing.SENT])
    (refused,) = done.of(Standing.REFUSED)
    assert refused.said.endswith("550 5.1.1 no such user")
    post.now += 24 * HOUR_MS
    assert not post.round().found
    post.store.outbox.again(refused.key, post.now)
    inbox.faults.clear()
    inbox.taken.clear()
    post.round()
    assert inbox.recipients == [refused.recipient]


def test_a_server_that_greylists_gets_the_mail_again_in_the_same_run(post: Post, inbox: Inbox) -> None:
    seen: set[str] = set()

    def unknown_at_first(said: str) -> str | None:
        is_new = said not in seen
        seen.add(said)
        return "451 4.7.1 greylisted, try again later" if is_new else None

    inbox.faults["RCPT"] = unknown_at_first

    def pause(seconds: float) -> None:
        post.now += int(seconds * 1_000)

    done = post.delivery.rounds(KEYS, 300, pause)
    assert [one.standing for one in done.found.values()] == [Standing.SENT] * 3
    assert inbox.recipients == ALL


@pytest.mark.parametrize("fault", [CLOSE, SILENT])
def test_a_mail_whose_answer_never_came_is_not_sent_again_by_itself(post: Post, inbox: Inbox, fault: str) -> None:
    turn = iter([fault])
    inbox.faults["body"] = lambda _: next(turn, None)
    done = post.round()
    assert sorted(post.standings()) == sorted([Standing.UNSURE, Standing.SENT, Standing.SENT])
    assert inbox.recipients == ALL, "the server had taken it"
    post.now += 24 * HOUR_MS
    post.round()
    assert len(inbox.taken) == 3
    (unsure,) = done.of(Standing.UNSURE)
    post.store.outbox.again(unsure.key, post.now)
    post.round()
    twice = [mail["Message-ID"] for mail in inbox.mails() if mail["To"] == unsure.recipient]
    assert len(twice) == 2
    assert len(set(twice)) == 1


def test_a_mail_that_is_never_taken_is_given_up_after_the_time_for_that(post: Post, inbox: Inbox) -> None:
    inbox.faults["RCPT"] = "450 4.2.1 mailbox busy"
    begun = post.now
    for _ in range(20):
        replace(post.delivery, give_up_ms=2 * HOUR_MS).round()
        post.now += 10 * MINUTE_MS
    assert post.standings() == [Standing.REFUSED] * 3
    (one, *_) = post.store.outbox.listing(0)
    assert one.said == "given up: RCPT TO: 450 4.2.1 mailbox busy"
    assert one.standing_utc - begun <= 2 * HOUR_MS


class KilledError(BaseException):
    """The process ends here."""


@pytest.mark.parametrize("last", ["claim", "hand_over", "close"])
@pytest.mark.parametrize("before", [True, False])
def test_a_process_that_is_killed_anywhere_leaves_no_mail_to_be_sent_twice(
    post: Post, inbox: Inbox, monkeypatch: pytest.MonkeyPatch, last: str, *, before: bool
) -> None:
    whole = getattr(SqlOutbox, last)

    def dying(*arguments: object) -> object:
        if not before:
            whole(*arguments)
        raise KilledError

    monkeypatch.setattr(SqlOutbox, last, dying)
    with suppress(KilledError):
        post.round()
    monkeypatch.setattr(SqlOutbox, last, whole)
    post.round()
    post.now += CLAIM_MS
    post.round()
    assert len(inbox.taken) == len(set(inbox.recipients))
    doubtful = last == "hand_over" and not before, last == "close" and before
    assert sorted(post.standings()) == sorted(
        [Standing.UNSURE if any(doubtful) else Standing.SENT, *[Standing.SENT] * 2]
    )
    lost = 3 - len(inbox.taken)
    assert lost == (1 if doubtful[0] else 0)


def test_two_processes_at_once_send_nothing_twice(post: Post, inbox: Inbox) -> None:
    (key, *_) = post.store.outbox.due(post.now)
    taken = post.store.outbox.claim(key, post.now)
    assert taken is not None
    assert post.store.outbox.claim(key, post.now) is None
    post.now += CLAIM_MS
    post.round()
    assert len(inbox.taken) == 3
    assert not post.store.outbox.hand_over(*taken, post.now), "it woke up too late"
    assert post.standings() == [Standing.SENT] * 3


def test_a_run_waits_for_what_another_process_sends_and_sends_itself_what_that_one_left(
    post: Post, inbox: Inbox
) -> None:
    taken = post.store.outbox.claim(KEYS[0], post.now)
    assert taken is not None

    def pause(seconds: float) -> None:
        post.now += int(seconds * 1_000)

    post.delivery.rounds(KEYS, 10, pause)
    assert post.standings() == [Standing.SENDING, Standing.SENT, Standing.SENT]
    post.delivery.rounds(KEYS, CLAIM_MS / 1_000, pause)
    assert post.standings() == [Standing.SENT] * 3
    assert inbox.recipients == ALL


def test_a_store_that_was_restored_sends_nothing_that_may_have_been_sent_since(post: Post, inbox: Inbox) -> None:
    instance = post.store.instance.read()
    post.store.instance.keep(replace(instance, epoch=instance.epoch + 1))
    post.round()
    assert post.standings() == [Standing.UNSURE] * 3
    assert inbox.taken == []


def test_what_the_other_collector_has_sent_is_not_sent_here(post: Post, inbox: Inbox, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with closing(open_store(tmp_path / "other", reading(0))) as other:
        there = Post(other, inbox, post.now)
        there.round()
        with post.store.database.writing() as connection:
            from detak_collector.store.entries import take_entries  # noqa: PLC0415

            take_entries(connection, other.entries.of(MAIL))
    inbox.taken.clear()
    assert post.store.outbox.add([letter(name, post.now) for name in NAMES]) == 0
    post.round()
    assert inbox.taken == []
    assert post.standings() == [Standing.SENT] * 3


@pytest.mark.peers("openssl")
@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_over_tls_the_password_is_given_and_a_strange_certificate_gets_none(
    post: Post, tmp_path: Path, security: str
) -> None:
    certificate = self_signed(program_path("openssl"), tmp_path / "tls", "127.0.0.1")
    password = tmp_path / "password"
    password.write_text("rahasia\n")
    with mail_server(certificate=certificate, implicit=security == "tls", password="rahasia") as inbox:
        server = Server("127.0.0.1", inbox.port, security, "detak@example.go.id", None, "detak", password, 2_000)
        post.server = server
        assert post.round().trouble == "its certificate is not trusted: self-signed certificate"
        assert inbox.signed_in == []
        post.server = replace(server, ca_file=certificate)
        post.now += MINUTE_MS
        password.write_text("salah\n")
        assert post.round().trouble.startswith("signing in: 535")
        password.write_text("rahasia\n")
        post.now += 2 * MINUTE_MS
        post.round()
        assert post.standings() == [Standing.SENT] * 3
        assert inbox.signed_in == ["detak"]
        assert inbox.encrypted == [True] * 3


def test_a_server_that_does_not_encrypt_is_told_nothing(post: Post, inbox: Inbox) -> None:
    post.server = replace(post.server, security="starttls")
    assert post.round().trouble == "STARTTLS extension not supported by server."
    assert inbox.taken == []
