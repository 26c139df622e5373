"""What processes take of the memory and files of the disk, read from beside them: nobody is asked or held up."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from detak_collector.store.sqlite import FILE_NAME
from soaking.judging import Sample
from soaking.stand import SIDES, Stand

_PATIENCE_S = 5.0


def weighed(stand: Stand, at_s: float) -> Sample:
    """Everything, now."""
    memory = {name: mib for name in (*SIDES, *stand.nodes) if (mib := memory_mib(stand.processes[name].pid))}
    stores, logs = {}, {}
    for side in SIDES:
        store = stand.home(side) / "state" / FILE_NAME
        with suppress(sqlite3.Error):
            stores[side] = store_bytes(store)
        with suppress(OSError):
            logs[side] = store.with_name(f"{store.name}-wal").stat().st_size
    journals = {node: folder_bytes(stand.home(node) / "state") for node in stand.nodes}
    return Sample(at_s, memory, stores, journals, logs)


def memory_mib(pid: int) -> float:
    """Of a process and all that it has started; of what several share each has its part. 0 if it is gone."""
    return sum(map(_proportional_mib, _family(pid)))


def _proportional_mib(pid: int) -> float:
    with suppress(OSError):
        found = re.search(r"(?m)^Pss:\s+(\d+) kB$", Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii"))
        return int(found[1]) / 1_024 if found else 0.0
    return 0.0


def _family(pid: int) -> Iterator[int]:
    yield pid
    with suppress(OSError):
        for thread in list(Path(f"/proc/{pid}/task").iterdir()):
            for child in (thread / "children").read_text(encoding="ascii").split():
                yield from _family(int(child))


def store_bytes(path: Path) -> int:
    """The pages in use, as a reader sees them: what the file has once the log beside it is written back."""
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=_PATIENCE_S)) as store:
        size, pages, free = (
            int(store.execute(f"PRAGMA {name}").fetchone()[0]) for name in ("page_size", "page_count", "freelist_count")
        )
    return size * (pages - free)


def folder_bytes(folder: Path) -> int:
    """All files in it."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total
