"""Tokens: made on a page and shown once, good for what they are for, and worth nothing the moment they are revoked."""

from __future__ import annotations

import base64
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.accounts.tokens import DAY_MS, Scope
from detak_collector.pair.entry import GRANT
from people_stage import PASSWORD, Browser, Page
from reading_stage import Reader, ReadingStage, reading_stage

pytestmark = pytest.mark.asyncio
SECRET = re.compile(r'id="secret">(detak_[\w-]{43})<')
WHOLE = "/api/v1/nodes"


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[ReadingStage]:
    async with reading_stage(tmp_path) as running:
        yield running


async def fill(browser: Browser, **fields: str) -> Page:
    told = {"label": "Grafana", "days": "30", "scope-read": "on", "password": PASSWORD, **fields}
    return await browser.fill(
        "/account/tokens", "/account/tokens", **{key.replace("_", "-"): told[key] for key in told}
    )


async def test_a_token_is_made_on_a_page_shown_once_and_reads_from_then_on(stage: ReadingStage) -> None:
    async with stage.stage.browser() as browser:
        await browser.sign_in("siti")
        made = await fill(browser)
        found = SECRET.search(made.text)
        assert (made.status, found is not None) == (200, True)
        assert found is not None
        assert made.headers["Cache-Control"] == "no-store"
        page = (await browser.get("/account/tokens")).text
        assert found[1] not in page
        assert "Grafana" in page
        reader = Reader(stage.client, found[1])
        assert (await reader.get(WHOLE)).status == 200
        assert "token-made" in stage.stage.told.names
        assert found[1] not in str(stage.stage.told.events)
        page = (await browser.get("/account/tokens")).text
        assert "last used" in page


