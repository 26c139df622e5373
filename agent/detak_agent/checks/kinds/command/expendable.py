"""Children of the agent are not as dear as the agent: where memory runs out, they go before it."""

from __future__ import annotations

import contextlib
from pathlib import Path


def expendable(pid: int, proc: Path = Path("/proc")) -> None:
    """Take from a child what the service manager gave the agent against the kernel's search for memory (proc(5)).

    To be more expendable needs no right. A child that has ended already is no matter.
    """
    with contextlib.suppress(OSError, ValueError):
        if int((proc / "self/oom_score_adj").read_text(encoding="ascii")) < 0:
            (proc / str(pid) / "oom_score_adj").write_text("0", encoding="ascii")
