"""How a proof runs from beginning to end: in a folder of its own, with exit codes for who looks only at these."""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from lab.host import NotDoneError

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


def run_in_folder(program: str, keep: Path | None, left_out: Callable[[Path], bool], run: Callable[[Path], int]) -> int:
    """What `run` returns; 3 if something could not be done, which is said, 130 if it was interrupted.

    Its folder is gone at the end; `keep` gets a copy of it, without sockets and without what is `left_out`.
    """
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix=f"{program}-") as name:
        folder = Path(name)
        try:
            return run(folder)
        except NotDoneError as error:
            print(f"{program}: {error}", file=sys.stderr)
            return 3
        except KeyboardInterrupt:
            return 130
        finally:
            if keep:
                shutil.copytree(
                    folder, keep, dirs_exist_ok=True, ignore=lambda at, names: _ignored(at, names, left_out)
                )


@contextmanager
def taken_down() -> Iterator[ExitStack]:
    """What is put on the stack is undone at the end, also where this process is told to end; nobody interrupts that."""
    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, _end) for number in heeded}
    stack = ExitStack()
    try:
        yield stack
    finally:
        for number in heeded:
            signal.signal(number, signal.SIG_IGN)
        try:
            stack.close()
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _end(number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)


def _ignored(at: str, names: list[str], left_out: Callable[[Path], bool]) -> list[str]:
    return [name for name in names if (path := Path(at, name)).is_socket() or left_out(path)]
