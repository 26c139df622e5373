"""Breaks real programs on real hosts in every way it knows, and holds the figures against what was true of them.

Needs root, network and time namespaces, and the servers that CONTRIBUTING.md names. Nothing is left of it at the end.
Exit code 1: a limit was missed.
"""

from __future__ import annotations

import argparse
import random
import shutil
import signal
import sys
import tempfile
import time
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from lab.comparing import Peers, comparison, targets
from lab.faults.registry import FAULTS, KINDS, chosen
from lab.host import NotDoneError
from lab.saying import differences, lacking, said_by
from lab.schedule import Played, combined, plan, play_all, played
from lab.scores import Expected, Scores, score, wrongly_excluded
from lab.stage import CRASHING, SIDES, Lab, laboratory
from lab.things import Pace
from lab.truth import Interval, Outage, Truth, keep_claims, now_ms
from lab.verdicts import Evidence, last_line, limits, table
from lab.watching import Watch

QUICK = Pace(1_000, 800, 1_000, 1_000, 3_000)
SHOWN = 40


def main() -> int:
    """A run, its tables and its verdict."""
    wanted = _arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    pace = QUICK if wanted.quick else Pace()
    with tempfile.TemporaryDirectory(prefix="lab-") as name:
        folder = Path(name)
        try:
            peers = Peers() if wanted.peers else None
            with laboratory(folder, pace, peers.prepare if peers else lambda _: None) as lab:
                return _proof(lab, wanted, peers)
        except NotDoneError as error:
            print(f"proof: {error}", file=sys.stderr)
            return 3
        except KeyboardInterrupt:
            return 130
        finally:
            if wanted.keep:
                shutil.copytree(folder, wanted.keep, dirs_exist_ok=True, ignore=_not_kept)


def _not_kept(folder: str, names: list[str]) -> list[str]:
    """Sockets, whole databases, and keys."""
    return [one for one in names if one == "data" or one.endswith(".key") or (Path(folder) / one).is_socket()]


def _proof(lab: Lab, wanted: argparse.Namespace, peers: Peers | None) -> int:
    """The faults, and what is made of them; peers are ended in any case."""
    if peers is None:
        return _judged(lab, *_broken(lab, wanted), None)
    try:
        peers.start()
        return _judged(lab, *_broken(lab, wanted), peers)
    finally:
        peers.stop()


def _broken(lab: Lab, wanted: argparse.Namespace) -> tuple[list[list[Played]], Watch, tuple[int, int]]:
    chance = random.Random(wanted.seed)
    faults = chosen(wanted.only)
    mixed = wanted.outages * wanted.mixed // 100
    turns = plan(lab, faults, wanted.outages - mixed, chance)
    together = combined(lab, faults, mixed, chance) if mixed else []
    watch, began = Watch(lab.url("dc")), now_ms()
    watch.start()
    time.sleep(2 * lab.pace.long_s)
    phases: list[list[Played]] = [[], []]
    try:
        for of_phase, its_turns in zip(phases, (turns, together), strict=True):
            play_all(its_turns, lab.pace.rest_s, partial(played, lab), partial(_tell, lab, of_phase))
            time.sleep(lab.pace.rest_s)
    finally:
        watch.stop()
    ended = now_ms() + int(lab.pace.long_s * 1_000)
    time.sleep(lab.pace.down_after_ms / 1_000 + 2 * lab.pace.long_s)
    return phases, watch, (began, ended)


def _tell(lab: Lab, so_far: list[Played], one: Played) -> None:
    so_far.append(one)
    Truth.within(lab.folder).add(one.outages)
    lengths = ", ".join(f"{outage.service} {(outage.end - outage.begin) / 1_000:.1f} s" for outage in one.outages)
    words = one.error or lengths or "nothing was down"
    print(f"{time.strftime('%H:%M:%S')} {one.turn.fault.name}: {words}", file=sys.stderr, flush=True)


