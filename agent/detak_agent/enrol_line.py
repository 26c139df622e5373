"""The line that `detak-collector enroll` printed, read from a file: its token then stands in no list of processes."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from detak_agent.failures import ConfigurationError, CouldNotError

STANDARD_INPUT = "-"
_MOST_CHARACTERS = 2_000
_PROGRAM = ["detak-agent", "enroll"]
_CARRIED = ("collector", "node", "token", "fingerprint", "ca_key")


def with_line(
    options: argparse.Namespace, add_arguments: Callable[[argparse.ArgumentParser], None]
) -> argparse.Namespace:
    """The options, with what the line in the file `options.line` says; what stands on the command line wins.

    A file with one word holds the token alone. Raises ConfigurationError, which never shows what is in the file, and
    CouldNotError where it cannot be read.
    """
    text = _read(options.line)
    words = _words(text, options.line)
    line = _parsed(words, options.line, add_arguments)
    given = {key: getattr(options, key) or getattr(line, key) for key in _CARRIED}
    return argparse.Namespace(**{**vars(options), **given, "line": None})


def _read(name: str) -> str:
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.read(_MOST_CHARACTERS + 1)
        with Path(name).open(encoding="utf-8") as file:
            return file.read(_MOST_CHARACTERS + 1)
    except UnicodeDecodeError:
        return ""
    except OSError as error:
        raise CouldNotError(f"--from: {name} cannot be read: {error.strerror}") from error


def _words(text: str, name: str) -> list[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    if len(text) > _MOST_CHARACTERS or len(lines) > 1:
        raise ConfigurationError([f"--from: {name} holds more than one line: leave the line of this node alone in it"])
    try:
        return shlex.split(lines[0]) if lines else []
    except ValueError:
        return []


def _parsed(
    words: list[str], name: str, add_arguments: Callable[[argparse.ArgumentParser], None]
) -> argparse.Namespace:
    parser = _Strict(name)
    parser.add_argument("--collector")
    add_arguments(parser)
    if len(words) == 1 and not words[0].startswith("-"):
        words = ["--token", *words]
    elif words[:2] == _PROGRAM:
        words = words[2:]
    else:
        parser.error("")
    return parser.parse_args(words)


class _Strict(argparse.ArgumentParser):
    """Says that the line is none, and not what is in it."""

    def __init__(self, name: str) -> None:
        super().__init__(add_help=False, allow_abbrev=False)
        self._name = name

    def error(self, message: str) -> NoReturn:  # noqa: ARG002 - it would show the token
        """As argparse says."""
        raise ConfigurationError([f"--from: {self._name} does not hold the line that `detak-collector enroll` prints"])
