"""What this process holds of memory that nothing uses any more, and the bounds to that. Nothing is measured here.

Bounds are set to the C library's allocator, to Python's search for garbage, and to what a failed sample keeps alive.
"""

from __future__ import annotations

import ctypes
import gc

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


def keep_what_is_there() -> None:
    """What was imported stays for good: the search for garbage, which holds up the loop, need not go through it again.

    It is called where modules have just been imported. Garbage goes first, or it would be kept as well. The second
    search, which finds nothing, tells Python how little is left: it looks through everything only when what is new
    makes up a quarter of what it saw there last, and of all that was imported a quarter is a lot of garbage.
    """
    gc.collect()
    gc.freeze()
    gc.collect()


def let_go(error: BaseException) -> None:
    """Free what the calls held in which an error was raised, those before it in its chain included.

    An error knows these calls, and often one of them knows the error, as by the future that brought it: such a ring,
    with all that was read in it, would wait for the next search for garbage.
    """
    known: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is not None and id(one) not in known:
            known.add(id(one))
            one.__traceback__ = None
            waiting += (one.__cause__, one.__context__)
