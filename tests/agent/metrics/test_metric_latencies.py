from agent.agent_fakes import sample
from detak_agent.metrics.latencies import Latencies


def test_the_mean_and_the_greatest_are_told_and_begun_anew() -> None:
    latencies = Latencies()
    for took_ms in (2.0, 4.0, 12.0):
        latencies.add(sample(1_000), {"latency_ms": took_ms})
    assert latencies.take() == {"db": (6.0, 12.0)}
    assert latencies.take() == {}


def test_a_kind_that_measures_no_latency_is_taken_at_the_length_of_its_sample() -> None:
    latencies = Latencies()
    latencies.add(sample(1_000, "down", took=31), {})
    assert latencies.take() == {"db": (30.0, 30.0)}


def test_a_check_that_could_not_run_says_nothing_of_its_target() -> None:
    latencies = Latencies()
    latencies.add(sample(1_000, "unknown", took=900), {})
    assert latencies.take() == {}
