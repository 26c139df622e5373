"""What this process holds of memory that nothing uses any more, and the bounds to that. Nothing is measured here.

Bounds are set to Python's search for garbage, and to what a failed sample keeps alive.
"""

from __future__ import annotations

import gc


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
