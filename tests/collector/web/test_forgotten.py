"""A lost password and a link by mail: for the account's owner, and no word to anybody else."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from email import message_from_bytes, policy
from pathlib import Path

import pytest
import pytest_asyncio

from detak_collector.accounts.account import Account, Origin
from detak_collector.mail.file import MailTerms
from detak_collector.mail.letter import HOUR_MS
from detak_collector.mail.smtp import Server
from people_stage import PASSWORD, Browser, Stage, people_stage

pytestmark = pytest.mark.asyncio
FORM = "/sign-in/forgotten"
FRESH = "sepeda kayu lampu taman"
TERMS = MailTerms(
    Server("127.0.0.1", 1, "none", "detak@example.go.id"), "Detak <detak@example.go.id>", "en", HOUR_MS, frozenset(),
    HOUR_MS, HOUR_MS, HOUR_MS, (),
)  # fmt: skip


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with people_stage(tmp_path) as made:
        made.config = replace(made.config, mail=TERMS)
        made.add("siti", mail="Siti@example.go.id")
        made.add("agus")
        yield made


@pytest_asyncio.fixture
async def browser(stage: Stage) -> AsyncIterator[Browser]:
    async with stage.browser() as one:
        yield one


async def ask(stage: Stage, browser: Browser, name: str) -> list[str]:
    """The links that were mailed because of that."""
    before = {one.key for one in stage.store.outbox.listing(0)}
    answer = await browser.fill(FORM, FORM, name=name)
    assert (answer.status, answer.to) == (303, "forgotten?sent=")
    # What is done for it comes after the answer, in the store's thread.
    await stage.people.write(lambda: None)
    links = []
    for one in stage.store.outbox.listing(0):
        if one.key not in before:
            body = message_from_bytes(one.content, policy=policy.default).get_body(("plain",))
            assert body is not None
            assert one.recipient == "Siti@example.go.id"
            links += re.findall(r"http\S+(/sign-in/password\?link=\S+)", body.get_content())
    return links


@pytest.mark.parametrize("typed", ["siti", " SITI ", "siti@example.go.id"])
async def test_the_link_that_is_mailed_sets_another_password_once(stage: Stage, browser: Browser, typed: str) -> None:
    (link,) = await ask(stage, browser, typed)
    done = await browser.fill(link, "/sign-in/password", link=link.partition("=")[2], new=FRESH, again=FRESH)
    assert done.to == "../sign-in?notice=password-set"
    assert (await browser.sign_in("siti", FRESH)).status == 303
    assert (await browser.get(link)).status == 403


async def test_the_link_ends_and_until_it_is_used_the_old_password_is_good(stage: Stage, browser: Browser) -> None:
    (link,) = await ask(stage, browser, "siti")
    assert (await browser.sign_in("siti", PASSWORD)).status == 303
    stage.later(HOUR_MS)
    assert (await browser.get(link)).status == 403


async def test_who_has_no_account_no_address_or_another_password_elsewhere_gets_the_same_answer_and_no_mail(
    stage: Stage, browser: Browser
) -> None:
    stage.store.accounts.meet(Account("dewi", "Dewi", "dewi@example.go.id", Origin.DIRECTORY, 0))
    stage.add("lama", mail="lama@example.go.id")
    stage.store.accounts.set_disabled("lama", 1)
    for name in ("nobody", "agus", "dewi", "lama", "", "siti\r\nBcc: x@example.com"):
        assert await ask(stage, browser, name) == []
    assert "If there is such an account" in (await browser.get(f"{FORM}?sent=")).text


async def test_asking_again_and_again_is_held_up(stage: Stage, browser: Browser) -> None:
    answers = [await browser.fill(FORM, FORM, name="siti") for _ in range(8)]
    assert [one.status for one in answers][-1] == 429
    assert int(answers[-1].headers["Retry-After"]) > 0
    await stage.people.write(lambda: None)
    assert len(stage.store.outbox.listing(0)) <= 6


async def test_a_form_of_another_site_sends_nothing(stage: Stage, browser: Browser) -> None:
    assert (await browser.post(FORM, {"name": "siti"})).status == 403
    assert stage.store.outbox.listing(0) == []


async def test_without_mails_there_is_no_such_page_and_the_sign_in_says_whom_to_ask(
    stage: Stage, browser: Browser
) -> None:
    assert f'href="{FORM[1:]}"' in (await browser.get("/sign-in")).text
    stage.config = replace(stage.config, mail=None)
    assert (await browser.get(FORM)).status == 404
    told = (await browser.get("/sign-in")).text
    assert FORM[1:] not in told
    assert "An administrator makes a link" in told
