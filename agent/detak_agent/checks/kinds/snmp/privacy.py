"""AES for SNMPv3 (RFC 3826). It imports `cryptography`: loaded only for checks that have a privacy password."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes

_BLOCK_BYTES = 16
_KEY_BYTES = 16


class Aes:
    """AES with 128 bits in cipher feedback mode, made of single blocks because the library gives that mode up."""

    def encrypt(self, key: bytes, start: bytes, text: bytes) -> bytes:
        """The text encrypted."""
        encryptor, encrypted = _encryptor(key), b""
        for block in _blocks(text):
            start = _xor(block, encryptor.update(start))
            encrypted += start
        return encrypted

    def decrypt(self, key: bytes, start: bytes, text: bytes) -> bytes:
        """The text as it was."""
        encryptor, decrypted = _encryptor(key), b""
        for block in _blocks(text):
            decrypted += _xor(block, encryptor.update(start))
            start = block
        return decrypted


def _encryptor(key: bytes) -> CipherContext:
    # Each block is fed with the one before it: what makes this mode unsafe for texts does not arise.
    return Cipher(algorithms.AES(key[:_KEY_BYTES]), modes.ECB()).encryptor()  # noqa: S305


def _blocks(text: bytes) -> Iterator[bytes]:
    return (text[at : at + _BLOCK_BYTES] for at in range(0, len(text), _BLOCK_BYTES))


def _xor(block: bytes, pad: bytes) -> bytes:
    """The last block of a text may be short."""
    return bytes(one ^ other for one, other in zip(block, pad, strict=False))
