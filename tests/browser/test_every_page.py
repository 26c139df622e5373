"""Every page there is, in both languages and themes, on a wide screen and a telephone; and four eyes by keyboard alone.

The pages are those that the description of the endpoints has, which the router is tested against: a new page that is
not looked at here fails.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from browser.axe import serious
from browser.test_status_page import ARGUMENTS
from detak_collector.web.openapi import document
from evidence_builders import NODE
from indonesian import TEXTS, english_in
from people_stage import PASSWORD
from whole_stage import ENDLESS, EVERYTHING, LINK, PAST, TWICE, WholeStage, serving_whole

pytestmark = pytest.mark.browser

PAGES: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/status/fragment": (),
    "/account": ("/account",),
    "/account/tokens": ("/account/tokens",),
    "/admin/catalogue": ("/admin/catalogue",),
    "/admin/catalogue/{number}": ("/admin/catalogue/1", "/admin/catalogue/2"),
    "/admin/nodes": ("/admin/nodes", "/admin/nodes?find=nobody"),
    "/admin/nodes/{node}": (f"/admin/nodes/{NODE}",),
    "/admin/people": ("/admin/people",),
    "/admin/retention": ("/admin/retention",),
    "/admin/people/{name}": (f"/admin/people/{EVERYTHING}",),
    "/audit": ("/audit",),
    "/calendar": ("/calendar?at=2023-11",),
    "/calendar/import": ("/calendar/import",),
    "/closing": ("/closing",),
    "/closing/{period}": ("/closing/2023-11", "/closing/2023-10", "/closing/2023"),
    "/declarations": ("/declarations?state=all",),
    "/declarations/new": ("/declarations/new",),
    "/declarations/{name}": ("/declarations/d4",),
    "/declarations/{name}/amend": ("/declarations/d4/amend",),
    "/declarations/{name}/withdraw": ("/declarations/d4/withdraw",),
    "/disputes": ("/disputes",),
    "/disputes/new": ("/disputes/new?outage={outage}",),
    "/disputes/{number}": ("/disputes/1",),
    "/exclusions": ("/exclusions?state=all",),
    "/exclusions/new": ("/exclusions/new",),
    "/exclusions/{name}": ("/exclusions/x1", "/exclusions/x2", "/exclusions/x3"),
    "/exclusions/{name}/amend": ("/exclusions/x1/amend",),
    "/exclusions/{name}/withdraw": ("/exclusions/x1/withdraw",),
    "/figure": ("/figure",),
    "/figure/{period}": ("/figure/2023-11", "/figure/2022"),
    "/figure/{period}/outages": ("/figure/2023/outages", "/figure/2022/outages"),
    "/node/{node}": (f"/node/{NODE}", "/node/no-such"),
    "/node/{node}/check/{check}": (f"/node/{NODE}/check/web", f"/node/{NODE}/check/alive?period=2023-11"),
    "/notes": ("/notes",),
    "/outages": ("/outages",),
    "/outages/{number}": ("/outages/{outage}",),
    "/past": ("/past",),
    "/past/import": ("/past/import",),
    "/past/{name}": (f"/past/{PAST.name}",),
    "/service/{service}": ("/service/portal", "/service/pusat?zoom=hour&period=2022"),
    "/service/{service}/outage/{outage}": ("/service/portal/outage/{outage}",),
    "/sign-out": ("/sign-out",),
}
"""By the path that is described, what is looked at of it; a fragment is looked at as a part of its page."""

BEFORE_SIGN_IN: dict[str, tuple[str, ...]] = {
    "/": ("/",),
    "/sign-in": ("/sign-in",),
    "/sign-in/forgotten": ("/sign-in/forgotten",),
    "/sign-in/password": (f"/sign-in/password?link={LINK}", "/sign-in/password?link=no-such"),
    "/sign-in/second-factor": (),
}
REFUSED = {
    "/exclusions/new": "main form.entry button", "/disputes/new": "main form button",
    "/admin/people": "main form button", "/account/tokens": "main form button",
}  # fmt: skip
"""By path the button of a form that is sent as it is, with nothing in it."""

AMISS = """() => [
    ...(document.documentElement.scrollWidth > document.documentElement.clientWidth ? ['too wide'] : []),
    ...(document.querySelectorAll('h1').length === 1 ? [] : ['not one h1']),
    ...(document.querySelector('main :is(img, script)') ? ['what somebody wrote'] : [])]"""
OPEN_ALL = "document.querySelectorAll('details').forEach(one => { one.open = true; })"
FOCUS = """() => {
    const one = document.activeElement;
    if (one === document.body) return {visible: true, what: 'the end of the page'};
    const style = getComputedStyle(one);
    const outlined = style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) > 0;
    return {visible: outlined || style.boxShadow !== 'none', what: one.outerHTML.slice(0, 200)};
}"""
MOST_TABS = 80
Theme = Literal["dark", "light"]
WIDTHS = (1280, 360)
LOOKS = (("en-GB", ("light", "dark")), ("id-ID", ("dark", "light")))
"""A language, with the theme on the wide screen and the one on the telephone."""

ALIKE = ("light", 360)
"""Here only widths are looked at: no colour, name or role in it is another than in the rest."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeStage]:
    with serving_whole(tmp_path_factory.mktemp("whole")) as served:
        context = browser.new_context(locale="en-GB")
        page = signed_in(context, served, "ani")
        page.goto(f"{served.url}/closing/2023-10")
        page.fill("#reason", ENDLESS)
        page.get_by_role("button", name="Ask for its seal").click()
        expect(page.get_by_role("status")).to_be_visible()
        context.close()
        yield served


