"""`detak-collector notify`: who is told of outages, what waits to be told, and whether a message arrives."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

import aiohttp
import click
from rich.table import Table
from rich.text import Text as Line

from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.config import Config
from detak_collector.notify.items import KEY_LENGTH, Message
from detak_collector.notify.notifier import reader_of
from detak_collector.notify.queue import Notice, Standing
from detak_collector.notify.sending import NotTakenError, Trial, send
from detak_collector.notify.targets import Target, TargetError, Way
from detak_collector.notify.wording import Reader, trial_text
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import Rules, rules_in_force, rules_of

MOST_LISTED = 20
NO_TARGET = "nobody is told: collector.toml has no [[notify]]; docs/notifications.md says how to write one"


@click.group("notify")
def notify_group() -> None:
    """Try who is told of outages, and list what they were told lately."""


@notify_group.command("test")
@click.argument("name", metavar="[TARGET]", required=False)
@click.pass_obj
def test_command(session: Session, name: str | None) -> int:
    """Send a message that only tries the way, to TARGET or to all; 1 if any does not take it."""
    config = session.config()
    targets = _chosen(config, name)
    rules, now = _rules(session, config), session.clock().utc
    told = asyncio.run(_tried([_Try(one, reader_of(one, config, rules, now)) for one in targets], now))
    for target, fault in told:
        click.echo(f"{target.name}: {fault or 'taken'}", err=bool(fault))
    return EXIT_BAD_NEWS if any(fault for _, fault in told) else 0


@notify_group.command("list")
@click.pass_obj
def list_command(session: Session) -> int:
    """List the targets, and what each was or will be told; 1 if something waits that was not taken, or was given up."""
    config = session.config()
    if not config.notify:
        click.echo(NO_TARGET)
        return 0
    with session.existing_store(config) as store:
        notices = store.notices.listing()
        zone = rules_in_force(config, store.entries).zone
    session.console.print(_targets(config.notify, notices))
    if notices:
        session.console.print()
        session.console.print(_notices(notices[-MOST_LISTED:], zone))
    return EXIT_BAD_NEWS if any(map(_is_trouble, notices)) else 0


@dataclass(frozen=True, slots=True)
class _Try:
    target: Target
    reader: Reader


def _chosen(config: Config, name: str | None) -> Sequence[Target]:
    if not config.notify:
        raise click.UsageError(NO_TARGET)
    if name is None:
        return config.notify
    chosen = [one for one in config.notify if one.name == name]
    if not chosen:
        names = ", ".join(one.name for one in config.notify)
        raise click.UsageError(f"TARGET: collector.toml has {names} (got {name})")
    return chosen


def _rules(session: Session, config: Config) -> Rules:
    """For the organisation's name and zone; before there is a store, as services.toml has them."""
    if not config.store.exists():
        return rules_of(config)
    with session.existing_store(config) as store:
        return rules_in_force(config, store.entries)


async def _tried(trials: Sequence[_Try], now: int) -> list[tuple[Target, str]]:
    """Each target, and why it did not take the message; empty where it did."""
    async with aiohttp.ClientSession(trust_env=True) as web:
        return [(one.target, await _fault(web, one, now)) for one in trials]


async def _fault(web: aiohttp.ClientSession, one: _Try, now: int) -> str:
    trial = Trial(secrets.token_hex(KEY_LENGTH // 2), trial_text(one.reader, one.target.name))
    try:
        await send(web, one.target, trial, one.reader, now)
    except (NotTakenError, TargetError) as error:
        return str(error)
    return ""


def _targets(targets: Sequence[Target], notices: Sequence[Notice]) -> Table:
    table = Table("target", "by", "after", "of", "waiting", "given up", box=None, pad_edge=False)
    for one in targets:
        mine = [notice for notice in notices if notice.message.target == one.name]
        counted = [str(sum(each.standing is standing for each in mine)) for standing in _COUNTED]
        shown = ("-", "-") if one.way is Way.ALERTMANAGER else counted
        table.add_row(one.name, str(one.way), f"{one.choice.after_ms // 1_000} s", _of(one), *shown)
    return table


_COUNTED = (Standing.WAITING, Standing.GIVEN_UP)


def _of(target: Target) -> str:
    choice = target.choice
    parts = [
        "all services" if choice.services is None else ", ".join(sorted(choice.services)),
        "in the figure" if choice.counted_only else "",
        "unless acknowledged" if choice.only_unacknowledged else "",
        "" if choice.observation else "no observation",
    ]
    return "; ".join(part for part in parts if part)


def _notices(notices: Sequence[Notice], zone: tzinfo) -> Table:
    table = Table("made", "target", "event", "of", "state", "tries", "", box=None, pad_edge=False)
    for one in notices:
        message = one.message
        style = "" if _is_trouble(one) or one.standing is Standing.WAITING else "dim"
        table.add_row(
            local_text(message.made_utc, zone),
            message.target,
            str(message.event),
            Line(printable(_subjects(message))),
            str(one.standing),
            str(one.tries),
            Line(printable(one.said)),
            style=style,
        )
    return table


def _subjects(message: Message) -> str:
    first = message.items[0]
    more = len(message.items) - 1
    return f"{first.matter} {first.name}" + (f" and {more} more" if more else "")


def _is_trouble(one: Notice) -> bool:
    return one.standing is Standing.GIVEN_UP or (one.standing is Standing.WAITING and one.tries > 0)
