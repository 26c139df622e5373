"""`detak-collector serve`."""

from __future__ import annotations

import asyncio
import logging

import click

from detak_collector.cli_session import Session

_log = logging.getLogger(__name__)


@click.command()
@click.pass_obj
def serve(session: Session) -> None:
    """Receive evidence and show the pages until SIGTERM; SIGHUP reads services.toml again."""
    from detak_collector.serve import serve as serve_forever  # noqa: PLC0415 - the other commands need no server

    def listening(url: str) -> None:
        _log.info("listening on %s", url)

    asyncio.run(serve_forever(session.config(), session.clock, listening))
    _log.info("stopped")
