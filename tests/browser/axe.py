"""What axe-core has against a page that is open. Its context must not keep the page's own policy: it is our script."""

from __future__ import annotations

from importlib import resources

from playwright.sync_api import Page

AXE = resources.files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => {
    const colours = node => node.any.filter(one => one.data?.fgColor)
        .map(one => ` ${one.data.fgColor} on ${one.data.bgColor}`).join();
    return (await axe.run({resultTypes: ['violations']})).violations
        .filter(one => ['serious', 'critical'].includes(one.impact))
        .map(one => one.id + ': ' + one.nodes.slice(0, 3).map(node => node.target + colours(node)).join(' | '));
}"""
DRAWN = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(() => drawn())))"


def serious(page: Page) -> list[str]:
    """Every violation that is serious or critical, with where it is.

    One that is gone once the page has been drawn is none: a theme that has just been changed may be half there.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    found: list[str] = page.evaluate(SERIOUS)
    if found:
        page.wait_for_load_state("load")
        page.evaluate(DRAWN)
        found = page.evaluate(SERIOUS)
    return found
