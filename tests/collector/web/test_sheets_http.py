"""The figure's, a service's, an outage's and a node's page over HTTP: what they say, to whom, and how often derived."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urljoin

import pytest
import pytest_asyncio

from browser.fabricated import HOSTILE, NOW
from detak_collector.accounts.grants import Source, Wish, body_of
from detak_collector.accounts.roles import Role
from detak_collector.downtime.periods import parse_period
from detak_collector.pair.entry import GRANT
from detak_collector.translation.language import language
from detak_collector.web.sheet_pages import Keeping
from people_stage import Page
from sheets_stage import REAL_NODE, SheetStage, figures, rules, sheets_stage

pytestmark = pytest.mark.asyncio

PAGES = (
    "/figure", "/figure/2026", "/figure/2026-04", "/figure/2026/outages", "/service/impor", "/service/ekspor",
    "/service/manifes?zoom=year", "/service/portal", "/service/impor/outage/20260401T000000", f"/node/{REAL_NODE}",
    f"/node/{REAL_NODE}/check/web",
)  # fmt: skip
SECRETS = ("CEISA", "impor-web", "dc-db-01", "ND-12", "LAKIN")
EVERY_ONE_ANEW = Keeping(least_s=0.0, leisure=0.0)


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[SheetStage]:
    async with sheets_stage(tmp_path) as staged:
        yield staged


async def seen(stage: SheetStage, path: str, **headers: str) -> Page:
    async with stage.browser() as browser:
        return await browser.get(path, **headers)


class _Inline(HTMLParser):
    """Collects what a page would run or be styled by, were it let."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        own = tag == "script" and (dict(attrs).get("src") or "").startswith("../")
        self.found += [tag] if tag in {"script", "style", "iframe"} and not own else []
        self.found += [f"{tag} {name}" for name, _ in attrs if name == "style" or name.startswith("on")]


def inline(page: Page) -> list[str]:
    parser = _Inline()
    parser.feed(page.text)
    return parser.found


