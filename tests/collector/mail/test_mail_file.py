"""The table [mail]: what is wrong is told with its path, and nothing of it is taken for right."""

from __future__ import annotations

from pathlib import Path

import pytest

from detak_collector.accounts.roles import Role
from detak_collector.config import ConfigurationError, load
from detak_collector.mail.letter import HOUR_MS
from detak_collector.mail.smtp import ServerError, password_of

GOOD = 'server = "smtp.example.go.id"\nsender = "Detak <detak@example.go.id>"\n'
KNOWN = "daily, weekly, monthly, quarterly, half-yearly, yearly"
RECIPIENT = '[[mail.recipient]]\nsummaries = ["monthly"]\n'


def faults(folder: Path, mail: str, top: str = "") -> list[str]:
    path = folder / "collector.toml"
    path.write_text(f'state_directory = "state"\n{top}[mail]\n{mail}')
    try:
        load(path)
    except ConfigurationError as error:
        return [fault.removeprefix("collector.toml: ") for fault in error.faults]
    return []


def test_the_least_is_a_server_and_a_sender(tmp_path: Path) -> None:
    assert faults(tmp_path, GOOD) == []
    terms = load(tmp_path / "collector.toml").mail
    assert terms is not None
    assert (terms.server.place, terms.server.security) == ("smtp.example.go.id:587", "starttls")
    assert terms.server.sender == "detak@example.go.id"
    assert (terms.give_up_ms, terms.wanted) == (72 * HOUR_MS, ())


def test_a_recipient_has_the_language_of_the_table_unless_it_names_another(tmp_path: Path) -> None:
    more = 'role = "auditor"\nattach = ["xlsx", "pdf"]\n' + RECIPIENT + 'address = "a@b.go.id"\nlanguage = "en"\n'
    assert faults(tmp_path, GOOD + 'language = "id"\n' + RECIPIENT + more) == []
    terms = load(tmp_path / "collector.toml").mail
    assert terms is not None
    first, second = terms.wanted
    assert (first.role, first.address, first.language, first.attach) == (Role.AUDITOR, None, "id", ("pdf", "xlsx"))
    assert (second.address, second.language) == ("a@b.go.id", "en")


@pytest.mark.parametrize(
    ("mail", "fault"),
    [
        ('server = "smtp"\n', "mail.sender: is missing"),
        ('server = "a b"\nsender = "a@b.id"\n',
         'mail.server: expected HOST or HOST:PORT such as smtp.example.go.id:587 (got "a b")'),
        ('server = "h:0"\nsender = "a@b.id"\n',
         'mail.server: expected HOST or HOST:PORT such as smtp.example.go.id:587 (got "h:0")'),
        ('server = "h"\nsender = "nobody"\n',
         'mail.sender: expected an address such as Detak <detak@example.go.id> (got "nobody")'),
        ('server = "h"\nsender = "a@b.id\\nBcc: c@d.id"\n',
         'mail.sender: expected an address such as Detak <detak@example.go.id> (got "a@b.id\\nBcc: c@d.id")'),
        (GOOD + 'security = "ssl"\n', 'mail.security: expected one of starttls, tls, none (got "ssl")'),
        (GOOD + 'security = "none"\n',
         ("mail.security: mails would travel readable to another machine: use starttls or tls, or say "
          'allow_plaintext = true (got "none")')),
        (GOOD + 'user = "u"\n', "mail.user: comes together with either password_file or password_credential"),
        (GOOD + 'user = "u"\npassword_file = "p"\n', 'mail.password_file: no such file (got "p")'),
        (GOOD + 'user = "u"\npassword_credential = "a/b"\n',
         'mail.password_credential: expected a name such as smtp-password (got "a/b")'),
        (GOOD + 'ca_file = "ca.pem"\n', 'mail.ca_file: no such file (got "ca.pem")'),
        (GOOD + 'language = "fr"\n', 'mail.language: expected one of en, id (got "fr")'),
        (GOOD + "deputy_after_hours = 0\n", "mail.deputy_after_hours: expected a whole number >= 1 (got 0)"),
        (GOOD + RECIPIENT, "mail.recipient[0]: expected either address or role: who gets it?"),
        (GOOD + RECIPIENT + 'adress = "a@b.id"\n', "mail.recipient[0].adress: no such key, did you mean address?"),
        (GOOD + RECIPIENT + 'address = "a@b.id, c@d.id"\n',
         'mail.recipient[0].address: expected an address such as kepala@example.go.id (got "a@b.id, c@d.id")'),
        (GOOD + RECIPIENT + 'role = "boss"\n',
         'mail.recipient[0].role: expected one of viewer, operator, approver, auditor, admin (got "boss")'),
        (GOOD + RECIPIENT + 'role = "admin"\nattach = ["docx"]\n',
         'mail.recipient[0].attach: expected one of pdf, xlsx (got "docx")'),
        (GOOD + '[[mail.recipient]]\naddress = "a@b.id"\nsummaries = ["hourly"]\n',
         f'mail.recipient[0].summaries: expected one of {KNOWN} (got "hourly")'),
        (GOOD + '[[mail.recipient]]\naddress = "a@b.id"\nsummaries = []\n',
         f"mail.recipient[0].summaries: expected at least one of {KNOWN}"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named(tmp_path: Path, mail: str, fault: str) -> None:
    assert faults(tmp_path, mail) == [fault]


def test_a_password_that_everybody_can_read_is_refused_and_one_that_is_gone_is_told_when_it_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "p").write_text("rahasia\n")
    (tmp_path / "p").chmod(0o604)
    mail = GOOD + 'user = "u"\npassword_file = "p"\n'
    assert faults(tmp_path, mail) == [f"mail.password_file: everybody can read it: `chmod o= {tmp_path}/p`"]
    (tmp_path / "p").chmod(0o600)
    assert faults(tmp_path, mail) == []
    terms = load(tmp_path / "collector.toml").mail
    assert terms is not None
    assert password_of(terms.server) == "rahasia"
    (tmp_path / "p").unlink()
    with pytest.raises(ServerError, match=r"the password: .*No such file"):
        password_of(terms.server)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "smtp").write_text("lain")
    assert faults(tmp_path, GOOD + 'user = "u"\npassword_credential = "smtp"\n') == []
    terms = load(tmp_path / "collector.toml").mail
    assert terms is not None
    assert password_of(terms.server) == "lain"


def test_plain_text_to_another_machine_is_for_who_says_so(tmp_path: Path) -> None:
    mail = GOOD + 'security = "none"\n'
    assert faults(tmp_path, mail, "allow_plaintext = true\n") == []
    assert faults(tmp_path, mail.replace("smtp.example.go.id", "localhost")) == []
