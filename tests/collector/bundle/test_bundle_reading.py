"""A bundle is read whole, from a directory or an archive, or refused whole with every problem in it."""
# ruff: noqa: E501 - a row of a table is a change and the line it earns

import gzip
import io
import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.bundle import files as files_module
from detak_collector.bundle.facts import read_facts
from detak_collector.bundle.reading import read_bundle
from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.place import Place
from detak_collector.downtime.facts import Node, Stated

CATALOGUE = """organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "sangat kritis"
probes = ["a/db"]
"""
FACT: dict[str, object] = {
    "node": "a", "check": "db", "state": "down", "first": "2024-01-05T01:00:00Z", "last": "2024-01-05T06:00:00Z",
}  # fmt: skip
EXCLUSION = {
    "id": "x1", "category": "planned", "scope": {"all": True}, "from": "2024-01-05T01:00:00Z", "to": "2024-01-05T02:00:00Z",
    "document": "ND-1", "reason": "r", "proposed_by": "a", "proposed_at": "2024-01-01T00:00:00Z",
}  # fmt: skip
ONE, SIX = 1_704_416_400_000, 1_704_434_400_000
FILES = {
    "services.toml": CATALOGUE,
    "facts.ndjson": json.dumps(FACT) + "\n",
    "exclusions.ndjson": json.dumps(EXCLUSION) + "\n",
    "bundle.json": '{"as_of": "2024-02-01T00:00:00Z"}',
}


def folder(path: Path, files: dict[str, str]) -> Path:
    path.mkdir()
    for name, content in files.items():
        (path / name).write_text(content)
    return path


