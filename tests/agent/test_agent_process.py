"""The agent as a real process against a collector on loopback: signals, kills, restarts."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from agent.agent_fakes import systemctl_that_says
from agent.collector_stand_in import HeldRun, StandIn, collector
from detak_agent.config import CollectorSettings
from detak_agent.keys import key_path, write_key
from detak_agent.machine_identity import MachineIdentity
from detak_agent.origin import adopt
from detak_wire.messages import Gap, PreviousRun

TESTS = Path(__file__).parents[1]


class Agent:
    """An agent's process and its files."""

    def __init__(self, directory: Path, *collectors: StandIn) -> None:
        self.directory = directory
        self.config = directory / "agent.toml"
        self.said = directory / "said"
        self.said.write_text("up")
        self.urls = [one.url for one in collectors]
        self.configure()
        for one in collectors:
            write_key(key_path(CollectorSettings(url=one.url), directory / "state"), one.key)
        self.process: asyncio.subprocess.Process | None = None

    def configure(self, checks: tuple[str, ...] = ("file",), extra: str = "", top: str = "") -> None:
        collectors = "".join(f'[[collector]]\nurl = "{url}"\n' for url in self.urls)
        check = 'kind = "file-says"\ninterval_ms = 200\ntimeout_ms = 150\n'
        listed = "".join(f'[[check]]\nname = "{name}"\n{check}path = "{self.said}"\n' for name in checks)
        top = top or 'node = "node-1"\n'
        paces = f'state_directory = "{self.directory / "state"}"\ntick_ms = 200\nbeat_ms = 300\n'
        self.config.write_text(f"{top}{paces}{extra}{collectors}{listed}")

    async def start(self, **environment: str) -> None:
        search = os.pathsep.join([str(TESTS), *(path for path in sys.path if path)])
        with (self.directory / "log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                str(TESTS / "agent" / "agent_process.py"),
                str(self.config),
                stderr=log,
                env={**os.environ, "PYTHONPATH": search, **environment},
            )

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def ended(self, within_s: float = 10.0) -> int:
        assert self.process is not None
        return await asyncio.wait_for(self.process.wait(), within_s)

    def log(self) -> str:
        return (self.directory / "log").read_text()

    async def until_logged(self, text: str) -> None:
        for _ in range(200):
            if text in self.log():
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"never logged {text!r}: {self.log()}")


@asynccontextmanager
async def agent(directory: Path, *collectors: StandIn, **environment: str) -> AsyncIterator[Agent]:
    one = Agent(directory, *collectors)
    await one.start(**environment)
    try:
        yield one
    finally:
        if one.process is not None and one.process.returncode is None:
            one.process.kill()
            await one.process.wait()


def seen(one: StandIn, samples: int = 3, check: str = "file") -> Callable[[], bool]:
    return lambda: bool(one.runs) and sum(span.samples for span in one.newest().spans(check)) >= samples


def previous(held: HeldRun) -> PreviousRun:
    assert held.opening is not None
    assert held.opening.previous is not None
    return held.opening.previous


