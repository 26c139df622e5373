"""A group of commands that are imported when they are asked for: all of them together take most of a second."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

import click


class LateGroup(click.Group):
    """As click's own. `places` says of each command where it is: its module in this package, and its name there."""

    def __init__(self, *, places: Mapping[str, str], **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._places = places

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click says
        """As click says."""
        return sorted(self._places)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - as click says
        """As click says."""
        place = self._places.get(cmd_name)
        return None if place is None else command_at(place)


def command_at(place: str) -> click.Command:
    """The command at a place such as `seal.seal`."""
    module, _, name = place.rpartition(".")
    command = getattr(importlib.import_module(f"{__package__}.{module}"), name)
    assert isinstance(command, click.Command), place
    return command
