"""What a summary mail says, and how it reads: as HTML in a mail program, as text in 72 columns, in both languages."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from io import BytesIO
from zoneinfo import ZoneInfo

import pytest
from PIL import Image

from detak_collector.downtime.derive import Result
from detak_collector.downtime.periods import PeriodError, midnight
from detak_collector.downtime.sealed import Sealed
from detak_collector.mail.content import Around, Summary
from detak_collector.mail.html import html
from detak_collector.mail.matter import summary
from detak_collector.mail.message import MOST_ATTACHED_BYTES, Attachment, Envelope, Inline, composed, fitting
from detak_collector.mail.periods import kind_of, summary_period
from detak_collector.mail.png import png
from detak_collector.mail.text import text
from detak_collector.report.matter import Matter
from detak_collector.translation import LANGUAGES
from detak_collector.translation.language import language
from report_cases import END, HOSTILE, hardly_watched, quiet, report, uncounted

JAKARTA = ZoneInfo("Asia/Jakarta")
HEAD = "12:" + "9f86d081" * 8
AROUND = Around("https://detak.example.go.id/figure/2026", ("detak-2026.pdf",), ("detak-2026.xlsx",), "Because.", 2)
PERIODS = ("2026", "2026-01", "2026-Q1", "2026-W02", "2026-01-11", "2026-11")
CLIPPED_BYTES = 102_000
"""More than this one large provider does not show."""


def mail_of(period: str, code: str = "en", result: Result | None = None) -> Summary:
    found = result or report(summary_period(period, JAKARTA, 0))
    return summary(Matter(replace(found, ledger=HEAD), language(code), {}), AROUND)


class Elements(HTMLParser):
    """The elements of a page, and which of them were never closed."""

    def __init__(self, told: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words = ""
        self.feed(told)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words += data


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("period", PERIODS)
def test_it_is_sound_html_without_anything_a_mail_program_would_fetch_or_leave_out(period: str, code: str) -> None:
    told = html(mail_of(period, code), "k")
    page = Elements(told)
    assert page.open == []
    assert {tag for tag, _ in page.found} <= {
        "html", "head", "meta", "title", "body", "div", "table", "tr", "td", "th", "p", "h1", "h2", "img", "a",
        "strong", "br", "span",
    }  # fmt: skip
    for tag, attributes in page.found:
        assert not {"class", "id", "onclick", "background"} & set(attributes), tag
        if tag == "img":
            assert (attributes["src"] or "").startswith("cid:")
            assert attributes["alt"]
    assert len(told.encode()) < CLIPPED_BYTES


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("period", PERIODS)
def test_text_and_html_say_the_same_and_the_text_keeps_to_its_columns(period: str, code: str) -> None:
    mail = mail_of(period, code)
    plain, page = text(mail), " ".join(Elements(html(mail, "k")).words.split())
    assert all(len(line) <= 72 for line in plain.splitlines())
    flowing = " ".join(plain.split())
    for said in (mail.figure, mail.verdict, mail.target, mail.sentence, mail.certainty, mail.waiting, HEAD):
        assert " ".join(said.split()) in page
        assert " ".join(said.split()) in flowing
    assert "detak-2026.pdf" in flowing
    assert "detak-2026.xlsx" in flowing
    assert all(" ".join(one.text.split()) in flowing for one in mail.outages)


def test_a_day_and_a_week_list_their_outages_and_longer_periods_what_made_the_figure() -> None:
    day, year = mail_of("2026-01-11"), mail_of("2026")
    assert (len(day.outages), day.points) == (2, ())
    assert (year.outages, len(year.points)) == ((), 2)
    assert mail_of("2026-W02").title == "Downtime, week 2 of 2026"
    assert mail_of("2026-W02").dates == "5 January 2026 \N{EN DASH} 11 January 2026"


def test_what_checks_and_people_wrote_stays_words() -> None:
    told = html(mail_of("2026-01-11"), "k")
    assert "<b>x</b>" not in told
    assert HOSTILE in Elements(told).words


@pytest.mark.parametrize("result", [quiet(), uncounted(), hardly_watched()], ids=["quiet", "uncounted", "unwatched"])
def test_a_year_of_which_there_is_little_to_say_is_said_too(result: Result) -> None:
    mail = mail_of("2026", result=result)
    told = text(mail)
    assert "No service had downtime." in told or mail.services.rows
    assert Elements(html(mail, "k")).open == []
    assert mail.tone in {"met", "none"}


def test_the_year_so_far_stands_beside_its_part_and_says_what_is_left() -> None:
    assert mail_of("2026-11").so_far.startswith("2026 so far: 0.0042 %, within the target with ")
    assert mail_of("2026-01-11").so_far == "2026 so far: 0.1263 %, above the target."
    assert not mail_of("2026").so_far


def test_of_a_sealed_period_it_says_that_only_a_restatement_changes_the_figure() -> None:
    result = report(summary_period("2026-01", JAKARTA, 0))
    seal = Sealed("2026-01", "1", "ani", None, END, END, HEAD, result.figure, result.target_percent)
    sealed, still_open = (" ".join(text(mail_of("2026-01", result=one)).split()) for one in
                          (replace(result, seal=seal), result))  # fmt: skip
    assert "Sealed: only a restatement changes the figure." in sealed
    assert "may change the figure" not in sealed
    assert "Evidence that comes later may change the figure" in still_open


def test_pictures_are_sharp_small_and_told_in_words() -> None:
    for one in mail_of("2026").pictures:
        content = png(one.drawing)
        assert Image.open(BytesIO(content)).width >= 2 * 552
        assert len(content) < 20_000
        assert "0.1 %" in one.drawing.told or "Jan 0.0" in one.drawing.told


def test_nothing_that_is_written_on_a_mail_begins_another_header() -> None:
    wicked = "0 %\r\nBcc: thief@example.com\r\n\r\n<script>" + "x" * 500
    made = composed(Envelope("k" * 32, "Détak <a@b.go.id>", "c@d.go.id", wicked, "id", 0), "t\n", "<p>t</p>")
    mail = message_from_bytes(made, policy=policy.default)
    assert mail["Bcc"] is None
    assert mail["Subject"].startswith("0 % Bcc: thief@example.com")
    assert len(mail["Subject"]) <= 150
    assert mail["From"] == "Détak <a@b.go.id>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert max(map(len, made.split(b"\r\n"))) <= 998
    assert made.isascii()


def test_a_mail_has_its_parts_where_mail_programs_look_for_them() -> None:
    envelope = Envelope("k" * 32, "a@b.go.id", "c@d.go.id", "s", "id", 0)
    made = composed(
        envelope, "t\n", "<p>t</p>", [Inline("gauge", b"png")], [Attachment("a.pdf", "application/pdf", b"pdf")]
    )
    mail = message_from_bytes(made, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    assert [one.get_content_type() for one in mail.walk()] == [
        "multipart/mixed", "multipart/alternative", "text/plain", "multipart/related", "text/html", "image/png",
        "application/pdf",
    ]  # fmt: skip
    assert mail["Message-ID"] == f"<{'k' * 32}@b.go.id>"


def test_what_is_too_large_to_be_mailed_stays_behind() -> None:
    large, small = (
        Attachment(name, "application/pdf", b"x" * size) for name, size in (("l", MOST_ATTACHED_BYTES), ("s", 1))
    )
    assert fitting([small, large]) == ([small], [large])


@pytest.mark.parametrize(
    ("words", "today", "name", "kind"),
    [
        ("yesterday", "2027-01-01", "2026-12-31", "daily"),
        ("last-week", "2027-01-01", "2026-W52", "weekly"),
        ("last-week", "2027-01-04", "2026-W53", "weekly"),
        ("last-month", "2027-01-31", "2026-12", "monthly"),
        ("last-quarter", "2026-04-01", "2026-Q1", "quarterly"),
        ("last-half", "2026-04-01", "2025-S2", "half-yearly"),
        ("last-year", "2026-02-28", "2025", "yearly"),
        ("2026-W01", "2026-02-28", "2026-W01", "weekly"),
    ],
)
def test_periods_are_named_from_the_day_on_which_they_are_asked_for(
    words: str, today: str, name: str, kind: str
) -> None:
    found = summary_period(words, JAKARTA, midnight(date.fromisoformat(today), JAKARTA))
    assert (found.name, kind_of(found)) == (name, kind)


def test_a_week_is_seven_local_days_from_its_monday() -> None:
    week = summary_period("2026-W01", JAKARTA, END)
    assert (week.begin, week.end) == tuple(midnight(date(2025, 12, 29), JAKARTA) + at * 86_400_000 for at in (0, 7))


@pytest.mark.parametrize("words", ["2026-ytd", "2026-W54", "2026-13", "soon"])
def test_what_is_no_whole_period_has_no_summary(words: str) -> None:
    with pytest.raises(PeriodError, match="period: "):
        summary_period(words, JAKARTA, END)
