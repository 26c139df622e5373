"""Shell completion of both programs, as their own libraries write it: click for the collector, shtab for the agent.

The collector's scripts ask the program itself at each tab; the agent's have its few commands and options in them.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import shtab
from click.shell_completion import get_completion_class

from manual.programs import AGENT, COLLECTOR

FILE_OF = {"bash": "{name}.bash", "zsh": "_{name}", "fish": "{name}.fish"}
"""How the file of each shell is called."""


def completions() -> Iterator[tuple[str, str]]:
    """Each file by its name, with its text."""
    for shell, name in FILE_OF.items():
        yield name.format(name=COLLECTOR), _of_collector(shell)
        yield name.format(name=AGENT), _of_agent(shell)


def _of_collector(shell: str) -> str:
    from detak_collector.cli import group  # noqa: PLC0415 - the agent's completion needs no collector

    kind = get_completion_class(shell)
    if kind is None:
        raise AssertionError(shell)
    script = kind(group, {}, COLLECTOR, "_DETAK_COLLECTOR_COMPLETE")
    return script.source_template % script.source_vars() + "\n"


def _of_agent(shell: str) -> str:
    from detak_agent.cli import _parser  # noqa: PLC0415 - as above

    parser = _parser()
    _complete_files(parser)
    return shtab.complete(parser, shell)


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Says which values are files; shtab wants to be told."""
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to ask for them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001 - as above
            for one in action.choices.values():
                _complete_files(one)
        elif action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
