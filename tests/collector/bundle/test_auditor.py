"""`detak-verify.pyz` on a plain Python: what holds is found to hold, what was forged is found out."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detak_collector.bundle import auditor
from detak_collector.bundle.manifest import BLOCKS, CORRECTIONS, IDENTITY, MANIFEST, RESULT, SERVICES
from detak_collector.bundle.zones import rules_here
from detak_collector.clocks import Reading
from detak_collector.downtime.periods import parse_period
from detak_collector.store.sqlite import open_store
from evidence_builders import reading
from outage_history import SERVICES as CATALOGUE
from outage_history import fill
from packed_bundles import bundled, files_of, forged
from report_cases import JAKARTA

ROOT = Path(__file__).parents[3]
NOW: Reading = reading(500 * 60_000)
FACTS = "facts/2023-11.ndjson"
RECORDS = "ledger/records/1.ndjson"
Forge = Callable[[dict[str, bytes]], None]


def made(folder: Path) -> bytes:
    """A month with two outages, of which one has two checks."""
    fill(folder, {"web": [(60, 68), (300, 310)], "api": [(67, 75)]}, 400)
    store = open_store(folder, NOW)
    try:
        return bundled(store, CATALOGUE, parse_period("2023-11", JAKARTA, NOW.utc), NOW)
    finally:
        store.close()


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "b.tar.gz"
    path.write_bytes(made(tmp_path_factory.mktemp("store")))
    return path


@pytest.fixture(scope="module")
def pyz(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pyz") / "detak-verify.pyz"
    subprocess.run([sys.executable, ROOT / "packaging/verify.py", "-o", path], check=True, capture_output=True)
    return path


def plain(pyz: Path, *words: str | Path) -> tuple[int, str, str]:
    """What it says on a Python without any other package, with nothing of this machine's environment."""
    said = subprocess.run(
        [sys.executable, "-I", "-S", pyz, *words], capture_output=True, text=True, timeout=120, check=False, env={}
    )
    return said.returncode, said.stdout, said.stderr


