"""`detak-collector calendar fill`: a year's national holidays and joint leave, proposed for a calendar's table.

It proposes and never decides: what a person has put a decree on stays, and joint leave is said to need checking.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import click

from detak_collector.catalogue.holiday_table import HEADER, UNCHECKED, written_holidays
from detak_collector.catalogue.moments import FIRST_YEAR
from detak_collector.catalogue.organisation import parse_beside, text_of
from detak_collector.catalogue.place import CatalogueError, resembling
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.downtime.catalogue import HOLIDAY_KINDS, Calendar, Holiday

COUNTRY = "ID"
LANGUAGE = "id"
NATIONAL, JOINT_LEAVE = HOLIDAY_KINDS
CATEGORIES = {NATIONAL: "public", JOINT_LEAVE: "government"}
"""What the library calls each kind."""

ESTIMATED = "(perkiraan)"
LAST_YEAR = 2100

CHECK = (
    "Check every row against the decree (SKB), above all joint leave, which is decreed anew for each year and changed\n"
    "during it. Write the decree's number into the rows that are right: `calendar fill` never touches such a row."
)
NO_JOINT_LEAVE = (
    "No joint leave is known for {year}: no figure of {year} is computed until its rows stand in {file}, such as\n"
    "{year}-12-24,Cuti Bersama Hari Raya Natal,joint-leave,NUMBER OF THE DECREE\n"
    "or, if the decree grants none, until calendar {calendar} has joint_leave_none = [{year}]."
)


@dataclass(frozen=True, slots=True)
class Filled:
    """A table after a year was proposed: `added` rows are new or were proposed before; `kept` rows are a person's."""

    rows: tuple[Holiday, ...]
    added: tuple[Holiday, ...]
    kept: tuple[Holiday, ...]


def fill_year(rows: Iterable[Holiday], proposed: Iterable[Holiday], year: int) -> Filled:
    """The proposal takes the place of an earlier one for that year; days that a person wrote down stay as they are."""
    present = tuple(rows)
    kept = tuple(one for one in present if one.day.year == year and not one.decree.startswith(UNCHECKED))
    taken = {one.day for one in kept}
    added = tuple(one for one in proposed if one.day not in taken)
    others = tuple(one for one in present if one.day.year != year)
    return Filled((*others, *kept, *added), added, kept)


def proposal(year: int, decree: str | None) -> tuple[Holiday, ...]:
    """What the library knows of a year."""
    import holidays  # noqa: PLC0415 - large, and needed by this command alone

    words = decree or f"{UNCHECKED}: from holidays {version('holidays')}"
    found: list[Holiday] = []
    for kind, category in CATEGORIES.items():
        days = holidays.country_holidays(COUNTRY, years=year, categories=(category,), language=LANGUAGE)
        found.extend(Holiday(day, name, kind, words) for day, name in sorted(days.items()))
    return tuple(found)


@click.group()
def calendar() -> None:
    """Look after the holidays of service hours."""


@calendar.command()
@click.argument("name", metavar="CALENDAR")
@click.option("--year", type=click.IntRange(FIRST_YEAR, LAST_YEAR), required=True, help="Whose days these are.")
@click.option("--decree", help="The decree's number, for rows that were checked against it already.")
@click.option("--services", type=click.Path(path_type=Path), help="Another services.toml than the collector's.")
@click.pass_obj
def fill(session: Session, name: str, year: int, decree: str | None, services: Path | None) -> int:
    """Write a year's holidays and joint leave into the table of CALENDAR, to be checked against the decree.

    Exit code 1 if no joint leave is known for that year.
    """
    path = services or session.config().services
    found = _calendar(path, name)
    table = path.parent / str(found.holidays_file)
    filled = fill_year(found.holidays, proposal(year, decree), year)
    write_like(table, written_holidays(filled.rows), path)
    _tell(filled, table, year, checked=decree is not None)
    if year in found.joint_leave_none or any(one.kind == JOINT_LEAVE for one in (*filled.added, *filled.kept)):
        return 0
    click.echo(NO_JOINT_LEAVE.format(year=year, file=table.name, calendar=name))
    return EXIT_BAD_NEWS


def _calendar(path: Path, name: str) -> Calendar:
    """The calendar in services.toml; its table may still be missing."""
    content = text_of(path)
    if content is None:
        raise CatalogueError([f"{path}: not a readable text file"])

    def beside(called: str) -> str | None:
        table = path.parent / called
        return text_of(table) if table.exists() else HEADER

    calendars = {one.id: one for one in parse_beside(content, str(path), beside).calendars}
    if name not in calendars:
        known = resembling(name, calendars) or f"; known are {', '.join(calendars) or 'none'}"
        raise click.UsageError(f"CALENDAR: {path} has no such [[calendar]]{known} (got {name!r})")
    if calendars[name].holidays_file is None:
        raise CatalogueError([f'{path}: calendar[{name}].holidays: required here; write holidays = "holidays-id.csv"'])
    return calendars[name]


def write_like(path: Path, content: str, model: Path) -> None:
    """Replace the file at once, readable for whom it was before; a new one for those who may read `model`."""
    status = (path if path.exists() else model).stat()
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        fresh.write_text(content, encoding="utf-8")
        fresh.chmod(status.st_mode & 0o777)
        with suppress(PermissionError):
            os.chown(fresh, status.st_uid, status.st_gid)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def _tell(filled: Filled, table: Path, year: int, *, checked: bool) -> None:
    for one in sorted(filled.added, key=lambda one: one.day):
        estimate = "  estimated" if ESTIMATED in one.name else ""
        click.echo(f"{one.day} {one.day:%a}  {one.kind:<11}  {one.name}{estimate}")
    counts = {kind: sum(one.kind == kind for one in filled.added) for kind in HOLIDAY_KINDS}
    click.echo(
        f"{table}: {year}: wrote {counts[NATIONAL]} national holidays and {counts[JOINT_LEAVE]} days of joint leave;"
        f" rows that name a decree and were kept: {len(filled.kept)}"
    )
    click.echo("A running collector reads the table when it is reloaded (SIGHUP).")
    if not checked:
        click.echo(CHECK)
