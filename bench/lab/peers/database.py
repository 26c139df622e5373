"""A PostgreSQL server for one peer that keeps its history in one, as their documentation advises."""

from __future__ import annotations

import gzip
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from signal import SIGINT

from lab.peers.place import PeerError, Programs, run

USER = "postgres"
_SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{folder}'
max_connections = 100
shared_buffers = 64MB
"""


@dataclass(frozen=True, slots=True)
class Database:
    """A server that listens on a socket in its own `folder` only: it is reached from every network namespace."""

    folder: Path

    @staticmethod
    def begun(programs: Programs) -> Database:
        """Makes a server in the folder of these programs, and starts it as one of them."""
        folder = programs.folder / "postgresql"
        folder.mkdir()
        folder.chmod(0o755)
        shutil.chown(folder, USER, USER)
        how = ["--encoding=UTF8", "--locale=C", "--auth=trust"]
        run(as_postgres([program_of("initdb"), f"--pgdata={folder}/data", f"--username={USER}", *how]))
        with (folder / "data" / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(_SETTINGS.format(folder=folder))
        made = Database(folder)
        command = as_postgres([program_of("postgres"), "-D", f"{folder}/data"])
        programs.start("postgresql", command, made._answers, ends_with=SIGINT)
        return made

    def _answers(self) -> bool:
        asked = [program_of("pg_isready"), "--quiet", "--host", str(self.folder)]
        return subprocess.run(asked, check=False).returncode == 0

    def make(self, name: str, owner: str, scripts: Sequence[Path]) -> None:
        """Makes a role and its database, and runs these scripts in it as that role; `.gz` ones are unpacked."""
        self.ask("postgres", f"CREATE ROLE {owner} LOGIN;\nCREATE DATABASE {name} OWNER {owner};")
        for script in scripts:
            text = gzip.decompress(script.read_bytes()) if script.suffix == ".gz" else script.read_bytes()
            self._psql(name, owner, text)

    def ask(self, name: str, statements: str) -> list[list[str]]:
        """The rows that the statements give, each field as text."""
        said = self._psql(name, USER, statements.encode())
        return [line.split("\t") for line in said.splitlines()]

    def _psql(self, name: str, user: str, text: bytes) -> str:
        command = ["psql", "--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--field-separator=\t"]
        command += ["--set=ON_ERROR_STOP=1", f"--host={self.folder}", f"--username={user}", f"--dbname={name}"]
        done = subprocess.run(command, input=text, capture_output=True, check=False)
        if done.returncode:
            raise PeerError(f"PostgreSQL refuses: {done.stderr.decode(errors='replace')[-800:]}")
        return done.stdout.decode()


def as_postgres(command: Sequence[str]) -> list[str]:
    """The same, run by the user that PostgreSQL insists on."""
    return ["setpriv", f"--reuid={USER}", f"--regid={USER}", "--init-groups", *command]


def program_of(name: str) -> str:
    """One of PostgreSQL's own programs, of the newest version there is; they are not on the path."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: int(path.parts[4]))
    if not found:
        raise PeerError(f"{name} is not on this machine: install the package postgresql")
    return str(found[-1])