def half_signed_in(context: BrowserContext, stage: WholeStage, name: str) -> Page:
    """Once the password is given."""
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in")
    page.fill("#name", name)
    page.fill("#password", PASSWORD)
    with page.expect_navigation():
        page.press("#password", "Enter")
    return page


def signed_in(context: BrowserContext, stage: WholeStage, name: str) -> Page:
    page = half_signed_in(context, stage, name)
    expect(page.locator(".who")).to_be_visible()
    return page


def described() -> set[str]:
    """The paths that are answered with a page."""
    paths = json.loads(document("0.1.0"))["paths"]
    found = {path: methods["get"]["responses"].get("200", {}) for path, methods in paths.items() if "get" in methods}
    return {path for path, answered in found.items() if "text/html" in answered.get("content", {})}


def test_no_page_is_left_out_here() -> None:
    assert {*PAGES, *BEFORE_SIGN_IN} == described()


@pytest.mark.parametrize(("spoken", "themes"), LOOKS)
def test_every_page_is_for_everybody_and_on_every_screen(
    browser: Browser, stage: WholeStage, spoken: str, themes: tuple[Theme, Theme]
) -> None:
    # The checker is a script of the test, which the page's own policy would not let in.
    context = browser.new_context(locale=spoken, bypass_csp=True)
    found: list[str] = []
    context.on("dialog", lambda dialog: found.append(f"a page runs {dialog.message}"))
    context.on("weberror", lambda error: found.append(str(error.error)))
    found += looked_through(context.new_page(), stage, BEFORE_SIGN_IN, themes)
    page = half_signed_in(context, stage, TWICE)
    found += looked_through(page, stage, {"": ("/sign-in/second-factor",)}, themes)
    page = signed_in(context, stage, EVERYTHING)
    found += looked_through(page, stage, {**PAGES, "": ("/no-such",)}, themes)
    found += refused(page, stage, themes)
    context.close()
    assert not found, "\n".join(found)


def looked_through(
    page: Page, stage: WholeStage, wanted: dict[str, tuple[str, ...]], themes: tuple[Theme, Theme]
) -> list[str]:
    found: list[str] = []
    for path in (one.replace("{outage}", str(stage.outage)) for paths in wanted.values() for one in paths):
        answer = page.goto(stage.url + path, wait_until="domcontentloaded")
        assert answer is not None
        if answer.status != ((403 if "link" in path else 404) if "no-such" in path else 200):
            found.append(f"{path} is answered with {answer.status}")
        found += looked_at(page, path, themes)
    return found


