# ruff: noqa: INP001 - a script's module, in no package
"""The texts that a package carries beside the program: change log, licences, bill of materials, manual."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

from bill import bill, licence
from programs import ROOT, Program
from tree import Merged

PACKAGING = ROOT / "packaging"
MAINTAINER = "The Detak authors <detak@example.org>"


def texts(program: Program, content: Merged, *, version: str, release: str, machine: str, epoch: int) -> dict[str, str]:
    """Every text, by the name of its file; those that end in .gz are packed when they are written."""
    return {
        "sbom.cdx.json": bill(program, content, version=f"{version}-{release}", machine=machine, epoch=epoch),
        "copyright": _copyright(content),
        "changelog.gz": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "changelog.Debian.gz": _changelog(program, f"{version}-{release}", epoch),
        "lintian-overrides": (PACKAGING / "lintian-overrides").read_text(encoding="utf-8"),
        **{f"{path.name}.gz": path.read_text(encoding="utf-8") for path in _manual(program)},
    }


def _manual(program: Program) -> Iterator[Path]:
    """The pages of the manual that go with `program`: those of services.toml with the collector."""
    for path in sorted((PACKAGING / "man").glob("*.[1-8]")):
        with_agent = path.name.startswith("detak-agent")
        if with_agent == (program.name == "detak-agent"):
            yield path


def _copyright(content: Merged) -> str:
    lines = [
        "Copyright 2026 The Detak authors. Detak is under the Apache License 2.0; on a Debian system its text is in",
        "/usr/share/common-licenses/Apache-2.0.",
        "",
        "The package carries these libraries, each under its own licence; the texts are in the directories",
        "*.dist-info beside them, and sbom.cdx.json names the wheels that they came in. Nothing in them was changed;",
        "tests, sources of compiled modules and a few fonts were left out:",
        "",
    ]
    for name, version, wheels in content.libraries():
        if not name.startswith("detak-"):
            said = licence(next(iter(wheels.values()))) or "see its directory"
            lines.append(f"  {name} {version}: {said}")
    return "\n".join(lines) + "\n"


def _changelog(program: Program, version: str, epoch: int) -> str:
    date = format_datetime(datetime.fromtimestamp(epoch, tz=UTC))
    return (
        f"{program.name} ({version}) stable; urgency=medium\n\n"
        f"  * What has changed is in changelog.gz beside this file.\n\n -- {MAINTAINER}  {date}\n"
    )
