"""The messages of `POST /api/v1/evidence`, `POST /api/v1/enrol` and `POST /api/v1/renew`, field by field.

Times named `*_agent` or lying in a span are *agent time*: integer milliseconds of
`MONOTONIC_RAW + (BOOTTIME - MONOTONIC)`, which counts from the start of the kernel. Times named `*_utc` are
integer milliseconds since 1970 UTC. A begin is rounded down and an end up, so rounding never hides an instant.
"""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from detak_wire import limits

State = Literal["up", "degraded", "down", "unknown"]
StopReason = Literal["stop", "shutdown", "reload", "failed"]

Milliseconds = Annotated[int, Meta(ge=0, le=limits.TIME_MS)]
Utc = Annotated[int, Meta(ge=0, le=limits.UTC_MS)]
Count = Annotated[int, Meta(ge=0, le=limits.TIME_MS)]
Number = Annotated[int, Meta(ge=1, le=limits.TIME_MS)]
Name = Annotated[str, Meta(pattern=limits.NAME_PATTERN, max_length=limits.NAME_CHARACTERS)]
Identity = Annotated[str, Meta(pattern=limits.IDENTITY_PATTERN)]
Message = Annotated[str, Meta(max_length=limits.MESSAGE_CHARACTERS)]
Text = Annotated[str, Meta(max_length=limits.TEXT_CHARACTERS)]
MarkName = Annotated[str, Meta(max_length=limits.NAME_CHARACTERS)]
Marks = Annotated[dict[MarkName, Message], Meta(max_length=limits.MARKS)]
Percent = Annotated[float, Meta(ge=0, le=100)]
Amount = Annotated[float, Meta(ge=0, le=limits.TIME_MS)]
Label = Annotated[str, Meta(max_length=limits.LABEL_CHARACTERS)]
Percents = Annotated[dict[Label, Percent], Meta(max_length=limits.METRIC_LABELS)]
Amounts = Annotated[dict[Label, Amount], Meta(max_length=limits.METRIC_LABELS)]
Latencies = Annotated[dict[Name, tuple[Amount, Amount]], Meta(max_length=limits.CHECKS)]


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The base of everything on the wire: immutable, and an unknown field is refused with its path."""


class Span(Record, frozen=True):
    """A check was in one state, sample after sample without a gap, from its first sample to its last.

    Each sample has a begin and an end; a span keeps those of its first and of its last. `largest_gap` is the
    longest begin-to-begin distance between two of its consecutive samples. A later version of the same number
    may only grow: a later last sample, more samples, closed.
    """

    number: Number
    check: Name
    state: State
    first_begin: Milliseconds
    first_end: Milliseconds
    last_begin: Milliseconds
    last_end: Milliseconds
    samples: Number
    largest_gap: Milliseconds = 0
    closed: bool = False
    message: Message = ""
    marks: Marks = {}


class Growth(Record, frozen=True, array_like=True):
    """How far an open span reaches by now, as an array: a beat carries one for each check, so it is kept short.

    `last_begin_ago` and `last_end_ago` count back from the `sent_agent` of the message that holds it.
    """

    number: Number
    last_begin_ago: Milliseconds
    last_end_ago: Milliseconds
    samples: Number
    largest_gap: Milliseconds


class Exchange(Record, frozen=True):
    """A request's and its answer's four timestamps, which bound UTC minus agent time (RFC 5905, section 8).

    With theta = UTC - agent time: `answered_utc - received_agent <= theta <= arrived_utc - sent_agent`.
    """

    number: Number
    collector: Identity
    sent_agent: Milliseconds
    arrived_utc: Utc
    answered_utc: Utc
    received_agent: Milliseconds


class Gap(Record, frozen=True):
    """Evidence that the agent had to drop: records `first_number` to `last_number` of this run are lost."""

    number: Number
    first_number: Number
    last_number: Number
    reason: Message


class CheckSettings(Record, frozen=True):
    """One check as this run runs it. `remote`: its target is another host. `digest`: of its effective settings."""

    name: Name
    kind: Name
    interval_ms: Number
    timeout_ms: Milliseconds
    remote: bool = False
    confirm: Number = 1
    target: Message = ""
    digest: Annotated[str, Meta(max_length=64)] = ""


class PreviousRun(Record, frozen=True):
    """How the run before this one ended, as its journal tells. `last_tick` is in the agent time of its own boot."""

    run: Identity
    boot: Identity
    last_tick: Milliseconds
    last_number: Count
    stopped: StopReason | None = None
    stopped_agent: Milliseconds | None = None
    slowest_stop_ms: Milliseconds | None = None


class ClockClaim(Record, frozen=True):
    """The node's own clock when the run opened; `error_ms` is what `adjtimex` claims, absent if unsynchronised."""

    agent: Milliseconds
    utc: Utc
    error_ms: Milliseconds | None = None


