"""`detak-collector user`: who may sign in, with which roles, and how somebody who cannot gets in again."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import tzinfo

import click
from rich.table import Table

from detak_collector.accounts.account import Account, Origin
from detak_collector.accounts.grants import Grant, Source, Wish, body_of, granting_fault, in_force, withdrawing_fault
from detak_collector.accounts.names import NAME_WORDS, is_name, normal
from detak_collector.accounts.passwords import Hasher
from detak_collector.accounts.roles import Role
from detak_collector.accounts.second_factor import matching_step
from detak_collector.commands.nodes import Lifetime
from detak_collector.commands.session import EXIT_BAD_NEWS, Session, login_name
from detak_collector.config import Config
from detak_collector.pair.entry import GRANT
from detak_collector.pair.here import require_leader
from detak_collector.report.tables import local_text
from detak_collector.report.terminal import printable
from detak_collector.rules import rules_in_force
from detak_collector.store.parts import Store
from detak_collector.web.session import digest

MOST_WORDS = 100
NOT_CONFIGURED = (
    "collector.toml has no table [sign_in] yet: until it has, nobody can sign in, and everybody sees everything."
)


class UserName(click.ParamType[str]):
    """The name of an account, in its one form."""

    name = "NAME"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As click.ParamType says."""
        name = normal(str(value))
        if not is_name(name):
            self.fail(f"{NAME_WORDS} (got {str(value)!r})", param, ctx)
        return name


class Line(click.ParamType[str]):
    """A few words on one line."""

    name = "WORDS"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """As click.ParamType says."""
        words = str(value).strip()
        if not words or len(words) > MOST_WORDS or not words.isprintable():
            self.fail(f"expected one line of at most {MOST_WORDS} characters (got {value!r})", param, ctx)
        return words


ROLE = click.Choice([role.value for role in Role])
name_argument = click.argument("name", type=UserName())
role_argument = click.argument("role", type=ROLE)
as_option = click.option(
    "--as", "admin", type=UserName(), metavar="ADMIN", help="The admin who says so; asks for his password."
)
expires_option = click.option(
    "--expires", type=Lifetime(), default="24h", show_default=True, help="How long the link may be used."
)


@click.group()
def user() -> None:
    """Let people sign in: accounts, roles, lost passwords and telephones."""


@user.command()
@name_argument
@click.option("--display", type=Line(), help="The name that people call him by; NAME unless given.")
@click.option("--mail", type=Line(), help="His mail address.")
@click.option("--role", "roles", type=ROLE, multiple=True, help="What he may do; may be given several times.")
@as_option
@expires_option
@click.pass_obj
def add(  # noqa: PLR0913, PLR0917 - one for each option
    session: Session,
    name: str,
    display: str | None,
    mail: str | None,
    roles: tuple[str, ...],
    admin: str | None,
    expires: int,
) -> None:
    """Make an account and print the link by which its owner sets the password: nobody else ever knows it."""
    config, now = session.config(), session.clock().utc
    with session.store(config) as store:
        wishes = _wishes(session, config, store, name, roles, admin)
        if not store.accounts.add(Account(name, display or name, mail or "", Origin.LOCAL, now)):
            raise click.UsageError(f"NAME: there is an account {name} already")
        session.audit(config, "user-added", f"account {name} was made", user=name)
        for wish in wishes:
            _enter(session, config, store, wish, withdrawn=False)
        link = _link(config, store, name, now + expires)
    held = f" as {', '.join(roles)}" if roles else ", without a role yet: `detak-collector user grant` gives one"
    click.echo(f"Made the account {name}{held}. Give its owner this link; it works once:\n", err=True)
    click.echo(link)
    if config.sign_in is None:
        click.echo(f"\n{NOT_CONFIGURED}", err=True)


