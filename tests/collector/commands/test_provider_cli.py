"""The report of one third party: what is put down to him, how he takes it, what it took out, in every format."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pypdf
import pytest
from openpyxl.workbook import Workbook

from detak_collector import cli
from detak_collector.decisions.claims import ClaimBody, body_of
from detak_collector.decisions.proposal import ADD, APPROVE, EXCLUSION, Provider
from detak_collector.decisions.recording import Author, Draft, Ruling, enter
from detak_collector.decisions.register import Register
from detak_collector.pair.entry import CLAIM
from detak_collector.report.numbers import iso_utc
from detak_collector.store.sqlite import open_store
from evidence_builders import START_UTC, reading
from outage_history import SERVICES, fill
from workbook import opened, recomputed

MINUTE = 60_000
MINUTES_MS = 8 * MINUTE
TELKOM = "PT Telkom"
NAME = "=HYPERLINK(telkom) <b>"


def record(begin: int, end: int, **other: Any) -> dict[str, Any]:
    told = {"category": "third_party", "scope": {"service": "portal"}, "document": "BA-1/2023", "reason": NAME, **other}
    from_, to = (START_UTC + 2_000 + at * MINUTE for at in (begin, end))
    return {**told, "from": iso_utc(from_), "to": iso_utc(to)}


class Home:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def call(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        given = ["--config", str(self.folder / "collector.toml"), "report", "--period", "2023-11", *words]
        code = cli.run(given)
        return code, *self._capsys.readouterr()

    def says(self, *words: str) -> str:
        code, output, errors = self.call("--provider", TELKOM, *words)
        assert code == 0, errors
        return output


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    """Two outages of `portal`; three exclusions of Telkom's, in force and disputed, and pending, and another's."""
    folder = tmp_path / "detak"
    assert cli.run(["init", str(folder)]) == 0
    (folder / "services.toml").write_text(SERVICES)
    fill(folder / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    store = open_store(folder / "state", reading(0))
    try:
        now = START_UTC + 500 * MINUTE
        ani, budi = Author("Ani", "ani"), Author("Budi", "budi")
        telkom = Provider(TELKOM, "MPLS-7", "INC-99", START_UTC + 61 * MINUTE, START_UTC + 66 * MINUTE)
        drafts = [
            Draft(EXCLUSION, ADD, record=record(55, 70), provider=telkom),
            Draft(EXCLUSION, ADD, record=record(300, 310), provider=Provider("pt. TELKOM")),
            Draft(EXCLUSION, ADD, record=record(60, 62, scope={"service": "pusat"}), provider=Provider("Lintas")),
        ]
        register, names = enter(store.database, drafts, ani, now)
        enter(store.database, [Ruling(EXCLUSION, names[0], APPROVE)], budi, now + 1)
        store.entries.append(CLAIM, body_of(claim(register, names[0], "accepted", "fine")), "Ani", now + 2)
        store.entries.append(CLAIM, body_of(claim(register, names[0], "disputed", "our NOC was up")), "Ani", now + 3)
    finally:
        store.close()
    return Home(folder, capsys)


def claim(register: Register, name: str, stance: Any, reason: str) -> ClaimBody:
    matter = register.named(name, EXCLUSION)
    assert matter is not None
    return ClaimBody(matter.proposal.entry.id, name, stance, reason, "ani")


def test_a_provider_s_report_has_his_exclusions_tickets_outages_and_how_he_takes_them(home: Home) -> None:
    told = json.loads(home.says("--format", "json"))
    first, second = told["exclusions"]
    assert (first["exclusion"], first["state"], first["stance"], first["stance_reason"]) == (
        "x1", "in force", "disputed", "our NOC was up",
    )  # fmt: skip
    assert (first["ticket"], first["circuit"], first["length_ms"]) == ("INC-99", "MPLS-7", 15 * MINUTE)
    assert first["took_out_ms"] == pytest.approx(MINUTES_MS, abs=MINUTE)
    assert [(one["service"], one["number"]) for one in first["outages"]] == [("portal", 1)]
    assert first["outages"][0]["shared_ms"] == pytest.approx(MINUTES_MS, abs=MINUTE)
    assert (second["exclusion"], second["state"], second["stance"], second["took_out_ms"]) == (
        "x2", "pending", "claimed", None,
    )  # fmt: skip
    assert told["took_out_ms"] == first["took_out_ms"]
    assert told["stances"]["disputed"] == {"number": 1, "length_ms": 15 * MINUTE}
    assert told["ledger"]


def test_what_it_took_out_is_the_difference_to_the_organisation_s_figure(home: Home) -> None:
    took_out = json.loads(home.says("--format", "json"))["took_out_ms"]
    _, output, _ = home.call("--format", "json")
    figure = json.loads(output)["figure"]
    assert figure["beside"]["without_exclusions"]["counted_ms"] - figure["counted_ms"] == took_out


def test_every_format_says_the_same_in_its_own_way(home: Home, tmp_path: Path) -> None:
    took_out = json.loads(home.says("--format", "json"))["took_out_ms"]
    rows = list(csv.DictReader(io.StringIO(home.says("--format", "csv"))))
    assert [row["exclusion"] for row in rows] == ["x1", "x2"]
    assert (int(rows[0]["took_out_ms"]), rows[0]["outages"], rows[0]["reason"]) == (took_out, "1", f"'{NAME}")
    text, indonesian = home.says(), home.says("--language", "id")
    assert all(word in text for word in ("What PT Telkom answers for", "INC-99, MPLS-7", "disputed by him", "x2"))
    assert "Yang menjadi tanggung jawab PT Telkom" in indonesian
    assert "disanggah" in indonesian.casefold() or "dibantah" in indonesian.casefold()
    page = home.says("--format", "html")
    assert f'<data value="{took_out}">' in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    paper = tmp_path / "telkom.pdf"
    home.says("--format", "pdf", "-o", str(paper))
    pages = "".join(one.extract_text() for one in pypdf.PdfReader(paper).pages)
    assert "INC-99" in pages
    assert "For the organisation" in pages


def test_the_workbook_adds_up_by_live_formulas_and_follows_what_is_changed_in_it(home: Home, tmp_path: Path) -> None:
    told = json.loads(home.says("--format", "json"))
    for code in ("en", "id"):
        file = tmp_path / f"telkom-{code}.xlsx"
        home.says("--format", "xlsx", "--language", code, "-o", str(file))
        sheet = recomputed(file.read_bytes())
        length = sum(one["length_ms"] for one in told["exclusions"])
        disputed = told["stances"]["disputed"]
        assert (sheet["B4"], sheet["B5"], sheet["B7"]) == (2, told["took_out_ms"], length)
        assert (sheet["B10"], sheet["B11"]) == (disputed["number"], disputed["length_ms"])
        assert (sheet["B16"], sheet["B17"]) == (0, 0)
        assert sheet["B19"] == f"{told['ledger']}"
        book = opened(file.read_bytes())
        row = [one.value for one in book.worksheets[1][2]]
        assert row[:3] == ["x1", "INC-99", "MPLS-7"]
        assert NAME in row, "what begins like a formula stays a text"
        assert book.worksheets[2].max_row == 1 + sum(len(one["outages"]) for one in told["exclusions"])

    def halved(book: Workbook) -> None:
        book.worksheets[1]["K2"] = told["took_out_ms"] // 2

    changed = recomputed(file.read_bytes(), halved)
    assert (changed["B5"], changed["B16"]) == (told["took_out_ms"] // 2, -(told["took_out_ms"] // 2))


def test_what_there_is_not_is_refused_in_words(home: Home, capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        (("--provider", "Indosat"), "one of Lintas, PT Telkom (got 'Indosat')"),
        (("--provider", TELKOM, "--of", "portal"), "--of: not with --provider"),
    ):
        code, _, errors = home.call(*words)
        assert (code, said in errors) == (2, True), errors
    code, output, _ = home.call("--provider", TELKOM.upper())
    assert code == 0
    assert "What PT Telkom answers for" in output
