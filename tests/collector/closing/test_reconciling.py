"""A figure held against a decree and tickets: each thing that does not fit is found, and what fits is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.closing.listed import ListError, read_decree, read_tickets
from detak_collector.closing.reconciling import Decreed, Reconciled, Ticket, reconcile
from downtime_cases import HOUR, MINUTE
from report_cases import BEGIN, EKSPOR_DOWN, END, IMPOR_DOWN, LATIN, report

RESULT = report()
FITTING = [
    Ticket(at, f"T-{at}", service, begin + 5 * MINUTE, end)
    for at, (service, (begin, end)) in enumerate(
        [("impor", IMPOR_DOWN[0]), ("CEISA  Ekspor", EKSPOR_DOWN[0]), ("EKSPOR", EKSPOR_DOWN[1])], 2
    )
]  # fmt: skip
NEAR = 15 * MINUTE


def test_what_fits_is_not_told() -> None:
    decreed = [Decreed(2, LATIN.upper()), Decreed(3, "ekspor")]
    tickets = [Ticket(one.line, one.name, one.service, one.begin, max(one.begin, one.end or 0)) for one in FITTING]
    assert reconcile(RESULT, decreed, tickets, NEAR) == Reconciled()


def test_a_decree_that_says_otherwise_than_the_catalogue() -> None:
    found = reconcile(RESULT, [Decreed(2, "portal"), Decreed(3, "impor"), Decreed(4, "manifes")], None, NEAR)
    assert [one.service.id for one in found.uncounted] == ["portal"]
    assert [one.service.id for one in found.undecreed] == ["ekspor"]
    assert found.unknown == (Decreed(4, "manifes"),)
    assert not found.is_clean


def test_a_ticket_that_is_too_far_from_any_outage_and_an_outage_without_one() -> None:
    late = IMPOR_DOWN[0][1]
    found = reconcile(RESULT, None, [Ticket(2, "T-1", "impor", late + NEAR + 1, late + HOUR)], NEAR)
    assert [one.name for one in found.without_outage] == ["T-1"]
    assert {(one.service, one.begin) for one in found.without_ticket} == {
        ("impor", IMPOR_DOWN[0][0]),
        *(("ekspor", begin) for begin, _ in EKSPOR_DOWN),
    }
    close = reconcile(RESULT, None, [Ticket(2, "T-1", "impor", late + NEAR, late + HOUR)], NEAR)
    assert close.without_outage == ()
    assert ("impor", IMPOR_DOWN[0][0]) not in {(one.service, one.begin) for one in close.without_ticket}


def test_an_outage_that_counts_nothing_needs_no_ticket_and_tickets_of_other_times_are_left_out() -> None:
    before, open_ = (
        Ticket(2, "T-1", "impor", BEGIN - 2 * HOUR, BEGIN - HOUR),
        Ticket(3, "T-2", "nowhere", END - 1, None),
    )
    found = reconcile(RESULT, None, [before, open_], NEAR)
    assert found.without_outage == ()
    assert found.astray == (open_,)
    assert IMPOR_DOWN[1][0] not in {one.begin for one in found.without_ticket}


@given(st.integers(0, 3), st.integers(-HOUR, HOUR))
def test_a_ticket_never_is_without_an_outage_while_that_outage_is_without_a_ticket(which: int, shift: int) -> None:
    begin, end = (*IMPOR_DOWN, *EKSPOR_DOWN)[which]
    service = "impor" if which < 2 else "ekspor"
    found = reconcile(RESULT, None, [Ticket(2, "T", service, begin + shift, max(end, begin) + shift)], NEAR)
    is_lonely = begin in {one.begin for one in found.without_ticket if one.service == service}
    if which != 1:
        assert is_lonely == bool(found.without_outage) or not found.without_outage


def moment(words: str, place: str) -> int:
    if not words.isdigit():
        raise ListError(f"{place}: no moment")
    return int(words)


def test_files_are_read_with_the_headings_and_separators_that_people_use(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("Nomor Tiket;Layanan;Mulai;Selesai\nT-1;impor;5;9\n\n;ekspor;7;\n", encoding="utf-8-sig")
    assert read_tickets(file, moment) == [Ticket(2, "T-1", "impor", 5, 9), Ticket(4, "line 4", "ekspor", 7, None)]
    file.write_text("no,service\n1,impor\n2,\n")
    assert read_decree(file) == [Decreed(2, "impor")]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("ticket,from,to\n", ":1: no column service"),
        ("", ":1: no column service"),
        ("service,ticket,from,to\nimpor,T-1,,\n", ":2: service and from are required"),
        ("service,ticket,from,to\nimpor,T-1,9,5\n", ":2: to: lies before from"),
        ("service,ticket,from,to\nimpor,T-1,soon,\n", ":2: from: no moment"),
    ],
)
def test_a_file_that_cannot_be_taken_names_the_line(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "t.csv"
    file.write_text(content)
    with pytest.raises(ListError, match=said):
        read_tickets(file, moment)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ListError, match="not UTF-8"):
        read_decree(file)