def _wishes(
    session: Session, config: Config, store: Store, name: str, roles: Sequence[str], admin: str | None
) -> list[Wish]:
    """Those that may be granted, before anything is made; raises UsageError."""
    if not roles:
        return []
    require_leader(store, config)
    by, source = _who(session, store, admin)
    standing: tuple[Grant, ...] = in_force(store.entries.of(GRANT))
    wishes = [Wish(name, Role(role), by, source) for role in dict.fromkeys(roles)]
    for wish in wishes:
        fault = granting_fault(wish, standing)
        if fault is not None:
            raise click.UsageError(fault)
    return wishes


@user.command("list")
@click.pass_obj
def list_command(session: Session) -> None:
    """List the accounts with their roles, by whom these were given, and when each signed in."""
    config = session.config()
    with session.whichever_store(config) as store:
        zone = rules_in_force(config, store.entries).zone
        accounts = store.accounts.listing()
        grants = in_force(store.entries.of(GRANT))
    if not accounts and not grants:
        click.echo("No account yet: `detak-collector user add NAME --role admin` makes the first.")
        return
    table = Table("name", "who", "from", "roles", "second factor", "signed in", "", box=None, pad_edge=False)
    for one in accounts:
        own = [grant for grant in grants if grant.user == one.name]
        table.add_row(*_row(one, own, zone))
    known = {one.name for one in accounts}
    for elsewhere in sorted({one.user for one in grants} - known):
        roles = _roles([one for one in grants if one.user == elsewhere])
        table.add_row(elsewhere, "-", "-", roles, "-", "-", "no account at this collector")
    session.console.print(table)


def _row(one: Account, grants: list[Grant], zone: tzinfo) -> tuple[str, ...]:
    signed_in = "never" if one.signed_in_utc is None else local_text(one.signed_in_utc, zone)
    state = "disabled" if one.disabled_utc is not None else ""
    if not state and one.origin is Origin.LOCAL and one.password is None:
        state = "no password yet"
    factor = "on" if one.secret is not None else "off"
    return one.name, printable(one.display), one.origin.value, _roles(grants), factor, signed_in, state


def _roles(grants: list[Grant]) -> str:
    return "; ".join(f"{one.role} by {printable(one.by)}" for one in grants) or "none"


@user.command()
@name_argument
@click.pass_obj
def disable(session: Session, name: str) -> int:
    """Let NAME in no more, and end his sessions at once. What he has entered stays. Exit code 1 if he was disabled."""
    return _set_disabled(session, name, session.clock().utc, "disabled")


@user.command()
@name_argument
@click.pass_obj
def enable(session: Session, name: str) -> int:
    """Let NAME in again, with the password and roles he had. Exit code 1 if he was not disabled."""
    return _set_disabled(session, name, None, "enabled")


def _set_disabled(session: Session, name: str, since_utc: int | None, word: str) -> int:
    config = session.config()
    with session.store_to_change(config) as store:
        is_disabled = _known(store, name).disabled_utc is not None
        if is_disabled is (since_utc is not None):
            click.echo(f"{name}: is {word} already", err=True)
            return EXIT_BAD_NEWS
        store.accounts.set_disabled(name, since_utc)
    session.audit(config, f"user-{word}", f"account {name} was {word}", user=name)
    click.echo(f"{name}: {word}")
    return 0


@user.command()
@name_argument
@expires_option
@click.pass_obj
def reset(session: Session, name: str, expires: int) -> None:
    """Print a link by which NAME sets another password. The old one is good until the link is used."""
    config = session.config()
    with session.store_to_change(config) as store:
        account = _known(store, name)
        if account.origin is not Origin.LOCAL:
            raise click.UsageError(f"{name}: his password is in the directory, and is changed there")
        if account.disabled_utc is not None:
            raise click.UsageError(f"{name}: is disabled; `detak-collector user enable {name}` first")
        link = _link(config, store, name, session.clock().utc + expires)
    session.audit(config, "password-link", f"a link was made that sets the password of {name}", user=name)
    click.echo("Give its owner this link; it works once:\n", err=True)
    click.echo(link)


