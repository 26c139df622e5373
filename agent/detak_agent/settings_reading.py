"""Tables of a TOML file become typed settings, with every error found, one line for each. No input or output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_SECRET = re.compile(r"password|secret|token|community|credential", re.IGNORECASE)
_EXPECTED = re.compile(
    r"^Expected `(?P<type>[^`]+)`(?: (?P<rest>(?:>=|<=|>|<|of length|matching).*?))?(?:, got `.*`)?$", re.DOTALL
)
_AT = re.compile(r"^(?P<reason>.*?)(?: - at `\$?(?P<path>.*)`)?$", re.DOTALL)
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "a text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_SHOWN_CHARACTERS = 60


class Errors:
    """Collects what is wrong, as `file: path: reason (got value)`."""

    def __init__(self, file: str) -> None:
        self._file = file
        self.lines: list[str] = []

    def add(self, path: str, reason: str) -> None:
        """Something that no single value shows."""
        where = f"{self._file}: {path}" if path else self._file
        self.lines.append(f"{where}: {reason}")

    def add_value(self, path: str, reason: str, value: Any) -> None:  # noqa: ANN401 - whatever the user wrote
        """A value that is wrong; secrets are not shown."""
        shown = "a value that is not shown" if _SECRET.search(path) else _shown(value)
        self.add(path, f"{reason} (got {shown})")


def read_table(kind: type[T], table: Mapping[str, Any], path: str, errors: Errors) -> T | None:
    """The settings in `table`, or None with every error of this table noted under `path`."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    found = len(errors.lines)
    values: dict[str, Any] = {}
    for key, value in table.items():
        where = joined(path, key)
        if key not in fields:
            errors.add_value(where, f"unknown key; known are {', '.join(sorted(fields))}", value)
            continue
        try:
            values[fields[key].name] = msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as error:
            _add_refusal(str(error), where, value, errors)
    for key, field in fields.items():
        if field.required and key not in table:
            errors.add(joined(path, key), "missing")
    return kind(**values) if len(errors.lines) == found else None


def joined(path: str, key: str) -> str:
    """The path of a key in a table that stands at `path`."""
    return f"{path}.{key}" if path else key


def _add_refusal(text: str, path: str, value: Any, errors: Errors) -> None:  # noqa: ANN401 - whatever the user wrote
    match = _AT.match(text)
    assert match is not None
    inner = match["path"] or ""
    errors.add_value(path + inner, _reason(match["reason"]), _inner_value(value, inner))


def _reason(text: str) -> str:
    match = _EXPECTED.match(text)
    if match is None:
        return text[:1].lower() + text[1:]
    words = [_WORDS.get(word, word) for word in match["type"].split(" | ") if word != "null"]
    return " ".join(["must be", " or ".join(words), *([match["rest"]] if match["rest"] else [])])


def _inner_value(value: Any, path: str) -> Any:  # noqa: ANN401 - whatever the user wrote
    """What stands at the path that the refusal names, such as `[2].name`."""
    for key, index in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        value = value.get(key) if key and isinstance(value, dict) else value
        value = value[int(index)] if index and isinstance(value, list) else value
    return value


def _shown(value: Any) -> str:  # noqa: ANN401 - whatever the user wrote
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
