"""Reads what strace wrote of a process: which bytes went to which file or connection, in which order.

It refuses a call on a file of the store that it does not understand: a replay that overlooks one would prove nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_NAMING = (
    *("open", "openat", "creat", "mkdir", "mkdirat", "unlink", "unlinkat", "rename", "renameat", "renameat2"),
    *("link", "linkat", "truncate"),
)
_FILLING = (
    *("write", "pwrite64", "writev", "pwritev", "pwritev2", "ftruncate", "fallocate", "copy_file_range", "sendfile"),
    *("fsync", "fdatasync", "sync_file_range", "sendto", "sendmsg"),
)
TRACED = ",".join((*_NAMING, *_FILLING))
STRACE = ("-D", "-f", "--seccomp-bpf", "-yy", "-xx", "-s", "4000000", "-e", f"trace={TRACED}", "-e", "signal=none")
"""What strace is told, so that `steps_of` can read it: all strings whole and as hexadecimal digits."""

_LINE = re.compile(r"(\d+) +(?:<\.\.\. \w+ resumed>(?P<rest>.*)|(?P<name>\w+)\((?P<text>.*)|[+-]{3} .*)")
_UNFINISHED = " <unfinished ...>"
_RESULT = re.compile(r"\) += (-?\d+|\?)")
_HEX = r"((?:\\x[0-9a-f]{2})*)"
_FILE = re.compile(rf"\d+<{_HEX}>(?!\(deleted\))")
_SOCKET = re.compile(r"\d+<TCP(?:v6)?:\[([^]]*)\]>")
_WHERE = re.compile(rf"(?:AT_FDCWD|\d+)<{_HEX}>")
_STRING = re.compile(rf'"{_HEX}"')


@dataclass(frozen=True, slots=True)
class Write:
    """Bytes that were given to a file."""

    path: str
    offset: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Truncate:
    """A file that was cut or lengthened to `size`."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Sync:
    """fsync or fdatasync of a file or a directory."""

    path: str


@dataclass(frozen=True, slots=True)
class Name:
    """A directory entry that came or went."""

    path: str
    there: bool
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes that were given to a connection, which is named by its two ends."""

    connection: str
    data: bytes


Call = Write | Truncate | Sync | Name | Sent


@dataclass(frozen=True, slots=True)
class Step:
    """A call of this number begins or ends; those of other threads may lie between. Only what succeeded has steps."""

    number: int
    call: Call
    ends: bool


class UnknownCallError(Exception):
    """A call on a file of the store that the replay does not know."""


@dataclass(frozen=True, slots=True)
class Store:
    """Which files are the store's: the directory, and in it the database and what SQLite puts beside it."""

    directory: str
    database: str

    def has(self, path: str) -> bool:
        """Whether it is one of them or a directory of them; the shared memory is none, nobody expects it to survive."""
        inside = path.startswith(f"{self.directory}/{self.database}") and not path.endswith("-shm")
        return inside or path in {self.directory, str(PurePosixPath(self.directory).parent)}


def steps_of(traces: Sequence[Path], store: Store) -> list[Step]:
    """The steps of processes that ran one after another. Before the first of them there was no store."""
    reading = _Reading(store)
    for trace in traces:
        with trace.open(encoding="ascii") as lines:
            for line in lines:
                reading.take(line.rstrip("\n"))
    return reading.steps()


@dataclass(frozen=True, slots=True)
class _Begun:
    name: str
    text: str
    at: int


class _Reading:
    """What was read so far, and what each thread has begun."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._there: set[str] = set()
        self._begun: dict[str, _Begun] = {}
        self._calls: list[tuple[int, int, Call]] = []
        self._line = 0

    def take(self, line: str) -> None:
        """One line of the trace."""
        self._line += 1
        match = _LINE.fullmatch(line)
        if match is None:
            raise UnknownCallError(f"not a line of strace: {line[:200]}")
        thread, name, rest = match[1], match["name"], match["rest"]
        if name is not None and match["text"].endswith(_UNFINISHED):
            self._begun[thread] = _Begun(name, match["text"].removesuffix(_UNFINISHED), self._line)
        elif name is not None:
            self._ended(_Begun(name, match["text"], self._line))
        elif rest is not None:
            begun = self._begun.pop(thread)
            self._ended(_Begun(begun.name, begun.text + rest, begun.at))

    def steps(self) -> list[Step]:
        """All steps in order."""
        begins = [(begun, 0, Step(at, call, ends=False)) for at, (begun, _, call) in enumerate(self._calls)]
        ends = [(ended, 1, Step(at, call, ends=True)) for at, (_, ended, call) in enumerate(self._calls)]
        return [step for _, _, step in sorted([*begins, *ends], key=lambda one: one[:2])]

    def _ended(self, begun: _Begun) -> None:
        result = _RESULT.search(begun.text)
        if result is None:
            raise UnknownCallError(f"without a result: {begun.name}({begun.text[:200]}")
        if result[1] == "?" or int(result[1]) < 0:
            return
        call = self._call(begun.name, begun.text[: result.start()], int(result[1]))
        if call is not None:
            self._calls.append((begun.at, self._line, call))

    def _call(self, name: str, text: str, result: int) -> Call | None:
        socket = _SOCKET.match(text)
        if socket is not None:
            return Sent(socket[1], _data(text)[:result])
        if name in _NAMING:
            paths = [path for path in _paths(text) if self._store.has(path)]
            return self._on_name(name, paths, text) if paths else None
        file = _FILE.match(text)
        path = "" if file is None else _decoded(file[1]).decode()
        return _on_file(name, path, text, result) if self._store.has(path) else None

    def _on_name(self, name: str, paths: Sequence[str], text: str) -> Name | None:
        path = paths[0]
        if name in {"unlink", "unlinkat"}:
            self._there.discard(path)
            return Name(path, there=False)
        if name in {"mkdir", "mkdirat"}:
            return Name(path, there=True, is_directory=True)
        if name in {"open", "openat"} and "O_TRUNC" not in text:
            if "O_CREAT" not in text or path in self._there:
                return None
            self._there.add(path)
            return Name(path, there=True)
        raise UnknownCallError(f"{name} of {paths}")


def _on_file(name: str, path: str, text: str, result: int) -> Call:
    if name == "pwrite64":
        return Write(path, int(text.rpartition(", ")[2]), _data(text)[:result])
    if name == "ftruncate":
        return Truncate(path, int(text.rpartition(", ")[2]))
    if name in {"fsync", "fdatasync"}:
        return Sync(path)
    raise UnknownCallError(f"{name} on {path}")


def _paths(text: str) -> Iterator[str]:
    """The names that are given; a relative one counts from the directory that stands before it."""
    where = _WHERE.match(text)
    base = PurePosixPath("/" if where is None else _decoded(where[1]).decode())
    for match in _STRING.finditer(text):
        yield str(base / _decoded(match[1]).decode("utf-8", "replace"))


def _data(text: str) -> bytes:
    return b"".join(_decoded(match[1]) for match in _STRING.finditer(text))


def _decoded(hexadecimal: str) -> bytes:
    return bytes.fromhex(hexadecimal.replace("\\x", ""))
