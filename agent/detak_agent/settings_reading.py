"""Tables of a TOML file become typed settings, with every error found, one line for each. No input or output."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache
from types import NoneType
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import msgspec

T = TypeVar("T", bound=msgspec.Struct)

_SECRET = re.compile(r"password|secret|token|community|credential|headers|authorization|cookie", re.IGNORECASE)
_USER_IN_URL = re.compile(r"(?<=://)[^/?#\s]*@")
_NOT_SHOWN = "a value that is not shown"
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

    def __init__(self, file: str, lines: list[str] | None = None) -> None:
        self._file = file
        self.lines: list[str] = [] if lines is None else lines

    def of(self, file: str) -> Errors:
        """The same collection, for what is wrong in another file."""
        return Errors(file, self.lines)

    def add(self, path: str, reason: str) -> None:
        """Something that no single value shows."""
        where = f"{self._file}: {path}" if path else self._file
        self.lines.append(f"{where}: {reason}")

    def add_value(self, path: str, reason: str, value: Any) -> None:  # noqa: ANN401 - whatever the user wrote
        """A value that is wrong; secrets are not shown."""
        shown = _NOT_SHOWN if _SECRET.search(path) else _shown(value)
        self.add(path, f"{reason} (got {shown})")


@cache
def fields_of(kind: type[msgspec.Struct]) -> Mapping[str, msgspec.structs.FieldInfo]:
    """The fields of a kind of settings by their keys; to find them out takes a millisecond."""
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def read_table(kind: type[T], table: Mapping[str, Any], path: str, errors: Errors) -> T | None:
    """The settings in `table`, or None with every error of this table noted under `path`."""
    fields = fields_of(kind)
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
            _add_refusal(str(error), where, value, _words(fields[key].type), errors)
    for key, field in fields.items():
        if field.required and key not in table:
            errors.add(joined(path, key), "missing")
    return kind(**values) if len(errors.lines) == found else None


def joined(path: str, key: str) -> str:
    """The path of a key in a table that stands at `path`."""
    return f"{path}.{key}" if path else key


def _words(kind: object) -> list[Any]:
    """What a value of an enumerated type, or each in a list of such, may be; nothing where it may be anything else."""
    if get_origin(kind) is Literal:
        return list(get_args(kind))
    inner = get_args(kind)[:1] if get_origin(kind) is Annotated else get_args(kind)
    words = [_words(one) for one in inner if one not in {NoneType, ...}]
    return [word for some in words for word in some] if all(words) else []


def _add_refusal(text: str, path: str, value: object, words: list[Any], errors: Errors) -> None:
    match = _AT.match(text)
    assert match is not None
    inner = match["path"] or ""
    errors.add_value(path + inner, _reason(match["reason"], words), _inner_value(value, inner))


def _reason(text: str, allowed: list[Any]) -> str:
    match = _EXPECTED.match(text)
    if allowed and (match is None or match["type"] != "array"):
        return f"must be one of {', '.join(json.dumps(word) for word in allowed)}"
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
    text = json.dumps(_without_secrets(value), ensure_ascii=False, default=str)
    text = _USER_IN_URL.sub("…@", text)
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"


def _without_secrets(value: Any) -> Any:  # noqa: ANN401 - whatever the user wrote
    if isinstance(value, dict):
        return {key: _NOT_SHOWN if _SECRET.search(key) else _without_secrets(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_secrets(one) for one in value]
    return value
