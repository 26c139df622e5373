"""The verdict of bench/ingest.py: each requirement is told with its bound, and one that is missed is no success."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"


@pytest.fixture(autouse=True)
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Its modules can be imported."""
    monkeypatch.syspath_prepend(str(BENCH))
    yield
    sys.modules.pop("ingest_verdict", None)


def test_what_is_within_its_bounds_is_met(capsys: pytest.CaptureFixture[str]) -> None:
    from ingest_verdict import of_disk, of_estate, of_saturation, of_tls, told  # noqa: PLC0415 - see above

    found = [*of_saturation(55.0, 100.0), *of_estate(40.0, 40.0, 600.0, 10.0, 30.0), *of_tls(40, 600), *of_disk(150)]
    assert told(found)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 9
    assert all(line.startswith("met ") for line in lines)


@pytest.mark.parametrize("which", range(5))
def test_one_that_is_missed_is_told_and_makes_the_whole_fail(which: int, capsys: pytest.CaptureFixture[str]) -> None:
    from ingest_verdict import of_estate, told  # noqa: PLC0415 - see above

    numbers = [10.0, 10.0, 300.0, 1.0, 5.0]
    numbers[which] *= 31
    assert not told(of_estate(*numbers))
    lines = capsys.readouterr().out.splitlines()
    assert [line.startswith("MISSED") for line in lines] == [at == which for at in range(5)]


def test_less_than_the_share_of_the_rate_is_missed() -> None:
    from ingest_verdict import of_saturation  # noqa: PLC0415 - see above

    assert [one.is_met for one in of_saturation(54.9, 100.0)] == [False]
