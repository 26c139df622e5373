"""What `status` says of the year's figure: never a verdict without how much it rests on."""

from dataclasses import replace
from fractions import Fraction
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console

from browser.fabricated import healthy
from detak_collector.board.board import Board
from detak_collector.report.status import print_status


def told(**figure: Any) -> str:
    board: Board = healthy()
    console = Console(file=StringIO(), width=200, highlight=False)
    print_status(replace(board, figure=replace(board.figure, **figure)), ZoneInfo("Asia/Jakarta"), console)
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def test_a_verdict_says_how_much_was_observed() -> None:
    said = told(percent=Fraction(1, 100), coverage=Fraction(1, 8), verdict="met", proof="undecided")
    assert "so far: 0.0100 % (target 0.1 %): met, proof: undecided; 12.500 % of the time was observed" in said


@pytest.mark.parametrize("coverage", [None, Fraction(0)])
def test_where_nothing_was_observed_no_verdict_is_claimed(coverage: Fraction | None) -> None:
    said = told(percent=Fraction(0), counted_ms=0, coverage=coverage, verdict="met", proof="undecided")
    assert "so far: nothing was observed, so nothing is said of the target of 0.1 %." in said
    assert "met" not in said


def test_what_is_presumed_down_is_told_though_nothing_was_observed() -> None:
    said = told(percent=Fraction(100), counted_ms=5_000, coverage=Fraction(0), verdict="missed", proof="undecided")
    assert "so far: 100.0000 % (target 0.1 %): missed, proof: undecided; 0.000 % of the time was observed" in said
