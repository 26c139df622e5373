"""What is soaked: two collectors that are a pair, real agents with an application each, and a link between any two.

All of it is on loopback, needs no rights, and is gone at the end.
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

from cuttable_link import Link

from detak_collector.channel.enrol import issue_token, redeem
from detak_collector.commands.session import Session
from ingest_beats import NAMES, TURNING, node_name
from lab.application import PAGE
from lab.host import NotDoneError, until
from lab.running import taken_down
from soaking.processes import Process, free_port

PROGRAMS = Path(sys.executable).parent
SIDES = ("dc", "drc")
APPLICATION = Path(__file__).parents[1] / "lab" / "application.py"
INTERVAL_MS, TIMEOUT_MS, BEAT_MS = 5_000, 4_000, 5_000
DOWN_AFTER_BEATS = 3
SIMULATED_SERVICES = 20
MEMBERS = 5
RULES = ("any_down", "all_down", "lowest_member")
ANSWERS_WITHIN_S = 60.0
COMMAND_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many nodes there are, how often the simulated ones speak, and which real ones are never restarted."""

    simulated: int
    real: int
    beat_s: float

    @property
    def nodes(self) -> tuple[str, ...]:
        """The real ones."""
        return tuple(f"real-{at:02}" for at in range(1, self.real + 1))

    @property
    def lasting(self) -> tuple[str, ...]:
        """Half of them: of their agents' memory something can be said."""
        return self.nodes[: (self.real + 1) // 2]

    @property
    def known_to_both(self) -> int:
        """How many simulated nodes speak to both collectors; of the others the second one hears from the first."""
        return self.simulated - self.simulated // 20

    @property
    def down_after_ms(self) -> int:
        """Nobody is unheard between two messages."""
        return int(DOWN_AFTER_BEATS * max(1_000 * self.beat_s, BEAT_MS))


@dataclass(slots=True)
class Stand:
    """`links` are by `from-to`, `processes` by node, side, or `app-` and node, `keys` by simulated node and port."""

    folder: Path
    sizes: Sizes
    ports: dict[str, int] = field(default_factory=dict)
    links: dict[str, Link] = field(default_factory=dict)
    processes: dict[str, Process] = field(default_factory=dict)
    keys: list[dict[int, str]] = field(default_factory=list)
    flaws: list[str] = field(default_factory=list)
    """What must not be, as it was noticed."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """The real ones."""
        return self.sizes.nodes

    def home(self, name: str) -> Path:
        """A collector's or an agent's folder."""
        return self.folder / name

    def tell(self, node: str, words: str) -> None:
        """A node's application, how it is to behave from now on."""
        mode = self.folder / f"app-{node}.mode"
        new = mode.with_suffix(".new")
        new.write_text(f"{words}\n")
        new.replace(mode)

    def tried(self, side: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A command of a collector's, whatever came of it."""
        command = [str(PROGRAMS / "detak-collector"), "--config", str(self.home(side) / "collector.toml"), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_WITHIN_S, check=False)

    def says(self, side: str, *words: str) -> str:
        """What a command prints; exit code 1 (bad news) is an answer too. Raises NotDoneError."""
        done = self.tried(side, *words)
        if done.returncode not in {0, 1}:
            raise NotDoneError(f"{side}: {' '.join(words)}: {done.stdout}{done.stderr}")
        return done.stdout

    def answers(self, side: str) -> None:
        """Wait until a collector does; raises NotDoneError."""

        def is_served() -> bool:
            with suppress(OSError), urlopen(f"http://127.0.0.1:{self.ports[side]}/healthz", timeout=2) as answer:
                return int(answer.status) == 200
            return False

        until(f"{side} answers: see {self.folder}/{side}.log", is_served, ANSWERS_WITHIN_S)

    def look_after(self) -> None:
        """What has ended by itself is a flaw, and started again."""
        for name, process in self.processes.items():
            if process.has_ended:
                self.flaws.append(f"{name} ended by itself: {_last_line(process.log)}")
                process.kill()
                process.start()

    def close(self) -> None:
        """Nothing of it runs when this returns."""
        others = [process for name, process in self.processes.items() if name not in SIDES]
        collectors = [self.processes[side] for side in SIDES if side in self.processes]
        for together in (others, collectors):
            for process in together:
                process.ask_to_end()
            for process in together:
                process.end()
        for link in self.links.values():
            link.close()


def _last_line(log: Path) -> str:
    return (log.read_text(errors="replace").splitlines() or ["without a word"])[-1]


@contextmanager
def stand(folder: Path, sizes: Sizes) -> Iterator[Stand]:
    """All of it, up and enrolled."""
    made = Stand(folder, sizes, keys=[{} for _ in range(sizes.simulated)])
    with taken_down() as left:
        left.callback(made.close)
        _make_collectors(made)
        _enrol_simulated(made)
        _pair(made)
        for node in made.nodes:
            _make_node(made, node)
        yield made


def _make_collectors(made: Stand) -> None:
    for side in SIDES:
        made.ports[side] = free_port()
        made.home(side).mkdir()
        (made.home(side) / "services.toml").write_text(catalogue(made.sizes))
        command = [str(PROGRAMS / "detak-collector"), "--config", str(made.home(side) / "collector.toml"), "serve"]
        made.processes[side] = Process(side, command, made.folder / f"{side}.log")
    made.links["drc-dc"], made.links["dc-drc"] = Link(made.ports["dc"]), Link(made.ports["drc"])
    for side in SIDES:
        _configure(made, side)


def _configure(made: Stand, side: str, more: str = "") -> None:
    """collector.toml; each is reached by the other through a link that can be cut."""
    url = made.links["drc-dc" if side == "dc" else "dc-drc"].url
    (made.home(side) / "collector.toml").write_text(
        f'listen = "127.0.0.1:{made.ports[side]}"\npublic_url = "{url}"\nstate_directory = "state"\n'
        f"down_after_ms = {made.sizes.down_after_ms}\n{more}"
    )


def _enrol_simulated(made: Stand) -> None:
    """With the collectors, while they are not there yet; the last ones with `dc` alone."""
    for side, count in (("dc", made.sizes.simulated), ("drc", made.sizes.known_to_both)):
        session = Session.begin(made.home(side) / "collector.toml", debug=False)
        with session.store(session.config()) as store:
            for at in range(count):
                now = session.clock()
                token = issue_token(store.registry, node_name(at), 60_000, now)
                made.keys[at][made.ports[side]] = redeem(store.registry, node_name(at), token, now)[1]


def _pair(made: Stand) -> None:
    made.processes["dc"].start()
    made.answers("dc")
    words = shlex.split(made.says("dc", "pair", "token"))
    made.says("drc", *words[1:])
    _configure(made, "drc", f'follow = "{made.links["drc-dc"].url}"\n')
    made.processes["drc"].start()
    made.answers("drc")


def _make_node(made: Stand, node: str) -> None:
    """An application, and an agent that looks at it by two checks, and at the machine."""
    made.tell(node, "ok")
    port = made.ports[node] = free_port()
    command = [sys.executable, "-I", "-S", str(APPLICATION), str(port), str(made.folder / f"app-{node}.mode")]
    application = Process(f"app-{node}", command, made.folder / f"app-{node}.log", made.folder / f"app-{node}.pid")
    made.processes[application.name] = application
    application.start()
    checks: dict[str, dict[str, object]] = {
        "process": {"kind": "process", "pid_file": str(application.pid_file)},
        "page": {"kind": "http", "url": f"http://127.0.0.1:{port}/", "body_contains": PAGE},
        "machine": {"kind": "os", "items": ["memory"]},
    }
    made.home(node).mkdir()
    config = made.home(node) / "agent.toml"
    for side in SIDES:
        made.links[f"{node}-{side}"] = Link(made.ports[side])
    config.write_text(_agent_toml(made, node, checks))
    for side in SIDES:
        _enrol(made, node, side, config)
    words = [str(PROGRAMS / "detak-agent"), "run", "--config", str(config)]
    made.processes[node] = Process(node, words, made.folder / f"{node}.log")
    made.processes[node].start()


def _agent_toml(made: Stand, node: str, checks: dict[str, dict[str, object]]) -> str:
    tables = "".join(f'[[collector]]\nurl = "{made.links[f"{node}-{side}"].url}"\n' for side in SIDES)
    for name, check in checks.items():
        table = {"name": name, **check, "interval_ms": INTERVAL_MS, "timeout_ms": TIMEOUT_MS}
        tables += "[[check]]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
    return f'node = "{node}"\nstate_directory = "{made.home(node)}/state"\nbeat_ms = {BEAT_MS}\n{tables}'


def _enrol(made: Stand, node: str, side: str, config: Path) -> None:
    """By the line that the collector prints, through the node's own link to it."""
    program, *line = shlex.split(made.says(side, "enroll", node))
    line[line.index("--collector") + 1] = made.links[f"{node}-{side}"].url
    words = [str(PROGRAMS / program), *line, "--config", str(config)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise NotDoneError(f"{node} is not enrolled with {side}: {done.stdout}{done.stderr}")


def catalogue(sizes: Sizes) -> str:
    """services.toml: one service for each application, and some that rest on simulated nodes."""
    lines = ['organisation = "Soak"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n']
    lines += [_service(node, "any_down", [f"{node}/process", f"{node}/page"]) for node in sizes.nodes]
    count = min(SIMULATED_SERVICES, sizes.simulated // MEMBERS)
    spread = range(0, sizes.simulated, sizes.simulated // (count * MEMBERS)) if count else range(0)
    for at in range(count):
        members = [f"{node_name(one)}/{NAMES[TURNING]}" for one in spread[at * MEMBERS : (at + 1) * MEMBERS]]
        lines.append(_service(f"simulated-{at:02}", RULES[at % len(RULES)], members))
    return "\n".join(lines)


def _service(name: str, rule: str, members: list[str]) -> str:
    return (
        f'[[service]]\nid = "{name}"\ncriticality = "sangat kritis"\npublic = true\n[[service.group]]\n'
        f'name = "thing"\ncategory = "application"\nrule = "{rule}"\nmembers = {json.dumps(members)}\n'
    )