def holding(folder: Path, secret: bytes) -> tuple[int, list[Path]]:
    """How many files there are in a folder, and those that have the secret in them."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return len(files), [path for path in files if secret in path.read_bytes()]


async def test_the_token_itself_is_in_no_file_of_the_store(stage: ReadingStage, tmp_path: Path) -> None:
    number, found = holding(tmp_path, stage.made("siti", Scope.READ).secret.encode())
    assert number
    assert found == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"password": "not the password"}, "That is not your password."),
        ({"label": " "}, "Say what it is for"),
        ({"scope-read": ""}, "Choose what it may do."),
        ({"days": "4000"}, "A token lives at most 366 days."),
        ({"scope-approve": "on"}, "No token may do more than its owner may."),
    ],
)
async def test_a_form_that_is_refused_says_why_beside_the_field_and_keeps_what_was_typed(
    stage: ReadingStage, fields: dict[str, str], said: str
) -> None:
    async with stage.stage.browser() as browser:
        await browser.sign_in("siti")
        answer = await fill(browser, **{"label": "Papan <pantau>", **fields})
        assert answer.status == 422
        assert said in answer.text
        assert 'value="Papan &lt;pantau&gt;"' in answer.text or "label" in fields
        assert stage.stage.store.api_tokens.of() == []


async def test_a_form_of_another_site_makes_nothing(stage: ReadingStage) -> None:
    async with stage.stage.browser() as browser:
        await browser.sign_in("siti")
        told = {"label": "x", "days": "30", "scope-read": "on", "password": PASSWORD, "token": "0" * 64}
        assert (await browser.post("/account/tokens", told)).status == 403
        assert stage.stage.store.api_tokens.of() == []


async def test_each_scope_allows_no_more_than_its_own(stage: ReadingStage) -> None:
    reading, public = stage.with_token("siti"), stage.with_token("siti", Scope.READ_PUBLIC)
    assert (await reading.get(WHOLE)).status == 200
    assert (await public.get(WHOLE)).status == 403
    assert (await public.get("/api/v1/services")).told["total"] == 2
    assert (await stage.stranger().get(WHOLE)).status == 401


async def test_a_token_is_worth_no_more_than_its_owner_is_now(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    assert (await reader.get(WHOLE)).status == 200
    gone = body_of(Wish("siti", Role.VIEWER, "root", Source.MACHINE), withdrawn=True)
    stage.stage.store.entries.append(GRANT, gone, "root", stage.stage.now.utc)
    assert (await reader.get(WHOLE)).status == 403


async def test_revoked_over_or_its_owner_disabled_it_is_nobody_s(stage: ReadingStage) -> None:
    first, second, third = (stage.made("oki", Scope.READ) for _ in range(3))
    stage.stage.store.api_tokens.revoke(first.token.id, stage.stage.now.utc, "oki")
    assert (await Reader(stage.client, first.secret).get("/api/v1/services")).status == 401
    assert (await Reader(stage.client, second.secret).get(WHOLE)).status == 200
    stage.stage.later(91 * DAY_MS)
    assert (await Reader(stage.client, second.secret).get("/api/v1/services")).status == 401
    stage.stage.later(-91 * DAY_MS)
    stage.stage.store.accounts.set_disabled("oki", 1)
    assert (await Reader(stage.client, third.secret).get("/api/v1/services")).status == 401


async def test_a_token_opens_no_page_and_no_account(stage: ReadingStage) -> None:
    reader = stage.with_token("ada", Scope.READ, Scope.ADMIN)
    assert (await reader.get("/figure")).status == 303
    assert (await reader.get("/account")).status == 303
    assert (await reader.get("/account/tokens")).status == 303
    assert "dc-db-01" not in (await reader.get("/")).body.decode()


async def test_feed_readers_bring_it_as_a_password(stage: ReadingStage) -> None:
    secret = stage.made("siti", Scope.READ).secret
    basic = base64.b64encode(f"siti:{secret}".encode()).decode()
    answer = await stage.stranger().get("/feed.atom", Authorization=f"Basic {basic}")
    assert (answer.status, b"number:" in answer.body) == (200, True)
    assert (await stage.stranger().get("/feed.atom", Authorization="Basic !!")).status == 401


async def test_guessing_is_held_back_by_address_and_a_good_token_is_not(stage: ReadingStage) -> None:
    guesser = Reader(stage.client, "detak_" + "x" * 43)
    statuses = [(await guesser.get("/api/v1/services")).status for _ in range(70)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert (await stage.with_token("siti").get(WHOLE)).status == 200


async def test_a_program_that_runs_wild_is_held_back(stage: ReadingStage) -> None:
    reader = stage.with_token("siti")
    statuses = [(await reader.get("/api/v1/tokens")).status for _ in range(205)]
    assert (statuses[0], statuses[-1]) == (200, 429)
    wild = await reader.get("/api/v1/tokens")
    assert int(wild.headers["Retry-After"]) >= 1
    assert wild.headers["Content-Type"].startswith("application/problem+json")


async def test_an_administrator_sees_and_revokes_everybody_s_and_nobody_else_does(stage: ReadingStage) -> None:
    made = stage.made("siti", Scope.READ)
    async with stage.stage.browser() as oki, stage.stage.browser() as ada:
        await oki.sign_in("oki")
        await ada.sign_in("ada")
        assert "a test" not in (await oki.get("/account/tokens")).text
        refused = await oki.fill("/account/tokens", "/account/tokens/revoke", id=made.token.id)
        assert refused.status == 404
        assert "a test" in (await ada.get("/account/tokens")).text
        await ada.fill("/account/tokens", "/account/tokens/revoke", id=made.token.id)
    assert (await Reader(stage.client, made.secret).get(WHOLE)).status == 401
    assert "token-revoked" in stage.stage.told.names


async def test_a_token_revokes_itself_and_with_admin_any_other(stage: ReadingStage) -> None:
    reading, other = stage.made("siti", Scope.READ), stage.made("oki", Scope.READ)
    admin = stage.made("ada", Scope.ADMIN)
    path = "/api/v1/tokens/"
    assert (await Reader(stage.client, reading.secret).ask("DELETE", path + other.token.id)).status == 404
    assert (await Reader(stage.client, reading.secret).ask("DELETE", path + reading.token.id)).status == 204
    assert (await Reader(stage.client, reading.secret).get("/api/v1/services")).status == 401
    assert (await Reader(stage.client, admin.secret).ask("DELETE", path + other.token.id)).status == 204
    told = (await Reader(stage.client, admin.secret).get("/api/v1/tokens")).told["items"]
    assert {(one["owner"], one["good"]) for one in told} == {("siti", False), ("oki", False), ("ada", True)}
    async with stage.stage.browser() as browser:
        await browser.sign_in("ada")
        async with browser.client.delete(path + admin.token.id) as answer:
            assert answer.status == 403
