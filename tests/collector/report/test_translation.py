"""Nothing is left untranslated, no translation loses a value, and numbers and dates are written as Indonesians do."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import date
from fractions import Fraction
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.pofile import read_po
from jinja2 import Environment
from jinja2.ext import extract_from_ast

import detak_collector
from detak_collector.downtime.calendars import UNKNOWN
from detak_collector.report import wording
from detak_collector.report.formats import FORMATS, Order
from detak_collector.translation import LANGUAGES
from detak_collector.translation.language import language
from indonesian import english_in, texts_of
from report_cases import report

PACKAGE = Path(detak_collector.__file__).parent
AT_TIMES = ("web", "operating", "channel", "pair", "ingest", "catalogue", "board", "decisions", "deriving", "retention")
SPEAKING = [
    path
    for folder in AT_TIMES
    for path in (PACKAGE / folder).rglob("*.py")
    if "detak_collector.translation" in path.read_text()
]
SAYING = ("report", "translation", "annotations", "closing", "mail", "notify")
SOURCES = sorted([*(path for folder in SAYING for path in (PACKAGE / folder).glob("*.py")), *SPEAKING])
TEMPLATES = sorted((PACKAGE / "web" / "templates").rglob("*.html"))
SAYS = {"say", "mark", "count", "saying", "counted"}
LEAST = {"count": 3}
"""What counts refusals has fewer arguments."""

BY_THE_ENGINE = {UNKNOWN}
"""It speaks no language: who tells of it says this."""
NAMED = re.compile(r"{(\w+)}")
INDONESIAN, ENGLISH = language("id"), language("en")


def called(node: ast.AST) -> str:
    if not isinstance(node, ast.Call):
        return ""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def messages(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if called(node) in SAYS and isinstance(node, ast.Call) and len(node.args) >= LEAST.get(called(node), 1):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield first.value


def messages_of_template(path: Path) -> Iterator[str]:
    """What it says itself; what it is given to say is marked where that comes from."""
    for _, _, found in extract_from_ast(Environment().parse(path.read_text()), gettext_functions=("say", "count")):
        message = found if isinstance(found, str) or found is None else found[0]
        if message is not None:
            yield message


def catalogue() -> dict[str, str]:
    content = resources.files("detak_collector.translation").joinpath("id.po").open("rb")
    with content:
        told = read_po(content, locale="id")
    return {_first(one.id): _first(one.string or "") for one in told if one.id}


def _first(words: str | list[str] | tuple[str, ...]) -> str:
    return words if isinstance(words, str) else words[0]


def test_every_sentence_is_in_the_catalogue_and_nothing_else_is() -> None:
    said = {message for path in SOURCES for message in messages(path)}
    said |= BY_THE_ENGINE
    said |= {message for path in TEMPLATES for message in messages_of_template(path)}
    assert said
    assert said == set(catalogue())


def test_no_sentence_hides_in_an_f_string_where_tools_for_translators_do_not_look() -> None:
    hidden = [
        f"{path.name}:{node.lineno}"
        for path in SOURCES
        for outer in ast.walk(ast.parse(path.read_text()))
        if isinstance(outer, ast.JoinedStr)
        for node in ast.walk(outer)
        if called(node) in SAYS - {"mark"} and isinstance(node, ast.Call) and isinstance(node.args[0], ast.Constant)
    ]
    assert hidden == []


def test_every_translation_says_something_and_keeps_every_value_of_its_sentence() -> None:
    for message, told in catalogue().items():
        assert told, message
        assert sorted(NAMED.findall(message)) == sorted(NAMED.findall(told)), message


def test_the_engines_warnings_are_translated() -> None:
    assert all(wording.warning_words(one, INDONESIAN) != one for one in wording.WARNINGS)
    told = wording.warning_words("service impor was not observed at all", INDONESIAN)
    assert told == "layanan impor sama sekali tidak terpantau"


def test_a_check_that_said_nothing_is_told_by_how_it_was_read() -> None:
    said = "dc-db-01/pg: presumed down: missing heartbeats; edge-01/web: HTTP 503: down; down"
    told = "dc-db-01/pg: dugaan: tidak ada tanda hidup; edge-01/web: HTTP 503: down; down"
    assert wording.detail_words(said, INDONESIAN) == told
    assert wording.detail_words("", INDONESIAN) == ""


def test_numbers_have_the_points_and_commas_of_their_language() -> None:
    assert INDONESIAN.decimals(Fraction("1234.56"), 2) == "1.234,56"
    assert ENGLISH.decimals(Fraction("1234.56"), 2) == "1,234.56"
    assert INDONESIAN.decimals(Fraction("0.00755"), 4) == "0,0076"
    assert INDONESIAN.decimals(Fraction("-0.04"), 2) == "-0,04"
    assert INDONESIAN.decimals(Fraction("-0.004"), 2) == "0,00"
    assert INDONESIAN.short(Fraction("0.1")) == "0,1"
    assert INDONESIAN.whole(1_234_567) == "1.234.567"


def test_dates_and_times_are_those_of_the_language() -> None:
    jakarta = ZoneInfo("Asia/Jakarta")
    assert INDONESIAN.day(date(2026, 12, 31)) == "31 Desember 2026"
    assert INDONESIAN.moment(1_795_482_000_000, jakarta) == "24 November 2026 pukul 08.00 WIB"
    assert ENGLISH.moment(1_795_482_000_000, jakarta) == "24 November 2026 at 08:00 WIB"
    assert INDONESIAN.stamp(1_795_482_000_000, jakarta) == "24 Nov 2026 08.00.00"


def test_lengths_are_told_as_people_say_them() -> None:
    assert INDONESIAN.spoken(8_844_000) == "2 jam 27 menit"
    assert ENGLISH.spoken(3_600_000) == "1 hour"
    assert ENGLISH.spoken(61_000) == "1 minute 1 second"
    assert INDONESIAN.spoken(999) == "1 detik"
    assert INDONESIAN.length(3_723_400) == "1 jam 02 mnt 3,4 dtk"
    assert INDONESIAN.clock_length(-3_723_400) == "-1:02:03,4"


@pytest.mark.parametrize("form", [name for name, one in FORMATS.items() if one.worded and name == "html"])
def test_a_report_in_one_language_has_nothing_of_the_other(form: str) -> None:
    told = FORMATS[form].made(report(), Order("id")).decode()
    assert "Target tercapai" in told
    assert english_in(texts_of(told)) == []
    assert LANGUAGES == ("en", "id")
