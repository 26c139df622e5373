"""Breaks real programs on real hosts in every way it knows, and holds the figures against what was true of them.

Needs root, network and time namespaces, and the servers that CONTRIBUTING.md names. Nothing is left of it at the end.
Exit code 1: a limit was missed.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lab.comparing import Peers, targets
from lab.faults.registry import FAULTS, KINDS, chosen
from lab.results import FILE_NAME, Results, Run, machine
from lab.running import run_in_folder
from lab.saying import differences, lacking, said_by
from lab.schedule import Played, combined, plan, play_all, played
from lab.scores import Expected, wrongly_excluded
from lab.stage import CRASHING, SIDES, Lab, laboratory
from lab.telling import is_good, told
from lab.things import Pace
from lab.truth import Truth, now_ms
from lab.verdicts import Evidence
from lab.watching import SHOWN_DOWN, Watch

QUICK = Pace(1_000, 800, 1_000, 1_000, 3_000)


def main() -> int:
    """A run, its tables and its verdict."""
    wanted = _arguments()

    def run(folder: Path) -> int:
        peers = Peers() if wanted.peers else None
        pace = QUICK if wanted.quick else Pace()
        with laboratory(folder, pace, peers.prepare if peers else lambda _: None) as lab:
            return _proof(lab, wanted, peers)

    return run_in_folder("proof", wanted.keep, _is_left_out, run)


def _is_left_out(path: Path) -> bool:
    """Whole databases, and keys."""
    return path.name == "data" or path.name.endswith(".key")


def _proof(lab: Lab, wanted: argparse.Namespace, peers: Peers | None) -> int:
    """The faults, and what is made of them."""
    if peers:
        peers.start()
    results = _results(lab, _broken(lab, wanted), peers, _again(wanted))
    results.write(lab.folder / FILE_NAME)
    if wanted.results:
        results.write(wanted.results)
    print("\n".join(told(results)))
    return 0 if is_good(results) else 1


@dataclass
class _Broken:
    """What was played, alone and mixed, and what was seen meanwhile; times in UTC milliseconds."""

    began: int
    watch: Watch
    phases: tuple[list[Played], list[Played]] = field(default_factory=lambda: ([], []))
    load: list[float] = field(default_factory=list)
    ended: int = 0


def _broken(lab: Lab, wanted: argparse.Namespace) -> _Broken:
    chance = random.Random(wanted.seed)
    faults = chosen(wanted.only)
    mixed = wanted.outages * wanted.mixed // 100
    turns = plan(lab, faults, wanted.outages - mixed, chance)
    together = combined(lab, faults, mixed, chance) if mixed else []
    made = _Broken(now_ms(), Watch(lab.url("dc")))
    made.watch.start()
    try:
        time.sleep(2 * lab.pace.long_s)
        for of_phase, its_turns in zip(made.phases, (turns, together), strict=True):
            play_all(its_turns, lab.pace.rest_s, partial(played, lab), partial(_tell, lab, made, of_phase))
            time.sleep(lab.pace.rest_s)
    finally:
        made.watch.stop()
    made.ended = now_ms() + int(lab.pace.long_s * 1_000)
    time.sleep(lab.pace.down_after_ms / 1_000 + 2 * lab.pace.long_s)
    return made


def _tell(lab: Lab, made: _Broken, so_far: list[Played], one: Played) -> None:
    so_far.append(one)
    made.load.append(round(os.getloadavg()[0], 1))
    Truth.within(lab.folder).add(one.outages)
    lengths = ", ".join(f"{outage.service} {(outage.end - outage.begin) / 1_000:.1f} s" for outage in one.outages)
    words = one.error or lengths or "nothing was down"
    print(f"{time.strftime('%H:%M:%S')} {one.turn.fault.name}: {words}", file=sys.stderr, flush=True)


def _results(lab: Lab, broken: _Broken, peers: Peers | None, arguments: str) -> Results:
    """All that everybody says now that it is over."""
    span = broken.began, broken.ended
    read = {side: said_by(lab, side, *span) for side in SIDES}
    said = read["dc"][0]
    categories = {one.service: one.category for one in lab.things} | {f"simpul-{node}": "server" for node in CRASHING}
    alone, mixed = ([outage for one in phase for outage in one.outages] for phase in broken.phases)
    facts = {side: known for side, (_, known) in read.items()}
    return Results(
        Run(*span, arguments, machine(), broken.load), lab.pace, alone, mixed, said,
        [one for one in broken.watch.sights if one.condition in SHOWN_DOWN],
        {fault.name: Expected(fault.shown_as, fault.detected) for fault in FAULTS}, categories,
        Evidence(lacking(lab, facts), differences(lab, *span), wrongly_excluded(said, lab.windows)),
        failed=[f"{one.turn.fault.name}: {one.error}" for phase in broken.phases for one in phase if one.error],
        told=[one.service for one in targets(lab)], peers=peers.said(*span) if peers else (),
    )  # fmt: skip


def _again(wanted: argparse.Namespace) -> str:
    """The words that play the same faults again."""
    words = f"--outages {wanted.outages} --mixed {wanted.mixed} --seed {wanted.seed}"
    words += f' --only "{",".join(wanted.only)}"' if wanted.only else ""
    words += " --quick" if wanted.quick else ""
    return words + (" --peers" if wanted.peers else "")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--outages", type=int, default=300, help="stop after so many (default 300)")
    parser.add_argument("--seed", default="1", help="another seed is another order (default 1)")
    parser.add_argument("--quick", action="store_true", help="check every second instead of every five")
    parser.add_argument("--mixed", type=int, default=30, metavar="PERCENT", help="while others disturb (default 30)")
    parser.add_argument("--peers", action="store_true", help="let other monitors look at the same faults")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy logs, stores and the truth there at the end")
    parser.add_argument("--results", type=_file, metavar="FILE", help="write there what bench/picture.py draws")
    parser.add_argument("--only", type=_kinds, default=(), metavar="KIND,…", help=f"only these: {', '.join(KINDS)}")
    return parser.parse_args()


def _file(text: str) -> Path:
    """Where it can be written, which is better known before the run than after it."""
    path = Path(text)
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text} is not a file in a folder that there is")
    return path


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fault {unknown[0]!r}; known are {', '.join(KINDS)}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
