"""`report --provider NAME`: what one third party answers for, instead of the figure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from detak_collector.commands.output import TEXT, Output
from detak_collector.decisions.claims import claims_of
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.providers import Attributed, attributed, names_of, providers
from detak_collector.decisions.recording import register_here
from detak_collector.downtime.derive import Result
from detak_collector.pair.entry import CLAIM
from detak_collector.report.effects import effects
from detak_collector.report.formats import set_in
from detak_collector.report.output import write_report
from detak_collector.store.parts import Store
from detak_collector.translation import ENGLISH

if TYPE_CHECKING:
    from detak_collector.commands.figures import Opened

FORMATS = (TEXT, "html", "pdf", "xlsx", "csv", "json")


def refuse_provider(output: Output) -> None:
    """What such a report has not; raises click.UsageError."""
    given = {"--of": output.part, "--service": output.service, "--table": output.table}
    for option, value in given.items():
        if value is not None:
            raise click.UsageError(f"{option}: not with --provider, which has all that is put down to him")
    if output.form not in FORMATS:
        raise click.UsageError(f"--format: of a provider one of {', '.join(FORMATS)} (got {output.form!r})")


def provider_report(store: Store, opened: Opened, result: Result, name: str, output: Output) -> None:
    """Writes it; raises click.UsageError where nothing was ever put down to anybody of that name."""
    at = result.as_of if result.case.earlier else None
    register = register_here(store.database, at)
    known = providers(register)
    named = next((one for one in known if same_person(one, name)), None)
    if named is None:
        told = f"one of {', '.join(known)}" if known else "no exclusion names one yet"
        raise click.UsageError(f"--provider: nothing is put down to him; {told} (got {name!r})")
    claims = claims_of(one for one in store.entries.of(CLAIM) if one.recorded_utc <= result.as_of)
    own = frozenset(names_of(register, result, named))
    measured = effects(result, opened.derive(result, at), own)
    opened.ledger.brought_on(opened.now.utc)
    result = replace(result, ledger=str(opened.ledger.covering(result.as_of)))
    _deliver(named, result, attributed(register, claims, result, named, measured), output)


def _deliver(name: str, result: Result, rows: Sequence[Attributed], output: Output) -> None:
    # The libraries of the formats take a second to load, which no other command should wait for.
    from detak_collector.report.provider import (  # noqa: PLC0415
        OfProvider,
        provider_csv,
        provider_json,
        provider_paper,
    )
    from detak_collector.translation.language import language  # noqa: PLC0415

    of = OfProvider(name, result, rows)
    if output.form in {"csv", "json"}:
        content = provider_csv(of) if output.form == "csv" else provider_json(of)
    elif output.form == "xlsx":
        from detak_collector.report.provider_xlsx import provider_xlsx  # noqa: PLC0415

        content = provider_xlsx(of, language(output.language or ENGLISH))
    else:
        content = set_in(provider_paper(of, language(output.language or ENGLISH)), output.form)
    if output.file is not None:
        write_report(output.file, content)
    else:
        click.echo(content, nl=False)
