"""What errors of MySQL and MariaDB mean: whether users are shut out too (down) or only this check (unknown). Pure.

The codes are those of the server's error reference; MariaDB uses the same for what is named here.
"""

from __future__ import annotations

from detak_agent.checks.base import CouldNotCheckError, Outcome

SERVER_LOST = frozenset({2006, 2013})

_OF_THE_CHECK = {
    1044: "there is no such database, or user {user} may not use it: GRANT it a right there",
    1045: "the server refuses user {user}: wrong password, or no such user from this host",
    1046: "query names no database: set database",
    1064: "query is not right: {words}",
    1129: "the server has blocked this host after many broken connections: FLUSH HOSTS lets it in again ({words})",
    1130: "the server knows no user from this host: CREATE USER {user}@... ({words})",
    1142: "user {user} lacks a right: {words}",
    1143: "user {user} lacks a right: {words}",
    1203: "the check's own user is at its limit of connections: {words}",
    1226: "the check's own user is at a limit: {words}",
    1227: "user {user} may not see replication: GRANT REPLICA MONITOR (MariaDB) or REPLICATION CLIENT (MySQL) "
    "ON *.* to it ({words})",
    1251: "the server wants a way of signing in that the check does not have: {words}",
    1370: "user {user} lacks a right: {words}",
    1524: "the server lacks the plug-in by which user {user} signs in: {words}",
    1698: "the server refuses user {user}: it may sign in on the local socket only, or by another plug-in",
    1792: "query must only read: {words}",
    1820: "the password of user {user} must be changed first: {words}",
    1862: "the password of user {user} has expired",
    2059: "the server wants a way of signing in that the check does not have: {words}",
    2061: "the server wants the password of user {user} in plain text: set tls = true",
    3118: "the server has locked user {user}",
    3159: "the server wants TLS: set tls = true",
    4151: "the server has locked user {user}",
}
_DOWN = {
    1040: "the server takes no more connections: {words}",
    1047: "the server is not ready: {words}",
    1053: "the server is shutting down",
    1969: "the query did not end in time",
    2026: "the server offers no TLS, and tls = true asks for it",
    3024: "the query did not end in time",
}


def failed(code: int, text: str, where: str, user: str) -> Outcome:
    """The state for an error; CouldNotCheckError where the check is at fault and not the server."""
    words = " ".join(text.split())
    if code in _OF_THE_CHECK:
        raise CouldNotCheckError(_OF_THE_CHECK[code].format(user=user, words=words))
    if code in SERVER_LOST:
        return Outcome("down", f"{where} closed the connection before it had answered")
    meaning = _DOWN.get(code, f"the server answered with error {code}: {{words}}")
    return Outcome("down", meaning.format(words=words))
