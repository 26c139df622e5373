import pytest
from msgspec.structs import replace

from detak_collector.ingest.validation import InvalidRecordError, check
from detak_wire.messages import Evidence, Growth, Part, PreviousRun, Span
from evidence_builders import RUN, beat, exchange, gap, opening, span

HOUR_MS = 3_600_000
OTHER_RUN = "bbbb0002"


def spanned(first_begin: int, first_end: int, last_begin: int, last_end: int, samples: int, gap: int) -> Evidence:
    return beat(Part(RUN, spans=[Span(5, "web", "up", first_begin, first_end, last_begin, last_end, samples, gap)]))


@pytest.mark.parametrize(
    ("evidence", "reason", "path"),
    [
        (spanned(2_000, 1_999, 2_000, 2_001, 1, 0), "ends before it begins", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 3_000, 2_999, 2, 1_000), "ends before it begins", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 1_000, 1_001, 2, 0), "lies before the first", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 3_000, 3_001, 1, 0), "one sample cannot be both", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 3_000, 3_001, 2, 5_000), "more than the whole span", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 9_000, 9_001, 3, 1_000), "cannot fill 7000 ms", "$.parts[0].spans[0]"),
        (spanned(2_000, 2_001, 12_000, 12_001, 2, 10_000), "after the message was sent", "$.parts[0].spans[0]"),
        (
            replace(spanned(0, 1, 26 * HOUR_MS, 26 * HOUR_MS, 27, HOUR_MS), sent_agent=27 * HOUR_MS),
            "closed after 24 hours",
            "$.parts[0].spans[0]",
        ),
        (beat(Part(RUN, growths=[Growth(5, 1, 2, 3, 4)])), "ends before it begins", "$.parts[0].growths[0]"),
        (beat(Part(RUN, growths=[Growth(5, 10_001, 2, 3, 4)])), "start of the kernel", "$.parts[0].growths[0]"),
        (beat(Part(OTHER_RUN, growths=[Growth(5, 2, 1, 3, 4)])), "only the current run", "$.parts[0].growths[0]"),
        (
            beat(Part(RUN, exchanges=[replace(exchange(5), received_agent=2_999)])),
            "received before the request",
            "$.parts[0].exchanges[0]",
        ),
        (
            beat(Part(RUN, exchanges=[replace(exchange(5), answered_utc=1)])),
            "answered before it arrives",
            "$.parts[0].exchanges[0]",
        ),
        (beat(Part(RUN, gaps=[gap(5, 4, 3)])), "first_number is greater", "$.parts[0].gaps[0]"),
        (beat(Part(RUN, gaps=[gap(5, 4, 6)])), "cannot name itself", "$.parts[0].gaps[0]"),
    ],
)
def test_a_record_that_cannot_be_true_is_refused_with_its_number_and_place(
    evidence: Evidence, reason: str, path: str
) -> None:
    with pytest.raises(InvalidRecordError, match=reason) as refused:
        check(evidence)
    assert (refused.value.number, refused.value.path) == (5, path)


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        (Part(RUN, opening(["web", "web"])), "check 'web' is there twice"),
        (Part(RUN, opening(previous=PreviousRun(RUN, "0b007000", 1, 0))), "own predecessor"),
    ],
)
def test_an_opening_that_cannot_be_true_is_refused_as_record_0(part: Part, reason: str) -> None:
    with pytest.raises(InvalidRecordError, match=reason) as refused:
        check(beat(part))
    assert (refused.value.run, refused.value.number) == (RUN, 0)


def test_a_stop_without_its_moment_is_refused() -> None:
    with pytest.raises(InvalidRecordError, match="come together"):
        check(replace(beat(), stopping="stop"))


def test_an_earlier_run_may_be_of_a_boot_that_lasted_longer() -> None:
    check(beat(Part(OTHER_RUN, spans=[span(1, first=500_000)]), sent=3_000))


def test_a_sample_may_end_just_after_the_message_took_its_time() -> None:
    check(beat(Part(RUN, spans=[span(1, first=9_998)]), sent=10_000))
