"""Which lines of some files run while a context is open. A line costs only until it was seen once."""

from __future__ import annotations

import sys
from collections.abc import Container, Iterator
from contextlib import contextmanager
from types import CodeType, FrameType
from typing import Any

Lines = set[tuple[str, int]]
"""File name and number of lines."""


@contextmanager
def lines_run(files: Container[str]) -> Iterator[Lines]:
    """Gives a set that has, in the end, every line of the files that ran in this thread."""
    tracer = _Tracer(files)
    sys.settrace(tracer.call)
    try:
        yield tracer.lines
    finally:
        sys.settrace(None)


class _Tracer:
    def __init__(self, files: Container[str]) -> None:
        self.files = files
        self.lines: Lines = set()
        self._unseen: dict[CodeType, set[int]] = {}

    def call(self, frame: FrameType, _event: str, _argument: object) -> Any:  # noqa: ANN401 - a tracer or None
        code = frame.f_code
        if code.co_filename not in self.files:
            return None
        if code not in self._unseen:
            self._unseen[code] = {line for _, _, line in code.co_lines() if line is not None}
        return self._line if self._unseen[code] else None

    def _line(self, frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401 - a tracer or None
        unseen = self._unseen[frame.f_code]
        if event == "line" and frame.f_lineno in unseen:
            unseen.remove(frame.f_lineno)
            self.lines.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line if unseen else None