@pytest.mark.asyncio
async def test_sigterm_ends_the_run_with_a_stop_record_and_a_last_beat(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        running.signal(signal.SIGTERM)
        assert await running.ended(5) == 0
        held = one.newest()
        assert held.stopped == "stop"
        assert held.open == {}
        assert held.stored().ranges == []
        assert one.requests[-1].stopping_agent is not None
        await running.start()
        await one.until(lambda: len(one.runs) == 2 and one.newest().opening is not None)
        assert previous(one.newest()).stopped == "stop"
        assert previous(one.newest()).last_number == held.stored().mark


@pytest.mark.asyncio
async def test_a_collector_that_never_answers_does_not_hold_a_stop_and_the_log_says_so(tmp_path: Path) -> None:
    asked, released = asyncio.Event(), asyncio.Event()

    async def never_answers(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await released.wait()
        writer.close()

    async with await asyncio.start_server(never_answers, "127.0.0.1", 0) as server:
        mute = StandIn()
        mute.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with agent(tmp_path, mute) as running:
            await asyncio.wait_for(asked.wait(), 15)
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0
            assert "the last beat was not delivered: no answer in time" in running.log()
        released.set()


@pytest.mark.asyncio
async def test_a_change_of_state_is_sent_at_once(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        running.said.write_text("down")
        await one.until(lambda: [span.state for span in one.newest().spans("file")][-1] == "down")
        running.said.write_text("up")
        await one.until(lambda: [span.state for span in one.newest().spans("file")] == ["up", "down", "up"])
        assert "check file: down: down" in running.log()


@pytest.mark.asyncio
async def test_a_killed_agent_tells_how_far_it_came_and_delivers_all_of_it(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one, 5))
        running.signal(signal.SIGKILL)
        await running.ended()
        (earlier,) = one.runs.values()
        reach = max(span.last_end for span in earlier.spans("alive"))
        await running.start()
        await one.until(lambda: len(one.runs) == 2 and one.newest().opening is not None)
        told = previous(one.newest())
        assert told.stopped is None
        assert told.last_tick >= reach
        await one.until(lambda: set(range(1, told.last_number + 1)) == set(earlier.closed))
        assert earlier.contradictions == []
        assert earlier.spans("alive")[-1].last_end == told.last_tick


@pytest.mark.asyncio
async def test_a_reload_that_changes_checks_begins_a_new_run(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        (tmp_path / "agent.d").mkdir()
        piece = tmp_path / "agent.d" / "50-second.toml"
        check = f'kind = "file-says"\npath = "{running.said}"\ninterval_ms = 200\n'
        piece.write_text(f'[[check]]\nname = "second"\n{check}')
        running.signal(signal.SIGHUP)
        await one.until(lambda: len(one.runs) == 2 and seen(one, 2, "second")())
        assert previous(one.newest()).stopped == "reload"
        earlier = next(iter(one.runs.values()))
        await one.until(lambda: set(earlier.closed) == set(range(1, previous(one.newest()).last_number + 1)))
        running.signal(signal.SIGTERM)
        assert await running.ended() == 0


@pytest.mark.asyncio
async def test_a_bad_file_is_refused_and_the_old_one_goes_on(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        running.configure(("File!",), extra="colour = 3\n")
        running.signal(signal.SIGHUP)
        await running.until_logged("the configuration is refused; the old one goes on")
        assert "agent.toml: colour: unknown key" in running.log()
        assert "agent.toml: check[0].name: must be" in running.log()
        before = len(one.requests)
        await one.until(lambda: len(one.requests) > before + 2)
        assert len(one.runs) == 1
        running.configure(top='node = "node-2"\n')
        running.signal(signal.SIGHUP)
        await running.until_logged("agent.toml: node: changes only with a restart")


@pytest.mark.asyncio
async def test_a_reload_of_the_collectors_goes_on_with_the_run(tmp_path: Path) -> None:
    async with collector() as one, collector() as other, agent(tmp_path, one) as running:
        await one.until(seen(one))
        write_key(key_path(CollectorSettings(url=other.url), tmp_path / "state"), other.key)
        running.urls.append(other.url)
        running.configure()
        running.signal(signal.SIGHUP)
        await other.until(seen(other))
        assert list(other.runs) == list(one.runs)


@pytest.mark.asyncio
async def test_an_agent_on_a_copied_disk_goes_on_and_delivers_once_it_is_adopted(tmp_path: Path) -> None:
    (tmp_path / "machine").write_text("a" * 32)
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        running.signal(signal.SIGTERM)
        await running.ended()
        received = len(one.requests)
        (tmp_path / "machine").write_text("c" * 32)
        await running.start()
        await running.until_logged("this looks like a clone of node-1, so its key is not used")
        running.said.write_text("down")
        await running.until_logged("check file: down")
        assert len(one.requests) == received
        assert adopt(tmp_path / "state", "node-1", lambda: MachineIdentity("c" * 32))
        await one.until(lambda: len(one.runs) == 2 and bool(one.newest().spans("file")))
        assert running.log().count("this looks like a clone") == 1
        assert "down" in {span.state for span in one.newest().spans("file")}


@pytest.mark.asyncio
async def test_a_stopped_agent_leaves_a_gap_and_never_a_down(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        running.signal(signal.SIGSTOP)
        await asyncio.sleep(3)
        running.signal(signal.SIGCONT)
        await one.until(lambda: len(one.newest().spans("alive")) == 2)
        await one.until(seen(one, 10))
        before, after = one.newest().spans("alive")
        assert after.first_begin - before.last_begin > 2_500
        assert {span.state for span in one.newest().spans("file")} <= {"up", "unknown"}


@pytest.mark.asyncio
async def test_a_collector_that_was_away_gets_what_happened_meanwhile(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    away = StandIn()
    away.url = f"http://127.0.0.1:{port}"
    async with agent(tmp_path, away) as running:
        await running.until_logged("cannot be reached")
        for said in ("down", "up"):
            running.said.write_text(said)
            await running.until_logged(f"check file: {said}")
        async with collector(port, away) as one:
            await one.until(lambda: bool(one.runs) and len(one.newest().spans("file")) >= 2)
            assert [span.state for span in one.newest().spans("file")][-2:] == ["down", "up"]
            assert not any(isinstance(record, Gap) for record in one.newest().closed.values())


@pytest.mark.asyncio
async def test_a_second_agent_on_one_state_directory_is_refused(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        assert running.process is not None
        first = running.process
        await running.start()
        assert await running.ended() == 3
        assert f"another agent uses it (process {first.pid})" in running.log()
        assert "Traceback" not in running.log()
        running.process = first


@pytest.mark.asyncio
async def test_a_check_that_breaks_ends_neither_the_agent_nor_the_others(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        running.said.write_text("raise")
        await one.until(
            lambda: bool(one.runs) and [span.state for span in one.newest().spans("file")][-1:] == ["unknown"]
        )
        await one.until(lambda: sum(span.samples for span in one.newest().spans("alive")) > 3)
        assert running.log().count("the check failed: ValueError: raise") == 1 + running.log().count(
            "unknown: the check failed"
        )
        assert "Traceback" not in running.log()


@pytest.mark.asyncio
async def test_systemd_hears_of_the_agent_and_says_that_the_machine_goes_down(tmp_path: Path) -> None:
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.setblocking(False)
    heard: list[str] = []
    loop = asyncio.get_running_loop()
    loop.add_reader(listener, lambda: heard.append(listener.recv(4_096).decode()))
    search = f"{systemctl_that_says('stopping', tmp_path)}{os.pathsep}{os.environ['PATH']}"
    environment = {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000", "PATH": search}
    try:
        async with collector() as one, agent(tmp_path, one, **environment) as running:
            await one.until(seen(one))
            await one.until(lambda: heard.count("WATCHDOG=1") >= 3)
            running.signal(signal.SIGHUP)
            await one.until(lambda: any(text.startswith("RELOADING=1\nMONOTONIC_USEC=") for text in heard))
            running.signal(signal.SIGTERM)
            assert await running.ended() == 0
            opening = one.newest().opening
            assert opening is not None
            assert opening.watchdog_ms == 1_000
            assert one.newest().stopped == "shutdown"
            await running.start()
            await one.until(lambda: len(one.runs) == 2 and one.newest().opening is not None)
            assert previous(one.newest()).stopped == "shutdown"
    finally:
        loop.remove_reader(listener)
        listener.close()
    told = [text for text in heard if text != "WATCHDOG=1"]
    assert told[0].startswith("READY=1")
    assert told[-1] == "STOPPING=1"


@pytest.mark.asyncio
async def test_a_journal_that_cannot_be_written_ends_the_process(tmp_path: Path) -> None:
    async with collector() as one, agent(tmp_path, one) as running:
        await one.until(seen(one))
        damage(tmp_path / "state" / "journal.db")
        assert await running.ended() == 3
        assert "journal: a commit failed, so the agent ends" in running.log()
        assert "Traceback" not in running.log()
        assert one.newest().stopped == "failed"


def damage(path: Path) -> None:
    import sqlite3  # noqa: PLC0415

    connection = sqlite3.connect(path, timeout=5)
    connection.execute("DROP TABLE tick")
    connection.close()
