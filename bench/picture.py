"""Draws the picture of a proof, and writes its tables into the pages that show them, from the results that a run kept.

    make proof ARGS='--peers --results bench/results/proof.json'
    .venv/bin/python bench/picture.py bench/results/proof.json

A page has a line `<!-- proof -->` and a line `<!-- /proof -->`; what stands between them is replaced. With `--check`
nothing is written: exit code 1 says which files are not what the results say.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lab.pages import UnmarkedError, files, stale
from lab.results import Results, UnreadableError

ROOT = Path(__file__).parents[1]


def main() -> int:
    """Writes them, or compares."""
    wanted = _arguments()
    try:
        made = files(Results.read(wanted.results), ROOT)
    except (UnreadableError, UnmarkedError) as error:
        print(f"picture: {error}", file=sys.stderr)
        return 3
    others = stale(made)
    for path in others:
        print(f"{path.relative_to(ROOT)} {'is not what the results say' if wanted.check else 'written'}")
        if not wanted.check:
            path.write_text(made[path], encoding="utf-8")
    return 1 if wanted.check and others else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, help="what bench/proof.py --results wrote")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is stale")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
