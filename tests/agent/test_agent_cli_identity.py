"""`enroll`, `renew`, `adopt` and what `status` says of keys, by the program as a user calls it."""

import argparse
import asyncio
import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from agent.agent_fakes import HandClock
from agent.collector_stand_in import KEY, StandIn, collector
from agent.test_agent_connection import sha256
from agent.tls_server import serving_context
from detak_agent.checks.registry import REGISTRY
from detak_agent.cli_identity import add_enroll_arguments, adopt, enroll
from detak_agent.config import AgentConfig, CollectorSettings, parse
from detak_agent.enrol import Pasted, enrol
from detak_agent.enrol_line import with_line
from detak_agent.failures import ConfigurationError, CouldNotError
from detak_agent.first_file import first_text
from detak_agent.key_renewal import HeldKey
from detak_agent.key_standing import key_lines
from detak_agent.keys import key_path, pin_files, previous_path, read_key, write_key
from detak_agent.machine_identity import MachineIdentity
from detak_agent.origin import claim
from detak_agent.state_directory import StateDirectory
from detak_agent.way import way_to

TOKEN = "t" * 20
HERE, ELSEWHERE = MachineIdentity("a" * 32), MachineIdentity("c" * 32)


def config(directory: Path, url: str, more: str = "", node: str = "n1") -> Path:
    path = directory / "agent.toml"
    state = json.dumps(str(directory / "state"))
    path.write_text(f'node = "{node}"\nstate_directory = {state}\n[[collector]]\nurl = "{url}"\n{more}')
    return path


def parsed(directory: Path, url: str, more: str = "", node: str = "n1") -> AgentConfig:
    return parse(config(directory, url, more, node).read_text(), REGISTRY)


async def agent(*words: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "detak_agent.cli", *map(str, words)]

    def run() -> subprocess.CompletedProcess[str]:
        known = {"PATH": "/usr/bin:/bin", **environment}
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=known)

    return await asyncio.get_running_loop().run_in_executor(None, run)


def settings(one: StandIn) -> CollectorSettings:
    return CollectorSettings(url=one.url)


@pytest.mark.asyncio
async def test_a_pasted_fingerprint_is_checked_before_the_token_leaves_and_kept(
    certificate: Path, tmp_path: Path
) -> None:
    async with collector(tls=serving_context(certificate)) as one:
        path = config(tmp_path, one.url)
        line = ("enroll", "--config", path, "--collector", one.url, "--token", TOKEN)
        wrong = await agent(*line, "--fingerprint", "sha256:" + "ab" * 32)
        assert wrong.returncode == 3
        assert f"met {sha256(certificate)}, trusted is sha256:abab" in wrong.stderr
        assert not (tmp_path / "state").exists()
        done = await agent(*line, "--fingerprint", sha256(certificate))
        assert done.returncode == 0, done.stderr
        assert pin_files(settings(one), tmp_path / "state").fingerprint.read_text() == sha256(certificate) + "\n"
        renewed = await agent("renew", "--config", path)
        assert (renewed.returncode, renewed.stdout) == (0, f"n1 has a new key with {one.url}\n"), renewed.stderr
        assert read_key(key_path(settings(one), tmp_path / "state")) == one.fresh
        status = await agent("status", "--config", path)
        assert f"key        {one.url}: 0 days old, renewed by itself after " in status.stdout
        assert f"; trusts one certificate, {sha256(certificate)}\n" in status.stdout


@pytest.mark.asyncio
async def test_a_line_without_a_fingerprint_trusts_authorities_again(tmp_path: Path) -> None:
    async with collector() as one:
        pin = pin_files(settings(one), tmp_path / "state").fingerprint
        write_key(pin, "sha256:" + "ab" * 32)
        write_key(previous_path(key_path(settings(one), tmp_path / "state")), "void by now")
        done = await agent("enroll", "--config", config(tmp_path, one.url), "--token", TOKEN)
        assert done.returncode == 0, done.stderr
        assert [path.suffix for path in pin.parent.iterdir()] == [".key"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "more", "fingerprint", "told"),
    [
        ("https://x", "", "sha256:12", "--fingerprint: must be sha256: and the certificate's 64"),
        ("http://127.0.0.1:9", "", "sha256:" + "ab" * 32, "plain HTTP, which has no certificate"),
        ("https://x", 'ca_file = "/ca.pem"', "sha256:" + "ab" * 32, "has a ca_file in agent.toml"),
        ("https://x", f'fingerprint = "sha256:{"cd" * 32}"', "sha256:" + "ab" * 32, "agent.toml trusts another one"),
    ],
)
async def test_a_fingerprint_that_cannot_count_is_refused(
    tmp_path: Path, url: str, more: str, fingerprint: str, told: str
) -> None:
    path = config(tmp_path, url, more)
    done = await agent("enroll", "--config", path, "--token", TOKEN, "--fingerprint", fingerprint)
    assert done.returncode == 2
    assert told in done.stderr


