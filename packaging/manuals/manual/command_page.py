"""A program's man page of section 1, from its own parser and a few words that no parser knows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from manual import roff
from manual.programs import AGENT, COLLECTOR, Command, Option

EXIT_CODES = (
    ("0", "Fine."),
    ("1", "The answer is bad news."),
    ("2", "Usage or configuration."),
    ("3", "It could not be done."),
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a page says beside the commands."""

    summary: str
    text: str
    files: tuple[tuple[str, str], ...]
    see: tuple[str, ...]


WORDS = {
    AGENT: Words(
        "runs checks on a node and ships what it saw",
        "It runs the checks of agent.toml, writes what they saw into a journal on this node before it sends anything, "
        "and delivers it to one or more collectors. It opens no port, runs nothing that it receives and needs no root.",
        (
            ("/etc/detak/agent.toml", "Its configuration: detak-agent.toml(5)."),
            ("/var/lib/detak-agent", "Its journal and its keys."),
        ),
        ("detak-agent.toml(5)", "detak-collector(1)"),
    ),
    COLLECTOR: Words(
        "derives an auditable downtime figure from heartbeats",
        "It receives evidence from the agents, keeps it as facts, derives downtime from it, and shows and reports the "
        "figure.",
        (
            ("/etc/detak/collector.toml", "Its configuration: detak-collector.toml(5)."),
            ("/etc/detak/services.toml", "What is measured, and by which rules: detak-services.toml(5)."),
            ("/var/lib/detak-collector", "Its store and its keys."),
        ),
        ("detak-collector.toml(5)", "detak-services.toml(5)", "detak-agent(1)"),
    ),
}


def command_page(program: Command) -> str:
    """The man page of a program."""
    words = WORDS[program.name]
    lines = [
        *roff.title(program.name, 1, program.name),
        roff.section("name"),
        f"{roff.escaped(program.name)} \\- {roff.escaped(words.summary)}",
        roff.section("synopsis"),
        f"{roff.bold(program.name)} [{roff.italic('OPTIONS')}] {roff.italic('COMMAND')} [{roff.italic('ARGUMENTS')}]",
        roff.section("description"),
        *roff.text_lines(roff.marked(words.text)),
        roff.section("options"),
        *_options(program.options),
        roff.section("commands"),
    ]
    for command in program.commands:
        lines += [text for one in command.every() for text in _command(one)]
    return roff.page([*lines, *_end(words)])


def _command(command: Command) -> Iterator[str]:
    yield roff.subsection(roff.escaped(" ".join(command.words[1:])))
    if not command.commands:
        yield from roff.text_lines(_synopsis(command))
    for text in command.text.split("\n\n"):
        yield ".PP"
        yield from roff.text_lines(roff.marked(text))
    for one in (one for one in command.arguments if one.choices):
        yield from roff.tagged(roff.italic(one.metavar), roff.marked(told(replace(one, required=False))))
    yield from _options(tuple(one for one in command.options if "--help" not in one.names))


def _synopsis(command: Command) -> str:
    arguments = [_argument(one) for one in command.arguments]
    needed = [_needed(one) for one in command.options if one.required]
    return " ".join([roff.bold(command.name), *needed, "[" + roff.italic("OPTIONS") + "]", *arguments])


def _argument(argument: Option) -> str:
    return roff.italic(argument.metavar)


def _needed(option: Option) -> str:
    return f"{roff.bold(option.names[0])} {roff.italic(option.metavar)}".rstrip()


def _options(options: tuple[Option, ...]) -> Iterator[str]:
    for option in options:
        names = ", ".join(roff.bold(name) for name in option.names)
        yield from roff.tagged(f"{names} {roff.italic(option.metavar)}".rstrip(), roff.marked(told(option)))


def told(option: Option) -> str:
    """What an option does, with what may be left out of it and how often it may stand."""
    more = [
        option.help,
        f"One of {', '.join(f'`{one}`' for one in option.choices)}." if option.choices else "",
        f"It is `{option.default}` unless it is given." if option.default else "",
        "It is required." if option.required else "",
        "It may stand several times." if option.repeated else "",
    ]
    return " ".join(one for one in more if one)


def _end(words: Words) -> Iterator[str]:
    yield roff.section("exit status")
    for code, text in EXIT_CODES:
        yield from roff.tagged(roff.bold(code), roff.marked(text))
    yield roff.section("files")
    for path, text in words.files:
        yield from roff.tagged(roff.bold(path), roff.marked(text))
    yield roff.section("see also")
    yield from roff.text_lines(", ".join(roff.escaped(one) for one in words.see))
