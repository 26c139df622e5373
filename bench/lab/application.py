"""A small HTTP application that misbehaves as it is told: by the words in a file, which it reads at each request.

    python application.py PORT MODE_FILE

`ok` · `slow MS` · `error` · `wrong` (another page) · `hang` · `eat` (memory, until the kernel ends it).
"""

from __future__ import annotations

import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = "layanan siap"
_PIECE = 4 * 1024 * 1024
_HANG_S = 600.0


class Answer(BaseHTTPRequestHandler):
    """One request."""

    mode: Path

    def do_GET(self) -> None:
        """As the mode says."""
        word, _, number = self.mode.read_text().strip().partition(" ")
        if word in {"slow", "hang"}:
            time.sleep(int(number) / 1_000 if word == "slow" else _HANG_S)
        body = b"" if word == "wrong" else PAGE.encode()
        self.send_response(500 if word == "error" else 200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *_args: object) -> None:  # noqa: A002 - the library's name
        """Nothing is logged."""


def _eat(mode: Path) -> None:
    eaten: list[bytearray] = []
    while True:
        time.sleep(0.02)
        if mode.read_text().startswith("eat"):
            eaten.append(bytearray(b"x" * _PIECE))


def main(port: int, mode: Path) -> None:
    """Serves until it is ended."""
    Answer.mode = mode
    threading.Thread(target=_eat, args=(mode,), daemon=True).start()
    ThreadingHTTPServer.daemon_threads = True
    ThreadingHTTPServer(("0.0.0.0", port), Answer).serve_forever()


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
