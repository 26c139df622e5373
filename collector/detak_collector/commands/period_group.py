"""A group of commands of which one is about a period: it needs no word of its own, since a period is no command."""

from __future__ import annotations

import click

HELP = frozenset({"-h", "--help"})


class PeriodGroup(click.Group):
    """`seal 2026-10` is `seal period 2026-10`."""

    default = "period"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click.Group says, with the word put in where none of the commands is named."""
        if args and args[0] not in self.commands and args[0] not in HELP:
            args = [self.default, *args]
        return super().parse_args(ctx, args)
