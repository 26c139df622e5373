"""`detak-collector rollup`: the bundles of several organisations in one table, each checked as a whole."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from detak_collector.bundle.checking import Checked, checked
from detak_collector.bundle.package import BundleError, Package, open_package
from detak_collector.commands.packed import months_bar
from detak_collector.commands.session import EXIT_BAD_NEWS, WIDTH, output_console
from detak_collector.downtime.derive import Result
from detak_collector.report.numbers import clock_text
from detak_collector.report.output import write_report
from detak_collector.report.rollup import Figure, Member, Rollup, rollup_csv, rollup_json
from detak_collector.report.tables import coverage_text, percent_text, plain_text, verdict_text
from detak_collector.report.terminal import printable

FORMATS = ("text", "json", "csv")
DIGEST_CHARACTERS = 12


@click.command()
@click.argument("bundles", nargs=-1, required=True, metavar="BUNDLE...",
                type=click.Path(path_type=Path, exists=True, dir_okay=False))  # fmt: skip
@click.option("--format", "form", type=click.Choice(FORMATS), default=FORMATS[0], show_default=True,
              help="How it is written.")  # fmt: skip
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write into FILE, whole or not at all; one that is there is replaced.")  # fmt: skip
def rollup(bundles: tuple[Path, ...], form: str, file: Path | None) -> int:
    """Put the figures of several organisations' bundles into one table: no store, no server.

    Each bundle is checked as a whole: chain, facts, entries and figure. One that is not sound is shown, and left out of
    the sums. All must be of one period. Exit code 1 if one is not sound.
    """
    made = Rollup(tuple(map(_member, bundles)))
    clashes = made.clashes()
    if clashes:
        raise click.UsageError("BUNDLE: all must be of one period, each organisation once:\n" + "\n".join(clashes))
    if form == "text" and file is None:
        _print(made, output_console())
    else:
        content = {"json": rollup_json, "csv": rollup_csv}[form](made) if form != "text" else _text(made)
        if file is not None:
            write_report(file, content)
        else:
            click.echo(content, nl=False)
    return 0 if made.is_sound else EXIT_BAD_NEWS


def _member(path: Path) -> Member:
    """What a bundle comes to; raises OSError."""
    try:
        package = open_package(path)
        with months_bar(f"checking {path.name}", len(package.manifest.months)) as step:
            found = checked(package, None, step)
    except BundleError as error:
        return Member(path.name, wrong=(str(error).removeprefix(f"{path}: "),))
    return _of(path, package, found)


def _of(path: Path, package: Package, found: Checked) -> Member:
    told, result = package.manifest, found.result
    return Member(
        file=path.name,
        organisation="" if result is None else result.case.catalogue.organisation.value_at(result.last),
        period=told.period,
        begin=told.from_utc,
        end=told.to_utc,
        as_of=told.as_of,
        collector=told.collector,
        ledger=told.ledger,
        digest=told.result,
        figure=None if result is None or found.wrong else _figure(result),
        wrong=found.wrong,
    )


def _figure(result: Result) -> Figure:
    services = sum(one.in_figure is not None for one in result.services)
    return Figure(result.figure, result.target_percent, services)


def _text(made: Rollup) -> bytes:
    told = StringIO()
    _print(made, Console(file=told, width=WIDTH, highlight=False, markup=False))
    return told.getvalue().encode()


def _print(made: Rollup, console: Console) -> None:
    columns = ("organisation", "figure", "downtime", "at least", "at most", "coverage", "target", "verdict", "bundle",
               "digest")  # fmt: skip
    table = Table(*columns, box=None, pad_edge=False)
    for one in made.members:
        name = printable(one.organisation) or "-"
        if one.figure is None:
            table.add_row(name, *["-"] * 7, Text(f"{printable(one.file)}: NOT SOUND", style="red"), "-")
            continue
        totals, target = one.figure.totals, one.figure.target_percent
        table.add_row(
            name,
            percent_text(totals.percent),
            clock_text(totals.counted_ms),
            clock_text(totals.certain_ms),
            clock_text(totals.possible_ms),
            coverage_text(totals.coverage),
            f"{plain_text(target)} %",
            verdict_text(totals.standing(target)),
            f"{printable(one.file)}: sound",
            one.digest[:DIGEST_CHARACTERS],
        )
    periods = dict.fromkeys(one.period for one in made.members if one.period)
    count = len(made.members)
    console.print(f"{', '.join(periods) or '-'}: {count} bundle{'' if count == 1 else 's'}")
    console.print(table)
    console.print()
    _print_all(made, console)


def _print_all(made: Rollup, console: Console) -> None:
    totals = made.totals
    exactly = f"exactly {totals.counted_ms:,} ms counted of {totals.service_time_ms:,} ms"
    console.print(f"All: {percent_text(totals.percent)}, the ratio of sums: {exactly}")
    console.print(f"Coverage of all: {coverage_text(totals.coverage)}")
    console.print(f"Beside it: the plain mean of {len(made.sound)} figures is {percent_text(made.mean)}")
    for one in made.members:
        for line in one.wrong:
            console.print(Text(f"{printable(one.file)}: {printable(line)}", style="red"), soft_wrap=True)
    left_out = len(made.members) - len(made.sound)
    if left_out:
        console.print(f"{left_out} not sound, and in no sum.")
