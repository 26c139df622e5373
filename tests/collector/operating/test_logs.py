"""Log lines as people and programs read them."""

import io
import logging
import os
import socket
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from detak_collector.operating.logs import JournalHandler, LineFormatter, fields, is_read_by_journal, native


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        end.bind(str(tmp_path / "socket"))
        end.settimeout(5)
        yield end


def logger_with(handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("detak_collector.test")  # noqa: LOG001 - one that no other test sees
    logger.addHandler(handler)
    return logger


def assigned(datagram: bytes) -> dict[str, str]:
    """An entry of the journal's native protocol, read again as systemd documents it."""
    found = {}
    while datagram:
        line, _, rest = datagram.partition(b"\n")
        name, is_plain, value = line.partition(b"=")
        if not is_plain:
            length = struct.unpack("<Q", rest[:8])[0]
            value, rest = rest[8 : 8 + length], rest[8 + length + 1 :]
        found[name.decode()] = value.decode()
        datagram = rest
    return found


def test_a_line_ends_with_its_fields() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    logger_with(handler).warning("node %s is back", "db-01", extra=fields(event="back", node="db-01", said='a "b"'))
    line = stream.getvalue()
    assert line.endswith('Z WARNING node db-01 is back event=back node=db-01 said="a \\"b\\""\n')


def test_a_message_cannot_forge_another_line() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LineFormatter())
    logger_with(handler).warning("%s", "no\n2026-11-28T00:00:00Z INFO approved kind=audit\x1b[2K")
    assert stream.getvalue().endswith("no\\n2026-11-28T00:00:00Z INFO approved kind=audit\\x1b[2K\n")
    assert stream.getvalue().count("\n") == 1


def test_the_journal_gets_priority_and_fields_of_their_own(journal: socket.socket, tmp_path: Path) -> None:
    handler = JournalHandler(tmp_path / "socket")
    logger_with(handler).error("two lines\nof text", extra=fields(event="tried", counted_ms=7))
    entry = assigned(journal.recv(65_536))
    assert (entry["MESSAGE"], entry["PRIORITY"]) == ("two lines\nof text", "3")
    assert (entry["DETAK_EVENT"], entry["DETAK_COUNTED_MS"]) == ("tried", "7")
    assert entry["SYSLOG_IDENTIFIER"] == "detak-collector"
    handler.close()


def test_a_journal_that_is_away_loses_lines_and_is_told_how_many(journal: socket.socket, tmp_path: Path) -> None:
    handler = JournalHandler(tmp_path / "socket")
    logger = logger_with(handler)
    (tmp_path / "socket").rename(tmp_path / "away")
    logger.info("lost")
    logger.info("lost as well")
    (tmp_path / "away").rename(tmp_path / "socket")
    logger.info("kept")
    entry = assigned(journal.recv(65_536))
    assert (entry["MESSAGE"], entry["DETAK_LINES_DROPPED"]) == ("kept", "2")
    handler.close()


def test_a_value_cannot_forge_another_field() -> None:
    entry = assigned(native({"MESSAGE": "x\nPRIORITY=0", "DETAK_SAID": "y"}))
    assert entry == {"MESSAGE": "x\nPRIORITY=0", "DETAK_SAID": "y"}


def test_an_enormous_message_is_cut(journal: socket.socket, tmp_path: Path) -> None:
    handler = JournalHandler(tmp_path / "socket")
    logger_with(handler).info("x" * 10_000_000)
    assert len(assigned(journal.recv(1 << 20))["MESSAGE"]) == 48 * 1024
    handler.close()


def test_only_the_stream_that_systemd_named_is_the_journal(tmp_path: Path) -> None:
    with (tmp_path / "file").open("w") as file:
        found = os.fstat(file.fileno())
        assert is_read_by_journal(file.fileno(), f"{found.st_dev}:{found.st_ino}")
        assert not is_read_by_journal(file.fileno(), f"{found.st_dev}:{found.st_ino + 1}")
    assert not is_read_by_journal(987_654, "1:2")
