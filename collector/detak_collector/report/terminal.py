"""What a checked thing said, made fit for a terminal. It decides nothing and never touches the stored evidence."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line; what would move the cursor, colour or rename the terminal is replaced by a sign of that."""
    one_line = " ".join(text.splitlines())
    return "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in one_line)
