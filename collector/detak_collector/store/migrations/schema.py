"""What a migration may ask of a database: to run one statement, in SQLite's spelling. It serves every kind of store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol


class Schema(Protocol):
    """A database whose schema is brought on."""

    def execute(self, definition: str, values: Sequence[Any] = (), /) -> Iterable[Any]:
        """Runs a statement of the schema, or one that moves what is in it: what that finds can be gone through."""
        ...
