"""What the kernel says of this machine's clock: adjtimex(2), read only. Nothing is ever set."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass

_ERROR_STATE = 5
_UNSYNCHRONISED = 0x0040
"""TIME_ERROR and STA_UNSYNC of <sys/timex.h>."""


class _Timex(ctypes.Structure):
    """`struct timex`, as glibc and musl have it on 64-bit machines, up to what is read here."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


@dataclass(frozen=True, slots=True)
class ClockState:
    """Whether something keeps the clock right, and by how much it may be off at most."""

    is_synchronised: bool
    error_ms: int


def clock_state() -> ClockState | None:
    """The state of the clock; None where the kernel does not tell."""
    told = _Timex()
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(told))
    except (OSError, AttributeError):
        return None
    if state < 0:
        return None
    synchronised = state != _ERROR_STATE and not told.status & _UNSYNCHRONISED
    return ClockState(synchronised, told.maxerror // 1_000)