@pytest.mark.asyncio
async def test_a_key_for_a_credential_is_written_where_the_user_says(tmp_path: Path) -> None:
    async with collector() as one:
        path = config(tmp_path, one.url, 'key_file = "detak"')
        line = ("enroll", "--config", path, "--token", TOKEN)
        refused = await agent(*line)
        assert refused.returncode == 3
        assert "add --key-to FILE, then LoadCredential=detak:FILE to the service" in refused.stderr
        done = await agent(*line, "--key-to", tmp_path / "store" / "detak")
        assert done.returncode == 0, done.stderr
        assert read_key(tmp_path / "store" / "detak") == KEY
        renewed = await agent("renew", "--config", path, CREDENTIALS_DIRECTORY=str(tmp_path / "store"))
        assert renewed.returncode == 3
        assert "key_file detak is a systemd credential, which only a new enrolment replaces" in renewed.stderr
        status = await agent("status", "--config", path)
        assert "handed over by systemd as detak, so it is not renewed by itself" in status.stdout


@pytest.mark.asyncio
async def test_a_clone_is_not_enrolled_under_the_original_s_name(tmp_path: Path) -> None:
    async with collector() as one:
        cloned = parsed(tmp_path, one.url)
        await enrol(cloned, settings(one), Pasted(TOKEN), lambda: HERE)
        with pytest.raises(CouldNotError, match="this looks like a clone of n1"):
            await enrol(cloned, settings(one), Pasted(TOKEN), lambda: ELSEWHERE)


@pytest.mark.asyncio
async def test_a_clone_under_its_own_name_begins_without_the_original_s_evidence(tmp_path: Path) -> None:
    async with collector() as one:
        await enrol(parsed(tmp_path, one.url), settings(one), Pasted(TOKEN), lambda: HERE)
        state = tmp_path / "state"
        (state / "journal.db").write_text("of n1")
        write_key(state / "keys" / "other_443.key", "of n1")
        renamed = parsed(tmp_path, one.url, node="n2")
        lock = StateDirectory(state)
        with pytest.raises(CouldNotError, match="another agent uses it"):
            await enrol(renamed, settings(one), Pasted(TOKEN), lambda: ELSEWHERE)
        lock.release()
        done = await enrol(renamed, settings(one), Pasted(TOKEN), lambda: ELSEWHERE)
        assert done.set_aside == state / "journal.db.of-n1-1"
        assert not (state / "journal.db").exists()
        assert [path.name for path in (state / "keys").iterdir()] == [done.key.name]
        claim(state, "n2", lambda: ELSEWHERE)


