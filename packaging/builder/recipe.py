# ruff: noqa: INP001 - a script's module, in no package
"""The one recipe of both packages: what lies where on the system, what it depends on, and what runs when.

nfpm makes a .deb and an .rpm of it. Where the two kinds of systems differ, the recipe says so for each.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import scriptlets
from programs import MACHINES, NEWEST_GLIBC, ROOT, NotBuiltError, Program

PACKAGING = ROOT / "packaging"
MAINTAINER = "The Detak authors <detak@example.org>"
BUILT_BY = "detak"
"""In place of the name of the machine that an .rpm was built on."""

SYSTEM = ("systemd", "sysusers.d", "tmpfiles.d", "cron.d", "completion")
"""The folders of packaging that hold files for the system as they are; copied first: one build is of one state."""

Entry: TypeAlias = dict[str, object]


def documents(program: Program, content: dict[str, str], folder: Path) -> None:
    """Writes the launcher and the files of /usr/share/doc into `folder`; beside it what the system gets as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in content.items():
        data = text.encode()
        (folder / name).write_bytes(gzip.compress(data, 9, mtime=0) if name.endswith(".gz") else data)
    for kind in SYSTEM:
        if (PACKAGING / kind).is_dir():
            shutil.copytree(PACKAGING / kind, folder.parent / "system" / kind)
    for example in program.examples:
        shutil.copy(ROOT / example, folder.parent / "system")
    launcher = folder / program.name
    launcher.write_text(scriptlets.filled("launcher", program), encoding="utf-8")
    launcher.chmod(0o755)


def recipe(program: Program, machine: str, version: str, release: str, built: Path) -> Entry:
    """What nfpm is told; `built` holds `root`, `documents` and `scripts`."""
    scripts = built / "scripts"
    return {
        "name": program.name,
        "arch": machine,
        "platform": "linux",
        "version": version,
        "version_schema": "none",
        "release": release,
        "section": "admin",
        "priority": "optional",
        "maintainer": MAINTAINER,
        "vendor": "Detak",
        "license": "Apache-2.0",
        "description": f"{program.summary}\n{program.description}",
        "disable_globbing": True,
        "contents": list(_contents(program, built)),
        "overrides": {
            "deb": {"depends": _depends_deb(program), "scripts": _scripts(scripts, scriptlets.OF_DEB)},
            "rpm": {"depends": _depends_rpm(program), "scripts": _scripts(scripts, scriptlets.OF_RPM)},
        },
        # Both are what each system's own packages are packed with; RHEL reads zstd from 8.2 on.
        "deb": {
            "compression": "xz",
            "triggers": {"interest_noawait": [f"/usr/bin/python{one}" for one in program.pythons]},
        },
        "rpm": {"compression": "zstd:19", "buildhost": BUILT_BY, "summary": program.summary, "arch": MACHINES[machine]},
    }


def _scripts(folder: Path, names: dict[str, str]) -> dict[str, str]:
    return {moment: str(folder / name) for moment, name in names.items()}


def _depends_deb(program: Program) -> list[str]:
    pythons = " | ".join(f"python{one}" for one in _usual_first(program))
    return [pythons, f"libc6 (>= 2.{NEWEST_GLIBC})", "libgcc-s1", "libstdc++6", "zlib1g"]


def _depends_rpm(program: Program) -> list[str]:
    # By the file, since the package that has it is named otherwise where it is the system's own Python.
    pythons = " or ".join(f"/usr/bin/python{one}" for one in _usual_first(program))
    return [f"({pythons})", f"glibc >= 2.{NEWEST_GLIBC}", "libgcc", "libstdc++", "zlib", "systemd", "shadow-utils"]


def _usual_first(program: Program) -> list[str]:
    """Where a machine has none of them, its package manager installs the first that it knows."""
    return sorted(program.pythons, key=lambda one: (one == "3.14", -int(one.partition(".")[2])))