def words(page: Page) -> str:
    """What a reader sees of it."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", page.text)))


async def test_the_figure_is_that_of_the_report_with_every_part_of_it(stage: SheetStage) -> None:
    page = await seen(stage, "/figure")
    result = figures(stage).report(parse_period("2026", stage.pages.current.zone, NOW))
    assert result.figure.percent is not None
    told = words(page)
    assert page.status == 200
    assert f"{language('en').decimals(result.figure.percent, 4)} %" in told
    for part in (
        "Months",
        "Trend over the years",
        "From all downtime",
        "Causes by layer",
        "under other rules",
        "Watched",
    ):
        assert part in told, part
    assert "LAKIN 2024" in told
    assert "planned downtime" in told
    unwatched = words(await seen(stage, "/figure/2024"))
    assert "Jan 0.0000 % not observed" in unwatched
    assert "0.0000 % within the target" not in unwatched
    assert "Not observed" in unwatched.partition("Trend over the years")[2]
    assert 'class="fill unproven"' in (await seen(stage, "/figure/2024")).text


async def test_only_the_declared_rule_s_number_leads_to_a_list_of_outages(stage: SheetStage) -> None:
    text = (await seen(stage, "/figure/2026")).text
    rules_told = text.partition('id="readings-title"')[2].partition("</section>")[0]
    rows = re.findall(r"<tr>(.*?)</tr>", rules_told)
    linked = [("declared</span>" in row, "<a " in row) for row in rows if "<td" in row]
    assert len(linked) > 2
    assert all(declared is leads for declared, leads in linked)


async def test_a_day_with_something_to_tell_leads_to_that_day_on_the_timeline(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        text = (await browser.get("/service/impor")).text
        days = re.findall(r'<th scope="row"><a href="([?]zoom=day[^"#]*at=(\d{4}-\d\d-\d\d)[^"#]*)', text)
        assert days
        link, date = days[0]
        page = await browser.get("/service/impor" + unescape(link))
        assert f" {int(date[-2:])} Nov 2026 00:00:00" in words(page).partition("Timeline")[2][:40]


async def test_every_link_of_every_page_leads_to_a_page(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        visited: set[str] = set()
        for path in PAGES:
            page = await browser.get(path)
            assert page.status == 200, path
            for link in set(re.findall(r'<a [^>]*?href="([^"#]+)', page.text)):
                target = urljoin(path, unescape(link))
                if target in visited or target.startswith(("/language", "/account", "/sign")):
                    continue
                visited.add(target)
                # One of each kind is enough: a list has a thousand.
                kind = re.sub(r"\d+", "0", target)
                if sum(re.sub(r"\d+", "0", one) == kind for one in visited) > 2:
                    continue
                found = await browser.get(target)
                expected = {404} if re.fullmatch(r"/node/(?!dc-app-01)[^/]+", target) else {200}
                assert found.status in expected, (path, target)


async def test_a_cause_leads_to_its_outages_and_an_outage_to_its_reasons(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        figure = await browser.get("/figure/2026")
        cause = re.search(r'href="\.\./(figure/2026/outages\?cause=database)"', figure.text)
        assert cause is not None
        listed = await browser.get(f"/{cause[1]}")
        assert "CEISA Impor" in listed.text
        assert "ekspor/outage" not in listed.text
        (_, last) = re.findall(r'href="\.\./\.\./(service/impor/outage/[^"]+)"', listed.text)[-2:]
        told = words(await browser.get(f"/{last}"))
        assert "not counted" in told or "counted" in told
        assert "dc-db-01/pg" in told


async def test_an_outage_says_which_exclusion_took_which_part(stage: SheetStage) -> None:
    told = words(await seen(stage, "/service/impor/outage/20260401T000000"))
    assert "not counted: planned downtime" in told
    assert "ND-12/2026" in told
    assert "proposed by ani, approved by budi" in told
    assert "the member with the least downtime counts" in told


async def test_a_thousand_outages_stand_on_ten_pages(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        first = await browser.get("/figure/2026/outages?service=ekspor")
        assert "1,000 outages" in words(first)
        assert "Page 1 of 10" in words(first)
        assert first.text.count("<tr>") == 101
        last = await browser.get("/figure/2026/outages?service=ekspor&page=10")
        beyond = await browser.get("/figure/2026/outages?service=ekspor&page=99")
        assert "Page 10 of 10" in words(last)
        assert words(last) == words(beyond)


async def test_the_filter_tells_counted_from_excluded(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        partly = words(await browser.get("/service/impor?excluded=partly"))
        planned = words(await browser.get("/service/impor?excluded=planned"))
        wholly = words(await browser.get("/service/impor?excluded=not"))
        assert "1 outage," in partly
        assert "1 outage," in planned
        assert "2 outages," in wholly


async def test_nothing_is_shown_as_nothing(stage: SheetStage) -> None:
    portal = words(await seen(stage, "/service/portal"))
    assert "No check measures this service." in portal
    assert "No outage, as far as is known" in portal
    past = words(await seen(stage, "/figure/2019"))
    assert "2019" in past


async def test_a_collector_without_services_has_a_figures_page_too(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, ()) as stage:
        page = await seen(stage, "/figure")
        assert page.status == 200
        assert "There is no service." in words(page)


@pytest.mark.parametrize(
    "path",
    [
        "/figure/2026-13", "/figure/nonsense", "/service/no-such", "/node/no-such", "/service/impor/outage/4711",
        "/service/impor/outage/x", "/service/impor?zoom=century", "/service/impor?at=2026-02-31",
        "/service/impor?cause=bad", "/figure/2026/outages?page=-1", "/node/dc-app-01?zoom=minute", "/language/fr",
    ],
)  # fmt: skip
async def test_what_is_not_there_is_said_without_a_traceback(stage: SheetStage, path: str) -> None:
    page = await seen(stage, path)
    assert page.status == 404
    assert "Traceback" not in page.text


async def test_what_agents_and_people_wrote_is_text_and_nothing_runs_or_is_styled_inline(stage: SheetStage) -> None:
    for path in PAGES:
        page = await seen(stage, path)
        assert HOSTILE not in page.text, path
        assert inline(page) == [], path
        policy = [one.split() for one in page.headers["Content-Security-Policy"].split(";")]
        assert ["default-src", "'none'"] in policy
        # Only where there are charts, and there only what is ours.
        allowed = [["script-src", "'self'"]] if path.startswith("/node/") else []
        assert [one for one in policy if one[0].startswith("script")] == allowed, path
        assert bool(allowed) or "<script" not in page.text, path
    assert HOSTILE in unescape((await seen(stage, f"/node/{REAL_NODE}")).text)


async def test_a_node_shows_its_checks_clock_backlog_and_charts(stage: SheetStage) -> None:
    told = words(await seen(stage, f"/node/{REAL_NODE}"))
    assert "queue" in told
    assert "tcp, every 5.0 s" in told
    assert "Journal backlog 8.8 KiB size of its files; they grow while evidence waits to be sent" in told
    assert "its own clock was off by" in told
    assert "Disk used /data" in told
    assert "agent 0.1.0" in told.lower()


async def test_the_language_is_the_chosen_one_then_the_browsers(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        assert "Penyebab menurut lapisan" in (await browser.get("/figure", Accept_Language="id-ID,id;q=0.9")).text
        chosen = await browser.get("/language/en?next=/figure/2026", Accept_Language="id")
        assert (chosen.status, chosen.to) == (303, "../figure/2026")
        page = await browser.get("/figure", Accept_Language="id")
        assert '<html lang="en">' in page.text
        assert "Penyebab menurut lapisan" not in page.text


async def test_the_choice_of_a_language_never_leads_elsewhere(stage: SheetStage) -> None:
    for place in ("https://a.example", "//a.example", "/\\a.example"):
        assert (await seen(stage, f"/language/id?next={place}")).to == "../"


async def test_numbers_and_dates_are_those_of_indonesian(stage: SheetStage) -> None:
    told = words(await seen(stage, "/service/impor?period=2026-04", Accept_Language="id"))
    assert re.search(r"1 Apr 2026 \d\d\.\d\d\.\d\d", told)
    assert "gangguan" in told.lower()
    assert not re.search(r"\b(Outages|Counted|since|Watched|Timeline)\b", told)


async def test_the_same_page_again_is_not_sent(stage: SheetStage) -> None:
    async with stage.browser() as browser:
        first = await browser.get("/figure/2026-04")
        again = await browser.get("/figure/2026-04", If_None_Match=first.headers["Etag"])
        assert again.status == 304
        assert "private" in first.headers["Cache-Control"]


async def test_however_many_ask_it_is_derived_once(stage: SheetStage) -> None:
    stage.pages.go.clear()
    asking = [asyncio.create_task(seen(stage, "/figure/2026")) for _ in range(8)]
    await asyncio.sleep(0.3)
    stage.pages.go.set()
    pages = await asyncio.gather(*asking)
    assert {page.status for page in pages} == {200}
    assert len(stage.pages.made) == 1


async def test_who_goes_away_takes_the_page_from_nobody(stage: SheetStage) -> None:
    stage.pages.go.clear()
    leaving, staying = (asyncio.create_task(seen(stage, "/figure/2026")) for _ in range(2))
    await asyncio.sleep(0.2)
    leaving.cancel()
    await asyncio.sleep(0.1)
    stage.pages.go.set()
    assert (await staying).status == 200


async def test_what_was_decided_meanwhile_ends_a_kept_page(stage: SheetStage) -> None:
    await seen(stage, "/figure/2026")
    await seen(stage, "/figure/2026")
    assert len(stage.pages.made) == 1
    stage.pages.current = rules(*stage.pages.current.catalogue.services)
    await seen(stage, "/figure/2026")
    assert len(stage.pages.made) == 2


async def test_a_kept_page_grows_old_by_what_it_cost(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, keeping=EVERY_ONE_ANEW) as stage:
        for _ in range(2):
            await seen(stage, "/figure/2026")
        assert len(stage.pages.made) == 2


async def test_when_too_many_pages_wait_one_more_is_refused_at_once(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, keeping=Keeping(waiting=2)) as stage:
        stage.pages.go.clear()
        waiting = [asyncio.create_task(seen(stage, f"/figure/2026-0{month}")) for month in (1, 2)]
        await asyncio.sleep(0.3)
        refused = await seen(stage, "/figure/2026-03")
        assert (refused.status, refused.headers["Retry-After"]) == (503, "5")
        stage.pages.go.set()
        assert {page.status for page in await asyncio.gather(*waiting)} == {200}


async def test_what_cannot_be_derived_is_said_and_tried_again(stage: SheetStage) -> None:
    stage.pages.failure = RuntimeError("disk")
    page = await seen(stage, "/figure")
    assert page.status == 503
    assert "cannot be derived" in page.text
    stage.pages.failure = None
    assert (await seen(stage, "/figure")).status == 200


async def test_the_process_is_let_go_when_nobody_asks(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, keeping=Keeping(idle_s=0.05)) as stage:
        await seen(stage, "/figure")
        async with asyncio.timeout(10):
            while not stage.pages.closed:  # noqa: ASYNC110 - what is waited for does not say when it is there
                await asyncio.sleep(0.01)


async def test_who_has_not_signed_in_is_led_there_and_learns_nothing(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, sign_in=True) as stage:
        for path in (*PAGES, "/service/no-such", "/node/no-such"):
            page = await seen(stage, path)
            assert page.status == 303, path
            assert "sign-in?next=%2F" in page.to
            assert not any(secret in page.text for secret in SECRETS)
        assert stage.pages.made == []


async def test_who_has_no_role_sees_nothing_either(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, sign_in=True) as stage, stage.browser() as browser:
        await browser.sign_in("tamu")
        assert (await browser.get("/figure")).status == 303


async def test_signing_in_leads_back_to_the_page_that_was_asked_for(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, sign_in=True) as stage, stage.browser() as browser:
        admin = Wish("siti", Role.ADMIN, "root", Source.MACHINE)
        asked = await browser.get("/service/impor?zoom=week")
        there = await browser.sign_in("siti", next="/service/impor?zoom=week")
        assert asked.to == "../sign-in?next=%2Fservice%2Fimpor%3Fzoom%3Dweek"
        assert there.to.endswith("service/impor?zoom=week")
        page = await browser.get("/service/impor?zoom=week")
        assert page.status == 200
        assert "Sign out" in page.text
        assert HOSTILE not in page.text
        assert page.text.count('href="../account"') == 1
        assert "../admin/people" not in page.text
        stage.store.entries.append(GRANT, body_of(admin, withdrawn=False), "root", stage.now.utc)
        page = await browser.get("/service/impor?zoom=week")
        navigation = page.text.partition('class="paths"')[2].partition("</nav>")[0]
        assert '<a href="../admin/people">Administration</a>' in navigation
        assert "../audit" not in navigation


async def test_a_withdrawn_role_ends_what_is_shown_at_once(tmp_path: Path) -> None:
    async with sheets_stage(tmp_path, sign_in=True) as stage, stage.browser() as browser:
        await browser.sign_in("siti")
        assert (await browser.get("/figure")).status == 200
        wish = Wish("siti", Role.VIEWER, "root", Source.MACHINE)
        stage.store.entries.append(GRANT, body_of(wish, withdrawn=True), "root", stage.now.utc)
        assert (await browser.get("/figure")).status == 303


async def test_a_timeline_has_a_lane_for_all_that_a_service_rests_on(stage: SheetStage) -> None:
    page = await seen(stage, "/service/impor?zoom=day&at=2026-11-23")
    lanes = re.findall(r'class="lane"[^>]*aria-label="([^"]*)"', page.text)
    assert [lane.partition(":")[0] for lane in lanes] == [
        "CEISA Impor", "basis data", "dc-db-01/pg", "drc-db-01/pg", "jaringan", "dc-net-01/gw", "edge-01/impor-web",
    ]  # fmt: skip
    assert "down 1x" in lanes[2]
    assert "up throughout" in lanes[5]


async def test_a_timeline_leads_to_its_neighbours_and_to_other_zooms(stage: SheetStage) -> None:
    page = await seen(stage, "/service/impor?zoom=day&at=2026-11-20")
    links = unescape(page.text)
    assert "?zoom=day&at=2026-11-19&" in links
    assert "?zoom=day&at=2026-11-21&" in links
    assert "?zoom=year&at=2026-11-20&" in links
