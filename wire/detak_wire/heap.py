"""Bounds to what the C library keeps of memory that a process freed: both programs live for months."""

from __future__ import annotations

import ctypes

_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
"""M_MMAP_THRESHOLD and M_ARENA_MAX of <malloc.h>."""

_OWN_MAPPING_FROM_BYTES = 128 * 1_024
_ARENAS = 2


def bound_heap() -> None:
    """Before any thread begins: what is freed goes back to the system, however many threads there were.

    Left to itself the GNU C library gives each of many threads a heap of its own, up to eight for a processor, and lets
    one large block that was freed raise the size from which a block has a mapping of its own: from then on blocks of
    megabytes lie among small ones and keep the heap as large as it ever was. Other C libraries do neither.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_ARENA_MAX, _ARENAS)
        mallopt(_MMAP_THRESHOLD, _OWN_MAPPING_FROM_BYTES)