def _contents(program: Program, built: Path) -> Iterator[Entry]:
    name, docs = program.name, f"/usr/share/doc/{program.name}"
    yield {"src": str(built / "root" / program.home), "dst": f"/{program.home}", "type": "tree"}
    yield {"dst": f"/{program.home}/bin", "type": "dir", "file_info": {"mode": 0o755}}
    for python in (f"python{one}" for one in program.pythons):
        yield {"src": f"/usr/bin/{python}", "dst": f"/{program.home}/bin/{python}", "type": "symlink"}
    yield _file(built / "documents" / name, f"/usr/bin/{name}", 0o755)
    yield {"dst": docs, "type": "dir", "file_info": {"mode": 0o755}}
    for path in sorted((built / "documents").iterdir()):
        if path.name == "lintian-overrides":
            yield {**_file(path, f"/usr/share/lintian/overrides/{name}"), "packager": "deb"}
        elif path.name.startswith("changelog.Debian"):
            yield {**_file(path, f"{docs}/{path.name}"), "packager": "deb"}
        elif path.name.endswith((".1.gz", ".5.gz")):
            yield _file(path, f"/usr/share/man/man{path.name[-4]}/{path.name}")
        elif path.name != name:
            yield _file(path, f"{docs}/{path.name}")
    for example in program.examples:
        yield _file(built / "system" / Path(example).name, f"{docs}/examples/{Path(example).name}")
    yield from _system_files(name, built / "system")
    yield from _completions(name, built / "system" / "completion")


def _system_files(name: str, folder: Path) -> Iterator[Entry]:
    for path in sorted((folder / "systemd").glob(f"{name}[.@-]*")):
        yield _file(path, f"/usr/lib/systemd/system/{path.name}")
    for kind in ("sysusers.d", "tmpfiles.d"):
        yield _file(folder / kind / f"{name}.conf", f"/usr/lib/{kind}/{name}.conf")
    cron = folder / "cron.d" / name
    if cron.is_file():
        yield {**_file(cron, f"/etc/cron.d/{name}"), "type": "config|noreplace"}


def _completions(name: str, folder: Path) -> Iterator[Entry]:
    bash, zsh, fish = folder / f"{name}.bash", folder / f"_{name}", folder / f"{name}.fish"
    if bash.is_file():
        yield _file(bash, f"/usr/share/bash-completion/completions/{name}")
    if zsh.is_file():
        yield {**_file(zsh, f"/usr/share/zsh/vendor-completions/{zsh.name}"), "packager": "deb"}
        yield {**_file(zsh, f"/usr/share/zsh/site-functions/{zsh.name}"), "packager": "rpm"}
    if fish.is_file():
        yield _file(fish, f"/usr/share/fish/vendor_completions.d/{fish.name}")


def _file(path: Path, destination: str, mode: int = 0o644) -> Entry:
    return {"src": str(path), "dst": destination, "file_info": {"mode": mode, "owner": "root", "group": "root"}}


def packed(told: Entry, kind: str, target: Path, epoch: int) -> Path:
    """Makes one package of a recipe in the folder `target`; raises NotBuiltError."""
    moment = datetime.fromtimestamp(epoch, tz=UTC).isoformat().replace("+00:00", "Z")
    contents = [_at(entry, moment) for entry in told["contents"] if isinstance(entry, dict)]  # type: ignore[attr-defined]
    file = target / f".{told['name']}-{told['arch']}.json"
    file.write_text(json.dumps({**told, "mtime": moment, "contents": contents}), encoding="utf-8")
    nfpm = Path(sysconfig.get_path("scripts")) / "nfpm"
    command = [str(nfpm), "package", "--config", str(file), "--packager", kind, "--target", str(target)]
    try:
        said = subprocess.run(  # noqa: S603 - our own words
            command, capture_output=True, text=True, check=False, cwd=ROOT,
            env={**os.environ, "SOURCE_DATE_EPOCH": str(epoch)},
        )  # fmt: skip
    except FileNotFoundError:
        raise NotBuiltError(f"{nfpm} is not there: install requirements/build.txt") from None
    finally:
        file.unlink()
    if said.returncode:
        raise NotBuiltError(f"nfpm cannot make the .{kind} of {told['name']}: {(said.stderr or said.stdout).strip()}")
    return Path(said.stdout.rpartition("created package: ")[2].strip())


def _at(entry: Entry, moment: str) -> Entry:
    told = entry.get("file_info")
    return {**entry, "file_info": {**(told if isinstance(told, dict) else {}), "mtime": moment}}
