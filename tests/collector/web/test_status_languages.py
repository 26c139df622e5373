"""The status page says everything in the reader's language, and is drawn in those alone that somebody looks at."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.support import NullTranslations

from browser.fabricated import HOUR, NOW, broken, empty, healthy, many, presumed
from collector.web.test_pages_http import next_event, site
from detak_collector.board.board import Board, Hours
from detak_collector.catalogue.unknown_hours import unknown_hours_words
from detak_collector.downtime.calendars import Unknown
from detak_collector.downtime.catalogue import Calendar
from detak_collector.operating.alarms import disk_alarms
from detak_collector.operating.disk import Disk
from detak_collector.translation.language import Language, language
from detak_collector.web import render
from detak_collector.web.assets import Assets
from detak_collector.web.pages import Pace
from detak_collector.web.render import STATIC, TEMPLATES, Renderer

WORD = re.compile(r"[^\W\d_]{2,}")
OURS = {
    "WIB", "Asia", "Jakarta", "Bahasa", "Indonesia", "English", "detak", "collector", "enroll", "NODE", "Min", "Sen",
    "Sel", "Rab", "Kam", "Jum", "Sab", "Jan", "Feb", "Mar", "Apr", "Mei", "Jun", "Jul", "Agu", "Sep", "Okt", "Nov",
    "Des",
}  # fmt: skip
SAID = ("aria-label", "title", "data-label", "data-title", "data-words")


class Marking(NullTranslations):
    """Puts every sentence that is translated between marks, with what it names in them."""

    def gettext(self, message: str) -> str:
        return f"\N{LEFT WHITE SQUARE BRACKET}{message}\N{RIGHT WHITE SQUARE BRACKET}"

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        return self.gettext(singular if n == 1 else plural)


class Texts(HTMLParser):
    """All that a page says, also to who cannot see it."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        self.found += [told[name] or "" for name in SAID if name in told]

    def handle_data(self, data: str) -> None:
        self.found.append(data)


def names(value: object) -> Iterator[str]:
    """What people and agents called things."""
    if isinstance(value, str) and not isinstance(value, Enum):
        yield from WORD.findall(value)
    elif isinstance(value, tuple):
        for one in value:
            yield from names(one)
    elif is_dataclass(value):
        for field in fields(value):
            yield from names(getattr(value, field.name))


def unmarked(text: str) -> str:
    """What of it was not translated."""
    inner = re.compile("\N{LEFT WHITE SQUARE BRACKET}[^\N{LEFT WHITE SQUARE BRACKET}\N{RIGHT WHITE SQUARE BRACKET}]*"
                       "\N{RIGHT WHITE SQUARE BRACKET}")  # fmt: skip
    while inner.search(text):
        text = inner.sub(" ", text)
    return text


def outside_hours() -> Board:
    board = broken()
    notices, hours = (
        (
            unknown_hours_words(
                Unknown(Calendar("kantor", ZoneInfo("Asia/Jakarta"), (), holidays_file="libur.csv"), 2027)
            ),
        ),
        (Hours.OUTSIDE, Hours.UNKNOWN, Hours.WITHIN),
    )
    services = tuple(replace(one, hours=two) for one, two in zip(board.services, hours, strict=True))
    return replace(
        board,
        services=services,
        notices=notices,
        alarms=tuple(alarm.text for alarm in disk_alarms(Disk(Path("/"), 1, 0, 0))),
    )


BOARDS = (healthy, broken, presumed, empty, outside_hours, lambda: many(40))


