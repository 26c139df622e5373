"""What every store makes of attachments and of what is said of outages: kept once and whole, or refused at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest

from contracts.kinds import OpenStore
from detak_collector.annotations import recording
from detak_collector.annotations.drafts import Draft, Speaker
from detak_collector.annotations.faults import FaultsError, MeanwhileError, UnknownOutageError
from detak_collector.annotations.kinds import MOST_OF_AN_OUTAGE
from detak_collector.annotations.known import KnownAnnotations
from detak_collector.downtime.numbering import FOREVER, Found
from detak_collector.store.parts import Store
from evidence_builders import START_UTC, reading

BY = Speaker("siti", "operator", "siti")
CONTENT = b"%PDF-1.4\n" + bytes(range(256)) * 3_000
MINUTE = 60_000


@pytest.fixture
def store(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        yield opened


def outage(store: Store, service: str = "web", begin: int = START_UTC, *, running: bool = False) -> int:
    found = [Found(service, begin, begin + MINUTE, running)]
    (number,) = store.outages.number(found, (begin, FOREVER), reading(0))
    return number


def draft(cause: str, version: int | None = None) -> Draft:
    return Draft(cause, "", (), (), version)


def test_bytes_are_kept_once_and_come_back_whole_and_in_pieces(store: Store) -> None:
    digest = store.attachments.take(CONTENT, 1)
    assert store.attachments.take(CONTENT, 2) == digest
    assert store.attachments.content(digest) == CONTENT
    size, piece = store.attachments.piece(digest, 700_000, 1_000_000) or (0, b"")
    assert (size, piece) == (len(CONTENT), CONTENT[700_000:])
    assert store.attachments.piece(digest, 2**30, 10) == (len(CONTENT), b"")
    assert store.attachments.content("0" * 64) is None
    assert store.attachments.piece("0" * 64, 0, 1) is None
    assert store.attachments.lacking([digest, "0" * 64, "0" * 64]) == ["0" * 64]


def test_a_version_made_from_an_older_one_is_refused_and_leaves_nothing(store: Store) -> None:
    number, log = outage(store), KnownAnnotations(store.database)
    recording.annotate(store.database, number, draft("fan", 0), BY, 1)
    with pytest.raises(MeanwhileError):
        recording.annotate(store.database, number, draft("pump", 0), BY, 2)
    with pytest.raises(FaultsError):
        recording.annotate(store.database, number, draft("fan", 1), BY, 3)
    with pytest.raises(UnknownOutageError):
        recording.annotate(store.database, number + 1, draft("fan"), BY, 4)
    assert [one.body.cause for one in log.told().of_outage(number).versions] == ["fan"]
    recording.annotate(store.database, number, draft("pump", 1), BY, 5)
    assert [one.body.cause for one in log.told().of_outage(number).versions] == ["fan", "pump"]
    assert log.told(1).of_outage(number).story is not None


def test_what_is_said_of_a_number_that_was_merged_away_is_said_of_its_outage(store: Store) -> None:
    first, second = outage(store), outage(store, begin=START_UTC + 10 * MINUTE)
    recording.acknowledge(store.database, second, "", BY, 1)
    whole = [Found("web", START_UTC, START_UTC + 11 * MINUTE, running=False)]
    assert store.outages.number(whole, (START_UTC, FOREVER), reading(0)) == (first,)
    recording.acknowledge(store.database, second, "again", BY, 2)
    told = KnownAnnotations(store.database).told()
    assert len(told.of_outage(first).acknowledgements) == 2
    assert [one.number for one in store.outages.latest(9)] == [first]


def test_an_outage_has_so_many_attachments_and_no_more(store: Store) -> None:
    number = outage(store)
    for at in range(MOST_OF_AN_OUTAGE):
        recording.attach(store.database, number, recording.File("a", b"text %d" % at), BY, at)
    with pytest.raises(FaultsError, match="at most 20 attachments"):
        recording.attach(store.database, number, recording.File("a", b"one more"), BY, 99)
    told = KnownAnnotations(store.database).told().of_outage(number)
    recording.detach(store.database, number, told.files[0].body.digest, BY, 100)
    recording.attach(store.database, number, recording.File("a", b"one more"), BY, 101)
    recording.attach(store.database, outage(store, "api"), recording.File("a", b"one more"), BY, 102)


def test_there_is_an_end_to_what_all_attachments_may_have_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "MOST_TOGETHER", 10)
    number = outage(store)
    recording.attach(store.database, number, recording.File("a", b"12345678"), BY, 1)
    with pytest.raises(FaultsError, match="no room"):
        recording.attach(store.database, number, recording.File("a", b"123"), BY, 2)
    # The same bytes take no more room.
    recording.attach(store.database, outage(store, "api"), recording.File("a", b"12345678"), BY, 3)


def test_those_that_last_are_running_or_ended_since(store: Store) -> None:
    ended, running = outage(store), outage(store, "api", START_UTC - 100 * MINUTE, running=True)
    assert store.outages.lasting(START_UTC) == {ended, running}
    assert store.outages.lasting(START_UTC + MINUTE) == {running}
