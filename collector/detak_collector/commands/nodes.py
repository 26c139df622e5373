"""`detak-collector enroll`, `revoke` and `nodes`: who may deliver evidence, and who does."""

from __future__ import annotations

import re
from collections import Counter

import click
from rich.table import Table

from detak_collector.board.node_standing import standing
from detak_collector.channel.certificate import shown_certificate
from detak_collector.channel.enrol import issue_shared_token, issue_token
from detak_collector.commands.session import EXIT_BAD_NEWS, Session
from detak_collector.commands.watching import LAST_KNOWN, why_unwatched
from detak_collector.ingest.rivals import rivalry
from detak_collector.store.base import NodeRow
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
    click.echo(f"detak-agent enroll --collector {config.url} --token {token}{shown.argument}")
    for line in shown.notes:
        click.echo(f"\n{line}", err=True)


def _whom(node: str | None, count: int | None, expires: int) -> str:
    if node is not None:
        return f"Run this on {node}; the token works once, within {_length(expires)}:\n"
    return f"Run this on up to {count} new nodes, once on each, within {_length(expires)}:\n"


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


@click.command()
@click.pass_obj
def nodes(session: Session) -> int:
    """List the nodes: when each was heard, its agent, its checks. Exit code 1 if one is silent."""
    config, now = session.config(), session.clock()
    with session.existing_store(config) as store:
        rows = store.registry.listing(now)
        watched_to, why = store.watch.latest_utc(), why_unwatched(store, config, now.utc)
    as_of = now.utc
    if why is not None:
        click.echo(f"{why}. {LAST_KNOWN}", err=True)
        as_of = now.utc if watched_to is None else watched_to
    if not rows:
        click.echo("No node has enrolled yet: `detak-collector enroll NODE` lets one in.")
        return 0
    states = [standing(row, as_of, config.down_after_ms) for row in rows]
    table = Table("node", "state", "last heard", "key", "agent", "checks", box=None, pad_edge=False)
    for row, state in zip(rows, states, strict=True):
        told = (_heard(row, now.utc), _key(row, now.utc), row.agent_version or "-", _checks(row) or "-")
        table.add_row(row.name, state, *told)
    session.console.print(table)
    for row in rows:
        if row.rivals:
            click.echo(f"\n{row.name}: {rivalry(row.name, row.rivals)}.", err=True)
    return EXIT_BAD_NEWS if any(state in {"silent", "two agents", "failed"} for state in states) else 0


def _heard(row: NodeRow, now_utc: int) -> str:
    return "-" if row.heard_utc is None else f"{_length(max(0, now_utc - row.heard_utc))} ago"


def _key(row: NodeRow, now_utc: int) -> str:
    """How old its key is."""
    return "-" if not row.enrolled or row.issued_utc is None else f"{_length(max(0, now_utc - row.issued_utc))} old"


def _checks(row: NodeRow) -> str:
    """How many are in each state, and by name those that are not up."""
    counted = Counter(row.states.values())
    told = [f"{number} {state}" for state, number in sorted(counted.items(), key=lambda item: item[0] != "up")]
    named = [check for check, state in row.states.items() if state != "up"]
    text = ", ".join(told) + (f": {', '.join(named)}" if named else "")
    return f"{text} ({row.conflicts} contradictions)" if row.conflicts else text


def _length(length_ms: int) -> str:
    for unit in ("d", "h", "m"):
        if length_ms >= 2 * UNITS_MS[unit]:
            return f"{length_ms // UNITS_MS[unit]} {unit}"
    return f"{length_ms // 1_000} s"
