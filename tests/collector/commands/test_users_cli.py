"""`detak-collector user` as an operator meets it: accounts, roles on somebody's word, lost passwords and telephones."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyotp
import pytest

from detak_collector import cli
from detak_collector.accounts.second_factor import STEP_MS
from detak_collector.clocks import system_clock
from detak_collector.commands import users
from detak_collector.operating.events import Event
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_collector.web.session import digest
from people_stage import QUICK_HASHER, quick

PASSWORD = "kuda baterai staples"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(users, "Hasher", quick)
    monkeypatch.setattr(users, "login_name", lambda: "ops")
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    configuration = home / "collector.toml"
    configuration.write_text(configuration.read_text().replace("# [sign_in] ", "[sign_in] "))
    return home


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Call:
    def called(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.run(["--config", str(home / "collector.toml"), "user", *arguments])
        told = capsys.readouterr()
        return code, told.out, told.err

    return called


def opened(home: Path) -> Store:
    return open_store(home / "state", system_clock()())


def with_password(home: Path, *names: str, secret: str | None = None) -> None:
    with closing(opened(home)) as store:
        for name in names:
            store.accounts.set_password(name, QUICK_HASHER.hash(PASSWORD))
            if secret is not None:
                store.accounts.offer_secret(name, secret)
                store.accounts.take_secret(name, secret, 0)


@pytest.fixture
def types(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """What somebody types where he is asked."""

    def typed(*answers: str) -> None:
        left = list(answers)
        monkeypatch.setattr("click.prompt", lambda *_, **__: left.pop(0))

    return typed


def test_the_first_account_is_made_with_a_link_by_which_its_owner_sets_the_password(home: Path, call: Call) -> None:
    code, out, err = call("add", "Siti", "--display", "Siti Rahma", "--mail", "s@example.go.id", "--role", "admin")
    assert code == 0
    assert "Made the account siti as admin" in err
    link = re.fullmatch(r"http://127\.0\.0\.1:8080/sign-in/password\?link=([\w-]{43})\n", out)
    assert link is not None
    with closing(opened(home)) as store:
        assert store.accounts.whose_reset(digest(link[1]), system_clock()().utc) == "siti"
        account = store.accounts.find("siti")
        assert account is not None
        assert (account.display, account.mail, account.password) == ("Siti Rahma", "s@example.go.id", None)
    _, out, _ = call("list")
    assert re.search(r"siti +Siti Rahma +local +admin by ops +off +never +no password yet", out)


def test_without_sign_in_configured_it_is_said(home: Path, call: Call) -> None:
    configuration = home / "collector.toml"
    configuration.write_text(configuration.read_text().replace("[sign_in] ", "# [sign_in] "))
    assert "no table [sign_in] yet" in call("add", "siti")[2]


def test_before_there_is_anybody_the_list_says_how_to_begin(call: Call) -> None:
    assert "user add NAME --role admin" in call("list")[1]


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (("add", "si ti"), "letters a to z, digits"), (("add", "siti", "--display", "a\nb"), "one line"),
        (("add", "siti", "--role", "emperor"), "emperor"),
        (("grant", "nobody", "viewer"), "there is no account nobody"),
        (("reset", "nobody"), "there is no account nobody"), (("disable", "nobody"), "there is no account nobody"),
        (("withdraw", "nobody", "viewer"), "nobody is not viewer"),
        (("add", "budi"), "there is an account budi already"),
        (("grant", "budi", "viewer"), "budi is viewer already"),
        (("grant", "budi", "approver"), "an approver is made by an admin"),
        (("second-factor", "off", "nobody"), "there is no account nobody"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_and_changes_nothing(call: Call, arguments: tuple[str, ...], fault: str) -> None:
    call("add", "budi", "--role", "viewer")
    before = call("list")[1]
    code, _, err = call(*arguments)
    assert (code, fault in err) == (2, True), err
    assert call("list")[1] == before


def test_an_account_is_not_made_where_its_role_may_not_be_given(call: Call) -> None:
    call("add", "siti", "--role", "admin")
    assert call("add", "budi", "--role", "viewer", "--role", "approver")[0] == 2
    assert "budi" not in call("list")[1]


def test_nobody_makes_himself_approver_another_admin_must_with_his_own_password(
    home: Path, call: Call, types: Callable[..., None]
) -> None:
    call("add", "siti", "--role", "admin")
    call("add", "budi", "--role", "admin")
    call("add", "agus", "--role", "operator")
    with_password(home, "siti", "budi", "agus")
    types(PASSWORD)
    code, _, err = call("grant", "siti", "approver", "--as", "siti")
    assert (code, "nobody gives himself a role" in err) == (2, True)
    types("a wrong one")
    code, _, err = call("grant", "siti", "approver", "--as", "budi")
    assert (code, "no account of this collector with that password" in err) == (2, True)
    types(PASSWORD)
    assert "agus is no admin" in call("grant", "siti", "approver", "--as", "agus")[2]
    assert "approver" not in call("list")[1]
    types(PASSWORD)
    assert call("grant", "siti", "approver", "--as", "budi")[:2] == (0, "siti: is approver, by budi\n")
    assert "approver by budi" in call("list")[1]
    with closing(opened(home)) as store:
        entry = store.entries.of("grant")[-1]
        assert (entry.author, entry.told["source"]) == ("budi", "admin")


def test_who_is_logged_in_on_the_machine_gives_himself_nothing_once_there_is_an_admin(
    call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(users, "login_name", lambda: "siti")
    assert call("add", "siti", "--role", "admin")[0] == 0
    assert "nobody gives himself a role" in call("grant", "siti", "operator")[2]


def test_an_admin_with_a_second_factor_gives_its_code_too(home: Path, call: Call, types: Callable[..., None]) -> None:
    for name in ("siti", "budi"):
        call("add", name, "--role", "admin")
    with_password(home, "budi", secret=SECRET)
    code = pyotp.TOTP(SECRET).generate_otp(system_clock()().utc // STEP_MS)
    types(PASSWORD, f"{(int(code) + 1) % 1_000_000:06}")
    assert call("grant", "siti", "approver", "--as", "budi")[0] == 2
    code = pyotp.TOTP(SECRET).generate_otp(system_clock()().utc // STEP_MS)
    types(PASSWORD, code)
    assert call("grant", "siti", "approver", "--as", "budi")[0] == 0
    types(PASSWORD, code)
    assert "was used already" in call("withdraw", "siti", "approver", "--as", "budi")[2]


def test_a_role_is_taken_and_that_it_was_there_stays_on_record(home: Path, call: Call) -> None:
    call("add", "siti", "--role", "admin")
    call("add", "budi", "--role", "viewer")
    assert call("withdraw", "budi", "viewer")[:2] == (0, "budi: is no longer viewer, by ops\n")
    assert re.search(r"budi .* none ", call("list")[1])
    with closing(opened(home)) as store:
        told = [one.told for one in store.entries.of("grant") if one.told["user"] == "budi"]
        assert [one["withdrawn"] for one in told] == [False, True]


def test_an_account_is_disabled_and_enabled(call: Call) -> None:
    call("add", "siti", "--role", "admin")
    assert call("disable", "siti")[0] == 0
    assert call("disable", "siti")[0] == 1
    assert "disabled" in call("list")[1]
    assert "user enable siti" in call("reset", "siti")[2]
    assert call("enable", "siti")[0] == 0
    assert call("reset", "siti")[0] == 0


def test_a_lost_telephone_ends_the_second_factor(home: Path, call: Call) -> None:
    call("add", "siti", "--role", "admin")
    assert call("second-factor", "off", "siti")[0] == 1
    with_password(home, "siti", secret=SECRET)
    assert " on " in call("list")[1]
    assert call("second-factor", "off", "siti")[0] == 0
    assert " on " not in call("list")[1]


def test_the_steps_are_in_the_audit_trail_and_no_link_is(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    events: list[Event] = []
    monkeypatch.setattr("detak_collector.commands.session.log_event", events.append)
    link = call("add", "siti", "--role", "admin")[1].strip()
    call("disable", "siti")
    told = " ".join(f"{one.text} {one.fields}" for one in events)
    for words in ("account siti was made", "the role admin was given to siti by ops", "account siti was disabled"):
        assert words in told
    assert link.rpartition("=")[2] not in told
