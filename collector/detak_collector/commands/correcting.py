"""The options by which an exclusion or a declaration is described, and the record that they come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from zoneinfo import ZoneInfo

import click

from detak_collector.catalogue.corrections import read_declaration, read_exclusion
from detak_collector.catalogue.values import TEXT_CHARACTERS
from detak_collector.commands.figures import moment
from detak_collector.commands.history import Words
from detak_collector.commands.session import login_name
from detak_collector.decisions.proposal import EXCLUSION, About
from detak_collector.decisions.recording import Author
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.report.numbers import iso_utc

ONCE = "once"
SCOPE_HELP = {
    "service": "About this service.",
    "group": "About this group: its id where it is shared, or SERVICE/GROUP.",
    "check": "About this check, NODE/CHECK.",
    "node": "About all checks of this node.",
    "site": "About all nodes of this site.",
}

Command = Callable[..., object]


class Person(Words):
    """A person's name."""

    name = "NAME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As click.ParamType says."""
        told = super().convert(value, param, ctx)
        if len(told) > TEXT_CHARACTERS or not any(letter.isalnum() for letter in told):
            self.fail(f"expected a name of at most {TEXT_CHARACTERS} characters (got {value!r})", param, ctx)
        return told


by_option = click.option("--by", type=Person(), help="Who says so; whoever is logged in, unless it is given.")
dry_option = click.option("--dry-run", is_flag=True, help="Only print what it would change; enter nothing.")


def author(by: str | None) -> Author:
    """Who speaks."""
    login = login_name()
    return Author(by or login, login)


@dataclass(frozen=True, slots=True)
class Described:
    """The options as given; None and empty where one was left out."""

    category: str | None
    scopes: Mapping[str, str]
    everything: bool
    begin: str | None
    end: str | None
    document: str | None
    reason: str | None
    recurrence: str | None = None
    zone: str | None = None
    without: tuple[str, ...] = ()

    def over(self, before: Mapping[str, Any], zone: ZoneInfo) -> dict[str, Any]:
        """The record `before` with what was given; raises click.UsageError."""
        record = dict(before)
        scope = self._scope()
        given = {
            "category": self.category,
            "scope": scope,
            "from": None if self.begin is None else iso_utc(moment(self.begin, "--from", zone)),
            "to": None if self.end is None else iso_utc(moment(self.end, "--to", zone)),
            "document": self.document,
            "reason": self.reason,
        }
        record |= {key: value for key, value in given.items() if value is not None}
        self._recur(record, zone)
        return record

    def _scope(self) -> dict[str, Any] | None:
        named: dict[str, Any] = dict(self.scopes)
        if self.everything:
            named["all"] = True
        if len(named) > 1:
            raise click.UsageError(f"--{list(named)[1]}: one scope only (got --{' and --'.join(named)})")
        return named or None

    def _recur(self, record: dict[str, Any], zone: ZoneInfo) -> None:
        if self.recurrence == ONCE:
            for key in ("recurrence", "timezone", "except"):
                record.pop(key, None)
            return
        if self.recurrence is not None:
            record["recurrence"] = self.recurrence.removeprefix("RRULE:")
            # Named, so that it stays the same when the organisation's zone is another one some day.
            record.setdefault("timezone", zone.key)
        if self.zone is not None:
            record["timezone"] = self.zone
        if self.without:
            record["except"] = [iso_utc(moment(one, "--except", zone)) for one in self.without]


def described_options(
    categories: tuple[str, ...], scopes: tuple[str, ...], *, recurring: bool, required: bool
) -> Callable[[Command], Command]:
    """The options of a record; the command gets them as `described`."""

    def decorated(command: Command) -> Command:
        @wraps(command)
        def gathered(*given: object, **options: Any) -> object:  # noqa: ANN401 - click's values, of all types
            names = ("category", "begin", "end", "document", "reason")
            plain = {name: options.pop(name) for name in names}
            named = {kind: value for kind in scopes if (value := options.pop(kind)) is not None}
            rule = {name: options.pop(name) for name in ("recurrence", "zone", "without") if recurring}
            described = Described(scopes=named, everything=options.pop("everything", False), **plain, **rule)
            return command(*given, described=described, **options)

        made: Command = gathered
        for option in _options(categories, scopes, recurring=recurring, required=required):
            made = option(made)
        return made

    return decorated


def _options(
    categories: tuple[str, ...], scopes: tuple[str, ...], *, recurring: bool, required: bool
) -> list[Callable[[Command], Command]]:
    found: list[Callable[[Command], Command]] = [
        click.option("--reason", type=Words(), required=required, help="Why, for those who check it later."),
        click.option("--document", type=Words(), required=required, help="Its document, such as ND-12/2026."),
    ]
    if recurring:
        found += [
            click.option("--except", "without", multiple=True, help="When a window begins that does not take place."),
            click.option("--timezone", "zone", help="In whose days and hours it recurs, unless the organisation's."),
            click.option("--recurrence", help=f'It recurs: "FREQ=WEEKLY;BYDAY=SU". "{ONCE}": it does not.'),
        ]
    found += [
        click.option("--to", "end", required=required, help="The instant after the last."),
        click.option("--from", "begin", required=required, help="The first instant, such as 2026-03-01T22:00, local."),
    ]
    if recurring:
        found.append(click.option("--all", "everything", is_flag=True, help="About every service."))
    found += [click.option(f"--{kind}", kind, help=SCOPE_HELP[kind]) for kind in reversed(scopes)]
    found.append(click.option("--category", type=click.Choice(categories), required=required, help="What kind it is."))
    return found


def check_record(about: About, record: Mapping[str, Any], who: Author, now: int, where: tuple[Catalogue, str]) -> None:
    """Whether the record may be proposed under the catalogue in force; raises CatalogueError."""
    catalogue, what = where
    if "scope" not in record:
        raise click.UsageError(f"{what}: say what it is about, such as --service ID")
    whole = {**record, "id": "x1", "proposed_by": who.name, "proposed_at": iso_utc(now)}
    if about == EXCLUSION:
        read_exclusion(whole, ZoneInfo(catalogue.timezone), catalogue, what)
    else:
        read_declaration(whole, catalogue, what)
