"""The protocol of NUT's upsd (RFC 9271), as much of it as reading takes: lines out, lines in. It judges nothing."""

from __future__ import annotations

import asyncio
import re
import socket

MOST_BYTES = 256 * 1_024
_READ_BYTES = 16_384

_VARIABLE = re.compile(r'VAR \S+ (\S+) "((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")


class NotNutError(Exception):
    """What came is not this protocol."""


class UpsdError(Exception):
    """upsd answers `ERR`; `code` is the word behind it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Conversation:
    """Commands and answers on a connected socket, which the caller closes."""

    def __init__(self, connected: socket.socket) -> None:
        self._socket = connected
        self._heard = b""
        self._taken = 0

    async def sign_in(self, user: str, password: str) -> None:
        """Say who asks. upsd itself takes note of it, and checks it only for commands that change something."""
        await self._confirmed(f"USERNAME {quoted(user)}")
        await self._confirmed(f"PASSWORD {quoted(password)}")

    async def variables(self, ups: str) -> dict[str, str]:
        """All variables of one UPS; UpsdError where upsd has none for it."""
        return dict(variable_of(line) for line in await self._listed(f"VAR {ups}"))

    async def names(self) -> list[str]:
        """The names of all UPSes that upsd knows."""
        return [line.split(" ")[1] for line in await self._listed("UPS") if line.startswith("UPS ")]

    async def _confirmed(self, command: str) -> None:
        await self._send(command)
        if not (await self._line()).startswith("OK"):
            raise NotNutError

    async def _listed(self, what: str) -> list[str]:
        await self._send(f"LIST {what}")
        if await self._line() != f"BEGIN LIST {what}":
            raise NotNutError
        lines = []
        while (line := await self._line()) != f"END LIST {what}":
            lines.append(line)
        return lines

    async def _send(self, command: str) -> None:
        await asyncio.get_running_loop().sock_sendall(self._socket, f"{command}\n".encode())

    async def _line(self) -> str:
        while b"\n" not in self._heard:
            if self._taken > MOST_BYTES:
                raise NotNutError
            part = await asyncio.get_running_loop().sock_recv(self._socket, _READ_BYTES)
            if not part:
                raise ConnectionResetError
            self._taken += len(part)
            self._heard += part
        line, _, self._heard = self._heard.partition(b"\n")
        text = line.decode(errors="replace").rstrip("\r")
        if text.startswith("ERR "):
            raise UpsdError(text.split(" ")[1])
        return text


def variable_of(line: str) -> tuple[str, str]:
    """The name and value in a line of a list; NotNutError if it is something else."""
    match = _VARIABLE.fullmatch(line)
    if match is None:
        raise NotNutError
    return match[1], _ESCAPED.sub(r"\1", match[2])


def quoted(text: str) -> str:
    """A word of a command."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
