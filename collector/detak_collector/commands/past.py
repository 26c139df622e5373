"""`detak-collector past`: outages of before Detak watched, out of what another program wrote down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from detak_collector.commands.correcting import author, by_option, dry_option
from detak_collector.commands.deciding import desk
from detak_collector.commands.history import Words
from detak_collector.commands.past_effect import decide, show_batches, show_years
from detak_collector.commands.session import Session
from detak_collector.decisions.corrections import with_approved
from detak_collector.decisions.proposal import DECLARATION
from detak_collector.decisions.recording import enter, imagined
from detak_collector.past.asking import Asked, AskedError, Pairs, parted
from detak_collector.past.batch import OWN, Planned, Source, approvals, plan, rejections, withdrawals
from detak_collector.past.mapping import MAPPINGS, Mapping, read_mapping
from detak_collector.past.observed import ObservedTime
from detak_collector.past.outages import Found, Wanted, read_outages, refuse_observed
from detak_collector.report.tables import local_text
from detak_collector.rules import Rules
from detak_collector.stored_months import View

OPTIONS = {"service": "--service", "mapped": "--map"}
"""By the fields of what is asked."""


class Pair(click.ParamType[tuple[str, str]]):
    """Two texts with an equals sign between them; the last one divides them."""

    name = "A=B"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """As click.ParamType says."""
        found = parted(str(value))
        if found is None:
            self.fail(f"expected two texts with = between them (got {value!r})", param, ctx)
        return found


@dataclass(frozen=True, slots=True)
class Given:
    """The options about the file, as given."""

    mapping: str
    asked: Asked

    def read_as(self) -> Mapping:
        """The mapping with what the options add to it; raises CatalogueError, click.UsageError."""
        try:
            return self.asked.applied(self._named())
        except AskedError as error:
            place = "--timezone" if self.asked.timezone else f"{self.mapping}: timezone"
            raise click.UsageError(f"{place}: {error}") from None

    def wanted(self, rules: Rules) -> Wanted:
        """Of which services outages are read; raises click.UsageError."""
        services = [one.id for one in rules.catalogue.services]
        try:
            return self.asked.wanted(services, ZoneInfo(rules.catalogue.timezone))
        except AskedError as error:
            raise click.UsageError(f"{OPTIONS[error.field]}: {error}") from None

    @property
    def tool(self) -> str:
        """What wrote the file."""
        return self.mapping if self.mapping in MAPPINGS else OWN

    def _named(self) -> Mapping:
        read, path = MAPPINGS.get(self.mapping), Path(self.mapping)
        if read is not None:
            return read
        if not path.is_file():
            raise click.UsageError(
                f"--mapping: one of {', '.join(MAPPINGS)}, or a file that is there (got {self.mapping!r})"
            )
        return read_mapping(path.read_bytes(), path.name)


@click.group()
def past() -> None:
    """Begin with the past: outages that another program recorded before Detak watched.

    They become declarations, not evidence: what one person proposes takes effect when another one approves it.
    """


@past.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--mapping", required=True, metavar="NAME|FILE", help=f"{', '.join(MAPPINGS)}, or a TOML file of your own."
)
@click.option("--service", help="Of all that is not mapped.")
@click.option(
    "--map",
    "mapped",
    type=Pair(),
    multiple=True,
    metavar="OBJECT=SERVICE",
    help="Which service a host or monitor is; * and ? stand for others. May stand several times.",
)
@click.option(
    "--ignore-others", is_flag=True, help="Leave out what is mapped to no service, which is refused otherwise."
)
@click.option(
    "--only",
    type=Pair(),
    multiple=True,
    metavar="COLUMN=VALUE",
    help="Only rows with this value there, or with one of several: --only Severity=High.",
)
@click.option("--timezone", help="Of times that name none; the organisation's, unless the mapping says another.")
@click.option("--encoding", help="Of the file, such as cp1252; utf-8 unless the mapping says another.")
@click.option("--document", type=Words(), required=True, help="The document that orders it, such as ND-12/2026.")
@dry_option
@by_option
@click.pass_obj
def import_command(  # noqa: PLR0913 - one parameter an option
    session: Session,
    /,
    file: Path,
    document: str,
    by: str | None,
    *,
    mapping: str,
    service: str | None,
    mapped: Pairs,
    ignore_others: bool,
    only: Pairs,
    timezone: str | None,
    encoding: str | None,
    dry_run: bool,
) -> None:
    """Propose every outage in FILE as a declaration, and print what that makes of each year's figure.

    A file with any problem is refused as a whole, with every line that is wrong. So is an outage in time of which
    checks were observed.
    """
    asked = Asked(mapped, only, service or "", ignore_others, timezone or "", encoding or "")
    given = Given(mapping, asked)
    read_as, content, called = given.read_as(), file.read_bytes(), _name_of(file)
    with desk(session, DECLARATION, entering=not dry_run) as at:
        moment, who = session.clock(), author(by)
        found = read_outages(content, called, read_as, given.wanted(at.rules), moment.utc)
        observed = ObservedTime(View(at.store.evidence, at.rules, moment))
        refuse_observed(found, called, observed, lambda utc: local_text(utc, at.rules.zone))
        register, source = at.register(), Source.of(content, given.tool, called)
        name, planned = source.name, plan(register, found.outages, source, document)
        _tell(found, planned, dry=dry_run)
        if not planned.drafts:
            return
        before = at.corrections(register)
        register, names = (imagined if dry_run else enter)(at.store.database, planned.drafts, who, moment.utc)
        if not dry_run:
            text = f"{who.name} proposes {len(names)} past outages of {called}, {_span(names)}, import {name}"
            at.audit("imported", text, name, who)
            click.echo(text)
            click.echo(f"They take effect once somebody else approves them: `detak-collector past approve {name}`")
        show_years(at, before, with_approved(register, frozenset(names), moment.utc), "if approved")


def _tell(found: Found, planned: Planned, *, dry: bool) -> None:
    for note in found.notes:
        click.echo(note, err=True)
    left = {
        "declared already": planned.known,
        "rows left out by what is chosen": found.filtered,
        "rows of no service that is mapped": found.others,
        "without length": found.empty,
    }
    told = [f"{count} {what}" for what, count in left.items() if count]
    nothing = "Nothing is entered. " if dry else ""
    click.echo(f"{nothing}Outages: {', '.join([f'{len(planned.drafts)} new', *told])}.")


def _name_of(file: Path) -> str:
    """What the file is called, on one line."""
    return "".join(letter if letter.isprintable() else "?" for letter in file.name)


def _span(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"


@past.command("list")
@click.pass_obj
def list_command(session: Session) -> None:
    """List the imports, and how each stands."""
    with desk(session, DECLARATION, entering=False) as at:
        show_batches(at)


_name = click.argument("name")
_remark = click.option("--reason", type=Words(), help="What is to be remembered of it.")
_reason = click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
_document = click.option("--document", type=Words(), help="The document of this step.")


@past.command()
@_name
@_remark
@_document
@dry_option
@by_option
@click.pass_obj
def approve(
    session: Session,
    name: str,
    reason: str | None,
    document: str | None,
    by: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Let all that is pending of the import NAME take effect; its proposer cannot."""
    decide(session, name, lambda batch: approvals(batch, reason or "", document or ""), ("approves", by), dry=dry_run)


@past.command()
@_name
@_reason
@_document
@by_option
@click.pass_obj
def reject(session: Session, name: str, reason: str, document: str | None, by: str | None) -> None:
    """End all that is pending of the import NAME, somebody else's, without effect."""
    decide(session, name, lambda batch: rejections(batch, reason, document or ""), ("rejects", by))


@past.command()
@_name
@_reason
@_document
@dry_option
@by_option
@click.pass_obj
def withdraw(
    session: Session,
    name: str,
    reason: str,
    document: str | None,
    by: str | None,
    dry_run: bool,  # noqa: FBT001
) -> None:
    """Take your own import NAME back; of what is in force of it propose the end, which somebody else approves."""
    decide(session, name, lambda batch: withdrawals(batch, reason, document or ""), ("withdraws", by), dry=dry_run)
