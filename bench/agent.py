"""What an agent costs a node, beside the agents people know: processor, memory, and bytes on the wire.

    python bench/agent.py [--seconds 120] [--without-peers]

All run at once, each as its own documentation starts it, looking at the machine every five seconds where it can be
told to. Memory is that at the end, a program's children included; a peer that is not installed is left out.
Ends with `agent rss_mib=… pss_mib=… cpu_s_per_h=… beat_bytes=…`.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from agent_wire import Meter
from peer_agents import PEERS, Peer

WARM_UP_S = 15
"""Until everything has been imported and every first sample taken."""

COLLECTOR = [sys.executable, "-m", "detak_collector"]
AGENT = [str(Path(sys.executable).with_name("detak-agent"))]

LOCAL = (
    'kind = "os"',
    'kind = "os"\nitems = ["disk", "inodes", "read_only"]',
    'kind = "os"\nitems = ["clock"]',
    'kind = "process"\nprocess_name = "python"\ncommand_pattern = "detak_collector"',
    'kind = "process"\ncommand_pattern = "detak-agent"',
    'kind = "file"\npath = "/etc/hostname"',
    'kind = "file"\npath = "/etc/passwd"',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {port}',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {port}',
    'kind = "tcp"\nhost = "127.0.0.1"\nport = {port}',
)
"""Ten local checks, as of a database server: none needs HTTP or DNS."""

HTTP_AND_DNS = (
    *LOCAL[:7],
    'kind = "http"\nurl = "http://127.0.0.1:{port}/healthz"\nstatus = ["200-499"]',
    'kind = "http"\nurl = "http://127.0.0.1:{port}/"\nstatus = ["200-499"]',
    'kind = "dns"\nquery = "localhost"',
)


@dataclass(frozen=True, slots=True)
class Usage:
    """Memory in MiB, and processor seconds so far."""

    rss: float
    pss: float
    cpu_s: float


def usage(root: int) -> Usage:
    """Of a process and all its descendants."""
    rss = pss = cpu = 0.0
    for pid in _family(root):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        rss += int(_number(rollup, "Rss")) / 1024
        pss += int(_number(rollup, "Pss")) / 1024
        # Fields 14 to 17 of proc(5): its own time, and that of children it waited for.
        cpu += sum(map(int, stat[11:15])) / os.sysconf("SC_CLK_TCK")
    return Usage(rss, pss, cpu)


def _number(rollup: str, key: str) -> str:
    found = re.search(rf"^{key}:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None
    return found[1]


def _family(root: int) -> Iterator[int]:
    yield root
    for task in Path(f"/proc/{root}/task").glob("*/children"):
        for child in task.read_text(encoding="ascii").split():
            yield from _family(int(child))


@contextmanager
def started(command: Sequence[str], log: Path, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process of its own group, ended for certain."""
    with log.open("ab") as file:
        process = subprocess.Popen(
            command, stdout=file, stderr=file, start_new_session=True, env={**os.environ, **environment}
        )
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGTERM)
                try:
                    process.wait(5)
                except subprocess.TimeoutExpired:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()


@contextmanager
def collector(folder: Path) -> Iterator[int]:
    """A real collector; its port."""
    subprocess.run([*COLLECTOR, "init", str(folder / "collector")], check=True, stdout=subprocess.DEVNULL)
    path = folder / "collector/collector.toml"
    path.write_text(path.read_text().replace("127.0.0.1:8080", "127.0.0.1:0"))
    log = folder / "collector.log"
    with started([*COLLECTOR, "--config", str(path), "serve"], log):
        yield int(_waited_for(log, r"listening on http://127\.0\.0\.1:(\d+)"))


def _waited_for(log: Path, pattern: str) -> str:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        found = re.search(pattern, log.read_text())
        if found is not None:
            return found[1]
        time.sleep(0.1)
    raise SystemExit(f"{log}: never said {pattern}:\n{log.read_text()}")