def archive(path: Path, entries: list[tuple[str, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in entries:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return path


def entries_of(files: dict[str, str], prefix: str = "") -> list[tuple[str, bytes]]:
    return [(prefix + name, content.encode()) for name, content in files.items()]


def lines_of(path: Path) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        read_bundle(path)
    return [line.replace(str(path), "PATH") for line in caught.value.lines]


def facts_of(text: str | bytes) -> tuple[dict[str, Node], list[str]]:
    top = Place("facts.ndjson", [])
    found = read_facts(io.BytesIO(text.encode() if isinstance(text, str) else text), top)
    return found, [line.removeprefix("facts.ndjson:") for line in top.lines]


def test_a_directory_is_a_bundle(tmp_path: Path) -> None:
    bundle = read_bundle(folder(tmp_path / "b", FILES))
    assert bundle.catalogue.organisation.at(0) == "DJBC"
    assert bundle.facts == {"a": Node("a", stated=(Stated("db", "down", ONE, SIX),))}
    assert [one.id for one in bundle.exclusions(until=SIX)] == ["x1"]
    assert bundle.as_of == 1_706_745_600_000


def test_two_files_are_enough(tmp_path: Path) -> None:
    bundle = read_bundle(folder(tmp_path / "b", {name: FILES[name] for name in ("services.toml", "facts.ndjson")}))
    assert (bundle.entered, bundle.as_of) == ((), None)


@pytest.mark.parametrize("prefix", ["", "./", "january/", "./a/b/"])
@pytest.mark.parametrize(("name", "mode"), [("b.tar.gz", "w:gz"), ("b.tgz", "w:gz"), ("b.tar", "w")])
def test_an_archive_says_the_same_as_the_directory(tmp_path: Path, prefix: str, name: str, mode: str) -> None:
    entries = [*entries_of(FILES, prefix), ("notes/readme.txt", b"x"), ("other/facts.ndjson", b"{")]
    packed = archive(tmp_path / name, entries, mode)
    assert read_bundle(packed) == read_bundle(folder(tmp_path / "b", FILES))


def test_holidays_are_found_inside_an_archive(tmp_path: Path) -> None:
    calendar = '[[calendar]]\nid = "kantor"\nweekly = { mon = "closed" }\nholidays = "id.csv"\n'
    files = FILES | {"services.toml": CATALOGUE + calendar, "id.csv": "date,name\n"}
    assert lines_of(archive(tmp_path / "b.tgz", entries_of(files))) == [
        "id.csv: the first line must be date,name,kind,decree",
    ]


def test_the_problems_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    files = {
        "services.toml": CATALOGUE + "colour = 1\n",
        "facts.ndjson": "{",
        "exclusion.ndjson": "",
        "bundle.json": '{"as_of": "today", "asof": 1}',
    }
    told = lines_of(folder(tmp_path / "b", files))
    assert [line.split(" (got")[0].split("; known")[0] for line in told] == [
        "exclusion.ndjson: not a file of a bundle; rename it to exclusions.ndjson or take it away",
        "services.toml: service[impor].colour: unknown key",
        "facts.ndjson:1: not JSON: Input data was truncated",
        "bundle.json: as_of: a time with its zone, such as 2026-03-01T15:00:00Z",
        'bundle.json: asof: unknown key; did you mean "as_of"?',
    ]


def test_exclusions_and_declarations_are_checked_against_the_catalogue(tmp_path: Path) -> None:
    record = EXCLUSION | {"scope": {"service": "ekspor"}}
    files = FILES | {
        "exclusions.ndjson": json.dumps(record),
        "declarations.ndjson": json.dumps(record | {"category": "down"}),
    }
    assert lines_of(folder(tmp_path / "b", files)) == [
        'exclusions.ndjson:1: scope.service: a service of the catalogue (got "ekspor")',
        'declarations.ndjson:1: scope.service: a service of the catalogue (got "ekspor")',
    ]


def test_other_files_may_lie_beside(tmp_path: Path) -> None:
    plain = read_bundle(folder(tmp_path / "plain", FILES))
    others = {"expected.json": "{", "README.md": "x", "agent.toml": "x"}
    assert read_bundle(folder(tmp_path / "b", FILES | others)) == plain


@pytest.mark.parametrize("missing", ["services.toml", "facts.ndjson"])
def test_a_bundle_without_its_two_files_is_refused(tmp_path: Path, missing: str) -> None:
    files = {name: content for name, content in FILES.items() if name != missing}
    assert lines_of(folder(tmp_path / "b", files)) == [
        f"{missing}: missing; a bundle needs services.toml and facts.ndjson"
    ]


def test_a_bundle_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert lines_of(tmp_path / "b") == ["PATH: there is no such file or directory"]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = folder(tmp_path / "b", FILES)
    (path / "services.toml").write_bytes(b"\xff")
    [line] = lines_of(path)
    assert line.startswith("services.toml: not a UTF-8 text: ")


@pytest.mark.parametrize(
    ("entries", "line"),
    [
        ([("../services.toml", b"")], "PATH: '../services.toml' points outside of the archive"),
        ([("/etc/services.toml", b"")], "PATH: '/etc/services.toml' points outside of the archive"),
        ([("facts.ndjson", b"")], "PATH: must hold one services.toml (got 0)"),
        ([("a/services.toml", b""), ("b/services.toml", b"")], "PATH: must hold one services.toml (got 2)"),
        ([(f"{number}.txt", b"") for number in range(1_001)], "PATH: holds more than 1000 files"),
    ],
)
def test_an_archive_that_is_not_one_bundle_is_refused(
    tmp_path: Path, entries: list[tuple[str, bytes]], line: str
) -> None:
    assert lines_of(archive(tmp_path / "b.tgz", entries)) == [line]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE])
def test_an_archive_with_anything_but_files_is_refused(tmp_path: Path, kind: bytes) -> None:
    path = tmp_path / "b.tar"
    with tarfile.open(path, "w") as tar:
        entry = tarfile.TarInfo("services.toml")
        entry.type, entry.linkname = kind, "/etc/passwd"
        tar.addfile(entry)
    assert lines_of(path) == ["PATH: 'services.toml' is not an ordinary file"]


def test_an_archive_larger_than_the_limit_is_refused_before_it_fills_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files_module, "ARCHIVE_BYTES", 100_000)
    path = archive(tmp_path / "b.tgz", [*entries_of(FILES), ("big.txt", bytes(10_000_000))])
    assert lines_of(path) == ["PATH: neither a directory nor a sound tar archive: more than 100000 bytes when unpacked"]


