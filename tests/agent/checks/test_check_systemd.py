import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import Handler, ask, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.kinds.systemd.kind import SystemdSettings
from detak_agent.checks.kinds.systemd.units import Ending, Finding, Unit, Units, cause, judge
from detak_agent.checks.registry import REGISTRY


def units_of(**keys: Any) -> Units:
    settings = settings_of("systemd", units=["tested"], **keys)
    assert isinstance(settings, SystemdSettings)
    return Units(settings)


@pytest.fixture
def root() -> Iterator[Path]:
    # The address of a socket may have 107 bytes: too few for the folder that pytest gives.
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextlib.asynccontextmanager
async def bus(root: Path, handler: Handler) -> AsyncIterator[None]:
    (root / "run/dbus").mkdir(parents=True)
    writers = []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        await handler(reader, writer)

    server = await asyncio.start_unix_server(handle, root / "run/dbus/system_bus_socket")
    try:
        yield
    finally:
        server.close()
        for writer in writers:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


def test_names_are_read_as_systemctl_reads_them() -> None:
    settings = settings_of("systemd", units=["nginx", "backup.timer", "getty@tty1", "php8.2-fpm"], at_least=2)
    assert REGISTRY["systemd"].target(settings) == (
        "systemd units at least 2 of nginx.service, backup.timer, getty@tty1.service, php8.2-fpm.service"
    )


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("systemd", units=["nginx*", "getty@", "a b", "y\n", "x", "x.service"], at_least=7) == [
        ("units", "'nginx*' is no name of a unit; patterns are not taken, name each unit"),
        ("units", "'getty@' is a template: name its instance, as in getty@1.service"),
        ("units", "'a b' is no name of a unit; patterns are not taken, name each unit"),
        ("units", "'y\\n' is no name of a unit; patterns are not taken, name each unit"),
        ("units", "names a unit twice"),
        ("at_least", "asks for more than the 6 units that are named"),
    ]


@pytest.mark.asyncio
async def test_a_machine_without_a_system_bus_is_unknown(root: Path) -> None:
    with pytest.raises(CouldNotCheckError, match=r"no system bus at .*/run/dbus/system_bus_socket \(No such file"):
        await ask("systemd", root=root, units=["nginx"])


@pytest.mark.asyncio
async def test_a_bus_that_takes_the_connection_and_says_nothing_is_unknown_at_the_deadline(root: Path) -> None:
    async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with bus(root, silent):
        with pytest.raises(CouldNotCheckError, match=r"systemd did not answer on the system bus within \d+ ms"):
            await ask("systemd", 200, root, units=["nginx"])


