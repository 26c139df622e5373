"""Writes TOML so that nothing a process called itself can end a string or a comment. It knows nothing of checks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

Value = str | int | bool | tuple[str | int, ...]

_WIDTH = 110
_LONGEST_COMMENT = 400
_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def literal(value: Value) -> str:
    """The value as TOML has it. Bytes that are no Unicode become U+FFFD, which TOML has no other way to write."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(literal(one) for one in value)}]"
    return f'"{"".join(_escaped(character) for character in value)}"'


def _escaped(character: str) -> str:
    if character in _SHORT:
        return _SHORT[character]
    if 0xD800 <= ord(character) <= 0xDFFF:
        return "\ufffd"
    if character.isprintable():
        return character
    return f"\\u{ord(character):04X}" if ord(character) < 0x10000 else f"\\U{ord(character):08X}"


def printable(text: str) -> str:
    """The text as it may stand in a comment: one line, and nothing that a terminal would obey."""
    shown = "".join(character if character.isprintable() else "?" for character in text)
    return shown if len(shown) <= _LONGEST_COMMENT else shown[: _LONGEST_COMMENT - 1] + "…"


def comment(text: str, indent: str = "") -> list[str]:
    """Prose behind `# `, wrapped. A text that begins with two spaces is a command and stays one line."""
    if text.startswith("  "):
        return [f"# {indent}{printable(text)}"]
    lines = textwrap.wrap(printable(text), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return [f"# {indent}{line}".rstrip() for line in lines]


def table(header: str, keys: Mapping[str, Value], *, active: bool = True) -> list[str]:
    """A table of an array; one that is switched off has `#` without a space before each line."""
    lines = [f"[[{header}]]", *(f"{_key(key)} = {literal(value)}" for key, value in keys.items())]
    return lines if active else [f"#{line}" for line in lines]


def _key(key: str) -> str:
    return key if _PLAIN_KEY.fullmatch(key) else literal(key)
