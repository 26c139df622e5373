"""`detak-collector serve`."""

from __future__ import annotations

import asyncio
import logging
import os

import click

from detak_collector.commands.session import EXIT_COULD_NOT, Session
from detak_collector.operating.systemd import notify
from detak_collector.store.base import StoreBrokenError

_log = logging.getLogger(__name__)


@click.command()
@click.pass_obj
def serve(session: Session) -> None:
    """Receive evidence and show the pages until SIGTERM; SIGHUP reads the configuration again."""
    from detak_collector.serve import serve as serve_forever  # noqa: PLC0415 - the other commands need no server

    def listening(url: str) -> None:
        _log.info("listening on %s", url)

    try:
        asyncio.run(serve_forever(session.config(), session.clock, listening, session.config))
    except StoreBrokenError as error:
        _log.critical("%s", error)
        notify(f"STATUS={error}")
        logging.shutdown()
        # Without closing the files: that would write once more to a disk that has failed, and might seem to succeed.
        os._exit(EXIT_COULD_NOT)
    _log.info("stopped")
