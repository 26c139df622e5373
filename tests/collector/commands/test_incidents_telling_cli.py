"""What people say of outages, on the command line and in the report: annotations, acknowledgements, files, notes."""

from __future__ import annotations

import hashlib
import json
import tarfile
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema
import openpyxl
import pytest

from detak_collector import cli
from outage_history import SERVICES, fill

MONTH = "2023-11"
SCHEMA = json.loads((Path(__file__).parents[3] / "docs/report.schema.json").read_text())


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """Three outages, numbered: two at minutes 60 and 70, one at minute 300."""
    home = tmp_path / "detak"
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES)
    fill(home / "state", {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    report(home, capsys)
    return home


def call(home: Path, *arguments: str) -> int:
    return cli.run(["--config", str(home / "collector.toml"), *arguments])


def said(home: Path, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    capsys.readouterr()
    assert call(home, "incidents", *arguments) == 0
    return capsys.readouterr().out


def report(home: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    call(home, "report", "--period", MONTH, "--format", "json")
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    jsonschema.validate(document, SCHEMA)
    return document


def without_words(document: dict[str, Any]) -> dict[str, Any]:
    services = [
        {**one, "outages": [{k: v for k, v in outage.items() if k != "annotation"} for outage in one["outages"]]}
        for one in document["services"]
    ]
    left_out = {"as_of", "ledger", "services", "incidents"}
    return {**{key: value for key, value in document.items() if key not in left_out}, "services": services}


def test_an_annotation_is_in_the_report_and_every_version_of_it_stays(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    before = report(home, capsys)
    said(home, capsys, "annotate", "1", "--cause", "firewall", "--at", "05:13 traffic stops", "--at", "05:20 restarted",
         "--follow-up", "new firmware; Budi; 2023-12-31", "--by", "Siti")  # fmt: skip
    told = said(home, capsys, "annotate", "1", "--effect", "no declarations for <b>8 minutes</b>", "--by", "Ani")
    assert "version 2" in told
    document = report(home, capsys)
    found = document["services"][0]["outages"][0]["annotation"]
    assert (found["cause"], found["effect"]) == ("firewall", "no declarations for <b>8 minutes</b>")
    assert [one["text"] for one in found["chronology"]] == ["traffic stops", "restarted"]
    assert found["follow_up"] == [{"what": "new firmware", "who": "Budi", "until": "2023-12-31"}]
    assert (found["told_by"], found["version"]) == ("Ani", 2)
    assert "annotation" not in document["services"][0]["outages"][1]
    assert without_words(document) == without_words(before)

    shown = said(home, capsys, "show", "1")
    assert shown.index("version 2") < shown.index("version 1")
    assert "by Siti" in shown
    path = tmp_path / "report"
    for form in ("html", "xlsx"):
        call(home, "report", "--period", MONTH, "--format", form, "--output", f"{path}.{form}", "--language", "en")
    page = Path(f"{path}.html").read_text()
    assert "What those in charge wrote of the outages" in page
    assert "&lt;b&gt;8 minutes" in page
    assert "<b>8 minutes" not in page
    sheet = openpyxl.load_workbook(BytesIO(Path(f"{path}.xlsx").read_bytes()))["Outages"]
    heading = [cell.value for cell in sheet[1]]
    row = dict(zip(heading, (cell.value for cell in sheet[2]), strict=True))
    assert row["follow-up"] == "new firmware (Budi, until 31 December 2023)"
    assert row["effect"] == "no declarations for <b>8 minutes</b>"


def test_a_report_as_of_an_earlier_moment_has_no_words_that_came_later(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said(home, capsys, "annotate", "1", "--cause", "firewall")
    capsys.readouterr()
    call(home, "report", "--period", MONTH, "--as-of", "2023-11-20", "--format", "json")
    document = json.loads(capsys.readouterr().out)
    assert "annotation" not in document["services"][0]["outages"][0]


def test_an_acknowledgement_a_note_and_its_end_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said(home, capsys, "acknowledge", "2", "--note", "Budi is on his way", "--by", "Siti")
    told = said(home, capsys, "note", "2", "--id", "Sedang diperbaiki", "--en", "Being repaired", "--public")
    handle = told.split()[1]
    assert "public" in told
    assert "acknowledged" in said(home, capsys, "show", "2")
    assert "Sedang diperbaiki" in said(home, capsys, "notes")
    said(home, capsys, "retract", handle)
    assert "Sedang diperbaiki" not in said(home, capsys, "notes")
    assert call(home, "incidents", "retract", handle) == 2


def test_a_file_is_kept_to_the_byte_and_is_named_by_what_it_is(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    content = b"%PDF-1.4\n" + bytes(range(256)) * 40
    (tmp_path / "berita acara.exe").write_bytes(content)
    told = said(home, capsys, "attach", "1", str(tmp_path / "berita acara.exe"))
    digest = hashlib.sha256(content).hexdigest()
    assert f"sha256 {digest}" in told
    assert "berita acara_exe.pdf" in told
    said(home, capsys, "save", "1", digest[:10], str(tmp_path / "again.pdf"))
    assert (tmp_path / "again.pdf").read_bytes() == content
    said(home, capsys, "detach", "1", digest[:10])
    assert "attached" not in said(home, capsys, "show", "1")
    said(home, capsys, "save", "1", digest, str(tmp_path / "once-more.pdf"))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["annotate", "9", "--cause", "x"], "No outage has this number"),
        (["annotate", "1"], "Say something"),
        (["annotate", "1", "--at", "soon"], "begin with the time"),
        (["annotate", "1", "--follow-up", "x; y; soon"], "There is no such day"),
        (["annotate", "1", "--cause", "a\u202eb"], "cannot be shown"),
        (["note"], "Say something"),
        (["note", "9", "--id", "x"], "No outage has this number"),
        (["show", "9"], "No outage has this number"),
        (["detach", "1", "abc"], "names none of its files: none"),
    ],
)
def test_what_may_not_be_is_refused_in_one_line(
    home: Path, arguments: list[str], line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(home, "incidents", *arguments) == 2
    assert line in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"", "The file is empty"), (b"MZ\x90\x00", "Only PDF"), (b"%PDF-" + b"x" * 5_300_000, "5 MiB")],
)
def test_a_file_that_is_not_taken_leaves_nothing(
    home: Path, content: bytes, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(content)
    assert call(home, "incidents", "attach", "1", str(tmp_path / "file")) == 2
    assert line in capsys.readouterr().err
    assert "attached" not in said(home, capsys, "show", "1")


def test_a_bundle_proves_the_figure_and_has_what_was_said_in_its_entries_alone(
    home: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    said(home, capsys, "annotate", "1", "--cause", "firewall")
    path = str(tmp_path / "month.tar.gz")
    assert call(home, "bundle", MONTH, "-o", path) == 0
    capsys.readouterr()
    code = call(home, "recompute", path, "--format", "json")
    told = capsys.readouterr()
    assert "the same, to the byte" in told.err
    assert code in {0, 1}
    assert "firewall" not in told.out
    with tarfile.open(path) as archive:
        contents = b"".join(file.read() for one in archive if (file := archive.extractfile(one)) is not None)
    assert b'"cause":"firewall"' in contents.replace(b"\\", b"")
