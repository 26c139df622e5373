"""The report of a category: what one cause had of the figure, the same to the millisecond in every format."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO, StringIO

import click
import pypdf
import pytest

from detak_collector.commands.of_category import made_of_category
from detak_collector.commands.output import Output
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.periods import parse_period
from detak_collector.report.of_category import of_category
from detak_collector.translation import LANGUAGES
from detak_collector.translation.language import language
from downtime_cases import HOUR, MINUTE, excluded, facts, group, service, stated
from report_cases import BEGIN, END, JAKARTA, report
from workbook import recomputed

HEAD = "4711:" + "9f86d081" * 8
JANUARY = parse_period("2026-01", JAKARTA, END)
AT = BEGIN + 5 * 24 * HOUR


def made(result: Result, form: str, code: str = "en", table: str | None = None, of: str = "category:network") -> bytes:
    worded = form in {"text", "html", "pdf", "xlsx"}
    return made_of_category(result, Output(form, code if worded else None, table, None, None, of))


def rows(result: Result, table: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(made(result, "csv", table=table).decode(), newline="")))


def one_after_another() -> Result:
    """The network is down for an hour; in the middle of it the database too, for longer; of that ten minutes planned.

    A second service has only the database, and its first ten minutes were not seen.
    """
    lan, base = group(["a/lan"], name="lan", category="network"), group(["b/db"], name="db")
    broken, unseen = ((AT + 30 * MINUTE, AT + 2 * HOUR),), ((AT, AT + 10 * MINUTE),)
    seen = {
        "a/lan": stated("a/lan", JANUARY.begin, JANUARY.end, ((AT, AT + HOUR),)),
        "b/db": stated("b/db", JANUARY.begin, JANUARY.end, broken, unseen),
    }
    services = (service(lan, base), service(replace(base, key="t/db"), name="t"))
    work = excluded(AT + 90 * MINUTE, AT + 100 * MINUTE, service="s")
    catalogue = Catalogue(Dated.always("DJBC"), "Asia/Jakarta", services)
    return derive(Case(catalogue, JAKARTA, facts(seen), (work,), JANUARY.end), JANUARY)


def test_each_second_is_the_lowest_layers_and_the_categories_add_up_to_the_figure() -> None:
    result = one_after_another()
    lan, base = of_category(result, "category:network"), of_category(result, "category:database")
    assert (lan.share.counted_ms, base.share.counted_ms) == (HOUR, 50 * MINUTE + 90 * MINUTE)
    assert lan.share.counted_ms + base.share.counted_ms == result.figure.counted_ms
    assert lan.percent is not None
    assert lan.percent + (base.percent or 0) == result.figure.percent
    assert [one.service.service.id for one in lan.services] == ["s"]
    assert [(one.counted_ms, one.outage.counted_ms) for _, one in lan.outages] == [(HOUR, 110 * MINUTE)]


def test_the_bounds_are_those_of_the_layer_and_not_of_the_service() -> None:
    result = one_after_another()
    base = of_category(result, "category:database")
    (mixed,) = (one for one in base.services if one.service.service.id == "s")
    (alone,) = (one for one in base.services if one.service.service.id == "t")
    assert (alone.share.counted_ms, alone.share.possible_ms) == (90 * MINUTE, 100 * MINUTE), "ten were not seen"
    assert (mixed.share.counted_ms, mixed.share.possible_ms) == (50 * MINUTE, 50 * MINUTE), "the network was down then"
    assert mixed.share.gross_ms == 60 * MINUTE, "before the planned work left"


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("case", [report, one_after_another])
def test_its_totals_are_the_same_in_every_format(case: Callable[[], Result], code: str) -> None:
    result, speech = replace(case(), ledger=HEAD), language(code)
    share = of_category(result, "category:network").share
    told = json.loads(made(result, "json"))["share"]
    assert {name: told[name] for name in share._fields} == share._asdict()

    html = made(result, "html", code).decode()
    exact = {
        name: int(value) for name, value in re.findall(r"<td>(\w+_ms)</td><td class=\"n\"><data value=\"(\d+)\">", html)
    }
    assert share._asdict().items() <= exact.items()
    words = "\n".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(made(result, "pdf", code))).pages)
    text = made(result, "text", code).decode()
    for name, value in share._asdict().items():
        assert re.search(rf"{name}\s*{re.escape(speech.whole(value))}\b", words), name
        assert re.search(rf"{name}\s*{re.escape(speech.whole(value))}\b", text), name
    for shown in (html, words, text):
        assert HEAD[:30] in shown
        assert all(one.document in shown for one in result.case.exclusions)

    assert sum(int(one["counted_ms"]) for one in rows(result, "months")) == share.counted_ms
    assert sum(int(one["figure_counted_ms"]) for one in rows(result, "services")) == share.counted_ms
    assert sum(int(one["figure_counted_ms"]) for one in rows(result, "outages")) == share.counted_ms
    stated = {one["name"]: one["value"] for one in rows(result, "method")}
    assert (stated["category"], stated["counted_ms"]) == ("network", str(share.counted_ms))
    assert stated["figure.counted_ms"] == str(result.figure.counted_ms)

    named = [one["id"] for one in json.loads(made(result, "json"))["exclusions"]]
    assert [one["id"] for one in rows(result, "exclusions")] == named == [one.id for one in result.case.exclusions]
    sheet = recomputed(made(result, "xlsx", code))
    assert [sheet[f"B{row}"] for row in (5, 9, 10, 12, 13)] == [
        share.counted_ms,
        share.certain_ms,
        share.possible_ms,
        0,
        0,
    ]


def test_it_says_of_which_whole_it_is_a_part_and_claims_no_verdict_of_its_own() -> None:
    text = made(report(), "text", "id").decode()
    assert "Waktu henti menurut penyebab: jaringan DC/DRC, Tahun 2026" in text
    assert "Semua penyebab: 0,0038 %; target 0,1 %: tercapai" in text
    assert "\n\n\n" not in text
    assert re.search(r"(?m)^0,0029 % dari waktu layanan\. Semua penyebab: ", text)
    assert "75,0 % dari seluruh waktu henti yang diperhitungkan" in text
    assert "tidak memiliki target sendiri" in text


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("category:lan", "no such category; one of category:power, category:network"),
        ("category:power", "in this period no component of that category was in force; there are: category:network, "),
    ],
)
def test_what_is_no_category_here_is_refused_with_those_that_there_are(name: str, why: str) -> None:
    with pytest.raises(click.UsageError, match=f"--of: {why}"):
        made(report(), "json", of=name)


def test_a_month_that_an_earlier_version_kept_without_its_causes_is_not_guessed() -> None:
    result = report()
    services = tuple(
        replace(one, months=(replace(one.months[0], shares=None), *one.months[1:])) for one in result.services
    )
    with pytest.raises(click.UsageError, match="of the month from 2026-01-01 an earlier version kept the sums alone"):
        made(replace(result, services=services), "json")


def test_rows_that_only_a_figure_has_are_refused() -> None:
    with pytest.raises(click.UsageError, match="one of outages, services, months, exclusions, method"):
        made(report(), "csv", table="declarations")
