"""What is typed, how it is read, and what the log of it comes to."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from browser.fabricated import NOW, broken
from detak_collector.annotations import chronology, kinds
from detak_collector.annotations.bodies import (
    Acknowledgement,
    Annotation,
    Attachment,
    Line,
    Note,
    body_of,
)
from detak_collector.annotations.drafts import Typed, TypedTask, drafted
from detak_collector.annotations.faults import FaultsError
from detak_collector.annotations.on_board import DAY_MS, annotated
from detak_collector.annotations.told import ToldOfAll
from detak_collector.pair.entry import ACKNOWLEDGEMENT, ANNOTATION, ATTACHMENT, NOTE, Entry, canonical
from detak_collector.web.assets import Assets
from detak_collector.web.public_part import public_part
from detak_collector.web.render import STATIC, TEMPLATES, Renderer

JAKARTA = ZoneInfo("Asia/Jakarta")
KINDS = {Annotation: ANNOTATION, Acknowledgement: ACKNOWLEDGEMENT, Attachment: ATTACHMENT, Note: NOTE}
SECOND = 1_000


def at(words: str) -> int:
    return int(datetime.fromisoformat(words).replace(tzinfo=JAKARTA).timestamp() * 1_000)


BEGIN = at("2026-11-28T23:50:30")


def entry(number: int, body: Annotation | Acknowledgement | Attachment | Note, utc: int, by: str = "budi") -> Entry:
    return Entry(f"{number:032x}", KINDS[type(body)], utc, by, "dc", {"dc": number}, canonical(body_of(body)))


@given(
    st.lists(
        st.builds(
            Line,
            st.integers(at("2020-01-01T00:00:00") // SECOND, at("2030-01-01T00:00:00") // SECOND).map(
                lambda second: second * SECOND
            ),
            st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=20),
        ),
        max_size=20,
    )
)
def test_a_chronology_is_read_as_it_was_written(lines: list[Line]) -> None:
    ordered = tuple(sorted(lines, key=lambda one: one.at))
    assert chronology.parsed(chronology.typed(ordered, JAKARTA), BEGIN, JAKARTA) == (ordered, [])


@given(st.text(max_size=200))
def test_whatever_is_typed_is_read_or_refused_by_its_line(typed: str) -> None:
    lines, faults = chronology.parsed(typed, BEGIN, JAKARTA)
    assert all(one.where == "chronology" for one in faults)
    assert all(line.text for line in lines)


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("23:40 alarm\n23.50 down\n00:10 up", ["2026-11-28T23:40", "2026-11-28T23:50", "2026-11-29T00:10"]),
        ("00:05 WIB - up", ["2026-11-29T00:05"]),
        ("2026-11-27 09:00 change\n08:00 done\n08:00 told", ["2026-11-27T09:00", *["2026-11-28T08:00"] * 2]),
        ("23:50:31 a\n23:50 b", ["2026-11-28T23:50:31", "2026-11-28T23:50"]),
    ],
)  # fmt: skip
def test_a_line_without_a_date_goes_on_from_the_line_above(typed: str, read: list[str]) -> None:
    lines, faults = chronology.parsed(typed, BEGIN, JAKARTA)
    assert faults == []
    assert sorted(one.at for one in lines) == sorted(at(words) for words in read)


def test_every_fault_of_a_draft_is_told_at_once() -> None:
    tasks = (TypedTask("", "Budi"), TypedTask("x", "", "2026-02-30"))
    with pytest.raises(FaultsError) as refused:
        drafted(Typed("a\nb", "e\u202ef", "x", tasks), BEGIN, JAKARTA)
    assert [one.where for one in refused.value.faults] == ["chronology", "cause", "effect", "follow_up", "follow_up"]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"%PDF-1.7", kinds.PDF), (b"\x89PNG\r\n\x1a\n..", kinds.PNG), (b"\xff\xd8\xff\xe0", kinds.JPEG),
        (b"RIFF....WEBPVP8 ", kinds.WEBP), (b"GIF89a", kinds.GIF), ("gangguan é\n".encode(), kinds.TEXT),
        (b"MZ\x90\x00", None), (b"PK\x03\x04", None), (b"\x00\x01", None), (b"\xff\xfe", None),
        (b"RIFF\0...WAVE", None),
    ],
)  # fmt: skip
def test_a_file_is_what_its_bytes_say(content: bytes, kind: str | None) -> None:
    assert kinds.kind_of(content) == kind


@given(st.text(max_size=300), st.sampled_from(sorted(kinds.ENDINGS)))
def test_a_name_is_kept_without_what_could_lead_elsewhere(given_name: str, kind: str) -> None:
    name = kinds.file_name(given_name, kind)
    assert 0 < len(name) <= kinds.MOST_NAME
    assert name.endswith(kinds.ENDINGS[kind])
    assert not set(name) & set('<>:"/\\|?*;%\n\r\0')
    assert name == kinds.file_name(name, kind)


def test_what_was_said_of_an_outage_is_said_of_the_one_that_it_became_part_of() -> None:
    entries = [
        entry(1, Annotation(7, cause="first"), 1), entry(2, Annotation(8, cause="second"), 2),
        entry(3, Attachment(7, "a" * 64, "a.pdf", kinds.PDF, 1), 3), entry(4, Note(outage=7, id="x"), 4),
    ]  # fmt: skip
    told = ToldOfAll.of(entries, {7: 8})
    assert [one.body.cause for one in told.of_outage(8).versions] == ["first", "second"]
    assert told.stories()[8].version == 2
    assert len(told.of_outage(8).files) == len(told.of_outage(8).notes) == 1
    assert 7 not in told.outages
    assert ToldOfAll.of(entries, {7: 8}, moment=1).stories()[8].cause == "first"
    assert ToldOfAll.of(entries, {7: 8, 8: 7}).outages


def test_what_another_version_says_is_left_out_and_the_rest_stands() -> None:
    odd = Entry("f" * 32, ANNOTATION, 2, "budi", "drc", {}, canonical({"outage": "seven"}))
    told = ToldOfAll.of([entry(1, Annotation(7, cause="fan"), 1), odd], {})
    assert [one.body.cause for one in told.of_outage(7).versions] == ["fan"]


def test_a_note_stands_for_a_day_and_about_an_outage_until_a_day_after_its_end() -> None:
    board, number = broken(), 7
    running = (replace(board.running[0], number=number), *board.running[1:])
    service = running[0].service_id
    board = replace(board, running=running)
    entries = [
        entry(1, Note(public=True, id="lama", outage=number, role="operator"), NOW - 3 * DAY_MS),
        entry(2, Note(public=True, id="lewat", outage=6), NOW - 3 * DAY_MS),
        entry(3, Note(public=False, en="inside"), NOW - 1),
        entry(4, Note(public=True, en="<b>all</b>", role="approver"), NOW - DAY_MS + 1),
        entry(5, Note(public=True, en="too old"), NOW - DAY_MS),
        entry(6, Acknowledgement(number, "on it", "operator"), NOW - 5, "siti"),
        entry(7, Annotation(number, effect="no import declarations"), NOW - 4),
    ]
    shown = annotated(board, ToldOfAll.of(entries, {}), lambda _: {number})
    assert [one.text("en")[1] for one in shown.notes] == ["inside", "<b>all</b>", "lama"]
    assert shown.notes[2].service_id == service
    known = shown.running[0].acknowledged
    assert known is not None
    assert (known.by, known.note) == ("siti", "on it")

    public = public_part(shown)
    assert [one.text("id") for one in public.notes] == [("en", "<b>all</b>"), ("id", "lama")]
    drawn = Renderer(Assets(STATIC, TEMPLATES)).draw(shown, "en", apart=True)
    whole = drawn.fragment.plain.decode()
    assert [
        words
        for words in ("&lt;b&gt;all", "inside", "on it", "Looked after", "no import declarations")
        if words not in whole
    ] == []
    assert drawn.public is not None
    outside = drawn.public.fragment.plain.decode()
    assert "&lt;b&gt;all" in outside
    for secret in ("inside", "on it", "siti", "budi", "no import declarations", "Whom it concerns"):
        assert secret not in outside
