import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.metrics import SERIES, Moment, columns, moments, packed, rolled, thinned, unpacked
from detak_wire.messages import Evidence, Metrics
from evidence_builders import START_UTC, beat

CPU, LOAD, DISK, LATENCY = 0, 3, 6, 14

wholes = st.integers(0, 10**12) | st.tuples(st.integers(0, 10**6), st.integers(10**6, 10**9))
values = st.dictionaries(
    st.integers(0, len(SERIES) - 1), st.dictionaries(st.sampled_from(["", "/", "vda"]), wholes, min_size=1), max_size=4
)


@st.composite
def histories(draw: st.DrawFn) -> list[Moment]:
    """Moments in order, some way apart."""
    steps = draw(st.lists(st.integers(1, 10**7), min_size=1, max_size=20))
    times = [START_UTC + sum(steps[: at + 1]) for at in range(len(steps))]
    return [Moment(utc, draw(st.integers(1, 10**7)), draw(values)) for utc in times]


def message(*points: Metrics, sent: int = 100_000) -> Evidence:
    return msgspec.structs.replace(beat(sent=sent), metrics=list(points))


def bounds(moment: Moment) -> dict[tuple[int, str], tuple[int, int]]:
    return {
        (place, label): whole if isinstance(whole, tuple) else (whole, whole)
        for place, labelled in moment.values.items()
        for label, whole in labelled.items()
    }


def test_every_value_of_the_wire_is_kept_and_what_was_kept_keeps_its_place() -> None:
    names = [series.name for series in SERIES]
    assert names == [field.name for field in msgspec.structs.fields(Metrics)][2:]
    assert names[:5] == ["cpu_percent", "cpu_iowait_percent", "cpu_steal_percent", "load_1", "memory_used_percent"]
    assert (names[CPU], names[LOAD], names[DISK], names[LATENCY]) == (
        "cpu_percent", "load_1", "disk_used_percent", "latency_ms",
    )  # fmt: skip


def test_a_point_is_mapped_to_utc_by_the_arrival_of_its_message() -> None:
    point = Metrics(40_000, 30_000, cpu_percent=12.5, disk_used_percent={"/": 41.2}, latency_ms={"web": (1.5, 9.0)})
    (moment,) = moments(message(point), START_UTC)
    assert (moment.utc, moment.interval_ms) == (START_UTC - 60_000, 30_000)
    assert moment.values == {CPU: {"": 125}, DISK: {"/": 412}, LATENCY: {"web": (15, 90)}}


def test_a_point_from_after_its_message_is_passed_over() -> None:
    assert list(moments(message(Metrics(100_001, 1, cpu_percent=1.0)), START_UTC)) == []


@given(histories())
def test_what_is_kept_is_what_was_told(history: list[Moment]) -> None:
    assert [unpacked(moment.utc, packed(moment)) for moment in history] == history


def test_bytes_that_were_kept_long_ago_are_still_understood() -> None:
    kept = bytes.fromhex("92cdea60830081a07d0682a12fcd019ca42f646174010e81a3776562920f5a")
    assert unpacked(5, kept) == Moment(5, 60_000, {0: {"": 125}, 6: {"/": 412, "/dat": 1}, 14: {"web": (15, 90)}})


@given(histories())
def test_a_roll_up_keeps_the_greatest_and_its_mean_lies_between_the_means(history: list[Moment]) -> None:
    found = bounds(rolled(history))
    every = [bounds(moment) for moment in history]
    assert found.keys() == {key for one in every for key in one}
    for key, (mean, greatest) in found.items():
        pairs = [one[key] for one in every if key in one]
        assert greatest == max(most for _, most in pairs)
        assert min(mean for mean, _ in pairs) <= mean <= max(mean for mean, _ in pairs)


def test_a_mean_is_weighed_by_how_long_each_was_measured() -> None:
    long, short = Moment(1, 90_000, {CPU: {"": 100}}), Moment(2, 10_000, {CPU: {"": 900}})
    assert rolled([long, short]) == Moment(2, 100_000, {CPU: {"": (180, 900)}})


def test_a_value_that_was_missing_for_a_while_is_not_taken_for_nothing() -> None:
    assert rolled([Moment(1, 60_000, {CPU: {"": 100}}), Moment(2, 60_000, {})]).values == {CPU: {"": 100}}


@given(histories(), st.integers(1, 7))
def test_a_chart_has_no_more_points_than_asked_and_all_of_the_time(history: list[Moment], most: int) -> None:
    begin, end = history[0].utc - 5, history[-1].utc + 1
    found = thinned(history, begin, end, most)
    assert 1 <= len(found) <= most
    assert [moment.utc for moment in found] == sorted({moment.utc for moment in found})
    assert sum(moment.interval_ms for moment in found) == sum(moment.interval_ms for moment in history)
    assert {key for moment in found for key in bounds(moment)} == {key for one in history for key in bounds(one)}


def test_columns_have_a_hole_where_a_value_is_missing() -> None:
    first = Moment(1_000, 60_000, {CPU: {"": 125}, DISK: {"/": 412}})
    second = Moment(2_000, 60_000, {CPU: {"": (100, 990)}, 99: {"": 1}})
    assert columns([first, second]) == {
        "utc": [1_000, 2_000],
        "interval_ms": [60_000, 60_000],
        "series": [
            {"name": "cpu_percent", "label": "", "mean": [12.5, 10.0], "greatest": [12.5, 99.0]},
            {"name": "disk_used_percent", "label": "/", "mean": [41.2, None], "greatest": [41.2, None]},
        ],
    }


@pytest.mark.parametrize("load", [0.0, 0.07, 12.34])
def test_a_load_keeps_both_of_its_decimals(load: float) -> None:
    (moment,) = moments(message(Metrics(1, 1, load_1=load)), START_UTC)
    assert columns([moment])["series"][0]["mean"] == [load]
