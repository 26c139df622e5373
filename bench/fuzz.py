"""Throws mutated bytes at every reader of foreign bytes, guided by what they reach (atheris), and at every endpoint.

Ends with one line: `fuzz inputs=… targets=… faults=… requests=…`. Exit code 1: a reader failed, or an answer was wrong.
A failing input is kept in the folder that is told.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
TARGETS = {
    "message": 10, "packed": 4, "facts": 6, "catalogue": 2, "corrections": 4, "holidays": 4, "bundle": 1,
    "authorities": 8, "store": 1, "pair": 6, "learned": 1, "manifest": 2, "backup": 2, "calendar": 1, "past": 4,
    "mapping": 2, "lists": 2, "stamp": 2,
}  # fmt: skip
"""By how much of all inputs each gets, in the measure of how quick it is."""

LONGEST_INPUT = 8_192
_EXECUTED = re.compile(r"stat::number_of_executed_units:\s*(\d+)")
_COVERED = re.compile(r"\bcov: (\d+)")


@dataclass(frozen=True)
class Outcome:
    """What became of one target: how many inputs it took, how much code they reached, how long that took."""

    target: str
    inputs: int
    covered: int
    seconds: float
    fault: str


def main() -> int:
    wanted = _arguments()
    # In memory, where the machine has room for that: nothing of it is worth a disk's time.
    folder = Path(tempfile.mkdtemp(prefix="detak-fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    outcomes = []
    for outcome in fuzzed(wanted.inputs, wanted.seed, wanted.jobs, folder):
        outcomes.append(outcome)
        print(
            f"{outcome.target:12} inputs={outcome.inputs} covered={outcome.covered} s={outcome.seconds:.0f}", flush=True
        )
        if outcome.fault:
            print(outcome.fault[-4_000:])
    endpoints = _endpoints(wanted.examples, wanted.seed) if wanted.examples else "requests=0 failures=0"
    print(endpoints)
    faults = sum(bool(outcome.fault) for outcome in outcomes)
    requests = re.search(r"requests=(\d+) failures=(\d+)", endpoints)
    if faults:
        print(f"failing inputs are in {folder}")
    else:
        shutil.rmtree(folder)
    print(
        f"fuzz inputs={sum(one.inputs for one in outcomes)} targets={len(outcomes)} faults={faults} "
        f"requests={requests[1] if requests else 0} wrong_answers={requests[2] if requests else 1}"
    )
    return int(faults > 0 or requests is None or requests[2] != "0")


def fuzzed(inputs: int, seed: int, jobs: int, folder: Path) -> Iterator[Outcome]:
    """The outcome of each target, as it ends."""
    whole = sum(TARGETS.values())
    with ThreadPoolExecutor(jobs) as pool:
        running = [
            pool.submit(_fuzz, name, -(-inputs * share // whole), seed, folder) for name, share in TARGETS.items()
        ]
        for one in running:
            yield one.result()


def _fuzz(target: str, inputs: int, seed: int, folder: Path) -> Outcome:
    begun = time.monotonic()
    options = [f"-runs={inputs}", f"-seed={seed}", f"-max_len={LONGEST_INPUT}", "-print_final_stats=1", "-timeout=20"]
    options += [f"-artifact_prefix={folder}/{target}-", "-rss_limit_mb=4096"]
    done = subprocess.run(
        [sys.executable, str(HERE / "fuzz_worker.py"), target, str(folder), *options],
        capture_output=True, text=True, errors="replace", check=False, env={**os.environ, "TMPDIR": str(folder)},
    )  # fmt: skip
    told = done.stdout + done.stderr
    executed, covered = _EXECUTED.search(told), _COVERED.findall(told)
    return Outcome(
        target,
        int(executed[1]) if executed else 0,
        int(covered[-1]) if covered else 0,
        time.monotonic() - begun,
        told if done.returncode != 0 else "",
    )


def _endpoints(examples: int, seed: int) -> str:
    command = [sys.executable, str(HERE / "fuzz_endpoints.py"), "--examples", str(examples), "--seed", str(seed)]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=1_200_000, help="for all readers together")
    parser.add_argument("--examples", type=int, default=300, help="for each endpoint; 0: leave them out")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
