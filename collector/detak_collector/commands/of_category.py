"""`report --of category:NAME`: what one category of component answers for, beside the figure of the whole."""

from __future__ import annotations

import click

from detak_collector.commands.output import Output
from detak_collector.downtime.derive import Result
from detak_collector.report.formats import set_in
from detak_collector.report.narrowed import UnknownPartError
from detak_collector.report.output import write_report
from detak_collector.translation import ENGLISH


def deliver_category(result: Result, output: Output) -> None:
    """The report to where it was asked for; raises click.UsageError where it cannot be told, or OSError."""
    content = made_of_category(result, output)
    if output.file is not None:
        write_report(output.file, content)
    else:
        click.echo(content, nl=False)


def made_of_category(result: Result, output: Output) -> bytes:
    """Its bytes in the form that was asked for; raises click.UsageError."""
    # The libraries of the formats take a second to load, which no other command should wait for.
    from detak_collector.report.of_category import of_category  # noqa: PLC0415
    from detak_collector.report.of_category_tables import TABLES, category_csv, category_json  # noqa: PLC0415
    from detak_collector.translation.language import language  # noqa: PLC0415

    assert output.part is not None, "asked for by name"
    try:
        of = of_category(result, output.part)
    except UnknownPartError as error:
        raise click.UsageError(f"--of: {error}") from None
    if output.form == "json":
        return category_json(of)
    if output.form == "csv":
        table = output.table or TABLES[0]
        if table not in TABLES:
            raise click.UsageError(f"--table: of a category one of {', '.join(TABLES)} (got {table!r})")
        return category_csv(of, table)
    told = language(output.language or ENGLISH)
    if output.form == "xlsx":
        from detak_collector.report.of_category_xlsx import category_xlsx  # noqa: PLC0415

        return category_xlsx(of, told)
    from detak_collector.report.of_category_paper import category_paper  # noqa: PLC0415

    return set_in(category_paper(of, told), output.form)