@pytest.mark.asyncio
async def test_a_bus_that_does_not_know_the_agent_is_unknown(root: Path) -> None:
    async def reject(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            writer.write(b"REJECTED ANONYMOUS\r\n")

    async with bus(root, reject):
        with pytest.raises(CouldNotCheckError, match="refused the agent"):
            await ask("systemd", root=root, units=["nginx"])


@pytest.mark.asyncio
@pytest.mark.parametrize("lines", [0, 1, 2])
async def test_a_bus_that_hangs_up_is_unknown(root: Path, lines: int) -> None:
    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(lines):
            await reader.readline()
            writer.write(b"OK 1234deadbeef\r\n")
        writer.close()

    async with bus(root, hang_up):
        with pytest.raises(CouldNotCheckError, match="system bus"):
            await ask("systemd", root=root, units=["nginx"])


@pytest.mark.parametrize(
    ("ending", "words"),
    [
        (Ending("exit-code", 1, 3), "its main process exited with status 3"),
        (Ending("exit-code", 1, 226), "its main process exited with status 226: its sandbox could not be set up"),
        (Ending("exit-code", 1, 0), "a command beside its main process failed"),
        (Ending("signal", 2, 9), "its main process was killed by SIGKILL"),
        (Ending("core-dump", 3, 11), "its main process was killed by SIGSEGV and left a core dump"),
        (Ending("signal", 2, 99), "its main process was killed by signal 99"),
        (Ending("oom-kill", 2, 9), "the kernel killed one of its processes because memory ran out"),
        (Ending("start-limit-hit", 1, 1), "it was started too often, and systemd gave up"),
        (Ending("something-new"), "its result is something-new"),
        (Ending(), "systemd does not say why"),
    ],
)
def test_a_failure_is_told_in_words(ending: Ending, words: str) -> None:
    assert cause(ending).startswith(words)


@pytest.mark.parametrize(
    ("active", "sub", "state"),
    [
        ("active", "running", "up"),
        ("active", "exited", "up"),
        ("reloading", "reload", "up"),
        ("refreshing", "refresh", "up"),
        ("activating", "start-pre", "degraded"),
        ("activating", "auto-restart", "down"),
        ("activating", "auto-restart-queued", "down"),
        ("deactivating", "stop-sigterm", "down"),
        ("inactive", "dead", "down"),
        ("failed", "failed", "down"),
        ("maintenance", "cleaning", "down"),
        ("something-new", "odd", "down"),
    ],
)
def test_the_state_of_a_service_follows_from_that_of_its_unit(active: str, sub: str, state: str) -> None:
    finding = units_of(activating="degraded").find(Unit("a.service", "loaded", active, sub))
    assert finding.state == state
    assert "a.service" in finding.message


def test_restarts_so_far_are_told() -> None:
    unit = Unit("a.service", "loaded", "activating", "auto-restart", ending=Ending("exit-code", 1, 2, restarts=4))
    assert units_of().find(unit).message == (
        "a.service fails and is started again (4 times so far): its main process exited with status 2"
    )


JOB = Ending(job=True)


def job(active: str, sub: str = "", ending: Ending = JOB) -> Unit:
    return Unit("a.service", "loaded", active, sub, ending=ending)


def states_of(*runs: Unit) -> list[str]:
    units = units_of()
    return [units.find(run).state for run in runs]


def test_a_failed_run_of_a_job_stands_until_another_one_has_ended_well() -> None:
    failed, under_way, over = job("failed"), job("activating", "start"), job("inactive", "dead")
    assert states_of(under_way, failed, under_way, under_way, over, under_way) == [
        "up", "down", "down", "down", "up", "up",
    ]  # fmt: skip


def test_what_a_timer_starts_may_remain_after_its_run_or_be_tried_again() -> None:
    def timer(triggered: Unit) -> Unit:
        return Unit("a.timer", "loaded", "active", "waiting", triggers=triggered)

    tried_again, remains = job("activating", "auto-restart"), job("active", "exited", Ending())
    assert states_of(timer(tried_again), timer(job("activating", "start")), timer(remains)) == ["down", "down", "up"]


def test_a_timer_whose_service_is_missing_is_down() -> None:
    missing = Unit("a.service", "not-found", "inactive", "dead")
    timer = Unit("a.timer", "loaded", "active", "waiting", triggers=missing)
    finding = units_of().find(timer)
    assert (finding.state, finding.message) == (
        "down",
        "there is no unit a.service: is the name right, and its package installed? (of a.timer)",
    )


UP, LATE, BAD = Finding("up", "a runs", "11"), Finding("degraded", "b starts", "22"), Finding("down", "c failed")


def test_a_unit_that_is_only_starting_makes_the_check_degraded_and_keeps_its_mark() -> None:
    started = judge([UP, Finding("up", "b runs", "22")], None)
    starting = judge([UP, LATE], None)
    assert (starting.state, starting.message) == ("degraded", "b starts")
    assert starting.marks == started.marks


def test_only_the_first_of_many_reasons_are_shown() -> None:
    outcome = judge([UP, BAD, BAD, BAD, BAD, BAD], 3)
    assert outcome.message == ("1 of the 3 units that are needed run: c failed; c failed; c failed; and 2 more")


def test_the_units_that_are_down_come_first_among_the_doubts() -> None:
    assert judge([LATE, UP, BAD], 2).message == "c failed; b starts"
