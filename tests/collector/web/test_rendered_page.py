"""The markup that the templates make of a board."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest

from browser.fabricated import HOSTILE, broken, empty, healthy, hostile, many, node, presumed
from detak_collector.board.board import Board, Condition
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer

VOID = {"meta", "link", "img", "br"}
BOARDS = {"healthy": healthy, "broken": broken, "presumed": presumed, "empty": empty, "hostile": hostile, "many": many}


class Outline(HTMLParser):
    """Collects text, tags and ids, and whether every element is closed where it should be."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.ids: list[str] = []
        self._open: list[str] = []
        self.misnested: list[str] = []
        self.feed(markup)
        self.misnested += self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.ids += [value or "" for name, value in attrs if name == "id"]
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += re.sub(r"\s+", " ", data)


def page(board: Board) -> Outline:
    return Outline(Renderer(Assets(STATIC, TEMPLATES)).draw(board).page.plain.decode())


def fragment(board: Board) -> Outline:
    return Outline(Renderer(Assets(STATIC, TEMPLATES)).draw(board).fragment.plain.decode())


@pytest.mark.parametrize("name", BOARDS)
def test_every_board_gives_well_formed_markup_with_unique_ids(name: str) -> None:
    drawn = page(BOARDS[name]())
    assert drawn.misnested == []
    assert len(drawn.ids) == len(set(drawn.ids))


@pytest.mark.parametrize("name", BOARDS)
def test_no_markup_needs_what_the_content_policy_forbids(name: str) -> None:
    drawn = page(BOARDS[name]())
    assert "style" not in drawn.tags | drawn.attributes
    assert not {attribute for attribute in drawn.attributes if attribute.startswith("on")}


def test_a_healthy_board_says_so_with_the_figure_and_its_bounds() -> None:
    text = fragment(healthy()).text
    assert "All 3 services are up" in text
    assert "0.0038 %" in text
    assert "Met so far, and proven" in text
    assert "certain 0.0036 %" in text
    assert "possible 0.0087 %" in text
    assert "Current outages" not in text


def test_an_outage_is_told_with_cause_begin_length_and_how_sure() -> None:
    text = fragment(broken()).text
    assert "CEISA Impor is down since 02:14 (12 min 00 s)" in text
    assert "Database: dc-db-01/pg: connection refused" in text
    assert "certain for 11 min 56 s" in text
    assert "02:14:03 WIB" in text
    assert "0 of 2 up; down only while all are down" in text


def test_what_is_presumed_or_not_observed_is_never_called_down_or_up() -> None:
    drawn = fragment(presumed())
    assert "CEISA Impor is presumed down since 02:24" in drawn.text
    assert "presumed: no evidence either way" in drawn.text
    assert "not observed since 23 Nov, 22:26" in drawn.text
    assert "silent, never heard" in drawn.text
    assert "641 d 23 h not observed" in drawn.text


def test_an_empty_board_says_what_to_do() -> None:
    text = fragment(empty()).text
    assert "No services yet" in text
    assert "services.toml" in text
    assert "detak-collector enroll NODE" in text


def test_nothing_that_others_name_becomes_markup() -> None:
    drawn = page(hostile())
    assert "img" not in drawn.tags
    assert drawn.text.count(HOSTILE) >= 10
    assert page(healthy()).tags >= drawn.tags


def test_five_hundred_services_are_drawn_small() -> None:
    drawn = Renderer(Assets(STATIC, TEMPLATES)).draw(many(500))
    assert len(drawn.page.packed) < 100 * 1024


def test_equal_boards_draw_equal_fragments_whatever_the_time_of_asking() -> None:
    renderer = Renderer(Assets(STATIC, TEMPLATES))
    assert renderer.draw(healthy()).fragment.tag == renderer.draw(healthy()).fragment.tag
    assert renderer.draw(healthy()).fragment.tag != renderer.draw(broken()).fragment.tag


def test_a_node_as_which_two_agents_speak_says_so_and_is_not_folded_away() -> None:
    told = "two agents with one identity: <b>. Enrol the copy"
    board = many()
    nodes = (*board.nodes, node("cloned", warning=told))
    drawn = page(replace(board, nodes=nodes))
    before, _, folded = drawn.text.partition("nodes that are heard")
    assert f"T{told[1:]}." in before
    assert "cloned" not in folded
    heard = sum(one.condition is Condition.UP for one in nodes)
    assert f"{heard} of {len(nodes)} heard" in drawn.text


def test_alarms_of_the_collector_stand_above_everything_else_and_are_only_text() -> None:
    drawn = fragment(replace(healthy(), alarms=("the disk of the store is full: <blink>3.0 MiB</blink> are free",)))
    assert "The disk of the store is full: <blink>3.0 MiB</blink> are free." in drawn.text
    assert "blink" not in drawn.tags
    assert drawn.ids.index("alarms") < drawn.ids.index("figure")
    assert "needs attention" not in fragment(healthy()).text
