"""Where log lines go: to the systemd journal with its own fields, else to standard error with the same as key=value.

Under systemd `journalctl -o json` shows each field as one of its own: DETAK_EVENT, DETAK_NODE and so on.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import struct
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from detak_collector.operating.events import Event
from detak_collector.operating.log_lines import LinesHandler

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
JOURNAL = Path("/run/systemd/journal/socket")
MOST_BYTES = 48 * 1024
"""What one field may have: a datagram is far from its limit, and a message is still read by people."""

WAIT_S = 0.2
ATTRIBUTE = "detak"

_PLAIN = re.compile(r"[\w.:/@+-]+")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def fields(**values: str | int) -> dict[str, Mapping[str, str | int]]:
    """What a program may search a line for: `_log.info("…", extra=fields(event="enrolled", node=name))`."""
    return {ATTRIBUTE: values}


def log_audit(name: str, text: str, level: int = logging.INFO, **told: str | int) -> None:
    """To the log alone, where nobody takes an audit trail. It is an `events.Audit`."""
    logging.getLogger(__name__).log(level, "%s", text, extra=fields(kind="audit", event=name, **told))


def log_event(event: Event) -> None:
    """From a command that people run: into the journal where there is one, and never among what it prints."""
    if not JOURNAL.is_socket():
        return
    handler = JournalHandler()
    record = logging.LogRecord(__name__, event.level, "", 0, event.text, None, None)
    setattr(record, ATTRIBUTE, event.told)
    handler.emit(record)
    handler.close()


def _fields_of(record: logging.LogRecord) -> Mapping[str, str | int]:
    found: Mapping[str, str | int] = getattr(record, ATTRIBUTE, {})
    return found


class LineFormatter(logging.Formatter):
    """Time, level, message, then the fields as key=value; a value with a space in it is quoted.

    What somebody typed is in messages too: a line's end in it is escaped, so that nobody writes a line of his own.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)sZ %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name that logging calls
        """As logging says."""
        told = "".join(f" {name}={_shown(str(value))}" for name, value in _fields_of(record).items())
        return _CONTROL.sub(lambda found: repr(found[0])[1:-1], super().formatMessage(record)) + told


class JournalHandler(logging.Handler):
    """Speaks the journal's native protocol: one datagram a record, systemd.journal-fields(7).

    A journal that does not take it within a moment must not hold up evidence: the line is dropped, and the next one
    that is taken says how many were.
    """

    def __init__(self, path: Path = JOURNAL) -> None:
        super().__init__()
        self._path = str(path)
        self._dropped = 0
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """As logging says."""
        entry: dict[str, str | int] = {
            "MESSAGE": self.format(record),
            "PRIORITY": PRIORITIES.get(record.levelno, 6),
            "SYSLOG_IDENTIFIER": "detak-collector",
            "CODE_FUNC": record.funcName or "",
            "LOGGER": record.name,
        }
        for name, value in _fields_of(record).items():
            entry[f"DETAK_{name.upper()}"] = value
        if self._dropped:
            entry["DETAK_LINES_DROPPED"] = self._dropped
        # One that hangs is waited for once, and not for each line.
        self._socket.settimeout(0 if self._dropped else WAIT_S)
        try:
            self._socket.sendto(native(entry), self._path)
        except OSError:
            self._dropped += 1
        else:
            self._dropped = 0

    def close(self) -> None:
        """As logging says."""
        self._socket.close()
        super().close()


def native(entry: Mapping[str, str | int]) -> bytes:
    """An entry in the journal's own form: a value of several lines has its length before it."""
    texts = {name: str(value).encode("utf-8", "replace")[:MOST_BYTES] for name, value in entry.items()}
    return b"".join(_assigned(name, text) for name, text in texts.items())


def _assigned(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(value)), value)
    return b"%s=%s\n" % (name.encode(), value)


def _shown(value: str) -> str:
    return value if _PLAIN.fullmatch(value) else json.dumps(value, ensure_ascii=False)


def is_read_by_journal(descriptor: int, told: str) -> bool:
    """Whether that file is the very stream that systemd named in JOURNAL_STREAM: something may stand in its place."""
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return told == f"{found.st_dev}:{found.st_ino}"


def _handler() -> logging.Handler:
    told = os.environ.get("JOURNAL_STREAM", "")
    if told and JOURNAL.is_socket() and is_read_by_journal(2, told):
        return JournalHandler()
    handler = _line_handler()
    handler.setFormatter(LineFormatter())
    return handler


def _line_handler() -> logging.Handler:
    try:
        return LinesHandler(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        # It was closed, or something stands in its place that is no file.
        return logging.StreamHandler(sys.stderr)


def configure(*, debug: bool) -> None:
    """Sets up the root logger of this process."""
    level = logging.DEBUG if debug else logging.INFO
    logging.basicConfig(level=level, handlers=[_handler()], force=True)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
