import asyncio
import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import time
import types
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import (
    Handler,
    ask,
    open_files,
    open_files_at_first,
    probe_of,
    problems_of,
    serve,
    settings_of,
)
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.oracle import worker as oracle_worker
from detak_agent.checks.kinds.oracle.client import OracleClient
from detak_agent.checks.kinds.oracle.health import answer_of, interval_s, judge
from detak_agent.checks.kinds.oracle.kind import OracleSettings
from detak_agent.checks.kinds.oracle.words import plain, refused

KEYS: dict[str, Any] = {"host": "127.0.0.1", "service_name": "SIAP", "password": "secret word"}
ASKED: dict[str, Any] = {
    "host": "db", "port": 1521, "service_name": "SIAP", "sid": "", "user": "detak", "password": "secret",
    "tls": False, "verify_tls": True, "ca_file": "", "query": "", "wants": {}, "until": float("inf"),
}  # fmt: skip


def client_of(port: int, **keys: Any) -> OracleClient:
    probe = probe_of("oracle", port=port, **KEYS, **keys)
    assert isinstance(probe, OracleClient)
    return probe


def saying(data: bytes, then_s: float = 0) -> Handler:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        await asyncio.sleep(then_s)

    return talk


async def silent(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    await reader.read()


def judged(facts: dict[str, Any] | None = None, **keys: Any) -> Outcome:
    settings = settings_of("oracle", **KEYS, **keys)
    assert isinstance(settings, OracleSettings)
    known = {"instance": ["2025-01-01T06:00:00"], "answers": True, **(facts or {})}
    return judge(answer_of(known, 12.3, settings.user), settings)


def told(text: str, *codes: str, stage: str = "connect", **more: Any) -> Outcome:
    refusal = {"text": text, "codes": codes, "stage": stage, "errno": None, "certificate": None, "tls": False, **more}
    return refused(refusal, "db:1521", "detak", "service SIAP")


@pytest.mark.asyncio
async def test_a_refused_connection_says_by_whom() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{port}"):
            await ask("oracle", port=port, **KEYS)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.asyncio
async def test_a_silent_server_is_down_at_the_deadline_and_the_driver_is_kept(tls: bool) -> None:
    async with serve(silent) as port:
        client = client_of(port, tls=tls, verify_tls=False)
        await client.sample(3_000)
        pid = client._driver.pid
        for _ in range(2):
            outcome = await client.sample(400)
            assert outcome.state == "down"
            assert outcome.message == (
                f"127.0.0.1:{port} did not let the user in, and did not refuse either, within 400 ms"
            )
        assert client._driver.pid == pid


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\x08\0\0\2\0\0\0"])
@pytest.mark.asyncio
async def test_a_connection_closed_in_the_middle_is_down(said: bytes) -> None:
    async with serve(saying(said)) as port:
        outcome = await ask("oracle", port=port, **KEYS)
    assert outcome.state == "down"
    assert outcome.message == f"127.0.0.1:{port} closed the connection without an answer that Oracle would give"


@pytest.mark.parametrize("said", [b"\0" * 1_000, b"\xff" * 1_000])
@pytest.mark.asyncio
async def test_nonsense_without_end_holds_up_nothing_but_its_own_sample(said: bytes) -> None:
    async with serve(saying(said, then_s=10)) as port:
        client = client_of(port)
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.02)
                ticks += 1

        ticking = asyncio.ensure_future(tick())
        outcome = await client.sample(1_500)
        ticking.cancel()
    assert outcome.state == "down"
    assert ticks > 20


