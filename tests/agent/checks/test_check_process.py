import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Start, ask, probe_of, problems_of
from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.kinds.process.table import Process, parse_stat

STAT = "{pid} ({name}) {state} {parent} 1 1 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 {started} 0 0 0 0 0 0 0 0 0 0 0 0 0\n"


def row(
    root: Path, pid: int, name: str, *, state: str = "S", parent: int = 1, started: int = 500, line: str = ""
) -> None:
    folder = root / "proc" / str(pid)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stat").write_text(STAT.format(pid=pid, name=name, state=state, parent=parent, started=started))
    (folder / "cmdline").write_text(line.replace(" ", "\0") + "\0" if line else "")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A machine on which only init runs."""
    row(tmp_path, 1, "systemd", parent=0, started=1)
    return tmp_path


def wait_for_state(pid: int, state: str) -> None:
    while parse_stat(Path(f"/proc/{pid}/stat").read_text()).state != state:
        time.sleep(0.002)


@given(
    name=st.text(st.characters(exclude_characters="\0\n", codec="utf-8"), min_size=1, max_size=15),
    pid=st.integers(1, 4_000_000),
    started=st.integers(0, 2**60),
)
def test_any_name_of_a_process_is_parsed(name: str, pid: int, started: int) -> None:
    text = STAT.format(pid=pid, name=name, state="R", parent=7, started=started)
    assert parse_stat(text) == Process(pid, 7, name, "R", started)


@pytest.mark.asyncio
async def test_a_real_process_is_up_and_marked_with_its_start(start: Start) -> None:
    process = start("detak-test-alpha")
    outcome = await ask("process", command_pattern="detak-test-alpha$")
    assert outcome.state == "up"
    mark = dict(outcome.marks)["process_start"]
    assert mark.startswith(f"{process.pid}:")


@pytest.mark.asyncio
async def test_a_killed_process_is_down_at_the_next_sample(start: Start) -> None:
    process = start("detak-test-bravo")
    probe = probe_of("process", command_pattern="detak-test-bravo$")
    assert (await probe.sample(4_000)).state == "up"
    process.kill()
    process.wait()
    outcome = await probe.sample(4_000)
    assert outcome.state == "down"
    assert outcome.message == "no process whose command line matches 'detak-test-bravo$' runs"


@pytest.mark.asyncio
async def test_a_restarted_process_has_another_mark(start: Start) -> None:
    probe = probe_of("process", command_pattern="detak-test-charlie$")
    first = start("detak-test-charlie")
    before = await probe.sample(4_000)
    assert (await probe.sample(4_000)).marks == before.marks
    first.kill()
    first.wait()
    start("detak-test-charlie")
    after = await probe.sample(4_000)
    assert (before.state, after.state) == ("up", "up")
    assert before.marks != after.marks


@pytest.mark.asyncio
async def test_a_stopped_process_is_down_until_it_goes_on(start: Start) -> None:
    process = start("detak-test-delta")
    probe = probe_of("process", command_pattern="detak-test-delta$")
    before = await probe.sample(4_000)
    process.send_signal(signal.SIGSTOP)
    wait_for_state(process.pid, "T")
    stopped = await probe.sample(4_000)
    assert stopped.state == "down"
    assert f"(pid {process.pid}) is stopped (SIGSTOP); kill -CONT {process.pid} lets it go on" in stopped.message
    process.send_signal(signal.SIGCONT)
    wait_for_state(process.pid, "S")
    after = await probe.sample(4_000)
    assert (after.state, after.marks) == ("up", before.marks)


@pytest.mark.asyncio
async def test_a_zombie_is_down_and_named_although_it_has_no_command_line_any_more(start: Start) -> None:
    process = start("detak-test-echo")
    probe = probe_of("process", command_pattern="detak-test-echo$")
    await probe.sample(4_000)
    process.kill()
    wait_for_state(process.pid, "Z")
    outcome = await probe.sample(4_000)
    assert outcome.state == "down"
    assert f"(pid {process.pid}) is a zombie: it has ended, and its parent (pid {os.getpid()})" in outcome.message


@pytest.mark.asyncio
async def test_too_few_processes_are_down_and_too_many_degraded(start: Start) -> None:
    probe = probe_of("process", command_pattern="detak-test-foxtrot$", at_least=2, at_most=2)
    for expected in ("down", "down", "up", "degraded"):
        outcome = await probe.sample(4_000)
        assert outcome.state == expected
        start("detak-test-foxtrot")
    assert "at most 2 should" in outcome.message


@pytest.mark.asyncio
async def test_the_loss_of_one_of_several_is_seen_with_the_next_sample(start: Start) -> None:
    both = [start("detak-test-golf"), start("detak-test-golf")]
    probe = probe_of("process", command_pattern="detak-test-golf$", at_least=2)
    assert (await probe.sample(4_000)).state == "up"
    both[1].kill()
    both[1].wait()
    outcome = await probe.sample(4_000)
    assert outcome.state == "down"
    assert outcome.message.startswith("1 of at least 2 run: process whose command line")


@pytest.mark.asyncio
async def test_a_pid_file_names_a_real_process(start: Start, tmp_path: Path) -> None:
    process = start("detak-test-hotel")
    (tmp_path / "hotel.pid").write_text(f"{process.pid}\n")
    assert (await ask("process", pid_file=str(tmp_path / "hotel.pid"))).state == "up"


@pytest.mark.asyncio
async def test_a_pid_file_is_followed_when_the_program_restarts(root: Path) -> None:
    (root / "run").mkdir()
    (root / "run/d.pid").write_text("40")
    row(root, 40, "d")
    probe = probe_of("process", root, pid_file="/run/d.pid")
    assert (await probe.sample(4_000)).marks == {"process_start": "40:500"}
    (root / "proc/40/stat").unlink()
    assert (await probe.sample(4_000)).message == "/run/d.pid names process 40, but no such process runs"
    row(root, 41, "d", started=900)
    (root / "run/d.pid").write_text("41")
    assert (await probe.sample(4_000)).marks == {"process_start": "41:900"}


@pytest.mark.asyncio
async def test_a_missing_pid_file_is_down_and_a_broken_one_unknown(root: Path) -> None:
    outcome = await ask("process", root=root, pid_file="/d.pid")
    assert (outcome.state, outcome.message) == ("down", "the pid file /d.pid is missing: the program does not run")
    (root / "d.pid").write_text("")
    with pytest.raises(CouldNotCheckError, match="holds no process id"):
        await ask("process", root=root, pid_file="/d.pid")


@pytest.mark.asyncio
async def test_a_stale_pid_file_is_found_out_by_the_name(root: Path) -> None:
    row(root, 40, "sshd")
    (root / "d.pid").write_text("40")
    outcome = await ask("process", root=root, pid_file="/d.pid", process_name="nginx")
    assert (outcome.state, outcome.message) == ("down", "/d.pid names process 40, but that id now belongs to sshd")


@pytest.mark.asyncio
async def test_a_master_and_its_workers_have_the_mark_of_the_master(root: Path) -> None:
    row(root, 40, "nginx", started=500)
    for worker in (41, 42):
        row(root, worker, "nginx", parent=40, started=600 + worker)
    outcome = await ask("process", root=root, process_name="nginx")
    assert outcome.marks == {"process_start": "40:500"}


@pytest.mark.asyncio
async def test_processes_of_several_origins_have_no_mark(root: Path) -> None:
    row(root, 40, "worker")
    row(root, 41, "worker")
    assert (await ask("process", root=root, process_name="worker")).marks == {}


@pytest.mark.asyncio
async def test_a_name_longer_than_the_kernel_keeps_is_compared_with_the_program(root: Path) -> None:
    row(root, 40, "prometheus-node", line="/usr/bin/prometheus-node-exporter --web.listen-address=:9100")
    assert (await ask("process", root=root, process_name="prometheus-node-exporter")).state == "up"
    assert (await ask("process", root=root, process_name="prometheus-node-browser")).state == "down"
    assert (await ask("process", root=root, process_name="prometheus")).state == "down"


@pytest.mark.asyncio
async def test_an_id_that_another_process_took_over_is_not_taken_for_the_old_one(root: Path) -> None:
    row(root, 40, "nginx", started=500)
    probe = probe_of("process", root, process_name="nginx")
    assert (await probe.sample(4_000)).state == "up"
    row(root, 40, "bash", started=900)
    assert (await probe.sample(4_000)).state == "down"


@pytest.mark.asyncio
async def test_a_new_process_that_got_the_old_one_s_id_has_another_mark(root: Path) -> None:
    row(root, 40, "nginx", started=500)
    probe = probe_of("process", root, process_name="nginx")
    assert (await probe.sample(4_000)).marks == {"process_start": "40:500"}
    row(root, 40, "nginx", started=900)
    assert (await probe.sample(4_000)).marks == {"process_start": "40:900"}


@pytest.mark.asyncio
async def test_what_the_kernel_hides_is_unknown_and_not_down(tmp_path: Path) -> None:
    row(tmp_path, 40, "detak-agent")
    with pytest.raises(CouldNotCheckError, match="hides other users' processes"):
        await ask("process", root=tmp_path, process_name="nginx")


@pytest.fixture
def hidepid(tmp_path: Path) -> list[str]:
    """A command prefix that runs as nobody with a /proc that hides other users' processes."""
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount -t proc -o hidepid=2 proc /proc"], capture_output=True, check=False
    )
    if tried.returncode != 0:
        pytest.skip("mounting /proc with hidepid needs root and mount namespaces")
    return ["unshare", "--mount", "sh", "-c", 'mount -t proc -o hidepid=2 proc /proc && exec "$0" "$@"']


def test_a_real_hidepid_is_unknown_and_not_down(hidepid: list[str]) -> None:
    code = """
import asyncio, os
from agent.checks.check_stage import ask
asyncio.run(ask("process", process_name="python3"))  # imports what nobody may not be allowed to read
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    print(asyncio.run(ask("process", process_name="no-such-name")).state)
except Exception as error:
    print(type(error).__name__)
"""
    tests = str(Path(__file__).parents[2])
    finished = subprocess.run(
        [*hidepid, sys.executable, "-c", code],
        capture_output=True, text=True, check=False, timeout=20, env={**os.environ, "PYTHONPATH": tests},
    )  # fmt: skip
    assert finished.stdout == "CouldNotCheckError\n", finished.stderr


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("process") == [("process_name", "one of process_name, pid_file and command_pattern is needed")]
    assert [key for key, _ in problems_of("process", pid_file="run/x", at_least=3, at_most=1, command_pattern="[")] == [
        "pid_file", "at_least", "at_most", "command_pattern",
    ]  # fmt: skip
    assert [key for key, _ in problems_of("process", process_name="x", at_least=0)] == ["at_least"]
