"""What every store makes of mails that are to be sent: one process sends each, and nothing is told twice."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from threading import Barrier, Thread

import pytest

from contracts.kinds import OpenStore
from detak_collector.mail.letter import CLAIM_MS, Letter, Standing
from detak_collector.pair.entry import MAIL
from detak_collector.store.outbox import Box, SqlOutbox
from detak_collector.store.parts import Store

NOW = 1_700_000_000_000


def letter(key: str, *covers: str) -> Letter:
    return Letter(key, "summary", "2026-10", f"{key}@example.go.id", covers or (key,), b"content", NOW, "12:ab")


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        yield opened


@pytest.fixture
def outbox(store: Store) -> SqlOutbox:
    return store.outbox


def standing(outbox: SqlOutbox, key: str) -> Standing:
    (found,) = outbox.find(key)
    return found.standing


def test_a_mail_is_kept_as_it_was_made_and_taken_once(outbox: SqlOutbox) -> None:
    assert outbox.add([letter("a"), letter("b", "x", "y")]) == 2
    assert outbox.add([letter("a"), letter("c", "y", "z")]) == 0
    assert outbox.told() == {"a", "x", "y"}
    assert outbox.due(NOW - 1) == []
    assert outbox.due(NOW) == ["a", "b"]
    (kept,) = outbox.find("b")
    assert (kept.covers, kept.content, kept.head, kept.recipient) == (
        ("x", "y"),
        b"content",
        "12:ab",
        "b@example.go.id",
    )


def test_of_several_processes_at_once_one_gets_a_mail(open_store: OpenStore, store: Store) -> None:
    store.outbox.add([letter("a")])
    barrier, won = Barrier(4), []

    def take() -> None:
        with closing(open_store()) as mine:
            barrier.wait(20)
            won.append(mine.outbox.claim("a", NOW))

    threads = [Thread(target=take) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sum(one is not None for one in won) == 1
    assert len(won) == 4


def test_what_was_handed_over_is_in_the_log_and_never_waits_again_by_itself(outbox: SqlOutbox, store: Store) -> None:
    outbox.add([letter("a"), letter("b")])
    for key in ("a", "b"):
        taken = outbox.claim(key, NOW)
        assert taken is not None
        if key == "a":
            assert outbox.hand_over(*taken, NOW)
    outbox.settle(NOW + CLAIM_MS - 1)
    assert [standing(outbox, key) for key in ("a", "b")] == [Standing.HANDED_OVER, Standing.SENDING]
    outbox.settle(NOW + CLAIM_MS)
    assert [standing(outbox, key) for key in ("a", "b")] == [Standing.UNSURE, Standing.WAITING]
    (entry,) = store.entries.of(MAIL)
    assert entry.told == {"key": "a", "purpose": "summary", "covers": ["a"], "head": "12:ab"}


def test_an_answer_that_comes_late_settles_what_was_unsure(outbox: SqlOutbox) -> None:
    outbox.add([letter("a")])
    taken = outbox.claim("a", NOW)
    assert taken is not None
    assert outbox.hand_over(*taken, NOW)
    outbox.settle(NOW + CLAIM_MS)
    outbox.close("a", taken[1], Standing.SENT, "250 ok", NOW + CLAIM_MS)
    assert standing(outbox, "a") is Standing.SENT
    assert outbox.find("a")[0].content == b"", "what is sent needs no room"


def test_what_somebody_drops_is_not_sent_and_what_he_wants_again_is(outbox: SqlOutbox) -> None:
    outbox.add([letter("a"), letter("b")])
    outbox.drop("a", NOW)
    assert outbox.due(NOW) == ["b"]
    assert outbox.add([letter("a")]) == 0
    taken = outbox.claim("b", NOW)
    assert taken is not None
    outbox.close("b", taken[1], Standing.REFUSED, "550 no", NOW)
    assert [one.key for one in outbox.listing(NOW + 1)] == ["b"]
    assert outbox.box() == Box(0, None, 1)
    outbox.again("b", NOW)
    assert outbox.due(NOW) == ["b"]
    assert outbox.box() == Box(1, NOW, 0)
    assert outbox.find("b")[0].content == b"content"
