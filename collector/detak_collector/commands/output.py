"""What `report` and `recompute` can be told of their output: options, what contradicts itself, and the delivery."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Self, TypeVar

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from detak_collector.commands.session import WIDTH, output_console
from detak_collector.downtime.derive import Result
from detak_collector.downtime.outages import LAYERS
from detak_collector.report.delimited import TABLES
from detak_collector.report.formats import FORMATS, Format, Order
from detak_collector.report.narrowed import SITE, UnknownPartError, narrowed
from detak_collector.report.of_category import CATEGORY, is_category
from detak_collector.report.output import write_report
from detak_collector.report.progress import Unwatched
from detak_collector.translation import ENGLISH, LANGUAGES

TEXT = "text"
NAMES = (TEXT, *FORMATS)

Command = TypeVar("Command", bound=Callable[..., object])


@dataclass(frozen=True, slots=True)
class Output:
    """The options as given."""

    form: str
    language: str | None
    table: str | None
    file: Path | None
    service: str | None
    part: str | None

    def refuse(self) -> None:
        """What contradicts itself, before anything is derived; raises click.UsageError."""
        kind = FORMATS.get(self.form)
        if self.table is not None and self.form != "csv":
            raise click.UsageError(f"--table: only a csv has it (got --format {self.form})")
        if self.language is not None and kind is not None and not kind.worded:
            raise click.UsageError(f"--language: {self.form} is the same in every language; leave it out")
        if self.service is not None and kind is not None and kind.whole:
            told = f"{self.form} shows all that makes the figure; --of {self.service} reports on this service alone"
            raise click.UsageError(f"--service: {told}")
        if self.service is not None and self.of_category:
            raise click.UsageError(f"--service: not with --of {self.part}, which tells what each service had of it")
        if self.file is None and kind is not None and kind.binary and sys.stdout.isatty():
            raise click.UsageError(f"--format: {self.form} is not for a terminal; give -o FILE")

    @property
    def tells_effects(self) -> bool:
        """Whether what each exclusion changed is shown, which has to be derived."""
        return not self.of_category and (self.form != "csv" or self.table == "exclusions")

    @property
    def of_category(self) -> bool:
        """Whether it is the report of a category, which has no figure of its own."""
        return self.part is not None and is_category(self.part)


def output_options(command: Callable[..., object]) -> Callable[..., object]:
    """The options of an output; the command gets them as `output`."""

    @wraps(command)
    def gathered(
        *given: object,
        form: str,
        language: str | None,
        table: str | None,
        file: Path | None,
        service: str | None,
        part: str | None,
        **others: object,
    ) -> object:
        return command(*given, output=Output(form, language, table, file, service, part), **others)

    for option in (
        click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
                     help="Write into FILE, whole or not at all; one that is there is replaced."),
        click.option("--table", type=click.Choice(TABLES), help=f"Which rows a csv has; {TABLES[0]} unless given."),
        click.option("--language", type=click.Choice(LANGUAGES), help=f"Of what people read; {ENGLISH} unless given."),
        click.option("--format", "form", type=click.Choice(NAMES), default=TEXT, show_default=True,
                     help="How it is written."),
        click.option("--service", help="Print only this service's rows; the figure stays the organisation's."),
        click.option("--of", "part", metavar="ID",
                     help="Of a unit, a service or site:NAME, each with its own figure; or of category:NAME."),
    ):  # fmt: skip
        gathered = option(gathered)
    return gathered


def part_of(result: Result, output: Output) -> Result:
    """What the report is of; raises click.UsageError where there is no such thing."""
    if output.part is not None and not output.of_category:
        try:
            result = narrowed(result, output.part)
        except UnknownPartError as error:
            meant = f"; for the category write {CATEGORY}{output.part}" if output.part in LAYERS else ""
            if ":" in output.part and not output.part.startswith(SITE):
                meant = f"; with a colon there are {SITE}NAME and {CATEGORY}NAME"
            raise click.UsageError(f"--of: {error}{meant}") from None
    known = [one.service.id for one in result.services]
    if output.service is not None and output.service not in known:
        raise click.UsageError(f"--service: no such service; one of {', '.join(known)} (got {output.service!r})")
    return result


def deliver(result: Result, output: Output, effects: Mapping[str, int] | None) -> None:
    """The report of `result`, as `part_of` gave it, to where it was asked for. Raises OSError, click.UsageError.

    `effects`: what each exclusion took out, None where that was not measured.
    """
    if output.of_category:
        from detak_collector.commands.of_category import deliver_category  # noqa: PLC0415 - it needs this module

        deliver_category(result, output)
        return
    shown = result if output.service is None else result.only(output.service)
    kind = FORMATS.get(output.form)
    if kind is None:
        _text(shown, output, effects or {})
        return
    with _watched(output, kind) as progress:
        content = kind.made(shown, Order(output.language or ENGLISH, output.table or TABLES[0], progress, effects))
    if output.file is not None:
        write_report(output.file, content)
    else:
        click.echo(content, nl=False)


def _text(result: Result, output: Output, effects: Mapping[str, int]) -> None:
    from detak_collector.report.text import print_report  # noqa: PLC0415 - as in formats.py
    from detak_collector.translation.language import language  # noqa: PLC0415

    speech = language(output.language or ENGLISH)
    if output.file is None:
        print_report(result, result.case.zone, output_console(), speech, effects)
        return
    told = StringIO()
    console = Console(file=told, width=WIDTH, highlight=False, markup=False)
    print_report(result, result.case.zone, console, speech, effects)
    write_report(output.file, told.getvalue().encode())


def _watched(output: Output, kind: Format) -> AbstractContextManager[_Bar | Unwatched]:
    """A bar, where somebody at a terminal waits for a file of a format that tells how far it has come."""
    waits = kind.worded and output.file is not None and sys.stderr.isatty()
    return _Bar() if waits else nullcontext(Unwatched())


class _Bar:
    """A progress bar on standard error."""

    def __init__(self) -> None:
        columns = (TextColumn("writing"), BarColumn(), TextColumn("{task.percentage:.0f} %"), TimeRemainingColumn())
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._task = self._progress.add_task("")

    def begin(self, steps: int) -> None:
        """So many rows are to be written."""
        self._progress.update(self._task, total=max(steps, 1))

    def step(self, steps: int = 1) -> None:
        """So many more are done."""
        self._progress.advance(self._task, steps)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()
