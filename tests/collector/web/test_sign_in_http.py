"""Signing in as a browser does it, and what those try who should not get in."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pyotp
import pytest
from yarl import URL

from browser.fabricated import HOSTILE
from detak_collector.accounts.roles import Role
from detak_collector.web.session import digest
from people_stage import HOUR_MS, MINUTE_MS, PASSWORD, TERMS, Browser, Stage, people_stage

pytestmark = pytest.mark.asyncio
SECRET = pyotp.random_base32()


def with_second_factor(stage: Stage, name: str) -> None:
    stage.store.accounts.offer_secret(name, SECRET)
    assert stage.store.accounts.take_secret(name, SECRET, 0)


def code_of(stage: Stage) -> str:
    return pyotp.TOTP(SECRET).at(stage.now.utc // 1_000)


def contents_of(folder: Path) -> list[tuple[str, bytes]]:
    return [(one.name, one.read_bytes()) for one in folder.rglob("*") if one.is_file()]


async def is_in(browser: Browser) -> bool:
    return (await browser.get("/account")).status == 200


async def test_who_has_the_password_gets_in_and_out_again(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER, display="Siti Rahma")
        answer = await browser.sign_in("  SITI ")
        assert (answer.status, answer.to) == (303, "./")
        assert await is_in(browser)
        assert "Siti Rahma</a>" in (await browser.get("/")).text
        assert stage.account("siti").signed_in_utc == stage.now.utc
        left = await browser.fill("/sign-out", "/sign-out", where="here")
        assert (left.status, left.headers["Clear-Site-Data"]) == (303, '"cache"')
        assert not await is_in(browser)
        assert stage.told.names == ["signed-in", "signed-out"]


async def test_another_password_is_refused_and_the_audit_trail_is_told(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        assert (await browser.sign_in("siti", "another password")).status == 403
        assert not await is_in(browser)
        ((name, text, told),) = stage.told.events
        assert (name, told) == ("sign-in-refused", {"user": "siti", "address": "127.0.0.1"})
        assert "another password" in text


async def test_a_password_typed_as_the_name_is_not_written_down(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        await browser.sign_in("My Secret Passw0rd!")
        assert "passw0rd" not in str(stage.told.events).lower()


async def test_names_that_exist_and_names_that_do_not_get_the_same_answer_for_the_same_work(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage:
        stage.add("siti", Role.VIEWER)
        stage.add("gone", Role.VIEWER)
        stage.add("new", password=None)
        stage.store.accounts.set_disabled("gone", stage.now.utc)
        answers, work = set(), set()
        for name in ("siti", "gone", "new", "nobody", "no name at all!"):
            async with stage.browser() as browser:
                before = stage.people.proving.hasher.verified
                answer = await browser.sign_in(name, "not the password")
                work.add(stage.people.proving.hasher.verified - before)
                text = re.sub(r'value="[^"]*"', "", answer.text)
                answers.add((answer.status, text, answer.headers["Content-Security-Policy"]))
        assert len(answers) == 1
        assert work == {1}


async def test_no_refusal_comes_sooner_than_the_others(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        stage.people.proving.refusal_s = 0.4
        loop = asyncio.get_running_loop()
        for name in ("siti", "nobody"):
            begun = loop.time()
            await browser.sign_in(name, "not the password")
            assert loop.time() - begun >= 0.4


async def test_too_many_attempts_are_held_alike_for_names_that_exist_and_not_and_only_for_a_while(
    tmp_path: Path,
) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        waits = {}
        for name in ("siti", "nobody"):
            statuses = [(await browser.sign_in(name, "not the password")).status for _ in range(7)]
            assert statuses == [403] * 6 + [429]
            waits[name] = (await browser.sign_in(name)).headers["Retry-After"]
        assert waits["siti"] == waits["nobody"] == "30"
        before = stage.people.proving.hasher.verified
        assert (await browser.sign_in("siti")).status == 429
        assert stage.people.proving.hasher.verified == before
        stage.later(31_000)
        assert (await browser.sign_in("siti")).status == 303


async def test_what_others_try_on_an_account_does_not_hold_up_where_its_owner_signs_in(tmp_path: Path) -> None:
    async with people_stage(tmp_path, replace(TERMS, proxies=frozenset({"127.0.0.1"}))) as stage:
        stage.add("siti", Role.VIEWER)
        async with stage.browser() as owner, stage.browser() as stranger:
            token = await stranger.token()
            tried = {"token": token, "name": "siti", "password": "x"}
            first = {"token": await owner.token(), "name": "siti", "password": PASSWORD}
            assert (await owner.post("/sign-in", first, X_Forwarded_For="10.0.0.1")).status == 303
            statuses = [
                (await stranger.post("/sign-in", tried, X_Forwarded_For=f"10.1.0.{at}")).status for at in range(41)
            ]
            assert statuses == [403] * 40 + [429]
            async with stage.browser() as again:
                fields = {"token": await again.token(), "name": "siti", "password": PASSWORD}
                assert (await again.post("/sign-in", fields, X_Forwarded_For="10.9.9.9")).status == 429
                assert (await again.post("/sign-in", fields, X_Forwarded_For="1.2.3.4, 10.0.0.1")).status == 303


async def test_a_forwarded_address_is_believed_of_named_proxies_only(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        await browser.post(
            "/sign-in", {"token": await browser.token(), "name": "siti", "password": "x"}, X_Forwarded_For="6.6.6.6"
        )
        assert stage.told.events[0][2]["address"] == "127.0.0.1"


async def test_the_second_factor_is_asked_for_and_its_code_is_good_once(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as thief:
        stage.add("siti", Role.VIEWER)
        with_second_factor(stage, "siti")
        answer = await browser.sign_in("siti", next="/account")
        assert answer.to == "./sign-in/second-factor?next=/account"
        assert not await is_in(browser)
        assert "Siti" not in (await browser.get("/")).text
        code = code_of(stage)
        done = await browser.fill("/sign-in/second-factor", "/sign-in/second-factor", code=code, next="/account")
        assert (done.status, done.to) == (303, "../account")
        assert await is_in(browser)
        await thief.sign_in("siti")
        seen = await thief.fill("/sign-in/second-factor", "/sign-in/second-factor", code=code)
        assert seen.status == 403
        assert not await is_in(thief)
        stage.later(30_000)
        fresh = await thief.fill("/sign-in/second-factor", "/sign-in/second-factor", code=code_of(stage))
        assert fresh.status == 303


async def test_five_wrong_codes_end_a_sign_in_and_so_do_five_minutes(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        with_second_factor(stage, "siti")
        path = "/sign-in/second-factor"
        wrong = f"{(int(code_of(stage)) + 1) % 1_000_000:06}"
        await browser.sign_in("siti")
        answers = [await browser.fill(path, path, code=wrong) for _ in range(5)]
        assert [one.status for one in answers] == [403, 403, 403, 403, 303]
        assert (await browser.get(path)).to == "../sign-in"
        stage.later(10 * MINUTE_MS)
        await browser.sign_in("siti")
        stage.later(5 * MINUTE_MS)
        assert (await browser.get(path)).to == "../sign-in"


async def test_a_session_planted_before_signing_in_is_never_the_one_after_it(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        browser.client.cookie_jar.update_cookies({"detak": "planted-by-somebody"}, URL(stage.url))
        await browser.sign_in("siti")
        first = browser.cookie()
        assert first not in {"", "planted-by-somebody"}
        assert stage.store.sessions.find(digest("planted-by-somebody")) is None
        with_second_factor(stage, "siti")
        await browser.fill("/sign-out", "/sign-out", where="here")
        await browser.sign_in("siti")
        half = browser.cookie()
        await browser.fill("/sign-in/second-factor", "/sign-in/second-factor", code=code_of(stage))
        assert browser.cookie() not in {half, first}
        assert stage.store.sessions.find(digest(half)) is None


@pytest.mark.parametrize(
    "path", ["/sign-in", "/sign-in/second-factor", "/sign-in/password", "/sign-out", "/account/password",
             "/account/second-factor", "/account/sessions"],
)  # fmt: skip
async def test_a_form_of_another_site_changes_nothing(tmp_path: Path, path: str) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as other:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        fields = {"name": "siti", "password": PASSWORD, "where": "here", "others": "all", "action": "begin"}
        foreign = await other.token()
        before = await browser.token("/account")
        for token in ("", "0" * 64, foreign, "é"):
            assert (await browser.post(path, {**fields, "token": token})).status == 403
        answer = await browser.post(path, {**fields, "token": before}, Sec_Fetch_Site="cross-site")
        assert answer.status == 403
        assert await is_in(browser)
        assert stage.account("siti").fresh_secret is None


async def test_the_token_of_a_form_ends_with_the_sign_in(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        before = await browser.token()
        await browser.sign_in("siti")
        assert (await browser.post("/sign-out", {"token": before, "where": "here"})).status == 403


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
        "/%0d%0aX: y\r\nSet-Cookie: a=b", "evil.example", " //evil.example", "/\t/evil.example", "x" * 600,
        "/" + "x" * 600, "///evil.example",
    ],
)  # fmt: skip
async def test_nobody_is_led_away_after_signing_in(tmp_path: Path, asked: str) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        answer = await browser.sign_in("siti", next=asked)
        assert (answer.status, answer.to) == (303, "./")
        assert (await browser.client.get("/sign-in", params={"next": asked}, allow_redirects=False)).headers[
            "Location"
        ] == "./"
        assert "X" not in answer.headers


async def test_a_page_of_this_collector_is_come_back_to(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        assert (await browser.get("/account")).to == "./sign-in?next=/account"
        assert 'name="next" value="/account?a=b"' in (await browser.get("/sign-in?next=/account%3Fa%3Db")).text
        assert (await browser.sign_in("siti", next="/account?a=b")).to == "./account?a=b"


async def test_markup_in_any_field_stays_text(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER, display=HOSTILE, mail=HOSTILE)
        quoted = '"><script>alert(1)</script>'
        pages = [
            await browser.sign_in(quoted, HOSTILE, next=quoted),
            await browser.get("/sign-in", Accept_Language=quoted, User_Agent=HOSTILE),
            await browser.get(f"/sign-in?next={quote(quoted)}&notice={quote(quoted)}"),
            await browser.get(f"/sign-in/password?link={quote(quoted)}"),
        ]
        await browser.sign_in("siti")
        pages += [await browser.get(path, User_Agent=HOSTILE) for path in ("/account", "/sign-out", "/")]
        pages.append(await browser.fill("/account", "/account/second-factor", action=quoted, password=quoted))
        for page in pages:
            assert "<script>" not in page.text
            assert "<img src=x" not in page.text
            assert "script-src 'self'" in page.headers["Content-Security-Policy"] or (
                "script" not in page.headers["Content-Security-Policy"]
            )


async def test_cookies_are_out_of_reach_of_scripts_and_of_other_sites(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        stage.terms(TERMS, "https://detak.example.go.id")
        answer = await browser.client.get("/sign-in")
        form = answer.headers["Set-Cookie"]
        token = re.search(r'name="token" value="(\w+)"', await answer.text())
        assert token is not None
        cookie = form.partition(";")[0]
        sent = {"token": token[1], "name": "siti", "password": PASSWORD}
        entered = await browser.post("/sign-in", sent, Cookie=cookie)
        for set_cookie in (form, entered.headers["Set-Cookie"]):
            assert set_cookie.startswith("__Host-detak")
            for word in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
                assert word in set_cookie.split("; ")
            assert "Domain" not in set_cookie


async def test_the_store_has_no_cookie_and_no_link_only_hashes(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        cookie = browser.cookie()
        assert stage.store.sessions.find(digest(cookie)) is not None
        files = contents_of(tmp_path)
        assert files
        assert not [name for name, content in files if cookie.encode() in content or PASSWORD.encode() in content]


async def test_a_session_ends_when_it_is_not_used_and_at_the_latest_after_its_longest_time(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        for _ in range(6):
            stage.later(2 * HOUR_MS - MINUTE_MS)
            assert await is_in(browser)
        stage.later(10 * MINUTE_MS)
        assert not await is_in(browser)
        await browser.sign_in("siti")
        stage.later(HOUR_MS)
        await browser.get("/status/fragment")
        stage.later(HOUR_MS)
        assert not await is_in(browser)


async def test_disabling_an_account_ends_its_sessions_at_once(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        await browser.sign_in("siti")
        stage.store.accounts.set_disabled("siti", stage.now.utc)
        assert not await is_in(browser)
        stage.store.accounts.set_disabled("siti", None)
        assert not await is_in(browser)
        assert (await browser.sign_in("siti")).status == 303


async def test_a_link_sets_a_password_once_and_in_time(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser, stage.browser() as other:
        stage.add("siti", Role.VIEWER, mail="rahma.siti@example.go.id")
        await other.sign_in("siti")
        stage.store.accounts.issue_reset("siti", digest("the-link"), stage.now.utc + HOUR_MS)
        path, form = "/sign-in/password", "/sign-in/password?link=the-link"
        fresh = "empat kata yang baru"
        for new, again, words in [
            (fresh, "not the same at all", "not the same"), ("short", "short", "12 characters"),
            ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "different characters"),
            ("rahma.siti sekali lagi", "rahma.siti sekali lagi", "without your name"),
        ]:  # fmt: skip
            answer = await browser.fill(form, path, link="the-link", new=new, again=again)
            assert (answer.status, words in answer.text) == (422, True), words
        assert await is_in(other)
        done = await browser.fill(form, path, link="the-link", new=fresh, again=fresh)
        assert done.to == "../sign-in?notice=password-set"
        assert not await is_in(other)
        assert (await browser.get(form)).status == 403
        assert (await browser.sign_in("siti")).status == 403
        assert (await browser.sign_in("siti", fresh)).status == 303
        stage.store.accounts.issue_reset("siti", digest("late"), stage.now.utc + HOUR_MS)
        stage.later(HOUR_MS)
        assert (await browser.get("/sign-in/password?link=late")).status == 403


async def test_while_the_store_cannot_be_used_it_is_said_and_nobody_gets_in(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.VIEWER)
        token = await browser.token()
        with stage.store.database.writing() as connection:
            connection.execute("ALTER TABLE account_session RENAME TO lost")
        answer = await browser.post("/sign-in", {"token": token, "name": "siti", "password": PASSWORD})
        assert (answer.status, "cannot be used now" in answer.text) == (503, True)


async def test_forms_have_limits(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        token = await browser.token()
        assert (await browser.post("/sign-in", {"token": token, "name": "x" * 20_000})).status == 413
        assert (await browser.post("/sign-in", {f"f{at}": "" for at in range(30)})).status == 400
        async with browser.client.post("/sign-in", json={"name": "siti"}) as answer:
            assert answer.status == 415
        assert stage.told.events == []


async def test_without_sign_in_there_are_no_such_pages_and_everything_is_shown(tmp_path: Path) -> None:
    async with people_stage(tmp_path, None) as stage, stage.browser() as browser:
        for path in ("/sign-in", "/account", "/sign-out", "/sign-in/password"):
            assert (await browser.get(path)).status == 404
        assert "dc-db-01" in (await browser.get("/")).text
        assert stage.told.events == []


async def test_the_pages_speak_the_language_that_the_browser_asks_for(tmp_path: Path) -> None:
    async with people_stage(tmp_path) as stage, stage.browser() as browser:
        stage.add("siti", Role.ADMIN)
        told = (await browser.get("/sign-in", Accept_Language="fr, id-ID;q=0.9, en;q=0.5")).text
        assert '<html lang="id">' in told
        assert "Kata sandi" in told
        assert "Password" in (await browser.get("/sign-in", Accept_Language="fr;q=1, en;q=0.1, id;q=0")).text
        await browser.sign_in("siti")
        account = (await browser.get("/account", Accept_Language="id")).text
        assert not re.search(r">[^<]*\b(Your|Password|Second|signed|from|since|Change|End)\b", account)
