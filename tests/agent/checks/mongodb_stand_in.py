"""A stand-in for a MongoDB server: OP_MSG and SCRAM as their specifications have them, and the replies a test wants.

A test signs in to it with the driver's own client too, which knows real servers.
"""

import asyncio
import base64
import hashlib
import hmac
import struct
from typing import Any

import bson

HELLO = {
    "isWritablePrimary": True,
    "topologyVersion": {"processId": bson.ObjectId("64b000000000000000000001"), "counter": bson.Int64(0)},
    "maxBsonObjectSize": 16_777_216,
    "maxMessageSizeBytes": 48_000_000,
    "maxWriteBatchSize": 100_000,
    "minWireVersion": 0,
    "maxWireVersion": 21,
    "readOnly": False,
}
USER, PASSWORD = "detak", "secret, word=1"
ITERATIONS, SALT = 4_096, b"0123456789abcdef"
_HASHES = {"SCRAM-SHA-256": "sha256", "SCRAM-SHA-1": "sha1"}


def refusal(code: int, words: str) -> dict[str, Any]:
    return {"ok": 0.0, "code": code, "errmsg": words}


class MongodbStandIn:
    """Its `handle` serves one connection. A command without a reply in `replies` is one that it does not know."""

    def __init__(self, greeting: dict[str, Any] | None = None, /, **replies: dict[str, Any]) -> None:
        self.greeting = HELLO if greeting is None else greeting
        self.replies = {"ping": {"ok": 1.0}, "endSessions": {"ok": 1.0}, **replies}
        self.mechanism = "SCRAM-SHA-256"
        self.wants_one_more_step = False
        self.knows_the_password = True
        self.commands: list[str] = []

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        scram = _Scram(self)
        while True:
            try:
                header = await reader.readexactly(16)
                length, number, _, opcode = struct.unpack("<iiii", header)
                body = await reader.readexactly(length - 16)
            except asyncio.IncompleteReadError:
                return
            # A client that does not know the server yet may ask in the old way (OP_QUERY).
            document = bson.decode(body[5:] if opcode == 2_013 else body[body.index(b"\0", 4) + 9 :])
            reply = bson.encode(self._reply(document, scram))
            if opcode == 2_013:
                answer = struct.pack("<iiiiIB", 21 + len(reply), 1, number, 2_013, 0, 0) + reply
            else:
                answer = struct.pack("<iiiiiqii", 36 + len(reply), 1, number, 1, 8, 0, 0, 1) + reply
            writer.write(answer)
            await writer.drain()

    def _reply(self, command: dict[str, Any], scram: "_Scram") -> dict[str, Any]:
        name = next(iter(command))
        self.commands.append(name)
        if name in {"hello", "isMaster", "ismaster"} and name not in self.replies:
            return {"ok": 1.0, **self.greeting, "saslSupportedMechs": [self.mechanism]}
        if name == "saslStart":
            return scram.start(command["mechanism"], command["payload"])
        if name == "saslContinue":
            return scram.go_on(command["payload"])
        return self.replies.get(name, refusal(59, f"no such command: '{name}'"))


class _Scram:
    def __init__(self, server: MongodbStandIn) -> None:
        self._server = server
        self._bare = self._first = ""
        self._hash = ""

    def start(self, mechanism: str, payload: bytes) -> dict[str, Any]:
        self._hash = _HASHES[mechanism]
        self._bare = payload.decode().removeprefix("n,,")
        nonce = self._bare.rpartition("r=")[2]
        self._first = f"r={nonce}server,s={base64.b64encode(SALT).decode()},i={ITERATIONS}"
        return {"ok": 1.0, "conversationId": 1, "done": False, "payload": self._first.encode()}

    def go_on(self, payload: bytes) -> dict[str, Any]:
        if not payload:
            return {"ok": 1.0, "conversationId": 1, "done": True, "payload": b""}
        without_proof, _, proof = payload.decode().rpartition(",p=")
        user, _, _ = self._bare.removeprefix("n=").partition(",r=")
        whole = f"{self._bare},{self._first},{without_proof}".encode()
        password = PASSWORD
        if self._hash == "sha1":
            password = hashlib.md5(f"{USER}:mongo:{PASSWORD}".encode()).hexdigest()
        salted = hashlib.pbkdf2_hmac(self._hash, password.encode(), SALT, ITERATIONS)
        client_key = hmac.digest(salted, b"Client Key", self._hash)
        signature = hmac.digest(hashlib.new(self._hash, client_key).digest(), whole, self._hash)
        right = bytes(one ^ other for one, other in zip(client_key, signature, strict=True))
        if user != USER or base64.b64decode(proof) != right:
            return refusal(18, "Authentication failed.")
        shown = hmac.digest(hmac.digest(salted, b"Server Key", self._hash), whole, self._hash)
        if not self._server.knows_the_password:
            shown = b"x" * len(shown)
        done = not self._server.wants_one_more_step
        payload = b"v=" + base64.b64encode(shown)
        return {"ok": 1.0, "conversationId": 1, "done": done, "payload": payload}
