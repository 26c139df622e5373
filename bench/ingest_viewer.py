"""Somebody who looks at the status page: loads it, listens, and fetches what changed, as a browser does.

    python bench/ingest_viewer.py PORT

At SIGTERM it tells in one line of JSON how often the page was renewed, and how many seconds the longest time between
two renewals was.
"""

from __future__ import annotations

import http.client
import json
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from types import FrameType

PATIENCE_S = 600.0


class EndedError(Exception):
    """SIGTERM."""


def main() -> None:
    """Looks until it is told to end."""
    port = int(sys.argv[1])
    signal.signal(signal.SIGTERM, _end)
    renewed: list[float] = []
    with suppress(EndedError):
        fetch(port, "/")
        print("open", flush=True)
        renewed.append(time.monotonic())
        for version in told(port):
            if version:
                fetch(port, "/status/fragment")
            renewed.append(time.monotonic())
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    renewed.append(time.monotonic())
    longest = max((later - earlier for earlier, later in pairwise(renewed)), default=0.0)
    print(json.dumps({"renewals": max(0, len(renewed) - 2), "longest_s": round(longest, 1)}), flush=True)


def told(port: int) -> Iterator[str]:
    """Each time the page is renewed its version, or nothing where that is the one before."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", "/live")
    answer = connection.getresponse()
    last = ""
    while line := answer.readline():
        if line.startswith(b"data: "):
            version = json.loads(line.removeprefix(b"data: "))["version"]
            yield version if version != last else ""
            last = version


def fetch(port: int, path: str) -> None:
    """The page, or the part of it that changes, packed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
    connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    answer.read()
    connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise SystemExit(f"{path}: {answer.status}")


def _end(_: int, __: FrameType | None) -> None:
    raise EndedError


if __name__ == "__main__":
    main()
