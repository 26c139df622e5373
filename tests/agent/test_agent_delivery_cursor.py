from detak_agent.delivery_cursor import FIRST_ALLOWANCE, FRESH_MOST, Cursor
from detak_agent.records import Owed
from detak_wire import limits
from detak_wire.messages import Answer, Part, Stored

RUN = "00000000000000d1"


def told(cursor: Cursor, allowance: int = 2_000, remaining: int = 0, sent: int = 0, **more: bool) -> Cursor:
    """The cursor after a message with `sent` records was taken."""
    stored = Stored(opened=more.get("opened", True), mark=9, open={4: 77})
    owed = Owed((Part(RUN),) if sent else (), sent, remaining)
    answer = Answer(1, "00000000000000c0", 5, 6, {RUN: stored}, allowance)
    cursor.answered(answer, stored, owed, 50, has_lost=more.get("has_lost", False))
    return cursor


def test_until_a_collector_has_said_what_it_takes_a_message_is_modest() -> None:
    assert Cursor().room(0) == FIRST_ALLOWANCE


def test_where_all_is_delivered_nothing_is_looked_for_until_there_is_something_new() -> None:
    cursor = told(Cursor())
    assert cursor.room(50) is None
    assert cursor.room(53) == 2_003
    assert cursor.room(50 + 9 * FRESH_MOST) == 2_000 + FRESH_MOST


def test_as_long_as_something_is_left_it_is_looked_for_again() -> None:
    for cursor in (
        told(Cursor(), remaining=1),
        told(Cursor(), sent=1),
        told(Cursor(), opened=False),
        told(Cursor(), has_lost=True),
    ):
        assert cursor.room(50) == 2_000
    cursor = told(Cursor())
    cursor.owes_again()
    assert cursor.room(50) == 2_000


def test_backlog_follows_at_once_while_the_collector_takes_it_and_holds_some_of_it() -> None:
    cursor = told(Cursor(), remaining=10_000, sent=200)
    assert cursor.has_more
    assert told(cursor, remaining=8_000, sent=2_000).has_more
    assert not told(cursor, remaining=8_000, sent=2_000).has_more
    assert not told(cursor, allowance=0, remaining=7_000).has_more
    assert not told(cursor).has_more


def test_a_collector_that_takes_no_backlog_still_gets_what_is_new() -> None:
    cursor = told(Cursor(), allowance=0, remaining=500)
    assert (cursor.room(50), cursor.room(52)) == (0, 2)


def test_a_message_that_was_too_large_makes_the_next_ones_smaller_but_never_empty() -> None:
    cursor = told(Cursor(), allowance=9_999, remaining=5)
    most = limits.RECORDS_PER_MESSAGE // 2
    assert cursor.room(50) == most
    cursor.too_large()
    assert cursor.room(50) == most // 2
    for _ in range(20):
        cursor.too_large()
    assert cursor.room(50) == 1


def test_after_a_refusal_every_open_span_is_told_in_full() -> None:
    cursor = told(Cursor())
    assert cursor.open == {4: 77}
    cursor.refused()
    assert cursor.open == {}
