"""The envelope of SNMPv3: who asks, proven and encrypted as the user-based security model has it (RFC 3414). No I/O.

Who the device is, is learned anew in each conversation: one that was replaced or restarted is heard at once.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from dataclasses import dataclass
from typing import Protocol

from detak_agent.checks.kinds.snmp.ber import OCTETS, SEQUENCE, Element, NotSnmpError, element, integer, outermost
from detak_agent.checks.kinds.snmp.message import REPORT, Answer, answer_of, get

_VERSION_3 = 3
_USER_BASED = 3
_MOST_BYTES = 65_507
_PROVEN, _ENCRYPTED, _REPORTABLE = 1, 2, 4
_HASHED_BYTES = 1_048_576
_SALT_BYTES = 8

AUTHENTICATIONS = {
    "MD5": ("md5", 12),
    "SHA": ("sha1", 12),
    "SHA-224": ("sha224", 16),
    "SHA-256": ("sha256", 24),
    "SHA-384": ("sha384", 32),
    "SHA-512": ("sha512", 48),
}
"""The hash and how much of it is sent: RFC 3414 (the first two) and RFC 7860."""

_REPORTS = "1.3.6.1.6.3.15.1.1."
_NOT_IN_TIME, _UNKNOWN_ENGINE = f"{_REPORTS}2.0", f"{_REPORTS}4.0"
_WORDS = {
    f"{_REPORTS}1.0": "refuses user {user} at this level of security: has it a password there, and a privacy password?",
    _NOT_IN_TIME: "says that the time of user {user} is wrong, without proof: is password right?",
    f"{_REPORTS}3.0": "does not know user {user}",
    _UNKNOWN_ENGINE: "keeps changing who it is (its engine ID)",
    f"{_REPORTS}5.0": "refuses user {user}: password or authentication is wrong",
    f"{_REPORTS}6.0": "cannot decrypt what user {user} sends: privacy_password is wrong, or it does not use AES",
}


class Cipher(Protocol):
    """Encrypts and decrypts, given a key, the start vector and the text; in `privacy`."""

    def encrypt(self, key: bytes, start: bytes, text: bytes) -> bytes:
        """The text encrypted."""
        ...

    def decrypt(self, key: bytes, start: bytes, text: bytes) -> bytes:
        """The text as it was."""
        ...


@dataclass(frozen=True, slots=True)
class User:
    """Who asks, with what only he knows: hashes of the passwords, None where there is none."""

    name: str
    authentication: str
    secret: bytes | None = None
    privacy_secret: bytes | None = None
    cipher: Cipher | None = None

    def local_key(self, secret: bytes, engine: bytes) -> bytes:
        """The key for one agent (RFC 3414, 2.6)."""
        return _digest(self.authentication, secret + engine + secret)


def secret_of(password: str, authentication: str) -> bytes:
    """The hash of a password (not empty) that keys are made of (RFC 3414, A.2). It takes milliseconds."""
    encoded = password.encode()
    return _digest(authentication, (encoded * (_HASHED_BYTES // len(encoded) + 1))[:_HASHED_BYTES])


def _digest(authentication: str, data: bytes) -> bytes:
    return hashlib.new(AUTHENTICATIONS[authentication][0], data, usedforsecurity=False).digest()


@dataclass(frozen=True, slots=True)
class Engine:
    """Who the agent is, how often it was started, and its time in seconds since the last start."""

    identity: bytes = b""
    boots: int = 0
    time_s: int = 0


class Secured:
    """The envelope of one conversation."""

    def __init__(self, user: User) -> None:
        self.engine = Engine()
        self._user = user
        self._flags = _REPORTABLE
        self._key = b""
        self._privacy_key = b""
        self._heard = Engine()
        self._proven = False

    def wrap(self, message: int, pdu: bytes) -> bytes:
        known = bool(self.engine.identity)
        header = element(
            SEQUENCE,
            integer(message),
            integer(_MOST_BYTES),
            element(OCTETS, bytes([self._flags])),
            integer(_USER_BASED),
        )
        # Who the agent is, is asked without a question, a name, or anything else that would tell an observer something.
        asked = pdu if known else get(message, ())
        data = element(SEQUENCE, element(OCTETS, self.engine.identity), element(OCTETS), asked)
        salt = b""
        if self._user.cipher is not None and self._flags & _ENCRYPTED:
            salt = os.urandom(_SALT_BYTES)
            encrypted = self._user.cipher.encrypt(self._privacy_key, _start_vector(self.engine, salt), data)
            data = element(OCTETS, encrypted)
        name = self._user.name.encode() if known else b""
        if not self._flags & _PROVEN:
            return _message(header, self._security(name, b"", salt), data)
        blank = _message(header, self._security(name, bytes(self._proof_bytes), salt), data)
        return _message(header, self._security(name, self._proof(blank), salt), data)

    def unwrap(self, message: int, datagram: bytes) -> Answer:
        parts = outermost(datagram).parts()
        if len(parts) != 4 or parts[0].integer() != _VERSION_3:
            raise NotSnmpError
        flags = _flags_of(message, parts[1])
        security = parts[2].wrapped().parts()
        if len(security) != 6:
            raise NotSnmpError
        engine = Engine(security[0].octets(), security[1].integer(), security[2].integer())
        if flags & _PROVEN:
            self._verify(security[4])
        answer = answer_of(self._scoped(flags, engine, security[5].octets(), parts[3]))
        if answer.kind != REPORT and ((self._flags & ~_REPORTABLE) & ~flags or answer.request != message):
            raise NotSnmpError
        self._heard, self._proven = engine, bool(flags & _PROVEN)
        return answer

    def learned(self, report: Answer) -> bool:
        reason = _reason(report)
        if reason == _UNKNOWN_ENGINE and self._heard.identity not in {b"", self.engine.identity}:
            self._turn_to(self._heard)
            return True
        if reason == _NOT_IN_TIME and self._proven and self._heard != self.engine:
            self.engine = self._heard
            return True
        return False

    def refusal(self, report: Answer) -> str:
        words = _WORDS.get(_reason(report), "reports an error that RFC 3414 does not know")
        return words.format(user=self._user.name)

    def _turn_to(self, engine: Engine) -> None:
        user = self._user
        self.engine = engine
        if user.secret is not None:
            self._flags |= _PROVEN
            self._key = user.local_key(user.secret, engine.identity)
        if user.privacy_secret is not None:
            self._flags |= _ENCRYPTED
            self._privacy_key = user.local_key(user.privacy_secret, engine.identity)

    def _security(self, name: bytes, proof: bytes, salt: bytes) -> bytes:
        engine = self.engine
        texts = (element(OCTETS, text) for text in (name, proof, salt))
        numbers = (integer(engine.boots), integer(engine.time_s))
        return element(OCTETS, element(SEQUENCE, element(OCTETS, engine.identity), *numbers, *texts))

    @property
    def _proof_bytes(self) -> int:
        return AUTHENTICATIONS[self._user.authentication][1]

    def _proof(self, blank: bytes) -> bytes:
        name = AUTHENTICATIONS[self._user.authentication][0]
        return hmac.new(self._key, blank, name).digest()[: self._proof_bytes]

    def _verify(self, proof: Element) -> None:
        """NotSnmpError unless it is the device's own, unaltered: the proof is over zeros in its own place."""
        blank = proof.whole[: proof.begin] + bytes(proof.end - proof.begin) + proof.whole[proof.end :]
        if not self._key or not hmac.compare_digest(proof.octets(), self._proof(blank)):
            raise NotSnmpError

    def _scoped(self, flags: int, engine: Engine, salt: bytes, data: Element) -> Element:
        if flags & _ENCRYPTED:
            if self._user.cipher is None or not self._privacy_key or not flags & _PROVEN or len(salt) != _SALT_BYTES:
                raise NotSnmpError
            start = _start_vector(engine, salt)
            data = outermost(self._user.cipher.decrypt(self._privacy_key, start, data.octets()))
        parts = data.parts()
        if len(parts) != 3:
            raise NotSnmpError
        return parts[2]


def _message(header: bytes, security: bytes, data: bytes) -> bytes:
    return element(SEQUENCE, integer(_VERSION_3), header, security, data)


def _flags_of(message: int, header: Element) -> int:
    parts = header.parts()
    if len(parts) != 4 or parts[0].integer() != message or len(parts[2].octets()) != 1:
        raise NotSnmpError
    return parts[2].octets()[0]


def _start_vector(engine: Engine, salt: bytes) -> bytes:
    """RFC 3826, 3.1.2.1."""
    if not (0 <= engine.boots < 2**31 and 0 <= engine.time_s < 2**31):
        raise NotSnmpError
    return engine.boots.to_bytes(4, "big") + engine.time_s.to_bytes(4, "big") + salt


def _reason(report: Answer) -> str:
    return report.bindings[0][0] if report.bindings else ""
