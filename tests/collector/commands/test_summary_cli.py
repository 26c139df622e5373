"""Summary mails as an operator sets them up and cron sends them, to a real SMTP server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest
from pypdf import PdfReader

from detak_collector import cli
from mail_server import CLOSE, Inbox, mail_server
from outage_history import SERVICES, fill

MONTH = "2023-11"
HOSTILE = '<img src=x onerror="alert(1)"> & Söhne'
RECIPIENTS = """
[[mail.recipient]]
address = "kepala@example.go.id"
summaries = ["monthly", "yearly"]
attach = ["pdf", "xlsx"]
language = "id"

[[mail.recipient]]
address = "pusat@example.go.id"
of = "pusat"
summaries = ["monthly", "daily"]

[[mail.recipient]]
role = "auditor"
summaries = ["monthly"]
"""
THREE = ["ani@example.go.id", "kepala@example.go.id", "pusat@example.go.id"]

Say = Callable[..., tuple[int, str, str]]


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    with mail_server() as one:
        yield one


@pytest.fixture
def home(tmp_path: Path, inbox: Inbox) -> Path:
    """26 minutes of downtime in November 2023, and three recipients, one of them by role."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    services = SERVICES.replace('id = "portal"', f"id = \"portal\"\nname = '{HOSTILE}'")
    (home / "services.toml").write_text(services)
    with (home / "collector.toml").open("a") as file:
        file.write(
            f'\n[mail]\nserver = "127.0.0.1:{inbox.port}"\nsecurity = "none"\ntimeout_ms = 1000\n'
            f'sender = "Detak <detak@example.go.id>"\n{RECIPIENTS}'
        )
    fill(home / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    return home


@pytest.fixture
def say(home: Path, capsys: pytest.CaptureFixture[str]) -> Say:
    def say(*arguments: str | Path) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(home / "collector.toml"), *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    assert say("user", "add", "ani", "--mail", "ani@example.go.id", "--role", "auditor")[0] == 0
    assert say("user", "add", "budi", "--role", "auditor")[0] == 0
    return say


def send(say: Say, *more: str, period: str = MONTH) -> tuple[int, str, str]:
    return say("summary", "--period", period, "--send", "--wait", "0", *more)


def mail_to(inbox: Inbox, address: str) -> EmailMessage:
    (found,) = (mail for mail in inbox.mails() if mail["To"] == address)
    return found


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content()).replace("\r\n", "\n")


def test_a_run_sends_each_recipient_his_own_says_nothing_and_sends_nothing_again(say: Say, inbox: Inbox) -> None:
    assert send(say) == (0, "", "")
    assert inbox.recipients == THREE
    assert send(say) == (0, "", "")
    assert len(inbox.taken) == 3
    mail = mail_to(inbox, "kepala@example.go.id")
    assert mail["Subject"].startswith("0,0")
    assert "November 2023" in mail["Subject"]
    assert "Target" in part(mail, "plain")
    assert "DJBC: pusat" in part(mail_to(inbox, "pusat@example.go.id"), "plain")
    assert "all auditors get it" in " ".join(part(mail_to(inbox, "ani@example.go.id"), "plain").split())


def test_a_mail_is_whole_by_itself(say: Say, inbox: Inbox, tmp_path: Path) -> None:
    send(say)
    mail = mail_to(inbox, "kepala@example.go.id")
    html, text = part(mail, "html"), part(mail, "plain")
    shown = {str(one["Content-ID"]).strip("<>"): one for one in mail.walk() if one["Content-ID"]}
    assert set(re.findall(r'src="cid:([^"]+)"', html)) == set(shown)
    assert all(one.get_content().startswith(b"\x89PNG") for one in shown.values())
    assert re.findall(r"<img[^>]*alt=\"\"", html) == []
    assert "<script" not in html
    assert "http://" not in re.sub(r'href="http://127[^"]*"|to \S+@\S+|oleh http://127\S+', "", html)
    assert all(len(line) <= 72 for line in text.splitlines())
    assert HOSTILE not in html
    assert "&lt;img src=x" in html
    (head,) = re.findall(r"^\d+:[0-9a-f]{64}$", text, re.MULTILINE)
    assert say("verify", "--head", head)[0] == 0
    files = {str(one.get_filename()): one.get_content() for one in mail.iter_attachments()}
    assert sorted(files) == ["detak-2023-11.pdf", "detak-2023-11.xlsx"]
    (tmp_path / "a.pdf").write_bytes(files["detak-2023-11.pdf"])
    assert "November 2023" in PdfReader(tmp_path / "a.pdf").pages[0].extract_text()


