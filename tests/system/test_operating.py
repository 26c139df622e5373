"""A collector as those who operate it see it: health, metrics, syslog, reloads. Real processes and sockets."""

import http.client
import io
import json
import re
import signal
import socket
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from installation import Installation, installation, process_check, service_of, sleeper, until

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from detak_collector.store.migrations import NAMES
from detak_wire.codec import encode
from evidence_builders import NODE, first_beat, later_beat

pytestmark = pytest.mark.system


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    with installation(tmp_path, service_of("n/app")) as found:
        yield found


class SyslogServer:
    """A syslog server over TCP in a thread; `messages` is what it was sent, frame by frame."""

    def __init__(self) -> None:
        self.messages: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"tcp://127.0.0.1:{self._listener.getsockname()[1]}"
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._read, args=(connection,), daemon=True))
            self._threads[-1].start()

    def _read(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while digits := self._length(stream):
                self.messages.append(stream.read(digits).decode())

    @staticmethod
    def _length(stream: io.BufferedReader) -> int:
        digits = b""
        while (byte := stream.read(1)) not in {b"", b" "}:
            digits += byte
        return int(digits or b"0")

    def told(self, event: str) -> list[str]:
        return [message for message in self.messages if f'event="{event}"' in message]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)


@pytest.fixture
def siem() -> Iterator[SyslogServer]:
    server = SyslogServer()
    yield server
    server.close()


def get(running: Installation, path: str) -> tuple[int, bytes]:
    try:
        with urllib.request.urlopen(running.url + path, timeout=10) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def reload(running: Installation, more: str) -> None:
    path = running.folder / "collector.toml"
    path.write_text(path.read_text() + more)
    running.signal("collector", signal.SIGHUP)


