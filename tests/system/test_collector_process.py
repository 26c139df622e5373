"""The collector as a process: killed, stopped, reloaded, cut off from its disk. No fakes."""

import http.client
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from serving_collector import COMMAND, PATIENCE_S, Client, Home, made_home

from detak_wire.messages import Part
from evidence_builders import RUN, beat, opening, span

pytestmark = pytest.mark.system


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with made_home(tmp_path / "detak") as home:
        yield home


def test_a_stop_by_systemd_is_orderly_and_ends_the_watch(home: Home) -> None:
    process = home.serve()
    process.url()
    assert process.end(signal.SIGTERM) == 0
    assert home.query("SELECT ended FROM watch") == [("stop",)]
    assert "Traceback" not in process.said


def test_the_watch_of_a_killed_collector_ends_where_it_was(home: Home) -> None:
    process = home.serve()
    process.url()
    process.end(signal.SIGKILL)
    again = home.serve()
    again.url()
    again.end(signal.SIGTERM)
    assert home.query("SELECT ended FROM watch ORDER BY id") == [("died",), ("stop",)]


def test_a_second_collector_on_the_same_state_is_refused(home: Home) -> None:
    home.serve().url()
    second = home.serve()
    assert second.wait() == 3
    assert "another collector is running on it" in second.said
    assert "Traceback" not in second.said


def test_a_port_in_use_is_told(home: Home, tmp_path: Path) -> None:
    port = home.serve().url().rpartition(":")[2]
    other = Home(tmp_path / "other")
    path = other.directory / "collector.toml"
    path.write_text(path.read_text().replace("127.0.0.1:0", f"127.0.0.1:{port}"))
    process = other.serve()
    assert process.wait() == 3
    assert f"listen 127.0.0.1:{port}: Address already in use" in process.said


def test_a_bad_catalogue_is_refused_at_the_first_start_and_at_a_reload_the_old_one_goes_on(home: Home) -> None:
    services = home.directory / "services.toml"
    good = services.read_text()
    services.write_text("organisatio = 1\n")
    refused = home.serve()
    assert refused.wait() == 2
    assert "organisatio" in refused.said
    services.write_text(good)
    process = home.serve()
    process.url()
    services.write_text("organisatio = 1\n")
    process.process.send_signal(signal.SIGHUP)
    process.read_until(r"not reloaded: .*services.toml: organisatio")
    services.write_text(good)
    process.process.send_signal(signal.SIGHUP)
    process.read_until(r"services.toml: reloaded")
    assert process.end(signal.SIGTERM) == 0


def test_a_disk_error_ends_the_process_and_is_never_acknowledged(home: Home) -> None:
    process = home.serve()
    with closing(Client(process.url(), home.keys["db-01"])) as client:
        assert client.post(beat(Part(RUN, opening()), node="db-01"))[0] == 200
        # Every write to a file fails from here on.
        resource.prlimit(process.process.pid, resource.RLIMIT_FSIZE, (1, 1))
        try:
            status, _ = client.post(beat(Part(RUN, spans=[span(1, closed=True)]), node="db-01"))
        except (OSError, http.client.HTTPException):
            status = 0
        assert status in {0, 503}
    assert process.wait() == 3
    assert "detak.sqlite: disk I/O error" in process.said
    assert "Traceback" not in process.said
    assert home.query("SELECT count(*) FROM span") == [(0,)]


def test_a_key_revoked_by_another_process_is_refused_within_seconds(home: Home) -> None:
    process = home.serve()
    config = str(home.directory / "collector.toml")
    with closing(Client(process.url(), home.keys["db-01"])) as client:
        message = beat(Part(RUN, opening()), node="db-01")
        assert client.post(message)[0] == 200
        subprocess.run([*COMMAND, "--config", config, "revoke", "db-01"], check=True, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_S
        while client.post(message)[0] == 200:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert client.post(message)[0] == 401
    assert process.end(signal.SIGTERM) == 0
