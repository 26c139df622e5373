"""Attachments come to the other collector with the entries that speak of them, whole or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from collector.pair.test_pair_http import served
from detak_collector.annotations import recording
from detak_collector.annotations.drafts import Speaker
from detak_collector.clocks import Reading
from detak_collector.downtime.numbering import Found
from detak_collector.pair.client import Client
from detak_collector.pair.entry import ATTACHMENT
from detak_collector.pair.files import AGAIN_MS, FetchingFiles
from detak_collector.pair.messages import FilePiece, WantedFile
from detak_collector.store.entries import take_entries
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from evidence_builders import START_UTC, reading

BY = Speaker("siti", "operator", "siti")
CONTENT = b"%PDF-1.4\n" + bytes(range(256)) * 5_000


def attached(store: Store) -> str:
    """A file of three pieces belongs to an outage."""
    found = [Found("web", START_UTC, START_UTC + 60_000, running=False)]
    (number,) = store.outages.number(found, (0, 2**53), reading(0))
    file = recording.File("scan.pdf", CONTENT)
    return recording.attach(store.database, number, file, BY, START_UTC).body.digest


def told(store: Store, other: Store) -> None:
    with store.database.writing() as connection:
        take_entries(connection, other.entries.of(ATTACHMENT))


class Lying(Client):
    """Another file's bytes under every name."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1", "", None)

    async def file(self, wanted: WantedFile) -> FilePiece:
        return FilePiece(4, b"evil"[wanted.offset :])


def scenario(tmp_path: Path, work: Callable[[Store, Store, FetchingFiles, Client, list[Reading]], object]) -> None:
    async def run() -> None:
        async with served(tmp_path / "dc") as dc:
            client = Client(dc.url, await dc.paired(), None)
            with closing(open_store(tmp_path / "drc", reading(0))) as drc, ThreadPoolExecutor(1) as thread:
                now = [reading(0)]
                result = work(dc.store, drc, FetchingFiles(drc, thread, lambda: now[0]), client, now)
                assert asyncio.iscoroutine(result)
                await result
            await client.close()

    (tmp_path / "dc").mkdir()
    (tmp_path / "drc").mkdir()
    asyncio.run(run())


def test_the_bytes_come_in_pieces_and_are_the_same(tmp_path: Path) -> None:
    async def work(dc: Store, drc: Store, files: FetchingFiles, client: Client, _: list[Reading]) -> None:
        digest = attached(dc)
        await files.fetch(client)
        assert drc.attachments.content(digest) is None
        told(drc, dc)
        await files.fetch(client)
        assert drc.attachments.content(digest) == CONTENT

    scenario(tmp_path, work)


def test_what_was_not_there_or_is_something_else_is_asked_for_again_after_a_while(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def work(dc: Store, drc: Store, files: FetchingFiles, client: Client, now: list[Reading]) -> None:
        digest = attached(dc)
        told(drc, dc)
        await files.fetch(Lying())
        assert drc.attachments.content(digest) is None
        assert "has other bytes there" in caplog.text
        await files.fetch(client)
        assert drc.attachments.content(digest) is None
        now[0] = reading(AGAIN_MS)
        await files.fetch(client)
        assert drc.attachments.content(digest) == CONTENT

    scenario(tmp_path, work)


def test_a_collector_that_cannot_tell_of_files_is_followed_all_the_same(tmp_path: Path) -> None:
    async def work(dc: Store, drc: Store, files: FetchingFiles, _: Client, __: list[Reading]) -> None:
        attached(dc)
        told(drc, dc)
        gone = Client("http://127.0.0.1:9", "", None)
        await files.fetch(gone)
        await gone.close()

    scenario(tmp_path, work)
