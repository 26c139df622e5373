"""`reconcile` as people use it: each thing that does not fit is a line, and the exit code says whether any is."""

from __future__ import annotations

from pathlib import Path

import pytest

from detak_collector import cli
from outage_history import SERVICES, fill

COUNTED = '[[service]]\nid = "arsip"\nname = "Arsip"\ncriticality = "kritis"\n[[service.group]]\nname = "x"\n'
GROUP = 'category = "server"\nmembers = ["db-01/api"]\n'


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Outages of portal at 06:13 and of pusat at 06:20, on 15 November 2023."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES + COUNTED + GROUP)
    fill(folder / "state", {"web": [(60, 68)], "api": [(67, 75)]}, 400)
    return folder


def told(home: Path, capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    capsys.readouterr()
    code = cli.run(["--config", str(home / "collector.toml"), "reconcile", *words])
    captured = capsys.readouterr()
    return code, captured.out + captured.err


def test_what_does_not_fit_is_told_and_ends_with_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decree, tickets = home / "decree.csv", home / "tickets.csv"
    decree.write_text("service\nportal\nArsip\nmanifes\n")
    tickets.write_text(
        "ticket,service,from,to\nT-1,portal,2023-11-15T06:15,2023-11-15T06:25\n"
        "T-2,portal,2023-11-20T10:00,2023-11-20T11:00\nT-3,kantin,2023-11-20T10:00,\n"
    )
    code, said = told(home, capsys, "--period", "2023-11", "--decree", str(decree), "--tickets", str(tickets))
    assert code == 1
    for line in (
        f"decreed and not in the catalogue: manifes ({decree}:4)",
        "decreed and not counted: arsip (kritis)",
        "counted and not decreed: pusat (sangat kritis)",
        f"ticket of an unknown service: T-3, kantin ({tickets}:4)",
        "ticket without an outage: T-2, portal, 2023-11-20 10:00:00 WIB to 2023-11-20 11:00:00 WIB",
        "outage without a ticket: 3, pusat, 2023-11-15 06:20:22 WIB, 0:08:00.0 counted",
    ):
        assert line in said
    assert "T-1" not in said


def test_where_everything_fits_it_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    decree = home / "decree.csv"
    decree.write_text("layanan\nPUSAT\nportal\n")
    assert told(home, capsys, "--period", "2023-11", "--decree", str(decree)) == (0, "2023-11: everything fits.\n")


def test_a_wrong_use_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = told(home, capsys, "--period", "2023-11")
    assert (code, "give --decree FILE, --tickets FILE, or both" in said) == (2, True)
    tickets = home / "tickets.csv"
    tickets.write_text("service,from,to\nportal,soon,\n")
    code, said = told(home, capsys, "--period", "2023-11", "--tickets", str(tickets))
    assert (code, f"{tickets}:2: from" in said) == (2, True)
