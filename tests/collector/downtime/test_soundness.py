"""The property that everything rests on: certain within truth within possible."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detak_collector.downtime.lives import history_of
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.sampled import Window, read_sampled
from true_history import EPOCH_MS, INTERVAL_MS, History, Node1

SEEDS = st.integers(0, 2**48)


def _read(history: History, check: str = "c") -> Reading:
    seen = history_of(history.facts.nodes["n"], history.facts)
    return read_sampled(check, seen, history.facts, Window(EPOCH_MS, history.end, history.end))


@settings(max_examples=300, deadline=None)
@given(SEEDS)
def test_the_truth_lies_between_certain_and_possible(seed: int) -> None:
    history = Node1(seed).play()
    down = _read(history).down
    assert down.possible.covers(history.down), history.down - down.possible
    assert history.down.covers(down.certain), down.certain - history.down
    assert down.is_nested


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_every_outage_that_samples_saw_is_counted_to_within_a_check_interval(seed: int) -> None:
    history = Node1(seed, crashes=False).play(lives=1)
    reading = _read(history)
    for begin, end in history.outages:
        near = [one for one in reading.down.counted if one[0] < end + INTERVAL_MS and begin - INTERVAL_MS < one[1]]
        assert near or reading.unobserved.clip(begin, end)


@settings(max_examples=100, deadline=None)
@given(SEEDS)
def test_every_instant_is_up_down_or_not_observed(seed: int) -> None:
    history = Node1(seed).play()
    reading = _read(history)
    surely_up = reading.down.possible.within(EPOCH_MS, history.end)
    assert not surely_up & reading.unobserved
    assert not surely_up & history.down


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_an_understated_drift_is_found_out(seed: int) -> None:
    history = Node1(seed, drift_ppm=95).play()
    assert _read(history).down.is_nested


def test_a_drift_beyond_the_declared_bound_breaks_the_promise_so_the_test_can_fail() -> None:
    broken = 0
    for seed in range(60):
        history = Node1(seed, drift_ppm=60_000).play()
        down = _read(history).down
        broken += not (down.possible.covers(history.down) and history.down.covers(down.certain))
    assert broken
