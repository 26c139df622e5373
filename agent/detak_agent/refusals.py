"""Why a delivery failed, and how long to wait before the next one: pure.

DeliveryError            wait, the longer the more often it failed
    InvalidRecordError   a record is set aside, then at once again
    UnknownRunError      the run is sent whole, then at once again
    TooLargeError        a smaller message, at once
    NoMetricsError       the same without metrics, at once
    KeyRefusedError      another key, if there is one, or much time, or a person
"""

from __future__ import annotations

from detak_agent.connection import Reply, problem_of
from detak_wire.messages import Problem

_LONGEST_BEATS = 2
"""Less than a collector's deadline: after its outage every agent is back before one is presumed down."""

_SLOW_BEATS = 12
_RETRY_AFTER_MOST_S = 300
_AT_ONCE_MS = 50
_MENDED_MOST = 50


class DeliveryError(Exception):
    """A collector that did not take a beat. `is_slow`: nothing but a person or much time will mend it."""

    is_mended = False

    def __init__(self, message: str, *, is_slow: bool = False, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.is_slow = is_slow
        self._retry_after_s = retry_after_s

    def pause_ms(self, failures: int, beat_ms: int, random: float) -> int:
        """How long to wait after this many failures in a row; `random` in [0, 1) keeps agents apart."""
        if self._retry_after_s is not None:
            return int(min(self._retry_after_s, _RETRY_AFTER_MOST_S) * 1_000 * (1 + random / 2))
        if self.is_slow:
            return int(_SLOW_BEATS * beat_ms * (0.5 + random))
        if self.is_mended and failures <= _MENDED_MOST:
            return _AT_ONCE_MS
        return int(min(beat_ms * 2 ** min(failures - 1, 10), _LONGEST_BEATS * beat_ms) * (0.25 + 0.75 * random))


class InvalidRecordError(DeliveryError):
    """The collector named a record that it cannot take."""

    is_mended = True

    def __init__(self, message: str, run: str, number: int) -> None:
        super().__init__(message)
        self.run = run
        self.number = number


class UnknownRunError(DeliveryError):
    """The collector does not know a run that was named."""

    is_mended = True

    def __init__(self, message: str, run: str) -> None:
        super().__init__(message)
        self.run = run


class TooLargeError(DeliveryError):
    """The message was more than the collector takes at once."""

    is_mended = True


class KeyRefusedError(DeliveryError):
    """The collector does not know this key, or not for this node. `has_another`: the next attempt has another key."""

    def __init__(self, message: str, *, has_another: bool = False) -> None:
        super().__init__(message, is_slow=not has_another)
        self.is_mended = has_another


class NoMetricsError(DeliveryError):
    """The collector does not know metrics, or finds something wrong with these."""

    is_mended = True


def refusal(reply: Reply) -> DeliveryError:
    """What an answer other than 200 means."""
    problem = problem_of(reply)
    said = f"{problem.path}: {problem.detail}" if problem.path else problem.detail
    if reply.status == 400 and (problem.run is not None or _is_about_metrics(problem)):
        return _of_a_part(problem, said)
    if reply.status in {401, 403}:
        return KeyRefusedError(
            f"refuses this node's key: {said}; until it is enrolled again, all evidence is kept here"
        )
    if reply.status == 413:
        return TooLargeError(said)
    if reply.status in {429, 503}:
        return DeliveryError(f"is busy: {said}", retry_after_s=_retry_after(reply, problem.retry_after_s))
    return DeliveryError(f"refuses the beat with status {reply.status}: {said}", is_slow=reply.status < 500)


def _of_a_part(problem: Problem, said: str) -> DeliveryError:
    """What is wrong with one part of the message, without which the rest can go."""
    if problem.run is None:
        return NoMetricsError(f"takes no metrics, so it gets none for some hours: {said}")
    if problem.number is None:
        return UnknownRunError(said, problem.run)
    return InvalidRecordError(said, problem.run, problem.number)


def _is_about_metrics(problem: Problem) -> bool:
    """A collector that is older than metrics finds the field itself unknown, at the message's top."""
    return problem.path.startswith("$.metrics") or (problem.path == "$" and "`metrics`" in problem.detail)


def _retry_after(reply: Reply, said_s: int | None) -> int | None:
    if said_s is not None:
        return said_s
    header = reply.headers.get("retry-after", "")
    return int(header) if header.isdigit() else None