@pytest.mark.asyncio
async def test_what_does_not_speak_tls_is_down() -> None:
    async with serve(saying(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port:
        outcome = await ask("oracle", port=port, tls=True, **KEYS)
    assert outcome.state == "down"
    assert outcome.message.startswith(f"127.0.0.1:{port} does not speak TLS as it should: ")


@pytest.mark.asyncio
async def test_an_authority_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    async with serve(silent) as port:
        with pytest.raises(CouldNotCheckError, match=r"ca_file .*/absent\.pem cannot be read"):
            await ask("oracle", port=port, tls=True, ca_file=str(tmp_path / "absent.pem"), **KEYS)


@pytest.mark.asyncio
async def test_a_driver_that_crashes_is_unknown_and_the_next_sample_has_another() -> None:
    async with serve(silent) as port:
        client = client_of(port)
        sampling = asyncio.ensure_future(client.sample(4_000))
        os.kill(await pid_of(client), signal.SIGSEGV)
        with pytest.raises(CouldNotCheckError, match=r"did not survive what 127.0.0.1:.* sent: it ended by signal 11"):
            await sampling
        assert (await client.sample(600)).state == "down"


@pytest.mark.asyncio
async def test_a_driver_that_hangs_is_killed_at_the_deadline() -> None:
    async with serve(silent) as port:
        client = client_of(port)
        await client.sample(2_000)
        pid = await pid_of(client)
        os.kill(pid, signal.SIGSTOP)
        assert (await client.sample(300)).state == "down"
        assert await ends(pid)
        assert (await client.sample(1_000)).state == "down"


@pytest.mark.asyncio
async def test_a_sample_that_is_given_up_leaves_no_process() -> None:
    async with serve(silent) as port:
        client = client_of(port)
        sampling = asyncio.ensure_future(client.sample(4_000))
        pid = await pid_of(client)
        sampling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sampling
        assert await ends(pid)


@pytest.mark.asyncio
async def test_a_check_that_is_configured_no_more_leaves_no_process() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = client_of(taken.getsockname()[1])
        with pytest.raises(ConnectionRefusedError):
            await client.sample(4_000)
        pid = await pid_of(client)
        del client
        gc.collect()
        assert await ends(pid)


def test_the_driver_s_process_ends_with_its_input() -> None:
    finished = subprocess.run(
        [sys.executable, "-I", "-m", "detak_agent.checks.kinds.oracle.worker"],
        input=json.dumps({**ASKED, "host": "127.0.0.1", "port": 1, "until": time.monotonic() + 4}) + "\n",
        capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    assert json.loads(finished.stdout)["refused"]["errno"] == 111


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        client = client_of(taken.getsockname()[1])
        before = 0
        for number in range(53):
            with contextlib.suppress(ConnectionRefusedError):
                await client.sample(4_000)
            before = open_files_at_first() if number == 2 else before
        assert open_files() <= before


async def pid_of(client: OracleClient) -> int:
    for _ in range(300):
        if client._driver.pid is not None:
            return client._driver.pid
        await asyncio.sleep(0.01)
    raise AssertionError("the driver's process was not started")


async def ends(pid: int) -> bool:
    for _ in range(300):
        if not Path(f"/proc/{pid}").exists():  # noqa: ASYNC240 - /proc does not block
            return True
        await asyncio.sleep(0.01)
    return False


class Database:
    """What the driver would be connected to: rows by a part of the statement, or errors."""

    def __init__(self, **rows: Any) -> None:
        self.rows = {"dual": (1,), **rows}
        self.asked: list[str] = []
        self._row: Any = None

    def close(self) -> None:
        return

    def cursor(self) -> contextlib.closing["Database"]:
        return contextlib.closing(self)

    def execute(self, statement: str) -> None:
        self.asked.append(statement)
        self._row = next((row for part, row in self.rows.items() if part in statement), None)
        if isinstance(self._row, Exception):
            raise self._row

    def fetchone(self) -> Any:
        return self._row


class DriverError(Exception):
    """As the driver has it: its argument carries the code."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(types.SimpleNamespace(full_code=code))
        self._text = f"{code}: {words}"

    def __str__(self) -> str:
        return self._text


def answered(monkeypatch: pytest.MonkeyPatch, database: Database, **request: Any) -> dict[str, Any]:
    driver = types.SimpleNamespace(connect=lambda **_parameters: contextlib.closing(database), Error=DriverError)
    monkeypatch.setitem(sys.modules, "oracledb", driver)
    monkeypatch.setattr(oracle_worker, "_say", lambda _said: None)
    return oracle_worker.answer({**ASKED, **request})


def test_the_worker_asks_what_is_wanted_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    database = Database(startup_time=("2025-01-01T06:00:00",), database_role=("PRIMARY", "READ WRITE"), health=(7, "x"))
    said = answered(monkeypatch, database, wants={"role": True, "lag": False, "processes": False}, query="FROM health")
    assert said["facts"] == {
        "answers": True, "instance": ["2025-01-01T06:00:00"], "role": ["PRIMARY", "READ WRITE"], "rows": 1, "value": "7"
    }  # fmt: skip
    assert database.asked[-2:] == ["SET TRANSACTION READ ONLY", "FROM health"]
    assert not [statement for statement in database.asked if "dataguard" in statement]


def test_a_view_that_the_user_may_not_see_is_said_and_the_others_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = DriverError("ORA-00942", "table or view does not exist")
    said = answered(
        monkeypatch, Database(startup_time=hidden, database_role=hidden),
        wants={"role": True, "lag": False, "processes": False},
    )  # fmt: skip
    assert said["facts"] == {"answers": True, "no_grant_instance": True, "no_grant_role": True}


def test_another_error_is_a_refusal_with_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = DriverError("ORA-01578", "data block corrupted")
    assert answered(monkeypatch, Database(dual=broken))["refused"]["stage"] == "ask"
    refusal = answered(monkeypatch, Database(health=broken), query="FROM health")["refused"]
    assert (refusal["stage"], refusal["codes"], refusal["text"]) == (
        "query", ["ORA-01578"], "ORA-01578: data block corrupted"
    )  # fmt: skip


def test_a_missing_driver_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "oracledb", None)
    assert oracle_worker.answer(ASKED) == {"missing": "oracledb"}


def test_a_database_that_answers_is_up_and_marked_with_its_start() -> None:
    outcome = judged()
    assert (outcome.state, outcome.message) == ("up", "answered in 12 ms")
    assert outcome.marks == {"instance_start": "2025-01-01T06:00:00"}
    assert judged({"instance": None, "no_grant_instance": True}).marks == {}


def test_another_role_is_down() -> None:
    standby = {"role": ["PHYSICAL STANDBY", "READ ONLY WITH APPLY"]}
    outcome = judged(standby, role="primary")
    assert (outcome.state, outcome.message) == (
        "down", "it is a physical standby (read only with apply) and should be the primary"
    )  # fmt: skip
    assert judged(standby, role="standby").state == "up"
    assert judged({"role": ["PRIMARY", "READ WRITE"]}, role="standby").state == "down"


def test_the_lag_of_a_standby_is_degraded_and_then_down() -> None:
    def lag(text: str | None) -> tuple[str, str]:
        facts = {"role": ["PHYSICAL STANDBY", "READ ONLY WITH APPLY"], "lag": [text]}
        outcome = judged(facts, lag_degraded_s=60, lag_down_s=600)
        return outcome.state, outcome.message

    assert lag("+00 00:00:59")[0] == "up"
    assert lag("+00 00:01:00") == ("degraded", "60.0 s behind the primary (limit 60 s)")
    assert lag("+00 00:10:00")[0] == "down"
    assert lag(None) == ("degraded", "it does not say how far behind it is: redo apply does not run")


def test_the_share_of_processes_in_use() -> None:
    outcome = judged({"processes": ["291", "300"]}, processes_degraded_percent=90)
    assert (outcome.state, outcome.message) == ("degraded", "97.0 % of the processes in use, 291 of 300 (limit 90 %)")
    assert judged({"processes": ["291", "UNLIMITED"]}, processes_degraded_percent=90).state == "up"


def test_a_missing_grant_for_what_is_asked_is_unknown_and_written_out() -> None:
    with pytest.raises(CouldNotCheckError) as caught:
        judged({"no_grant_lag": True}, lag_down_s=60)
    assert str(caught.value) == (
        "user detak may not see v_$dataguard_stats: GRANT SELECT ON sys.v_$dataguard_stats TO detak"
    )


@pytest.mark.parametrize(("text", "seconds"), [
    ("+00 00:00:05", 5), ("+01 01:01:01.5", 90_061.5), ("-00 00:00:01", -1), ("", None), (None, None), ("soon", None)
])  # fmt: skip
def test_an_interval_is_read(text: str | None, seconds: float | None) -> None:
    assert interval_s(text) == seconds


@pytest.mark.parametrize(("code", "words"), [
    ("ORA-01017", "the database refuses user detak: wrong password, or no such user"),
    ("ORA-28000", "the account of user detak is locked: ALTER USER detak ACCOUNT UNLOCK"),
    ("ORA-01045", "user detak may not connect: GRANT CREATE SESSION TO detak"),
    ("DPY-3010", "the driver needs Oracle Database 12.1 or newer: DPY-3010: said"),
    ("DPY-2001", "the driver cannot talk to db:1521: DPY-2001: said"),
])  # fmt: skip
def test_what_concerns_the_check_alone_is_unknown(code: str, words: str) -> None:
    with pytest.raises(CouldNotCheckError) as caught:
        told(f"{code}: said\nHelp: https://docs.example/", code)
    assert str(caught.value) == words


@pytest.mark.parametrize(("code", "words"), [
    ("ORA-12514", "the listener of db:1521 runs, but knows no service SIAP: it is not started, or its name is another"),
    ("ORA-01033", "the database starts, stops or is not open: ORA-01033: said"),
    ("ORA-00020", "no process is left: ORA-00020: said"),
    ("ORA-00257", "the archive destination is full, and only administrators get in: ORA-00257: said"),
    ("ORA-00600", "db:1521 answers with an error: ORA-00600: said"),
])  # fmt: skip
def test_what_shuts_users_out_is_down_in_the_database_s_words(code: str, words: str) -> None:
    outcome = told(f"{code}: said", code)
    assert (outcome.state, outcome.message) == ("down", words)


def test_the_driver_s_wrapping_does_not_hide_what_the_listener_said() -> None:
    text = (
        "DPY-6005: cannot connect to database (CONNECTION_ID=abc==).\n"
        'DPY-6001: Service "SIAP" is not registered with the listener at host "db" port 1521. (Similar to ORA-12514)'
    )
    assert told(text, "DPY-6005", "DPY-6001").message.startswith(
        "the listener of db:1521 runs, but knows no service SIAP"
    )
    assert "CONNECTION_ID" not in plain(text)


def test_a_query_that_cannot_run_is_unknown_and_one_that_fails_is_down() -> None:
    for code in ("ORA-00942", "ORA-00936", "ORA-01456"):
        with pytest.raises(CouldNotCheckError, match=f"query cannot run as user detak: {code}"):
            told(f"{code}: said", code, stage="query")
    assert told("ORA-01578: said", "ORA-01578", stage="query").state == "down"


def test_a_certificate_that_is_not_trusted_is_down() -> None:
    outcome = told("DPY-6005: x", "DPY-6005", certificate="self-signed certificate", tls=True)
    assert (outcome.state, outcome.message) == (
        "down", "the certificate of db:1521 is not trusted: self-signed certificate"
    )  # fmt: skip


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("oracle", host="/x", ca_file="/y", processes_degraded_percent=90, processes_down_percent=80) == [
        ("host", "must be a host name or an address"),
        ("service_name", "either service_name or sid is needed"),
        ("ca_file", "has no effect without tls = true"),
        ("processes_down_percent", "must not be less than processes_degraded_percent"),
    ]
