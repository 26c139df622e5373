from pathlib import Path

import pytest

from detak_collector.config import ConfigurationError, parse
from detak_collector.store.base import StoreError
from detak_collector.store.place import StorePlace

ENCRYPTED = "?sslmode=require"


def faults(folder: Path, store: str | None, **more: str | bool) -> list[str]:
    told = {"state_directory": "state", **more} | ({} if store is None else {"store": store})
    try:
        parse(told, folder / "collector.toml")
    except ConfigurationError as error:
        return error.faults
    return []


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://detak@db.example/detak?sslmode=verify-full",
        "postgresql://detak@a.example,b.example:5433/detak" + ENCRYPTED,
        "postgresql://detak@127.0.0.1:5432/detak",
        "postgresql://detak@localhost,[::1]:5433/detak",
        "postgresql:///detak?host=/run/postgresql",
        "postgres://detak@%2Frun%2Fpostgresql/detak",
    ],
)
def test_a_url_is_taken(tmp_path: Path, url: str) -> None:
    assert faults(tmp_path, url) == []


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("/var/lib/detak.sqlite", "store: expected a URL such as"),
        ("mysql://db/detak", "store: expected a URL such as"),
        ("postgresql://detak:geheim@localhost/detak", "store: a password does not belong here"),
        ("postgresql://detak@localhost/detak?password=geheim", "store: a password does not belong here"),
        ("postgresql://detak@localhost/detak?sslmod=require", "store: "),
        ("postgresql://detak@db.example/detak", "store: what goes to db.example could be read on its way"),
        ("postgresql://detak@localhost,b.example/detak", "store: what goes to b.example could be read"),
        ("postgresql:///detak?host=db.example&sslmode=prefer", "store: what goes to db.example could be read"),
    ],
)
def test_a_url_that_will_not_do_is_refused_and_no_password_is_repeated(tmp_path: Path, url: str, fault: str) -> None:
    (told,) = faults(tmp_path, url)
    assert told.startswith(f"collector.toml: {fault}")
    assert "geheim" not in told


def test_plain_text_beyond_this_machine_is_taken_only_where_it_is_allowed(tmp_path: Path) -> None:
    assert faults(tmp_path, "postgresql://detak@db.example/detak", allow_plaintext=True) == []


def test_a_password_file_belongs_to_a_url_and_must_be_there(tmp_path: Path) -> None:
    assert faults(tmp_path, None, store_password_file="x") == [
        "collector.toml: store_password_file: only with a store that is a URL"
    ]
    assert faults(tmp_path, "postgresql:///detak", store_password_file="x") == [
        'collector.toml: store_password_file: no such file (got "x")'
    ]


def test_a_password_is_one_line_of_a_file_that_not_everybody_can_read(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_text("geheim\n")
    path.chmod(0o640)
    place = StorePlace(tmp_path, "postgresql:///detak", path)
    assert place.password() == "geheim"
    path.chmod(0o644)
    with pytest.raises(StoreError, match="everybody can read it: `chmod o= "):
        place.password()


def test_a_credential_of_systemd_is_found_and_a_file_that_is_named_goes_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert StorePlace(tmp_path, "postgresql:///detak").password() is None
    (tmp_path / "store-password").write_text("from systemd")
    (tmp_path / "store-password").chmod(0o400)
    assert StorePlace(tmp_path, "postgresql:///detak").password() == "from systemd"
    (tmp_path / "named").write_text("named")
    (tmp_path / "named").chmod(0o600)
    assert StorePlace(tmp_path, "postgresql:///detak", tmp_path / "named").password() == "named"
