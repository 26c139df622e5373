"""Reads what a point is made of. What cannot be read is missing from the point and never an error.

It blocks, and on a filesystem that hangs for ever: call it in a daemon thread only.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from detak_agent.checks.base import CheckSettings
from detak_agent.checks.filesystems import Filesystems, Mount, Usage, select
from detak_agent.checks.machine import parse_cpu, parse_load, parse_memory
from detak_agent.journal_file import FILE_NAME
from detak_agent.metrics.counters import parse_devices, parse_interfaces, parse_resident_pages
from detak_agent.metrics.points import Counters, Disks, shortest
from detak_wire import limits

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Selection:
    """The filesystems that one check of kind `os` looks at, as it is configured."""

    wanted: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()


def selections(checks: Iterable[CheckSettings]) -> tuple[Selection, ...]:
    """Those of all checks of kind `os`; what such a check looks at by itself where there is none."""
    of_os = [settings for settings in checks if settings.kind == "os"]
    found = [Selection(getattr(one, "filesystems", ()), getattr(one, "ignore_filesystems", ())) for one in of_os]
    return tuple(found) or (Selection(),)


class Source:
    """The machine and the agent's own files."""

    def __init__(
        self, root: Path, state_directory: Path, watched: Sequence[Selection], filesystems: Filesystems | None = None
    ) -> None:
        self._proc = root / "proc"
        self._journal = state_directory / FILE_NAME
        self._watched = watched
        self._filesystems = Filesystems(root) if filesystems is None else filesystems

    def counters(self, at: int) -> Counters:
        """What /proc says at agent time `at`, which is now."""
        pages = self._parsed("self/statm", parse_resident_pages)
        return Counters(
            at=at,
            cpu=self._parsed("stat", parse_cpu),
            memory=self._parsed("meminfo", parse_memory),
            load=self._parsed("loadavg", parse_load),
            devices=self._parsed("diskstats", parse_devices) or {},
            interfaces=self._parsed("net/dev", parse_interfaces) or {},
            agent_memory_bytes=None if pages is None else pages * PAGE_BYTES,
        )

    def disks(self) -> Disks:
        """How full the filesystems are that the `os` checks watch; only of the mounts that a point has room for."""
        chosen = {mount.path: mount for mount in self._mounts()}
        measured = {path: self._filesystems.usage(chosen[path]) for path in shortest(chosen)}
        usages = {_label(path): usage for path, usage in measured.items() if isinstance(usage, Usage)}
        return Disks(usages, self._journal_bytes())

    def _mounts(self) -> list[Mount]:
        try:
            mounts = self._filesystems.mounts()
        except OSError:
            return []
        return [mount for one in self._watched for mount in select(mounts, one.wanted, one.ignored)]

    def _journal_bytes(self) -> int | None:
        """With its write-ahead log, which is there only while it is used."""
        sizes = []
        for path in (self._journal, self._journal.with_name(FILE_NAME + "-wal")):
            with suppress(OSError):
                sizes.append(path.stat().st_size)
        return sum(sizes) if sizes else None

    def _parsed(self, name: str, parse: Callable[[str], T]) -> T | None:
        try:
            return parse((self._proc / name).read_text(encoding="utf-8", errors="replace"))
        except (OSError, ValueError, LookupError, ArithmeticError):
            return None


def _label(path: str) -> str:
    """A mount point as the wire takes it: valid Unicode, and not too long."""
    return path.encode("utf-8", "replace").decode()[: limits.LABEL_CHARACTERS]
