"""What is drawn and written from the results of a proof."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.pages import PAGES, UnmarkedError, files, filled, stale
from lab.picturing import LEFT, RIGHT, Axis, picture
from lab.results import Results
from lab.standing import standings
from proof_results import peer, results

ROOT = Path(__file__).parents[2]
KEPT = ROOT / "bench/results/proof.json"
MARKED = "# Title\n\nBefore.\n\n<!-- proof -->\nold\n<!-- /proof -->\n\nAfter.\n"
MISSING_ONE = results(peer(("a", 105_000, 125_000)))


def drawn(made: Results = MISSING_ONE) -> ET.Element:
    return ET.fromstring(picture(standings(made), made.pace.interval_ms, "here & now"))


def of_class(tree: ET.Element, name: str) -> list[ET.Element]:
    return [one for one in tree.iter() if one.get("class") == name]


def words(tree: ET.Element) -> str:
    return " ".join(filter(None, (one.text for one in tree.iter() if one.tag.endswith("text"))))


def test_each_outage_of_each_tool_is_a_dot_or_a_cross() -> None:
    tree = drawn()

    assert len(of_class(tree, "ours")) == 2
    assert len(of_class(tree, "others")) == 1
    assert len([one for one in of_class(tree, "missed") if one.tag.endswith("path")]) == 2, "one, and the legend's"


def test_outages_that_are_equally_far_off_are_drawn_apart() -> None:
    exact = results(peer(("a", 100_000, 120_000), ("a", 200_000, 220_000)))

    dots = of_class(drawn(exact), "others")

    assert len({dot.get("cx") for dot in dots}) == 1
    assert len({dot.get("cy") for dot in dots}) == 2


def test_the_picture_says_in_words_what_it_shows() -> None:
    assert "half within 0.50 s" in words(drawn())
    assert "1 not noticed" in words(drawn())
    assert "here & now" in words(drawn())


def test_the_picture_carries_its_ground_and_colours_for_both_themes_and_fetches_nothing() -> None:
    text = picture(standings(MISSING_ONE), 5_000, "")

    assert "prefers-color-scheme:dark" in text
    assert 'class="ground"' in text
    assert re.findall(r"https?://[^\"]+", text) == ["http://www.w3.org/2000/svg"]


@given(st.lists(st.integers(0, 10**9), max_size=50))
def test_whatever_is_further_off_is_further_right_and_all_of_it_on_the_axis(errors: list[int]) -> None:
    axis = Axis.reaching(errors)
    places = [axis.at(error) for error in sorted(errors)]

    assert places == sorted(places)
    assert all(LEFT <= place <= RIGHT + 0.001 for place in places)


def test_only_what_stands_between_the_two_lines_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(MARKED)

    once = filled(page, "| new \\1 |")
    page.write_text(once)

    assert once == MARKED.replace("old", "| new \\1 |")
    assert filled(page, "| new \\1 |") == once


@pytest.mark.parametrize("text", ["", "<!-- proof -->\n", MARKED + MARKED])
def test_a_page_without_just_one_place_for_it_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "page.md").write_text(text)

    with pytest.raises(UnmarkedError, match=r"page\.md needs one line <!-- proof -->"):
        filled(tmp_path / "page.md", "new")


def test_every_page_is_stale_until_it_is_written_and_again_with_other_results(tmp_path: Path) -> None:
    for name in PAGES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(MARKED)
    (tmp_path / "docs").mkdir(exist_ok=True)
    made = files(MISSING_ONE, tmp_path)
    assert set(stale(made)) == set(made)

    for path, text in made.items():
        path.write_text(text)

    assert not stale(files(MISSING_ONE, tmp_path))
    assert set(stale(files(results(peer()), tmp_path))) == set(made)


def test_pages_and_picture_say_what_the_kept_results_say() -> None:
    if not KEPT.exists():
        pytest.skip("no run is kept")

    assert not stale(files(Results.read(KEPT), ROOT)), "python bench/picture.py bench/results/proof.json"
