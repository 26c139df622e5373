"""The seam between what the tables mean and the database that holds them: one SQL, whichever it is.

Statements are in SQLite's spelling (`?`, `?1` and `:name` for values), and use only what every database here knows;
`postgresql_sql` has the list of what is spelt otherwise there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Values = Sequence[Any] | Mapping[str, Any]


class Rows(Protocol):
    """What a statement found, each row a tuple; `rowcount` is how many rows an UPDATE changed."""

    @property
    def rowcount(self) -> int: ...

    def fetchone(self) -> Any: ...  # noqa: ANN401 - a row's columns, or None

    def fetchall(self) -> list[Any]: ...

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A way to the database that any one thread at a time may use. Every error is a StoreError."""

    def execute(self, query: str, values: Values = (), /) -> Rows:
        """Runs one statement; outside of a transaction only what reads, since it may be asked twice."""
        ...

    def executemany(self, query: str, rows: Iterable[Sequence[Any]], /) -> object:
        """Runs one statement for each row."""
        ...

    def transaction(self, *, writing: bool = True) -> AbstractContextManager[None]:
        """All or nothing. Of writing ones there is one at a time, and when it ends without an error it is durable.

        One that does not write sees the database as of one moment.
        """
        ...

    def together(self) -> AbstractContextManager[object]:
        """Statements whose results nobody waits for may be sent at once; errors may show at its end only."""
        ...

    @property
    def lives(self) -> int:
        """How often it was made: more than once where it was lost, and found again."""
        ...

    def changes(self) -> int:
        """A number that is another one when somebody else has changed what nodes and keys there are."""
        ...

    def close(self) -> None:
        """Gives it back."""
        ...


class Database(Protocol):
    """Where connections come from. `place` is what people are told of it, and holds no password."""

    @property
    def place(self) -> str: ...

    @property
    def shared(self) -> bool:
        """Whether other collectors may write to it too."""
        ...

    @property
    def lacks_standby(self) -> bool:
        """Whether several servers are named, and what was last committed waited for one of them alone."""
        ...

    def connect(self, *, durable: bool = True) -> Connection:
        """A connection to be kept. Where it is not `durable`, its commits wait for no disk."""
        ...

    def close(self) -> None:
        """Lets go of what is held for `reading` and `writing`."""
        ...

    def reading(self) -> AbstractContextManager[Connection]:
        """A view of the database as of one moment, for any thread."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """A durable transaction, for any thread."""
        ...
