"""Other clocks for one process of a host: a wall clock that is stepped, and clocks that stand still with a guest."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from lab.host import NotDoneError

_SOURCE = Path(__file__).with_name("clock_shim.c")
_TWO = struct.Struct("=qq")
_NS_PER_MS = 1_000_000


def built(folder: Path) -> Path:
    """The library that a process is preloaded with; raises NotDoneError."""
    library = folder / "clock_shim.so"
    command = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(_SOURCE), "-ldl"]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotDoneError(f"{_SOURCE}: a C compiler (package gcc) is needed: {error}") from error
    return library


class Clocks:
    """Those of the processes that were started with `environment`; right as they are made."""

    def __init__(self, library: Path, file: Path) -> None:
        self._file = file
        self._wall = self.others_ms = 0
        self._write()
        self.environment = {"LD_PRELOAD": str(library), "LAB_CLOCKS": str(file)}

    def step_wall(self, by_ms: int) -> None:
        """The wall clock shows so much more from now on."""
        self._wall += by_ms
        self._write()

    def stood_still(self, for_ms: int) -> None:
        """All but the wall clock did not go on for so long: that was set right when they went on."""
        self.others_ms -= for_ms
        self._write()

    def booted(self) -> None:
        """All but the wall clock begin anew."""
        self.others_ms = 0
        self._write()

    def _write(self) -> None:
        # In place: it is mapped by whoever has been started with it.
        with self._file.open("r+b" if self._file.exists() else "wb") as file:
            file.write(_TWO.pack(self._wall * _NS_PER_MS, self.others_ms * _NS_PER_MS))
