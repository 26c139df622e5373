# ruff: noqa: INP001 - a script's module, in no package
"""Lays the wheels of several Pythons into one private directory that any of them can run from.

Compiled modules carry the Python they are for in their names, so that those of one version lie beside each other, and
everything else is the same file. Where a library has another version for one Python, or two of its files of one name
differ, that Python gets the whole library in a directory of its own, which it looks into first.
"""

from __future__ import annotations

import os
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from locks import Wheel
from programs import NotBuiltError, Program

LEFT_BEHIND = re.compile(r"[^/]+\.dist-info/(RECORD|WHEEL|INSTALLER|direct_url\.json)$|.*\.(pyi|pyx|pxd|pxi)$")
"""Files of wheels that nothing reads once they are installed."""

FONTS = re.compile(r"reportlab/fonts/[^/]+\.(pfb|PFB)$")
"""Fonts of Adobe's that come with no clear permission to be passed on; Detak's reports bring their own."""

SOURCE_ONLY = re.compile(r"(^|/)tests?/|.*\.(c|h|cc|cpp|hpp)$")

VENV = "home = /usr/bin\ninclude-system-site-packages = false\n"
"""Makes the directory a virtual environment: whatever else is installed on the machine stays out of its path."""


@dataclass
class Library:
    """One distribution for several Pythons."""

    version: str
    files: dict[str, bytes] = field(default_factory=dict)
    wheels: dict[str, Wheel] = field(default_factory=dict)

    def takes(self, wheel: Wheel, files: Mapping[str, bytes]) -> bool:
        """Whether a wheel lies beside those that are there already."""
        return wheel.version == self.version and all(self.files.get(path, new) == new for path, new in files.items())

    def add(self, python: str, wheel: Wheel, files: Mapping[str, bytes]) -> None:
        """Lays a wheel beside the others."""
        self.wheels[python] = wheel
        self.files.update(files)


@dataclass(frozen=True)
class Merged:
    """What goes into the private directory."""

    shared: dict[str, Library]
    apart: dict[str, dict[str, Library]]
    """By Python, the libraries that it cannot share."""

    def libraries(self) -> Iterator[tuple[str, str, dict[str, Wheel]]]:
        """Every library by name and version, and its wheels by Python."""
        found: dict[tuple[str, str], dict[str, Wheel]] = {}
        for libraries in (self.shared, *self.apart.values()):
            for name, library in libraries.items():
                found.setdefault((name, library.version), {}).update(library.wheels)
        for (name, version), wheels in sorted(found.items()):
            yield name, version, dict(sorted(wheels.items()))


def merged(wheels: Mapping[str, list[Wheel]]) -> Merged:
    """The wheels of each Python laid together, the newest Python's first; raises NotBuiltError."""
    result = Merged({}, {})
    for python, found in wheels.items():
        for wheel in found:
            files = dict(_files(wheel.path))
            library = result.shared.setdefault(wheel.name, Library(wheel.version))
            if not library.takes(wheel, files):
                library = result.apart.setdefault(python, {}).setdefault(wheel.name, Library(wheel.version))
            library.add(python, wheel, files)
    for libraries in (result.shared, *result.apart.values()):
        _refuse_two_owners(libraries)
    return result


def _files(path: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a wheel, by where they are installed; scripts and data for elsewhere are not."""
    with zipfile.ZipFile(path) as archive:
        for entry in archive.infolist():
            name = re.sub(r"^[^/]+\.data/(purelib|platlib)/", "", entry.filename)
            if entry.is_dir() or re.match(r"[^/]+\.data/", name) or _is_of_no_use(name):
                continue
            if name.startswith("/") or ".." in name.split("/"):
                raise NotBuiltError(f"{path.name}: {name} lies outside of the wheel")
            # Bills of materials of their own name the Python that a wheel is for: each is kept under that.
            yield re.sub(r"(\.dist-info/sboms)/", rf"\1/{path.stem.split('-')[2]}/", name), archive.read(entry)


def _is_of_no_use(name: str) -> bool:
    return bool(
        LEFT_BEHIND.match(name) or FONTS.match(name) or (SOURCE_ONLY.search(name) and ".dist-info/" not in name)
    )


def _refuse_two_owners(libraries: Mapping[str, Library]) -> None:
    owners: dict[str, str] = {}
    for name, library in libraries.items():
        for path in library.files:
            if owners.setdefault(path, name) != name:
                raise NotBuiltError(f"{path} is in {owners[path]} and in {name}")


def write(content: Merged, program: Program, root: Path) -> None:
    """Writes the private directory below `root`, with modes and no owner in mind."""
    home = root / program.home
    _lay(home / "packages", content.shared)
    for python in program.pythons:
        site = home / "lib" / f"python{python}" / "site-packages"
        _lay(site, content.apart.get(python, {}))
        _put(site / "detak.pth", b"../../../packages\n")
    _put(home / "pyvenv.cfg", VENV.encode())
    _put(home / program.name, f"from {program.module}.cli import main\n\nmain()\n".encode())


def _lay(folder: Path, libraries: Mapping[str, Library]) -> None:
    for library in libraries.values():
        for name, content in library.files.items():
            _put(folder / name, content)


def _put(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(mode)


def settle(root: Path, epoch: int) -> None:
    """Gives all below `root` the one time and the modes that do not depend on who built it."""
    for folder, _, names in os.walk(root):
        Path(folder).chmod(0o755)
        for path in (Path(folder), *(Path(folder) / name for name in names)):
            os.utime(path, (epoch, epoch), follow_symlinks=False)
