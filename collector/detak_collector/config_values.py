"""How a table of a TOML file is held against what it may say: each fault as one line with its path."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

WORDS = {
    "str": "a text", "int": "a whole number", "float": "a number", "bool": "true or false", "object": "a table",
    "array": "a list of texts",
}  # fmt: skip


def table_faults(
    table: Mapping[str, Any], kind: type[Struct], tables: Mapping[str, type[Struct]], prefix: str = ""
) -> Iterator[str]:
    """What is wrong with the keys and values of a table; `tables` are the kinds of those within it, by their names."""
    fields = {field.name: field for field in msgspec.structs.fields(kind)}
    for name, value in table.items():
        path = f"{prefix}{name}"
        if name not in fields:
            near = difflib.get_close_matches(name, fields, n=1)
            hint = f", did you mean {near[0]}?" if near else f"; known are {', '.join(sorted(fields))}"
            yield f"{path}: no such key{hint}"
        elif name in tables and isinstance(value, dict):
            yield from table_faults(value, tables[name], tables, f"{path}.")
        elif name in tables and isinstance(value, list) and all(isinstance(one, dict) for one in value):
            for at, one in enumerate(value):
                yield from table_faults(one, tables[name], tables, f"{path}[{at}].")
        else:
            yield from value_fault(path, value, fields[name].type)
    for name, field in fields.items():
        if field.required and name not in table:
            yield f"{prefix}{name}: is missing"


def value_fault(name: str, value: object, kind: object) -> Iterator[str]:
    """What is wrong with one value, in at most one line."""
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        yield f"{name}: {_in_words(str(error))} (got {shown(value)})"


def _in_words(refusal: str) -> str:
    """What msgspec says, in the words of a person who writes TOML."""
    expected = refusal.removeprefix("Expected ").partition(" - at")[0].partition(", got")[0].replace("`", "")
    kind, _, bound = expected.removesuffix(" | null").partition(" ")
    return f"expected {WORDS.get(kind, kind)} {bound}".rstrip()


def shown(value: object) -> str:
    """A value as a person would write it."""
    return json.dumps(value, ensure_ascii=False, default=str)
