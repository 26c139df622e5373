"""What there is to be watched in the laboratory, as any monitor may be told of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["process", "http", "tls", "tcp", "redis", "postgresql", "dns", "filesystem", "host"]


@dataclass(frozen=True)
class Target:
    """One thing, and where a monitor on the same network finds it.

    `kind` says what an operator would check it with; `host` is the node that it runs on, `address` that node's.
    A `port` is TCP's (UDP's too for `dns`), 0 where there is none. `process` is what its process is called, and
    `path` the mounted file system. Certificates are signed by the authority in the file `authority`.
    """

    service: str
    host: str
    address: str
    kind: Kind
    port: int = 0
    url: str | None = None
    process: str | None = None
    path: str | None = None
    authority: str | None = None
    expected: str | None = None
    """What a healthy page contains, or the address that a DNS server answers with."""

    question: str | None = None
    """The name that a DNS server is asked for."""

    user: str | None = None
    """Who may log in to a database, with `password` if it asks for one, into `database`."""

    password: str | None = None
    database: str | None = None
    branch: str | None = None
    """The node from which its users reach it, and that node's address; None where the middle may judge."""

    branch_address: str | None = None

    @property
    def seen_from(self) -> tuple[str, str]:
        """Name and address of the node that looks, if one must look from near: the branch, or the target's own host."""
        return (self.branch or self.host, self.branch_address or self.address)
