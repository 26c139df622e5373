from detak_collector.operating.counters import MOST_KINDS, OTHER, Counter, Histogram


def test_things_are_counted_by_kind() -> None:
    counter = Counter()
    counter.count("a")
    counter.count("b", 3)
    counter.count("a")
    assert counter.counts == {"a": 2, "b": 3}


def test_whoever_invents_kinds_cannot_make_the_counter_grow_for_ever() -> None:
    counter = Counter()
    for number in range(MOST_KINDS + 50):
        counter.count(f"kind {number}")
    counter.count("kind 0")
    assert len(counter.counts) == MOST_KINDS + 1
    assert (counter.counts[OTHER], counter.counts["kind 0"]) == (50, 2)


def test_a_value_lies_in_the_bucket_whose_bound_it_reaches() -> None:
    histogram = Histogram((10, 20))
    for value in (0, 10, 11, 20, 21, 1_000):
        histogram.observe(value)
    assert (histogram.buckets, histogram.sum_ms) == ([2, 2, 2], 1_062)
