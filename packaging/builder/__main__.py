# ruff: noqa: INP001 - a script, in no package
"""Makes the packages of both programs: `python packaging/builder --output dist`, which holds their wheels already.

Each is laid out from the wheels that requirements/*.txt pin, for every Python that may run it, and packed as .deb and
.rpm. The same sources and locks give the same bytes.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import checksums
import documents
import locks
import recipe
import scriptlets
import tree
from programs import MACHINES, PROGRAMS, ROOT, NotBuiltError, Program

KINDS = ("deb", "rpm")


def built(program: Program, machine: str, release: str, target: Path, epoch: int) -> Iterator[Path]:
    """Builds the packages of one program for one machine, and their bill of materials, into `target`."""
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{program.name}-{machine}-", dir=ROOT / "build") as folder:
        yield from _built(program, machine, release, target, epoch, Path(folder))


def _built(program: Program, machine: str, release: str, target: Path, epoch: int, folder: Path) -> Iterator[Path]:
    version = locks.project_of(program)["version"]
    content = tree.merged({one: locks.wheels_for(program, one, machine, target) for one in program.pythons})
    tree.write(content, program, folder / "root")
    tree.settle(folder / "root", epoch)
    texts = documents.texts(program, content, version=version, release=release, machine=machine, epoch=epoch)
    recipe.documents(program, texts, folder / "documents")
    scriptlets.write(program, folder / "scripts")
    told = recipe.recipe(program, machine, version, release, folder)
    for kind in KINDS:
        yield recipe.packed(told, kind, target, epoch)
    bill = target / f"{program.name}_{version}-{release}_{machine}.cdx.json"
    bill.write_text(texts["sbom.cdx.json"], encoding="utf-8")
    yield bill


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="packaging/builder", description="Make the .deb and .rpm packages.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist", metavar="DIRECTORY")
    parser.add_argument("--machine", action="append", choices=MACHINES, help="amd64 or arm64; all where none is named")
    parser.add_argument("--program", action="append", choices=PROGRAMS, help="both where none is named")
    parser.add_argument("--release", default="1", metavar="N", help="counts the packages made of one version")
    return parser.parse_args()


def main() -> int:
    """The command."""
    options = _options()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))
    try:
        for name in options.program or PROGRAMS:
            for machine in options.machine or MACHINES:
                for path in built(PROGRAMS[name], machine, options.release, options.output, epoch):
                    print(f"{path.name}: {path.stat().st_size:,} bytes", flush=True)
        sums = checksums.write(options.output)
        if key := os.environ.get("SIGNING_KEY"):
            print(f"{checksums.sign(sums, Path(key)).name}: signed with {key}")
        else:
            print(f"{sums.name}: not signed, for SIGNING_KEY names no key")
    except NotBuiltError as error:
        print(error, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