@pytest.mark.parametrize("make", BOARDS)
@pytest.mark.parametrize("whole", [True, False])
def test_no_sentence_of_the_page_is_left_out_of_the_translation(
    make: Callable[[], Board], whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = language("id")
    marking = Language(told.code, told.locale, Marking(), told.decimal, told.group, told.clock)
    monkeypatch.setattr(render, "language", lambda _: marking)
    board = make()
    drawn = Renderer(Assets(STATIC, TEMPLATES)).draw(board, "id", apart=True)
    shown = drawn if whole else drawn.public
    assert shown is not None
    texts = Texts()
    texts.feed(shown.page.plain.decode())
    known = {
        *names(board),
        *OURS,
        "en",
        "id",
        "ID",
        "locale",
        "day",
        "hour",
        "minute",
        "second",
        "under",
        "lost",
        "quiet",
    }
    left = {word for text in texts.found for word in WORD.findall(unmarked(text))} - known
    assert left == set()


def test_the_same_board_in_indonesian_has_its_own_words_numbers_and_dates() -> None:
    page = Renderer(Assets(STATIC, TEMPLATES)).draw(broken(), "id").page.plain.decode()
    for words in (
        '<html lang="id">', "CEISA Impor terhenti", "sejak", "02.14", "12 mnt 00 dtk", "0,0038 %", "24 Nov 2026",
        "Gangguan yang sedang berlangsung", "Tingkat downtime 2026, sementara",
    ):  # fmt: skip
        assert words in page, words


def test_a_member_whose_check_said_nothing_is_told_by_how_it_was_read() -> None:
    board = presumed()
    service = next(one for one in board.services if one.groups)
    silent = replace(service.groups[0].members[0], message="presumed down: missing heartbeats")
    shown = replace(service, groups=(replace(service.groups[0], members=(silent,)),))
    page = Renderer(Assets(STATIC, TEMPLATES)).draw(replace(board, services=(shown,)), "id").page.plain.decode()
    assert "dugaan: tidak ada tanda hidup" in page
    assert "missing heartbeats" not in page


def test_the_page_says_in_its_language_that_it_is_not_renewed() -> None:
    outdated = Renderer(Assets(STATIC, TEMPLATES)).draw(healthy(), "id").outdated()
    assert "Tidak diperbarui sejak 02.26.03 WIB" in outdated.page.plain.decode()
    assert outdated.told.outdated.startswith("Tidak diperbarui sejak 02.26.03 WIB")


@pytest.mark.asyncio
async def test_a_page_is_drawn_in_the_languages_that_are_looked_at() -> None:
    async with site(Pace(least_s=0.05, most_s=60)) as (running, client), client.get("/live?language=id") as stream:
        await next_event(stream)
        assert running.source.languages == {"id"}
        async with client.get("/live?language=en") as other:
            await next_event(other)
            running.source.current = broken()
            running.pulse.beat()
            for each in (stream, other):
                while (await next_event(each))["now"] != NOW:
                    pass
            await _drawn(running.source, {"en", "id"}, running.pulse)
        await asyncio.sleep(0.1)
        await _drawn(running.source, {"id"}, running.pulse)


async def _drawn(source: object, languages: set[str], pulse: object) -> None:
    async with asyncio.timeout(10):
        while source.languages != languages:  # type: ignore[attr-defined]
            pulse.beat()  # type: ignore[attr-defined]
            await asyncio.sleep(0.05)


@pytest.mark.asyncio
async def test_the_reader_s_language_is_asked_for_in_the_address_a_cookie_or_by_his_browser() -> None:
    async with site() as (_, client):
        for path, headers, expected in (
            ("/", {}, "en"),
            ("/", {"Accept-Language": "id-ID, en;q=0.5"}, "id"),
            ("/", {"Accept-Language": "en", "Cookie": "detak-language=id"}, "id"),
            ("/?language=en", {"Accept-Language": "id"}, "en"),
            ("/?language=xx", {"Accept-Language": "id"}, "id"),
        ):
            answer = await client.get(path, headers={**headers, "Accept-Encoding": "identity"})
            assert f'<html lang="{expected}">' in (await answer.read()).decode(), (path, headers)
            assert "Accept-Language" in answer.headers["Vary"]


@pytest.mark.asyncio
async def test_one_language_that_is_late_does_not_make_another_wait() -> None:
    async with site(Pace(least_s=0.05, most_s=60, wait_s=0.1)) as (running, client):
        await client.get("/?language=en")
        running.source.go.clear()
        await asyncio.sleep(0.1)
        late = asyncio.create_task(client.get("/?language=id"))
        async with asyncio.timeout(5):
            assert (await client.get("/?language=en")).status == 200
        assert not late.done()
        running.source.go.set()
        assert b'<html lang="id">' in await (await late).read() or (await late).status == 200


def test_what_the_browser_says_itself_is_told_it_in_the_language() -> None:
    page = Renderer(Assets(STATIC, TEMPLATES)).draw(broken(NOW - HOUR), "id").page.plain.decode()
    told = re.search(r'data-words="([^"]*)"', page)
    assert told is not None
    words = json.loads(told[1].replace("&#34;", '"'))
    assert (words["locale"], words["hour"], words["under"]) == ("id-ID", "jam", "di bawah 1 dtk")
    assert "{since}" in words["lost"]
    assert "{then}" in words["quiet"]
