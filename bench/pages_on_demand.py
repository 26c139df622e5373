"""What the pages cost that are derived when somebody asks for them: the first time, and again while they serve.

Those of the large store, and those of a service that was down ten thousand times in a year.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from ingest_servers import collector
from pages_estate import Size, service_id
from pages_load import Reader
from pages_store import COOKIE, SERVE, found_or_made

BUSY = Size(2, 366, 10_000)
OUTAGES_LATEST, OUTAGES_LAYER = "/outages", "/outages?cause=database&state=unacknowledged"


def on_demand(reader: Reader) -> dict[str, float]:
    """Each page of the large store, twice; nobody has asked for any before."""
    year = time.gmtime().tm_year
    first = {"/figure": asked_twice(reader, "/figure")}
    others = (
        f"/figure/{year - 1}", f"/service/{service_id(7)}", f"/service/{service_id(8)}?zoom=year", "/node/node-0123",
        OUTAGES_LATEST, OUTAGES_LAYER,
    )  # fmt: skip
    first |= {path: asked_twice(reader, path) for path in others}
    return {"figure_ms": first["/figure"], "outages_ms": max(first[OUTAGES_LATEST], first[OUTAGES_LAYER])}


def asked_twice(reader: Reader, path: str) -> float:
    """What it took the first time, in ms."""
    one, two = reader.ask(path), reader.ask(path)
    print(f"{path}: {one.took_ms:.0f} ms, then {two.took_ms:.0f} ms; {one.sent_bytes / 1_024:.1f} KiB packed",
          flush=True)  # fmt: skip
    return one.took_ms


def busy(seed: int, core: int) -> dict[str, float]:
    """The pages of a service that was down ten thousand times, once its closed months are kept."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "busy"
        found_or_made(home, seed, BUSY)
        server = collector(home, core, SERVE)
        reader = Reader(server.port, COOKIE)
        try:
            year, one = time.gmtime().tm_year, service_id(0)
            for kept in (year - 1, year):
                reader.ask(f"/figure/{kept}")
            first = asked_twice(reader, f"/service/{one}?zoom=year")
            for path in (f"/service/{one}?zoom=month", f"/figure/{year}/outages?service={one}&page=90", OUTAGES_LAYER):
                asked_twice(reader, path)
        finally:
            reader.close()
            server.end()
    return {"service_year_ms": first}
