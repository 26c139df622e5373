"""Copies of one collector: a backup under load, and an old copy that starts again. Real processes and agents."""

import http.client
import re
import shutil
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

import pytest
from installation import PROGRAMS, Installation, installation, process_check, service_of, sleeper, until

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from detak_wire.codec import decode, encode
from detak_wire.messages import Answer, Part
from evidence_builders import NODE, RUN, beat, opening, span

pytestmark = pytest.mark.system
ANOTHER_MACHINE = 'mount --bind "$0" /etc/machine-id && exec "$@"'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, service_of("n/app")) as found:
        yield found


def enrolled(running: Installation) -> str:
    session = Session.begin(running.folder / "collector.toml", debug=False)
    with session.store(session.config()) as store:
        token = issue_token(store.registry, NODE, 60_000, session.clock())
        return redeem(store.registry, NODE, token, session.clock())[1]


def beats_answered(running: Installation) -> int:
    """By the collector that runs now."""
    with urlopen(f"{running.url}/metrics", timeout=10) as answer:
        found = re.search(rb"^detak_beat_seconds_count (\d+)", answer.read(), re.MULTILINE)
    return int(found[1]) if found else 0


class Load:
    """A node that delivers one closed span after another; `acknowledged` is the last that was."""

    def __init__(self, running: Installation, key: str) -> None:
        self.acknowledged = 0
        self.done = threading.Event()
        self._port, self._headers = running.port, {"Authorization": f"Bearer {key}"}
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        while not self.done.is_set():
            number = self.acknowledged + 1
            part = Part(RUN, opening() if number == 1 else None, [span(number, first=2_000 * number, closed=True)])
            connection.request("POST", "/api/v1/evidence", encode(beat(part, sent=2_000 * number + 100)), self._headers)
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                assert decode(body, Answer).stored[RUN].mark == number
                self.acknowledged = number
        connection.close()

    def stop(self) -> None:
        self.done.set()
        self._thread.join()


def test_a_backup_under_load_has_all_that_was_acknowledged_before_it(running: Installation, tmp_path: Path) -> None:
    load = Load(running, enrolled(running))
    try:
        until("it delivers", lambda: load.acknowledged >= 20)
        before = load.acknowledged
        running.collector_says("backup", str(tmp_path / "b.tar.gz"))
        after = load.acknowledged
        assert after > before
    finally:
        load.stop()
    running.signal("collector", signal.SIGTERM)
    shutil.move(running.folder / "collector", running.folder / "away")
    running.collector_says("restore", str(tmp_path / "b.tar.gz"))
    with closing(sqlite3.connect(running.folder / "collector" / "detak.sqlite")) as connection:
        numbers = [row[0] for row in connection.execute("SELECT number FROM span ORDER BY number")]
    assert numbers == list(range(1, len(numbers) + 1))
    assert before <= len(numbers) <= after + 1


@pytest.fixture
def app(running: Installation) -> Iterator[None]:
    """A process that the node's agent watches."""
    with sleeper() as process:
        (running.folder / "pid").write_text(str(process.pid))
        running.add_agent("n", process_check(running.folder / "pid"))
        until("it is up", lambda: running.condition() == "up")
        yield
        process.kill()


@pytest.mark.usefixtures("app")
def test_an_old_copy_that_starts_again_gives_way_as_soon_as_an_agent_speaks_to_it(
    running: Installation, tmp_path: Path, require: Callable[[str], str]
) -> None:
    # An administrator copies everything to another machine by hand, and starts it there.
    running.signal("collector", signal.SIGTERM)
    shutil.copytree(running.folder / "collector", running.folder / "old")
    (tmp_path / "machine-id").write_text("0123456789abcdef" * 2 + "\n")
    there = [require("unshare"), "--mount", "sh", "-c", ANOTHER_MACHINE, str(tmp_path / "machine-id")]
    command = [str(PROGRAMS / "detak-collector"), "--config", str(running.folder / "collector.toml")]
    refused = subprocess.run([*there, *command, "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 2
    assert "this store was served on another machine until now" in refused.stderr
    subprocess.run([*there, *command, "adopt"], check=True, capture_output=True, timeout=60)
    running.prefix["collector"] = there
    running.start_collector()
    # What the copy remembers says `up` as well.
    until("the agent delivers there", lambda: beats_answered(running) >= 2)

    # Then the old machine starts again, with its old copy, under the old address.
    running.signal("collector", signal.SIGTERM)
    shutil.move(running.folder / "collector", running.folder / "new")
    shutil.move(running.folder / "old", running.folder / "collector")
    del running.prefix["collector"]
    running.start_collector()
    until("it gives way", lambda: running.processes["collector"].poll() is not None)
    assert running.processes["collector"].returncode == 2
    assert "its agents speak to a later copy of its store by now" in running.log("collector")
    assert "Traceback" not in running.log("collector")
    again = subprocess.run([*command, "serve"], capture_output=True, text=True, timeout=60, check=False)
    assert (again.returncode, "serves no more since" in again.stderr) == (2, True)

    # Nothing is lost: the agent delivers to the new one what the old one did not take.
    shutil.move(running.folder / "collector", running.folder / "old")
    shutil.move(running.folder / "new", running.folder / "collector")
    running.prefix["collector"] = there
    running.start_collector()
    until("the agent delivers again", lambda: running.condition() == "up")
