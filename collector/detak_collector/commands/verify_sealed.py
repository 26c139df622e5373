"""`verify --sealed`: whether this program, after an upgrade too, comes to what is sealed from the same records."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import click
from rich.console import Console
from rich.progress import track

from detak_collector.closing.account import Account, account_of, changed_services
from detak_collector.closing.recomputed import Recomputed, write_recomputed
from detak_collector.closing.sealing import figure_words
from detak_collector.closing.seals import Seal
from detak_collector.commands.closing_desk import NOT_GOOD, PROGRAM, ClosingDesk, account_rows, closing_desk
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.downtime import RULE_VERSION
from detak_collector.report.numbers import clock_text

MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class _Looked:
    """A seal, and the account that this program comes to from the records of its moment, and from those of now.

    `stamp`: what its time stamp says, empty where it has none.
    """

    seal: Seal
    then: Account
    now: Account
    stamp: str

    @property
    def is_same(self) -> bool:
        return self.then.digest == self.seal.body.digest

    @property
    def is_overtaken(self) -> bool:
        return self.is_same and self.now.digest != self.then.digest


def verify_sealed(session: Session) -> int:
    """Recomputes every sealed period; exit code 1 if any comes out as another one, each of which is told."""
    with closing_desk(session, entering=False) as at:
        standing = list(at.seals().standing())
        if not standing:
            click.echo("sealed periods: none")
            return 0
        console = Console(stderr=True)
        steps = track(
            standing, "recomputing sealed periods", console=console, transient=True, disable=not console.is_terminal
        )
        looked = [_look(at, one) for one in steps]
        for one in looked:
            _tell(at, one)
        _note(at, looked)
    wrong = [one for one in looked if not one.is_same]
    click.echo(f"sealed periods: {len(looked)} recomputed under rules {RULE_VERSION}, {len(wrong)} come out as others")
    return EXIT_BAD_NEWS if wrong or any(NOT_GOOD in one.stamp for one in looked) else 0


def _note(at: ClosingDesk, looked: Sequence[_Looked]) -> None:
    """For `doctor`; what was found is as true where that cannot be kept."""
    same = [one.seal.entry.id for one in looked if one.is_same]
    others = [one.seal.entry.id for one in looked if not one.is_same]
    with suppress(OSError):
        write_recomputed(at.config.state_directory, Recomputed(PROGRAM, same, others))


def _look(at: ClosingDesk, seal: Seal) -> _Looked:
    now = account_of(at.figures.derived(seal.period))
    then = now if now.digest == seal.body.digest else account_of(at.figures.derived(seal.period, seal.body.as_of))
    return _Looked(seal, then, now, at.stamp_words(seal.body) if seal.body.timestamp else "")


def _tell(at: ClosingDesk, one: _Looked) -> None:
    seal = one.seal
    if one.stamp:
        click.echo(f"{seal.what}: {one.stamp}")
    if one.is_overtaken:
        click.echo(f"{seal.what}: as sealed, {figure_words(seal.account)}; by what came later {figure_words(one.now)}")
        return
    if one.is_same:
        click.echo(f"{seal.what}: as sealed, {figure_words(seal.account)}")
        return
    by = f"program {seal.body.program} under rules {seal.body.rule_version}"
    click.echo(f"{seal.what}: DIFFERS. It was sealed by {by}.")
    at.session.console.print(account_rows(seal.account, one.then, ("sealed", "recomputed")))
    changed = list(changed_services(seal.account, one.then))
    for name, before, after in changed[:MOST_NAMED]:
        told = [("-" if each is None else clock_text(each.counted_ms)) for each in (before, after)]
        click.echo(f"  {name}: {' -> '.join(told)} counted")
    if len(changed) > MOST_NAMED:
        click.echo(f"  and {len(changed) - MOST_NAMED} more services")
