"""A stand-in for a SQL Server: the part of MS-TDS that signing in and a few queries need, with TLS in packets."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import Mapping, Sequence

PRELOGIN, REPLY, ATTENTION = 0x12, 0x04, 0x06
OFF, ON, NOT_SUPPORTED, REQUIRED = 0, 1, 2, 3
_COLLATION = b"\x09\x04\xd0\x00\x34"

Row = Sequence[str | None]
Refusal = tuple[int, str]


class TdsStandIn:
    """`answers` are found by a part of the query: a row, no row (None), or a refusal. What is not found has no row."""

    def __init__(
        self,
        answers: Mapping[str, Row | Refusal | None] | None = None,
        *,
        context: ssl.SSLContext | None = None,
        encryption: int | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        self._answers = {"tempdb": ["2025-01-01T06:00:00.123"], **(answers or {})}
        self._context = context
        self._encryption = encryption if encryption is not None else (NOT_SUPPORTED if context is None else ON)
        self._refusal = refusal
        self.sign_ins = 0
        self.queries: list[str] = []
        self.tls_version = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ssl.SSLError):
            await self._serve(_Line(reader, writer))

    async def _serve(self, line: "_Line") -> None:
        await line.packet()
        await line.send(REPLY, self._prelogin())
        if self._context is not None:
            self.tls_version = await line.encrypt(self._context)
        await line.message()
        self.sign_ins += 1
        if self._refusal is not None:
            await line.send(REPLY, _error(*self._refusal) + _done(error=True))
            return
        await line.send(REPLY, _login_ack() + _done())
        while True:
            kind, message = await line.message()
            if kind == ATTENTION:
                await line.send(REPLY, _done(status=0x20))
                continue
            (headers,) = struct.unpack_from("<I", message)
            query = message[headers:].decode("utf-16-le")
            self.queries.append(query)
            await line.send(REPLY, self._answer(query))

    def _prelogin(self) -> bytes:
        options = [(0, b"\x10\x00\x03\xe8\x00\x00"), (1, bytes([self._encryption])), (2, b"\0"), (3, b""), (4, b"\0")]
        table, data = b"", b""
        for kind, value in options:
            table += struct.pack(">BHH", kind, 5 * len(options) + 1 + len(data), len(value))
            data += value
        return table + b"\xff" + data

    def _answer(self, query: str) -> bytes:
        for part, answer in self._answers.items():
            if part not in query:
                continue
            if isinstance(answer, tuple):
                return _error(*answer) + _done(error=True)
            if answer is not None:
                return _columns(len(answer)) + _row(answer) + _done(rows=1)
            return _columns(1) + _done()
        return _done() if query.startswith("USE") else _columns(1) + _done()


class _Line:
    """One connection: packets in plain text, or in TLS once the handshake inside packets is done."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls: ssl.SSLObject | None = None
        self._clear = b""

    async def packet(self) -> bytes:
        header = await self._exactly(8)
        (length,) = struct.unpack_from(">H", header, 2)
        return header + await self._exactly(length - 8)

    async def message(self) -> tuple[int, bytes]:
        """The kind and content of packets up to the last one."""
        content = b""
        while True:
            packet = await self.packet()
            content += packet[8:]
            if packet[1] & 1:
                return packet[0], content

    async def send(self, kind: int, content: bytes) -> None:
        packet = struct.pack(">BBHHBB", kind, 1, 8 + len(content), 51, 1, 0) + content
        if self._tls is not None:
            self._tls.write(packet)
            packet = self._outgoing.read()
        self._writer.write(packet)
        await self._writer.drain()

    async def encrypt(self, context: ssl.SSLContext) -> str:
        tls = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        while not await self._shaken(tls):
            self._incoming.write((await self.packet())[8:])
        self._tls = tls
        return str(tls.version())

    async def _shaken(self, tls: ssl.SSLObject) -> bool:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            if self._outgoing.pending:
                await self.send(PRELOGIN, self._outgoing.read())
        return True

    async def _exactly(self, length: int) -> bytes:
        if self._tls is None:
            return await self._reader.readexactly(length)
        while len(self._clear) < length:
            with contextlib.suppress(ssl.SSLWantReadError):
                self._clear += self._tls.read(65_536)
                continue
            part = await self._reader.read(65_536)
            if not part:
                raise asyncio.IncompleteReadError(b"", length)
            self._incoming.write(part)
        taken, self._clear = self._clear[:length], self._clear[length:]
        return taken


def _short(text: str) -> bytes:
    return bytes([len(text)]) + text.encode("utf-16-le")


def _long(text: str) -> bytes:
    return struct.pack("<H", len(text)) + text.encode("utf-16-le")


def _login_ack() -> bytes:
    content = b"\1" + struct.pack(">I", 0x74000004) + _short("Microsoft SQL Server") + b"\x10\x00\x03\xe8"
    return b"\xad" + struct.pack("<H", len(content)) + content


def _error(number: int, words: str) -> bytes:
    content = struct.pack("<iBB", number, 1, 14) + _long(words) + _short("siap") + _short("") + struct.pack("<i", 1)
    return b"\xaa" + struct.pack("<H", len(content)) + content


def _columns(count: int) -> bytes:
    one = struct.pack("<IHBH", 0, 1, 0xE7, 8_000) + _COLLATION + _short("value")
    return b"\x81" + struct.pack("<H", count) + one * count


def _row(values: Row) -> bytes:
    cells = [
        b"\xff\xff" if value is None else struct.pack("<H", 2 * len(value)) + value.encode("utf-16-le")
        for value in values
    ]
    return b"\xd1" + b"".join(cells)


def _done(*, rows: int = 0, error: bool = False, status: int = 0) -> bytes:
    return b"\xfd" + struct.pack("<HHQ", status | (2 if error else 0) | (0x10 if rows else 0), 0xC1, rows)
