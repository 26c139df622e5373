"""Records what a real agent sends and is answered, byte for byte, from its enrolment to its second run.

Run it once for each version of the protocol, and when agents begin to send something new, with tests and tests/system
on PYTHONPATH. What is recorded is never made anew: it stands for agents that are out there.
"""

import http.client
import json
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from installation import PROGRAMS, Installation, installation, process_check, service_of, sleeper, until

from detak_agent import VERSION
from detak_wire import PROTOCOL_VERSION

RECORDED = Path(__file__).parent / "wire"
METRICS_S = 120


class Recorder(BaseHTTPRequestHandler):
    """Passes each request on, and notes it with its answer."""

    protocol_version = "HTTP/1.1"
    port = 0
    away = False
    found: list[dict[str, object]] = []  # noqa: RUF012 - one for the process

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if Recorder.away:
            self.close_connection = True
            return
        connection = http.client.HTTPConnection("127.0.0.1", Recorder.port, timeout=30)
        connection.request("POST", self.path, body, dict(self.headers))
        answer = connection.getresponse()
        told = answer.read()
        connection.close()
        kept = {name: value for name, value in self.headers.items() if name not in {"Host", "Content-Length"}}
        Recorder.found.append(
            {
                "path": self.path,
                "headers": kept,
                "body": body.decode(),
                "status": answer.status,
                "answer": json.loads(told),
            }
        )
        self.send_response(answer.status)
        for name, value in answer.getheaders():
            if name not in {"Date", "Server"}:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(told)

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def seen(pattern: str) -> bool:
    """Whether a body that was sent matches."""
    return any(re.search(pattern, str(one["body"])) for one in Recorder.found)


def lead_past(recorder: int, running: Installation) -> None:
    """From now on agents are told the recorder's address."""
    path = running.folder / "collector.toml"
    path.write_text(f'public_url = "http://127.0.0.1:{recorder}"\n{path.read_text()}')
    running.port = recorder


@contextmanager
def watched(pid: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process whose id stands in that file; gone at the end."""
    process = sleeper()
    pid.write_text(str(process.pid))
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def play(running: Installation) -> None:
    """One node's days: a check up and down, a cut, metrics, a stop, and a second run."""
    pid = running.folder / "pid"
    with watched(pid):
        running.add_agent("n", process_check(pid))
        until("it is up", lambda: running.condition() == "up")
        renew = [str(PROGRAMS / "detak-agent"), "renew", "--config", str(running.folder / "n" / "agent.toml")]
        subprocess.run(renew, check=True, stdout=subprocess.DEVNULL)
    until("it is down", lambda: running.condition() == "down")
    with watched(pid):
        until("it is up again", lambda: running.condition() == "up")
        Recorder.away = True
        time.sleep(5)
        Recorder.away = False
        until("metrics came", lambda: seen('"metrics"'), METRICS_S)
        running.signal("n", signal.SIGTERM)
        running.start_agent("n")
        until("the second run speaks", lambda: seen('"previous"') and seen('"stopping":"stop"'))
        time.sleep(3)
        running.signal("n", signal.SIGTERM)


def main() -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder, installation(Path(folder), service_of("n/app")) as running:
        Recorder.port = running.port
        lead_past(server.server_port, running)
        play(running)
    server.shutdown()
    name = f"{time.strftime('%Y-%m-%d')}-protocol-{PROTOCOL_VERSION}-agent-{VERSION}.ndjson"
    (RECORDED / name).write_text("".join(json.dumps(one) + "\n" for one in Recorder.found))
    print(RECORDED / name, len(Recorder.found), (RECORDED / name).stat().st_size)


if __name__ == "__main__":
    main()