@pytest.mark.parametrize(
    "damage",
    [lambda whole: whole[: len(whole) // 2], lambda whole: b"", lambda whole: b"PK" + whole, lambda whole: gzip.compress(b"x")],
    ids=["cut", "empty", "zip", "no tar"],
)  # fmt: skip
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = archive(tmp_path / "b.tgz", [*entries_of(FILES), ("facts.csv", os.urandom(50_000))])
    path.write_bytes(damage(path.read_bytes()))
    [line] = lines_of(path)
    assert line.startswith("PATH: neither a directory nor a sound tar archive: ")


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"state": "dwn"}, '1: state: one of up, degraded, down, unknown; did you mean "down"? (got "dwn")'),
        ({"node": "A"}, "1: node: lower-case letters, digits, '.', '_' and '-', at most 64 characters (got \"A\")"),
        ({"check": "a/db"}, "1: check: lower-case letters, digits, '.', '_' and '-', at most 64 characters (got \"a/db\")"),
        ({"first": "2024-01-05T01:00:00"}, '1: first: a time with its zone, such as 2026-03-01T15:00:00Z (got "2024-01-05T01:00:00")'),
        ({"first": "2024-01-05T01:00:00.0001Z"}, '1: first: a time with its zone, such as 2026-03-01T15:00:00Z (got "2024-01-05T01:00:00.0001Z")'),
        ({"last": "2024-01-05T06:00:00.0001Z"}, '1: last: a time with its zone, such as 2026-03-01T15:00:00Z (got "2024-01-05T06:00:00.0001Z")'),
        ({"first": "0024-01-05T01:00:00Z"}, '1: first: a time with its zone, such as 2026-03-01T15:00:00Z (got "0024-01-05T01:00:00Z")'),
        ({"first": 1704416400000}, "1: first: a time with its zone, such as 2026-03-01T15:00:00Z (got 1704416400000)"),
        ({"last": "2024-01-05T00:59:59.999Z"}, '1: last: not earlier than first (got "2024-01-05T00:59:59.999Z")'),
        ({"remote": "yes"}, '1: remote: true or false (got "yes")'),
        ({"message": "x" * 501}, f'1: message: a text of at most 500 characters (got "{"x" * 58}…)'),
        ({"stat": "up"}, '1: stat: unknown key; did you mean "state"? (got "up")'),
    ],
)  # fmt: skip
def test_a_flaw_of_a_fact_is_told_in_exactly_this_line(change: dict[str, object], line: str) -> None:
    assert facts_of(json.dumps(FACT | change))[1] == [line]


def test_a_fact_may_be_an_instant_remote_and_carry_a_message() -> None:
    text = json.dumps(FACT | {"last": "2024-01-05T08:00:00.000+07:00", "remote": True, "message": "refused"})
    assert facts_of(text)[0]["a"].stated == (Stated("db", "down", ONE, ONE, remote=True, message="refused"),)


def test_a_fact_lacking_keys_names_each_of_them() -> None:
    assert facts_of("{}")[1] == [
        f"1: {key}: required (got nothing)" for key in ("node", "check", "state", "first", "last")
    ]


def test_lines_that_are_no_objects_are_refused() -> None:
    assert facts_of(b'[]\n\xff\n{"node": "\xff"}\n' + b"[" * 9_000)[1] == [
        "1: a JSON object (got an empty array)",
        "2: not JSON: JSON is malformed: invalid character (byte 0)",
        "3: not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte",
        "4: not JSON: maximum recursion depth exceeded while deserializing an object",
    ]


def test_of_many_problems_the_first_twenty_are_told_and_the_rest_counted() -> None:
    lines = facts_of("{\n" * 25 + json.dumps(FACT))[1]
    assert len(lines) == 21
    assert lines[19].startswith("20: not JSON")
    assert lines[20] == " and 5 more lines with problems"


@pytest.mark.parametrize("begin", [b"", json.dumps(FACT).encode()], ids=["blank", "a fact before"])
def test_a_line_without_end_is_refused_and_not_read_into_memory(begin: bytes) -> None:
    assert facts_of(begin + b" " * 200_000)[1] == ["1: longer than 65536 bytes; nothing after it was read"]


def test_facts_keep_the_order_of_the_file() -> None:
    days = [f"2024-01-{day:02}T00:00:00Z" for day in (3, 1, 2)]
    found, _ = facts_of("\n\n".join(json.dumps(FACT | {"first": day, "last": day}) for day in days))
    assert [fact.first_utc for fact in found["a"].stated] == [1_704_240_000_000, 1_704_067_200_000, 1_704_153_600_000]


SOMETHING: st.SearchStrategy[object] = st.sampled_from(
    ["a", "A", "db", "up", "down", "", None, True, 0, 1.5, [], {}, "2024-01-05T01:00:00Z", "2024-01-05T01:00:00.5+07:00",
     "2024-01-05T01:00:00", "2024-01-05", "2030-01-01T00:00:00Z", "x" * 600]
)  # fmt: skip
KEYS = [*FACT, "remote", "message", "stat"]


@given(st.dictionaries(st.sampled_from(KEYS), SOMETHING, max_size=4))
def test_what_is_refused_is_always_explained_in_words_of_our_own(changes: dict[str, object]) -> None:
    found, lines = facts_of(json.dumps(FACT | changes))
    assert bool(found) != bool(lines)
    assert not any("Expected `" in line or "impossible" in line for line in lines)
