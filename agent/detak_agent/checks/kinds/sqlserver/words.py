"""What errors of SQL Server mean: whether users are shut out too (down) or only this check (unknown). Pure."""

from __future__ import annotations

from detak_agent.checks.base import CouldNotCheckError, Outcome

_OF_THE_CHECK = {
    18_456: "the server refuses user {user}: wrong password, no such login, or SQL logins are not allowed",
    18_452: "the server refuses user {user}: it takes Windows logins only (enable mixed mode)",
    18_470: "the server refuses user {user}: the login is disabled",
    18_486: "the server refuses user {user}: the login is locked",
    18_487: "the server refuses user {user}: its password has expired",
    18_488: "the server refuses user {user}: its password must be changed first",
    4_060: "user {user} may not open its default database: ALTER LOGIN {user} WITH DEFAULT_DATABASE = master",
    4_064: "user {user} may not open its default database: ALTER LOGIN {user} WITH DEFAULT_DATABASE = master",
    916: "user {user} may not use database {database}: CREATE USER {user} FOR LOGIN {user} in it",
    229: "user {user} lacks a right: {words}",
    230: "user {user} lacks a right: {words}",
    297: "user {user} may not see the server's state: GRANT VIEW SERVER STATE TO {user}",
    300: "user {user} may not see the server's state: GRANT VIEW SERVER STATE TO {user}",
    371: "user {user} may not see the server's state: GRANT VIEW SERVER STATE TO {user}",
    102: "query is not right: {words}",
    156: "query is not right: {words}",
    207: "query is not right: {words}",
    208: "query is not right, or user {user} may not see what it names: {words}",
    2_812: "query is not right: {words}",
}
_OF_THE_SERVER = {
    6_005: "the server is being shut down: {words}",
    17_142: "the server is paused: {words}",
    17_188: "the server is being shut down: {words}",
    17_809: "no connection is left: {words}",
    18_401: "the server upgrades itself and lets nobody in yet: {words}",
    18_451: "the server starts and lets administrators in only: {words}",
    18_461: "the server is in single-user mode, and somebody else is in it: {words}",
    922: "database {database} is being recovered: {words}",
    924: "database {database} is in single-user mode, and somebody else is in it: {words}",
    927: "database {database} is being restored: {words}",
    942: "database {database} is offline: {words}",
    945: "database {database} cannot be opened: {words}",
    976: "database {database} is a secondary that nobody may read: {words}",
    978: "database {database} is a secondary for read-only connections: {words}",
    983: "database {database} is in no role of its availability group: {words}",
}


def refused(number: int, text: str, user: str, database: str, where: str) -> Outcome:
    """The state for an error of the server. Raises CouldNotCheckError where the check is at fault."""
    words = " ".join(text.split())
    known = {"user": user, "database": database, "words": words}
    if number in _OF_THE_CHECK:
        raise CouldNotCheckError(_OF_THE_CHECK[number].format(**known))
    if number in _OF_THE_SERVER:
        return Outcome("down", _OF_THE_SERVER[number].format(**known))
    return Outcome("down", f"{where} answers with error {number}: {words}")
