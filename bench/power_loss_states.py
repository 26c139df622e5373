"""Chooses when the power fails and what of that moment's unsynced writes is left. Pure: chance is handed in."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from random import Random

from power_loss_calls import Name, Step, Sync, Truncate, Write
from power_loss_disk import Disk, File, Image, image_of

SECTOR, PAGE = 512, 4096
AT_ONE_MOMENT = 6

Recipe = Callable[[File, Random], Image]


@dataclass(frozen=True, slots=True)
class State:
    """What is found after the failure: the files by path. `how` says what was lost."""

    how: str
    files: Mapping[str, bytes]


def moments(steps: Sequence[Step], promised: Container[int], most: int, random: Random) -> list[int]:
    """Moments at which the power fails, for about so many states: before the step of that index, in order.

    `promised` are the indices of steps that tell somebody that something is kept. A third of the moments are the first
    that follow such a step, a third ends of syncs, a third any other.
    """
    after: list[int] = []
    ending: list[int] = []
    other: list[int] = []
    is_new = False
    for index, step in enumerate(steps):
        if _changes(step):
            (after if is_new else ending if isinstance(step.call, Sync) else other).append(index)
            is_new = False
        is_new = is_new or index in promised
    chosen = [len(steps)]
    for kind in (after, ending, other):
        chosen += random.sample(kind, min(len(kind), max(1, most // AT_ONE_MOMENT // 3)))
    return sorted(chosen)


def _changes(step: Step) -> bool:
    return (
        step.ends if isinstance(step.call, Sync) else not step.ends and isinstance(step.call, Write | Truncate | Name)
    )


def states(disk: Disk, random: Random) -> Iterator[State]:
    """What may be found at this moment: one thing where all is synced, else a handful, the worst first."""
    if disk.is_settled():
        yield State("all was synced", _found(disk, disk.names, _nothing, random))
        return
    yield State("all that was not synced is lost", _found(disk, disk.names, _nothing, random))
    for how, recipe in random.sample(_RECIPES, AT_ONE_MOMENT - 1):
        yield State(how, _found(disk, _names(disk, random), recipe, random))


def everything_kept(disk: Disk) -> dict[str, bytes]:
    """The files as programs see them while nothing fails."""
    return _found(disk, disk.current, _everything, Random(0))


def _found(disk: Disk, names: Mapping[str, File | None], recipe: Recipe, random: Random) -> dict[str, bytes]:
    """Where a directory is lost, so is all in it. Now and then not all files fare alike."""
    alike = recipe in {_nothing, _everything} or random.random() < 0.8
    found = {}
    for path, file in names.items():
        directory = str(PurePosixPath(path).parent)
        is_reached = directory not in disk.directories or names.get(directory) is not None
        if file is not None and is_reached and path not in disk.directories:
            chosen = recipe if alike else random.choice(_RECIPES)[1]
            found[path] = image_of(file, chosen(file, random))
    return found


def _names(disk: Disk, random: Random) -> dict[str, File | None]:
    """Mostly all names are as they were last; else each is as it was after any number of its changes."""
    versions: dict[str, list[File | None]] = {path: [file] for path, file in disk.names.items()}
    for _, path, file in disk.renamed:
        versions.setdefault(path, [None]).append(file)
    if random.random() < 0.5:
        return {path: kept[-1] for path, kept in versions.items()}
    return {path: random.choice(kept) for path, kept in versions.items()}


def _nothing(_: File, __: Random) -> Image:
    return Image(PAGE, lambda *_: 0, -1)


def _everything(file: File, _: Random) -> Image:
    return Image(PAGE, lambda _, indices: len(indices), len(file.pending) - 1)


def _length(file: File, _: Random) -> Image:
    return Image(PAGE, lambda *_: 0, len(file.pending) - 1)


def _length_and_noise(file: File, random: Random) -> Image:
    return Image(PAGE, lambda *_: 0, len(file.pending) - 1, random.randbytes)


def _prefix(file: File, random: Random) -> Image:
    return _first(file, random.randint(0, len(file.pending)))


def _all_but_last(file: File, _: Random) -> Image:
    return _first(file, max(0, len(file.pending) - 1))


def _first(_: File, count: int) -> Image:
    return Image(PAGE, lambda _, indices: sum(index < count for index in indices), count - 1)


def _last(file: File, _: Random) -> Image:
    last = len(file.pending) - 1
    return Image(SECTOR, lambda _, indices: len(indices) if last in indices else 0, last)


def _head(file: File, _: Random) -> Image:
    return Image(SECTOR, lambda at, indices: len(indices) if at == 0 else 0, len(file.pending) - 1)


def _all_but_head(file: File, _: Random) -> Image:
    return Image(SECTOR, lambda at, indices: len(indices) if at else 0, len(file.pending) - 1)


def _torn_pages(file: File, random: Random) -> Image:
    return _torn(file, random, PAGE)


def _torn_sectors(file: File, random: Random) -> Image:
    return _torn(file, random, SECTOR)


def _mostly_kept(file: File, random: Random) -> Image:
    """A few sectors are missing."""
    return Image(
        SECTOR,
        lambda _, indices: len(indices) if random.random() < 0.97 else random.randint(0, len(indices)),
        len(file.pending) - 1,
        random.randbytes,
    )


def _torn(file: File, random: Random, unit: int) -> Image:
    """Each unit is as it was after any number of the calls, and the length mostly the last one."""
    last = len(file.pending) - 1
    size = last if random.random() < 0.7 else random.randint(-1, last)
    filling = bytes if random.random() < 0.5 else random.randbytes
    return Image(unit, lambda _, indices: random.randint(0, len(indices)), size, filling)


_RECIPES: tuple[tuple[str, Recipe], ...] = (
    ("all is kept", _everything),
    ("lengths are kept, data is lost", _length),
    ("lengths are kept, data is what was there before", _length_and_noise),
    ("the first calls are kept", _prefix),
    ("all but the last call is kept", _all_but_last),
    ("only the last call is kept", _last),
    ("only the first sector is kept", _head),
    ("all but the first sector is kept", _all_but_head),
    ("pages are torn", _torn_pages),
    ("sectors are torn", _torn_sectors),
    ("a few sectors are lost", _mostly_kept),
    ("some of the first calls are kept", _prefix),
)
