"""Starts a program so that no other thread waits for it, whatever its disk does.

fork(2) copies the tables of all the agent's memory, and then every page that is written to, while nothing else may run.
Python's own ways round that keep the interpreter until the program has been found and read, which a dead file server
delays for ever. posix_spawn(3) copies nothing, and called like this it leaves the interpreter free.
"""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from io import FileIO

_OPAQUE_BYTES = 1_024
"""More than a structure of the C library takes that only it looks into."""

_RESET_SIGNALS, _SET_MASK, _NEW_SESSION = 0x04, 0x08, 0x80
"""POSIX_SPAWN_SETSIGDEF, POSIX_SPAWN_SETSIGMASK and POSIX_SPAWN_SETSID of <spawn.h>."""

_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)

_library = ctypes.CDLL(None)


class Child:
    """A process that leads a session of its own, with what it prints."""

    def __init__(self, pid: int, output: FileIO, errors: FileIO) -> None:
        self.pid = pid
        self.output = output
        self.errors = errors
        self._status: int | None = None

    def wait(self) -> int:
        """Its exit status, or minus the signal that killed it, once it has ended."""
        if self._status is None:
            self._status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self._status


def start(arguments: Sequence[str], variables: Mapping[str, str]) -> Child:
    """Start a program by its path, in the root folder, without input. Raises OSError where it cannot be executed."""
    output, to_output = _pipe()
    errors, to_errors = _pipe()
    with closing(to_output), closing(to_errors):
        try:
            pid = _spawned(arguments, variables, to_output.fileno(), to_errors.fileno())
        except BaseException:
            output.close()
            errors.close()
            raise
    return Child(pid, output, errors)


def _pipe() -> tuple[FileIO, FileIO]:
    reading, writing = os.pipe()
    return FileIO(reading, "r"), FileIO(writing, "w")


def _spawned(arguments: Sequence[str], variables: Mapping[str, str], output: int, errors: int) -> int:
    with _made("posix_spawn_file_actions") as actions, _made("posix_spawnattr") as attributes:
        _call("posix_spawn_file_actions_addopen", actions, 0, os.fsencode(os.devnull), os.O_RDONLY, 0)
        _call("posix_spawn_file_actions_adddup2", actions, output, 1)
        _call("posix_spawn_file_actions_adddup2", actions, errors, 2)
        _call("posix_spawn_file_actions_addchdir_np", actions, b"/")
        _call("posix_spawnattr_setsigmask", attributes, _signals())
        _call("posix_spawnattr_setsigdefault", attributes, _signals(*_IGNORED_BY_PYTHON))
        _call("posix_spawnattr_setflags", attributes, ctypes.c_short(_RESET_SIGNALS | _SET_MASK | _NEW_SESSION))
        pid = ctypes.c_int()
        settings = [f"{name}={value}" for name, value in variables.items()]
        path = os.fsencode(arguments[0])
        _call("posix_spawn", ctypes.byref(pid), path, actions, attributes, _array(arguments), _array(settings))
    return pid.value


def _array(texts: Sequence[str]) -> ctypes.Array[ctypes.c_char_p]:
    encoded = [os.fsencode(text) for text in texts]
    if any(b"\0" in text for text in encoded):
        raise ValueError("embedded null byte")
    return (ctypes.c_char_p * (len(encoded) + 1))(*encoded, None)


def _signals(*numbers: int) -> ctypes.Array[ctypes.c_char]:
    memory = ctypes.create_string_buffer(_OPAQUE_BYTES)
    _library.sigemptyset(memory)
    for number in numbers:
        _library.sigaddset(memory, number)
    return memory


@contextmanager
def _made(kind: str) -> Iterator[ctypes.Array[ctypes.c_char]]:
    """A structure of the C library for as long as the block lasts."""
    memory = ctypes.create_string_buffer(_OPAQUE_BYTES)
    _call(f"{kind}_init", memory)
    try:
        yield memory
    finally:
        _call(f"{kind}_destroy", memory)


def _call(function: str, *arguments: object) -> None:
    """Without the interpreter held; raises the OSError of the number that it returns."""
    number = getattr(_library, function)(*arguments)
    if number:
        raise OSError(number, os.strerror(number))
