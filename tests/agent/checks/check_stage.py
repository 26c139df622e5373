"""What the tests of check kinds share: probes made as the agent makes them, small real servers, real certificates."""

import asyncio
import contextlib
import gc
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from detak_agent.checks.base import CheckSettings, Outcome, Probe, Surroundings
from detak_agent.checks.loading import LoadedProbe
from detak_agent.checks.registry import REGISTRY

DEADLINE_MS = 4_000
LOADING_MS = 60_000

Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Start = Callable[..., "subprocess.Popen[str]"]


def settings_of(kind: str, name: str = "tested", **keys: Any) -> CheckSettings:
    """The settings as the agent makes them of a table in its file, without an error in them."""
    settings = msgspec.convert({"name": name, "kind": kind, **keys}, REGISTRY[kind].settings)
    assert REGISTRY[kind].problems(settings) == []
    return settings


def problems_of(kind: str, **keys: Any) -> list[tuple[str, str]]:
    settings = msgspec.convert({"name": "tested", "kind": kind, **keys}, REGISTRY[kind].settings)
    return REGISTRY[kind].problems(settings)


def probe_of(kind: str, root: Path = Path("/"), **keys: Any) -> Probe:
    return REGISTRY[kind].build(settings_of(kind, **keys), Surroundings(root))


async def ask(kind: str, deadline_ms: int = DEADLINE_MS, root: Path = Path("/"), **keys: Any) -> Outcome:
    """One sample of a new check, taken as the agent does when its library is there."""
    probe = probe_of(kind, root, **keys)
    if isinstance(probe, LoadedProbe):
        await probe.load(LOADING_MS)
    return await probe.sample(deadline_ms)


def open_files() -> int:
    """How many file descriptors this process holds: a check leaves no more of them."""
    return len(list(Path("/proc/self/fd").iterdir()))


def open_files_at_first() -> int:
    """The same before the check is at work, without those that earlier tests dropped: they would go in between."""
    gc.collect()
    return open_files()


@contextlib.asynccontextmanager
async def serve(handler: Handler, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    handling: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        handling[task] = writer
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await handler(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()
            del handling[task]

    server = await asyncio.start_server(handle, host, 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        # What was accepted a moment ago gets its task first, and what is aborted is closed in the loop's next rounds.
        await asyncio.sleep(0.02)
        server.close()
        for task, writer in handling.items():
            task.cancel()
            writer.transport.abort()
        await asyncio.gather(*handling, return_exceptions=True)
        await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Certificates:
    """Certificates of one authority, made by openssl, all with one key."""

    folder: Path

    @property
    def authority(self) -> str:
        return str(self.folder / "authority.pem")

    def path(self, name: str) -> Path:
        return self.folder / f"{name}.pem"

    def context(self, name: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.path(name), self.folder / "key.pem")
        return context

    def der(self, name: str) -> bytes:
        return ssl.PEM_cert_to_DER_cert(self.path(name).read_text())

    @property
    def key(self) -> str:
        return str(self.folder / "key.pem")


def make_certificates(openssl: str, folder: Path) -> Certificates:
    """good, soon (5 days left), far, expired, other-name and self-signed, the first five by one authority."""

    def run(arguments: str) -> None:
        subprocess.run([openssl, *arguments.split()], cwd=folder, check=True, capture_output=True)

    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    run("ecparam -genkey -name prime256v1 -noout -out key.pem")
    run("req -x509 -new -key key.pem -subj /CN=authority -days 3650 -out authority.pem")
    run(f"req -x509 -new -key key.pem -subj /CN=own -days 90 -addext {names} -out self-signed.pem")
    run("req -new -key key.pem -subj /CN=localhost -out request.pem")
    for name, days in (("good", 365), ("soon", 5), ("far", 18_250), ("expired", -1), ("other-name", 365)):
        (folder / "names.txt").write_text(
            ("subjectAltName=DNS:other.example" if name == "other-name" else names) + "\n"
        )
        signed_by = "-CA authority.pem -CAkey key.pem -CAcreateserial"
        run(f"x509 -req -in request.pem {signed_by} -days {days} -extfile names.txt -out {name}.pem")
    return Certificates(folder)
