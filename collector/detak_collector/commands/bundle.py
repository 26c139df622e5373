"""`detak-collector bundle`: a period's figure and all that it rests on, in one file, to be checked elsewhere."""

from __future__ import annotations

import time
from hashlib import sha256
from pathlib import Path

import click

from detak_collector.bundle.writing import TooLargeError, chain_all, months_in, packed
from detak_collector.bundle.zones import ZoneError
from detak_collector.catalogue.texts import Texts, read
from detak_collector.commands.figures import Asked, Opened, as_of_option, opened_whole
from detak_collector.commands.packed import months_bar
from detak_collector.commands.session import Session
from detak_collector.config import Config
from detak_collector.downtime.derive import Result
from detak_collector.errors import CannotServeError
from detak_collector.records import Records
from detak_collector.report.numbers import iso_utc
from detak_collector.report.output import write_report
from detak_collector.store.parts import Store
from detak_collector.stored_months import View

SETTLING_S = 2.0
"""What a running collector has just received is on its way to the disk: without it a bundle could not be made again."""


@click.command()
@click.argument("period", required=False)
@click.option("--from", "begin", help="The first instant, in place of PERIOD, such as 2026-10-01.")
@click.option("--to", "end", help="The instant after the last.")
@as_of_option
@click.option(
    "-o", "--output", "file", required=True, type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
    help="Write into FILE, such as 2026-10.tar.gz, whole or not at all; one that is there is replaced.",
)  # fmt: skip
@click.pass_obj
def bundle(
    session: Session, period: str | None, begin: str | None, end: str | None, as_of: str | None, file: Path
) -> None:
    """Write the figure of PERIOD with all the evidence it rests on into one file, to be checked anywhere.

    `recompute FILE` and `detak-verify.pyz FILE` derive it again, without this store.
    """
    config = session.config()
    with opened_whole(session) as (found, store, records):
        content, told = _made(found, store, records, config, (period, begin, end), as_of)
    write_report(file, content)
    click.echo(f"{file}: {told}, {len(content):,} bytes, SHA-256 {sha256(content).hexdigest()}")


def _made(
    found: Opened, store: Store, records: Records, config: Config, asked: Asked, as_of: str | None
) -> tuple[bytes, str]:
    now = found.now
    at = found.past(as_of, "--as-of")
    moment = now.utc if at is None else at
    if at is None and found.unwatched is None:
        time.sleep(SETTLING_S)
    try:
        period = found.period(asked, moment)
    except click.UsageError as error:
        raise click.UsageError(error.message.replace("--period", "PERIOD")) from None
    chain_all(store.ledger, now.utc)
    view = View(store.evidence, found.rules, now).as_of(moment)
    texts = _texts(view, config)
    view = view.under(view.rules.with_catalogue(texts.parse()))

    def complete(result: Result) -> Result:
        return records.recall(result) if at is not None else records.complete(result, now)

    try:
        with months_bar("bundling", len(months_in(view, period))) as step:
            content = packed(store, view, texts, period, complete, step)
    except (TooLargeError, ZoneError) as error:
        raise CannotServeError(str(error)) from None
    return content, f"{period.name} as of {iso_utc(moment)}"


def _texts(view: View, config: Config) -> Texts:
    """The files of the catalogue in force; where no versions are kept, those on disk."""
    standing = view.rules.versions
    return read(config.services).texts if standing is None else standing.register.texts(standing.version)
