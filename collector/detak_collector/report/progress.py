"""How far the writing of a long report has come. What writes tells it; who looks on decides what to show."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Somebody who is told. Steps are rows."""

    def begin(self, steps: int) -> None:
        """So many rows are to be written."""

    def step(self, steps: int = 1) -> None:
        """So many more are done."""


class Unwatched:
    """Nobody looks on."""

    def begin(self, steps: int) -> None:
        """Nothing to tell."""

    def step(self, steps: int = 1) -> None:
        """Nothing to tell."""
