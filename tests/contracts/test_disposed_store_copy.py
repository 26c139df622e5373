"""A store that was disposed of is copied into a PostgreSQL database: with the same figures, and a chain that holds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from disposed_season import Season
from peers.postgresql_server import PASSWORD
from peers.store_server import StoreServer

pytestmark = [
    pytest.mark.peers("pg_ctlcluster", "setpriv"),
    pytest.mark.skipif(os.environ.get("DETAK_NIGHTLY") != "1", reason="other tests copy each table: at night only"),
]


def test_a_disposed_store_is_copied_and_serves_there(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    database_server: StoreServer,
) -> None:
    season = Season(tmp_path / "detak", capsys, monkeypatch)
    season.disposed()
    database_server.postgres.run("CREATE DATABASE disposed OWNER detak")
    try:
        (password := season.folder / "password").write_text(PASSWORD)
        password.chmod(0o600)
        url = database_server.url("disposed").replace(f":{PASSWORD}", "")
        told = season.says("store", "copy", "--to", url, "--password-file", str(password))
        assert "so are the figures of" in told
        file = season.folder / "collector.toml"
        file.write_text(f'store = "{url}"\nstore_password_file = "{password}"\n{file.read_text()}')
        assert "0 come out as others" in season.says("verify", "--sealed")
        assert "143 records of blocks 1 to 4" in season.says("verify")
        assert "whole from 2024-01 on" in season.says("retention")
    finally:
        database_server.drop("disposed")
