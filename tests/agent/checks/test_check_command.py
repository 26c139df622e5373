import asyncio
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError, Surroundings
from detak_agent.checks.kinds.command.expendable import expendable
from detak_agent.checks.kinds.command.kind import KIND
from detak_agent.checks.kinds.command.output import first_line, performance_data
from detak_agent.checks.kinds.command.process import MOST_ERROR_BYTES, MOST_OUTPUT_BYTES, PluginProcess
from detak_agent.clocks import SystemClock
from detak_agent.runner import Check, Sampler, Starvation


def plugin(folder: Path, body: str, name: str = "check_thing", interpreter: str = "/bin/sh") -> str:
    path = folder / name
    path.write_text(f"#!{interpreter}\n{body}\n")
    path.chmod(0o755)
    return str(path)


def runs(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


async def holds(condition: Callable[[], bool]) -> bool:
    for _ in range(300):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return False


async def is_gone(pid: int) -> bool:
    return await holds(lambda: not runs(pid))


def has_zombies() -> bool:
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return False


@pytest.mark.parametrize(("status", "state"), [(0, "up"), (1, "degraded"), (2, "down"), (3, "unknown")])
@pytest.mark.asyncio
async def test_the_exit_status_is_the_state_and_the_first_line_the_message(
    tmp_path: Path, status: int, state: str
) -> None:
    outcome = await ask("command", command=[plugin(tmp_path, f"echo 'THING - well | a=1'; echo more; exit {status}")])
    assert (outcome.state, outcome.message) == (state, "THING - well")
    assert outcome.values == {"a": 1.0}


@pytest.mark.asyncio
async def test_arguments_reach_the_plug_in_as_they_are_written(tmp_path: Path) -> None:
    path = plugin(tmp_path, 'printf "%s;" "$@"')
    outcome = await ask("command", command=[path, "a b", "$HOME", "; rm -rf x", "'"])
    assert outcome.message == "a b;$HOME;; rm -rf x;';"


@pytest.mark.asyncio
async def test_the_environment_holds_nothing_of_the_agent_s_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    path = plugin(tmp_path, 'echo "${CREDENTIALS_DIRECTORY:-none} $LC_ALL $THING"')
    outcome = await ask("command", command=[path], environment={"THING": "x y"})
    assert outcome.message == "none C.UTF-8 x y"


@pytest.mark.asyncio
async def test_a_password_reaches_the_plug_in_as_a_variable_only(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("secret word\n")
    path = plugin(tmp_path, 'echo "$# $TOKEN" | tr a-z A-Z')
    keys: dict[str, Any] = {
        "command": [path], "password_file": str(tmp_path / "password"), "password_variable": "TOKEN"
    }  # fmt: skip
    assert (await ask("command", **keys)).message == "0 SECRET WORD"
    assert "secret" not in KIND.target(settings_of("command", **keys))


@pytest.mark.asyncio
async def test_a_plug_in_that_does_not_end_is_killed_with_all_its_children(tmp_path: Path) -> None:
    path = plugin(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; echo $$ > {tmp_path}/parent; wait")
    outcome = await ask("command", 700, command=[path])
    assert outcome.state == "unknown"
    assert outcome.message.startswith(f"{path} did not end within ")
    assert outcome.message.endswith(" ms and was killed")
    assert not runs(int((tmp_path / "parent").read_text()))
    assert await is_gone(int((tmp_path / "child").read_text()))


@pytest.mark.asyncio
async def test_a_plug_in_that_does_not_end_is_down_where_that_is_wanted(tmp_path: Path) -> None:
    assert (await ask("command", 700, command=[plugin(tmp_path, "sleep 60")], on_timeout="down")).state == "down"


@pytest.mark.asyncio
async def test_a_grandchild_that_keeps_the_pipe_is_not_waited_for_and_does_not_stay(tmp_path: Path) -> None:
    path = plugin(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; echo fine")
    begin = time.monotonic()
    outcome = await ask("command", command=[path])
    assert (outcome.state, outcome.message) == ("up", "fine")
    assert time.monotonic() - begin < 3
    assert await is_gone(int((tmp_path / "child").read_text()))


@pytest.mark.asyncio
async def test_a_sample_that_is_given_up_leaves_no_process(tmp_path: Path) -> None:
    path = plugin(tmp_path, f"echo $$ > {tmp_path}/pid.new; mv {tmp_path}/pid.new {tmp_path}/pid; sleep 60")
    sampling = asyncio.ensure_future(ask("command", command=[path]))
    assert await holds((tmp_path / "pid").exists)
    sampling.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sampling
    assert await is_gone(int((tmp_path / "pid").read_text()))


@pytest.mark.asyncio
async def test_endless_output_is_thrown_away_and_the_plug_in_judged_by_its_begin(tmp_path: Path) -> None:
    path = plugin(tmp_path, "echo begin; head -c 3000000 /dev/zero | tr '\\0' x; exit 1")
    outcome = await ask("command", command=[path])
    assert (outcome.state, outcome.message) == ("degraded", "begin")


def test_no_more_output_is_kept_than_could_matter(tmp_path: Path) -> None:
    path = plugin(tmp_path, "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2")
    ended = PluginProcess([path]).run({"PATH": os.environ["PATH"]}, 10)
    assert ended is not None
    assert (len(ended.output), len(ended.errors)) == (MOST_OUTPUT_BYTES, MOST_ERROR_BYTES)


@pytest.mark.parametrize(("own", "child"), [("-500", "0"), ("0", "-500"), ("200", "-500")])
def test_where_memory_runs_out_a_plug_in_goes_before_the_agent(tmp_path: Path, own: str, child: str) -> None:
    for name, score in (("self", own), ("42", "-500")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "oom_score_adj").write_text(f"{score}\n")
    expendable(42, tmp_path)
    expendable(43, tmp_path)
    assert (tmp_path / "42/oom_score_adj").read_text().strip() == child


@pytest.mark.asyncio
async def test_without_a_line_on_standard_output_the_errors_are_the_message(tmp_path: Path) -> None:
    outcome = await ask("command", command=[plugin(tmp_path, "echo 'no route' >&2; exit 2")])
    assert (outcome.state, outcome.message) == ("down", "no route")
    outcome = await ask("command", command=[plugin(tmp_path, "exit 2")])
    assert (outcome.state, outcome.message) == ("down", "the plug-in printed nothing and ended with status 2")


@pytest.mark.asyncio
async def test_other_ends_are_unknown_and_said(tmp_path: Path) -> None:
    async def end(body: str) -> tuple[str, str]:
        outcome = await ask("command", command=[plugin(tmp_path, body)])
        return outcome.state, outcome.message.removeprefix(f"{tmp_path}/")

    assert await end("kill -9 $$") == ("unknown", "check_thing was killed by SIGKILL")
    assert await end("echo half; exit 4") == (
        "unknown", "check_thing ended with status 4, which no plug-in may: 0 to 3 are known: half"
    )  # fmt: skip
    state, message = await end("no-such-program")
    assert state == "unknown"
    assert message.startswith("check_thing ended with status 127: it did not find something that it needs")


@pytest.mark.asyncio
async def test_what_cannot_be_executed_is_unknown_and_says_what_to_do(tmp_path: Path) -> None:
    async def reason(path: str) -> str:
        with pytest.raises(CouldNotCheckError) as caught:
            await ask("command", command=[path])
        return str(caught.value).removeprefix(f"{tmp_path}/")

    plain = tmp_path / "plain"
    plain.write_text("#!/bin/sh\n")
    assert await reason(str(tmp_path / "absent")) == "absent is not there: install it, or correct the path in command"
    assert await reason(str(plain)) == "plain cannot be executed by the agent's user: chmod 755, or install it anew"
    lost = plugin(tmp_path, "", interpreter="/no/such/shell")
    assert (
        await reason(lost) == "check_thing cannot be executed: the interpreter that its first line names is not there"
    )
    plain.write_text("nothing that runs")
    plain.chmod(0o755)
    assert await reason(str(plain)) == "plain cannot be executed: it is no program, and has no #! line that names one"


@pytest.mark.asyncio
async def test_an_exchanged_plug_in_changes_the_digest_and_the_mark(tmp_path: Path) -> None:
    path = plugin(tmp_path, "echo one")
    probe, settings = probe_of("command", command=[path]), settings_of("command", command=[path])
    digest, marks = settings.digest(), (await probe.sample(4_000)).marks
    assert (await probe.sample(4_000)).marks == marks
    assert settings.digest() == digest
    plugin(tmp_path, "echo two")
    assert settings.digest() != digest
    assert (await probe.sample(4_000)).marks != marks


@pytest.mark.asyncio
async def test_an_exchanged_script_of_an_interpreter_changes_both_where_it_is_named(tmp_path: Path) -> None:
    path = plugin(tmp_path, "echo one")
    keys: dict[str, Any] = {"command": ["/bin/sh", path], "files": [path]}
    probe, settings = probe_of("command", **keys), settings_of("command", **keys)
    digest, marks = settings.digest(), (await probe.sample(4_000)).marks
    plugin(tmp_path, "echo two")
    assert settings.digest() != digest
    assert (await probe.sample(4_000)).marks != marks


def test_a_digest_does_not_wait_for_a_file_that_never_comes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "hangs")
    settings = settings_of("command", command=[str(tmp_path / "hangs")])
    begin = time.monotonic()
    digest = settings.digest()
    assert time.monotonic() - begin < 4
    (tmp_path / "hangs").open("w").close()
    assert digest != settings_of("command", command=["/bin/sh"]).digest()


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors_and_no_zombies(tmp_path: Path) -> None:
    probe = probe_of("command", command=[plugin(tmp_path, "echo fine")])
    await probe.sample(4_000)
    before = open_files_at_first()
    for _ in range(50):
        assert (await probe.sample(4_000)).state == "up"
    assert open_files() <= before
    assert not has_zombies()


@pytest.mark.asyncio
async def test_the_runner_takes_a_slow_plug_in_for_unknown_and_goes_on(tmp_path: Path) -> None:
    settings = settings_of("command", command=[plugin(tmp_path, "sleep 60")], timeout_ms=300)
    sampler = Sampler(Check(settings, KIND), Surroundings(), SystemClock(), Starvation(60_000))
    for _ in range(2):
        sample = await sampler.sample()
        assert sample.state == "unknown"
        assert "and was killed" in sample.message


@pytest.mark.asyncio
async def test_a_plug_in_that_ignores_the_terminal_s_signals_is_killed_too(tmp_path: Path) -> None:
    body = "import signal, time\n" + "".join(
        f"signal.signal({number.value}, signal.SIG_IGN)\n" for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
    )
    path = plugin(tmp_path, body + "time.sleep(60)", interpreter=sys.executable)
    begin = time.monotonic()
    assert (await ask("command", 600, command=[path])).state == "unknown"
    assert time.monotonic() - begin < 3


@pytest.mark.parametrize(
    ("output", "values"),
    [
        ("OK | time=0.013s;;;0.000 size=612B;;;0", {"time_s": 0.013, "size_bytes": 612}),
        ("OK | load1=0.380;15;30;0; load5=0.2;10;25;0;", {"load1": 0.38, "load5": 0.2}),
        ("PING | rta=0.04ms;3;5;0 pl=0%;80;100;0", {"rta_ms": 0.04, "pl_percent": 0}),
        ("OK | '/var log'=2643MB;5948;5958;0;5968", {"var_log_mb": 2643}),
        ("OK | 'it''s'=1 users=3c x=U bad 'open=2", {"it_s": 1, "users_count": 3}),
        ("OK\nlong text | a=1\nb=-2.5e3", {"a": 1, "b": -2500}),
        ("OK | a=1\nlong | b=2\nc=3", {"a": 1, "b": 2, "c": 3}),
        ("OK | time_ms=5ms n=nan i=1e999", {"time_ms": 5}),
        ("no data", {}),
        ("", {}),
    ],
)
def test_performance_data_becomes_values_with_their_unit(output: str, values: dict[str, float]) -> None:
    assert performance_data(output.encode()) == values


def test_no_more_values_are_taken_than_anybody_looks_at() -> None:
    assert len(performance_data(b"OK | " + b" ".join(b"v%d=1" % number for number in range(1_000)))) == 50


@given(st.binary(max_size=200))
def test_any_output_can_be_read(output: bytes) -> None:
    line = first_line(output)
    assert line.isprintable() or "\x1b" not in line
    assert all(isinstance(value, float) for value in performance_data(b"x | " + output).values())


def test_what_a_terminal_would_obey_is_left_out() -> None:
    assert first_line(b"\n \x1b[31mCRITICAL\x1b[0m\a - down | x=1\nmore") == "CRITICAL - down"


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("command", command=["check_load"], environment={"A B": ""}, password_variable="X") == [
        ("command", "must begin with the absolute path of the plug-in; no shell looks for it"),
        ("environment", "'A B' is no name of a variable, or its value holds a NUL"),
        ("password_variable", "has no effect without password or password_file"),
    ]
    assert problems_of("command", command=["/x"], password="secret", files=["x"]) == [
        ("files", "must be absolute paths"),
        ("password_variable", "must name the environment variable that hands the password to the plug-in"),
    ]
    assert problems_of("command", command=["/x"], environment={"A\n": ""}) == [
        ("environment", "'A\\n' is no name of a variable, or its value holds a NUL"),
    ]
