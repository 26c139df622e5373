"""What the demo is made of: the application, the collector over it and the agents, set up as any user would.

It uses the two programs only through their commands and files. All it makes lies in one folder.
"""

import fcntl
import json
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from parts import Part, stop_together

HERE = Path(__file__).resolve().parent
PROGRAMS = Path(sys.executable).parent
NODES = ("dc-app-01", "dc-app-02", "drc-app-01", "drc-app-02")
SITE_DATABASE = {node: f"{node.partition('-')[0]}-app-01/database" for node in NODES}
CHECK_EVERY_MS = 2_000
HEALTH = ["cpu", "memory", "swap", "load", "disk", "inodes", "read_only"]
"""All that a check of kind os looks at but the clock, which nothing steers in many a container."""
START_PATIENCE_S = 30


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@dataclass
class Demo:
    """The folder, the ports and the processes; parts are in the order in which they start."""

    folder: Path
    ports: dict[str, int] = field(default_factory=dict)
    parts: dict[str, Part] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['collector']}"

    @property
    def collector_command(self) -> list[str]:
        return [str(PROGRAMS / "detak-collector"), "--config", str(self.folder / "collector" / "collector.toml")]

    def agent_command(self, node: str, command: str) -> list[str]:
        return [str(PROGRAMS / "detak-agent"), command, "--config", str(self.folder / node / "agent.toml")]

    def add(self, name: str, what: str, command: list[str]) -> Part:
        log = self.folder / "logs" / f"{name.replace('/', '-')}.log"
        part = self.parts[name] = Part(name, what, command, log)
        part.start()
        return part

    def stop(self) -> None:
        """End all processes: the agents first, so that they can say goodbye, then what they spoke to."""
        stop_together([part for name, part in self.parts.items() if name.endswith("/agent")])
        stop_together(list(self.parts.values()))


def run(command: list[str]) -> str:
    """What a command printed; the demo ends with its words if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0:
        raise DemoError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}".rstrip())
    return done.stdout


def free_ports(names: list[str]) -> dict[str, int]:
    """A free port for each name; all are held until all are found, so that no two are equal."""
    sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in names}
    ports = {name: held.getsockname()[1] for name, held in sockets.items()}
    for held in sockets.values():
        held.close()
    return ports


def wait_for(url: str, part: Part) -> None:
    """Until `url` answers with 200."""
    deadline = time.monotonic() + START_PATIENCE_S
    while time.monotonic() < deadline and part.runs:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise DemoError(f"{part.name} did not come up; {part.log} says:\n{part.log.read_text()[-2_000:]}".rstrip())


def check(name: str, kind: str, **settings: str | int | list[str]) -> str:
    """One [[check]] of an agent.toml."""
    keys = {"name": name, "kind": kind, "interval_ms": CHECK_EVERY_MS, "timeout_ms": CHECK_EVERY_MS - 100, **settings}
    return "\n".join(["[[check]]", *(f"{key} = {json.dumps(value)}" for key, value in keys.items()), ""])


def agent_file(demo: Demo, node: str) -> str:
    """The agent.toml of a node: this machine's health, and the part of the application that it carries."""
    head = [
        f"node = {json.dumps(node)}",
        f"state_directory = {json.dumps(str(demo.folder / node / 'state'))}",
        "beat_ms = 2000",
        f"[[collector]]\nurl = {json.dumps(demo.url)}\n",
    ]
    pid_files = demo.folder / "pids"
    checks = [
        check("os", "os", items=HEALTH),
        check("web", "http", url=f"http://127.0.0.1:{demo.ports[f'{node}/web']}/"),
        check("web-process", "process", pid_file=str(pid_files / f"{node}-web.pid")),
    ]
    database = f"{node}/database"
    if database in demo.ports:
        port = demo.ports[database]
        checks.append(check("database", "tcp", host="127.0.0.1", port=port, send="select 1\n", expect="1 row"))
    else:
        checks.append(check("front", "http", url=f"http://127.0.0.1:{demo.ports['front']}/"))
    return "\n".join(head + checks)


def start_application(demo: Demo) -> None:
    """The databases, the web servers on them, and the front door."""
    webs = [f"{node}/web" for node in NODES]
    needs = {f"{node}/web": [SITE_DATABASE[node]] for node in NODES} | {"front": webs}
    kinds = {"database": "database of its site", "web": "web server", "front": "front door of all web servers"}
    for name in [*sorted(set(SITE_DATABASE.values())), *webs, "front"]:
        kind = name.rpartition("/")[2]
        port = demo.ports[name]
        pid_file = demo.folder / "pids" / f"{name.replace('/', '-')}.pid"
        behind = [str(demo.ports[need]) for need in needs.get(name, [])]
        command = [sys.executable, str(HERE / "application.py"), kind, "--port", str(port), "--pid-file", str(pid_file)]
        demo.add(name, f"{kinds[kind]}, port {port}", [*command, "--behind", *behind])


def start_collector(demo: Demo) -> None:
    """`init`, then this demo's own two files in place of the examples, then `serve`."""
    folder = demo.folder / "collector"
    run([str(PROGRAMS / "detak-collector"), "init", str(folder)])
    shutil.copy(HERE / "services.toml", folder / "services.toml")
    (folder / "collector.toml").write_text(
        f'listen = "127.0.0.1:{demo.ports["collector"]}"\n'
        f"state_directory = {json.dumps(str(folder / 'state'))}\n"
        f"services = {json.dumps(str(folder / 'services.toml'))}\n"
    )
    run([*demo.collector_command, "config-check"])
    collector = demo.add("collector", f"collector, {demo.url}/", [*demo.collector_command, "serve"])
    wait_for(f"{demo.url}/healthz", collector)


def start_agent(demo: Demo, node: str) -> None:
    """A one-time token from the collector, the node's key for it, then `run`."""
    (demo.folder / node).mkdir()
    (demo.folder / node / "agent.toml").write_text(agent_file(demo, node))
    token = re.search(r"--token[ =](\S+)", run([*demo.collector_command, "enroll", node]))
    if token is None:
        raise DemoError("detak-collector enroll printed no token")
    run([*demo.agent_command(node, "enroll"), "--collector", demo.url, "--token", token[1]])
    demo.add(f"{node}/agent", "agent", demo.agent_command(node, "run"))


@contextmanager
def own_folder(folder: Path) -> Iterator[Path]:
    """An empty folder for one demo at a time, removed at the end."""
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"another demo runs in {folder}; end it first, or name another --folder") from None
        for old in folder.iterdir():
            if old.name != "lock":
                shutil.rmtree(old)
        for name in ("logs", "pids"):
            (folder / name).mkdir()
        try:
            yield folder
        finally:
            shutil.rmtree(folder)


def start_everything(demo: Demo) -> None:
    """From the databases up to the agents."""
    parts = ["collector", "front", *(f"{node}/web" for node in NODES), *sorted(set(SITE_DATABASE.values()))]
    demo.ports = free_ports(parts)
    start_application(demo)
    start_collector(demo)
    for node in NODES:
        start_agent(demo, node)
