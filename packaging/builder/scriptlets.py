# ruff: noqa: INP001 - a script's module, in no package
"""Fills the shell scripts of packaging/scripts with the names of one program: one text serves both."""

from __future__ import annotations

from pathlib import Path

from programs import PROGRAMS, ROOT, Program

SCRIPTS = ROOT / "packaging" / "scripts"
UNITS = ROOT / "packaging" / "systemd"
SHARED = "@shared@\n"

OF_DEB = {"postinstall": "deb-postinst", "preremove": "deb-prerm", "postremove": "deb-postrm"}
OF_RPM = {"postinstall": "rpm-post", "preremove": "rpm-preun", "postremove": "rpm-postun"}
"""The moments, as nfpm names them, and the file of each."""


def filled(name: str, program: Program) -> str:
    """The script of that name for `program`."""
    text = (SCRIPTS / name).read_text(encoding="utf-8")
    text = text.replace(SHARED, (SCRIPTS / "shared").read_text(encoding="utf-8"))
    for word, value in _values(program).items():
        text = text.replace(f"@{word}@", value)
    return text


def write(program: Program, folder: Path) -> None:
    """Writes all scripts of `program` into `folder`, each under its own name."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*OF_DEB.values(), *OF_RPM.values()):
        (folder / name).write_text(filled(name, program), encoding="utf-8")


def _values(program: Program) -> dict[str, str]:
    return {
        "program": program.name,
        "other": next(name for name in PROGRAMS if name != program.name),
        "pythons": " ".join(program.pythons),
        "newest": program.pythons[0],
        "oldest": program.pythons[-1],
        "units": " ".join(units(program)),
    }


def units(program: Program) -> list[str]:
    """The units of `program` that an administrator may enable."""
    found = [*UNITS.glob(f"{program.name}.service"), *UNITS.glob(f"{program.name}-*.timer")]
    return sorted(path.name for path in found)
