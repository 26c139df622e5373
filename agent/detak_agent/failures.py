"""The agent's errors, each with the exit code it ends the process with.

DetakError
    ConfigurationError   2   what the user wrote is wrong; one line for each error
    CouldNotError        3   this machine did not let us
        JournalError     3   the journal is not durable any more
            DiskFullError  3   nothing was written, for want of space
"""

from __future__ import annotations

from collections.abc import Sequence


class DetakError(Exception):
    """Something to tell the user in one or more plain lines."""

    exit_code = 3

    @property
    def lines(self) -> Sequence[str]:
        """What to print."""
        return [str(self)]


class ConfigurationError(DetakError):
    """Every error found in a configuration, as `path: reason (got value)`."""

    exit_code = 2

    def __init__(self, lines: Sequence[str]) -> None:
        super().__init__("\n".join(lines))
        self._lines = tuple(lines)

    @property
    def lines(self) -> Sequence[str]:
        return self._lines


class CouldNotError(DetakError):
    """The machine, a file or a server did not let us do it."""


class JournalError(CouldNotError):
    """A commit or fsync failed. Never retried: after a failed fsync nobody knows what the disk holds."""


class DiskFullError(JournalError):
    """A transaction was undone before it was written: the disk had no room for it. The journal is as it was."""
