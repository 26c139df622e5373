"""The commands that `exclude` and `declare` both have."""

from __future__ import annotations

import click

from detak_collector.commands import deciding
from detak_collector.commands.correcting import by_option, dry_option
from detak_collector.commands.history import Words
from detak_collector.commands.session import Session
from detak_collector.decisions.proposal import About

_id = click.argument("name", metavar="ID")
_reason = click.option("--reason", type=Words(), required=True, help="Why, for those who check it later.")
_document = click.option("--document", type=Words(), help="The document of this step.")
_remark = click.option("--reason", type=Words(), help="What is to be remembered of it.")


def add_verbs(group: click.Group, about: About) -> None:
    """Gives the group of commands that is about it the rest of them."""
    _add_decisions(group, about)
    _add_withdrawal(group, about)
    _add_views(group, about)


def _add_decisions(group: click.Group, about: About) -> None:

    @group.command()
    @_id
    @_remark
    @_document
    @dry_option
    @by_option
    @click.pass_obj
    def approve(
        session: Session,
        name: str,
        reason: str | None,
        document: str | None,
        by: str | None,
        dry_run: bool,  # noqa: FBT001
    ) -> None:
        """Let the proposal ID take effect; its proposer cannot. Prints what that changes."""
        deciding.approve(session, about, name, (reason or "", document or ""), by, dry=dry_run)

    @group.command()
    @_id
    @_reason
    @_document
    @by_option
    @click.pass_obj
    def reject(session: Session, name: str, reason: str, document: str | None, by: str | None) -> None:
        """End the proposal ID, somebody else's, without effect."""
        deciding.reject(session, about, name, (reason or "", document or ""), by)


def _add_withdrawal(group: click.Group, about: About) -> None:

    @group.command()
    @_id
    @_reason
    @_document
    @dry_option
    @by_option
    @click.pass_obj
    def withdraw(
        session: Session,
        name: str,
        reason: str | None,
        document: str | None,
        by: str | None,
        dry_run: bool,  # noqa: FBT001
    ) -> None:
        """Take your own proposal ID back; of one that is in force propose the end, which somebody else approves."""
        deciding.withdraw(session, about, name, (reason or "", document or ""), by, dry=dry_run)


def _add_views(group: click.Group, about: About) -> None:

    @group.command("list")
    @click.option("--all", "every", is_flag=True, help="Also those that were rejected, replaced or withdrawn.")
    @click.option("--as-of", help="As they stood at this earlier moment.")
    @click.pass_obj
    def list_command(session: Session, every: bool, as_of: str | None) -> None:  # noqa: FBT001 - an option
        """List what is in force and what is pending."""
        deciding.list_all(session, about, every=every, as_of=as_of)

    @group.command()
    @_id
    @click.pass_obj
    def show(session: Session, name: str) -> None:
        """Tell everything about ID, and what became of it, step by step."""
        deciding.show(session, about, name)
