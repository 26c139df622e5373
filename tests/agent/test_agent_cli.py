import asyncio
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from agent.agent_fakes import RUN, open_journal, opening, sample
from agent.collector_stand_in import KEY, StandIn, collector
from detak_agent import VERSION
from detak_agent.clocks import SystemClock
from detak_agent.run import Run

ROOT = Path(__file__).parents[2]


def agent(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detak_agent.cli", *arguments], capture_output=True, text=True, check=False, timeout=30
    )


def config(directory: Path, checks: str = "", url: str = "http://127.0.0.1:9") -> Path:
    path = directory / "agent.toml"
    state = json.dumps(str(directory / "state"))
    path.write_text(f'node = "n1"\nstate_directory = {state}\n[[collector]]\nurl = "{url}"\n{checks}')
    return path


def tcp_check(port: int) -> str:
    return f'[[check]]\nname = "port"\nkind = "tcp"\nhost = "127.0.0.1"\nport = {port}\n'


def test_config_check_says_ok_or_every_error(tmp_path: Path) -> None:
    good = agent("config-check", "--config", str(config(tmp_path)))
    assert (good.returncode, good.stdout) == (0, "OK: node n1, 0 checks, 1 collectors\n")
    bad = agent("config-check", "--config", str(config(tmp_path, tcp_check(0) + "slow = 1\n")))
    assert bad.returncode == 2
    assert bad.stderr.splitlines()[0] == "agent.toml: check[0].port: must be a whole number >= 1 (got 0)"
    assert bad.stderr.splitlines()[1].startswith("agent.toml: check[0].slow: unknown key; known are ")
    assert len(bad.stderr.splitlines()) == 2


def test_check_runs_every_check_once_and_tells_by_its_exit_code(tmp_path: Path) -> None:
    refused = agent("check", "--config", str(config(tmp_path, tcp_check(9))))
    assert refused.returncode == 1
    assert refused.stdout.startswith("port  down")
    nothing = agent("check", "--config", str(config(tmp_path)))
    assert (nothing.returncode, nothing.stdout) == (0, "no checks are configured\n")


@pytest.mark.parametrize("command", ["run", "check", "status", "config-check"])
def test_a_configuration_that_is_not_there_is_one_line_and_exit_2(tmp_path: Path, command: str) -> None:
    done = agent(command, "--config", str(tmp_path / "none.toml"))
    assert done.returncode == 2
    assert done.stderr.startswith(f"{tmp_path}/none.toml: cannot be read: No such file or directory: the line that ")
    assert done.stderr.count("\n") == 1


def test_a_state_directory_that_cannot_be_made_is_one_line_and_exit_3(tmp_path: Path) -> None:
    path = config(tmp_path)
    (tmp_path / "state").write_text("a file")
    done = agent("run", "--config", str(path))
    assert done.returncode == 3
    assert done.stderr == f"CRITICAL state_directory {tmp_path}/state: File exists\n"


def test_status_before_the_first_run_says_so(tmp_path: Path) -> None:
    done = agent("status", "--config", str(config(tmp_path)))
    assert done.returncode == 3
    assert "there is no journal; has an agent run with this configuration?" in done.stderr


@pytest.mark.parametrize(("age_ms", "code", "state"), [(0, 0, "running"), (3_600_000, 1, "not running")])
def test_status_says_how_the_agent_stands(tmp_path: Path, age_ms: int, code: int, state: str) -> None:
    (tmp_path / "state").mkdir()
    journal = open_journal(tmp_path / "state", "http://127.0.0.1:9")
    now = SystemClock().begin() - age_ms
    opened = opening("db", tick_ms=60_000)
    run = Run(RUN, replace(opened, boot=SystemClock().boot()))
    journal.begin_run(RUN, run.opening, 0)
    for at, what in ((now - 2_000, "up"), (now - 1_000, "down")):
        run.add(sample(at, what))  # type: ignore[arg-type]
    run.tick(now)
    run.contact("http://127.0.0.1:9", SystemClock().utc() - 300_000)
    journal.commit(run.take(), 0)
    journal.close()
    done = agent("status", "--config", str(config(tmp_path)))
    assert done.returncode == code, done.stderr
    assert done.stdout.splitlines()[0].split(maxsplit=1) == ["agent", state]
    assert "last contact 5 min ago, has all to 0, backlog 1" in done.stdout


def enroll(directory: Path, one: StandIn, token: str) -> "asyncio.Future[subprocess.CompletedProcess[str]]":
    path = config(directory, url=one.url)
    loop = asyncio.get_running_loop()
    arguments = ("enroll", "--config", str(path), "--collector", one.url, "--token", token)
    return loop.run_in_executor(None, lambda: agent(*arguments))


@pytest.mark.asyncio
async def test_enroll_stores_the_key_for_the_agent_alone(tmp_path: Path) -> None:
    async with collector() as one:
        done = await enroll(tmp_path, one, "t" * 20)
        assert done.returncode == 0, done.stderr
        (key,) = (tmp_path / "state" / "keys").iterdir()
        assert key.read_text() == KEY + "\n"
        assert stat.S_IMODE(key.stat().st_mode) == 0o600
        assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
        assert done.stdout == f"enrolled n1 with {one.url}; the key is in {key}\n"


@pytest.mark.asyncio
async def test_a_refused_token_is_one_line_and_stores_nothing(tmp_path: Path) -> None:
    async with collector() as one:
        done = await enroll(tmp_path, one, "x" * 20)
        assert done.returncode == 3
        assert done.stderr == (
            f"{one.url}: the collector refuses the enrolment: this token is unknown, used or expired\n"
        )
        assert not (tmp_path / "state" / "keys").exists()


@pytest.mark.asyncio
async def test_what_can_be_no_token_is_called_so(tmp_path: Path) -> None:
    async with collector() as one:
        done = await enroll(tmp_path, one, "short")
        assert done.returncode == 3
        assert done.stderr == (
            f"{one.url}: the collector refuses the enrolment: "
            "this is no token: paste the whole line that `detak-collector enroll` printed\n"
        )


def test_enroll_with_a_collector_that_is_not_configured_says_so(tmp_path: Path) -> None:
    path = config(tmp_path)
    done = agent("enroll", "--config", str(path), "--collector", "http://127.0.0.1:8", "--token", "t" * 20)
    assert done.returncode == 2
    how = "has no [[collector]] with this url: add one there, and paste the line once more"
    assert done.stderr == f"--collector: {path} {how} (got http://127.0.0.1:8)\n"


def test_what_is_not_configured_is_never_imported(tmp_path: Path) -> None:
    code = (
        "import sys; import detak_agent.daemon, detak_agent.life, detak_agent.checks.registry;"
        "print(sorted({'aiohttp', 'psutil', 'dns', 'email', 'http'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert done.stdout == "[]\n"


def test_the_version_is_that_of_the_distribution() -> None:
    assert f'version = "{VERSION}"' in (ROOT / "agent" / "pyproject.toml").read_text()
