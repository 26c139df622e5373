"""What the engine is given survives being written down, exactly; and nothing else is read as it."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.bundle.codec import MOST_INT, MisfitError, plain, read
from detak_collector.bundle.months import facts_of, lines_of
from detak_collector.downtime.facts import (
    Claim,
    Contradiction,
    Exchange,
    Facts,
    Lost,
    Node,
    Previous,
    Run,
    Settings,
    Span,
)
from detak_collector.downtime.history import Published
from detak_collector.downtime.incidents import Ruling
from detak_collector.downtime.intervals import Intervals

TIMES = st.integers(-MOST_INT, MOST_INT)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8)
INTERVALS = st.lists(st.tuples(TIMES, TIMES), max_size=4).map(Intervals.of)
SETTINGS = st.builds(Settings, TEXTS, TEXTS, TIMES, TIMES, st.booleans())
SPANS = st.builds(
    Span, TEXTS, TIMES, TEXTS, TIMES, TIMES, TIMES, TIMES, TIMES, TIMES, st.booleans(), TEXTS,
    st.lists(st.tuples(TEXTS, TEXTS), max_size=2).map(tuple), st.none() | TIMES,
)  # fmt: skip
RUNS = st.builds(
    Run,
    run=TEXTS, boot=TEXTS, opened=TIMES, init_started=TIMES, tick_ms=TIMES,
    claim=st.builds(Claim, TIMES, TIMES, st.none() | TIMES),
    checks=st.lists(SETTINGS, max_size=2).map(tuple),
    spans=st.lists(SPANS, max_size=3).map(tuple),
    exchanges=st.lists(st.builds(Exchange, TIMES, TIMES, TIMES, TIMES), max_size=2).map(tuple),
    watchdog_ms=st.none() | TIMES,
    previous=st.none() | st.builds(Previous, TEXTS, TEXTS, TIMES, TIMES, st.none() | TEXTS, st.none() | TIMES),
    stopped=st.none() | TEXTS,
    complete_to=TIMES,
    lost=st.lists(st.builds(Lost, TIMES, TIMES, st.none() | TIMES, told=st.booleans()), max_size=2).map(tuple),
    contradicted=st.lists(st.builds(Contradiction, st.none() | TEXTS, TIMES, TIMES), max_size=2).map(tuple),
    generation=st.none() | TEXTS,
)  # fmt: skip
NODES = st.lists(RUNS, max_size=2).flatmap(
    lambda runs: st.builds(Node, TEXTS, st.just(tuple(runs)), heard_utc=st.none() | TIMES)
)
FACTS = st.builds(
    Facts,
    st.lists(NODES, max_size=3, unique_by=lambda one: one.name).map(lambda nodes: {one.name: one for one in nodes}),
    INTERVALS,
    st.lists(TIMES, max_size=2).map(tuple),
    down_after_ms=TIMES,
    unheard=st.dictionaries(TEXTS, INTERVALS, max_size=2),
)


@given(FACTS)
def test_facts_are_read_as_they_were_written(facts: Facts) -> None:
    content = b"".join(line + b"\n" for line in lines_of(facts))
    assert facts_of(content, "f") == facts


@given(st.builds(Published, TIMES, TIMES, st.fractions(max_denominator=10**6), st.none() | st.just(Fraction(1, 8)),
                 TEXTS, TEXTS, TEXTS, TIMES))  # fmt: skip
def test_published_figures_stay_exact(one: Published) -> None:
    assert read(Published, plain(one), "p") == one


def test_rulings_are_read_as_they_were_written() -> None:
    ruling = Ruling(3, "merge", (1, 2), None, "one switch", "sari", 1_700_000_000_000)
    assert read(Ruling, plain(ruling), "r") == ruling


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (int, True), (int, 1.0), (int, "1"), (int, None), (int, MOST_INT + 1), (int, -MOST_INT - 1),
        (str, 1), (str, "a\0b"), (str, "x" * 65_537), (bool, 1),
        (Fraction, "1/0"), (Fraction, "1"), (Fraction, "a/b"), (Fraction, "1/" + "9" * 200), (Fraction, "--1/2"),
        (Intervals, [[1]]), (Intervals, [[2, 1]]), (Intervals, [[1, 2], [2, 3]]), (Intervals, [[5, 6], [1, 2]]),
        (Exchange, [1, 2, 3]), (Claim, {"at": 1, "utc": 2}), (Claim, []), (tuple[int, ...], {}),
    ],
)  # fmt: skip
def test_what_is_of_another_type_is_refused_with_its_place(kind: type, value: object) -> None:
    with pytest.raises(MisfitError, match=r"^here"):
        read(kind, value, "here")
