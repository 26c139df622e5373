"""Whatever ends a run, what it has put up is taken down, and nothing else."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from lab.host import Host, NotDoneError
from lab.network import Network
from lab.running import taken_down

ENDS = {signal.SIGTERM: SystemExit, signal.SIGHUP: SystemExit, signal.SIGINT: KeyboardInterrupt}


def told(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def run(ending: Callable[[], None], *undoing: Callable[[], None]) -> None:
    with taken_down() as left:
        for one in undoing:
            left.callback(one)
        ending()


def nothing() -> None:
    pass


def note(noted: list[str], word: str) -> Callable[[], None]:
    return lambda: noted.append(word)


def fails() -> None:
    raise OSError("it cannot be undone")


@pytest.mark.parametrize("number", ENDS)
def test_a_run_that_is_told_to_end_is_taken_down(number: signal.Signals) -> None:
    undone: list[str] = []
    before = signal.getsignal(number)
    with pytest.raises(ENDS[number]):
        run(lambda: told(number), note(undone, "first"), note(undone, "second"))
    assert undone == ["second", "first"]
    assert signal.getsignal(number) == before


def test_whoever_ends_it_again_does_not_interrupt_that() -> None:
    undone: list[str] = []
    run(nothing, note(undone, "rest"), lambda: told(signal.SIGTERM), lambda: told(signal.SIGINT))
    assert undone == ["rest"]


def test_what_cannot_be_undone_keeps_nothing_else_from_it() -> None:
    undone: list[str] = []
    with pytest.raises(OSError, match="cannot be undone"):
        run(nothing, note(undone, "rest"), fails)
    assert undone == ["rest"]


def test_a_signal_that_was_not_heeded_before_is_not_heeded_now() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        run(lambda: told(signal.SIGHUP))
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(shutil.which("nsenter") is None, reason="util-linux has it")
def test_a_host_that_does_not_come_up_takes_nobody_else_with_it(tmp_path: Path) -> None:
    host = Host("a", Network("nowhere", ("a",)), tmp_path)
    with pytest.raises(NotDoneError, match="a does not come up"):
        host.boot()
    host.retire()
    assert not host.is_up
    with pytest.raises(NotDoneError, match="being taken down"):
        host.boot()
