"""The documents name only commands and options that there are, and every command is told of on a page for people."""

import contextlib
import io
import re
from collections.abc import Iterator

import click
import pytest
from manual.programs import Command, programs

from detak_agent.cli import _parser
from detak_collector.cli import group
from documentation import PROGRAMS, REFERENCE, ROOT, WRITTEN, code_in_text, command_lines, fences

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z-]*\b")
OF_OTHERS = {
    "--dry-run", "--enable", "--now", "--no-pager", "--purge", "--remove", "--silent", "--cacert", "--user", "--help",
    "--require-hashes", "--upgrade", "--whole", "--module", "--target", "--diff", "--program", "--machine", "--release",
}  # fmt: skip
"""Options of other programs, which documents show too."""
OF_BENCH = {
    option
    for script in (ROOT / "bench").rglob("*.py")
    for option in re.findall(r'add_argument\(\s*"(--[a-z-]+)"', script.read_text(encoding="utf-8"))
}
"""Options of what `make` runs to measure and to prove."""
EVERY = {command.name: command for program in programs() for command in program.every()}
CODE = ["\n".join(piece.text for piece in (*fences(page), *code_in_text(page))) for page in WRITTEN]
"""Of each page all code."""


def refusal_of_agent(words: list[str]) -> str:
    said = io.StringIO()
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        try:
            _parser().parse_args(words)
        except SystemExit as end:
            return said.getvalue().strip().rpartition("\n")[2] if end.code else ""
    return ""


def refusal_of_collector(words: list[str]) -> str:
    command: click.Command = group
    context: click.Context | None = None
    name = "detak-collector"
    try:
        while True:
            context = command.make_context(name, list(words), parent=context)
            left = [*context._protected_args, *context.args]
            if not isinstance(command, click.Group) or not left:
                return ""
            found, below, words = command.resolve_command(context, left)
            if below is None or found is None:
                return f"no such command: {left[0]}"
            name, command = found, below
    except click.exceptions.Exit:
        return ""
    except click.BadParameter as error:
        # What is shown shortened is no value.
        return "" if any("…" in word for word in words) else error.format_message()
    except click.ClickException as error:
        return error.format_message() or "it is given no command"


@pytest.fixture(autouse=True)
def no_file_need_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(click.Path, "convert", lambda _self, value, _param, _context: value)


def named_in(words: list[str]) -> Iterator[str]:
    """The commands that a line goes through, as far as there are such."""
    for length in range(1, len(words) + 1):
        if " ".join(words[:length]) in EVERY:
            yield " ".join(words[:length])


def test_every_command_line_in_a_block_is_one_that_the_program_takes() -> None:
    lines = list(command_lines(WRITTEN))
    refusals = {"detak-agent": refusal_of_agent, "detak-collector": refusal_of_collector}
    refused = [
        f"{fence.place}: {' '.join(words)}: {reason}"
        for fence, words in lines
        if (reason := refusals[words[0]](words[1:]))
    ]
    assert len(lines) > 100
    assert not refused, "\n".join(refused)


def test_every_command_that_a_text_names_exists_with_the_options_that_stand_beside_it() -> None:
    wrong = []
    for piece in (one for page in WRITTEN for one in code_in_text(page)):
        words = piece.text.split()
        if not words or words[0] not in PROGRAMS:
            continue
        plain = [word for word in words if re.fullmatch(r"[a-z][a-z-]*", word)]
        command = EVERY[max(named_in(plain), key=len)]
        begun = set(EVERY) & {" ".join(plain[:2]), plain[0]}
        if len(plain) > 1 and not words[1].startswith("-") and len(begun) < 2 and words[1] == plain[1]:
            wrong.append(f"{piece.place}: {piece.text}: no such command")
        known = {name for one in [EVERY[words[0]], *above(command), command] for name in names_of(one)}
        wrong += [f"{piece.place}: {piece.text}: no {one}" for one in OPTION.findall(piece.text) if one not in known]
    assert not wrong, "\n".join(wrong)


def above(command: Command) -> list[Command]:
    """Those on the way to it, and those in it: `seal --check` is an option of `seal period`."""
    return [EVERY[" ".join(command.words[:length])] for length in range(1, len(command.words))] + list(command.commands)


def names_of(command: Command) -> set[str]:
    return {name for option in command.options for name in option.names} | {"--help"}


def test_every_option_that_a_text_names_is_one_of_some_command() -> None:
    known = {name for command in EVERY.values() for name in names_of(command)} | OF_OTHERS | OF_BENCH
    wrong = {
        f"{piece.place}: {option}"
        for page in WRITTEN
        for piece in code_in_text(page)
        if not piece.text.startswith(("pip ", "uv ", "make ", "python ", "systemd", "DETAK_"))
        for option in OPTION.findall(piece.text)
        if option not in known
    }
    assert not wrong, "no option of ours; one of another program belongs into OF_OTHERS:\n" + "\n".join(sorted(wrong))


@pytest.mark.parametrize("name", EVERY)
def test_every_command_is_told_of_on_a_page_for_people(name: str) -> None:
    program, *words = name.split()
    # `seal 2026-10` is `seal period 2026-10`; `reject` is told of beside the other words of `exclude`.
    words = words[:-1] if words[-1:] == ["period"] else words
    asked = [rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in words or [program]]
    assert any(all(re.search(one, code) for one in asked) for code in CODE), f"no page tells of {name}"


def test_the_reference_has_every_option() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    for command in EVERY.values():
        section = text.partition(f"# {command.name}\n")[2].partition("\n##")[0]
        missing = [name for name in names_of(command) - {"--help", "-h"} if f"`{name}" not in section]
        assert not missing, f"{command.name}: {missing}"


def test_every_command_and_every_option_says_what_it_is_for() -> None:
    silent = [command.name for command in EVERY.values() if not command.text]
    options = [(command, option) for command in EVERY.values() for option in command.options]
    assert silent + [f"{command.name} {option.names[0]}" for command, option in options if not option.help] == []
