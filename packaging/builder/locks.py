# ruff: noqa: INP001 - a script's module, in no package
"""Which wheels a program needs on one Python and machine: named by the locks, fetched by pip, which checks them."""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.metadata import Metadata
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename
from programs import LEFT_OUT, MACHINES, NEWEST_GLIBC, ROOT, NotBuiltError, Program

CACHE = ROOT / "build" / "wheels"


@dataclass(frozen=True)
class Wheel:
    """One distribution as a file."""

    path: Path
    name: str
    version: str
    metadata: Metadata

    @property
    def sha256(self) -> str:
        """The digest of the file."""
        return hashlib.sha256(self.path.read_bytes()).hexdigest()


def wheels_for(program: Program, python: str, machine: str, own: Path) -> list[Wheel]:
    """Every wheel that `program` needs on that Python and machine, by name; its own are taken from the folder `own`.

    Raises NotBuiltError where the locks do not pin something, or no wheel of it exists.
    """
    environment = marker_environment(python, machine)
    fetched = _fetched(pinned(program, environment), python, machine)
    found = {wheel.name: wheel for wheel in map(read, fetched)}
    found |= {name: read(_newest(own, name)) for name in program.own}
    names = _reached(program, environment, found) - set(LEFT_OUT)
    return [found[name] for name in sorted(names)]


def project_of(program: Program) -> dict[str, str]:
    """What the pyproject.toml of `program` says of it."""
    project: dict[str, str] = tomllib.loads((ROOT / program.project / "pyproject.toml").read_text())["project"]
    return project


def marker_environment(python: str, machine: str) -> dict[str, str]:
    """What the markers of requirements are asked about."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": MACHINES[machine],
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def read(path: Path) -> Wheel:
    """A wheel and what it says of itself."""
    name, version, _, _ = parse_wheel_filename(path.name)
    with zipfile.ZipFile(path) as archive:
        entry = next(one for one in archive.namelist() if re.fullmatch(r"[^/]+\.dist-info/METADATA", one))
        metadata = Metadata.from_email(archive.read(entry), validate=False)
    return Wheel(path, str(name), str(version), metadata)


def pinned(program: Program, environment: dict[str, str]) -> dict[str, str]:
    """The entries of the program's locks that hold in `environment`, with their hashes, by name."""
    found: dict[str, str] = {}
    for lock in program.locks:
        text = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
        for entry in re.split(r"\n(?=\S)", text.strip()):
            said, *hashes = entry.replace("\\\n", "\n").splitlines()
            requirement = Requirement(said)
            if requirement.marker is None or requirement.marker.evaluate(environment):
                plain = f"{requirement.name}{requirement.specifier}"
                found.setdefault(canonicalize_name(requirement.name), " ".join([plain, *map(str.strip, hashes)]))
    return {name: entry for name, entry in found.items() if name not in LEFT_OUT}


def _fetched(entries: dict[str, str], python: str, machine: str) -> Iterable[Path]:
    """The wheels of all pins: those kept from last time, or pip's."""
    wanted = "\n".join(sorted(entries.values())) + "\n"
    digest = hashlib.sha256(wanted.encode()).hexdigest()[:12]
    folder = CACHE / f"{machine}-{python}-{digest}"
    if not folder.is_dir():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="making-", dir=CACHE) as making:
            made = Path(making) / folder.name
            made.mkdir()
            (made / "wanted.txt").write_text(wanted, encoding="utf-8")
            _download(made, python, machine)
            made.rename(folder)
    return sorted(folder.glob("*.whl"))


def _download(folder: Path, python: str, machine: str) -> None:
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--only-binary", ":all:", "--require-hashes", "--requirement", str(folder / "wanted.txt"),
        "--dest", str(folder), "--implementation", "cp", "--python-version", python,
    ]  # fmt: skip
    for platform in _platforms(MACHINES[machine]):
        command += ["--platform", platform]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if said.returncode:
        raise NotBuiltError(f"no wheels for Python {python} on {machine}:\n{said.stderr.strip()}")


def _platforms(machine: str) -> Iterator[str]:
    """The platforms whose wheels run there, the best first."""
    yield from (f"manylinux_2_{minor}_{machine}" for minor in range(NEWEST_GLIBC, 16, -1))
    yield f"manylinux2014_{machine}"
    if machine == "x86_64":
        yield from (f"manylinux_2_{minor}_{machine}" for minor in range(16, 4, -1))
        yield from (f"manylinux2010_{machine}", f"manylinux1_{machine}")


def _newest(folder: Path, name: str) -> Path:
    found = sorted(folder.glob(f"{name.replace('-', '_')}-*.whl"))
    if not found:
        raise NotBuiltError(f"{folder} has no wheel of {name}: `make package` builds it first")
    return found[-1]


def _reached(program: Program, environment: dict[str, str], found: dict[str, Wheel]) -> set[str]:
    """The names of all that the program needs, and that those need; raises NotBuiltError for one that is not pinned."""
    asked = f"{program.name}[{','.join(program.extras)}]"
    reached: set[tuple[str, str]] = set()
    waiting = [Requirement(asked)]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in LEFT_OUT:
            continue
        if name not in found:
            raise NotBuiltError(f"{name} is needed by {program.name}, and none of {', '.join(program.locks)} pins it")
        for extra in ("", *requirement.extras):
            if (name, extra) not in reached:
                reached.add((name, extra))
                waiting += _asked_by(found[name], {**environment, "extra": extra})
    return {name for name, _ in reached}


def _asked_by(wheel: Wheel, environment: dict[str, str]) -> list[Requirement]:
    return [one for one in wheel.metadata.requires_dist or [] if one.marker is None or one.marker.evaluate(environment)]
