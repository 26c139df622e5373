"""`detak-collector incidents annotate|acknowledge|attach|detach|save|show`: what people say of one outage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from detak_collector.accounts.roles import Role
from detak_collector.annotations import chronology, drafts, recording
from detak_collector.annotations.bodies import Annotation, Said
from detak_collector.annotations.drafts import Speaker, Typed, TypedTask
from detak_collector.annotations.faults import FaultsError
from detak_collector.annotations.kinds import MOST_BYTES
from detak_collector.annotations.known import KnownAnnotations
from detak_collector.annotations.told import Told, task_of
from detak_collector.commands.correcting import by_option
from detak_collector.commands.session import Session, login_name
from detak_collector.downtime.numbering import Known
from detak_collector.report.stories import task_words
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.translation.language import language

outage_argument = click.argument("number", type=click.IntRange(1, 2**53))


def speaker(by: str | None) -> Speaker:
    """Who gives this command: on the collector's machine that is an operator."""
    login = login_name()
    return Speaker(by or login, Role.OPERATOR.value, login)


@contextmanager
def changing(session: Session) -> Iterator[tuple[Store, ZoneInfo]]:
    """The store to enter something into, with the organisation's zone; what is refused is a wrong use."""
    config = session.config()
    with session.store_to_change(config) as store:
        zone = rules_in_force(config, store.entries).zone
        try:
            yield store, zone
        except FaultsError as error:
            raise click.UsageError("\n".join(map(str, error.faults))) from None


def add_telling(group: click.Group) -> None:
    """Gives `incidents` these commands."""
    for command in (annotate, acknowledge, attach, detach, save, show):
        group.add_command(command)


@click.command()
@outage_argument
@click.option("--cause", help="What caused it, in one line.")
@click.option("--effect", help="What it meant for those who use the service.")
@click.option(
    "--at", "lines", multiple=True, metavar='"TIME TEXT"',
    help='A line of the chronology, such as "2026-11-28 10:05 firewall restarted"; give it again for each line.',
)  # fmt: skip
@click.option(
    "--follow-up", "tasks", multiple=True, metavar='"WHAT; WHO; UNTIL"',
    help='What is to be done, such as "new battery; Budi; 2026-12-31"; give it again for each.',
)  # fmt: skip
@by_option
@click.pass_obj
def annotate(  # noqa: PLR0913, PLR0917 - one parameter an option
    session: Session,
    number: int,
    cause: str | None,
    effect: str | None,
    lines: tuple[str, ...],
    tasks: tuple[str, ...],
    by: str | None,
) -> None:
    """Write what happened in the outage NUMBER. What is left out stays as it was; every version is kept."""
    with changing(session) as (store, zone):
        outage, told = _found(store, number)
        before = told.latest
        typed = _over(before, zone, (cause, effect), (lines, tasks))
        draft = drafts.drafted(typed, outage.begin, zone)
        said = recording.annotate(store.database, number, draft, speaker(by), session.clock().utc)
        version = len(told.versions) + 1
        when = local_text(said.at, zone)
    session.audit(session.config(), "outage-annotated", f"outage {number}: version {version}", outage=number)
    click.echo(f"outage {said.body.outage}: version {version} of its annotation, {when} by {said.by}")


def _over(
    before: Said[Annotation] | None,
    zone: ZoneInfo,
    words: tuple[str | None, str | None],
    listed: tuple[Sequence[str], Sequence[str]],
) -> Typed:
    """What the version before said, with what was given."""
    body = Annotation(1) if before is None else before.body
    (cause, effect), (lines, tasks) = words, listed
    follow_up = (
        tuple(_task(one) for one in tasks)
        if tasks
        else tuple(TypedTask(one.what, one.who, one.until) for one in body.follow_up)
    )
    return Typed(
        body.cause if cause is None else cause,
        body.effect if effect is None else effect,
        "\n".join(lines) if lines else chronology.typed(body.chronology, zone),
        follow_up,
    )


def _task(given: str) -> TypedTask:
    parts = [part.strip() for part in given.split(";")]
    if len(parts) > 3:
        raise click.UsageError(f'--follow-up: at most "what; who; until" (got {given!r})')
    return TypedTask(*parts)


@click.command()
@outage_argument
@click.option("--note", default="", help="What is done about it, in one line.")
@by_option
@click.pass_obj
def acknowledge(session: Session, number: int, note: str, by: str | None) -> None:
    """Say that somebody knows of the outage NUMBER and looks after it."""
    with changing(session) as (store, zone):
        text = drafts.line_drafted("--note", note, drafts.MOST_ACKNOWLEDGEMENT)
        said = recording.acknowledge(store.database, number, text, speaker(by), session.clock().utc)
        when = local_text(said.at, zone)
    session.audit(session.config(), "outage-acknowledged", f"outage {number} was acknowledged", outage=number)
    click.echo(f"outage {said.body.outage}: acknowledged, {when} by {said.by}")


