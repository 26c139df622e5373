from hypothesis import given
from hypothesis import strategies as st

from agent.agent_fakes import sample
from detak_agent.spans import LONGEST_MS, Book, Sample, reach
from detak_wire.messages import Span, State

INTERVAL_MS = 1_000
TIMEOUT_MS = 500
REACH_MS = reach(INTERVAL_MS, TIMEOUT_MS)

states: st.SearchStrategy[State] = st.sampled_from(["up", "degraded", "down", "unknown"])
steps = st.tuples(
    st.integers(-50, 5_000),
    st.integers(0, TIMEOUT_MS),
    states,
    st.sampled_from(["a", "b"]),
    st.sampled_from(["db", "web"]),
)


def history(choices: list[tuple[int, int, State, str, str]]) -> list[Sample]:
    now = 10_000
    samples = []
    for distance, took, state, mark, check in choices:
        now += distance
        samples.append(Sample(check, now, now + took, state, "", {"start": mark}))
    return samples


def written(samples: list[Sample]) -> list[Span]:
    book = Book({"db": REACH_MS, "web": REACH_MS})
    ended = [span for one in samples if (span := book.add(one)) is not None]
    return [*ended, *book.close_all()]


@given(st.lists(steps, max_size=60))
def test_every_sample_lies_in_exactly_one_span_of_its_state_and_mark(
    choices: list[tuple[int, int, State, str, str]],
) -> None:
    samples = history(choices)
    spans = written(samples)
    assert sum(span.samples for span in spans) == len(samples)
    for one in samples:
        assert any(
            span.check == one.check
            and span.state == one.state
            and span.marks == one.marks
            and span.first_begin <= one.begin <= span.last_begin
            for span in spans
        )


@given(st.lists(steps, max_size=60))
def test_numbers_run_from_one_without_a_hole(choices: list[tuple[int, int, State, str, str]]) -> None:
    spans = written(history(choices))
    assert sorted(span.number for span in spans) == list(range(1, len(spans) + 1))


@given(st.lists(steps, max_size=60))
def test_no_span_hides_a_gap_or_lasts_more_than_a_day(choices: list[tuple[int, int, State, str, str]]) -> None:
    for span in written(history(choices)):
        assert span.closed
        assert span.largest_gap <= REACH_MS
        assert span.last_end - span.first_begin <= LONGEST_MS
        assert span.first_begin <= span.last_begin


@given(st.lists(st.tuples(st.integers(0, REACH_MS), st.integers(0, TIMEOUT_MS)), min_size=1, max_size=60))
def test_a_quiet_time_is_one_span(pace: list[tuple[int, int]]) -> None:
    samples = history([(distance, took, "up", "a", "db") for distance, took in pace])
    (span,) = written(samples)
    assert (span.first_begin, span.last_begin) == (samples[0].begin, samples[-1].begin)
    assert span.largest_gap == max((distance for distance, _ in pace[1:]), default=0)


def test_a_gap_of_one_millisecond_more_than_the_reach_ends_a_span() -> None:
    assert len(written([sample(0), sample(REACH_MS)])) == 1
    assert len(written([sample(0), sample(REACH_MS + 1)])) == 2


def test_a_quiet_week_is_closed_once_a_day() -> None:
    book = Book({"db": 90_000})
    ended = [book.add(sample(minute * 60_000)) for minute in range(7 * 24 * 60)]
    assert sum(span is not None for span in ended) == 6


def test_time_that_runs_backwards_ends_a_span() -> None:
    assert len(written([sample(5_000), sample(4_999)])) == 2


def test_an_edge_is_another_state_or_a_first_sample_that_is_not_up() -> None:
    book = Book({"db": REACH_MS})
    assert not book.is_edge(sample(0))
    assert book.is_edge(sample(0, "down"))
    book.add(sample(0, "down"))
    assert not book.is_edge(sample(1_000, "down"))
    assert not book.is_edge(sample(900_000, "down"))
    assert book.is_edge(sample(1_000))
