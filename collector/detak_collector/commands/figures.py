"""The commands that print figures: `report` and `status` from the store, `recompute` from a bundle of files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import tzinfo
from pathlib import Path
from typing import TypeVar
from zoneinfo import ZoneInfo

import click

from detak_collector.annotations.known import KnownAnnotations
from detak_collector.board.board import Condition
from detak_collector.bundle.package import is_packed
from detak_collector.bundle.reading import read_bundle
from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place
from detak_collector.clocks import Reading
from detak_collector.closing.sealed_view import KnownSeals, SealedView
from detak_collector.commands.output import Output, deliver, output_options, part_of
from detak_collector.commands.packed import explained_package, recomputed_package
from detak_collector.commands.provider import provider_report, refuse_provider
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.commands.watching import LAST_KNOWN, why_unwatched
from detak_collector.decisions.corrections import Corrections
from detak_collector.decisions.log import DecisionLog
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.derive import Case, Result, derive
from detak_collector.downtime.explain import explain
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period, PeriodError, parse_period
from detak_collector.downtime.summary import with_year
from detak_collector.figures import Figures
from detak_collector.pair.here import role_here
from detak_collector.pair.numbers import SharedNumbers
from detak_collector.records import Records
from detak_collector.report.effects import Derive, effects, from_facts
from detak_collector.report.explanation import print_explanation
from detak_collector.report.status import print_catalogue, print_status
from detak_collector.report.tables import local_text
from detak_collector.rules import Rules, rules_in_force
from detak_collector.store.base import EvidenceStore
from detak_collector.store.ledger import SqlLedger
from detak_collector.store.parts import Store
from detak_collector.stored_months import View

FORMATS = ("text", "json")
"""Of what `difference` prints; those of a report are in `commands/output.py`."""

STANDING = (Condition.UP, Condition.DEGRADED)
Asked = tuple[str | None, str | None, str | None]
"""--period, --from and --to, as given."""

as_of_option = click.option("--as-of", help="As it was known at this earlier moment: what came later is left out.")

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


@click.command()
@period_options
@as_of_option
@click.option("--provider", metavar="NAME", help="What this third party answers for, instead of the figure.")
@output_options
@click.pass_obj
def report(  # noqa: PLR0913 - one parameter an option
    session: Session,
    period: str | None,
    begin: str | None,
    end: str | None,
    as_of: str | None,
    *,
    provider: str | None,
    output: Output,
) -> int:
    """Print the downtime figure of a period, or write its report.

    Exit code 1 if the target is missed, or if nothing was observed.
    """
    output.refuse()
    if provider is not None:
        refuse_provider(output)
    with opened_whole(session) as (store, whole, _):
        at = store.past(as_of, "--as-of")
        result = part_of(store.figures.report(store.period((period, begin, end), at), at), output)
        if provider is not None:
            provider_report(whole, store, result, provider, output)
            return 0
        then = result.as_of if result.case.earlier else None
        found = effects(result, store.derive(result, then)) if output.tells_effects else None
        # After all that it rests on: the head covers it.
        store.ledger.brought_on(store.now.utc)
        result = replace(result, ledger=str(store.ledger.covering(result.as_of)))
    deliver(result, output, found)
    return EXIT_BAD_NEWS if result.figure.standing(result.target_percent) in {"missed", NOT_OBSERVED} else 0


@click.command("explain")
@click.argument("service")
@period_options
@as_of_option
@click.option("--bundle", type=click.Path(path_type=Path), help="Explain the files of a bundle instead of the store.")
@click.pass_obj
def explain_command(  # noqa: PLR0913, PLR0917 - one parameter an option
    session: Session,
    service: str,
    period: str | None,
    begin: str | None,
    end: str | None,
    as_of: str | None,
    bundle: Path | None,
) -> None:
    """Take every counted second of SERVICE back to its rule, its spans and what excluded its neighbours."""
    asked = (period, begin, end)
    if bundle is not None and is_packed(bundle):
        _refuse_other_period((*asked, as_of))
        result = explained_package(bundle, service)
    elif bundle is not None:
        result = recomputed(bundle, asked, as_of)
        _refuse_unknown(service, result.case.catalogue)
    else:
        with opened(session) as store:
            _refuse_unknown(service, store.rules.catalogue)
            at = store.past(as_of, "--as-of")
            result = store.figures.explained(service, store.period(asked, at), at)
    print_explanation(explain(result, service), result, session.console)


@click.command()
@click.pass_obj
def status(session: Session) -> int:
    """Print what the status page shows now. Exit code 1 if a service is down, or if nobody sees whether it is."""
    with opened(session) as store:
        board, head, why = store.figures.board_now(), store.ledger.head(), store.unwatched
    if why is not None:
        click.echo(f"{why}. {LAST_KNOWN}\n", err=True)
    print_status(board, store.rules.zone, session.console)
    print_catalogue(store.rules.versions, store.rules.zone, session.console)
    session.console.print(f"ledger head {head}", style="dim", soft_wrap=True)
    return EXIT_BAD_NEWS if why or any(one.condition not in STANDING for one in board.services) else 0


@click.command()
@click.argument("path", type=click.Path(path_type=Path))
@period_options
@click.option("--as-of", help="Judge as at this moment: later time has not passed.")
@output_options
def recompute(
    path: Path, period: str | None, begin: str | None, end: str | None, as_of: str | None, output: Output
) -> int:
    """Derive figures from the files at PATH, a directory or an archive: no store, no server.

    PATH is a file that `bundle` made, which names its period: exit code 1 if its figures come out as others. Or it
    holds services.toml and facts.ndjson, and may hold exclusions.ndjson and declarations.ndjson.
    """
    output.refuse()
    if is_packed(path):
        _refuse_other_period((period, begin, end, as_of))
        return _recompute_package(path, output)
    result = part_of(recomputed(path, (period, begin, end), as_of), output)
    deliver(result, output, effects(result, from_facts(result)) if output.tells_effects else None)
    return 0


def _recompute_package(path: Path, output: Output) -> int:
    measured = output.tells_effects
    shown, is_same, found = recomputed_package(path, lambda whole: part_of(whole, output), measured=measured)
    deliver(shown, output, found)
    said = "the same, to the byte, as" if is_same else "NOT THE SAME as"
    click.echo(f"{path}: recomputed: {said} what it was bundled with", err=True)
    return 0 if is_same else EXIT_BAD_NEWS


def _refuse_other_period(asked: tuple[str | None, ...]) -> None:
    if any(one is not None for one in asked):
        raise click.UsageError("this bundle is of one period and one moment: leave out --period, --from, --to, --as-of")


@dataclass(frozen=True, slots=True)
class Opened:
    """The store with the rules in force, for one command, at one moment."""

    evidence: EvidenceStore
    figures: Figures
    rules: Rules
    now: Reading
    ledger: SqlLedger
    unwatched: str | None = None
    """Why nobody sees what goes on now; None where the collector does."""

    def past(self, words: str | None, option: str) -> int | None:
        """The moment gone by that an option names; refused where it lies in the future, or nothing was known yet."""
        if words is None:
            return None
        zone, since = self.rules.zone, self.evidence.known_since()
        at = moment(words, option, zone)
        if at > self.now.utc:
            raise click.UsageError(f"{option}: lies ahead, it is {local_text(self.now.utc, zone)} now (got {words!r})")
        if since is None or at < since:
            first = "" if since is None else f", the first evidence came at {local_text(since, zone)}"
            raise click.UsageError(f"{option}: nothing was known then{first} (got {words!r})")
        return at

    def period(self, asked: Asked, at: int | None) -> Period:
        """The period that the options name, today or at an earlier moment."""
        return asked_period(*asked, self.rules.zone, self.now.utc if at is None else at)

    def derive(self, result: Result, at: int | None) -> Derive:
        """Derives months of the result's period from this evidence, under other rules."""

        def derive(case: Case, cell: Interval) -> Mapping[str, ServiceMonth]:
            rules = self.rules.under(Corrections(case.exclusions, case.declarations)).with_catalogue(case.catalogue)
            view = View(self.evidence, rules, self.now)
            return (view if at is None else view.as_of(at)).month(result.period, cell, beside=False).services

        return derive


