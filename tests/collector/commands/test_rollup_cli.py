"""The bundles of several organisations in one table: each checked, added up by sums, a forged one left out."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from pathlib import Path

import pytest

from detak_collector import cli
from detak_collector.bundle.manifest import RESULT
from outage_history import SERVICES, Downs, fill
from packed_bundles import forged

MINUTE = 60_000


def made(folder: Path, organisation: str, downs: dict[str, Downs], period: str = "2023-11", more: str = "") -> Path:
    home = folder / organisation
    assert cli.run(["init", str(home)]) == 0
    (home / "services.toml").write_text(SERVICES.replace('"DJBC"', f'"{organisation}"') + more)
    fill(home / "state", downs, 400)
    path = folder / f"{organisation}-{period}.tar.gz"
    assert cli.run(["--config", str(home / "collector.toml"), "bundle", period, "-o", str(path)]) == 0
    return path


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """One with 16 minutes of downtime over two services, one with 10 over the same and a third that was always up."""
    folder = tmp_path_factory.mktemp("rollup")
    third = SERVICES[SERVICES.index("[[service]]") : SERVICES.rindex("[[service]]")].replace('"portal"', '"ketiga"')
    return (
        made(folder, "Satu", {"web": [(60, 68)], "api": [(67, 75)]}),
        made(folder, "Dua", {"web": [], "api": [(300, 310)]}, more=third),
    )


def called(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, str, str]:
    capsys.readouterr()
    code = cli.run(["rollup", *map(str, words)])
    return code, *capsys.readouterr()


def test_the_figure_of_all_is_the_ratio_of_sums_and_the_plain_mean_stands_beside_it(
    bundles: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    code, output, _ = called(capsys, *bundles, "--format", "json")
    told = json.loads(output)
    one, two = told["organisations"]
    assert (code, [one["organisation"], two["organisation"]]) == (0, ["Satu", "Dua"])
    assert (one["counted_ms"], two["counted_ms"]) == (16 * MINUTE, 10 * MINUTE)
    assert two["service_time_ms"] * 2 == one["service_time_ms"] * 3
    whole = told["all"]
    assert whole["counted_ms"] == 26 * MINUTE
    ratio = Fraction(100 * 26 * MINUTE, one["service_time_ms"] + two["service_time_ms"])
    assert abs(Fraction(whole["percent"]) - ratio) < Fraction(1, 10**11)
    mean = (Fraction(one["percent"]) + Fraction(two["percent"])) / 2
    assert abs(Fraction(whole["mean_of_organisations"]) - mean) < Fraction(1, 10**11)
    assert whole["mean_of_organisations"] != whole["percent"]
    assert one["sound"]
    assert one["verdict"] == "met"


def test_text_and_csv_say_the_same(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, text, _ = called(capsys, *bundles)
    assert code == 0
    assert "2023-11: 2 bundles" in text
    assert "Satu-2023-11.tar.gz: sound" in text
    assert "All: 0.0120 %, the ratio of sums: exactly 1,560,000 ms counted of 12,960,000,000 ms" in text
    file = tmp_path / "all.csv"
    assert called(capsys, *bundles, "--format", "csv", "-o", file)[0] == 0
    rows = list(csv.DictReader(io.StringIO(file.read_text())))
    assert [(row["organisation"], row["counted_ms"], row["sound"]) for row in rows] == [
        ("Satu", "960000", "true"),
        ("Dua", "600000", "true"),
    ]
    assert all(len(row["result_digest"]) == 64 for row in rows)


def test_a_forged_bundle_and_what_is_none_are_shown_and_enter_no_sum(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def better(files: dict[str, bytes]) -> None:
        files[RESULT] = (
            files[RESULT]
            .replace(b'"counted_ms": 600000', b'"counted_ms": 1')
            .replace(b'"counted_ms":600000', b'"counted_ms":1')
        )

    forgery, nothing = tmp_path / "forged.tar.gz", tmp_path / "nothing.tar.gz"
    forgery.write_bytes(forged(bundles[1].read_bytes(), better))
    nothing.write_bytes(b"\x1f\x8b nothing")
    code, text, _ = called(capsys, bundles[0], forgery, nothing)
    assert code == 1
    assert "forged.tar.gz: figure: recomputed it is another one" in text
    assert "nothing.tar.gz: NOT SOUND" in text
    assert "exactly 960,000 ms counted" in text
    assert "2 not sound, and in no sum." in text
    code, output, _ = called(capsys, bundles[0], forgery, "--format", "json")
    assert (code, json.loads(output)["all"]["left_out"]) == (1, 1)


def test_bundles_of_other_periods_or_of_one_organisation_twice_make_no_table(
    bundles: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = made(tmp_path, "Tiga", {"web": [], "api": []}, "2023")
    code, _, errors = called(capsys, *bundles, other)
    assert code == 2
    assert "Tiga-2023.tar.gz: is of 2023, and Satu-2023-11.tar.gz of 2023-11" in errors
    code, _, errors = called(capsys, *bundles, bundles[0])
    assert code == 2
    assert "Satu of this collector stands in Satu-2023-11.tar.gz already" in errors
