"""`detak-collector token`: tokens by which programs read in somebody's name. What acts in it he makes himself."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import click
from rich.table import Table

from detak_collector.accounts.tokens import READING, Fault, Scope, Token, Wish
from detak_collector.clocks import Clock
from detak_collector.commands.nodes import Lifetime
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, login_name
from detak_collector.commands.users import Line, UserName
from detak_collector.config import Config
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force
from detak_collector.store.parts import Store
from detak_collector.web.tokens_kept import make, revoke
from detak_collector.web.work.token_words import FAULTS, LIMITS

SCOPE = click.Choice(sorted(scope.value for scope in READING))


@dataclass(frozen=True, slots=True)
class _Desk:
    """What tokens are made with at the command line."""

    session: Session
    config: Config
    store: Store

    @property
    def clock(self) -> Clock:
        """The machine's."""
        return self.session.clock

    def audit(self, name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:  # noqa: ARG002 - a seam
        """Into the audit trail."""
        self.session.audit(self.config, name, text, **told)


@click.group()
def token() -> None:
    """Let programs read by the API and the feed, as somebody who has an account."""


@token.command()
@click.argument("owner", type=UserName())
@click.option("--for", "label", type=Line(), required=True, help="What it is for, on one line.")
@click.option(
    "--scope", "scopes", type=SCOPE, multiple=True, default=("read",), show_default=True,
    help="What it may do; may be given several times.",
)  # fmt: skip
@click.option("--expires", type=Lifetime(), default="90d", show_default=True, help="How long it is good.")
@click.pass_obj
def create(session: Session, owner: str, label: str, scopes: tuple[str, ...], expires: int) -> None:
    """Make a token of OWNER and print it, this once: it is kept nowhere.

    What acts in his name (propose, approve, …) only he makes, on the page /account/tokens.
    """
    config = session.config()
    wish = Wish(owner, login_name(), label, frozenset(map(Scope, scopes)), expires)
    with session.store_to_change(config) as store:
        made = make(_Desk(session, config, store), wish)
    if isinstance(made, Fault):
        raise click.UsageError(f"{owner}: {FAULTS[made].format(**LIMITS)}")
    click.echo(f"Made the token {made.token.id} of {owner}. It is shown this once:\n", err=True)
    click.echo(made.secret)


@token.command("list")
@click.argument("owner", type=UserName(), required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are revoked or over.")
@click.pass_obj
def list_command(session: Session, owner: str | None, every: bool) -> None:  # noqa: FBT001 - an option
    """List the tokens that are good, of OWNER or of everybody."""
    config, now = session.config(), session.clock().utc
    with session.whichever_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        found = [one for one in store.api_tokens.of(owner) if every or one.is_good(now)]
    if not found:
        click.echo("No token: `detak-collector token create OWNER --for WORDS` makes one.")
        return
    table = Table("id", "owner", "for", "may", "made by", "good until", "last used", "", box=None, pad_edge=False)
    for one in found:
        used = "never" if one.used_utc is None else f"{local_text(one.used_utc, zone)} from {one.used_from}"
        until, may = local_text(one.expires_utc, zone), ", ".join(sorted(one.scopes))
        who = (one.id, one.owner, printable(one.label), may, printable(one.made_by))
        table.add_row(*who, until, used, _state(one, now))
    session.console.print(table)


def _state(one: Token, now: int) -> str:
    if one.revoked_utc is not None:
        return f"revoked by {printable(one.revoked_by)}"
    return "" if one.is_good(now) else "over"


@token.command("revoke")
@click.argument("id_", metavar="ID")
@click.pass_obj
def revoke_command(session: Session, id_: str) -> int:
    """Make the token ID worthless at once. Exit code 1 if there is none of that id that is not revoked."""
    config = session.config()
    with session.store_to_change(config) as store:
        found = revoke(_Desk(session, config, store), id_, login_name())
    if found is None:
        click.echo(f"{id_}: no such token, or it is revoked already; `detak-collector token list --all`", err=True)
        return EXIT_BAD_NEWS
    click.echo(f"{id_}: revoked; it was of {found.owner}, for {printable(found.label)}")
    return 0
