"""What tests of notifications share: sightings and looks to be told of, and a receiver that checks signatures."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from detak_collector.notify.deciding import Choice, Memory, decide
from detak_collector.notify.items import OUTAGE, Fate, Item, Message, Seen, Sighting, outage_matter
from detak_collector.notify.webhook import KEY, SIGNATURE, TIMESTAMP, signature

NOW = 1_790_000_000_000
MINUTE = 60_000
HOUR = 60 * MINUTE
SECRET = "a secret of the receiver's"


def sighting(number: int = 12, begin: int = NOW - MINUTE, end: int | None = None, **more: Any) -> Sighting:
    """An outage of the service `impor`, unless told otherwise."""
    plain: dict[str, Any] = {
        "subject": "impor", "name": "CEISA Impor", "cause": "database", "shown_as": "down", "proven": True,
        "counts": True, "in_figure": True, "services": frozenset({"impor"}), "detail": "dc-db-01/pg: refused",
    }  # fmt: skip
    return Sighting(outage_matter(number), OUTAGE, begin=begin, end=end, number=number, **{**plain, **more})


def seen(now: int, *sightings: Sighting, fates: Mapping[int, Fate] | None = None, **more: Any) -> Seen:
    by_matter = {one.matter: one for one in sightings}
    told = {outage_matter(number): fate for number, fate in (fates or {}).items()}
    services = frozenset({"impor"}).union(*(one.services for one in sightings))
    return Seen(now, by_matter, fates=told, services=services, **more)


@dataclass
class Told:
    """One target that is told again and again: what it knows lasts, what the process remembers may be lost."""

    choice: Choice = field(default_factory=lambda: Choice("noc", after_ms=30_000, gather_ms=0))
    known: dict[str, Item] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)
    messages: list[Message] = field(default_factory=list)

    def look(self, what: Seen) -> list[Message]:
        decision = decide(self.choice, self.known, what, self.memory)
        self.memory = decision.memory
        for message in decision.messages:
            self.known.update({one.matter: one for one in message.items})
        self.messages += decision.messages
        return list(decision.messages)

    def restart(self) -> None:
        self.memory = Memory()

    def events(self) -> list[tuple[str, str]]:
        """(event, matter) of all that was told, in order."""
        return [(str(one.event), one.matter) for message in self.messages for one in message.items]


@dataclass
class Receiver:
    """An endpoint of somebody else's. It takes nothing while `refuses` is a status."""

    url: str
    taken: list[dict[str, Any]] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    tried: int = 0
    refuses: int | None = None
    secret: str = SECRET

    def events(self) -> list[str]:
        return [one["event"] for one in self.taken]

    def by_outage(self) -> dict[int, list[str]]:
        """What was told of each outage, by its number."""
        told: dict[int, list[str]] = {}
        for message in self.taken:
            for one in message.get("outages", ()):
                told.setdefault(one["number"], []).append(message["event"])
        return told

    def take(self, headers: dict[str, str], body: bytes) -> int:
        self.tried += 1
        self.bodies.append(body)
        if self.refuses is not None:
            return self.refuses
        if headers.get(SIGNATURE) != f"sha256={signature(self.secret, headers.get(TIMESTAMP, ''), body)}":
            self.wrong.append(f"signature {headers.get(SIGNATURE)}")
        document = json.loads(body)
        if document["id"] != headers.get(KEY):
            self.wrong.append(f"key {headers.get(KEY)} of {document['id']}")
        if headers.get(KEY) not in self.keys:
            self.taken.append(document)
        self.keys.append(str(headers.get(KEY)))
        return 204


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on loopback; one that already has a message's key takes it and does nothing."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(made.take(dict(self.headers), body))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """It is quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made = Receiver(f"http://127.0.0.1:{server.server_address[1]}/hook")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
