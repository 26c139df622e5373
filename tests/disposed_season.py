"""A collector's files with a season of evidence, chained as it came in, at a time when people look back at it."""

from __future__ import annotations

from contextlib import closing
from itertools import groupby
from pathlib import Path
from random import Random

import pytest

from detak_collector import cli
from detak_collector.clocks import Reading
from detak_collector.commands import session as cli_session
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from late_delivery import DAY, NODES, deliveries

SERVICES = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
counted_criticality = ["sangat kritis"]
""" + "".join(
    f"""
[[service]]
id = "{name}"
criticality = "sangat kritis"
[[service.group]]
name = "{name}"
category = "application"
members = ["{node}/{check}"]
"""
    for name, node, check in (("impor", "db-01", "web"), ("ekspor", "db-02", "web"), ("data", "db-01", "pg"))
)
MONTHS = ("2023-11", "2023-12")


class Season:
    """The files, and the moment at which people ask: the season ended on 28 January 2024, and it is July 2025."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.now = reading(600 * DAY)
        self._capsys = capsys
        monkeypatch.setattr(cli_session, "system_clock", lambda: lambda: self.now)
        assert cli.run(["init", str(folder)]) == 0
        (folder / "services.toml").write_text(SERVICES)
        file = folder / "collector.toml"
        file.write_text(f"{file.read_text()}\n[retention]\nevidence_years = 1\n")
        fill(folder / "state")

    def call(self, *words: str) -> tuple[int, str]:
        """The exit code, and all that was said."""
        self.now = Reading(self.now.utc + 60_000, self.now.boottime + 60_000, self.now.boot)
        self._capsys.readouterr()
        code = cli.run(["--config", str(self.folder / "collector.toml"), *words])
        told = self._capsys.readouterr()
        return code, told.out + told.err

    def says(self, *words: str, by: str | None = None, code: int = 0) -> str:
        """What is said by a command that ends with this code."""
        found, told = self.call(*words, *(() if by is None else ("--by", by)))
        assert found == code, told
        return told

    def sealed(self, *months: str) -> None:
        for at, month in enumerate(months or MONTHS, 1):
            self.says("seal", month, "--despite", "its first days", by="Ani")
            self.says("seal", "approve", str(at), by="Budi")

    def approved(self) -> None:
        """The evidence from before January 2024 is to go."""
        told = ("--until", "2024-01", "--document", "ND-5/2025", "--reason", "kept long enough")
        self.says("retention", "propose", *told, by="Ani")
        self.says("retention", "approve", "1", by="Budi")

    def disposed(self) -> str:
        self.sealed()
        self.approved()
        return self.says("retention", "dispose", "1", by="Cici")


def fill(state: Path, seed: int = 1) -> None:
    """The season, chained every three days."""
    arrivals = deliveries(Random(seed))
    with closing(open_store(state, reading(0))) as store:
        for node in NODES:
            store.registry.issue(node, node.encode(), reading(DAY).utc, reading(0))
            store.registry.redeem(node.encode(), node, node.encode() * 4, reading(0))
        for _, day in groupby(arrivals, key=lambda one: one.at.boottime // (3 * DAY)):
            some = list(day)
            store.evidence.commit(some)
            store.ledger.append(some[-1].at.utc)