@contextmanager
def opened(session: Session) -> Iterator[Opened]:
    """The store that the configuration names; raises StoreError where there is none."""
    with opened_whole(session) as (found, _, _):
        yield found


@contextmanager
def opened_whole(session: Session) -> Iterator[tuple[Opened, Store, Records]]:
    """The same with all that the store keeps, and what results are completed from."""
    config = session.config()
    with session.existing_store(config) as store:
        rules = DecisionLog(store).over(rules_in_force(config, store.entries), session.clock().utc)
        leads = role_here(store, config).leads
        records = Records(SharedNumbers(store.outages, lambda: leads), store.history, KnownAnnotations(store.database))
        figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, session.clock, records)
        figures.under_seals(SealedView(KnownSeals(store.entries), figures.derived))
        now = session.clock()
        why = why_unwatched(store, config, now.utc)
        yield Opened(store.evidence, figures, rules, now, store.ledger, why), store, records


def reported(session: Session, asked: Asked, as_of: str | None = None) -> Result:
    """The period's result from the store, now or as of an earlier moment."""
    with opened(session) as store:
        at = store.past(as_of, "--as-of")
        return store.figures.report(store.period(asked, at), at)


def _refuse_unknown(service: str, catalogue: Catalogue) -> None:
    known = [one.id for one in catalogue.services]
    if service not in known:
        raise click.UsageError(f"SERVICE: no such service; one of {', '.join(known)} (got {service!r})")


@contextmanager
def _refusals() -> Iterator[None]:
    """What the files say wrong is told as a wrong use of the command."""
    try:
        yield
    except CatalogueError as error:
        raise click.UsageError(str(error)) from None


def recomputed(path: Path, asked: Asked, as_of: str | None) -> Result:
    """The period's result from files. As of: what the caller says, else the bundle, else the period's end."""
    with _refusals():
        bundle = read_bundle(path)
    zone = ZoneInfo(bundle.catalogue.timezone)
    known_as_of = moment(as_of, "--as-of", zone) if as_of is not None else bundle.as_of
    if known_as_of is None and (asked[0] or "").endswith("-ytd"):
        raise click.UsageError("--period: a ytd needs --as-of, because files have no today")
    period = asked_period(*asked, zone, known_as_of or 0)
    at = known_as_of if known_as_of is not None else period.end
    with _refusals():
        exclusions = bundle.exclusions(until=at)
    case = Case(
        catalogue=bundle.catalogue,
        zone=zone,
        facts=Facts(bundle.facts),
        exclusions=exclusions,
        declarations=bundle.declarations,
        as_of=at,
    )
    return with_year(derive(case, period))
