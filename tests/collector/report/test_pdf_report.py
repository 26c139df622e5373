"""The PDF: its letters, its pages, and a first page that stays one page."""

from __future__ import annotations

import re
import string
from dataclasses import replace
from io import BytesIO

import pypdf
import pytest

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Dated
from detak_collector.downtime.derive import Result, derive
from detak_collector.report.formats import FORMATS, Order
from detak_collector.report.pdf_fonts import legible
from downtime_cases import DAY, MINUTE, facts, stated
from report_cases import BEGIN, CATALOGUE, END, JAKARTA, LATIN, SERVICES, YEAR, quiet, report, uncounted


def pages(result: Result, code: str = "id") -> list[str]:
    reader = pypdf.PdfReader(BytesIO(FORMATS["pdf"].made(result, Order(code))))
    return [page.extract_text() for page in reader.pages]


def flat(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def test_the_first_page_stands_alone_with_room_for_signatures() -> None:
    first = flat(pages(report())[0])
    for words in ("Tahun 2026", "0,0038 %", "Target tercapai", "Disusun oleh", "Disetujui oleh", "Nama, NIP"):
        assert words in first
    assert "Bulan" not in first


def test_any_latin_letter_is_printed_with_fonts_of_its_own() -> None:
    content = FORMATS["pdf"].made(report(), Order("id"))
    assert LATIN in flat("".join(pages(report())))
    assert b"NotoSans" in content


@pytest.mark.parametrize("result", [quiet(), uncounted()], ids=["quiet", "uncounted"])
def test_where_there_is_nothing_to_tell_the_first_page_is_still_one(result: Result) -> None:
    found = pages(result)
    assert "Disetujui oleh" in found[0]
    assert "Metode" in found[-1] or "Metode" in found[-2]


def test_names_too_long_for_the_first_page_make_it_smaller_and_not_two() -> None:
    long = Dated.always("Layanan pertukaran data kepabeanan dan cukai " * 12)
    services = tuple(replace(one, name=long) for one in SERVICES)
    found = pages(report(catalogue=replace(CATALOGUE, services=services)))
    assert "Disetujui oleh" in found[0]
    assert "Bulan" in found[1]


def test_every_page_says_which_of_how_many_it_is() -> None:
    found = pages(report(), "en")
    assert all(f"page {number} of {len(found)}" in text for number, text in enumerate(found, 1))


def test_a_long_table_goes_on_over_pages_with_its_heading_and_loses_no_row() -> None:
    down = [(BEGIN + day * DAY, BEGIN + day * DAY + MINUTE) for day in range(300)]
    history = facts({"node/ekspor": stated("node/ekspor", BEGIN, END, down)})
    only = replace(CATALOGUE, services=SERVICES[1:2], units=())
    found = pages(derive(Case(only, JAKARTA, history, (), END), YEAR), "en")
    with_rows = [text for text in found if "0:01:00.0" in text and "at least" in text]
    assert len(with_rows) > 5
    # Once as how it was read, and once in the place of words that its check did not say.
    assert sum(text.count("seen down") for text in found) == 600


def test_the_outline_leads_to_every_section() -> None:
    reader = pypdf.PdfReader(BytesIO(FORMATS["pdf"].made(report(), Order("en"))))
    titles = [one.title for one in reader.outline if not isinstance(one, list)]
    assert titles[:2] == ["Months", "Trend against the target"]
    assert titles[-1] == "Method"


def test_a_letter_that_the_fonts_lack_leaves_a_sign_and_no_gap() -> None:
    named = replace(SERVICES[1], name=Dated.always("Layanan 関税 \N{MINUS SIGN}1"))
    text = flat("".join(pages(report(catalogue=replace(CATALOGUE, services=(SERVICES[0], named, SERVICES[2]))))))
    assert "Layanan \N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER} \N{REPLACEMENT CHARACTER}1" in text
    signs = "0123456789.,:%()/*-\N{EN DASH}\N{MIDDLE DOT}\N{HORIZONTAL ELLIPSIS}"
    drawn = {*signs, *string.ascii_letters}
    assert {legible(letter) for letter in drawn} == drawn
