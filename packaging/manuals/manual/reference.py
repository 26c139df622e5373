"""docs/commands.md: every command of both programs with its options, as Markdown."""

from __future__ import annotations

from collections.abc import Iterator

from manual.command_page import EXIT_CODES, told
from manual.programs import Command, Option

OPENING = """\
# Every command

<!-- Made by `make manuals` from the programs themselves: change them, not this page. -->

Both programs tell the same with `--help`; on an installed machine `man detak-agent` and `man detak-collector` do, too.
Pages that say what the commands are for: [index](index.md).

Exit codes of both: {codes}.
"""


def reference(programs: tuple[Command, ...]) -> str:
    """The whole page."""
    codes = ", ".join(f"{code} {text[0].lower()}{text[1:].rstrip('.')}" for code, text in EXIT_CODES)
    lines = [OPENING.format(codes=codes)]
    for program in programs:
        lines += [text for one in program.every() for text in _command(one)]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: Command) -> Iterator[str]:
    yield f"{'##' if len(command.words) == 1 else '###'} {command.name}\n"
    if command.text:
        yield _prose(command.text) + "\n"
    if command.commands:
        yield "Commands: " + ", ".join(f"[`{one.words[-1]}`](#{_anchor(one)})" for one in command.commands) + ".\n"
    if command.arguments and not command.commands:
        yield f"Arguments: {', '.join(_argument(one) for one in command.arguments)}.\n"
    options = [one for one in command.options if "--help" not in one.names]
    if options:
        yield "\n".join(["| option | |", "|---|---|", *(_row(one) for one in options)]) + "\n"


def _argument(argument: Option) -> str:
    among = f" (one of {', '.join(f'`{one}`' for one in argument.choices)})" if argument.choices else ""
    return f"`{argument.metavar}`{among}"


def _row(option: Option) -> str:
    value = f" {option.metavar}" if option.metavar else ""
    names = ", ".join(f"`{name}{value}`" for name in option.names)
    return f"| {names} | {_prose(told(option))} |"


def _anchor(command: Command) -> str:
    return "-".join(command.words)


def _prose(text: str) -> str:
    """Of the help's lines one for each paragraph, with nothing in it that Markdown would take for HTML."""
    paragraphs = [" ".join(one.split()) for one in text.split("\n\n")]
    return "\n\n".join(paragraphs).replace("<", "&lt;")