class RunOpening(Record, frozen=True):
    """What one life of an agent process says of itself before anything else. It is record 0 of its run."""

    boot: Identity
    opened_agent: Milliseconds
    init_started_agent: Milliseconds
    agent_version: Annotated[str, Meta(max_length=64)]
    tick_ms: Number
    beat_ms: Number
    checks: Annotated[list[CheckSettings], Meta(max_length=limits.CHECKS)]
    clock: ClockClaim
    suspended_ms: Milliseconds = 0
    watchdog_ms: Milliseconds | None = None
    virtual_machine_generation: Annotated[str, Meta(max_length=64)] | None = None
    previous: PreviousRun | None = None


Spans = Annotated[list[Span], Meta(max_length=limits.RECORDS_PER_MESSAGE)]
Growths = Annotated[list[Growth], Meta(max_length=limits.CHECKS + 1)]
Exchanges = Annotated[list[Exchange], Meta(max_length=limits.RECORDS_PER_MESSAGE)]
Gaps = Annotated[list[Gap], Meta(max_length=limits.RECORDS_PER_MESSAGE)]


class Metrics(Record, frozen=True):
    """How a node fared over the `interval_ms` before `measured_agent`, for charts: no evidence, and never a fact.

    Rates and the processor's shares are means over the interval; all else is as of its end. What could not be read
    is absent. `latency_ms` has the mean and the greatest of each check's samples.
    """

    measured_agent: Milliseconds
    interval_ms: Number
    cpu_percent: Percent | None = None
    cpu_iowait_percent: Percent | None = None
    cpu_steal_percent: Percent | None = None
    load_1: Amount | None = None
    memory_used_percent: Percent | None = None
    swap_used_percent: Percent | None = None
    disk_used_percent: Percents = {}
    inodes_used_percent: Percents = {}
    device_read_bytes_per_second: Amounts = {}
    device_written_bytes_per_second: Amounts = {}
    device_busy_percent: Percents = {}
    network_received_bytes_per_second: Amounts = {}
    network_sent_bytes_per_second: Amounts = {}
    network_errors_per_second: Amounts = {}
    latency_ms: Latencies = {}
    agent_memory_bytes: Amount | None = None
    journal_bytes: Amount | None = None


class Part(Record, frozen=True):
    """Records of one run. Only the current run has growths; backlog of earlier runs comes in parts of its own."""

    run: Identity
    opening: RunOpening | None = None
    spans: Spans = []
    growths: Growths = []
    exchanges: Exchanges = []
    gaps: Gaps = []


class Evidence(Record, frozen=True):
    """One beat. `oldest` is the lowest number still kept of each run that the agent's journal holds."""

    protocol: Annotated[int, Meta(ge=1, le=1_000)]
    node: Name
    run: Identity
    sent_agent: Milliseconds
    parts: Annotated[list[Part], Meta(max_length=limits.PARTS_PER_MESSAGE)]
    oldest: Annotated[dict[Identity, Count], Meta(max_length=limits.RANGES)] = {}
    backlog: Count = 0
    stopping: StopReason | None = None
    stopping_agent: Milliseconds | None = None
    metrics: Annotated[list[Metrics], Meta(max_length=limits.METRIC_POINTS)] = []


class Stored(Record, frozen=True):
    """What the collector holds of one run: all closed records up to `mark`, and `ranges` [from, to] beyond it.

    `open` says how far each open span is stored: its number and its last begin.
    """

    opened: bool
    mark: Count
    ranges: Annotated[list[tuple[Number, Number]], Meta(max_length=limits.RANGES)] = []
    open: Annotated[dict[Number, Milliseconds], Meta(max_length=limits.CHECKS + 1)] = {}


class Answer(Record, frozen=True):
    """What the collector says once everything in the request is durable.

    `backlog_allowance` is how many backlog records the next request may carry. `stored` speaks of every run
    that the request named.
    """

    protocol: int
    collector: Identity
    arrived_utc: Utc
    answered_utc: Utc
    stored: dict[Identity, Stored]
    backlog_allowance: Count


class Problem(Record, frozen=True):
    """A refusal: `error` is a fixed word, `detail` a sentence for people, `path` the place in the request.

    `run` and `number` name the record that is invalid, so that the agent can set it aside and go on.
    """

    error: str
    detail: str
    path: str = ""
    run: str | None = None
    number: int | None = None
    retry_after_s: Count | None = None


class Enrolment(Record, frozen=True):
    """A node asks for its key with a one-time token."""

    protocol: Annotated[int, Meta(ge=1, le=1_000)]
    node: Name
    token: Annotated[str, Meta(min_length=16, max_length=200)]


class KeyRenewal(Record, frozen=True):
    """A node asks for a new key with the one it has; the answer is an Enrolled."""

    protocol: Annotated[int, Meta(ge=1, le=1_000)]
    node: Name


class Enrolled(Record, frozen=True):
    """The node's key, shown once: the collector keeps only its hash."""

    node: Name
    key: str
    collector: Identity
