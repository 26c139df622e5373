"""What is told of outages as the board changes."""

from dataclasses import replace

from browser.fabricated import healthy
from detak_collector.board.board import OutageState
from detak_collector.board.glance import glance_of
from detak_collector.operating.outage_news import OutageNews

CALM = glance_of(replace(healthy(), running=(), recent=(), lately=()))
NOW = CALM.now


def outage(number: int | None = 7, begin: int = NOW - 60_000, end: int | None = None) -> OutageState:
    return OutageState(
        f"impor-{begin}", "impor", "CEISA Impor", True, begin, end, 60_000, 50_000, 70_000,
        "database", "down", "dc-db-01/pg: connection refused", number=number,
    )  # fmt: skip


def told(*boards: tuple[tuple[OutageState, ...], tuple[OutageState, ...]]) -> list[tuple[str, int | str | None]]:
    """What is told of these boards, each its running outages and those that ended lately."""
    news = OutageNews()
    return [
        (event.name, event.fields.get("outage"))
        for running, lately in boards
        for event in news.of(replace(CALM, running=running, lately=lately))
    ]


def test_an_outage_is_told_once_when_it_begins_and_once_when_it_ends() -> None:
    begun, ended = outage(), outage(end=NOW)
    said = told(((), ()), ((begun,), ()), ((begun,), ()), ((), (ended,)), ((), (ended,)), ((), ()))
    assert said == [("outage-begun", 7), ("outage-ended", 7)]


def test_an_outage_too_short_to_be_seen_running_is_told_at_its_end() -> None:
    assert told(((), ()), ((), (outage(end=NOW),))) == [("outage-ended", 7)]


def test_the_first_look_tells_what_runs_and_is_silent_of_what_is_over() -> None:
    over = outage(3, NOW - 90_000, NOW)
    assert told(((outage(),), (over,)), ((outage(),), (over,))) == [("outage-running", 7)]


def test_late_evidence_that_an_outage_never_was_withdraws_it() -> None:
    assert told(((), ()), ((outage(),), ()), ((), ())) == [("outage-begun", 7), ("outage-withdrawn", 7)]


def test_a_begin_that_late_evidence_moves_makes_no_new_outage() -> None:
    assert told(((), ()), ((outage(),), ()), ((outage(begin=NOW - 90_000),), ())) == [("outage-begun", 7)]


def test_an_outage_that_gets_its_number_later_is_the_same_one() -> None:
    assert told(((), ()), ((outage(None),), ()), ((outage(),), ())) == [("outage-begun", None)]


def test_hundreds_that_end_at_once_are_each_told() -> None:
    running = tuple(outage(number, NOW - number) for number in range(1, 301))
    over = tuple(replace(one, end=NOW) for one in running)
    assert told((running, ()), ((), over)) == [
        *(("outage-running", number) for number in range(1, 301)),
        *(("outage-ended", number) for number in range(1, 301)),
    ]


def test_the_text_says_service_number_cause_and_length() -> None:
    news = OutageNews()
    news.of(CALM)
    news.of(replace(CALM, running=(outage(),)))
    [event] = news.of(replace(CALM, lately=(outage(end=NOW),)))
    assert event.text == (
        "CEISA Impor (outage 7) is up again after 60 s: database, dc-db-01/pg: connection refused (down)"
    )
    assert (event.fields["begin_utc"], event.fields["end_utc"]) == (NOW - 60_000, NOW)
