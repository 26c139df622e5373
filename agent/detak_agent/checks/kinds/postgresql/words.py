"""What refusals of PostgreSQL mean: whether users are shut out too (down) or only this check (unknown). Pure.

Before a user is let in libpq gives words only, no code; they are the server's, in the language of its lc_messages.
"""

from __future__ import annotations

import re

from detak_agent.checks.base import CouldNotCheckError, Outcome

_WHERE = re.compile(
    r"^(?:connection failed: |connection is bad: )?"
    r'(?:connection to server (?:at|on socket) ".*?"(?:, port \d+)? failed: )?'
)
_SEVERITY = re.compile(r"^[A-Z]+:\s+")

_OF_THE_CHECK = (
    ("password authentication failed", "the server refuses user {user}: wrong password, or no such user"),
    ("no password supplied", "the server wants a password of user {user}: set password_file"),
    ("no pg_hba.conf entry", "pg_hba.conf of the server has no line that lets user {user} in: {words}"),
    ("pg_hba.conf rejects", "pg_hba.conf of the server keeps user {user} out: {words}"),
    ("authentication failed for user", "the server refuses user {user}: {words}"),
    ("certificate authentication failed", "the server refuses user {user}: {words}"),
    ("is not permitted to log in", "the server refuses user {user}: it has no LOGIN right"),
    ("permission denied for database", "user {user} may not connect to the database: GRANT CONNECT ON DATABASE to it"),
    ("too many connections for role", "the check's own user is at its limit: {words}"),
)
_NO_SUCH_ROLE = re.compile(r'^role ".*" does not exist$')

_MEANINGS = (
    ("server closed the connection unexpectedly", "{where} closed the connection without an answer"),
    ("server does not support SSL", "{where} offers no TLS, and sslmode asks for it"),
    ("received invalid response to SSL negotiation", "{where} does not speak PostgreSQL's protocol"),
    ("expected authentication request from server", "{where} does not speak PostgreSQL's protocol"),
    ("certificate verify failed", "the certificate of {where} is not trusted by ca_file, or has expired"),
    ("does not match host name", "the certificate of {where} is for another name: {words}"),
)

_INSUFFICIENT_PRIVILEGE, _SYNTAX_ERROR, _READ_ONLY = "42501", "42601", "25006"
_UNDEFINED_FUNCTION, _QUERY_CANCELED = "42883", "57014"


def plain(text: str) -> str:
    """The server's own words of the last attempt, without where the connection went, and with their details."""
    words: list[str] = []
    for line in filter(None, map(str.strip, text.splitlines())):
        said = _WHERE.sub("", line)
        if said != line:
            words = []
        words.append(_SEVERITY.sub("", said))
    return f"{words[0]} ({' '.join(words[1:])})" if len(words) > 1 else "".join(words)


def refused(text: str, where: str, user: str) -> Outcome:
    """Nobody was let in. Raises CouldNotCheckError where it is this user alone who is not."""
    words = plain(text)
    if _NO_SUCH_ROLE.match(words):
        raise CouldNotCheckError(f"the server has no user {user}: CREATE ROLE {user} LOGIN")
    for sought, meaning in _OF_THE_CHECK:
        if sought in text:
            raise CouldNotCheckError(meaning.format(user=user, words=words))
    for sought, meaning in _MEANINGS:
        if sought in text:
            return Outcome("down", meaning.format(where=where, words=words))
    return Outcome("down", f"{where} refuses connections: {words}")


def broken(code: str | None, text: str, user: str) -> Outcome:
    """The user was let in, and then something failed. Raises CouldNotCheckError where the check is at fault."""
    words = " ".join(text.split())
    if code == _INSUFFICIENT_PRIVILEGE:
        raise CouldNotCheckError(f"user {user} lacks a right: {words}")
    if code == _SYNTAX_ERROR:
        raise CouldNotCheckError(f"query is not right: {words}")
    if code is None and "didn't produce" in words:
        raise CouldNotCheckError("query gives no result: write a SELECT")
    if code == _READ_ONLY:
        raise CouldNotCheckError(f"query must only read: {words}")
    if code == _UNDEFINED_FUNCTION:
        raise CouldNotCheckError(f"the server cannot tell how it is (PostgreSQL 10 or newer can): {words}")
    if code == _QUERY_CANCELED:
        return Outcome("down", f"the query did not end in time: {words}")
    if "closed the connection" in words or "connection is lost" in words or "consuming input failed" in words:
        return Outcome("down", "the server closed the connection before it had answered")
    return Outcome("down", f"the server answered with an error: {words}")
