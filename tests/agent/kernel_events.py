"""Says in the kernel's place that the virtual machine is of another generation: in a network namespace of its own.

Run by tests under `unshare --net` or `nsenter --net`. With `say` it says so once; with a folder, which is taken for the
machine's root, it prints as JSON how often that was heard there after each of several things.
"""

import asyncio
import json
import socket
import struct
import sys
from pathlib import Path

from detak_agent.generation import listening

_KERNEL_EVENTS = 15
_REQUEST, _FIRST_TYPE = 1, 16
NEWS = ("ACTION=change", "DEVPATH=/devices/platform/VMGENCTR:00", "SUBSYSTEM=platform", "NEW_VMGENID=1")
OTHERS = (NEWS[:3], ("ACTION=add", "DEVPATH=/devices/virtual/net/NEW_VMGENID=1", "SUBSYSTEM=net"))


def say(*words: str) -> None:
    """An event as the kernel sends it: root may ask it to, within one namespace, and it says so to all who listen."""
    body = b"\0".join(word.encode() for word in (f"change@{words[1].partition('=')[2]}", *words)) + b"\0"
    head = struct.pack("=IHHII", 16 + len(body), _FIRST_TYPE, _REQUEST, 0, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _KERNEL_EVENTS) as asking:
        asking.sendto(head + body, (0, 0))


def pretend(*words: str) -> None:
    """The same words, by a program that is not the kernel."""
    body = b"\0".join(word.encode() for word in ("change@/devices", *words)) + b"\0"
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _KERNEL_EVENTS) as sending:
        sending.sendto(body, (0, 1))


async def heard(root: Path) -> dict[str, int]:
    """How often an agent hears it after each thing that is said."""
    times = 0

    def count() -> None:
        nonlocal times
        times += 1

    async def after() -> int:
        await asyncio.sleep(0.05)
        return times

    with listening(count, root):
        for words in OTHERS:
            say(*words)
        others = await after()
        pretend(*NEWS)
        pretended = await after()
        say(*NEWS)
        once = await after()
        # More than the socket has room for: some are lost, and it goes on hearing.
        for _ in range(5_000):
            say(*OTHERS[0])
        await after()
        flooded = times
        say(*NEWS)
        again = await after()
    say(*NEWS)
    return {
        "others": others, "pretended": pretended, "once": once, "flooded": flooded, "again": again,
        "closed": await after(),
    }  # fmt: skip


if __name__ == "__main__":
    if sys.argv[1] == "say":
        say(*NEWS)
    else:
        print(json.dumps(asyncio.run(heard(Path(sys.argv[1])))))
