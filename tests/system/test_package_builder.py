"""How the packages are put together: wheels of several Pythons in one directory, and the scripts that a system runs."""

import re
import subprocess
import zipfile
from pathlib import Path

import locks
import pytest
import scriptlets
import tree
from programs import MACHINES, PROGRAMS, ROOT, NotBuiltError, Program

AGENT = PROGRAMS["detak-agent"]
SCRIPTS = [*scriptlets.OF_DEB.values(), *scriptlets.OF_RPM.values(), "launcher"]


def wheel(folder: Path, name: str, tag: str, files: dict[str, str], version: str = "1.0") -> locks.Wheel:
    path = folder / f"{name}-{version}-{tag}.whl"
    described = {f"{name}-{version}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"}
    with zipfile.ZipFile(path, "w") as archive:
        for inside, text in {**files, **described}.items():
            archive.writestr(inside, text)
    return locks.read(path)


@pytest.fixture(params=sorted(PROGRAMS))
def program(request: pytest.FixtureRequest) -> Program:
    return PROGRAMS[request.param]


def test_compiled_modules_of_several_pythons_lie_beside_each_other(tmp_path: Path) -> None:
    wheels = {
        python: [wheel(tmp_path, "fast", tag, {"fast/__init__.py": "", f"fast/quick.cpython-{tag[2:5]}.so": tag})]
        for python, tag in (("3.13", "cp313-cp313-linux_x86_64"), ("3.12", "cp312-cp312-linux_x86_64"))
    }
    merged = tree.merged(wheels)
    assert merged.apart == {}
    assert set(merged.shared["fast"].files) == {
        "fast/__init__.py", "fast/quick.cpython-313.so", "fast/quick.cpython-312.so", "fast-1.0.dist-info/METADATA",
    }  # fmt: skip


def test_a_library_whose_files_differ_for_one_python_lies_apart_as_a_whole(tmp_path: Path) -> None:
    new = wheel(tmp_path, "fast", "cp313-abi3-linux_x86_64", {"fast/__init__.py": "", "fast/quick.abi3.so": "new"})
    old = wheel(tmp_path, "fast", "cp310-abi3-linux_x86_64", {"fast/__init__.py": "", "fast/quick.abi3.so": "old"})
    merged = tree.merged({"3.13": [new], "3.10": [old]})
    assert merged.shared["fast"].files["fast/quick.abi3.so"] == b"new"
    assert set(merged.apart) == {"3.10"}
    assert merged.apart["3.10"]["fast"].files["fast/quick.abi3.so"] == b"old"
    assert "fast/__init__.py" in merged.apart["3.10"]["fast"].files


def test_another_version_for_one_python_lies_apart(tmp_path: Path) -> None:
    new = wheel(tmp_path, "fast", "py3-none-any", {"fast/__init__.py": "new"}, "2.0")
    old = wheel(tmp_path, "fast", "py3-none-any", {"fast/__init__.py": "new"}, "1.0")
    merged = tree.merged({"3.13": [new], "3.10": [old]})
    assert [(name, version, list(wheels)) for name, version, wheels in merged.libraries()] == [
        ("fast", "1.0", ["3.10"]), ("fast", "2.0", ["3.13"]),
    ]  # fmt: skip


def test_two_libraries_with_one_file_are_refused(tmp_path: Path) -> None:
    wheels = [wheel(tmp_path, name, "py3-none-any", {"same/__init__.py": name}) for name in ("first", "second")]
    with pytest.raises(NotBuiltError, match=r"same/__init__\.py is in first and in second"):
        tree.merged({"3.13": wheels})


def test_a_file_that_would_leave_the_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotBuiltError, match="outside of the wheel"):
        tree.merged({"3.13": [wheel(tmp_path, "bad", "py3-none-any", {"../../etc/cron.d/bad": ""})]})


