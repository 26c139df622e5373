"""The process in which the Oracle driver runs: one line of JSON in, one or more out. It decides nothing.

The driver has crashed, and has looped for ever, on answers that no Oracle server gives: `driver_process` says why that
must not happen in the agent.
"""

from __future__ import annotations

import json
import signal
import ssl
import sys
import time
from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.certificates import client_context

LEAD_S = 0.1
"""The child gives up this much before its parent would kill it."""

_STATEMENTS = {
    "instance": """SELECT TO_CHAR(startup_time, 'YYYY-MM-DD"T"HH24:MI:SS') FROM v$instance""",
    "role": "SELECT database_role, open_mode FROM v$database",
    "lag": "SELECT value FROM v$dataguard_stats WHERE name = 'apply lag'",
    "processes": """SELECT current_utilization, TRIM(limit_value) FROM v$resource_limit
                     WHERE resource_name = 'processes'""",
}
"""What is asked by name of the fact; all but the first only where the request wants it."""

_NO_GRANT = frozenset({"ORA-00942", "ORA-01031", "ORA-00904", "ORA-41900"})


class OverdueError(BaseException):
    """The time is over. Not an Exception, so that no driver takes it for one of its own."""


def main() -> None:
    """Answers requests until the input ends."""
    signal.signal(signal.SIGALRM, _overdue)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for line in sys.stdin:
        request = json.loads(line)
        signal.setitimer(signal.ITIMER_REAL, max(_left_s(request) - LEAD_S, 0.01))
        try:
            said = answer(request)
        except OverdueError:
            said = {"overdue": True}
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
        _say(said)


def _left_s(request: Mapping[str, Any]) -> float:
    """The parent's deadline is on the clock that all processes of a machine share."""
    return float(request["until"] - time.monotonic())


def _overdue(*_about: object) -> NoReturn:
    raise OverdueError


def _say(said: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def answer(request: Mapping[str, Any]) -> dict[str, Any]:
    """What the server said, or how it refused."""
    try:
        import oracledb  # noqa: PLC0415 - its lack is an answer
    except ImportError as error:
        return {"missing": error.name or str(error)}
    try:
        parameters = _parameters(request)
    except CouldNotCheckError as error:
        return {"failed": str(error)}
    stage = "connect"
    try:
        begin = time.monotonic()
        with oracledb.connect(**parameters) as connection:
            stage = "ask"
            _say({"waiting": "let the user in, but did not answer"})
            facts = dict(_facts(connection, request, oracledb.Error))
            if request["query"]:
                stage = "query"
                _say({"waiting": "let the user in, but did not answer the query"})
                facts |= _first_value(connection, request["query"])
            return {"facts": facts, "latency_ms": (time.monotonic() - begin) * 1_000}
    except (oracledb.Error, OSError, ssl.SSLError, ValueError) as error:
        return {"refused": {"stage": stage, **described(error)}}


def described(error: BaseException) -> dict[str, Any]:
    """The codes and words of an error and of those that it came from, outermost first."""
    chain = list(_chain(error))
    codes = [getattr(one.args[0], "full_code", "") for one in chain if one.args]
    numbers = [one.errno for one in chain if isinstance(one, OSError) and not isinstance(one, ssl.SSLError)]
    certificates = [one.verify_message for one in chain if isinstance(one, ssl.SSLCertVerificationError)]
    return {
        "codes": [code for code in codes if code],
        "text": str(error),
        "errno": next((number for number in numbers if number), None),
        "certificate": next(iter(certificates), None),
        "tls": any(isinstance(one, ssl.SSLError) for one in chain),
    }


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _parameters(request: Mapping[str, Any]) -> dict[str, Any]:
    named = {"service_name": request["service_name"]} if request["service_name"] else {"sid": request["sid"]}
    parameters: dict[str, Any] = {
        "host": request["host"],
        "port": request["port"],
        "user": request["user"],
        "password": request["password"],
        "tcp_connect_timeout": max(_left_s(request), 0.01),
        "retry_count": 0,
        "program": "detak-agent",
        **named,
    }
    if request["tls"]:
        verify = request["verify_tls"]
        context = client_context(verify=verify, ca_file=request["ca_file"])
        parameters |= {"protocol": "tcps", "ssl_context": context, "ssl_server_dn_match": verify}
    return parameters


def _facts(connection: Any, request: Mapping[str, Any], refusal: type[Exception]) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """Each fact that is wanted; `no_grant` names the view that the user may not see."""
    yield "answers", _row(connection, "SELECT 1 FROM dual") is not None
    for name, statement in _STATEMENTS.items():
        if request["wants"].get(name, True):
            yield _fact(connection, name, statement, refusal)


def _fact(connection: Any, name: str, statement: str, refusal: type[Exception]) -> tuple[str, Any]:  # noqa: ANN401
    try:
        return name, _row(connection, statement)
    except refusal as error:
        if not set(described(error)["codes"]) & _NO_GRANT:
            raise
        return f"no_grant_{name}", True


def _row(connection: Any, statement: str) -> list[Any] | None:  # noqa: ANN401 - a connection of the driver
    with connection.cursor() as cursor:
        cursor.execute(statement)
        row = cursor.fetchone()
    return None if row is None else [None if value is None else str(value) for value in row]


def _first_value(connection: Any, query: str) -> dict[str, Any]:  # noqa: ANN401 - a connection of the driver
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
    row = _row(connection, query)
    return {"rows": 0 if row is None else 1, "value": row[0] if row else None}


if __name__ == "__main__":
    main()
