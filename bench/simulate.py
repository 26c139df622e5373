"""Plays histories of which the truth is known, and holds the figures against it. Exit code 1: a figure was wrong.

By default the real agent and the real collector play in virtual time; `--generated` makes up facts for the engine
alone. The same seed is the same run, on any machine and with any number of processes.
"""

import argparse
import sys
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from simulation.campaign import Tally, prepared, processors, verdicts
from simulation.faults import AWAY, EVERY_FAULT, OBSERVER, PAIR
from simulation.generated import all_generated
from simulation.history import DECLARED_PPM, Verdict, play

SHOWN = 20
"""How many violations are told one by one."""

PROGRESS_S = 10.0

KINDS = (*EVERY_FAULT, *OBSERVER, *PAIR, AWAY)


def main() -> int:
    wanted = _arguments()
    if wanted.history is not None:
        return _replay(wanted.history, wanted.drift_ppm, wanted.only)
    started = told = time.monotonic()
    tally = Tally()
    with closing(_source(wanted)) as source:
        for verdict in source:
            shown = len(tally.violations)
            tally.add(verdict)
            for violation in tally.violations[shown:SHOWN]:
                print(violation, flush=True)
            if tally.outages >= wanted.outages:
                break
            if time.monotonic() - told > PROGRESS_S:
                told = time.monotonic()
                print(f"{tally.outages} outages, {len(tally.violations)} violations …", file=sys.stderr, flush=True)
    _tell(tally, time.monotonic() - started)
    return 1 if tally.violations else 0


def _source(wanted: argparse.Namespace) -> Generator[Verdict, None, None]:
    if wanted.generated:
        return all_generated(str(wanted.seed), wanted.jobs, wanted.drift_ppm)
    return verdicts(str(wanted.seed), wanted.jobs, wanted.drift_ppm, wanted.only)


def _tell(tally: Tally, seconds: float) -> None:
    happened = {name.removeprefix("fault "): number for name, number in sorted(tally.counts.items())}
    if happened:
        print("what happened:", ", ".join(f"{name} {number}" for name, number in happened.items()))
    medians, worst = tally.widths_of(50), tally.widths_of(99)
    for interval_ms, median in medians.items():
        print(
            f"checked every {interval_ms} ms: width {median} ms in the median, {worst[interval_ms]} ms at most in 99 %"
        )
    print(
        f"{tally.histories} histories in {seconds:.0f} s: {tally.outages / seconds * 60:.0f} outages a minute; "
        f"{tally.unseeable} more were too short for the check interval"
    )
    print(tally.line)


def _replay(seed: str, drift_ppm: float, only: tuple[str, ...]) -> int:
    """One history again, with everything that was wrong in it."""
    with prepared() as empty:
        verdict = play(seed, empty, drift_ppm, only=only)
    for violation in verdict.violations:
        print(violation)
    print(f"history {seed}: {verdict.outages} outages, {len(verdict.violations)} violations, digest {verdict.digest}")
    return 1 if verdict.violations else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--outages", type=_positive, default=2_000, help="stop after this many (default 2000)")
    parser.add_argument("--seed", default="1", help="another seed is another run (default 1)")
    parser.add_argument("--jobs", type=_positive, default=processors(), help="processes (default: every processor)")
    parser.add_argument("--generated", action="store_true", help="made-up facts for the engine alone")
    parser.add_argument(
        "--only", type=_kinds, default=(), metavar="KIND,…", help=f"only these faults: {', '.join(KINDS)}"
    )
    parser.add_argument("--history", metavar="SEED/NUMBER", help="play only this history again, and tell all of it")
    parser.add_argument(
        "--drift-ppm",
        type=float,
        default=float(DECLARED_PPM),
        help=f"how badly oscillators really drift (the collector is told {DECLARED_PPM})",
    )
    return parser.parse_args()


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fault {unknown[0]!r}; known are {', '.join(KINDS)}")
    return kinds


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number, 1 or more (got {text!r})")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
