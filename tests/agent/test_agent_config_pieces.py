"""agent.d: what several files say together, and which file an error is laid to."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from agent.test_agent_cli import agent
from detak_agent.checks.registry import REGISTRY
from detak_agent.config import AgentConfig, load
from detak_agent.config_pieces import MOST_PIECES
from detak_agent.failures import ConfigurationError

AGENT = 'node = "n1"\n[[collector]]\nurl = "https://detak.example.go.id"\n'


def tcp(name: str, more: str = "") -> str:
    return f'[[check]]\nname = "{name}"\nkind = "tcp"\nhost = "10.0.0.5"\nport = 80\n{more}'


def written(folder: Path, pieces: Mapping[str, str], agent: str = AGENT) -> Path:
    path = folder / "agent.toml"
    path.write_text(agent)
    (folder / "agent.d").mkdir()
    for name, text in pieces.items():
        (folder / "agent.d" / name).write_text(text)
    return path


def loaded(path: Path) -> AgentConfig:
    return load(path, REGISTRY)


def errors(path: Path) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        load(path, REGISTRY)
    return list(refused.value.lines)


def test_the_lists_of_all_files_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    second = '[[collector]]\nurl = "https://drc.example.go.id"\n'
    path = written(tmp_path, {"20-web.toml": tcp("web"), "10-db.toml": f"beat_ms = 7000\n{second}{tcp('db')}"})
    config = loaded(path)
    assert [check.settings.name for check in config.checks] == ["db", "web"]
    assert [one.url for one in config.collectors] == ["https://detak.example.go.id", "https://drc.example.go.id"]
    assert config.beat_ms == 7_000
    assert config.files == ("agent.toml", "agent.d/10-db.toml", "agent.d/20-web.toml")


def test_the_node_may_be_named_in_a_piece_and_must_be_somewhere(tmp_path: Path) -> None:
    collector = AGENT.split("\n", 1)[1]
    path = written(tmp_path, {"00-node.toml": 'node = "n2"\n'}, collector)
    assert loaded(path).node == "n2"
    (tmp_path / "agent.d" / "00-node.toml").unlink()
    assert errors(path) == ["agent.toml: node: missing"]


def test_what_an_editor_or_a_package_sets_aside_is_left_out(tmp_path: Path) -> None:
    aside = {".10-db.toml": "x", "10-db.toml~": "x", "10-db.toml.rpmnew": "x", "README": "x"}
    assert loaded(written(tmp_path, aside)).checks == ()


def test_every_error_is_laid_to_its_file_and_counted_from_its_begin(tmp_path: Path) -> None:
    pieces = {
        "10-a.toml": tcp("web") + tcp("Web"),
        "20-b.toml": f"nod = 1\nbeat_ms = 10\n{tcp('web')}{tcp('late', 'timeout_ms = 9000')}",
        "30-c.toml": 'node = "n9"\ncheck = 3\n[[collector]]\nurl = "https://detak.example.go.id/"\n',
    }
    found = errors(written(tmp_path, pieces))
    assert [line.split(" (got")[0][:75] for line in found if "20-b.toml: nod:" not in line] == [
        "agent.d/20-b.toml: beat_ms: must be a whole number >= 100",
        "agent.d/30-c.toml: check: must be a list",
        "agent.d/30-c.toml: node: agent.toml says it already; leave it in one of the",
        "agent.d/30-c.toml: collector[0].url: this collector is there twice",
        "agent.d/10-a.toml: check[1].name: must be 1 to 64 lower case letters, digit",
        "agent.d/20-b.toml: check[0].name: agent.d/10-a.toml: check[0] has this name",
        "agent.d/20-b.toml: check[1].timeout_ms: may not exceed interval_ms = 5000",
        "agent.d/20-b.toml: beat_ms: may not be less than tick_ms = 1000",
    ]
    assert any(line.startswith("agent.d/20-b.toml: nod: unknown key; known are ") for line in found)


def test_files_that_cannot_be_read_are_all_named(tmp_path: Path) -> None:
    path = written(tmp_path, {"10-a.toml": "x = ", "20-b.toml": ""})
    (tmp_path / "agent.d" / "20-b.toml").write_bytes(b"\xff")
    (tmp_path / "agent.d" / "30-c.toml").symlink_to("nowhere")
    told = errors(path)
    assert told[0].startswith("agent.d/10-a.toml: not TOML: ")
    folder = tmp_path / "agent.d"
    assert told[1:] == [
        f"{folder}/20-b.toml: cannot be read: not UTF-8",
        f"{folder}/30-c.toml: cannot be read: No such file or directory",
    ]


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    assert loaded(written(tmp_path, {"10-web.toml": f"\ufeff{tcp('web')}"}, f"\ufeff{AGENT}")).node == "n1"


def test_a_folder_of_pieces_that_is_no_folder_is_not_passed_over(tmp_path: Path) -> None:
    path = written(tmp_path, {})
    (tmp_path / "agent.d").rmdir()
    assert loaded(path).checks == ()
    (tmp_path / "agent.d").write_text(tcp("web"))
    assert errors(path) == [f"{tmp_path / 'agent.d'}: cannot be read: Not a directory"]


def test_there_is_a_limit_to_the_files(tmp_path: Path) -> None:
    path = written(tmp_path, {f"{number}.toml": "" for number in range(MOST_PIECES + 1)})
    assert errors(path) == [f"{tmp_path / 'agent.d'}: more than {MOST_PIECES} files (got {MOST_PIECES + 1})"]


def test_config_check_names_the_files_that_it_read(tmp_path: Path) -> None:
    path = written(tmp_path, {"10-db.toml": tcp("db")})
    done = agent("config-check", "--config", str(path))
    assert done.stdout == "OK: node n1, 1 checks, 1 collectors, from agent.toml, agent.d/10-db.toml\n"