def test_what_failed_is_told_with_what_to_do_and_is_sent_when_asked_for(say: Say, inbox: Inbox) -> None:
    inbox.faults["RCPT"] = lambda said: "550 5.1.1 no such user" if "kepala" in said else None
    code, told, errors = send(say)
    assert (code, told) == (1, "")
    (short,) = re.findall(
        r"2023-11 to kepala@example.go.id: not sent \(`detak-collector mail again (\w+)` tries it anew\)"
        r": RCPT TO: 550 5.1.1 no such user\n", errors)  # fmt: skip
    assert inbox.recipients == [THREE[0], THREE[2]]
    assert send(say)[0] == 1, "it stays bad news until somebody sees to it"
    _, listed, _ = say("mail", "list")
    assert "kepala@example.go.id" in listed
    assert "refused" in listed
    inbox.faults.clear()
    assert say("mail", "again", short)[0] == 0
    assert inbox.recipients == THREE
    assert send(say) == (0, "", "")


def test_where_the_server_is_away_it_could_not_be_done_and_the_mails_wait(say: Say, inbox: Inbox) -> None:
    inbox.faults["EHLO"] = CLOSE
    code, told, errors = send(say)
    assert (code, told) == (3, "")
    assert "the mail server takes nothing: it closed the connection" in errors
    assert errors.count("waits, and is tried again") == 3
    (waiting,) = {line.split()[0] for line in say("mail", "list")[1].splitlines() if "kepala" in line}
    inbox.faults.clear()
    assert say("mail", "drop", waiting)[0] == 0
    assert say("mail", "drop", waiting)[0] == 2


def test_a_follower_sends_nothing_until_it_is_promoted(say: Say, home: Path, inbox: Inbox) -> None:
    path = home / "collector.toml"
    path.write_text('follow = "https://127.0.0.1:1"\n' + path.read_text())
    assert send(say) == (0, "", "")
    assert inbox.taken == []
    assert say("promote", "--reason", "the other one is lost")[0] == 0
    assert send(say) == (0, "", "")
    assert inbox.recipients == THREE


def test_a_dry_run_writes_the_mails_and_sends_nothing(say: Say, inbox: Inbox, tmp_path: Path) -> None:
    code, told, _ = say("summary", "--period", MONTH, "--dry-run", tmp_path / "mails")
    assert code == 0
    files = sorted((tmp_path / "mails").iterdir())
    assert told.splitlines() == [str(one) for one in files] or len(told.splitlines()) == len(files) == 3
    mail = message_from_bytes(files[1].read_bytes(), policy=policy.default)
    assert mail["To"] in THREE
    assert inbox.taken == []
    assert send(say)[0] == 0
    assert len(inbox.taken) == 3


def test_without_send_it_is_printed_also_of_a_part_and_in_another_language(say: Say, inbox: Inbox) -> None:
    code, told, _ = say("summary", "--period", MONTH, "--language", "id", "--of", "pusat")
    assert code == 0
    assert "DJBC: pusat" in told
    assert "LAYANAN" in told
    assert inbox.taken == []
    assert say("summary", "--period", "last-week")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("--period", "lately"), 2, "--period: not one of yesterday, last-week"),
        (("--period", "2023-W60"), 2, "--period: there is no such week"),
        (("--period", "2999", "--send"), 2, "--period: is not over yet"),
        (("--period", MONTH, "--of", "nothing"), 2, "--of: no such unit or service"),
        (("--period", MONTH, "--send", "--dry-run", "x"), 2, "either send the mails"),
        (("--period", MONTH, "--send", "--of", "pusat"), 2, "leave them out"),
    ],
)
def test_a_wrong_use_is_told(say: Say, arguments: tuple[str, ...], code: int, told: str) -> None:
    found, _, errors = say("summary", *arguments)
    assert (found, told in errors) == (code, True), errors


def test_a_part_that_is_not_there_is_a_wrong_configuration(say: Say, home: Path) -> None:
    path = home / "collector.toml"
    path.write_text(path.read_text().replace('of = "pusat"', 'of = "daerah"'))
    code, _, errors = send(say)
    assert code == 2
    assert "mail.recipient: of: no such unit or service; one of portal, pusat (got 'daerah')" in errors


def test_a_test_mail_says_what_the_server_said(say: Say, inbox: Inbox) -> None:
    code, told, _ = say("mail", "test", "ani@example.go.id")
    assert (code, told) == (0, f"127.0.0.1:{inbox.port}: 250 2.0.0 taken as 4711\n")
    inbox.faults["MAIL"] = "550 5.7.1 sender not allowed"
    code, _, errors = say("mail", "test", "ani@example.go.id")
    assert (code, errors) == (3, f"127.0.0.1:{inbox.port}: MAIL FROM: 550 5.7.1 sender not allowed\n")
    assert say("mail", "test", "ani@example.go.id\r\nBcc: x@y")[0] == 2
