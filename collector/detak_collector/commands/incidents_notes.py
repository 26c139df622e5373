"""`detak-collector incidents note|notes|retract`: words to those who look at the status page."""

from __future__ import annotations

import click
from rich.table import Table

from detak_collector.annotations import drafts, recording
from detak_collector.annotations.known import KnownAnnotations
from detak_collector.commands.correcting import by_option
from detak_collector.commands.incidents_telling import changing, speaker
from detak_collector.commands.session import Session
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force


def add_notes(group: click.Group) -> None:
    """Gives `incidents` these commands."""
    for command in (note, notes, retract):
        group.add_command(command)


@click.command()
@click.argument("number", type=click.IntRange(1, 2**53), required=False)
@click.option("--id", "in_id", default="", help="What it says, in Indonesian.")
@click.option("--en", "in_en", default="", help="What it says, in English.")
@click.option("--public/--internal", default=False, help="Whether everybody sees it, or those who signed in (default).")
@by_option
@click.pass_obj
def note(
    session: Session,
    number: int | None,
    in_id: str,
    in_en: str,
    public: bool,  # noqa: FBT001 - an option
    by: str | None,
) -> None:
    """Put a note on the status page, about the outage NUMBER or about no outage.

    It stands there as long as the outage lasts, and for a day. Everybody is told when and in which role it was written,
    and those who signed in by whom.
    """
    with changing(session) as (store, zone):
        draft = drafts.note_drafted(public, in_id, in_en, number)
        said = recording.say(store.database, draft, speaker(by), session.clock().utc)
        when = local_text(said.at, zone)
    kind, handle = "public" if public else "internal", said.id[:8]
    session.audit(session.config(), "note-written", f"note {handle} ({kind})", note=handle)
    click.echo(f"note {handle} ({kind}), {when} by {said.by}")
    click.echo(f"`detak-collector incidents retract {handle}` takes it back.")


@click.command()
@click.argument("handle", metavar="NOTE")
@by_option
@click.pass_obj
def retract(session: Session, handle: str, by: str | None) -> None:
    """Take a NOTE back, by the digits that `incidents notes` shows. It stays on record."""
    with changing(session) as (store, _):
        taken = recording.retract(store.database, handle, speaker(by), session.clock().utc)
    session.audit(session.config(), "note-retracted", f"note {taken.id[:8]}", note=taken.id[:8])
    click.echo(f"note {taken.id[:8]} is taken back")


@click.command()
@click.pass_obj
def notes(session: Session) -> None:
    """List the notes that stand, the latest first."""
    config = session.config()
    with session.existing_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        standing = KnownAnnotations(store.database).told().notes
    if not standing:
        click.echo("No note was written, or all were taken back.")
        return
    table = Table("note", "when", "by", "for", "outage", "text", box=None, pad_edge=False)
    for one in reversed(standing):
        table.add_row(
            one.id[:8],
            local_text(one.at, zone),
            one.by,
            "everybody" if one.body.public else "those who signed in",
            "" if one.body.outage is None else str(one.body.outage),
            printable(one.body.id or one.body.en),
        )
    session.console.print(table)
