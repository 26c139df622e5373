# ruff: noqa: INP001 - a script, in no package
"""Makes what is written from the programs themselves: packaging/man, packaging/completion and docs/commands.md.

Without `--check` the files are written; with it nothing is, and it ends with 1 where one is not what it would be.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from manual.command_page import command_page
from manual.completion import completions
from manual.file_page import file_page
from manual.programs import AGENT, COLLECTOR, programs
from manual.reference import reference

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def manuals() -> Iterator[tuple[Path, str]]:
    """Every file that is made here, with its text."""
    both = programs()
    yield DOCS / "commands.md", reference(both)
    for program in both:
        yield ROOT / "packaging/man" / f"{program.name}.1", command_page(program)
    kinds = [DOCS / "checks.md", *sorted((DOCS / "checks").glob("*.md"))]
    pages = {
        "detak-agent.toml": ("configuration of the agent", AGENT, [DOCS / "agent-toml.md", *kinds]),
        "detak-collector.toml": ("configuration of the collector", COLLECTOR, [DOCS / "collector-toml.md"]),
        "detak-services.toml": ("what the collector measures, and by which rules", COLLECTOR, [DOCS / "services.md"]),
    }
    for name, (summary, program_name, documents) in pages.items():
        text = file_page(name, summary, program_name, documents, [f"{program_name}(1)"])
        yield ROOT / "packaging/man" / f"{name}.5", text
    for name, text in completions():
        yield ROOT / "packaging/completion" / name, text


def main() -> None:
    """The script."""
    parser = argparse.ArgumentParser(description="Makes man pages, shell completion and docs/commands.md.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 where a file is not current")
    options = parser.parse_args()
    stale = [(path, text) for path, text in manuals() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    for path, text in stale:
        if options.check:
            print(f"{path.relative_to(ROOT)} is not current: run `make manuals`", file=sys.stderr)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"made {path.relative_to(ROOT)}")
    sys.exit(1 if stale and options.check else 0)


if __name__ == "__main__":
    main()
