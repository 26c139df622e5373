"""What Prometheus reads, judged by Prometheus' own checker."""

import subprocess
from collections.abc import Callable

import pytest

from detak_collector.operating.counters import Histogram
from detak_collector.operating.exposition import Distribution, Family, by, counter, exposition, gauge


def written(*families: Family | Distribution) -> list[str]:
    return [line for line in exposition(families).decode().splitlines() if not line.startswith("#")]


def test_labels_say_anything_without_breaking_the_line() -> None:
    family = Family("detak_x", "gauge", "X.", by("why", {'a "quoted" \\ line\nand another': 1}))
    assert written(family) == ['detak_x{why="a \\"quoted\\" \\\\ line\\nand another"} 1']


def test_a_histogram_adds_up_its_buckets_and_tells_seconds() -> None:
    histogram = Histogram((5, 1_000))
    for value in (1, 1, 500, 2_000):
        histogram.observe(value)
    assert written(Distribution("detak_s", "S.", histogram)) == [
        'detak_s_bucket{le="0.005"} 2',
        'detak_s_bucket{le="1"} 3',
        'detak_s_bucket{le="+Inf"} 4',
        "detak_s_sum 2.502",
        "detak_s_count 4",
    ]


def test_what_is_not_known_has_no_sample() -> None:
    assert written(gauge("detak_left_seconds", "Days.", None)) == []


@pytest.mark.peers("promtool")
def test_prometheus_takes_it_without_a_word(require: Callable[[str], str]) -> None:
    text = exposition(
        [
            counter("detak_a_total", "A \\ backslash.", 3),
            Family("detak_nodes", "gauge", "B.", by("name", {'"': 1.5, "\n": float(2), "é": -1})),
            Distribution("detak_c_seconds", "C.", Histogram((1, 2))),
            gauge("detak_left_seconds", "D.", None),
        ]
    )
    checked = subprocess.run([require("promtool"), "check", "metrics"], input=text, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, b"")
