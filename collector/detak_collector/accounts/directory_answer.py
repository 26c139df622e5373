"""What a directory answers, apart from the library that asks it: that one is installed where a directory is named."""

from __future__ import annotations

from dataclasses import dataclass

from detak_collector.accounts.roles import Role


class DirectoryError(Exception):
    """The directory cannot be asked now, or is not what collector.toml says; the text is for operators."""


@dataclass(frozen=True, slots=True)
class Found:
    """A person whose password was right, as the directory knows him."""

    name: str
    display: str
    mail: str
    roles: frozenset[Role]
