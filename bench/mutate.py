"""Breaks the downtime engine in one place at a time and asks whether a test notices.

    python bench/mutate.py --sample 500 --seed 1 --jobs 2

A mutant is the engine with one small change; it survives if every test that could notice passes on it. Survivors are
listed with their line, to be explained or killed. Ends with `mutate sample=… survived=… percent=…`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from random import Random

import pytest

from mutants import Mutant, mutants_of
from mutation_trial import Trial, pytest_arguments

ROOT = Path(__file__).resolve().parents[1]
ENGINE = Path("collector/detak_collector/downtime")
FOLDERS = ("collector", "wire", "tests", "docs", "config")
TOLD_EVERY = 50


def main() -> int:
    """Judge a random sample, on a copy, so that the tree may be edited meanwhile."""
    asked = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder).resolve()
        _copy_tree(copy)
        os.chdir(copy)
        sys.path[:0] = [str(copy / "collector"), str(copy / "wire")]
        files = sorted(file for file in (copy / ENGINE).glob("*.py") if not asked.module or file.stem in asked.module)
        every = [mutant for file in files for mutant in mutants_of(file)]
        chosen = Random(asked.seed).sample(every, min(asked.sample, len(every)))
        tally = Tally(len(chosen))
        trial = Trial(chosen, asked.jobs, tally.add, whole=asked.whole)
        ended = pytest.main([f"--basetemp={copy}/temporary", *pytest_arguments()], plugins=[trial])
    if tally.judged < len(chosen):
        print(f"mutate: the tests could not be run: pytest ended with {ended!r}", file=sys.stderr)
        return 3
    percent = 100 * tally.survived / len(chosen) if chosen else 0
    print(f"mutate sample={len(chosen)} of={len(every)} survived={tally.survived} percent={percent:.1f}")
    return 0


def _copy_tree(copy: Path) -> None:
    skip = shutil.ignore_patterns("__pycache__")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", copy)


class Tally:
    """Counts, and tells of survivors and of progress."""

    def __init__(self, chosen: int) -> None:
        self.chosen = chosen
        self.judged = 0
        self.survived = 0

    def add(self, mutant: Mutant, survived: bool) -> None:  # noqa: FBT001 - called by the trial
        self.judged += 1
        self.survived += survived
        if survived:
            print(f"survived: {mutant}", flush=True)
        if self.judged % TOLD_EVERY == 0:
            print(f"{self.judged} of {self.chosen} judged, {self.survived} survived", flush=True)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=500, help="how many mutants")
    parser.add_argument("--seed", type=int, default=1, help="which ones")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    parser.add_argument("--module", nargs="+", help="only those of these modules of the engine, such as `intervals`")
    parser.add_argument("--whole", action="store_true", help="try each on the whole suite in a process of its own")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
