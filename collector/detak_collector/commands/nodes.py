"""`detak-collector enroll` and `revoke`: who may deliver evidence."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import click

from detak_collector.accounts.sign_in_file import is_loopback
from detak_collector.channel.certificate import shown_certificate
from detak_collector.channel.enrol import issue_shared_token, issue_token
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_wire import limits

UNITS_MS = {"m": 60_000, "h": 3_600_000, "d": 86_400_000}


class Lifetime(click.ParamType[int]):
    """A length of time such as 24h, as milliseconds."""

    name = "LENGTH"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """As click.ParamType says."""
        match = re.fullmatch(r"([1-9][0-9]{0,3})([mhd])", str(value))
        if match is None:
            self.fail(f"expected a number and m, h or d, such as 24h (got {value!r})", param, ctx)
        return int(match[1]) * UNITS_MS[match[2]]


@click.command()
@click.argument("node", required=False)
@click.option("--count", type=click.IntRange(1, 100_000), help="Instead of NODE: let in so many new nodes, each once.")
@click.option("--expires", type=Lifetime(), default="24h", show_default=True, help="How long the token may be used.")
@click.pass_obj
def enroll(session: Session, node: str | None, count: int | None, expires: int) -> None:
    """Make a one-time token for NODE and print the line to paste there.

    With --count the token lets in that many nodes, under the names in their agent.toml: for a roll-out. It lets in new
    names only, so that who has it cannot become a node that is there.
    """
    if (node is None) == (count is None):
        raise click.UsageError("NODE or --count: exactly one of them says whom the token is for")
    if node is not None and not re.fullmatch(limits.NAME_PATTERN, node):
        raise click.UsageError(
            f"NODE: lower-case letters, digits and . _ - between them, at most {limits.NAME_CHARACTERS} (got {node!r})"
        )
    config = session.config()
    with session.store(config) as store:
        if node is not None:
            token = issue_token(store.registry, node, expires, session.clock())
        else:
            token = issue_shared_token(store.registry, count or 0, expires, session.clock())
    whom = node if node is not None else f"up to {count} new nodes"
    session.audit(config, "token-issued", f"a token was made for {whom}", node=whom)
    shown = shown_certificate(config)
    click.echo(_whom(node, count, expires), err=True)
    named = "" if node is None else f" --node {node}"
    click.echo(f"detak-agent enroll --collector {config.url} --token {token}{named}{shown.argument}")
    for line in (*shown.notes, *_out_of_reach(config.url)):
        click.echo(f"\n{line}", err=True)


def _out_of_reach(url: str) -> Iterator[str]:
    if is_loopback(urlsplit(url).hostname or ""):
        yield (
            f"{url} is this machine itself: from any other it does not lead here. If the node is another machine, "
            "set `listen`, [tls] and `public_url` in collector.toml so that it is reached from there."
        )


def _whom(node: str | None, count: int | None, expires: int) -> str:
    if node is not None:
        return f"Run this on {node}; the token works once, within {length_told(expires)}:\n"
    return f"Run this on up to {count} new nodes, once on each, within {length_told(expires)}:\n"


@click.command()
@click.argument("node")
@click.pass_obj
def revoke(session: Session, node: str) -> int:
    """Void NODE's key: it delivers nothing more, and what it delivered stays. Exit code 1 if it has none.

    Its agent keeps what it measures, and delivers it once the node is enrolled again.
    """
    config = session.config()
    with session.store_to_change(config) as store:
        revoked = store.registry.revoke(node, session.clock())
    if revoked:
        session.audit(config, "revoked", f"the key of node {node} was voided", node=node)
    click.echo(f"{node}: {'its key is void' if revoked else 'has no key'}", err=not revoked)
    return 0 if revoked else EXIT_BAD_NEWS


def length_told(length_ms: int) -> str:
    """A length of time for people, in one unit, rounded down."""
    for unit in ("d", "h", "m"):
        if length_ms >= 2 * UNITS_MS[unit]:
            return f"{length_ms // UNITS_MS[unit]} {unit}"
    return f"{length_ms // 1_000} s"
