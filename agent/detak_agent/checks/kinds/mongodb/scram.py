"""Signing in to MongoDB by SCRAM (RFC 5802, RFC 7677): the password never leaves this machine. Pure.

A server that does not know the password is found out, too.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Sequence

LEAST_ITERATIONS, MOST_ITERATIONS = 4_096, 1_000_000
_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


class ScramError(Exception):
    """The server's side of the exchange is not right; in words that follow its name."""


def chosen(offered: Sequence[str] | None) -> str:
    """The best mechanism that the user has; where nothing is said, the one every server of today has."""
    if not offered:
        return "SCRAM-SHA-256"
    for mechanism in _HASHES:
        if mechanism in offered:
            return mechanism
    raise ScramError(f"lets this user in by {', '.join(offered)} only: give it SCRAM-SHA-256")


def prepared(mechanism: str, user: str, password: str) -> str:
    """The password as the mechanism has it (SASLprep; for SHA-1 a digest, as the server keeps it)."""
    if mechanism == "SCRAM-SHA-1":
        return hashlib.md5(f"{user}:mongo:{password}".encode(), usedforsecurity=False).hexdigest()
    if password.isascii():
        return password
    from pymongo.saslprep import saslprep  # noqa: PLC0415 - it loads the whole driver, and few passwords need it

    return str(saslprep(password))


class SaltedPasswords:
    """Keeps the last derived key, which takes thousands of rounds, while what it is derived from is the same."""

    def __init__(self) -> None:
        self._of: tuple[str, str, bytes, int] | None = None
        self._key = b""

    def key(self, mechanism: str, password: str, salt: bytes, iterations: int) -> bytes:
        """The salted password."""
        of = (mechanism, password, salt, iterations)
        if of != self._of:
            self._key = hashlib.pbkdf2_hmac(_HASHES[mechanism], password.encode(), salt, iterations)
            self._of = of
        return self._key


class Scram:
    """One exchange: `first`, then `final` with the server's first message, then `verify` with its final one."""

    def __init__(
        self,
        mechanism: str,
        user: str,
        password: str,
        salted: SaltedPasswords,
        nonce: Callable[[], str] = lambda: secrets.token_urlsafe(24),
    ) -> None:
        self._mechanism = mechanism
        self._hash = _HASHES[mechanism]
        self._password = prepared(mechanism, user, password)
        self._salted = salted
        self._nonce = nonce()
        self._bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={self._nonce}"
        self._signature = b""

    def first(self) -> bytes:
        """The client's first message."""
        return f"n,,{self._bare}".encode()

    def final(self, server_first: bytes) -> bytes:
        """The client's final message, with its proof; ScramError for a server that is not to be trusted."""
        said = _attributes(server_first)
        try:
            nonce, salt, iterations = said["r"], base64.b64decode(said["s"], validate=True), int(said["i"])
        except (KeyError, ValueError):
            raise ScramError("did not begin the sign-in as SCRAM has it") from None
        if not nonce.startswith(self._nonce) or not LEAST_ITERATIONS <= iterations <= MOST_ITERATIONS:
            raise ScramError("began the sign-in with a wrong nonce, or with too few or too many iterations")
        without_proof = f"c=biws,r={nonce}"
        whole = ",".join([self._bare, server_first.decode(), without_proof]).encode()
        key = self._salted.key(self._mechanism, self._password, salt, iterations)
        client_key = self._hmac(key, b"Client Key")
        signed = self._hmac(hashlib.new(self._hash, client_key).digest(), whole)
        proof = bytes(one ^ other for one, other in zip(client_key, signed, strict=True))
        self._signature = self._hmac(self._hmac(key, b"Server Key"), whole)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final: bytes) -> None:
        """ScramError unless the server has shown that it knows the password, too."""
        shown = _attributes(server_final).get("v", "")
        if not hmac.compare_digest(shown, base64.b64encode(self._signature).decode()):
            raise ScramError("let the user in without knowing its password: it is another server than it seems")

    def _hmac(self, key: bytes, data: bytes) -> bytes:
        return hmac.digest(key, data, self._hash)


def _attributes(message: bytes) -> dict[str, str]:
    parts = message.decode("utf-8", "replace").split(",")
    return {key: value for key, _, value in (part.partition("=") for part in parts)}
