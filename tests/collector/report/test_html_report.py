"""The HTML file: alone in the world, obeying nothing that a name says, and honest where there is nothing to tell."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pypdf
import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.periods import parse_period
from detak_collector.downtime.stories import Story, Task
from detak_collector.report.effects import effects, from_facts
from detak_collector.report.formats import FORMATS, Order
from downtime_cases import DAY
from report_cases import BEGIN, CATALOGUE, END, HOSTILE, JAKARTA, LATIN, YEAR, hardly_watched, quiet, report, uncounted
from workbook import recomputed

GOLDEN = Path(__file__).parent / "golden"
VOID = {"meta", "br", "col"}
OWN_WORDS = re.compile(r"\b(span|certain|possible|coverage|member|probe|exclusion|proof|gross|net)\b", re.IGNORECASE)


class Reader(HTMLParser):
    """Refuses a file whose elements do not nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()
        self.addresses: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.addresses += [value or "" for name, value in attrs if name in {"src", "href", "action"}]
        self.addresses += [name for name, _ in attrs if name.startswith("on")]
        if tag not in VOID and tag not in {"rect", "line"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def made(result: Result, code: str = "en") -> str:
    return FORMATS["html"].made(result, Order(code)).decode()


def first_page(told: str) -> str:
    return re.sub(r"<[^>]+>", " ", told.partition('id="first"')[2].partition("</section>")[0])


@pytest.mark.parametrize("result", [report(), quiet(), uncounted()], ids=["year", "quiet", "uncounted"])
def test_the_file_nests_and_fetches_and_runs_nothing(result: Result) -> None:
    told = made(result)
    reader = Reader(told)
    assert reader.open == []
    assert reader.addresses == []
    assert not reader.seen & {"script", "link", "img", "iframe", "object", "form"}
    assert "url(" not in told
    assert "@import" not in told


def test_what_a_name_or_a_check_says_is_text() -> None:
    told = made(report())
    assert HOSTILE not in told
    assert "<b>x" not in told
    assert told.count("&lt;b&gt;x&lt;/b&gt;") >= 3
    assert LATIN in told


def test_the_first_page_names_figure_target_verdict_and_what_made_it_in_no_words_of_ours() -> None:
    told = first_page(made(report()))
    for words in ("0.0038 %", "Target met", "at most 0.1 %", "11 January 2026", "40 minutes", "100 % of all", "Firm:"):
        assert words in told
    assert told.index("11 January 2026") < told.index("28 October 2026")
    assert not OWN_WORDS.search(told)


def test_the_first_page_tells_the_follow_up_that_was_written() -> None:
    result = report()
    outage = next(one for each in result.services if each.in_figure for one in each.outages if one.counted_ms)
    follow_up = (Task("new firmware <b>", "Budi", "2026-12-31"),)
    told = first_page(made(replace(result, stories={outage.key: Story("", "", (), follow_up, "Siti", 0)})))
    assert "new firmware &lt;b&gt; (Budi, until 31 December 2026)" in told
    assert "No follow-up is on record" not in told
    assert "No follow-up is on record" in first_page(made(result))


def test_a_quiet_year_says_so_and_asks_for_nothing() -> None:
    told = made(quiet())
    assert "No downtime was counted" in first_page(told)
    assert "no follow-up is called for" in first_page(told)
    for words in ("There was no outage.", "No exclusion touches this period.", "there is no cause"):
        assert words in told


def test_a_year_without_any_service_that_counts_has_no_figure_and_no_verdict() -> None:
    told = first_page(made(uncounted()))
    assert "No figure" in told
    assert "0.0000" not in told
    assert "Target met" not in told


def test_a_target_that_is_met_for_want_of_evidence_is_not_announced_as_met() -> None:
    told = made(hardly_watched())
    assert "Target met, not certain yet" in first_page(told)
    assert '<section class="first none"' in told
    assert '<section class="first met"' in made(quiet())


def test_dates_that_the_title_says_are_not_said_again() -> None:
    one_day = first_page(made(report(parse_period("2026-03-05", JAKARTA, BEGIN))))
    assert one_day.count("5 March 2026") == 1
    assert "1 March 2026" in first_page(made(report(parse_period("2026-03", JAKARTA, BEGIN))))


def test_a_running_period_says_up_to_when_it_tells() -> None:
    told = made(report(as_of=BEGIN + 100 * DAY + 3_600_000))
    assert "still running; as of 11 April 2026 at 01:00 WIB" in first_page(told)


@pytest.mark.parametrize(
    ("words", "called"),
    [
        ("2026-Q1", "Triwulan I Tahun 2026"),
        ("2026-S2", "Semester II Tahun 2026"),
        ("2026-01", "Januari 2026"),
        ("2026-01-11", "11 Januari 2026"),
    ],
)
def test_a_period_is_called_as_people_call_it(words: str, called: str) -> None:
    told = made(report(parse_period(words, JAKARTA, 0)), "id")
    assert f"<h1>Tingkat downtime sistem TIK, {called}</h1>" in told


@pytest.mark.parametrize(("form", "name"), [("html", "year-id.html"), ("csv", "outages.csv")])
def test_the_report_is_as_it_was_last_looked_at(form: str, name: str) -> None:
    """After a change that is meant: run with DETAK_GOLDEN=write, and look at what was written."""
    result = report()
    found = FORMATS[form].made(result, Order("id", effects=effects(result, from_facts(result))))
    if os.environ.get("DETAK_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        (GOLDEN / name).write_bytes(found)
    assert found == (GOLDEN / name).read_bytes()


@pytest.mark.browser
@pytest.mark.parametrize("result", [report(), quiet(), uncounted()], ids=["year", "quiet", "uncounted"])
def test_printed_on_a4_the_first_page_is_one_page(
    result: Result, tmp_path: Path, require: Callable[[str], str]
) -> None:
    (tmp_path / "report.html").write_text(made(result, "id"))
    command = [require("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    command += ["--disable-background-networking", "--disable-component-update", "--no-pdf-header-footer"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", f"--print-to-pdf={tmp_path / 'report.pdf'}"]
    subprocess.run([*command, (tmp_path / "report.html").as_uri()], check=True, capture_output=True, timeout=120)
    pages = [page.extract_text() for page in pypdf.PdfReader(tmp_path / "report.pdf").pages]
    assert "Disetujui oleh" in pages[0]
    assert "Nama, NIP" in pages[0]
    assert "Bulan" in pages[1]


def test_where_nothing_was_watched_no_format_claims_that_the_target_was_met() -> None:
    result = derive(Case(CATALOGUE, JAKARTA, Facts({}), (), END), YEAR)
    assert result.figure.verdict(result.target_percent) == "met", "the bare comparison, which programs read"
    told = made(result)
    first = " ".join(first_page(told).split())
    assert "Not observed" in first
    assert "neither that the target was met nor that it was missed" in first
    assert "0.0000 %" not in first
    assert "<td>met</td>" not in told
    said = recomputed(FORMATS["xlsx"].made(result, Order("en")))
    assert (said["B9"], recomputed(FORMATS["xlsx"].made(report(), Order("en")))["B9"]) == ("Not observed", "Target met")
