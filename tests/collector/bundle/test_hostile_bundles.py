"""Whoever sends a bundle may mean harm: what it may hold is limited, and what is refused is refused with a reason."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from detak_collector.bundle import package as package_module
from detak_collector.bundle.deriving import contents_of, result_of
from detak_collector.bundle.manifest import CORRECTIONS, MANIFEST, NUMBERING, SERVICES
from detak_collector.bundle.package import BundleError, is_packed, open_package
from detak_collector.clocks import Reading
from detak_collector.downtime.periods import parse_period
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from outage_history import SERVICES as CATALOGUE
from outage_history import fill
from packed_bundles import bundled, files_of, forged, put_together
from report_cases import JAKARTA

FACTS = "facts/2023-11.ndjson"
NOW: Reading = reading(500 * 60_000)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bundle of a month with an outage."""
    folder = tmp_path_factory.mktemp("store")
    fill(folder, {"web": [(300, 310)], "api": []}, 400)
    store = open_store(folder, NOW)
    try:
        return bundled(store, CATALOGUE, parse_period("2023-11", JAKARTA, NOW.utc), NOW)
    finally:
        store.close()


def refusal(content: bytes, tmp_path: Path) -> str:
    """Why the bundle is not taken."""
    path = tmp_path / "b.tar.gz"
    path.write_bytes(content)
    with pytest.raises(BundleError) as refused, contents_of(open_package(path)) as contents:
        result_of(contents)
    return str(refused.value).replace(str(path), "FILE")


def test_a_sound_bundle_is_taken(sound: bytes, tmp_path: Path) -> None:
    path = tmp_path / "b.tar.gz"
    path.write_bytes(sound)
    assert is_packed(path)
    with contents_of(open_package(path)) as contents:
        assert result_of(contents).figure.counted_ms == 600_000


def archive_of(*entries: tarfile.TarInfo, content: bytes = b"") -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for one in entries:
            one.size = len(content) if one.isreg() else 0
            archive.addfile(one, io.BytesIO(content))
    return made.getvalue()


def entry(name: str, kind: bytes = tarfile.REGTYPE, to: str = "") -> tarfile.TarInfo:
    made = tarfile.TarInfo(name)
    made.type, made.linkname = kind, to
    return made


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (entry("bundle.json", tarfile.SYMTYPE, "/etc/passwd"), "not an ordinary file"),
        (entry("bundle.json", tarfile.LNKTYPE, "services.toml"), "not an ordinary file"),
        (entry("zones", tarfile.DIRTYPE), "not an ordinary file"),
        (entry("bundle.json", tarfile.CHRTYPE), "not an ordinary file"),
        (entry("bundle.json", tarfile.FIFOTYPE), "not an ordinary file"),
        (entry("/etc/passwd"), "not the name of a file of a bundle"),
        (entry("../bundle.json"), "not the name of a file of a bundle"),
        (entry("zones/../../x"), "not the name of a file of a bundle"),
        (entry("tables/../x"), "not the name of a file of a bundle"),
        (entry("tables/.."), "not the name of a file of a bundle"),
        (entry("./bundle.json"), "not the name of a file of a bundle"),
        (entry("tables/a\\b"), "not the name of a file of a bundle"),
        (entry("zones/" + "a" * 41), "not the name of a file of a bundle"),
        (entry("facts/2023-11.ndjson\n"), "not the name of a file of a bundle"),
    ],
    ids=lambda one: one.name.strip() if isinstance(one, tarfile.TarInfo) else None,
)
def test_links_devices_folders_and_other_names_are_refused(one: tarfile.TarInfo, why: str, tmp_path: Path) -> None:
    assert why in refusal(archive_of(one), tmp_path)


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    assert "services.toml: is there twice" in refusal(archive_of(entry(SERVICES), entry(SERVICES)), tmp_path)


def test_an_archive_that_unpacks_to_more_than_it_may_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(package_module, "PACKED_BYTES", 1_000_000)
    bomb = archive_of(entry(SERVICES), content=b"\0" * 2_000_000)
    assert len(bomb) < 10_000
    assert "more than 1000000 bytes when unpacked" in refusal(bomb, tmp_path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(package_module, "PACKED_FILES", 3)
    many = archive_of(*(entry(f"ledger/records/{number}.ndjson") for number in range(1, 6)))
    assert "holds more than 3 files" in refusal(many, tmp_path)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x1f\x8b", b"no archive", gzip.compress(b"no archive"), b"\0" * 1024, gzip.compress(b"\0" * 1024)],
    ids=["empty", "cut", "text", "zipped text", "end", "zipped end"],
)
def test_what_is_no_archive_of_a_bundle_is_refused(content: bytes, tmp_path: Path) -> None:
    assert refusal(content, tmp_path)
    path = tmp_path / "again.tar.gz"
    path.write_bytes(content)
    assert not is_packed(path)


@pytest.mark.parametrize("kept", [0.1, 0.5, 0.9, 0.99])
def test_a_bundle_that_was_cut_off_is_refused(sound: bytes, kept: float, tmp_path: Path) -> None:
    assert refusal(sound[: int(len(sound) * kept)], tmp_path)


