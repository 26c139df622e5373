"""Whom a restatement concerns: those who were mailed a figure of that time; what stays on record holds no address."""

from __future__ import annotations

from detak_collector.closing.touched import people_lines, told_people
from detak_collector.downtime.periods import parse_period
from detak_collector.mail.letter import Letter, Standing
from report_cases import END, JAKARTA

OCTOBER = parse_period("2026-10", JAKARTA, 0)


def letter(title: str, to: str, standing: Standing = Standing.SENT, purpose: str = "summary") -> Letter:
    return Letter(f"{title}{to}", purpose, title, to, (), b"", 0, standing=standing)


def test_those_are_named_who_were_sent_a_summary_that_holds_its_time() -> None:
    letters = [
        letter("2026-10", "b@djbc.example"), letter("2026-10 impor", "a@djbc.example"),
        letter("2026", "a@djbc.example"),
        letter("2026-W44", "c@djbc.example", Standing.UNSURE), letter("2026-10-31", "c@djbc.example"),
        letter("2026-11", "x@djbc.example"), letter("2026-11-01", "x@djbc.example"), letter("odd", "x@djbc.example"),
        letter("2026-10", "x@djbc.example", Standing.REFUSED), letter("2026-10", "x@djbc.example", purpose="test"),
    ]  # fmt: skip
    found = told_people(letters, OCTOBER, JAKARTA, END)
    assert found == {
        "2026": ["a@djbc.example"],
        "2026-10": ["a@djbc.example", "b@djbc.example"],
        "2026-10-31": ["c@djbc.example"],
        "2026-W44": ["c@djbc.example"],
    }
    lines = people_lines(found)
    assert lines[1] == "2 recipients of the summary of 2026-10 got another figure"
    assert not any("@" in one for one in lines)
