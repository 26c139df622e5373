"""Charts of metrics: what their script gets to draw, and that the library is the one that was looked at."""

from __future__ import annotations

import hashlib
import json
import re
from itertools import accumulate

from detak_collector.metrics import Moment
from detak_collector.translation.language import language
from detak_collector.web.metric_charts import Chart, charts
from detak_collector.web.render import STATIC

BEGIN, STEP, CPU = 1_700_000_000_000, 60_000, 0
UPLOT = STATIC / "vendor" / "uplot"


def chart(values: dict[int, tuple[int, int]], end: int) -> Chart:
    """Of values by step, in tenths of a percent, over [0, end) steps."""
    moments = [Moment(BEGIN + at * STEP, STEP, {CPU: {"": value}}) for at, value in values.items()]
    (found,) = charts(moments, BEGIN, BEGIN + end * STEP, language("en"))
    return found


def course(drawn: Chart) -> list[tuple[int, float | None]]:
    """Step and mean of every point."""
    told = json.loads(drawn.course)
    times = list(accumulate(told["steps"]))
    assert times == sorted(set(times))
    assert (told["from"], len(told["mean"])) == (BEGIN // 1_000, len(times))
    return [(at * 1_000 // STEP, mean) for at, mean in zip(times, told["mean"], strict=True)]


def test_what_was_not_measured_is_a_gap_at_both_ends_and_between() -> None:
    drawn = chart(dict.fromkeys((10, 11, 12, 20, 21), (125, 250)), 40)
    assert course(drawn) == [
        (0, None), (9, None), (10, 12.5), (11, 12.5), (12, 12.5), (13, None), (19, None), (20, 12.5), (21, 12.5),
        (22, None), (40, None),
    ]  # fmt: skip
    assert json.loads(drawn.course)["greatest"] == [None if mean is None else 25 for _, mean in course(drawn)]


def test_values_that_follow_each_other_with_a_small_delay_are_joined() -> None:
    assert [at for at, _ in course(chart(dict.fromkeys((1, 2, 3, 6, 7), (1, 2)), 8))] == [1, 2, 3, 6, 7]


def test_a_single_value_stands_alone() -> None:
    assert course(chart({5: (10, 10)}, 10)) == [(0, None), (4, None), (5, 1), (5, None), (10, None)]


def test_a_greatest_value_that_is_the_mean_all_along_is_not_sent_twice() -> None:
    drawn = chart({at: (100 + at, 100 + at) for at in range(10)}, 10)
    assert (json.loads(drawn.course)["greatest"], drawn.band) == ([], "")


def test_the_library_is_that_which_its_note_names_and_brings_its_licence() -> None:
    named = dict(re.findall(r"`(\S+)` \| `([0-9a-f]{64})`", (UPLOT / "README.md").read_text()))
    found = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in UPLOT.iterdir()}
    assert {name: digest for name, digest in found.items() if name not in {"README.md", "LICENSE"}} == named
    assert "Permission is hereby granted, free of charge" in (UPLOT / "LICENSE").read_text()
    version = re.search(r"# uPlot (\S+)", (UPLOT / "README.md").read_text())
    assert version is not None
    assert f"(v{version[1]})" in (UPLOT / "uPlot.iife.min.js").read_text()
