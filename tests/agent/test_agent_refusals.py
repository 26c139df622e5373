import pytest

from detak_agent.connection import Reply
from detak_agent.refusals import DeliveryError, InvalidRecordError, TooLargeError, UnknownRunError, refusal
from detak_wire.codec import encode
from detak_wire.messages import Problem


def refused(status: int, problem: Problem | None = None, retry_after: str = "") -> DeliveryError:
    return refusal(Reply(status, {"retry-after": retry_after}, b"" if problem is None else encode(problem)))


def test_a_refusal_that_names_a_record_names_it_to_the_courier() -> None:
    error = refused(400, Problem("invalid", "cannot be", "$.parts[0]", "ab" * 8, 7))
    assert isinstance(error, InvalidRecordError)
    assert (error.run, error.number, str(error)) == ("ab" * 8, 7, "$.parts[0]: cannot be")


def test_a_refusal_that_names_a_run_only_asks_for_the_whole_run() -> None:
    assert isinstance(refused(400, Problem("unknown", "no opening", run="ab" * 8)), UnknownRunError)


def test_a_message_that_is_too_large_is_made_smaller_at_once() -> None:
    error = refused(413)
    assert isinstance(error, TooLargeError)
    assert error.pause_ms(1, 5_000, 0.5) < 1_000


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_key_is_tried_again_slowly(status: int) -> None:
    assert refused(status).pause_ms(1, 5_000, 0.0) >= 30_000


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_collector_says_how_long_to_wait(status: int) -> None:
    assert refused(status, Problem("busy", "later", retry_after_s=7)).pause_ms(1, 5_000, 0.0) == 7_000
    assert refused(status, retry_after="9").pause_ms(1, 5_000, 0.0) == 9_000
    assert refused(status, retry_after="99999").pause_ms(1, 5_000, 0.0) == 300_000


def test_failures_in_a_row_wait_longer_but_never_long() -> None:
    waits = [DeliveryError("broken").pause_ms(failures, 5_000, 1.0) for failures in (1, 2, 3, 50)]
    assert waits == [5_000, 10_000, 10_000, 10_000]
