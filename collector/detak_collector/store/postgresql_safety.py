"""What must hold of a PostgreSQL server so that what is committed there is durable.

It is asked at the start of each writing transaction: an administrator may change it while everybody is connected.
"""

from __future__ import annotations

from dataclasses import dataclass

LOCK = 0x64657461_6B
"""Of the advisory lock that makes writing transactions one at a time."""

HELD_UP_MS = 5_000
"""Who stands still so long in a writing transaction loses it, and everybody else goes on."""

_ASKED = (
    "current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit'), "
    "current_setting('synchronous_standby_names') <> ''"
)
SAFETY = f"SELECT {_ASKED}"
WRITING = (
    # Whatever an administrator made the default: a view from before the lock would not have what others wrote.
    f"BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = {HELD_UP_MS}; "  # noqa: S608
    f"SET LOCAL lock_timeout = {HELD_UP_MS + 3_000}; "
    # Of a commit that stopped waiting for its standby the server says so in a warning, and in nothing else.
    "SET LOCAL client_min_messages = warning; "
    # As it is now it stays to the end of the transaction.
    "SELECT set_config('synchronous_commit', current_setting('synchronous_commit'), true); "
    f"SELECT {_ASKED} FROM pg_advisory_xact_lock({LOCK})"
)
"""Begins a writing transaction, and asks as `SAFETY` does once it is this one's turn."""

_SAFE = {"fsync": ("on",), "full_page_writes": ("on",), "synchronous_commit": ("on", "remote_apply")}
_ADVICE = {
    "synchronous_commit": "remove the setting from the role, the database and postgresql.conf, or set it to on",
    "fsync": "set it to on in postgresql.conf",
    "full_page_writes": "set it to on in postgresql.conf",
}


@dataclass(frozen=True, slots=True)
class Safety:
    """What `SAFETY` answers. `has_standby`: a commit waits for another server too."""

    fsync: str
    full_page_writes: str
    synchronous_commit: str
    has_standby: bool

    def fault(self) -> str | None:
        """Why what is acknowledged could be lost with this server, and what to do; None where it could not."""
        found = {name: getattr(self, name) for name in _SAFE}
        for name, setting in found.items():
            if setting not in _SAFE[name]:
                return f"{name} is {setting}: what is acknowledged could be lost; {_ADVICE[name]}"
        return None
