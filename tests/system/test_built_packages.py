"""The packages as `make package` leaves them: made twice alike, sharing nothing, and complete on every Python."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import checksums
import pytest
import scriptlets
from programs import PROGRAMS, Program

ROOT = Path(__file__).parents[2]
DRIVERS = ("cryptography", "dbus_fast", "dns", "h11", "oracledb", "psycopg", "psycopg_binary", "pymongo", "pymysql")
LIBRARIES = ("aiohttp", "apprise", "argon2", "ldap3", "PIL", "psycopg", "reportlab", "rfc3161_client", "sqlite_utils")
SCRIPTS = ("launcher", *scriptlets.OF_DEB.values(), *scriptlets.OF_RPM.values())
NEEDED = {"detak-agent": (*DRIVERS, "pytds"), "detak-collector": LIBRARIES}

IMPORT_ALL = """
import importlib, pkgutil, sys
own, *others = sys.argv[1:]
wrong = [f"{path} is in the path" for path in sys.path if "-packages" in path and own.replace("_", "-") not in path]
for name in [*others, *(one.name for one in pkgutil.walk_packages(importlib.import_module(own).__path__, own + "."))]:
    try:
        name.endswith("__main__") or importlib.import_module(name)
    except Exception as error:
        wrong.append(f"{name}: {error!r}")
