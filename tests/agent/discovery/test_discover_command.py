import stat
import subprocess
import sys
from pathlib import Path

import pytest

from agent.discovery.proposing import checks_in

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def agent(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "detak_agent.cli", *arguments],
        capture_output=True, text=True, encoding="utf-8", check=False, timeout=60, env=environment,
    )  # fmt: skip


def test_what_is_printed_is_a_whole_configuration() -> None:
    done = agent("discover", "--no-try", "--node", "dc-db-01", "--collector", "https://detak.example.go.id")
    assert (done.returncode, done.stderr) == (0, "")
    config = tomllib.loads(done.stdout)
    assert (config["node"], config["collector"]) == ("dc-db-01", [{"url": "https://detak.example.go.id"}])
    assert config["check"][0]["kind"] == "os"


def test_without_a_collector_its_url_is_to_be_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    done = agent("discover", "--no-try", "--output", str(path))
    assert done.returncode == 0
    assert "1. Fill in the collector's url." in path.read_text()
    assert tomllib.loads(path.read_text())["collector"][0]["url"].endswith(".invalid")
    assert agent("config-check", "--config", str(path)).returncode == 0
    assert done.stdout.startswith(f"{path}: ")
    assert "checks switched on" in done.stdout
    # Passwords may come to stand in it.
    assert stat.S_IMODE(path.stat().st_mode) in {0o600, 0o640}


def test_a_file_that_is_there_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text("mine")
    dangling = tmp_path / "link"
    dangling.symlink_to(tmp_path / "nowhere")
    for one in (path, dangling):
        done = agent("discover", "--no-try", "--output", str(one))
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"--output: {one} is there already, and is not overwritten\n"
    assert path.read_text() == "mine"


def test_a_place_that_cannot_be_written_to_is_one_line_and_exit_3(tmp_path: Path) -> None:
    done = agent("discover", "--no-try", "--output", str(tmp_path / "none" / "agent.toml"))
    assert done.returncode == 3
    assert done.stderr == f"--output: {tmp_path}/none/agent.toml cannot be written: No such file or directory\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--node", "Not A Name"), "--node: must be lower case letters"),
        (("--collector", "http://far.example"), "--collector: plain HTTP beyond this machine is refused"),
        (("--config", "/nowhere.toml"), "/nowhere.toml: cannot be read"),
        (("--config", "/nowhere.toml", "--node", "n"), "--node, --collector: have no effect beside --config"),
    ],
)
def test_wrong_arguments_are_one_line_and_exit_2(arguments: tuple[str, ...], words: str) -> None:
    done = agent("discover", *arguments)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert done.stderr.startswith(words)


def test_beside_a_configuration_only_what_it_lacks_is_printed(tmp_path: Path) -> None:
    path = tmp_path / "agent.toml"
    path.write_text('node = "n"\n[[collector]]\nurl = "http://127.0.0.1:9"\n[[check]]\nname = "machine"\nkind = "os"\n')
    done = agent("discover", "--no-try", "--config", str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "node" not in tomllib.loads(done.stdout)
    assert not [check for check in checks_in(done.stdout) if check == {"kind": "os"}]
    path.write_text(path.read_text() + done.stdout)
    assert agent("config-check", "--config", str(path)).returncode == 0


def test_the_text_is_utf8_whatever_the_terminal_speaks() -> None:
    done = agent("discover", "--no-try", environment={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert (done.returncode, done.stderr) == (0, "")
