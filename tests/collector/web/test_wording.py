"""The sentences of the status page."""

from dataclasses import replace

import pytest

from browser.fabricated import (
    DAY,
    EKSPOR,
    HOUR,
    IMPOR,
    MINUTE,
    NOW,
    PORTAL,
    broken,
    empty,
    figure,
    healthy,
    outage,
    presumed,
)
from detak_collector.board.board import Board, Condition
from detak_collector.web.wording import assurance, headline, service_percent, verdict_words, window_title, worst_first


def showing(*conditions: Condition, since: int | None = NOW - HOUR) -> Board:
    services = tuple(
        replace(IMPOR, id=f"s{number}", name=f"Service {number}", condition=condition, since=since)
        for number, condition in enumerate(conditions, 1)
    )
    return replace(healthy(), services=services)


UP, DEGRADED, HIDDEN, PRESUMED, DOWN = Condition


@pytest.mark.parametrize(
    ("conditions", "text", "condition"),
    [
        ((), "No services yet", HIDDEN),
        ((UP,), "Service 1 is up", UP),
        ((HIDDEN,), "Service 1 is not observed", HIDDEN),
        ((UP, UP, UP), "All 3 services are up", UP),
        ((UP, DEGRADED), "All 2 services are up, 1 of them degraded", DEGRADED),
        ((UP, HIDDEN, UP), "2 of 3 services are up; 1 is not observed", HIDDEN),
        ((DEGRADED, HIDDEN, UP), "2 of 3 services are up, 1 of them degraded; 1 is not observed", DEGRADED),
        ((HIDDEN, HIDDEN), "None of the 2 services is observed", HIDDEN),
        ((UP, DOWN, HIDDEN), "Service 2 is down", DOWN),
        ((UP, PRESUMED), "Service 2 is presumed down", PRESUMED),
        ((DOWN, DOWN, UP), "2 of 3 services are down", DOWN),
        ((PRESUMED, PRESUMED), "2 of 2 services are presumed down", PRESUMED),
        ((PRESUMED, DOWN, UP), "1 of 3 services is down, 1 presumed down", DOWN),
    ],
)
def test_the_headline_says_what_matters_most(
    conditions: tuple[Condition, ...], text: str, condition: Condition
) -> None:
    said = headline(showing(*conditions))
    assert (said.text, said.condition) == (text, condition)


def test_the_headline_counts_from_the_earliest_of_what_is_broken() -> None:
    late = replace(IMPOR, condition=DOWN, since=NOW - MINUTE)
    early = replace(EKSPOR, condition=PRESUMED, since=NOW - HOUR)
    healthy_longer = replace(PORTAL, since=NOW - DAY)
    assert headline(replace(healthy(), services=(late, early, healthy_longer))).since == NOW - HOUR


def test_a_headline_without_a_known_begin_names_none() -> None:
    assert headline(showing(DOWN, since=None)).since is None


def test_the_tab_shows_how_much_is_broken_first() -> None:
    assert window_title(healthy()) == "Direktorat Jenderal Bea dan Cukai status"
    assert window_title(broken()).startswith("(1 down) ")
    assert window_title(empty()) == "Status"


@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ((36, 34, 82), "Met so far, and proven"),
        ((36, 34, 9_000), "Met so far; undecided: 6 d 5 h not observed"),
        ((9_000, 8_000, 9_500), "Missed, and proven"),
        ((9_000, 100, 9_500), "Missed so far; undecided: 1 h 40 min of it is certain"),
    ],
)
def test_the_verdict_says_how_firm_it_is(lengths: tuple[int, int, int], words: str) -> None:
    counted, certain, possible = (length * MINUTE for length in lengths)
    assert verdict_words(figure(counted, certain, possible)) == words


def test_without_service_time_there_is_no_verdict() -> None:
    assert verdict_words(figure(0, 0, 0, services=0)).startswith("No verdict yet")
    assert service_percent(replace(IMPOR, service_time_ms=0)) is None


def test_an_outage_says_how_sure_it_is() -> None:
    begin = NOW - 12 * MINUTE
    assert assurance(outage("1", IMPOR, begin, None)) == "certain for 11 min 56 s"
    assert assurance(outage("1", IMPOR, begin, None, certain_ms=0)) == "seen, not certain"
    assert assurance(presumed().running[0]) == "presumed: no evidence either way"


def test_the_worst_come_first_and_equals_keep_their_order() -> None:
    order = [one.name for one in worst_first(showing(UP, DOWN, HIDDEN, UP, DEGRADED, PRESUMED).services)]
    assert order == [f"Service {number}" for number in (2, 6, 5, 3, 1, 4)]
