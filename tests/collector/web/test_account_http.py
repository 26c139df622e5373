"""One's own account: password, second factor, sessions, each only for who proves to be its holder once more."""

from __future__ import annotations

from pathlib import Path

import pyotp
import pytest

from detak_collector.accounts.account import Origin
from detak_collector.accounts.roles import Role
from people_stage import PASSWORD, Browser, Stage, people_stage

pytestmark = pytest.mark.asyncio
FRESH = "empat kata yang baru"


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/account")).status == 200


async def test_it_shows_who_he_is_and_what_he_may_do(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER, Role.APPROVER, display="Siti Rahma", mail="siti@example.go.id")
        await browser.sign_in("siti")
        text = (await browser.get("/account")).text
        for words in ("Siti Rahma", "siti@example.go.id", "approver: approves what others propose", "viewer: sees"):
            assert words in text
        assert "admin:" not in text


async def test_without_a_role_the_page_is_that_of_everybody_and_it_is_said(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as nobody:
        stage.add("siti")
        await browser.sign_in("siti")
        assert "none yet" in (await browser.get("/account")).text
        assert "dc-db-01" not in (await browser.get("/")).text
        assert "dc-db-01" not in (await browser.get("/status/fragment")).text
        assert (await browser.get("/status/fragment")).text == (await nobody.get("/status/fragment")).text


async def test_a_role_given_or_taken_counts_from_the_next_request(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti")
        await browser.sign_in("siti")
        body = {"user": "siti", "role": "viewer", "source": "machine", "withdrawn": False}
        stage.store.entries.append("grant", body, "root", stage.now.utc)
        assert "dc-db-01" in (await browser.get("/")).text
        stage.store.entries.append("grant", {**body, "withdrawn": True}, "root", stage.now.utc)
        assert "dc-db-01" not in (await browser.get("/")).text


async def test_another_password_needs_the_one_of_now_and_ends_all_other_sessions(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as other:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        await other.sign_in("siti")
        cookie, path = browser.cookie(), "/account/password"
        refused = await browser.fill("/account", path, password="wrong", new=FRESH, again=FRESH)
        assert (refused.status, "not your password" in refused.text) == (422, True)
        unequal = await browser.fill("/account", path, password=PASSWORD, new=FRESH, again="x")
        assert (unequal.status, "not the same" in unequal.text) == (422, True)
        assert await is_in(other)
        done = await browser.fill("/account", path, password=PASSWORD, new=FRESH, again=FRESH)
        assert done.to == "../account?notice=password-changed"
        assert await is_in(browser)
        assert browser.cookie() != cookie
        assert not await is_in(other)
        assert (await other.sign_in("siti", FRESH)).status == 303


async def test_who_found_an_open_browser_cannot_guess_the_password_there(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        guesses = [
            (await browser.fill("/account", "/account/password", password=f"guess {at}", new=FRESH, again=FRESH)).status
            for at in range(7)
        ]
        assert guesses == [422] * 6 + [429]


def enrolled(stage: Stage) -> str:
    secret = stage.account("siti").fresh_secret
    assert secret is not None
    return pyotp.TOTP(secret).at(stage.now.utc // 1_000)


async def test_a_second_factor_begins_with_its_first_code_and_ends_with_the_password(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as other:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        await other.sign_in("siti")
        path = "/account/second-factor"
        assert (await browser.fill("/account", path, action="begin", password="wrong")).status == 422
        assert stage.account("siti").fresh_secret is None
        await browser.fill("/account", path, action="begin", password=PASSWORD)
        assert "<svg" in (await browser.get("/account")).text
        assert (await browser.fill("/account", path, action="confirm", code="000000x")).status == 422
        assert stage.account("siti").secret is None
        code = enrolled(stage)
        assert (await browser.fill("/account", path, action="confirm", code=code)).to.endswith("notice=factor-on")
        assert not await is_in(other)
        assert (await other.sign_in("siti")).to.startswith("./sign-in/second-factor")
        replayed = await other.fill("/sign-in/second-factor", "/sign-in/second-factor", code=code)
        assert replayed.status == 403
        assert "<svg" not in (await browser.get("/account")).text
        assert (await browser.fill("/account", path, action="off", password="wrong")).status == 422
        await browser.fill("/account", path, action="off", password=PASSWORD)
        assert stage.account("siti").secret is None
        told = [name for name in stage.told.names if name.startswith("second-factor")]
        assert told == ["second-factor-on", "second-factor-off"]


async def test_an_offered_secret_can_be_left(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        await browser.fill("/account", "/account/second-factor", action="begin", password=PASSWORD)
        await browser.fill("/account", "/account/second-factor", action="cancel")
        assert stage.account("siti").fresh_secret is None
        assert (await browser.fill("/account", "/account/second-factor", action="confirm", code="123456")).status == 303


async def test_sessions_are_listed_and_ended_one_by_one_or_all_others_and_never_those_of_others(tmp_path: Path) -> None:
    async with (
        people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as second,
        stage.browser() as third, stage.browser() as budi,
    ):  # fmt: skip
        for name in ("siti", "budi"):
            stage.add(name, Role.VIEWER)
        firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
        await browser.sign_in("siti")
        token = await second.token()
        await second.post("/sign-in", {"token": token, "name": "siti", "password": PASSWORD}, User_Agent=firefox)
        await third.sign_in("siti")
        await budi.sign_in("budi")
        text = (await browser.get("/account")).text
        assert "Firefox, Linux" in text
        assert text.count('name="end"') == 2
        for name in ("budi", "siti"):
            found = next(one for one in stage.store.sessions.of(name) if name == "budi" or one.browser)
            await browser.fill("/account", "/account/sessions", end=found.handle)
        assert [await is_in(one) for one in (browser, second, third, budi)] == [True, False, True, True]
        await browser.fill("/account", "/account/sessions", others="all")
        assert [await is_in(one) for one in (browser, third, budi)] == [True, False, True]


async def test_signing_out_everywhere_ends_them_all(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as other:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        await other.sign_in("siti")
        await browser.fill("/sign-out", "/sign-out", where="everywhere")
        assert not await is_in(browser)
        assert not await is_in(other)


async def test_who_comes_from_the_directory_has_no_password_here(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        token = await browser.token("/account")
        with stage.store.database.writing() as connection:
            connection.execute("UPDATE account SET origin = 'directory', password = NULL WHERE name = 'siti'")
        assert stage.account("siti").origin is Origin.DIRECTORY
        assert "New password" not in (await browser.get("/account")).text
        answer = await browser.post("/account/password", {"token": token, "password": "", "new": FRESH, "again": FRESH})
        assert answer.status == 422
        assert stage.account("siti").password is None


async def test_what_pages_of_accounts_say_is_kept_by_no_cache(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        for path in ("/account", "/sign-out"):
            assert (await browser.get(path)).headers["Cache-Control"] == "no-store"
        page = await browser.get("/")
        assert page.headers["Cache-Control"] == "private, no-cache"
        assert "Cookie" in page.headers["Vary"]


async def test_the_name_in_the_head_of_the_page_is_text(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER, display='<b>Siti</b> & "Co"')
        await browser.sign_in("siti")
        assert "&lt;b&gt;Siti&lt;/b&gt; &amp;" in (await browser.get("/")).text


async def test_the_store_out_of_reach_lets_nobody_in_and_shows_what_everybody_sees(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        stage.store.database.close()
        with stage.store.database.writing() as connection:
            connection.execute("ALTER TABLE account_session RENAME TO lost")
        page = await browser.get("/")
        assert page.status == 200
        assert "dc-db-01" not in page.text