@click.command()
@outage_argument
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@by_option
@click.pass_obj
def attach(session: Session, number: int, file: Path, by: str | None) -> None:
    """Attach FILE (a PDF, a picture, plain text) to the outage NUMBER; its SHA-256 goes into the ledger."""
    with file.open("rb") as opened:
        content = opened.read(MOST_BYTES + 1)
    with changing(session) as (store, _):
        brought = recording.File(file.name, content)
        said = recording.attach(store.database, number, brought, speaker(by), session.clock().utc)
    name, digest = said.body.name, said.body.digest
    session.audit(session.config(), "file-attached", f"outage {number}: {name}", outage=number, digest=digest)
    click.echo(f"outage {said.body.outage}: {name} is attached\nsha256 {digest}")


@click.command()
@outage_argument
@click.argument("digest")
@by_option
@click.pass_obj
def detach(session: Session, number: int, digest: str, by: str | None) -> None:
    """Say that a file, by its SHA-256 or the begin of it, does not belong to the outage NUMBER. It stays on record."""
    with changing(session) as (store, _):
        _, told = _found(store, number)
        whole = _one([one.body.digest for one in told.files], digest)
        said = recording.detach(store.database, number, whole, speaker(by), session.clock().utc)
    session.audit(session.config(), "file-detached", f"outage {number}: {said.body.name}", outage=number, digest=whole)
    click.echo(f"outage {said.body.outage}: {said.body.name} is attached no longer")


@click.command()
@outage_argument
@click.argument("digest")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def save(session: Session, number: int, digest: str, file: Path) -> None:
    """Write an attachment of the outage NUMBER, by its SHA-256 or the begin of it, to FILE, which must be new."""
    with session.existing_store(session.config()) as store:
        try:
            _, told = _found(store, number)
        except FaultsError as error:
            raise click.UsageError(str(error)) from None
        whole = _one([one.body.digest for one in told.attached], digest)
        content = store.attachments.content(whole)
    if content is None:
        raise StoreError(f"sha256 {whole}: its bytes are not here: ask the other collector, or wait until they come")
    with file.open("xb") as written:
        written.write(content)
    click.echo(f"{file}: {len(content)} bytes, sha256 {whole}")


@click.command()
@outage_argument
@click.pass_obj
def show(session: Session, number: int) -> None:
    """Tell all that was said of the outage NUMBER: every version, with who and when."""
    config = session.config()
    with session.existing_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        try:
            outage, told = _found(store, number)
        except FaultsError as error:
            raise click.UsageError(str(error)) from None
    end = "still running" if outage.running else local_text(outage.end, zone)
    click.echo(f"outage {outage.number} of {outage.service}, {local_text(outage.begin, zone)} to {end}")
    for line in _lines(told, zone):
        click.echo(line)


def _lines(told: Told, zone: ZoneInfo) -> Iterator[str]:
    for one in told.acknowledgements:
        yield f"acknowledged, {local_text(one.at, zone)} by {one.by}" + (
            f": {printable(one.body.note)}" if one.body.note else ""
        )
    for number, version in reversed(list(enumerate(told.versions, 1))):
        yield f"\nversion {number}, {local_text(version.at, zone)} by {version.by}"
        yield from _version_lines(version.body, zone)
    for file in told.files:
        yield f"\nattached: {file.body.name}, {file.body.size} bytes, {local_text(file.at, zone)} by {file.by}"
        yield f"  sha256 {file.body.digest}"
    for note in told.notes:
        kind = "public" if note.body.public else "internal"
        yield f"\nnote {note.id[:8]} ({kind}), {local_text(note.at, zone)} by {note.by}"
        yield from (f"  {printable(line)}" for text in (note.body.id, note.body.en) for line in text.splitlines())


def _version_lines(body: Annotation, zone: ZoneInfo) -> Iterator[str]:
    for name, text in (("cause", body.cause), ("effect", body.effect)):
        yield from (f"  {name}: {printable(line)}" for line in text.splitlines())
    yield from (f"  {local_text(one.at, zone)} {printable(one.text)}" for one in body.chronology)
    for task in body.follow_up:
        yield f"  to do: {task_words(task_of(task), language('en'))}"


def _found(store: Store, number: int) -> tuple[Known, Told]:
    with store.database.reading() as connection:
        outage = recording.outage_now(connection, number)
    return outage, KnownAnnotations(store.database).told().of_outage(outage.number)


def _one(digests: Sequence[str], begin: str) -> str:
    found = sorted({one for one in digests if begin and one.startswith(begin.lower())})
    if len(found) != 1:
        known = ", ".join(one[:12] for one in dict.fromkeys(digests)) or "none"
        raise click.UsageError(
            f"DIGEST: names {'none' if not found else 'several'} of its files: {known} (got {begin!r})"
        )
    return found[0]