def test_adopt_says_that_a_moved_machine_is_the_node(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = config(tmp_path, "http://127.0.0.1:9")
    moved, state = parsed(tmp_path, "http://127.0.0.1:9"), tmp_path / "state"
    claim(state, "n1", lambda: HERE)
    assert key_lines(moved, ELSEWHERE, 0)[1].startswith("identity   this looks like a clone of n1")
    for told in ("this machine is n1 from now on", "this machine is n1 already"):
        assert adopt(argparse.Namespace(config=path), REGISTRY, lambda: ELSEWHERE) == 0
        assert told in capsys.readouterr().out
    assert len(key_lines(moved, ELSEWHERE, 0)) == 1


@pytest.mark.asyncio
async def test_nothing_is_sent_with_a_key_that_came_with_a_copied_disk(tmp_path: Path) -> None:
    async with collector() as one:
        copied = parsed(tmp_path, one.url)
        await enrol(copied, settings(one), Pasted(TOKEN), lambda: HERE)
        held = HeldKey(settings(one), copied.state_directory, "n1")
        with pytest.raises(CouldNotError, match="this looks like a clone of n1"):
            await held.renew(way_to(copied, settings(one), lambda: ELSEWHERE))
        assert one.renewals == 0
        original = way_to(copied, settings(one), lambda: HERE)
        await held.renew(original)
        original.close()
        assert one.renewals == 1


def test_status_says_how_each_key_stands(tmp_path: Path) -> None:
    url = "https://detak.example.go.id"
    fine, open_to_all, never = parsed(tmp_path, url), parsed(tmp_path, url), parsed(tmp_path, url, "renew_days = 0")
    now = HandClock().utc()
    assert key_lines(fine, HERE, now) == [f"key        {url}: not enrolled"]
    path = key_path(fine.collectors[0], tmp_path / "state")
    write_key(path, "key")
    assert "0 days old" in key_lines(fine, HERE, now)[0]
    assert key_lines(never, HERE, now)[0].endswith("0 days old, never renewed by itself")
    path.chmod(0o644)
    assert f"chmod 600 {path}" in key_lines(open_to_all, HERE, now)[0]


def test_the_first_configuration_has_a_check_and_is_right(tmp_path: Path) -> None:
    made = parse(first_text(tmp_path / "agent.toml", "db-01", "https://detak.example"), REGISTRY)
    assert (made.node, [one.url for one in made.collectors]) == ("db-01", ["https://detak.example"])
    assert [one.settings.name for one in made.checks] == ["os"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("url", "node", "code", "told"),
    [
        ("https://127.0.0.1:9", "db-01", 3, "https://127.0.0.1:9: "),
        ("http://detak.example", "db-01", 2, "plain HTTP beyond this machine is refused"),
        ("https://detak.example", "DB 01", 2, "node: must be 1 to 64 lower case letters"),
    ],
)
async def test_where_the_pasted_line_fails_no_first_configuration_is_left(
    tmp_path: Path, url: str, node: str, code: int, told: str
) -> None:
    path = tmp_path / "agent.toml"
    done = await agent("enroll", "--config", path, "--collector", url, "--token", TOKEN, "--node", node)
    assert done.returncode == code
    assert told in done.stderr
    assert not path.exists()


def test_somebody_who_may_not_write_the_first_configuration_is_told_who_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    options = enroll_options("", collector="https://detak.example", node="n1")
    options.config, options.line = tmp_path / "agent.toml", None
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(CouldNotError, match="cannot be written: Permission denied: run this as root"):
        enroll(options, REGISTRY)


@pytest.mark.asyncio
async def test_a_line_that_was_made_for_another_node_is_refused_before_the_token_leaves(tmp_path: Path) -> None:
    path = config(tmp_path, "http://127.0.0.1:9")
    done = await agent("enroll", "--config", path, "--token", TOKEN, "--node", "n2")
    assert done.returncode == 2
    assert done.stderr == (
        f"--node: {path} says that this node is n1: change it there, or have a line made for that (got n2)\n"
    )


@pytest.mark.asyncio
async def test_the_line_to_paste_is_read_from_a_file_so_that_no_list_of_processes_shows_the_token(
    certificate: Path, tmp_path: Path
) -> None:
    async with collector(tls=serving_context(certificate)) as one:
        path = config(tmp_path, one.url)
        line = tmp_path / "line"
        pin = sha256(certificate)
        line.write_text(f"detak-agent enroll --collector {one.url} --token {TOKEN} --node n1 --fingerprint {pin}\n")
        alone = await agent("status", "--config", path, "--collector", one.url)
        assert (alone.returncode, alone.stderr) == (2, "--collector: says something beside --keys only\n")
        before = await agent("status", "--config", path, "--keys", "--collector", one.url)
        assert (before.returncode, before.stdout) == (1, f"key        {one.url}: not enrolled\n")
        done = await agent("enroll", "--config", path, "--from", line)
        assert done.returncode == 0, done.stderr
        assert read_key(key_path(settings(one), tmp_path / "state")) == KEY
        assert pin_files(settings(one), tmp_path / "state").fingerprint.read_text() == pin + "\n"
        after = await agent("status", "--config", path, "--keys")
        assert (after.returncode, "0 days old" in after.stdout) == (0, True)


def enroll_options(name: str, **more: str) -> argparse.Namespace:
    given = dict.fromkeys(("collector", "node", "token", "fingerprint")) | {"ca_key": [], "line": name} | more
    return argparse.Namespace(**given)


def test_a_file_may_hold_the_token_alone_and_the_command_line_wins(tmp_path: Path) -> None:
    path = tmp_path / "token"
    path.write_text(f"{TOKEN}\n")
    alone = with_line(enroll_options(str(path), collector="https://x"), add_enroll_arguments)
    assert (alone.token, alone.collector, alone.node) == (TOKEN, "https://x", None)
    key = "sha256:" + "ab" * 32
    path.write_text(f"detak-agent enroll --collector https://y --token {TOKEN} --node n2 --ca-key {key}")
    whole = with_line(enroll_options(str(path), collector="https://x"), add_enroll_arguments)
    assert (whole.token, whole.collector, whole.node, whole.ca_key) == (TOKEN, "https://x", "n2", [key])


@pytest.mark.parametrize(
    "text",
    ["", f"{TOKEN} {TOKEN}", f"detak-agent run --token {TOKEN}", f"detak-agent enroll --tokens {TOKEN}", f"'{TOKEN}"],
)
def test_what_is_no_line_is_refused_without_being_shown(tmp_path: Path, text: str) -> None:
    path = tmp_path / "line"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        with_line(enroll_options(str(path)), add_enroll_arguments)
    assert list(refused.value.lines) == [f"--from: {path} does not hold the line that `detak-collector enroll` prints"]


def test_a_file_of_many_lines_is_not_guessed_at(tmp_path: Path) -> None:
    path = tmp_path / "lines"
    path.write_text(f"detak-agent enroll --token {TOKEN}\n" * 2)
    with pytest.raises(ConfigurationError, match="holds more than one line: leave the line of this node alone"):
        with_line(enroll_options(str(path)), add_enroll_arguments)
    with pytest.raises(CouldNotError, match="No such file"):
        with_line(enroll_options(str(tmp_path / "nowhere")), add_enroll_arguments)
