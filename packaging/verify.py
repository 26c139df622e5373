# ruff: noqa: INP001 - a script, in no package
"""Makes detak-verify.pyz: what reads, checks and recomputes a bundle, as one file for any Python from 3.11 on.

It holds `detak_collector.bundle.auditor`, what detak-verify.html asks of it, and whatever those import of this project,
unchanged, and refuses to be made where any of it needs more than the standard library. The same sources give the same
bytes.
"""

from __future__ import annotations

import argparse
import ast
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = {"detak_collector": ROOT / "collector", "detak_wire": ROOT / "wire"}
ENTRY = "detak_collector.bundle.auditor"
IN_PAGE = "detak_collector.bundle.in_page"
"""What detak-verify.html, which holds this file as it is, asks for."""

MAIN = f"from {ENTRY} import main\n\nmain()\n"
SHEBANG = b"#!/usr/bin/env python3\n"
EPOCH = (1980, 1, 1, 0, 0, 0)
NEVER_REACHED = {("detak_collector.catalogue.recurrence", "dateutil")}
"""Imports inside functions that reading a packed bundle never calls: its recurring windows are laid out already."""


class NeedsMoreError(Exception):
    """A module imports what is in no standard library."""


def path_of(module: str) -> Path | None:
    """The file of one of the project's modules; None where there is no such module."""
    base = PACKAGES[module.partition(".")[0]].joinpath(*module.split("."))
    return next((one for one in (base.with_suffix(".py"), base / "__init__.py") if one.is_file()), None)


def imported(path: Path) -> Iterator[str]:
    """Every module that a file may import, wherever in it; of `from a import b` also a.b."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{one.name}" for one in node.names)


def needed() -> dict[str, Path]:
    """The modules, each with those before it in its path, and their files; raises NeedsMoreError."""
    found: dict[str, Path] = {}
    waiting = [ENTRY, IN_PAGE]
    while waiting:
        module = waiting.pop()
        parts = module.split(".")
        for name in (".".join(parts[:length]) for length in range(1, len(parts) + 1)):
            path = path_of(name)
            if path is None or name in found:
                continue
            found[name] = path
            for other in imported(path):
                top = other.partition(".")[0]
                if top in PACKAGES:
                    waiting.append(other)
                elif top not in sys.stdlib_module_names and (name, top) not in NEVER_REACHED:
                    raise NeedsMoreError(f"{path}: imports {other}, which is in no standard library")
    return found


def make(target: Path) -> None:
    """Writes the file; raises NeedsMoreError."""
    modules = needed()
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        file.write(SHEBANG)
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            _add(archive, "__main__.py", MAIN.encode())
            for path in sorted(modules.values()):
                top = next(base for base in PACKAGES.values() if path.is_relative_to(base))
                _add(archive, path.relative_to(top).as_posix(), path.read_bytes())
            _add(archive, "LICENSE", (ROOT / "LICENSE").read_bytes())
    target.chmod(0o755)


def _add(archive: zipfile.ZipFile, name: str, content: bytes) -> None:
    entry = zipfile.ZipInfo(name, EPOCH)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, content)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Make detak-verify.pyz.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / "detak-verify.pyz", metavar="FILE")
    target = parser.parse_args().output
    try:
        make(target)
    except NeedsMoreError as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{target}: {target.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
