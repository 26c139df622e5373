"""Lets a pair of collectors, 2,000 simulated nodes and ten real ones run for hours while all kinds of things go wrong.

    python bench/soak.py [--hours 1] [--seed 1]

At the end memory and disk have to have been flat, each acknowledged span has to be in both stores, both have to be
unaltered and to say the same. All of it is on loopback, needs no rights, and is gone at the end. Exit code 1: something
of that was missed; 3: it could not be tried.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "system"))

from lab.running import run_in_folder
from soaking.ending import ending, now_ms
from soaking.faults import kinds
from soaking.judging import Run, Sample, last_line, limits, table
from soaking.playing import Player
from soaking.simulated import Simulated
from soaking.stand import SIDES, Sizes, Stand, stand
from soaking.weighing import weighed

WEIGH_EACH_S = 60.0
WEIGHINGS = 40
"""At least so many, however short the run is."""

STEP_S = 0.5
PAGE_WITHIN_S = 2.0
SHOWN = 40
MIB = 1_024 * 1_024


def main() -> int:
    """A run, its table and its verdict."""
    wanted = _arguments()

    def run(folder: Path) -> int:
        with stand(folder, Sizes(wanted.simulated, wanted.real, wanted.beat_s)) as made:
            soaked = _soaked(made, wanted)
        return _judged(soaked)

    return run_in_folder("soak", wanted.keep, lambda _: False, run)


def _soaked(made: Stand, wanted: argparse.Namespace) -> Run:
    simulated = Simulated(made.keys, wanted.beat_s, wanted.seed)
    chance = random.Random(wanted.seed)
    player = Player(kinds(made, simulated, chance), wanted.fault_every_s, chance)
    begin_utc = now_ms()
    simulated.start()
    samples = []
    for sample in _weighings(made, player, wanted.hours * 3_600):
        samples.append(sample)
        print(_told(sample, player.begun, simulated.statuses), file=sys.stderr, flush=True)
    player.mend()
    found = ending(made, simulated, begin_utc)
    lasting = (*SIDES, *made.sizes.lasting)
    faults = {**player.begun, "collector killed at the end": len(SIDES)}
    return Run(wanted.hours, wanted.simulated + wanted.real, samples, lasting, SIDES, faults, found)


def _weighings(made: Stand, player: Player, length_s: float) -> Iterator[Sample]:
    """A sample now and then, and meanwhile what goes wrong, until the time is over."""
    begun, number = time.monotonic(), 0
    each_s = min(WEIGH_EACH_S, length_s / WEIGHINGS)
    while (at_s := time.monotonic() - begun) < length_s:
        player.step(time.monotonic(), at_s / length_s)
        made.look_after()
        if at_s >= number * each_s:
            number += 1
            _look_at_the_page(made)
            yield weighed(made, at_s)
        time.sleep(STEP_S)


def _look_at_the_page(made: Stand) -> None:
    """As somebody would: what it takes belongs to the memory that is weighed."""
    for side in SIDES:
        with suppress(OSError), urlopen(f"http://127.0.0.1:{made.ports[side]}/", timeout=PAGE_WITHIN_S) as answer:
            answer.read()


def _told(sample: Sample, begun: Counter[str], statuses: Counter[int]) -> str:
    """One line of how it goes."""
    memory = " ".join(f"{side} {sample.memory_mib.get(side, 0.0):.0f}" for side in SIDES)
    agents = [mib for name, mib in sample.memory_mib.items() if name not in SIDES]
    stores = " ".join(f"{side} {size / MIB:.1f}" for side, size in sample.stores.items())
    journals = max(sample.journals.values(), default=0) / MIB
    return (
        f"{sample.at_s / 60:6.1f} min  memory, MiB: {memory} agents {min(agents, default=0):.0f}"
        f"-{max(agents, default=0):.0f}  stores, MiB: {stores}  largest journal {journals:.1f}  "
        f"faults {begun.total()}  beats {statuses[200]}, not taken {statuses.total() - statuses[200]}"
    )


def _judged(run: Run) -> int:
    print("\n".join(table(run)), end="\n\n")
    print(f"faults: {', '.join(f'{name} {count}' for name, count in sorted(run.faults.items()))}")
    print(f"{run.ending.promised} acknowledged records, and a report of {run.ending.outages} outages\n")
    _show(run.ending.lines)
    wanted = list(limits(run))
    print("\n".join(map(str, wanted)))
    print(last_line(run))
    return 0 if all(one.is_met for one in wanted) else 1


def _show(lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN} more")
    if lines:
        print()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--hours", type=_positive, default=1.0, help="how long, fractions too (default 1)")
    parser.add_argument("--seed", default="1", help="other faults at other times (default 1)")
    parser.add_argument("--simulated", type=_count, default=2_000, metavar="NODES", help="(default 2000)")
    parser.add_argument("--real", type=_count, default=10, metavar="NODES", help="nodes with a real agent (default 10)")
    parser.add_argument("--beat-s", type=_positive, default=15.0, help="how often simulated nodes speak (default 15)")
    parser.add_argument("--fault-every-s", type=_positive, default=10.0, help="a new fault on average (default 10)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy logs, journals and stores there at the end")
    return parser.parse_args()


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is less than 1")
    return number


def _positive(text: str) -> float:
    number = float(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


if __name__ == "__main__":
    sys.exit(main())