@user.command()
@name_argument
@role_argument
@as_option
@click.pass_obj
def grant(session: Session, name: str, role: str, admin: str | None) -> None:
    """Give NAME a ROLE. Nobody gives himself one; an approver is made by another admin, with --as."""
    _change(session, name, role, admin, withdrawn=False)


@user.command()
@name_argument
@role_argument
@as_option
@click.pass_obj
def withdraw(session: Session, name: str, role: str, admin: str | None) -> None:
    """Take a ROLE from NAME, at once. That he had it stays on record."""
    _change(session, name, role, admin, withdrawn=True)


def _change(session: Session, name: str, role: str, admin: str | None, *, withdrawn: bool) -> None:
    config = session.config()
    with session.store_to_change(config) as store:
        require_leader(store, config)
        if not withdrawn:
            _known(store, name)
        by, source = _who(session, store, admin)
        wish = Wish(name, Role(role), by, source)
        standing = in_force(store.entries.of(GRANT))
        fault = withdrawing_fault(wish, standing) if withdrawn else granting_fault(wish, standing)
        if fault is not None:
            raise click.UsageError(fault)
        _enter(session, config, store, wish, withdrawn=withdrawn)
    click.echo(f"{name}: {'is no longer' if withdrawn else 'is'} {role}, by {by}")


@user.group("second-factor")
def second_factor() -> None:
    """The six digits that an account asks for after the password."""


@second_factor.command("off")
@name_argument
@click.pass_obj
def factor_off(session: Session, name: str) -> int:
    """End the second factor of NAME, who has lost his telephone. Exit code 1 if there was none."""
    config = session.config()
    with session.store_to_change(config) as store:
        _known(store, name)
        ended = store.accounts.drop_secret(name)
    if ended:
        session.audit(config, "second-factor-off", f"the second factor of {name} was ended", user=name)
    click.echo(f"{name}: {'the second factor is off' if ended else 'has no second factor'}", err=not ended)
    return 0 if ended else EXIT_BAD_NEWS


def _known(store: Store, name: str) -> Account:
    account = store.accounts.find(name)
    if account is None:
        raise click.UsageError(f"NAME: there is no account {name}; `detak-collector user list` has them")
    return account


def _who(session: Session, store: Store, admin: str | None) -> tuple[str, Source]:
    """On whose word something is entered: whoever gives the command, or an admin who proves to be one."""
    if admin is None:
        return login_name(), Source.MACHINE
    account, password = store.accounts.find(admin), click.prompt(f"Password of {admin}", hide_input=True, err=True)
    is_local = account is not None and account.origin is Origin.LOCAL and account.disabled_utc is None
    fits = Hasher().fits(account.password if account is not None and is_local else None, password)
    if account is None or not fits:
        raise click.UsageError(f"--as {admin}: no account of this collector with that password")
    if account.secret is not None:
        typed = click.prompt(f"Six digits of {admin}", err=True)
        step = matching_step(account.secret, typed, session.clock().utc, account.step)
        if step is None or not store.accounts.use_step(admin, step):
            raise click.UsageError(f"--as {admin}: that code is not right, or was used already")
    return admin, Source.ADMIN


def _enter(session: Session, config: Config, store: Store, wish: Wish, *, withdrawn: bool) -> None:
    store.entries.append(GRANT, body_of(wish, withdrawn=withdrawn), wish.by, session.clock().utc)
    name, done = ("role-withdrawn", "was taken from") if withdrawn else ("role-granted", "was given to")
    text = f"the role {wish.role} {done} {wish.user} by {wish.by}"
    session.audit(config, name, text, user=wish.user, role=wish.role.value, on_word_of=wish.by)


def _link(config: Config, store: Store, name: str, expires_utc: int) -> str:
    token = secrets.token_urlsafe(32)
    store.accounts.issue_reset(name, digest(token), expires_utc)
    return f"{config.url}/sign-in/password?link={token}"