def looked_at(page: Page, name: str, themes: tuple[Theme, Theme]) -> list[str]:
    page.evaluate(OPEN_ALL)
    found = [f"{name} in Indonesian: {one}" for one in english_in(page.evaluate(TEXTS))]
    for theme, width in zip(themes, WIDTHS, strict=True):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size({"width": width, "height": 800})
        against = serious(page) if (theme, width) != ALIKE else []
        found += [f"{name} at {width} {theme}: {one}" for one in (*page.evaluate(AMISS), *against)]
    return found


def refused(page: Page, stage: WholeStage, themes: tuple[Theme, Theme]) -> list[str]:
    """Forms that come back with what is wrong."""
    found: list[str] = []
    for path, button in REFUSED.items():
        page.goto(stage.url + path)
        page.locator("form").evaluate_all("forms => forms.forEach(one => { one.noValidate = true; })")
        page.locator(button).first.click()
        expect(page.locator("[aria-invalid], [role=alert]").first).to_be_visible()
        found += looked_at(page, f"{path}, refused,", themes)
    return found


def tabbed_to(page: Page, wanted: Locator) -> None:
    """Presses Tab until `wanted` has the focus, which shows wherever it comes by."""
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        seen = page.evaluate(FOCUS)
        assert seen["visible"], f"{page.url}: nobody sees that {seen['what']} has the focus"
        if wanted.evaluate("one => one === document.activeElement"):
            return
    pytest.fail(f"{page.url}: {wanted} is not reached by Tab")


def typed(page: Page, wanted: str, *keys: str) -> None:
    """Into the field of that id: texts, and keys in brackets."""
    tabbed_to(page, page.locator(wanted))
    for one in keys:
        if one.startswith("["):
            page.keyboard.press(one[1:-1])
        else:
            page.keyboard.type(one)


def in_by_keyboard(context: BrowserContext, stage: WholeStage, name: str) -> Page:
    page = context.new_page()
    page.goto(f"{stage.url}/sign-in?next=/exclusions")
    expect(page.locator("#name")).to_be_focused()
    page.keyboard.type(name)
    typed(page, "#password", PASSWORD, "[Enter]")
    expect(page.get_by_role("heading", name="Exclusions")).to_be_visible()
    return page


def test_an_exclusion_is_proposed_and_approved_with_nothing_but_a_keyboard(browser: Browser, stage: WholeStage) -> None:
    first, second = browser.new_context(locale="en-GB"), browser.new_context(locale="en-GB")
    ani = in_by_keyboard(first, stage, "ani")
    tabbed_to(ani, ani.get_by_role("link", name="Propose one"))
    ani.keyboard.press("Enter")
    expect(ani.locator("#category")).to_be_visible()
    typed(ani, "#category", "planned")
    typed(ani, "#target", "pusat")
    typed(ani, "#drill", "[Space]")
    typed(ani, "#from", "12012023", "[Tab]", "1000PM")
    typed(ani, "#to", "12022023", "[Tab]", "0200AM")
    typed(ani, "#document", "ND-7/2023")
    typed(ani, "#reason", "the battery of the UPS", "[Enter]", "is replaced")
    tabbed_to(ani, ani.get_by_role("button", name="Show what it changes"))
    ani.keyboard.press("Enter")
    expect(ani.get_by_role("button", name="Propose it")).to_be_visible()
    tabbed_to(ani, ani.get_by_role("button", name="Propose it"))
    ani.keyboard.press("Space")
    expect(ani.get_by_role("status")).to_contain_text("takes effect once somebody else approves it")
    name = ani.url.partition("?")[0].rpartition("/")[2]

    budi = in_by_keyboard(second, stage, "budi")
    tabbed_to(budi, budi.get_by_role("link", name=name, exact=True))
    budi.keyboard.press("Enter")
    expect(budi.get_by_role("heading", level=1)).to_contain_text(name)
    expect(budi.get_by_text("1 December 2023")).to_be_visible()
    tabbed_to(budi, budi.get_by_role("button", name="Approve"))
    budi.keyboard.press("Space")
    expect(budi.get_by_role("status")).to_have_text("It is approved.")
    first.close()
    second.close()
