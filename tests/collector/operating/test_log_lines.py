"""Log lines that nobody reads: they are dropped and counted, and nothing waits for them."""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Iterator

import pytest

from detak_collector.operating.log_lines import LAST_S, LinesHandler

PIPE_BYTES = 4_096


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    os.set_blocking(read, False)
    yield read, write
    os.close(read)
    os.close(write)


def logger_with(handler: logging.Handler) -> logging.Logger:
    logger = logging.Logger("detak_collector.test")  # noqa: LOG001 - one that no other test sees
    logger.addHandler(handler)
    return logger


def read_until(descriptor: int, word: bytes) -> bytes:
    got, until = b"", time.monotonic() + 30
    while word not in got:
        assert time.monotonic() < until, f"{word!r} never came, but {got[-300:]!r}"
        try:
            got += os.read(descriptor, 65_536)
        except BlockingIOError:
            time.sleep(0.005)
    return got


def test_lines_come_out_in_their_order(pipe: tuple[int, int]) -> None:
    logger = logger_with(LinesHandler(pipe[1]))
    for at in range(50):
        logger.info("line %d", at)
    assert read_until(pipe[0], b"line 49\n").decode().splitlines() == [f"line {at}" for at in range(50)]


def test_a_pipe_that_nobody_reads_costs_lines_which_are_counted_once_there_is_room(pipe: tuple[int, int]) -> None:
    handler = LinesHandler(pipe[1], most_waiting=10)
    logger = logger_with(handler)
    for at in range(100):
        logger.info("%03d %s", at, "x" * 1_000)
    said = b""
    handler.flush()
    said += read_until(pipe[0], b"x\n")
    time.sleep(0.05)
    while handler._waiting.unfinished_tasks:
        said += read_until(pipe[0], b"\n")
    logger.info("again")
    said += read_until(pipe[0], b"again")
    said += read_until(pipe[0], b"\n") if not said.endswith(b"\n") else b""
    lines = said.decode().splitlines()
    dropped = int(lines[-1].rpartition("lines_dropped=")[2])
    assert dropped > 0
    assert len(lines) - 1 + dropped == 100


def test_the_end_waits_only_a_moment_for_a_pipe_that_nobody_reads(pipe: tuple[int, int]) -> None:
    handler = LinesHandler(pipe[1])
    for at in range(20):
        logger_with(handler).info("%03d %s", at, "x" * 1_000)
    begun = time.monotonic()
    handler.flush()
    assert LAST_S <= time.monotonic() - begun < 30
    # What still waits would be written to whatever gets the descriptor's number next.
    read_until(pipe[0], b"019 " + b"x" * 1_000 + b"\n")


def test_a_reader_that_went_away_ends_nothing() -> None:
    read, write = os.pipe()
    handler = LinesHandler(write)
    os.close(read)
    logger_with(handler).info("to nobody")
    handler.flush()
    assert not handler._waiting.unfinished_tasks
    os.close(write)
