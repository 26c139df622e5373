"""The commands that print figures: `report` and `status` from the store, `recompute` from a bundle of files."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import click

from detak_collector.board import Condition
from detak_collector.bundle import read_bundle
from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place
from detak_collector.cli_session import EXIT_BAD_NEWS, Session, output_console
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.explain import explain
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import Period, PeriodError, parse_period
from detak_collector.figures import Figures, rules_of
from detak_collector.report.document import document
from detak_collector.report.explanation import print_explanation
from detak_collector.report.status import print_status
from detak_collector.report.text import print_report

FORMATS = ("text", "json")
STANDING = (Condition.UP, Condition.DEGRADED)
Asked = tuple[str | None, str | None, str | None]
"""--period, --from and --to, as given."""

Command = TypeVar("Command", bound=Callable[..., object])


def period_options(command: Command) -> Command:
    """The three options that name a period."""
    for option in (
        click.option("--to", "end", help="The instant after the last."),
        click.option("--from", "begin", help="The first instant, such as 2026-10-01 or 2026-10-01T00:00:00Z."),
        click.option("--period", help="2026, 2026-S1, 2026-Q3, 2026-10, 2026-10-05 or 2026-ytd, local."),
    ):
        command = option(command)
    return command


def asked_period(words: str | None, begin: str | None, end: str | None, zone: tzinfo, now: int) -> Period:
    """The period that the options name: `--period`, or `--from` and `--to`."""
    if words is not None and begin is None and end is None:
        try:
            return parse_period(words, zone, now)
        except PeriodError as error:
            raise click.UsageError(f"--{error}") from None
    if words is not None or begin is None or end is None:
        raise click.UsageError("give either --period, or --from and --to")
    first, last = moment(begin, "--from", zone), moment(end, "--to", zone)
    if first >= last:
        raise click.UsageError(f"--to: not after --from (got {end!r})")
    return Period(f"{begin} to {end}", first, last)


def moment(words: str, option: str, zone: tzinfo) -> int:
    """A date or time from the command line, local where it names no zone."""
    place = Place(option, [])
    found = Zone(zone).moment(words, place)
    if found is None:
        raise click.UsageError(place.lines[0])
    return found


def show(result: Result, form: str, service: str | None) -> None:
    """Print the result; with `service`, that one alone (the figure stays the organisation's)."""
    if service is not None:
        known = [one.service.id for one in result.services]
        if service not in known:
            raise click.UsageError(f"--service: no such service; one of {', '.join(known)} (got {service!r})")
    told = document(result)
    if service is not None:
        result = result.only(service)
        told["services"] = [one for one in told["services"] if one["id"] == service]
    if form == "json":
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        print_report(result, result.case.zone, output_console())


@click.command()
@period_options
@click.option("--service", help="Print only this service's rows.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
@click.pass_obj
def report(
    session: Session, period: str | None, begin: str | None, end: str | None, service: str | None, form: str
) -> int:
    """Print the downtime figure of a period. Exit code 1 if the target is missed."""
    result = reported(session, (period, begin, end))
    show(result, form, service)
    return EXIT_BAD_NEWS if result.figure.verdict(result.target_percent) == "missed" else 0


@click.command("explain")
@click.argument("service")
@period_options
@click.option("--bundle", type=click.Path(path_type=Path), help="Explain the files of a bundle instead of the store.")
@click.pass_obj
def explain_command(
    session: Session, service: str, period: str | None, begin: str | None, end: str | None, bundle: Path | None
) -> None:
    """Take every counted second of SERVICE back to its rule, its spans and what excluded its neighbours."""
    if bundle is not None:
        result = recomputed(bundle, (period, begin, end), None)
    else:
        result = reported(session, (period, begin, end))
    known = [one.service.id for one in result.services]
    if service not in known:
        raise click.UsageError(f"SERVICE: no such service; one of {', '.join(known)} (got {service!r})")
    print_explanation(explain(result, service), result.case.zone, session.console)


@click.command()
@click.pass_obj
def status(session: Session) -> int:
    """Print what the status page shows now. Exit code 1 if a service is down, or if nobody sees whether it is."""
    config = session.config()
    rules = rules_of(config)
    with session.existing_store(config) as store:
        board = Figures(store.evidence, store.registry, lambda: rules, session.clock).board_now()
    print_status(board, rules.zone, session.console)
    return EXIT_BAD_NEWS if any(one.condition not in STANDING for one in board.services) else 0


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@period_options
@click.option("--as-of", help="Judge as at this moment: later time has not passed.")
@click.option("--service", help="Print only this service's rows.")
@click.option("--format", "form", type=click.Choice(FORMATS), default="text", show_default=True)
def recompute(  # noqa: PLR0913, PLR0917 - one parameter an option
    path: Path,
    period: str | None,
    begin: str | None,
    end: str | None,
    as_of: str | None,
    service: str | None,
    form: str,
) -> None:
    """Derive figures from the files at PATH, a directory or an archive: no store, no server.

    PATH holds services.toml and facts.ndjson, and may hold exclusions.ndjson and declarations.ndjson.
    """
    show(recomputed(path, (period, begin, end), as_of), form, service)


def reported(session: Session, asked: Asked) -> Result:
    """The period's result from the store."""
    config = session.config()
    rules = rules_of(config)
    period = asked_period(*asked, rules.zone, session.clock().utc)
    with session.existing_store(config) as store:
        return Figures(store.evidence, store.registry, lambda: rules, session.clock).report(period)


def recomputed(path: Path, asked: Asked, as_of: str | None) -> Result:
    """The period's result from files. As of: what the caller says, else the bundle, else the period's end."""
    try:
        bundle = read_bundle(path)
    except CatalogueError as error:
        raise click.UsageError(str(error)) from None
    zone = ZoneInfo(bundle.catalogue.timezone)
    known_as_of = moment(as_of, "--as-of", zone) if as_of is not None else bundle.as_of
    if known_as_of is None and (asked[0] or "").endswith("-ytd"):
        raise click.UsageError("--period: a ytd needs --as-of, because files have no today")
    period = asked_period(*asked, zone, known_as_of or 0)
    case = Case(
        catalogue=bundle.catalogue,
        zone=zone,
        facts=Facts(bundle.facts),
        exclusions=bundle.exclusions,
        declarations=bundle.declarations,
        as_of=known_as_of if known_as_of is not None else period.end,
    )
    return derive(case, period)
