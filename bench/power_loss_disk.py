"""The disk of the replay: what a power failure may leave of files that were written and not all synced. Pure.

What it may do, which is what POSIX leaves open and disks and file systems do:

- What fsync or fdatasync of a file has returned for is there. All later writes of that file are each kept or lost, in
  any order, apart for each sector of 512 bytes or page of 4,096: a sector holds what it held after any number of
  the writes that touched it.
- A file that grew may have its new length without the data: then there are zeros or what was on the disk before.
- A directory entry that came or went since the directory was last synced may be there or not, each by itself, also that
  of a file which was synced itself.
- Nothing binds what is lost of one file to what is lost of another.

It never loses or changes what was synced: a disk that lies about that is no disk for evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from power_loss_calls import Name, Step, Sync, Truncate, Write


@dataclass(slots=True)
class File:
    """What is surely on the disk, and what came since, in order."""

    durable: bytearray = field(default_factory=bytearray)
    pending: list[Write | Truncate] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """Of the pending calls."""


@dataclass(frozen=True, slots=True)
class Image:
    """One thing that may be left: for each unit of so many bytes after how many of the calls that touch it.

    `kept` is asked with the unit and the indices of those calls. `size` is the index of the call that set the length,
    -1 for that of the synced file. `filling` is what a hole has.
    """

    unit: int
    kept: Callable[[int, Sequence[int]], int]
    size: int
    filling: Callable[[int], bytes] = bytes


def image_of(file: File, wanted: Image) -> bytes:
    """The file as it may be found."""
    sizes = [len(file.durable)]
    for call in file.pending:
        sizes.append(call.size if isinstance(call, Truncate) else max(sizes[-1], call.offset + len(call.data)))
    longest = max(sizes)
    content = bytearray(file.durable) + wanted.filling(longest - len(file.durable))
    touching: dict[int, list[int]] = {}
    for index, call in enumerate(file.pending):
        for unit in _units(call, wanted.unit, longest):
            touching.setdefault(unit, []).append(index)
    for unit, indices in touching.items():
        for index in indices[: wanted.kept(unit, indices)]:
            _apply(content, file.pending[index], unit * wanted.unit, (unit + 1) * wanted.unit)
    return bytes(content[: sizes[wanted.size + 1]])


def _units(call: Write | Truncate, unit: int, longest: int) -> range:
    begin, end = (call.size, longest) if isinstance(call, Truncate) else (call.offset, call.offset + len(call.data))
    return range(begin // unit, -(-end // unit))


def _apply(content: bytearray, call: Write | Truncate, begin: int, end: int) -> None:
    if isinstance(call, Truncate):
        begin, end = max(begin, call.size), min(end, len(content))
        content[begin:end] = bytes(max(0, end - begin))
        return
    begin, end = max(begin, call.offset), min(end, call.offset + len(call.data))
    content[begin:end] = call.data[begin - call.offset : end - call.offset]


class Disk:
    """Files and names, as far as the steps were played."""

    def __init__(self, *, syncs_files: bool = True, syncs_directories: bool = True) -> None:
        """A disk on which nothing is. Without `syncs_…` such a sync returns and does nothing."""
        self._syncs_files = syncs_files
        self._syncs_directories = syncs_directories
        self._ended: set[int] = set()
        self._syncing: dict[int, set[int]] = {}
        self.directories: set[str] = set()
        self.current: dict[str, File | None] = {}
        self.names: dict[str, File | None] = {}
        """The entries that are surely there."""
        self.renamed: list[tuple[int, str, File | None]] = []
        """The entries that came or went since, in order; None where a name went."""

    def play(self, step: Step) -> None:
        """The next step. What is written may be on the disk from its begin on, and is synced by what begins later."""
        call = step.call
        if isinstance(call, Sync):
            self._sync(step.number, call, ends=step.ends)
        elif step.ends:
            self._ended.add(step.number)
        elif isinstance(call, Name):
            self._name(step.number, call)
        elif isinstance(call, Write | Truncate):
            file = self.current[call.path]
            assert file is not None
            file.pending.append(call)
            file.numbers.append(step.number)

    def is_settled(self) -> bool:
        """Whether nothing can be lost."""
        return not self.renamed and not any(file.pending for file in self.current.values() if file is not None)

    def _name(self, number: int, call: Name) -> None:
        if call.is_directory:
            self.directories.add(call.path)
        self.current[call.path] = File() if call.there else None
        self.renamed.append((number, call.path, self.current[call.path]))

    def _sync(self, number: int, call: Sync, *, ends: bool) -> None:
        if not ends:
            self._syncing[number] = set(self._ended)
            return
        safe = self._syncing.pop(number)
        file = self.current.get(call.path)
        if file is None or call.path in self.directories:
            if self._syncs_directories:
                self._settle_names(call.path, safe)
        elif self._syncs_files:
            _settle(file, safe)

    def _settle_names(self, directory: str, safe: set[int]) -> None:
        left = []
        for number, path, file in self.renamed:
            if str(PurePosixPath(path).parent) == directory and number in safe:
                self.names[path] = file
            else:
                left.append((number, path, file))
        self.renamed = left


def _settle(file: File, safe: set[int]) -> None:
    """What had been written when the sync began is on the disk."""
    count = next((at for at, number in enumerate(file.numbers) if number not in safe), len(file.numbers))
    content = file.durable
    for call in file.pending[:count]:
        end = call.size if isinstance(call, Truncate) else call.offset + len(call.data)
        content.extend(bytes(max(0, end - len(content))))
        if isinstance(call, Truncate):
            del content[call.size :]
        else:
            content[call.offset : end] = call.data
    del file.pending[:count], file.numbers[:count]
