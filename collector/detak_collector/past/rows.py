"""The rows of a file that another program wrote, by their lines: CSV in any of its habits, or the log of Nagios."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterator
from collections.abc import Mapping as Table
from dataclasses import dataclass
from itertools import islice

from detak_collector.catalogue.place import Place, shown
from detak_collector.past.mapping import Mapping

MOST_BYTES = 64 * 1024 * 1024
MOST_ROWS = 500_000
MOST_PROBLEMS = 50
DELIMITERS = (",", ";", "\t", "|")

_LOGGED = re.compile(r"\[(?P<time>[0-9]{1,12})\] (?P<rest>.*)")
_SAID = re.compile(r"(?P<kind>(?:HOST|SERVICE) ALERT|(?:CURRENT|INITIAL) (?:HOST|SERVICE) STATE): (?P<rest>.*)")
_HOST_PARTS, _SERVICE_PARTS = 4, 5
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@dataclass(frozen=True, slots=True)
class Row:
    """What a line says, by column. `line` is where it begins in the file, counted from 1."""

    line: int
    told: Table[str, str]


class TooManyError(Exception):
    """More was found wrong than anybody reads."""


def at_line(top: Place, line: int, column: str = "") -> Place:
    """Where a value stands. Raises TooManyError once enough was said."""
    if len(top.lines) >= MOST_PROBLEMS:
        raise TooManyError
    place = Place(f"{top.file}:{line}", top.lines)
    return place.key(column) if column else place


def read_rows(content: bytes, mapping: Mapping, top: Place) -> list[Row]:
    """All rows; what cannot be read is noted at its line. Raises CatalogueError where nothing can be read."""
    if len(content) > MOST_BYTES:
        top.say(f"longer than {MOST_BYTES} bytes: split it, and import its parts")
    top.settle()
    text = _text(content, mapping, top)
    rows = _nagios(text, top) if mapping.format == "nagios" else _csv(text, mapping, top)
    found = list(islice(rows, MOST_ROWS + 1))
    if len(found) > MOST_ROWS:
        top.say(f"more than {MOST_ROWS} rows: split it, and import its parts")
        top.settle()
    return found


def _text(content: bytes, mapping: Mapping, top: Place) -> str:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), mapping.encoding)
    try:
        text = content.decode(encoding)
    except LookupError:
        top.say(f"no such encoding; such as utf-8 or cp1252 (got {shown(encoding)})")
    except UnicodeError as error:
        at = error.start if isinstance(error, UnicodeDecodeError) else 0
        line = content.count(b"\n", 0, at) + 1
        at_line(top, line).say(f"no {encoding} text from byte {at} on: save it as UTF-8, or give its encoding, such as "
                               "cp1252")  # fmt: skip
    else:
        if "\0" in text:
            line = text.count("\n", 0, text.index("\0")) + 1
            at_line(top, line).say("a zero byte: this is no text; export it as CSV, in UTF-8")
        if not text.strip():
            top.say("it is empty")
        top.settle()
        return text
    top.settle()
    return ""


def _csv(text: str, mapping: Mapping, top: Place) -> Iterator[Row]:
    delimiter = _delimiter(text, mapping, top)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    header: list[str] = []
    line = 1
    try:
        for fields in reader:
            at, line = line, reader.line_num + 1
            if not any(fields):
                continue
            if not header:
                header = [one.strip() for one in fields]
                if not set(mapping.columns.named()) <= set(header):
                    at_line(top, at).say("its header is no line of names of columns")
                    return
            elif len(fields) != len(header):
                at_line(top, at).say(f"as many fields as the header has, {len(header)}, are needed (got {len(fields)})")
            else:
                yield Row(at, dict(zip(header, fields, strict=True)))
    except csv.Error as error:
        at_line(top, max(line, reader.line_num)).say(f"not CSV: {error}")


def _delimiter(text: str, mapping: Mapping, top: Place) -> str:
    """The one by which the first line has all columns that are needed; where there is none, that is said."""
    wanted = mapping.columns.named()
    first = next(line for line in io.StringIO(text, newline=None) if line != "\n").rstrip("\n")
    headers = {one: _fields(first, one) for one in ([mapping.delimiter] if mapping.delimiter else DELIMITERS)}
    for delimiter, fields in headers.items():
        if set(wanted) <= set(fields):
            twice = sorted({one for one in wanted if fields.count(one) > 1})
            if twice:
                top.say(f"the header has {', '.join(map(shown, twice))} twice: leave one of each")
                top.settle()
            return delimiter
    fields = max(headers.values(), key=len)
    missing = [shown(one) for one in wanted if one not in fields]
    has = ", ".join(map(shown, fields[:20]))
    told = f"no column {', '.join(missing)} in its first line, which has {has}"
    top.say(f"{told}: choose the mapping of the program that wrote it, or write one (docs/importing.md)")
    top.settle()
    return ","


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return [one.strip() for one in next(csv.reader([line], delimiter=delimiter), [])]
    except (csv.Error, TypeError, ValueError):
        return []


def _nagios(text: str, top: Place) -> Iterator[Row]:
    """Of the log of Nagios the lines that say how a host or a service is; an object is `host` or `host/service`."""
    for number, line in enumerate(io.StringIO(text, newline="\n"), start=1):
        told = line.rstrip("\r\n")
        if not told.strip():
            continue
        logged = _LOGGED.fullmatch(told)
        if logged is None:
            at_line(top, number).refuse("a line of a Nagios log, such as [1700000000] HOST ALERT: …", told)
            continue
        said = _SAID.fullmatch(logged["rest"])
        if said is not None:
            yield from _stated(number, logged["time"], said, top)


def _stated(number: int, time: str, said: re.Match[str], top: Place) -> Iterator[Row]:
    is_service = "SERVICE" in said["kind"]
    count = _SERVICE_PARTS if is_service else _HOST_PARTS
    parts = said["rest"].split(";", count)
    if len(parts) < count:
        at_line(top, number).refuse(f"{count + 1} parts between semicolons", said["rest"])
        return
    names, (state, kind, *_) = parts[: count - 3], parts[count - 3 :]
    output = parts[count] if len(parts) > count else ""
    yield Row(number, {"time": time, "object": "/".join(names), "state": state, "type": kind, "output": output})
