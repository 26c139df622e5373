"""What both programs can be told on the command line, read from their own parsers: one shape for click and argparse.

It renders nothing. Man pages, docs/commands.md and the tests of the documents all go by what stands here.
"""

from __future__ import annotations

import argparse
import inspect
from collections.abc import Iterator
from dataclasses import dataclass

import click

AGENT = "detak-agent"
COLLECTOR = "detak-collector"


@dataclass(frozen=True, slots=True)
class Option:
    """One option, or one positional argument where `names` is empty."""

    names: tuple[str, ...]
    metavar: str
    """What stands for its value; empty for a switch."""
    help: str
    default: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False


@dataclass(frozen=True, slots=True)
class Command:
    """A command or a group of commands; `words` lead to it, the program's name first."""

    words: tuple[str, ...]
    text: str
    """What it says of itself: paragraphs, apart by empty lines."""
    options: tuple[Option, ...]
    arguments: tuple[Option, ...] = ()
    commands: tuple[Command, ...] = ()

    @property
    def name(self) -> str:
        """As people write it."""
        return " ".join(self.words)

    @property
    def summary(self) -> str:
        """The first sentence of its text."""
        first = self.text.partition("\n\n")[0]
        return first.partition(". ")[0].rstrip(".")

    def every(self) -> Iterator[Command]:
        """This one and all below it, each before those within it."""
        yield self
        for one in self.commands:
            yield from one.every()


def programs() -> tuple[Command, Command]:
    """The agent and the collector."""
    return agent(), collector()


def agent() -> Command:
    """`detak-agent`, as argparse has it."""
    from detak_agent.cli import _parser  # noqa: PLC0415 - the collector's manual needs no agent

    return _of_argparse(_parser(), (AGENT,))


def collector() -> Command:
    """`detak-collector`, as click has it."""
    from detak_collector.cli import group  # noqa: PLC0415 - the agent's manual needs no collector

    return _of_click(group, (COLLECTOR,), None)


def _of_argparse(parser: argparse.ArgumentParser, words: tuple[str, ...]) -> Command:
    actions = parser._actions  # noqa: SLF001 - argparse has no other way to ask for them
    groups = [one for one in actions if isinstance(one, argparse._SubParsersAction)]  # noqa: SLF001 - as above
    below = tuple(_of_argparse(one, (*words, name)) for group in groups for name, one in group.choices.items())
    told = [_told(one) for one in actions if one not in groups]
    return Command(
        words,
        _sentence(parser.description or ""),
        tuple(one for one in told if one.names),
        tuple(one for one in told if not one.names),
        below,
    )


def _told(action: argparse.Action) -> Option:
    takes = action.nargs != 0
    default = str(action.default) if takes and action.default and action.default != argparse.SUPPRESS else ""
    text = (action.help or "").partition("default %(default)s")[0].rstrip(" ,;")
    return Option(
        tuple(action.option_strings),
        str(action.metavar or action.dest.upper()) if takes else "",
        _sentence(text),
        default,
        tuple(str(one) for one in action.choices or ()),
        action.required,
        isinstance(action, argparse._AppendAction),  # noqa: SLF001 - argparse tells it no other way
    )


def _sentence(text: str) -> str:
    """Begins with a capital and ends with a full stop, as click's texts do."""
    text = text.strip()
    if not text:
        return ""
    return text[0].upper() + text[1:] + ("" if text.endswith((".", "?")) else ".")


def _of_click(command: click.Command, words: tuple[str, ...], above: click.Context | None) -> Command:
    context = click.Context(command, parent=above, info_name=words[-1])
    names = command.list_commands(context) if isinstance(command, click.Group) else []
    found = [(name, command.get_command(context, name)) for name in names if isinstance(command, click.Group)]
    params = [(one, context) for one in command.get_params(context) if not getattr(one, "hidden", False)]
    return Command(
        words,
        inspect.cleandoc((command.help or "").partition("\f")[0]),
        tuple(_option(one, given) for one, given in params if isinstance(one, click.Option)),
        tuple(_argument(one, given) for one, given in params if isinstance(one, click.Argument)),
        tuple(_of_click(one, (*words, name), context) for name, one in found if one is not None and not one.hidden),
    )


def _option(option: click.Option, context: click.Context) -> Option:
    takes = not option.is_flag and not option.count
    given = option.get_default(context) if takes and option.show_default else None
    return Option(
        (*option.opts, *option.secondary_opts),
        _metavar(option, context) if takes else "",
        (option.help or "").strip(),
        "" if given is None else str(given),
        _choices(option),
        option.required,
        option.multiple,
    )


def _argument(argument: click.Argument, context: click.Context) -> Option:
    return Option(
        (),
        _metavar(argument, context),
        "",
        "",
        _choices(argument),
        argument.required,
        argument.nargs == -1,
    )


def _choices(param: click.Parameter) -> tuple[str, ...]:
    return tuple(str(one) for one in param.type.choices) if isinstance(param.type, click.Choice) else ()


def _metavar(param: click.Parameter, context: click.Context) -> str:
    """As the help shows it, but the words to choose among are told apart from it."""
    if isinstance(param.type, click.Choice) and param.metavar is None:
        return (param.name or "").upper()
    return param.make_metavar(context).replace("INTEGER RANGE", "NUMBER").replace("FLOAT RANGE", "NUMBER")