@pytest.mark.peers("promtool")
def test_prometheus_takes_the_metrics_of_a_collector_that_works(
    running: Installation, require: Callable[[str], str]
) -> None:
    with sleeper() as process:
        (running.folder / "pid").write_text(str(process.pid))
        running.add_agent("n", process_check(running.folder / "pid"))
        until("beats are counted", lambda: re.search(rb"detak_beat_seconds_count [1-9]", get(running, "/metrics")[1]))
        until("the node is counted", lambda: b'detak_nodes{state="heard"} 1' in get(running, "/metrics")[1], 40)
        text = get(running, "/metrics")[1]
        process.kill()
    checked = subprocess.run([require("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
    assert b'node="' not in text
    assert get(running, "/readyz")[0] == get(running, "/healthz")[0] == 200


def test_a_siem_hears_of_enrolment_outage_stop_and_start_once_a_reload_names_it(
    running: Installation, siem: SyslogServer
) -> None:
    reload(running, f'[syslog]\naddress = "{siem.address}"\n')
    until("the reload is told", lambda: siem.told("reloaded"))
    with sleeper() as process:
        (running.folder / "pid").write_text(str(process.pid))
        running.add_agent("n", process_check(running.folder / "pid"))
        until("it is up", lambda: running.condition() == "up")
        process.kill()
        process.wait()
        until("the outage is told", lambda: siem.told("outage-begun"))
    with sleeper() as process:
        (running.folder / "pid").write_text(str(process.pid))
        until("its end is told", lambda: siem.told("outage-ended"))
        process.kill()
    assert [len(siem.told(event)) for event in ("outage-begun", "outage-ended", "enrolled")] == [1, 1, 1]
    # Of a command as well, with who gave it.
    until("the command is told", lambda: siem.told("token-issued"))
    assert re.search(r' audit \[detak@32473 event="token-issued" by="\w+" node="n"\] ', siem.told("token-issued")[0])
    assert re.fullmatch(
        r'<27>1 \S+Z \S+ detak-collector \d+ outage \[detak@32473 event="outage-begun" service="s" .*outage="1"\] '
        r"\ufeffS \(outage 1\) is down: application, .*",
        siem.told("outage-begun")[0],
    )
    running.signal("collector", signal.SIGTERM)
    until("the stop is told", lambda: siem.told("stopping"))
    running.start_collector()
    until("the start is told", lambda: siem.told("started"))


def key_of(running: Installation) -> str:
    session = Session.begin(running.folder / "collector.toml", debug=False)
    with session.store(session.config()) as store:
        token = issue_token(store.registry, NODE, 60_000, session.clock())
        return redeem(store.registry, NODE, token, session.clock())[1]


def test_no_beat_is_lost_while_the_configuration_is_reloaded_again_and_again(running: Installation) -> None:
    key = key_of(running)
    until("the key is known", lambda: post(running, key, encode(first_beat())) == 200)
    statuses: list[int] = []
    done = threading.Event()

    def beat() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=30)
        tick = 1
        while not done.is_set():
            headers = {"Authorization": f"Bearer {key}"}
            connection.request("POST", "/api/v1/evidence", encode(later_beat(tick)), headers)
            answer = connection.getresponse()
            answer.read()
            statuses.append(answer.status)
            tick += 1
        connection.close()

    thread = threading.Thread(target=beat)
    thread.start()
    for number in range(1, 6):
        reload(running, "\n")
        until("it is reloaded", partial(has_reloaded, running, number))
    done.set()
    thread.join()
    assert set(statuses) == {200}


def has_reloaded(running: Installation, times: int) -> bool:
    return running.log("collector").count("event=reloaded") >= times


def post(running: Installation, key: str, body: bytes) -> int:
    request = urllib.request.Request(
        f"{running.url}/api/v1/evidence", body, {"Authorization": f"Bearer {key}"}, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_systemd_is_told_of_a_reload_and_of_one_that_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with installation(tmp_path, service_of("n/app")) as running:
            assert told_until(supervisor, "READY=1") == ["READY=1"]
            running.signal("collector", signal.SIGHUP)
            begun, *rest = told_until(supervisor, "READY=1")
            assert re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=\d+", begun)
            assert rest == ["STATUS=", "READY=1"]
            (running.folder / "services.toml").write_text("organisatio = 1\n")
            running.signal("collector", signal.SIGHUP)
            refused = told_until(supervisor, "READY=1")[1]
            assert refused.startswith("STATUS=The configuration is not reloaded, the old one is in force: ")


def told_until(supervisor: socket.socket, last: str) -> list[str]:
    """What systemd is told up to that, without the watchdog's pings."""
    told: list[str] = []
    while not told or told[-1] != last:
        message = supervisor.recv(4_096).decode()
        if message != "WATCHDOG=1":
            told.append(message)
    return told


def test_a_configuration_that_is_broken_changes_nothing(running: Installation) -> None:
    services = running.folder / "services.toml"
    services.write_text(services.read_text().replace('organisation = "Test"', 'organisation = "Other"'))
    path = running.folder / "collector.toml"
    path.write_text(path.read_text().replace("down_after_ms = ", "down_after_ms = 1 # "))
    running.signal("collector", signal.SIGHUP)
    until("it is refused", lambda: "down_after_ms: expected a whole number >= 1000" in running.log("collector"))
    # Not even the half that is right.
    page = get(running, "/")[1].decode()
    assert ">Test<" in page
    assert "Other" not in page
    assert running.processes["collector"].poll() is None


IN_A_SMALL_DISK = 'mount -t tmpfs -o size=48m none "$0" && exec "$@"'


def test_a_disk_that_is_full_is_shown_on_the_page_and_everywhere_else(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    state = tmp_path / "collector"
    state.mkdir()
    small = [require("unshare"), "--mount", "sh", "-c", IN_A_SMALL_DISK, str(state)]
    with installation(tmp_path, service_of("n/app"), prefix={"collector": small}) as running:
        until("it is not ready", lambda: get(running, "/readyz")[0] == 503)
        assert json.loads(get(running, "/readyz")[1])["parts"] == {
            "store": "ok", "disk": "full", "catalogue": "ok", "schema": NAMES[-1],
        }  # fmt: skip
        assert b'detak_alarm{alarm="disk-full"} 1' in get(running, "/metrics")[1]
        assert "the disk of the store is full" in running.log("collector")
        until("the page shows it", lambda: b"The disk of the store is full" in get(running, "/")[1])
        within = ["nsenter", "-t", str(running.processes["collector"].pid), "--mount"]
        subprocess.run([*within, "dd", "if=/dev/zero", f"of={state}/fill", "bs=1M"], capture_output=True, check=False)
        until("nothing can be stored", lambda: b"disk is full" in get(running, "/readyz")[1])
        until("the page says so", lambda: b"Nothing can be stored now" in get(running, "/")[1])
        subprocess.run([*within, "rm", f"{state}/fill"], check=True)
        until("it stores again", lambda: json.loads(get(running, "/readyz")[1])["parts"]["store"] == "ok")
