"""`detak-collector store copy` as a process: killed in the middle, and run again."""

import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from peers.postgresql_server import PASSWORD
from peers.server_process import until
from peers.store_server import StoreServer, store_server

pytestmark = [pytest.mark.system, pytest.mark.peers("pg_ctlcluster", "setpriv")]

COMMAND = [sys.executable, "-m", "detak_collector", "--config"]
SPANS = 60_000


@pytest.fixture(scope="module")
def server() -> Iterator[StoreServer]:
    with store_server() as running:
        running.postgres.run("CREATE DATABASE copied OWNER detak")
        yield running


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A collector whose store holds a long history of one check."""
    home = tmp_path / "detak"
    subprocess.run([sys.executable, "-m", "detak_collector", "init", str(home)], check=True, capture_output=True)
    path = home / "collector.toml"
    (home / "password").write_text(PASSWORD)
    (home / "password").chmod(0o600)
    path.write_text(path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
    subprocess.run([*COMMAND, str(path), "enroll", "db-01"], check=True, capture_output=True)
    with closing(sqlite3.connect(home / "state" / "detak.sqlite")) as store, store:
        opening = (
            '{"boot":"0b007000","opened_agent":0,"init_started_agent":0,"agent_version":"0","tick_ms":1000,'
            '"beat_ms":5000,"checks":[],"clock":{"agent":0,"utc":1700000000000,"error_ms":5}}'
        )
        store.execute("INSERT INTO node (id, name, enrolled_utc) VALUES (1, 'db-01', 0)")
        store.execute("INSERT INTO text VALUES (1, 'web')")
        store.execute("INSERT INTO run VALUES (1, 1, 'aaaa0001', '0b007000', NULL, ?, 0, 1700000000000)", (opening,))
        store.execute(
            "INSERT INTO open_spans (run, current, numbers, open) VALUES (1, 1, ?, x'90')", (f"[[[1,{SPANS}]],[]]",)
        )
        store.execute("INSERT INTO reach (run, alive_reach, reach) VALUES (1, 0, x'90')")
        store.executemany(
            "INSERT INTO span VALUES (?, 1, ?, 1, 'up', ?, ?, ?, ?, 2, 1000, NULL, NULL, 1700000000000, NULL)",
            ((1 + n, n, n * 5_000, n * 5_000 + 3, n * 5_000 + 1_000, n * 5_000 + 1_003) for n in range(1, SPANS + 1)),
        )
    return path


def test_a_copy_that_is_killed_goes_on_and_the_file_serves_no_more(config: Path, server: StoreServer) -> None:
    url = f"postgresql://detak@127.0.0.1:{server.postgres.port}/copied"
    command = [*COMMAND, str(config), "store", "copy", "--to", url, "--password-file", str(config.parent / "password")]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with psycopg.connect(server.url("copied"), autocommit=True) as asked:

        def spans() -> int:
            try:
                found = asked.execute("SELECT count(*) FROM span").fetchone()
            except psycopg.errors.UndefinedTable:
                return 0
            return int(found[0]) if found else 0

        until(lambda: spans() > 0 or first.poll() is not None, lambda: "nothing is copied", within_s=60)
        first.send_signal(signal.SIGKILL)
        said = first.communicate(timeout=30)[0]
        assert first.returncode == -signal.SIGKILL, said
        time.sleep(0.2)
        assert 0 < spans() <= SPANS
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert "going on with a copy that was interrupted" in done.stderr
    assert re.search(r"60,\d{3} rows in \d+ tables are the same, so are the figures of \d+ months", done.stdout)
    assert PASSWORD not in done.stdout + done.stderr
    served = subprocess.run([*COMMAND, str(config), "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert served.returncode != 0
    assert "serves no more" in served.stderr
    assert "it was copied to postgresql://detak@127.0.0.1" in served.stderr
    config.write_text(f'store = "{url}"\nstore_password_file = "password"\n{config.read_text()}')
    nodes = subprocess.run([*COMMAND, str(config), "nodes"], capture_output=True, text=True, timeout=60, check=False)
    assert "db-01" in nodes.stdout
