"""Clocks of one process that are other than its machine's."""

from __future__ import annotations

import struct
from pathlib import Path

from lab.shifting import Clocks


def test_a_kernel_that_was_booted_knows_nothing_of_the_time_that_the_one_before_it_stood_still(tmp_path: Path) -> None:
    clocks = Clocks(tmp_path / "library.so", tmp_path / "clocks")
    clocks.step_wall(3)
    clocks.stood_still(17_000)
    assert struct.unpack("=qq", (tmp_path / "clocks").read_bytes()) == (3_000_000, -17_000_000_000)
    clocks.booted()
    assert struct.unpack("=qq", (tmp_path / "clocks").read_bytes()) == (3_000_000, 0)
