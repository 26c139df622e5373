"""A small file that is replaced must be there after a loss of power: what the process asks of its kernel, and when."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROGRAM = """
import sys
from pathlib import Path
from detak_collector.channel.private_files import write_whole
write_whole(Path(sys.argv[1]), b"key", 0o600)
"""


@pytest.mark.system("strace")
def test_a_replaced_file_is_on_the_disk_before_its_name_and_its_name_before_the_call_returns(
    tmp_path: Path, require: Callable[[str], str]
) -> None:
    target = tmp_path / "collector.key"
    target.write_bytes(b"old")
    log = tmp_path / "calls"
    trace = [require("strace"), "-f", "-y", "-s", "512", "-e", "trace=write,fsync,fdatasync,/^rename", "-o", str(log)]
    subprocess.run([*trace, sys.executable, "-c", PROGRAM, str(target)], check=True, timeout=60)
    steps = [step for line in log.read_text().splitlines() if (step := _step(line, target)) is not None]
    assert steps == ["content written", "content synced", "renamed", "folder synced"]
    assert target.read_bytes() == b"key"


def _step(line: str, target: Path) -> str | None:
    """What a traced call did to the file, if anything; the new content is in a hidden file until it is renamed."""
    if "rename" in line:
        return "renamed" if f'"{target}") = 0' in line else None
    if f"{target.parent}/.{target.name}." in line:
        return "content written" if "write(" in line else "content synced"
    return "folder synced" if f"<{target.parent}>) = 0" in line else None
