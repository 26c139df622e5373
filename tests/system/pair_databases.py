"""A pair of which each collector keeps its store in a PostgreSQL database of its own, set back as databases are."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pair_installation import Pair

from conftest import program_path
from peers.postgresql_server import PASSWORD
from peers.store_server import OWNER, StoreServer


class Databases:
    """One for each side, in one server; their names begin with `name`."""

    def __init__(self, server: StoreServer, name: str, folder: Path) -> None:
        self._server = server
        self._name = name
        self._folder = folder
        self._password = folder / "password"
        self._password.write_text(f"{PASSWORD}\n")
        self._password.chmod(0o600)

    def settings(self, side: str) -> dict[str, str]:
        url = self._server.new_database(self._database(side))
        return {"store": url.replace(f":{PASSWORD}@", "@"), "store_password_file": str(self._password)}

    def back_up(self, _made: Pair, side: str) -> None:
        self._run("pg_dump", "--format=custom", f"--file={self._dump(side)}", self._url(side))

    def set_back(self, _made: Pair, side: str) -> None:
        """The collector must not run."""
        self._server.drop(self._database(side))
        self._server.postgres.run(f"CREATE DATABASE {self._database(side)} OWNER {OWNER}")
        self._run("pg_restore", f"--dbname={self._url(side)}", str(self._dump(side)))

    def _database(self, side: str) -> str:
        return f"{self._name}_{side}"

    def _url(self, side: str) -> str:
        return self._server.url(self._database(side))

    def _dump(self, side: str) -> Path:
        return self._folder / f"{side}.dump"

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run([program_path(program), *words], capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
