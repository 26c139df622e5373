"""What `detak-verify.html` is answered: the very lines of `detak-verify.pyz`, and values that agree with them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from audited_bundle import audited
from detak_collector.bundle import auditor
from detak_collector.bundle.in_page import Desk
from detak_collector.bundle.manifest import MANIFEST
from detak_collector.translation.verify_page import WORDS
from packed_bundles import files_of, forged

PAGE = Path(__file__).parents[3] / "packaging" / "verify_page"
RECORDS = "ledger/records/1.ndjson"
QUESTIONS = {
    "check": ({"does": "check", "head": ""}, ()),
    "explain": ({"does": "explain", "outage": " 2 "}, ("2",)),
    "sample": ({"does": "sample", "n": "4", "seed": "7"}, ("--n", "4", "--seed", "7")),
    "without": ({"does": "without", "exclusion": "x1"}, ("x1",)),
}


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return audited(tmp_path_factory.mktemp("audited"))


def asked(desk: Desk, **typed: str) -> dict[str, Any]:
    """An answer, and in `steps` what was told of its progress."""
    steps: list[tuple[int, int]] = []
    answer: dict[str, Any] = json.loads(desk.answer(json.dumps(typed), lambda done, of: steps.append((done, of))))
    return {**answer, "steps": steps}


@pytest.mark.parametrize("does", QUESTIONS)
def test_the_page_is_told_what_the_program_says(bundle: Path, does: str, capsys: pytest.CaptureFixture[str]) -> None:
    typed, words = QUESTIONS[does]
    code = auditor.run([does, str(bundle), *words])
    said = capsys.readouterr().out
    answer = asked(Desk(bundle), **typed)
    assert said
    assert (answer["code"], answer["text"], answer["error"]) == (code, said, "")


def test_one_desk_answers_one_question_after_another_and_derives_once(bundle: Path) -> None:
    desk = Desk(bundle)
    first = asked(desk, does="check", head="")
    assert (first["wrong"], first["digest"], first["steps"]) == ([], first["bundled"], [(1, 1)])
    assert (first["figure"]["counted_ms"], first["figure"]["percent"]) == (960_000, "0.0381")
    assert [(one["number"], one["counted_ms"]) for one in first["longest"]] == [
        ("1", 480_000), ("2", 480_000), ("3", 0),
    ]  # fmt: skip
    assert [(one["id"], one["category"]) for one in first["corrections"]] == [("x1", "planned")]
    (outage,) = asked(desk, does="explain", outage="3")["outages"]
    assert [(one["fate"], one["length_ms"]) for one in outage["pieces"]] == [("planned", 600_000)]
    assert [json.loads(line)["state"] for line in outage["lines"]] == ["down"]
    other = asked(desk, does="without", exclusion="x1")
    assert (other["change_ms"], other["other"]["counted_ms"], other["steps"]) == (600_000, 1_560_000, [(1, 1)])
    drawn = asked(desk, does="sample", n="4", seed="7")
    assert (len(drawn["outages"]), len(drawn["spans"]), drawn["steps"]) == (2, 2, [])


def test_a_head_that_was_kept_is_compared_without_deriving_again(bundle: Path) -> None:
    desk = Desk(bundle)
    asked(desk, does="check", head="")
    head = json.loads(files_of(bundle.read_bytes())[MANIFEST])["ledger"]
    kept = asked(desk, does="check", head=head)
    assert (kept["code"], kept["compared"], kept["steps"]) == (0, head, [])
    other = asked(desk, does="check", head="ab" * 32)
    assert (other["code"], other["wrong"][0].split(":")[0], "figure" in other) == (1, "chain", False)
    assert asked(desk, does="check", head=head)["code"] == 0


def test_the_first_bad_record_is_named_and_nothing_of_a_broken_chain_is_explained(bundle: Path, tmp_path: Path) -> None:
    def change(files: dict[str, bytes]) -> None:
        files[RECORDS] = files[RECORDS].replace(b'"state":"down"', b'"state":"up"', 1)

    path = tmp_path / "forged.tar.gz"
    path.write_bytes(forged(bundle.read_bytes(), change))
    answer = asked(Desk(path), does="check", head="")
    assert (answer["code"], answer["wrong"]) == (1, [f"chain: {RECORDS}: its lines are not those of its header"])
    refused = asked(Desk(path), does="explain", outage="1")
    assert (refused["code"], "its chain does not hold" in refused["error"]) == (2, True)


@pytest.mark.parametrize(
    ("typed", "field", "why"),
    [
        ({"does": "check", "head": "9"}, "head", "expected NUMBER:HEX"),
        ({"does": "sample", "n": "0", "seed": "1"}, "n", "must be from 1 to 10000"),
        ({"does": "sample", "n": "25", "seed": "x"}, "seed", "must be a whole number"),
        ({"does": "explain", "outage": "99"}, "", "no outage of this period has the number or id '99'"),
        ({"does": "without", "exclusion": "x9"}, "", "no exclusion or declaration is called 'x9'; there are: x1"),
    ],
)
def test_what_is_wrongly_typed_is_told_at_its_field(bundle: Path, typed: dict[str, str], field: str, why: str) -> None:
    answer = asked(Desk(bundle), **typed)
    assert (answer["code"], answer["field"]) == (2, field)
    assert answer["error"].startswith(why)


def test_a_file_that_is_no_bundle_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear auditor")
    answer = asked(Desk(path), does="check", head="")
    assert answer["code"] == 2
    assert answer["error"].startswith(f"{path}: ")


def test_every_sentence_of_the_page_is_among_those_that_are_translated() -> None:
    script = "".join((PAGE / name).read_text() for name in ("view.js", "page.js"))
    said = set(re.findall(r'\bsay\("([^"]*)"', script))
    said |= set(re.findall(r" data-say>([^<]+)<", (PAGE / "page.html").read_text()))
    refusals = {one for one in WORDS if one.startswith(("must be ", "expected "))}
    assert said | refusals == set(WORDS)
    assert len(refusals) == 3
