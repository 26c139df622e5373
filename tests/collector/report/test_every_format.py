"""One figure in six formats: what each of them says of the totals is the same to the millisecond."""

from __future__ import annotations

import csv
import json
import re
from io import BytesIO, StringIO

import pypdf
import pytest
from rich.console import Console

from detak_collector.downtime.derive import Result
from detak_collector.report.formats import FORMATS, Order
from detak_collector.report.text import print_report
from detak_collector.translation import LANGUAGES
from detak_collector.translation.language import language
from report_cases import COUNTED, JAKARTA, SERVICE_TIME, changed, quiet, report, uncounted
from workbook import recomputed

CASES = {"year": report, "quiet": quiet, "uncounted": uncounted, "changed": changed}
SUMMARY = {
    "counted_ms": 5,
    "service_time_ms": 6,
    "certain_ms": 10,
    "possible_ms": 11,
    "unobserved_ms": 12,
    "gross_ms": 15,
}
"""The rows of a workbook's summary."""

EXACT = re.compile(r"<td>(\w+_ms)</td><td class=\"n\"><data value=\"(\d+)\">")


def made(result: Result, form: str, code: str = "en", table: str = "outages") -> bytes:
    return FORMATS[form].made(result, Order(code, table))


def rows(result: Result, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(made(result, "csv", table=table).decode(), newline="")))


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def printed(result: Result, code: str) -> str:
    out = StringIO()
    print_report(result, JAKARTA, Console(file=out, width=200), language(code))
    return out.getvalue()


def test_the_made_up_year_comes_to_what_was_reckoned_by_hand() -> None:
    figure = report().figure
    assert (figure.counted_ms, figure.service_time_ms) == (COUNTED, SERVICE_TIME)


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("case", CASES)
def test_the_totals_are_the_same_in_every_format(case: str, code: str) -> None:
    result = CASES[case]()
    speech, figure = language(code), result.figure
    exact = json.loads(made(result, "json"))["figure"]
    names = ("counted_ms", "certain_ms", "possible_ms", "gross_ms", "service_time_ms", "unobserved_ms")
    totals = {name: exact[name] for name in names}
    assert totals == {name: getattr(figure, name) for name in names}

    told = {name: int(value) for name, value in EXACT.findall(made(result, "html", code).decode())}
    assert totals.items() <= told.items()

    services = rows(result, "services")
    assert sum(int(one["figure_counted_ms"]) for one in services) == totals["counted_ms"]
    assert sum(int(one["figure_service_time_ms"]) for one in services) == totals["service_time_ms"]
    assert sum(int(one["counted_ms"]) for one in rows(result, "months")) == totals["counted_ms"]
    assert sum(int(one["counted_ms"]) for one in rows(result, "outages")) == sum(
        int(one["counted_ms"]) for one in services
    )

    words = pdf_text(made(result, "pdf", code))
    for name, value in totals.items():
        assert re.search(rf"{name}\s*{re.escape(speech.whole(value))}\b", words)

    sheet = recomputed(made(result, "xlsx", code))
    assert {name: sheet[f"B{row}"] for name, row in SUMMARY.items()} == totals
    assert sheet["B22"] == totals["counted_ms"]
    assert [sheet[f"B{row}"] for row in (24, 25, 26, 27)] == [0, 0, 0, 0]

    if figure.percent is not None:
        assert f"{speech.whole(totals['counted_ms'])} ms" in printed(result, code)


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_figure_and_the_verdict_are_the_same_wherever_people_read_them(code: str) -> None:
    result = report()
    speech = language(code)
    assert result.figure.percent is not None
    figure = f"{speech.decimals(result.figure.percent, 4)} %"
    for text in (made(result, "html", code).decode(), pdf_text(made(result, "pdf", code)), printed(result, code)):
        assert figure in text
    for text in (made(result, "html", code).decode(), pdf_text(made(result, "pdf", code))):
        assert speech.say("Target met") in text


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figures_give_the_same_bytes(form: str) -> None:
    assert made(report(), form, "id") == made(report(), form, "id")
