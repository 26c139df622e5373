"""The collector's log lines in a real systemd journal, as `journalctl` finds them."""

import json
import logging
import os
import subprocess
import time
from collections.abc import Iterator

import pytest

from detak_collector.operating.logs import JournalHandler, fields
from peers.systemd_container import PATIENCE_S, Container, booted

pytestmark = [
    pytest.mark.peers("systemd-nspawn", "debootstrap", "nsenter"),
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can boot a container"),
]


@pytest.fixture(scope="module")
def container() -> Iterator[Container]:
    with booted() as found:
        yield found


def found(container: Container, *matches: str) -> list[dict[str, str]]:
    """The entries that match, as soon as there is one."""
    command = ["nsenter", "-t", str(container.leader), "-m", "-p", "-u", "-i", "-n", "--"]
    deadline = time.monotonic() + PATIENCE_S
    while True:
        done = subprocess.run(
            [*command, "journalctl", "--output=json", "--no-pager", *matches],
            capture_output=True,
            check=True,
            timeout=60,
        )
        entries = [json.loads(line) for line in done.stdout.splitlines()]
        if entries or time.monotonic() > deadline:
            return entries
        time.sleep(0.1)


def test_a_line_is_found_by_its_fields_with_its_priority_and_all_of_its_text(container: Container) -> None:
    handler = JournalHandler(container.root / "run/systemd/journal/socket")
    logger = logging.Logger("detak_collector.test")  # noqa: LOG001 - one that no other test sees
    logger.addHandler(handler)
    logger.error("db-01 is down\nconnection refused", extra=fields(event="outage-begun", service="impor", outage=7))
    logger.info("something else", extra=fields(event="other"))
    handler.close()
    [entry] = found(container, "DETAK_EVENT=outage-begun", "DETAK_SERVICE=impor")
    assert entry["MESSAGE"] == "db-01 is down\nconnection refused"
    assert (entry["PRIORITY"], entry["SYSLOG_IDENTIFIER"], entry["DETAK_OUTAGE"]) == ("3", "detak-collector", "7")