print(*wrong, sep="\\n", end="")
"""

pytestmark = [
    pytest.mark.system("dpkg-deb", "rpm", "lintian", "ssh-keygen", "shellcheck"),
    pytest.mark.skipif(os.environ.get("DETAK_NIGHTLY") != "1", reason="it builds the packages twice, at night only"),
]


def run(*command: str | Path, folder: Path = ROOT, **environment: str) -> str:
    """What a command that must succeed prints."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, cwd=folder, env={**os.environ, **environment}
    )
    assert done.returncode == 0, f"{words[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def build(folder: Path) -> dict[str, str]:
    """Builds all for amd64 into a new folder; the digest of each file."""
    for part in ("wire", "agent", "collector"):
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder,
            folder=ROOT / part, SOURCE_DATE_EPOCH="1790000000")  # fmt: skip
    run(sys.executable, ROOT / "packaging/builder", "-o", folder, "--machine", "amd64", SOURCE_DATE_EPOCH="1790000000")
    return digests(folder)


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one build left."""
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture(params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest) -> Program:
    return PROGRAMS[request.param]


def package(folder: Path, program: str, kind: str) -> Path:
    machine = {"deb": "amd64", "rpm": "x86_64"}[kind]
    (found,) = folder.glob(f"{program}[_-]*{machine}.{kind}")
    return found


def listed(deb: Path) -> dict[str, str]:
    """What lies in a .deb: modes and owner, by path."""
    rows = [line.split(maxsplit=5) for line in run("dpkg-deb", "--contents", deb).splitlines()]
    return {row[5].partition(" -> ")[0].removeprefix("."): f"{row[0]} {row[1]}" for row in rows}


def test_two_builds_give_the_same_bytes(first: Path, tmp_path: Path) -> None:
    again = build(tmp_path)
    assert again == digests(first)
    assert len([name for name in again if name.endswith((".deb", ".rpm"))]) == 4


def test_the_checksums_are_those_of_every_file(first: Path) -> None:
    checked = run("sha256sum", "--check", "SHA256SUMS", folder=first).splitlines()
    assert len(checked) == len([path for path in first.iterdir() if not path.name.startswith("SHA256SUMS")])


def test_the_two_packages_share_no_file(first: Path) -> None:
    files = [{path for path in listed(package(first, name, "deb")) if not path.endswith("/")} for name in PROGRAMS]
    assert files[0] & files[1] == set()


def test_everything_belongs_to_root_and_nobody_else_may_write_it(first: Path, program: Program) -> None:
    entries = listed(package(first, program.name, "deb"))
    assert {said.split()[1] for said in entries.values()} == {"root/root"}
    files = {path: said for path, said in entries.items() if not said.startswith("l")}
    assert [path for path, said in files.items() if "w" in (said[5], said[8])] == []
    assert [path for path, said in files.items() if said[0] == "-" and said[3] == "x"] == [f"/usr/bin/{program.name}"]


def test_the_rpm_holds_what_the_deb_holds(first: Path, program: Program) -> None:
    of_one_kind = ("/usr/share/zsh", "/usr/share/lintian", f"/usr/share/doc/{program.name}/changelog.Debian")
    deb = {path for path in listed(package(first, program.name, "deb")) if not path.endswith("/")}
    rpm = set(run("rpm", "--query", "--package", "--list", package(first, program.name, "rpm")).split("\n"))
    assert [path for path in deb - rpm if not path.startswith(of_one_kind)] == []
    folders = {str(folder) for path in deb for folder in Path(path).parents}
    assert [path for path in rpm - deb - folders if path and not path.startswith(of_one_kind)] == []


def test_the_scripts_of_the_rpm_are_there_and_understood_by_the_shell(first: Path, program: Program) -> None:
    scripts = run("rpm", "--query", "--package", "--scripts", package(first, program.name, "rpm"))
    parts = [part.partition("\n")[2] for part in scripts.split("scriptlet (using /bin/sh):")[1:]]
    assert len(parts) == 3
    for part in parts:
        text = part.rpartition("exit 0\n")[0] + "exit 0\n"
        assert "with_systemd" in text
        run("sh", "-n", "-c", text)


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_every_module_and_driver_is_imported_on_this_python(
    first: Path, program: Program, python: str, tmp_path: Path
) -> None:
    if python not in program.pythons:
        pytest.skip(f"{program.name} is not for Python {python}")
    executable = interpreter(python)
    run("dpkg-deb", "-x", package(first, program.name, "deb"), tmp_path)
    home = tmp_path / program.home
    settings = (home / "pyvenv.cfg").read_text()
    (home / "pyvenv.cfg").write_text(settings.replace("/usr/bin", str(executable.parent)))
    runs = home / f"bin/python{python}"
    runs.unlink()
    runs.symlink_to(executable)
    assert run(runs, "-I", "-B", "-c", IMPORT_ALL, program.module, *NEEDED[program.name]) == ""
    assert run(runs, "-I", "-B", home / program.name, "--version").startswith(program.name)


def interpreter(python: str) -> Path:
    """A Python of this version: on the PATH, or beside the others of pyenv; without it the test is skipped."""
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    folders = [*os.environ["PATH"].split(os.pathsep), *map(str, sorted(versions.glob(f"{python}.*/bin")))]
    for folder in folders:
        found = shutil.which(f"python{python}", path=folder)
        asked = [str(found), "-c", "import os, sys; print(os.path.realpath(sys.executable))"]
        if found and (done := subprocess.run(asked, capture_output=True, text=True, check=False)).returncode == 0:
            return Path(done.stdout.strip())
    pytest.skip(f"python{python} is not on this machine")


def test_lintian_finds_no_error(first: Path, program: Program) -> None:
    run("lintian", "--allow-root", "--fail-on", "error", package(first, program.name, "deb"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_shellcheck_finds_nothing_in_a_script(program: Program, name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(scriptlets.filled(name, program))
    run("shellcheck", "--shell=sh", "--severity=warning", tmp_path / name)


def test_the_bill_of_materials_names_every_library_its_licence_and_its_wheels(first: Path, program: Program) -> None:
    (path,) = first.glob(f"{program.name}_*_amd64.cdx.json")
    bill = json.loads(path.read_text())
    assert bill["bomFormat"] == "CycloneDX"
    components = {one["name"]: one for one in bill["components"]}
    assert {"detak-wire", "msgspec"} <= set(components)
    assert [name for name, one in components.items() if not one.get("licenses")] == []
    assert all(file["hashes"][0]["alg"] == "SHA-256" for one in components.values() for file in one["components"])


def test_a_signature_is_verified_as_the_document_says(first: Path, tmp_path: Path) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "key")
    shutil.copy(first / "SHA256SUMS", tmp_path)
    checksums.sign(tmp_path / "SHA256SUMS", tmp_path / "key")
    (tmp_path / "signers").write_text(f"detak {(tmp_path / 'key.pub').read_text()}")
    verify = [
        "ssh-keygen", "-Y", "verify", "-f", "signers", "-I", "detak", "-n", "detak-release", "-s", "SHA256SUMS.sig",
    ]  # fmt: skip
    for content, code in (((tmp_path / "SHA256SUMS").read_bytes(), 0), (b"another", 255)):
        done = subprocess.run(verify, input=content, check=False, capture_output=True, cwd=tmp_path)
        assert done.returncode == code
