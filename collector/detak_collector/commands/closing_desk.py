"""What `seal`, `restate` and `verify --sealed` share: the store with its seals, and how these are shown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version

import click
from msgspec import structs
from rich.console import RenderableType
from rich.table import Table

from detak_collector.closing.account import Account, AccountError
from detak_collector.closing.bodies import SealBody
from detak_collector.closing.findings import Finding, Weight, findings, hindering
from detak_collector.closing.gathering import Ground, seals_of, standing_of
from detak_collector.closing.seals import Seal, Seals
from detak_collector.closing.timestamping import TimestampError, stamp_time, stamped
from detak_collector.commands.figures import opened_whole
from detak_collector.commands.session import Session, hindrance_here
from detak_collector.config import Config
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import Period, PeriodError, parse_period
from detak_collector.errors import CannotServeError, FencedError
from detak_collector.figures import Figures
from detak_collector.ledger.chain import Head
from detak_collector.pair.here import require_leader
from detak_collector.report.numbers import clock_text
from detak_collector.report.tables import local_text, percent_text, plain_table
from detak_collector.report.terminal import printable
from detak_collector.rules import Rules
from detak_collector.store.parts import Store
from detak_collector.translation import ENGLISH
from detak_collector.translation.language import language

WEIGHTS = {Weight.FORBIDS: "no seal", Weight.HINDERS: "hinders", Weight.TOLD: "to know"}
NOT_GOOD = "time stamp NOT GOOD"
PROGRAM = version("detak-collector")


@dataclass(frozen=True, slots=True)
class ClosingDesk:
    """One command at the store, at one moment."""

    session: Session
    config: Config
    store: Store
    figures: Figures
    rules: Rules
    now: int

    def seals(self) -> Seals:
        """All seals as the log has them."""
        with self.store.database.reading() as connection:
            return seals_of(connection)

    def period(self, words: str) -> Period:
        """The month, quarter, half-year or year of this name; raises click.UsageError."""
        try:
            period = parse_period(words, self.rules.zone, self.now)
        except PeriodError as error:
            raise click.UsageError(f"PERIOD: {str(error).removeprefix('period: ')}") from None
        if words.endswith("ytd") or words.count("-") > 1:
            raise click.UsageError(f"PERIOD: a month, a quarter, a half or a year is sealed, such as 2026-10 (got "
                                   f"{words!r})")  # fmt: skip
        return period

    def found(self, result: Result) -> tuple[Finding, ...]:
        """What keeps the period of this result open."""
        ground = Ground(self.store.database, self.store.entries, self.rules, self.config.seal)
        standing = standing_of(ground, result, self.figures.derived, self.now)
        return findings(standing, language(ENGLISH), self.rules.zone)

    def head(self) -> Head:
        """The head of the ledger that covers all that was recorded by now."""
        return self.store.ledger.brought_on(self.now)

    def stamped(self, body: SealBody) -> SealBody:
        """The same with the time stamp of the authority, where one is configured; raises CannotServeError."""
        place = self.config.seal.timestamps
        if place is None:
            return body
        try:
            return structs.replace(body, timestamp=stamped(place, body))
        except TimestampError as error:
            raise CannotServeError(f"nothing is entered: {error}") from None

    def stamp_words(self, body: SealBody) -> str:
        """What its time stamp says, in one line."""
        place = self.config.seal.timestamps
        if place is None:
            return "time stamp: there is one; [seal] timestamp_ca_file is needed to check it"
        try:
            return f"time stamp {self.local(stamp_time(place, body))}, good by {place.ca_file}"
        except TimestampError as error:
            return f"{NOT_GOOD}: {error}"

    def tell_head(self) -> None:
        """Chains what was just entered, and prints the head that covers it: whoever keeps that can prove it."""
        click.echo(f"ledger head {self.head()}")

    def local(self, moment: int) -> str:
        """A moment as the organisation's clocks show it."""
        return local_text(moment, self.rules.zone)

    def audit(self, event: str, text: str, seal: Seal, who: Author) -> None:
        """For the audit trail."""
        self.session.audit(self.config, event, text, number=seal.label, period=seal.body.period, author=who.name)


@contextmanager
def closing_desk(session: Session, *, entering: bool) -> Iterator[ClosingDesk]:
    """The store; for `entering` only where things are entered. What is refused is a wrong use of the command."""
    with opened_whole(session) as (found, store, _):
        config = session.config()
        if entering:
            require_serving(store)
            require_leader(store, config)
        try:
            yield ClosingDesk(session, config, store, found.figures, found.rules, found.now.utc)
        except RefusedError as error:
            raise click.UsageError(str(error)) from None
        except AccountError as error:
            raise CannotServeError(str(error)) from None


def require_serving(store: Store) -> None:
    """Raises FencedError where what is entered would count nowhere."""
    reason = hindrance_here(store)
    if reason is not None:
        raise FencedError(f"nothing is changed: {store.database.place}: {reason}")


def findings_table(found: Sequence[Finding]) -> RenderableType:
    """What keeps a period open, with who is responsible."""
    table = Table("", "what", "who", box=None, pad_edge=False)
    for one in found:
        table.add_row(WEIGHTS[one.weight], printable(one.text), printable(one.who))
    return table


def tell_hindrances(found: Sequence[Finding]) -> None:
    """Each reason why a period is not sealed, with who is responsible."""
    for one in hindering(found):
        click.echo(f"  {printable(one.text)}: {printable(one.who)}", err=True)


def account_rows(before: Account, after: Account, names: tuple[str, str]) -> Table:
    """Two accounts of one period beside each other."""
    table = plain_table("", "", *names, right=names)
    one, other = before.figure, after.figure
    rows = [
        ("figure", percent_text(one.percent), percent_text(other.percent)),
        ("verdict", one.verdict(before.target_percent) or "-", other.verdict(after.target_percent) or "-"),
        ("counted", clock_text(one.counted_ms), clock_text(other.counted_ms)),
        ("certain", clock_text(one.certain_ms), clock_text(other.certain_ms)),
        ("possible", clock_text(one.possible_ms), clock_text(other.possible_ms)),
        ("service time", clock_text(one.service_time_ms), clock_text(other.service_time_ms)),
    ]
    for row in rows:
        table.add_row(*row)
    return table
