"""`detak-collector catalogue`: the versions of services.toml, what each changes, and the second pair of eyes on it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from rich.table import Table

from detak_collector.catalogue.past import differences
from detak_collector.catalogue.register import Register
from detak_collector.catalogue.texts import SERVICES, read
from detak_collector.catalogue.versions import DecisionBody, State, Version, Versions
from detak_collector.channel.private_files import write_whole
from detak_collector.commands.catalogue_effect import print_effect
from detak_collector.commands.catalogue_propose import propose_command
from detak_collector.commands.correcting import Person
from detak_collector.commands.history import Words
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, login_name
from detak_collector.config import Config
from detak_collector.decisions.persons import same_person
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.pair.here import require_leader
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import Rules, rules_in_force
from detak_collector.store.parts import Store

NONE_YET = "No version of the catalogue is recorded yet: the collector makes services.toml version 1 once it serves."
NOTHING = "It changes nothing that a figure rests on: names, comments, or what is public."
SHOWN = 20

number_argument = click.argument("number", type=click.IntRange(1, 10**9))
by_option = click.option("--by", type=Person(), help="Who decides; whoever is logged in, unless it is given.")


@dataclass(frozen=True, slots=True)
class Desk:
    """The store with its versions, for one command."""

    session: Session
    config: Config
    store: Store
    register: Register
    versions: Versions
    now_utc: int

    @property
    def rules(self) -> Rules:
        """Those in force."""
        return rules_in_force(self.config, self.store.entries)

    def version(self, number: int) -> Version:
        """The one of that number; raises click.UsageError where there is none."""
        found = self.versions.numbered(number)
        if found is None:
            known = f"the last one is {len(self.versions.all)}" if self.versions.all else "there is none yet"
            raise click.UsageError(f"NUMBER: no such version, {known} (got {number})")
        return found


@contextmanager
def _desk(session: Session, *, deciding: bool = False) -> Iterator[Desk]:
    config = session.config()
    with (session.store_to_change if deciding else session.existing_store)(config) as store:
        if deciding:
            require_leader(store, config)
        register = Register(store.entries)
        yield Desk(session, config, store, register, register.versions(), session.clock().utc)


@click.group("catalogue")
def catalogue_group() -> None:
    """Look after the versions of services.toml and its tables, of which one is in force at any time."""


catalogue_group.add_command(propose_command)


@catalogue_group.command("list")
@click.pass_obj
def list_command(session: Session) -> None:
    """List every version: when it was recorded, whose it is, how it stands, and from when it was in force."""
    with _desk(session) as at:
        if not at.versions.all:
            click.echo(NONE_YET)
            return
        zone = at.rules.zone
        table = Table("version", "recorded", "proposed by", "state", "since", "SHA-256", box=None, pad_edge=False)
        for one in at.versions.all:
            state = at.versions.state(one)
            since = "-" if one.since is None else local_text(one.since, zone)
            told = (str(one.number), local_text(one.recorded, zone), one.proposed_by or "?", state, since)
            table.add_row(*told, one.digest[:16], style="" if state in {State.IN_FORCE, State.HELD} else "dim")
        session.console.print(table)


@catalogue_group.command()
@number_argument
@click.option("--file", "name", metavar="NAME", help=f"Print this file of it as it is, such as {SERVICES}.")
@click.option("--to", "directory", type=click.Path(path_type=Path, file_okay=False), help="Write its files there.")
@click.pass_obj
def show(session: Session, number: int, name: str | None, directory: Path | None) -> None:
    """Tell all of version NUMBER; or print one of its files, or write them all into a directory."""
    if name is not None and directory is not None:
        raise click.UsageError("--file, --to: one of them")
    with _desk(session) as at:
        version = at.version(number)
        files = at.register.texts(version).files
        zone = at.rules.zone
    if name is not None:
        if name not in files:
            raise click.UsageError(f"--file: one of {', '.join(sorted(files))} (got {name!r})")
        click.echo(files[name], nl=False)
    elif directory is not None:
        directory.mkdir(parents=True, exist_ok=True)
        for called in sorted(files):
            write_whole(directory / called, files[called].encode(), 0o644)
            click.echo(f"{directory / called}: as in version {number}")
    else:
        _tell(at.versions, version, lambda utc: local_text(utc, zone))
        click.echo(f"files: {', '.join(f'{called} ({len(text.encode())} bytes)' for called, text in files.items())}")


@catalogue_group.command()
@click.argument("file", type=click.Path(path_type=Path), required=False)
@click.pass_obj
def check(session: Session, file: Path | None) -> int:
    """Tell what FILE would change, and what that does to this year's figure; services.toml unless it is given.

    Exit code 1 if it would be held until somebody else approves it.
    """
    path = file or session.config().services
    found = read(path)
    with _desk(session) as at:
        standing = at.versions.in_force()
        if standing is None:
            click.echo(f"{path}: fine. {NONE_YET}")
            return 0
        if standing.digest == found.texts.digest:
            click.echo(f"{path}: is version {standing.number}, which is in force.")
            return 0
        before = at.register.catalogue(standing)
        past = differences(before, found.catalogue, at.now_utc)
        if at.store.evidence.known_since() is None:
            past = ()
        _tell_changes(before, found.catalogue, past)
        if past:
            click.echo(f"{path}: would be held; version {standing.number} would stay in force until somebody else "
                       "approves it.\n")  # fmt: skip
            print_effect(at.store, at.rules, found.catalogue, session.clock(), session.console)
            return EXIT_BAD_NEWS
    click.echo(f"{path}: takes effect at once when the collector is reloaded; the figure so far stays as it is.")
    return 0


@catalogue_group.command()
@number_argument
@by_option
@click.option("--proposed-by", type=Person(), help="Whose change it is, where its file did not tell.")
@click.option("--document", type=Words(), required=True, help="The document it rests on, such as ND-12/2026.")
@click.option("--reason", type=Words(), help="What those who check it later should know.")
@click.pass_obj
def approve(
    session: Session, number: int, by: str | None, proposed_by: str | None, document: str, reason: str | None
) -> None:
    """Let the held version NUMBER take effect. Nobody approves what is his own."""
    name = by or login_name()
    with _desk(session, deciding=True) as at:
        version = _held(at, number)
        proposer = _proposer(version, proposed_by)
        if same_person(proposer, name):
            raise click.UsageError(f"--by: {proposer} proposed version {number}, so somebody else approves it "
                                   f"(got {name!r})")  # fmt: skip
        print_effect(at.store, at.rules, at.register.catalogue(version), session.clock(), session.console)
        body = DecisionBody(version.entry, "approve", login_name(), proposer, document, reason or "")
        decided = at.register.decide(version, body, name, at.now_utc)
        text = f"version {number} of the catalogue, proposed by {proposer}, was approved by {name}: {document}"
        session.audit(at.config, "catalogue-approved", text, version=number, digest=decided.digest, author=name)
    click.echo(f"Version {number} is in force. A collector that serves takes it within seconds.")


@catalogue_group.command()
@number_argument
@by_option
@click.option("--document", type=Words(), help="The document it rests on.")
@click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
@click.pass_obj
def reject(session: Session, number: int, by: str | None, document: str | None, reason: str) -> None:
    """End the held version NUMBER without effect; what is in force stays so."""
    name = by or login_name()
    with _desk(session, deciding=True) as at:
        version = _held(at, number)
        body = DecisionBody(version.entry, "reject", login_name(), version.proposed_by, document or "", reason)
        at.register.decide(version, body, name, at.now_utc)
        text = f"version {number} of the catalogue was rejected by {name}: {reason}"
        session.audit(at.config, "catalogue-rejected", text, version=number, digest=version.digest, author=name)
    click.echo(f"Version {number} is rejected. Correct {at.config.services}, so that it says what is in force.")


@catalogue_group.command()
@number_argument
@click.argument("other", type=click.IntRange(1, 10**9))
@click.pass_obj
def diff(session: Session, number: int, other: int) -> int:
    """Print what two versions say differently, first of what figures rest on. Exit code 1 if they differ."""
    with _desk(session) as at:
        first, second = at.version(number), at.version(other)
        texts = [at.register.texts(one).files for one in (first, second)]
        catalogues = at.register.catalogue(first), at.register.catalogue(second)
    if first.digest == second.digest:
        click.echo(f"Versions {number} and {other} are the same.")
        return 0
    _tell_changes(*catalogues, differences(*catalogues, moment=second.recorded))
    for name in sorted({*texts[0], *texts[1]}):
        old, new = ((one.get(name, "")).splitlines() for one in texts)
        lines = difflib.unified_diff(old, new, f"{number}/{name}", f"{other}/{name}", lineterm="")
        for line in lines:
            click.echo(printable(line))
    return EXIT_BAD_NEWS


def _held(at: Desk, number: int) -> Version:
    version = at.version(number)
    state = at.versions.state(version)
    if state is State.SUPERSEDED:
        later = at.versions.held() or at.versions.in_force()
        raise click.UsageError(f"NUMBER: version {number} is superseded by version "
                               f"{later.number if later else '-'}")  # fmt: skip
    if state is not State.HELD:
        raise click.UsageError(f"NUMBER: version {number} waits for nobody, it {_words(state)}")
    return version


def _words(state: State) -> str:
    return state if state is State.WAS else f"is {state}"


def _proposer(version: Version, named: str | None) -> str:
    """Who proposed it: the owner of the file, where that was a person; otherwise whom the approver names."""
    if version.proposed_by and named is not None and not same_person(version.proposed_by, named):
        raise click.UsageError(f"--proposed-by: version {version.number} was proposed by {version.proposed_by}, who "
                               f"owned the file (got {named!r})")  # fmt: skip
    if not version.proposed_by and named is None:
        raise click.UsageError(f"--proposed-by: required, since the file of version {version.number} belonged to no "
                               "person's account: name who changed it")  # fmt: skip
    return version.proposed_by or str(named)


def _tell(versions: Versions, version: Version, told: Callable[[int], str]) -> None:
    state = versions.state(version)
    since = "" if version.since is None else f" since {told(version.since)}"
    click.echo(f"version {version.number} of the catalogue: {state}{since}")
    click.echo(f"recorded {told(version.recorded)}, proposed by {version.proposed_by or 'nobody who is known'}")
    click.echo(f"SHA-256 {version.digest}")
    if version.touches:
        click.echo("What it changes of time that had passed:")
        _list(version.touches)
    decision = version.decision
    if decision is not None:
        verb = "approved" if decision.approved else "rejected"
        ground = ", ".join(one for one in (decision.document, decision.reason) if one)
        click.echo(f"{verb} {told(decision.at)} by {decision.by}: {ground}")


def _tell_changes(before: Catalogue, after: Catalogue, past: Sequence[str]) -> None:
    """What of it bears on time that has passed, and what on time to come only."""
    ahead = [line for line in differences(before, after) if line not in past]
    if past:
        click.echo("Changes how time that has passed is read:")
        _list(past)
    if ahead:
        click.echo("Changes from a date on that lies ahead:" if not past else "And besides:")
        _list(ahead)
    if not past and not ahead:
        click.echo(NOTHING)


def _list(lines: Sequence[str]) -> None:
    for line in lines[:SHOWN]:
        click.echo(f"  {line}")
    if len(lines) > SHOWN:
        click.echo(f"  and {len(lines) - SHOWN} more")
