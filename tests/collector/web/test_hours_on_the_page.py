"""How the page and the terminal say that a service is outside its hours, or that hours are not known."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from browser.fabricated import EKSPOR, IMPOR, NOW, broken, healthy, outage
from detak_collector.board.board import Board, Condition, Hours, ServiceState
from detak_collector.report.status import print_status
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer
from detak_collector.web.wording import headline, service_percent

OUTSIDE = "outside service hours"
DOWN, AT_REST = (
    replace(IMPOR, condition=Condition.DOWN, since=NOW),
    replace(EKSPOR, condition=Condition.DOWN, hours=Hours.OUTSIDE, since=NOW),
)


def page(board: Board) -> str:
    return Renderer(Assets(STATIC, TEMPLATES)).draw(board).page.plain.decode()


def terminal(board: Board) -> str:
    console = Console(width=160)
    with console.capture() as captured:
        print_status(board, ZoneInfo("Asia/Jakarta"), console)
    return captured.get()


@pytest.mark.parametrize(
    ("services", "text"),
    [
        ((IMPOR, AT_REST), f"Outside service hours: {AT_REST.name} is down"),
        ((DOWN, AT_REST), f"{DOWN.name} is down"),
        ((DOWN, IMPOR), f"{DOWN.name} is down"),
    ],
)
def test_the_headline_puts_first_what_is_due(services: tuple[ServiceState, ...], text: str) -> None:
    assert headline(replace(healthy(), services=services)).text == text


def test_the_page_says_which_service_and_which_outage_is_outside_its_hours() -> None:
    running = outage("o1", AT_REST, NOW - 60_000, None, hours=Hours.OUTSIDE)
    plain, shown = healthy(), replace(healthy(), services=(IMPOR, AT_REST), running=(running,))
    assert OUTSIDE not in page(plain)
    assert page(shown).count(f"· {OUTSIDE}") == 1
    assert page(shown).count(f'<span class="tag">{OUTSIDE}</span>') == 1


def test_notices_stand_in_place_of_the_figure() -> None:
    shown = replace(healthy(), notices=("calendar[kantor].holidays: <none> for 2027",))
    assert 'id="figure"' not in page(shown)
    assert "service hours are not known" in page(shown)
    assert "calendar[kantor].holidays: &lt;none&gt; for 2027" in page(shown)
    assert 'id="notices"' not in page(healthy())


def test_a_service_whose_hours_are_not_known_has_no_rate() -> None:
    assert service_percent(IMPOR) is not None
    assert service_percent(replace(IMPOR, hours=Hours.UNKNOWN)) is None


def test_the_terminal_says_the_same() -> None:
    told = terminal(replace(broken(), services=(IMPOR, AT_REST), notices=("calendar[kantor]: none for 2027",)))
    assert f"down, {OUTSIDE}" in told
    assert "no figure, because service hours are not known" in told
    assert "calendar[kantor]: none for 2027" in told
