"""The table [sign_in] of collector.toml: what is wrong with it is said in a line, with what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from detak_collector.accounts.account import Terms
from detak_collector.accounts.roles import Role
from detak_collector.config import Config, ConfigurationError, load

BARE = 'state_directory = "state"\n'
DIRECTORY = '[sign_in.directory]\nurls = ["ldaps://dc1"]\nbase = "dc=x"\nbind_as = "uid={name},dc=x"\n'


def loaded(folder: Path, text: str) -> Config:
    (folder / "collector.toml").write_text(text)
    return load(folder / "collector.toml")


def fault(folder: Path, text: str) -> str:
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder, text)
    (found,) = refused.value.faults
    return str(found).removeprefix("collector.toml: ")


def test_an_empty_table_is_enough(tmp_path: Path) -> None:
    found = loaded(tmp_path, f"{BARE}[sign_in]\n").sign_in
    assert found is not None
    assert (found.terms, found.directory) == (Terms(7_200_000, 43_200_000), None)
    assert loaded(tmp_path, BARE).sign_in is None


def test_groups_map_to_roles(tmp_path: Path) -> None:
    roles = '[sign_in.directory.roles]\nviewer = ["cn=a,dc=x", "cn=b,dc=x"]\nadmin = ["cn=c,dc=x"]\n'
    found = loaded(tmp_path, BARE + DIRECTORY + roles).sign_in
    assert found is not None
    assert found.directory is not None
    assert found.directory.roles == {"cn=a,dc=x": Role.VIEWER, "cn=b,dc=x": Role.VIEWER, "cn=c,dc=x": Role.ADMIN}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sign_in]\nidle = 1", "sign_in.idle: no such key, did you mean idle_ms?"),
        ("[sign_in]\nidle_ms = 5", "sign_in.idle_ms: expected a whole number >= 60000 (got 5)"),
        ("[sign_in]\nidle_ms = 90000\nlongest_ms = 60000",
         "sign_in.longest_ms: expected no less than idle_ms, 90000 (got 60000)"),
        ('[sign_in]\nproxies = ["proxy"]', 'sign_in.proxies: expected addresses such as 127.0.0.1 (got "proxy")'),
        ('[sign_in]\nmetrics_token_file = "none"', 'sign_in.metrics_token_file: no such file (got "none")'),
        ('[sign_in.directory]\nbase = "dc=x"\nbind_as = "{name}@x"', "sign_in.directory.urls: is missing"),
        (DIRECTORY.replace("ldaps://dc1", "https://dc1"),
         'sign_in.directory.urls: expected URLs such as ldaps://dc1.example.go.id (got "https://dc1")'),
        (DIRECTORY.replace("ldaps://dc1", "ldap://dc1:x"),
         'sign_in.directory.urls: expected URLs such as ldaps://dc1.example.go.id (got "ldap://dc1:x")'),
        (DIRECTORY.replace('["ldaps://dc1"]', "[]"), "sign_in.directory.urls: expected at least one"),
        (DIRECTORY.replace("{name}", "name"),
         ("sign_in.directory.bind_as: expected {name} in it, such as uid={name},ou=people,dc=example or "
         '{name}@example.go.id (got "uid=name,dc=x")')),
        (DIRECTORY.replace("bind_as", "search_as"),
         "sign_in.directory: search_as and search_password_file come together"),
        (DIRECTORY + 'search_as = "cn=d"\nsearch_password_file = "collector.toml"\n',
         "sign_in.directory: expected either bind_as or search_as: how is a person found?"),
        (DIRECTORY + 'ca_file = "none"', 'sign_in.directory.ca_file: no such file (got "none")'),
        (DIRECTORY + 'name_attribute = "uid)("',
         'sign_in.directory.name_attribute: expected a name such as uid (got "uid)(")'),
        (DIRECTORY + "timeout_ms = 1", "sign_in.directory.timeout_ms: expected a whole number >= 100 (got 1)"),
        (DIRECTORY + '[sign_in.directory.roles]\nviewers = ["cn=a"]',
         "sign_in.directory.roles.viewers: no such key, did you mean viewer?"),
    ],
)  # fmt: skip
def test_a_fault_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "collector.toml").touch(0o640)
    (tmp_path / "collector.toml").chmod(0o640)
    assert fault(tmp_path, BARE + text) == said


def test_a_file_with_a_secret_that_everybody_reads_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x")
    (tmp_path / "token").chmod(0o644)
    assert "everybody can read it: `chmod o= " in fault(tmp_path, f'{BARE}[sign_in]\nmetrics_token_file = "token"')


@pytest.mark.parametrize(
    ("top", "is_good"),
    [
        ('listen = "0.0.0.0:80"\nallow_plaintext = true\n', False),
        ('listen = "0.0.0.0:80"\nallow_plaintext = true\npublic_url = "http://detak.example"\n', False),
        ('listen = "0.0.0.0:80"\nallow_plaintext = true\npublic_url = "https://detak.example"\n', True),
        ('public_url = "http://detak.example"\n', False),
        ('listen = "[::1]:80"\n', True),
    ],
)
def test_passwords_never_travel_readable(tmp_path: Path, top: str, is_good: bool) -> None:
    text = BARE + top + "[sign_in]\n"
    if is_good:
        assert loaded(tmp_path, text).sign_in is not None
    else:
        assert fault(tmp_path, text).startswith("sign_in: passwords would travel readable: add [tls], or name with")