def test_what_the_locks_ask_of_one_python_only_is_not_asked_of_another(program: Program) -> None:
    for machine in MACHINES:
        newest = locks.pinned(program, locks.marker_environment(program.pythons[0], machine))
        assert "tomli" not in newest
        assert all("--hash=sha256:" in entry and ";" not in entry for entry in newest.values())
    if "3.10" in program.pythons:
        assert "tomli" in locks.pinned(program, locks.marker_environment("3.10", "amd64"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_is_whole_and_understood_by_the_shell(name: str, program: Program) -> None:
    text = scriptlets.filled(name, program)
    assert "@" not in text.replace('"$@"', "")
    done = subprocess.run(["sh", "-n"], input=text, capture_output=True, text=True, check=False)
    assert (done.stderr, done.returncode) == ("", 0)


def launched(program: Program, folder: Path, *pythons: str) -> subprocess.CompletedProcess[str]:
    """The launcher on a machine that has these Pythons, each of which says who it is and what it was given."""
    for python in pythons:
        for path in (folder / f"usr/bin/python{python}", folder / program.home / f"bin/python{python}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f'#!/bin/sh\necho {python} "$@"\n')
            path.chmod(0o755)
    text = scriptlets.filled("launcher", program).replace("/usr/", f"{folder}/usr/")
    return subprocess.run(["sh", "-c", text, "it", "status", "a b"], capture_output=True, text=True, check=False)


def test_the_launcher_takes_the_newest_python_that_the_package_is_for(program: Program, tmp_path: Path) -> None:
    done = launched(program, tmp_path, "3.11", "3.12", "3.9", "3.99")
    assert done.stdout == f"3.12 -I {tmp_path}/{program.home}/{program.name} status a b\n"


def test_without_any_python_the_launcher_says_what_to_do_and_ends_with_3(program: Program, tmp_path: Path) -> None:
    done = launched(program, tmp_path, "3.9")
    assert done.returncode == 3
    assert f"{program.name}: it runs on Python {program.pythons[-1]} to 3.14" in done.stderr
    assert "install one" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def purged(program: Program, root: Path) -> str:
    """What is said when the package is purged on a machine whose files lie below `root`."""
    text = scriptlets.filled("deb-postrm", program)
    for folder in ("/var/lib", "/etc/detak", "/run/systemd"):
        text = text.replace(folder, f"{root}{folder}")
    done = subprocess.run(["sh", "-c", text, "postrm", "purge"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def state(program: Program, tmp_path: Path) -> Path:
    """A state directory with evidence in it, and a configuration."""
    folder = tmp_path / "var/lib" / program.name
    folder.mkdir(parents=True)
    (folder / "evidence").touch()
    (tmp_path / "etc/detak").mkdir(parents=True)
    (tmp_path / "etc/detak/some.toml").touch()
    return folder


def test_a_purge_keeps_evidence_and_configuration_and_says_so(program: Program, state: Path, tmp_path: Path) -> None:
    assert f"{state} and {tmp_path}/etc/detak are kept" in purged(program, tmp_path)
    assert (state / "evidence").exists()
    assert (tmp_path / "etc/detak/some.toml").exists()


def test_a_purge_removes_both_where_a_file_asks_for_it(program: Program, state: Path, tmp_path: Path) -> None:
    (tmp_path / "etc/detak/remove-data-on-purge").touch()
    assert purged(program, tmp_path) == ""
    assert not state.exists()
    assert not (tmp_path / "etc/detak").exists()


def test_a_purge_leaves_the_configuration_that_the_other_program_still_needs(
    program: Program, state: Path, tmp_path: Path
) -> None:
    (tmp_path / "etc/detak/remove-data-on-purge").touch()
    other = next(name for name in PROGRAMS if name != program.name)
    (tmp_path / "var/lib" / other).mkdir()
    purged(program, tmp_path)
    assert not state.exists()
    assert (tmp_path / "etc/detak/some.toml").exists()


def test_the_image_asks_after_its_health_with_the_python_that_it_has() -> None:
    text = (ROOT / "packaging/oci/Containerfile").read_text()
    of_release = {"bookworm": "3.11", "trixie": "3.13"}
    (release,), (python,) = re.findall(r"FROM debian:(\w+)", text), re.findall(r'CMD \["/usr/bin/python([^"]*)"', text)
    assert python == of_release[release]
    assert python in PROGRAMS["detak-collector"].pythons
