"""Faults of databases and of the file system that they would lie on."""

from __future__ import annotations

import signal
from pathlib import Path

from lab import databases
from lab.faults.base import Fault
from lab.host import until
from lab.stage import Lab
from lab.truth import now_ms

WITHIN_S = 30.0


def _stop(number: signal.Signals) -> Fault:
    kind = {signal.SIGINT: "database stopped", signal.SIGQUIT: "database stopped at once"}[number]
    return Fault(
        kind, ("basis-data",), lambda lab: lab.program("basis-data").kill(number),
        lambda lab: lab.program("basis-data").start(), ("replica",), "process",
    )  # fmt: skip


def _start_after_kill(lab: Lab) -> None:
    """Until the last child of the killed server is gone, a new one refuses to start."""
    program = lab.program("basis-data")

    def is_there() -> bool:
        if not program.is_running:
            program.start()
        return lab.is_well("basis-data")

    until("the database is there again", is_there, WITHIN_S)


def _hold_connections(lab: Lab) -> None:
    lab.program("basis-data").send(signal.SIGSTOP)


def _go_on(lab: Lab) -> None:
    lab.program("basis-data").send(signal.SIGCONT)


def _set_readonly(word: str) -> tuple[str, str]:
    return f"ALTER SYSTEM SET default_transaction_read_only = {word}", "SELECT pg_reload_conf()"


def _readonly(lab: Lab) -> None:
    for statement in _set_readonly("on"):
        databases.run(lab.hosts["dc1"], statement)
    until("it is read-only", lambda: not databases.is_writable(lab.hosts["dc1"]), WITHIN_S)


def _writable(lab: Lab) -> None:
    for statement in ("SET default_transaction_read_only = off", *_set_readonly("off")):
        databases.run(lab.hosts["dc1"], statement)


def _lag(lab: Lab) -> int:
    """The replica replays nothing more; from the next large commit on it lacks more than is allowed."""
    primary, replica = lab.hosts["dc1"], lab.hosts["drc1"]
    databases.run(replica, "SELECT pg_wal_replay_pause()")
    paused = "SELECT pg_get_wal_replay_pause_state() = 'paused'"
    until("replay has paused", lambda: databases.value(replica, paused) == "True", WITHIN_S)
    since = now_ms()
    databases.run(primary, "CREATE TABLE IF NOT EXISTS written (number int)")
    databases.run(primary, "INSERT INTO written SELECT generate_series(1, 2000)")
    until("the replica lags", lambda: not lab.is_well("replika"), WITHIN_S)
    return since


def _resume(lab: Lab) -> None:
    databases.run(lab.hosts["drc1"], "SELECT pg_wal_replay_resume()")


def _disk(lab: Lab) -> Path:
    return Path(lab.thing("berkas").target.path or "")


def _fill(lab: Lab) -> None:
    lab.hosts["dc2"].does("sh", "-c", f"dd if=/dev/zero of={_disk(lab)}/much bs=1M 2>/dev/null; true")


def _empty(lab: Lab) -> None:
    lab.hosts["dc2"].does("rm", f"{_disk(lab)}/much")


def _remounted(lab: Lab, how: str) -> None:
    lab.hosts["dc2"].does("mount", "-o", f"remount,{how}", str(_disk(lab)))


FAULTS = (
    _stop(signal.SIGINT),
    _stop(signal.SIGQUIT),
    Fault("database killed", ("basis-data",), lambda lab: lab.program("basis-data").kill(), _start_after_kill,
          ("replica",), "process"),
    Fault("database hangs", ("basis-data",), _hold_connections, _go_on, ("replica",), "hang", at_once=True),
    Fault("database read-only", ("basis-data",), _readonly, _writable, ("replica",)),
    Fault("replica killed", ("replika",), lambda lab: lab.program("replika").kill(signal.SIGQUIT),
          lambda lab: lab.program("replika").start(), (), "process"),
    Fault("replica lags", ("replika",), _lag, _resume, ("primary",)),
    Fault("disk full", ("berkas",), _fill, _empty),
    Fault("disk read-only", ("berkas",), lambda lab: _remounted(lab, "ro"), lambda lab: _remounted(lab, "rw"),
          at_once=True),
)  # fmt: skip
