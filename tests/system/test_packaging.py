"""The files that make the two programs services of the system, judged by systemd's own tools."""

import subprocess
from pathlib import Path

import pytest

PACKAGING = Path(__file__).parents[2] / "packaging"
PROGRAMS = ["detak-agent", "detak-collector"]


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture(params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def unit(program: str, tmp_path: Path) -> Path:
    """The unit, with a program of that name in place of one that is not installed here."""
    executable = tmp_path / program
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    text = (PACKAGING / "systemd" / f"{program}.service").read_text()
    assert f"ExecStart=/usr/bin/{program} " in text
    path = tmp_path / f"{program}.service"
    path.write_text(text.replace(f"/usr/bin/{program}", str(executable)))
    return path


@pytest.mark.system("systemd-analyze")
def test_systemd_finds_nothing_to_say_about_a_unit(unit: Path) -> None:
    done = run("systemd-analyze", "verify", "--man=no", str(unit))
    assert (done.stdout + done.stderr, done.returncode) == ("", 0)


@pytest.mark.system("systemd-analyze")
def test_a_misspelt_setting_of_a_unit_would_be_noticed(unit: Path) -> None:
    unit.write_text(unit.read_text().replace("NoNewPrivileges", "NoNewPrivilages"))
    assert "NoNewPrivilages" in run("systemd-analyze", "verify", "--man=no", str(unit)).stderr


@pytest.mark.system("systemd-sysusers", "systemd-tmpfiles")
def test_users_and_folders_are_made_as_declared(program: str, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    users = run("systemd-sysusers", f"--root={tmp_path}", str(PACKAGING / "sysusers.d" / f"{program}.conf"))
    assert users.returncode == 0, users.stderr
    entry = (tmp_path / "etc/passwd").read_text()
    assert entry.startswith(f"{program}:")
    folders = run(
        "systemd-tmpfiles", "--create", f"--root={tmp_path}", str(PACKAGING / "tmpfiles.d" / f"{program}.conf")
    )
    state = tmp_path / "var/lib" / program
    assert state.is_dir(), folders.stderr
    assert state.stat().st_mode & 0o777 == 0o700
    assert state.stat().st_uid == int(entry.split(":")[2])


def test_unit_user_and_folder_have_the_name_of_the_program(program: str) -> None:
    unit = (PACKAGING / "systemd" / f"{program}.service").read_text()
    for line in (f"User={program}", f"Group={program}", f"StateDirectory={program}"):
        assert f"\n{line}\n" in unit
