"""What refusals of Oracle mean: whether users are shut out too (down) or only this check (unknown). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from detak_agent.checks.addresses import met
from detak_agent.checks.base import CouldNotCheckError, Outcome

_CODE = re.compile(r"\b(?:ORA-\d{5}|DPY-\d{4})\b")

_OF_THE_USER = {
    "ORA-01017": "the database refuses user {user}: wrong password, or no such user",
    "ORA-01005": "the database wants a password of user {user}: set password_file",
    "ORA-01045": "user {user} may not connect: GRANT CREATE SESSION TO {user}",
    "ORA-28000": "the account of user {user} is locked: ALTER USER {user} ACCOUNT UNLOCK",
    "ORA-28001": "the password of user {user} has expired: set a new one, and a profile without expiry",
    "ORA-01031": "user {user} lacks a right: {words}",
    "ORA-02391": "the check's own user is at its limit of sessions: {words}",
    "DPY-3015": "the driver cannot use the old password verifier of user {user}: set its password anew",
    "DPY-3010": "the driver needs Oracle Database 12.1 or newer: {words}",
    "DPY-3001": "the server demands native network encryption, which the driver lacks: use tls (TCPS) instead",
}
_OF_THE_QUERY = ("ORA-00942", "ORA-01031", "ORA-01456", "ORA-00904", "ORA-41900")
_SYNTAX = re.compile(r"ORA-009\d\d")
_OF_THE_DATABASE = {
    "ORA-12514": "the listener of {where} runs, but knows no {database}: it is not started, or its name is another",
    "DPY-6001": "the listener of {where} runs, but knows no {database}: it is not started, or its name is another",
    "ORA-12505": "the listener of {where} runs, but knows no {database}: it is not started, or its name is another",
    "DPY-6003": "the listener of {where} runs, but knows no {database}: it is not started, or its name is another",
    "ORA-01033": "the database starts, stops or is not open: {words}",
    "ORA-01034": "the instance does not run: {words}",
    "ORA-27101": "the instance does not run: {words}",
    "ORA-01089": "the database is being shut down: {words}",
    "ORA-01090": "the database is being shut down: {words}",
    "ORA-12528": "the instance takes no new connections (starting, stopping or restricted): {words}",
    "ORA-12526": "the instance takes administrators only (restricted mode): {words}",
    "ORA-12527": "the instance takes administrators only (restricted mode): {words}",
    "ORA-01035": "the instance takes administrators only (restricted mode): {words}",
    "ORA-00018": "no session is left: {words}",
    "ORA-00020": "no process is left: {words}",
    "ORA-12516": "the listener has no process left for a new connection: {words}",
    "ORA-12519": "the listener has no process left for a new connection: {words}",
    "ORA-12520": "the listener has no process left for a new connection: {words}",
    "ORA-00257": "the archive destination is full, and only administrators get in: {words}",
    "DPY-4011": "{where} closed the connection without an answer that Oracle would give",
}


def plain(text: str) -> str:
    """The server's own words in one line, without the driver's advice, identities of connections and web addresses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    said = [line for line in lines if not line.startswith(("Help:", "http")) and "CONNECTION_ID=" not in line]
    return " ".join(said or lines[:1])


def refused(refusal: Mapping[str, Any], where: str, user: str, database: str) -> Outcome:
    """The state. Raises CouldNotCheckError where the check is at fault, OSError where the network said why."""
    codes = _codes(refusal)
    words = plain(refusal["text"])
    if refusal["certificate"]:
        return Outcome("down", f"the certificate of {where} is not trusted: {refusal['certificate']}")
    if refusal["tls"]:
        return Outcome("down", f"{where} does not speak TLS as it should: {words}")
    if (refusal["errno"] or 0) > 0 and "DPY-4011" not in codes:
        raise met(OSError(refusal["errno"], ""), where)
    if refusal["stage"] == "query" and any(code in _OF_THE_QUERY or _SYNTAX.match(code) for code in codes):
        raise CouldNotCheckError(f"query cannot run as user {user}: {words}")
    for code in reversed(codes):
        if code in _OF_THE_USER:
            raise CouldNotCheckError(_OF_THE_USER[code].format(user=user, words=words))
        if code in _OF_THE_DATABASE:
            return Outcome("down", _OF_THE_DATABASE[code].format(where=where, words=words, database=database))
    if any(code.startswith("DPY-") and not code.startswith(("DPY-4", "DPY-6")) for code in codes):
        raise CouldNotCheckError(f"the driver cannot talk to {where}: {words}")
    return Outcome("down", f"{where} answers with an error: {words}")


def _codes(refusal: Mapping[str, Any]) -> Sequence[str]:
    """Outermost first: what the driver makes of it, then what the server said."""
    return list(dict.fromkeys([*refusal["codes"], *_CODE.findall(refusal["text"])]))
