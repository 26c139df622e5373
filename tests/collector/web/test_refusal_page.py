"""Refusals are pages in the reader's language for who comes with a browser, and stay as they are for programs."""

from __future__ import annotations

import logging

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from detak_collector.translation.language import language
from detak_collector.web.assets import Assets
from detak_collector.web.refusal_page import REASONS, TITLES, RefusalPages, reason_of
from detak_collector.web.render import STATIC, TEMPLATES
from detak_collector.web.sheet_pages import CROWDED

BROWSER = {"Accept": "text/html,*/*;q=0.8", "Accept-Language": "id"}
PAGES = RefusalPages(Assets(STATIC, TEMPLATES))


async def answered(error: Exception, path: str = "/closing/2026", headers: dict[str, str] = BROWSER) -> web.Response:
    async def handler(_: web.Request) -> web.StreamResponse:
        raise error

    answer = await PAGES.attend(make_mocked_request("GET", path, headers), handler)
    assert isinstance(answer, web.Response)
    return answer


def text_of(answer: web.Response) -> str:
    assert answer.text is not None
    return answer.text


@pytest.mark.asyncio
async def test_a_reader_is_told_in_his_language_why_and_when_to_come_again() -> None:
    answer = await answered(web.HTTPServiceUnavailable(text=CROWDED, headers={"Retry-After": "5"}))
    assert (answer.status, answer.content_type) == (503, "text/html")
    assert "Terlalu banyak halaman sedang dihitung saat ini." in text_of(answer)
    assert '<html lang="id">' in text_of(answer)
    assert 'href="../"' in text_of(answer)
    assert answer.headers["Retry-After"] == "5"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    english = await answered(web.HTTPServiceUnavailable(text=CROWDED), headers={"Accept": "text/html"})
    assert CROWDED.strip() in text_of(english)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (web.HTTPNotFound(), "Tidak ada halaman seperti itu"),
        (web.HTTPMethodNotAllowed("PUT", ["GET"]), "Itu tidak dapat dilakukan di alamat ini."),
        (web.HTTPRequestEntityTooLarge(10, 11), "lebih besar daripada yang diterima"),
        (web.HTTPUnsupportedMediaType(text="A form is sent as something else.\n"), "berjenis yang tidak diterima"),
        (web.HTTPConflict(text="Words that no translation has.\n"), "keadaannya sudah berubah"),
        (web.HTTPBadRequest(text="Words that no translation has.\n"), "tidak dapat dibaca di sini"),
    ],
)
@pytest.mark.asyncio
async def test_what_no_translation_has_is_told_by_what_the_status_says(error: Exception, words: str) -> None:
    assert words in text_of(await answered(error))


@pytest.mark.parametrize(
    ("path", "headers"), [("/api/v1/closing", BROWSER), ("/closing/2026", {"Accept": "*/*", "Accept-Language": "id"})]
)
@pytest.mark.asyncio
async def test_programs_get_the_refusal_as_it_is(path: str, headers: dict[str, str]) -> None:
    with pytest.raises(web.HTTPServiceUnavailable) as refused:
        await answered(web.HTTPServiceUnavailable(text=CROWDED), path, headers)
    assert refused.value.text == CROWDED


@pytest.mark.asyncio
async def test_a_redirection_is_no_refusal() -> None:
    with pytest.raises(web.HTTPSeeOther):
        await answered(web.HTTPSeeOther("/sign-in"))


@pytest.mark.asyncio
async def test_a_fault_of_our_own_is_logged_and_its_words_are_not_shown(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await answered(RuntimeError("a secret"), "/figure/<b>")
    assert answer.status == 500
    assert "Ada yang salah dalam program ini" in text_of(answer)
    assert "secret" not in text_of(answer)
    assert "a secret" in caplog.text


def test_everything_that_a_status_says_is_translated() -> None:
    spoken = language("id")
    assert all(spoken.say(words) != words for words in (*TITLES.values(), *REASONS.values()))
    assert reason_of(web.HTTPNotFound(), language("en")) == REASONS[404]