@contextmanager
def agent(folder: Path, name: str, checks: Sequence[str], port: int, beaten: int) -> Iterator[int]:
    """A real agent with these checks that delivers to `beaten`; its process."""
    config = enrolled(folder, name, [check.format(port=port) for check in checks], beaten)
    with started([*AGENT, "run", "--config", str(config)], config.with_name("log")) as process:
        yield process.pid


def enrolled(folder: Path, name: str, checks: Sequence[str], beaten: int) -> Path:
    """The configuration of an agent that has its key, and was never started."""
    home = folder / name
    home.mkdir()
    tables = "".join(f'\n[[check]]\nname = "check-{at}"\n{check}\n' for at, check in enumerate(checks))
    url = f"http://127.0.0.1:{beaten}"
    config = home / "agent.toml"
    config.write_text(f'node = "{name}"\nstate_directory = "{home}/state"\n[[collector]]\nurl = "{url}"\n{tables}')
    enrol = [*COLLECTOR, "--config", str(folder / "collector/collector.toml"), "enroll", name]
    said = subprocess.run(enrol, check=True, capture_output=True, text=True).stdout
    token = re.search(r"--token (\S+)", said)
    assert token is not None, said
    subprocess.run(
        [*AGENT, "enroll", "--config", str(config), "--collector", url, "--token", token[1]],
        check=True, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    return config


def main() -> None:
    """Starts all, waits, and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--without-peers", action="store_true")
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory, ExitStack() as stack:
        folder = Path(directory)
        folder.chmod(0o755)
        port = stack.enter_context(collector(folder))
        meter = stack.enter_context(Meter.before(port))
        programs: dict[str, Callable[[], int]] = {}
        for name, checks in (("ten-local", LOCAL), ("http-and-dns", HTTP_AND_DNS)):
            way = meter.port if name == "ten-local" else port
            pid = stack.enter_context(agent(folder, name, checks, port, way))
            programs[f"detak-agent, {name.replace('-', ' ')} checks"] = lambda pid=pid: pid  # type: ignore[misc]
        for peer in () if wanted.without_peers else PEERS:
            stack.enter_context(_peer(peer, folder, programs))
        measure(programs, meter, wanted.seconds)


@contextmanager
def _peer(peer: Peer, folder: Path, programs: dict[str, Callable[[], int]]) -> Iterator[None]:
    path = peer.path()
    if path is None:
        print(f"{peer.name} is not installed", file=sys.stderr)
        yield
        return
    home = folder / peer.name
    home.mkdir(mode=0o777)
    with started(peer.command(path, home), home / "log") as process:
        programs[f"{peer.name} {peer.version(path)}"] = lambda: process.pid
        if peer.ask is not None:
            threading.Thread(target=_ask, args=(peer.ask,), daemon=True).start()
        yield


def _ask(one: Callable[[], None]) -> None:
    while True:
        time.sleep(5)
        with suppress(OSError):
            one()


def measure(programs: dict[str, Callable[[], int]], meter: Meter, seconds: int) -> None:
    """Processor time over so many seconds, memory at the end of them."""
    time.sleep(WARM_UP_S)
    before = {name: usage(pid()) for name, pid in programs.items()}
    begun, sent_before = time.monotonic(), meter.requests()
    threading.Event().wait(seconds)
    hours = (time.monotonic() - begun) / 3600
    sizes = meter.requests()[len(sent_before) :]
    print(f"{'':44} {'RSS MiB':>8} {'PSS MiB':>8} {'CPU s/h':>8}")
    for name, pid in programs.items():
        now = usage(pid())
        print(f"{name:44} {now.rss:>8.1f} {now.pss:>8.1f} {(now.cpu_s - before[name].cpu_s) / hours:>8.1f}")
    first = next(iter(programs))
    mine = usage(programs[first]())
    rate = (mine.cpu_s - before[first].cpu_s) / hours
    beat = sorted(sizes)[len(sizes) // 2]
    print(f"\n{len(sizes)} beats, of {min(sizes)} to {max(sizes)} bytes with their headers, half of them up to {beat}")
    print(f"agent rss_mib={mine.rss:.1f} pss_mib={mine.pss:.1f} cpu_s_per_h={rate:.1f} beat_bytes={beat}")


if __name__ == "__main__":
    main()
