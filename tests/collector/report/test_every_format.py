"""One figure in six formats: what each of them says of the totals is the same to the millisecond."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO, StringIO
from pathlib import Path

import jsonschema
import pypdf
import pytest
from openpyxl import load_workbook
from rich.console import Console

from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result
from detak_collector.report.digests import catalogue_digest
from detak_collector.report.effects import effects, from_facts
from detak_collector.report.formats import FORMATS, Order
from detak_collector.report.text import print_report
from detak_collector.report.wording import RULES
from detak_collector.translation import LANGUAGES
from detak_collector.translation.language import language
from report_cases import COUNTED, JAKARTA, SERVICE_TIME, changed, quiet, report, uncounted
from workbook import recomputed

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "report.schema.json").read_text())
HEAD = "4711:" + "9f86d081" * 8
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


def made(
    result: Result, form: str, code: str = "en", table: str = "outages", effects: Mapping[str, int] | None = None
) -> bytes:
    return FORMATS[form].made(result, Order(code, table, effects=effects))


def rows(result: Result, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(made(result, "csv", table=table).decode(), newline="")))


def pdf_text(content: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)


def printed(result: Result, code: str, effects: Mapping[str, int] | None = None) -> str:
    out = StringIO()
    print_report(result, JAKARTA, Console(file=out, width=200), language(code), effects)
    return out.getvalue()


def everything(content: bytes) -> str:
    """All that the cells of a workbook say."""
    sheets = load_workbook(BytesIO(content), data_only=True).worksheets
    return " ".join(str(one) for sheet in sheets for row in sheet.iter_rows(values_only=True) for one in row)


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


def test_every_format_states_its_rules_what_it_rests_on_and_what_each_exclusion_took_out() -> None:
    result = replace(report(), ledger=HEAD)
    took = effects(result, from_facts(result))
    assert took == {"x1": 7_200_000}
    said = " ".join(printed(result, "en", took).split())
    papers = {
        "text": said,
        "html": made(result, "html", effects=took).decode(),
        "pdf": " ".join(pdf_text(made(result, "pdf", effects=took)).split()),
        "xlsx": everything(made(result, "xlsx", effects=took)),
    }
    digest = catalogue_digest(result.case.catalogue)
    words = language("en").say(RULES[result.case.catalogue.ha_rule.value_at(result.last)])
    for form, text in papers.items():
        assert words in text, form
        assert "planned downtime included" in text, form
        assert HEAD[:40] in text, form
        assert RULE_VERSION in text, form
        assert form == "text" or digest[:30] in text, form
        assert "took out" in text, form
        assert "2:00:00" in text, form

    told = json.loads(made(result, "json", effects=took))
    assert [(one["id"], one["took_out_ms"]) for one in told["exclusions"] if one["took_out_ms"]] == [("x1", 7_200_000)]
    assert (told["method"]["ha_rule"], told["method"]["planned_in_denominator"]) == ("lowest_member", True)
    jsonschema.validate(told, SCHEMA)
    stated = {one["name"]: one["value"] for one in rows(result, "method")}
    assert stated["ledger"] == HEAD
    assert stated["ha_rule"] == "lowest_member"
    assert stated["planned_in_denominator"] == "true"
    assert stated["catalogue_content_digest"] == digest
    assert stated["rule_version"] == RULE_VERSION
    for name in ("counted_ms", "certain_ms", "possible_ms", "coverage", "verdict", "proof"):
        assert stated[name] == str(told["figure"][name]), name
    assert "took_out_ms" not in made(result, "json").decode(), "what was not measured is not told"


def test_a_drill_is_told_as_one_in_every_format() -> None:
    result = replace(report(), drills=frozenset({"x1"}))
    papers = {
        "text": " ".join(printed(result, "en").split()),
        "html": made(result, "html").decode(),
        "pdf": " ".join(pdf_text(made(result, "pdf")).split()),
        "xlsx": everything(made(result, "xlsx")),
    }
    for form, text in papers.items():
        assert "(drill)" in text, form
    told = json.loads(made(result, "json"))
    jsonschema.validate(told, SCHEMA)
    assert [one["drill"] for one in told["exclusions"]] == [True]
    assert [one["drill"] for one in rows(result, "exclusions")] == ["true"]
    assert [one["drill"] for one in rows(replace(result, drills=frozenset()), "exclusions")] == ["false"]
    assert [one["drill"] for one in rows(report(), "exclusions")] == [""], "where it is not known"
    assert "drill" not in json.loads(made(report(), "json"))["exclusions"][0]
    assert "(drill)" not in made(report(), "html").decode()


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_figures_give_the_same_bytes(form: str) -> None:
    assert made(report(), form, "id") == made(report(), form, "id")