def _judged(lab: Lab, phases: list[list[Played]], watch: Watch, span: tuple[int, int], peers: Peers | None) -> int:
    read = {side: said_by(lab, side, *span) for side in SIDES}
    said = read["dc"][0]
    counted = (Interval(service, *part) for service, sets in said.sets.items() for part in sets.counted)
    keep_claims(lab.folder, "Detak", counted)
    expected = {fault.name: Expected(fault.shown_as, fault.detected) for fault in FAULTS}
    categories = {one.service: one.category for one in lab.things} | {f"simpul-{node}": "server" for node in CRASHING}
    truth = [[outage for one in phase for outage in one.outages] for phase in phases]
    every = score([*truth[0], *truth[1]], said, watch.sights, expected, categories)
    alone = _of(every, truth[0])
    facts = {side: known for side, (_, known) in read.items()}
    evidence = Evidence(lacking(lab, facts), differences(lab, *span), wrongly_excluded(said, lab.windows))
    print("\n".join(table(alone, expected, "alone")), end="\n\n")
    if truth[1]:
        print("\n".join(table(_of(every, truth[1]), expected, "while others disturb")), end="\n\n")
    if peers:
        told = {one.service: categories[one.service] for one in targets(lab)}
        standings = peers.standings(lab, [*truth[0], *truth[1]], told, span)
        print("\n".join(comparison(every, standings, told)), end="\n\n")
        print("\n".join(f"{one.tool}: {one.version or one.trouble}" for one in standings), end="\n\n")
    _print_flaws(every, evidence, phases)
    wanted = list(limits(alone, every, evidence, expected, lab.pace))
    print("\n".join(map(str, wanted)))
    print(last_line(alone, every, evidence, lab.pace))
    failed = any(one.error for phase in phases for one in phase)
    return 0 if all(one.is_met for one in wanted) and not failed else 1


def _of(scores: Scores, outages: list[Outage]) -> Scores:
    """The verdicts on these alone."""
    these = set(outages)
    return Scores([one for one in scores.verdicts if one.outage in these])


def _print_flaws(scores: Scores, evidence: Evidence, phases: list[list[Played]]) -> None:
    lines = [f"could not: {one.turn.fault.name}: {one.error}" for phase in phases for one in phase if one.error]
    lines += [
        f"{word}: {one.outage.kind}, {one.outage.service}, at {one.outage.begin}: {flaw}"
        for one in scores.verdicts
        for word, flaw in (("outside", one.outside), ("wrong", one.wrong))
        if flaw
    ]
    lines += [f"false: {service} {begin}..{end}, {end - begin} ms" for service, begin, end in scores.false]
    lines += [f"certain, and never broken: {service} {begin}..{end}" for service, begin, end in scores.stray]
    lines += [f"lost: {one}" for one in evidence.lost] + [f"differs: {one}" for one in evidence.differing]
    lines += [f"excluded: {one}" for one in evidence.excluded]
    for line in lines[:SHOWN]:
        print(line)
    if len(lines) > SHOWN:
        print(f"and {len(lines) - SHOWN} more")
    print()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--outages", type=int, default=300, help="stop after so many (default 300)")
    parser.add_argument("--seed", default="1", help="another seed is another order (default 1)")
    parser.add_argument("--quick", action="store_true", help="check every second instead of every five")
    parser.add_argument("--mixed", type=int, default=30, metavar="PERCENT", help="while others disturb (default 30)")
    parser.add_argument("--peers", action="store_true", help="let other monitors look at the same faults")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="copy logs, stores and the truth there at the end")
    parser.add_argument("--only", type=_kinds, default=(), metavar="KIND,…", help=f"only these: {', '.join(KINDS)}")
    return parser.parse_args()


def _kinds(text: str) -> tuple[str, ...]:
    kinds = tuple(text.split(","))
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no fault {unknown[0]!r}; known are {', '.join(KINDS)}")
    return kinds


if __name__ == "__main__":
    sys.exit(main())
