"""Every bound the wire has, in one place: what is larger is refused with the limit named."""

BODY_BYTES = 256 * 1024
"""A request or answer, as transferred."""

INFLATED_BYTES = 4 * 1024 * 1024
"""The same after gzip."""

NAME_CHARACTERS = 64
MESSAGE_CHARACTERS = 500
TEXT_CHARACTERS = 2_000
MARKS = 8
CHECKS = 1_000
RECORDS_PER_MESSAGE = 5_000
PARTS_PER_MESSAGE = 50
RANGES = 2_000
METRIC_POINTS = 60
METRIC_LABELS = 24
"""The most filesystems, devices or network interfaces that one point speaks of."""

LABEL_CHARACTERS = 200
SPAN_MS = 25 * 3_600_000
"""The longest span: agents close them after 24 hours, and the last sample may be late."""

TIME_MS = 2**53 - 1
"""The largest integer every JSON reader holds exactly."""

UTC_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: no calendar that people read goes further."""

NAME_PATTERN = r"^[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?\Z"
"""Names of nodes and checks: lower case, as in a host name, so that they need no quoting anywhere."""

IDENTITY_PATTERN = r"^[0-9a-f]{8,64}\Z"
