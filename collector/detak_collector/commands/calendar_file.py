"""`exclude import` and `exclude export`: planned work from an iCalendar file, and into one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from detak_collector.catalogue.place import CatalogueError
from detak_collector.commands.correcting import author, by_option, dry_option
from detak_collector.commands.deciding import Desk, desk
from detak_collector.commands.history import Words
from detak_collector.commands.listing import words
from detak_collector.commands.session import Session
from detak_collector.decisions.corrections import with_approved
from detak_collector.decisions.proposal import EXCLUSION
from detak_collector.decisions.recording import Author, Ruling, enter, found, imagined
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES
from detak_collector.report.output import write_report

if TYPE_CHECKING:
    from detak_collector.decisions.importing import Plan

# The library of calendars takes a third of a second to load, which no other command should wait for.


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--category", type=click.Choice(EXCLUSION_CATEGORIES), help="Of events that say none themselves.")
@click.option("--service", help="What events are about that do not say so: this service,")
@click.option("--group", help="or this group,")
@click.option("--check", help="or this check,")
@click.option("--node", help="or this node,")
@click.option("--site", help="or this site,")
@click.option("--all", "everything", is_flag=True, help="or every service.")
@click.option("--document", type=Words(), help="The document of events that name none.")
@dry_option
@by_option
@click.pass_obj
def import_command(
    session: Session,
    /,
    file: Path,
    by: str | None,
    *,
    dry_run: bool,
    everything: bool,
    **said: str | None,
) -> None:
    """Propose every event of an iCalendar FILE as an exclusion.

    An event is known again by its UID: one that has changed amends, one that was cancelled is withdrawn, and one that
    is the same is left alone. A file with any problem is refused as a whole.
    """
    from detak_collector.decisions.calendar_events import Defaults  # noqa: PLC0415
    from detak_collector.decisions.calendar_file import read_calendar  # noqa: PLC0415
    from detak_collector.decisions.importing import plan  # noqa: PLC0415

    category, document = said.pop("category"), said.pop("document")
    named: dict[str, str | bool] = {kind: target for kind, target in said.items() if target is not None}
    if everything:
        named["all"] = True
    if len(named) > 1:
        raise click.UsageError(f"--{list(named)[1]}: one scope only (got --{' and --'.join(named)})")
    defaults = Defaults(category, named or None, document)
    with desk(session, EXCLUSION, entering=not dry_run) as at:
        events = read_calendar(file.read_bytes(), file.name, defaults, at.rules.catalogue)
        who = author(by)
        made = plan(at.register(), events, who.name, file.name)
        if made.problems:
            raise CatalogueError(made.problems)
        _enter(at, made, who, dry=dry_run)


def _enter(at: Desk, made: Plan, who: Author, *, dry: bool) -> None:
    now = at.session.clock().utc
    before = at.corrections(at.register())
    register, names = (imagined if dry else enter)(at.store.database, made.steps, who, now)
    proposed = []
    for step, name in zip(made.steps, names, strict=True):
        matter = found(register, name, EXCLUSION)
        if isinstance(step, Ruling):
            text, event = f"{who.name} takes back {name}: {step.reason}", "taken-back"
        else:
            text, event = f"{who.name} proposes {name}: {words(matter, at.rules.zone)}", "proposed"
            proposed.append(name)
        if not dry:
            at.audit(event, text, name, who)
        click.echo(text)
    for line in made.unchanged:
        click.echo(f"unchanged, {line}")
    taken_back, unchanged = len(names) - len(proposed), len(made.unchanged)
    nothing = "Nothing is entered. " if dry else ""
    click.echo(f"{nothing}{len(proposed)} proposed, {taken_back} taken back, {unchanged} unchanged.")
    if proposed:
        click.echo(f"They take effect once somebody else approves them: `{at.command} approve ID`")
        at.show_effect(before, with_approved(register, proposed, now), "if all are approved")


@click.command("export")
@click.option("-o", "--output", "file", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="Write into FILE, whole or not at all; one that is there is replaced.")  # fmt: skip
@click.pass_obj
def export_command(session: Session, file: Path | None) -> None:
    """Write all that is in force or pending as an iCalendar file, which `import` understands."""
    from detak_collector.decisions.calendar_file import write_calendar  # noqa: PLC0415

    with desk(session, EXCLUSION, entering=False) as at:
        register = at.register()
        shown = [one for one in register.about(EXCLUSION) if one.live and not one.is_withdrawal]
        content = write_calendar(register, shown)
    if file is None:
        click.echo(content, nl=False)
    else:
        write_report(file, content)