def test_a_file_altered_taken_away_or_added_is_named(sound: bytes, tmp_path: Path) -> None:
    files = files_of(sound)
    altered = put_together({**files, SERVICES: files[SERVICES] + b"\n"})
    assert refusal(altered, tmp_path) == "FILE: services.toml: altered: its SHA-256 is not the one in bundle.json"
    lacking = put_together({name: one for name, one in files.items() if name != SERVICES})
    assert refusal(lacking, tmp_path) == "FILE: services.toml: missing, though bundle.json names it"
    added = put_together({**files, "tables/x.csv": b""})
    assert refusal(added, tmp_path) == "FILE: tables/x.csv: bundle.json does not name it"


def _lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[dict[str, bytes]], None]:
    def changed(files: dict[str, bytes]) -> None:
        files[FACTS] = b"".join(line + b"\n" for line in change(files[FACTS].splitlines()))

    return changed


def _text(before: bytes, after: bytes) -> Callable[[dict[str, bytes]], None]:
    def changed(files: dict[str, bytes]) -> None:
        assert before in files[FACTS]
        files[FACTS] = files[FACTS].replace(before, after, 1)

    return changed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (_text(b'"down_after_ms":15000', b'"down_after_ms":1' + b"0" * 5_000), "not JSON of a bundle"),
        (_text(b'"down_after_ms":15000', b'"down_after_ms":9007199254740993'), "must be a whole number of at most"),
        (_text(b'"down_after_ms":15000', b'"down_after_ms":1e400'), "is not whole"),
        (_text(b'"down_after_ms":15000', b'"down_after_ms":true'), "must be a whole number"),
        (_text(b'"down_after_ms":15000', b'"down_after_ms":NaN'), "is not whole"),
        (_text(b'"name":"db-01"', b'"name":"db\\u0000"'), "without NUL"),
        (_text(b'"name":"db-01"', b'"name":"db-01","more":1'), "has the unknown key 'more'"),
        (_text(b'"state":"down"', b'"state":["down"]'), "state: must be a text of at most 65536 characters"),
        (_text(b',"state":"down"', b""), "lacks state"),
        (_lines(lambda lines: lines[1:]), "the first line, and no other, must be the record `collector`"),
        (_lines(lambda lines: [lines[0], *lines]), "the first line, and no other, must be the record `collector`"),
        (_lines(lambda lines: [*lines, lines[1]]), "this node was there before"),
        (_lines(lambda lines: [lines[0], *lines[2:]]), "no record that may stand here"),
        (_lines(lambda lines: [*lines, b"[" * 100_000]), "not JSON of a bundle"),
        (_lines(lambda lines: [*lines, b"[]"]), "must be a JSON object"),
        (_lines(lambda lines: [*lines, b"\xff"]), "not JSON of a bundle"),
        (_lines(lambda _lines: []), "is empty"),
    ],
)
def test_facts_that_are_none_are_refused_with_their_line(
    sound: bytes, change: Callable[[dict[str, bytes]], None], why: str, tmp_path: Path
) -> None:
    told = refusal(forged(sound, change), tmp_path)
    assert why in told
    assert told.startswith(f"FILE: {FACTS}")
    assert len(told) < 400


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        (SERVICES, b"organisation = 1", "organisation"),
        (SERVICES, b"\xff", "not a UTF-8 text"),
        (CORRECTIONS, b'{"exclusions":[]}', "lacks declarations"),
        (CORRECTIONS, b'{"exclusions":{},"declarations":[]}', "must be an array"),
        (NUMBERING, b"null", "must be a JSON object"),
        ("zones/Asia/Jakarta", b"no rules", "not the rules of a time zone"),
        ("zones/Asia/Jakarta", b"TZif" + b"2" * 70_000, "of at most 65536 bytes"),
    ],
)
def test_other_files_that_are_none_are_refused_by_name(
    sound: bytes, name: str, content: bytes, why: str, tmp_path: Path
) -> None:
    told = refusal(forged(sound, lambda files: files.update({name: content})), tmp_path)
    assert why in told
    assert name in told


def test_the_rules_of_a_zone_must_be_in_the_bundle(sound: bytes, tmp_path: Path) -> None:
    def taken(files: dict[str, bytes]) -> None:
        del files["zones/Asia/Jakarta"]

    assert "the rules of the time zone Asia/Jakarta are missing" in refusal(forged(sound, taken), tmp_path)


def test_a_figure_by_other_rules_or_in_another_format_is_not_recomputed(sound: bytes, tmp_path: Path) -> None:
    other = forged(sound, lambda _files: None, rule_version="0")
    assert "derived by rule version '0', this program has" in refusal(other, tmp_path)
    later = forged(sound, lambda _files: None, version=3)
    assert "this program reads detak-bundle 1 and 2 (got detak-bundle 3)" in refusal(later, tmp_path)


def test_months_that_are_not_those_of_the_period_are_refused(sound: bytes, tmp_path: Path) -> None:
    months = json.loads(files_of(sound)[MANIFEST])["months"]
    for wrong in ([], months * 2, [{**months[0], "end": months[0]["end"] - 1}]):
        told = refusal(forged(sound, lambda _files: None, months=wrong), tmp_path)
        assert told == "FILE: its months are not those of its period"