def test_the_same_sources_give_the_same_file(pyz: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.pyz"
    subprocess.run([sys.executable, ROOT / "packaging/verify.py", "-o", again], check=True, capture_output=True)
    assert again.read_bytes() == pyz.read_bytes()


def test_on_a_plain_python_a_bundle_holds_and_its_figure_is_the_same(pyz: Path, sound: Path) -> None:
    code, told, errors = plain(pyz, "check", sound)
    assert (code, errors) == (0, "")
    digest = sha256(files_of(sound.read_bytes())[RESULT]).hexdigest()
    assert f"result    SHA-256 {digest}" in told
    assert "1,560,000 ms counted of " in told
    assert "head      not compared: give one that you kept (--head)" in told
    assert told.endswith(f"SOUND     {sound}\n")


def test_a_head_that_was_kept_is_compared(pyz: Path, sound: Path) -> None:
    head = json.loads(files_of(sound.read_bytes())[MANIFEST])["ledger"]
    code, told, _ = plain(pyz, "check", sound, "--head", head)
    assert (code, f"head      {head} is one of them" in told) == (0, True)
    number, _, digest = head.partition(":")
    other = f"{number}:{'0' if digest[0] != '0' else '1'}{digest[1:]}"
    code, told, _ = plain(pyz, "check", sound, "--head", other)
    assert (code, "WRONG" in told, told.endswith(f"NOT SOUND {sound}\n")) == (1, True, True)


def test_an_outage_is_explained_with_the_lines_of_its_records(pyz: Path, sound: Path) -> None:
    code, told, _ = plain(pyz, "explain", sound, "1")
    assert code == 0
    lines = [json.loads(line.partition("{")[1] + line.partition("{")[2]) for line in told.splitlines()
             if line.startswith("line")]  # fmt: skip
    assert [(one["check"], one["state"]) for one in lines] == [("web", "down")]
    assert "counted 0:08:00.0" in told
    code, told, errors = plain(pyz, "explain", sound, "99")
    assert (code, told, errors) == (2, "", "no outage of this period has the number or id '99'\n")


def test_a_sample_is_the_same_for_a_seed_and_another_for_another(pyz: Path, sound: Path) -> None:
    first, again, other = (plain(pyz, "sample", sound, "--n", "4", "--seed", seed) for seed in ("1", "1", "3"))
    assert first == again
    assert first[0] == 0
    assert first[1].endswith("sample: 2 outages and 2 spans, seed 1\n")
    assert first[1] != other[1]
    everything = plain(pyz, "sample", sound, "--n", "10000", "--seed", "1")[1]
    assert everything.count("\nOUTAGE") + everything.startswith("OUTAGE") == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("check", "missing.tar.gz"), (3, "No such file or directory")),
        (("check",), (2, "the following arguments are required: FILE")),
        ((), (2, "the following arguments are required: COMMAND")),
        (("check", "b", "--head", "9"), (2, "expected NUMBER:HEX")),
        (("sample", "b", "--seed", "1", "--n", "0"), (2, "must be from 1 to 10000")),
    ],
)
def test_wrong_use_is_told_in_words(
    words: tuple[str, ...], why: tuple[int, str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert auditor.run(words) == why[0]
    told = capsys.readouterr().err
    assert why[1] in told
    assert "Traceback" not in told


def _replaced(name: str, before: bytes, after: bytes) -> Forge:
    def change(files: dict[str, bytes]) -> None:
        assert before in files[name]
        files[name] = files[name].replace(before, after, 1)

    return change


def _span_left_out(files: dict[str, bytes]) -> None:
    lines = files[FACTS].splitlines(keepends=True)
    files[FACTS] = b"".join(one for one in lines if b'"state":"down"' not in one or b'"web"' not in one)


def _joined_over_a_failure(files: dict[str, bytes]) -> None:
    """What was up before a failure and after it, told as one: up all the time."""
    lines = files[FACTS].splitlines()
    told = [json.loads(one) for one in lines]
    web = [one for one in told if one.get("check") == "web"]
    first, last = web[0], web[2]
    first.update(last_begin=last["last_begin"], last_end=last["last_end"], through=last["number"])
    gone = {one["number"] for one in web[1:3]}
    kept = [one for one in told if one.get("number") not in gone or one.get("check") != "web"]
    files[FACTS] = b"".join(json.dumps(one).encode() + b"\n" for one in kept)


def _rechained(files: dict[str, bytes]) -> None:
    """Records altered, with the digest of their block set right: what follows cannot be."""
    files[RECORDS] = files[RECORDS].replace(b'"state":"down"', b'"state":"up"')
    header = json.loads(files[BLOCKS].splitlines()[0])
    header["digest"] = sha256(files[RECORDS]).hexdigest()
    files[BLOCKS] = json.dumps(header, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def _correction_made_up(files: dict[str, bytes]) -> None:
    one = {
        "id": "x1", "category": "planned", "scope_kind": "all", "scope": "", "begin": 0, "end": 2_000_000_000_000,
        "document": "ND", "reason": "none", "proposed_by": "a", "proposed_at": 1, "approved_by": "b",
        "approved_at": 2,
    }  # fmt: skip
    files[CORRECTIONS] = json.dumps({"exclusions": [one], "declarations": []}).encode()


def _block_added(files: dict[str, bytes]) -> None:
    files["ledger/records/7.ndjson"] = b""


@pytest.mark.parametrize(
    ("forge", "why"),
    [
        (_replaced(RESULT, b'"counted_ms":1560000', b'"counted_ms":1500000'), "figure: recomputed it is another one"),
        (_replaced(FACTS, b'"state":"down"', b'"state":"up"'), "is not as its record says"),
        (_replaced(FACTS, b'"last_end":', b'"last_end":1'), "is not as its record says"),
        (_replaced(FACTS, b'"interval_ms":', b'"interval_ms":1'), "its opening is not that of the record"),
        (_replaced(FACTS, b'"times":[', b'"times":[1'), "a clock exchange is in no record"),
        (_span_left_out, "recorded, and left out"),
        (_joined_over_a_failure, "is not as its record says"),
        (_replaced(RECORDS, b'"state":"down"', b'"state":"up"'), "its lines are not those of its header"),
        (_rechained, "chain: the chain ends with"),
        (_correction_made_up, "exclusion x1: is not as it was proposed and approved in the ledger"),
        (_replaced(SERVICES, b'id = "pusat"', b'id = "other"'), "figure: recomputed it is another one"),
        (_block_added, "ledger/records/7.ndjson: no block of the chain"),
        (_replaced(BLOCKS, b'"recorded_utc":', b'"recorded_utc":1'), "chain: the chain ends with"),
    ],
)
def test_a_forger_who_sets_the_manifest_right_is_found_out(
    sound: Path, forge: Forge, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "forged.tar.gz"
    path.write_bytes(forged(sound.read_bytes(), forge))
    assert auditor.run(["check", str(path)]) == 1
    told = capsys.readouterr().out
    assert why in told
    assert told.endswith(f"NOT SOUND {path}\n")


def test_what_a_bundle_says_never_reaches_the_terminal_as_a_command(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "forged.tar.gz"
    path.write_bytes(forged(sound.read_bytes(), lambda _files: None, period="\x1b[2J\nSOUND"))
    auditor.run(["check", str(path)])
    assert "\x1b" not in capsys.readouterr().out


def test_a_header_that_names_no_head_before_it_is_found(
    sound: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "forged.tar.gz"
    zero = b"0" * 64

    def change(files: dict[str, bytes]) -> None:
        previous = json.loads(files[BLOCKS])["previous"].encode()
        files[BLOCKS] = files[BLOCKS].replace(previous, zero)

    path.write_bytes(forged(sound.read_bytes(), change))
    assert auditor.run(["check", str(path)]) == 1
    assert "block 1: it does not name the head before it" in capsys.readouterr().out


def test_figures_are_derived_by_the_rules_of_zones_in_the_bundle(pyz: Path, sound: Path, tmp_path: Path) -> None:
    (makassar,) = rules_here(["Asia/Makassar"]).values()
    path = tmp_path / "forged.tar.gz"
    change = {"zones/Asia/Jakarta": makassar}
    path.write_bytes(forged(sound.read_bytes(), lambda files: files.update(change)))
    assert plain(pyz, "check", path) == (2, "", f"{path}: its months are not those of its period\n")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)
@given(st.sampled_from([RESULT, BLOCKS, RECORDS, IDENTITY]), st.randoms(use_true_random=False))
def test_no_byte_of_chain_or_result_can_be_changed_by_who_sets_the_manifest_right(
    sound: Path, tmp_path: Path, name: str, random: Random
) -> None:
    def change(files: dict[str, bytes]) -> None:
        content = bytearray(files[name])
        at = random.randrange(len(content))
        content[at] = (content[at] + random.randrange(1, 256)) % 256
        files[name] = bytes(content)

    path = tmp_path / "forged.tar.gz"
    path.write_bytes(forged(sound.read_bytes(), change))
    assert auditor.run(["check", str(path)]) in {1, 2}
