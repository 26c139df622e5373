"""What a seal holds of a result: its numbers as one canonical text, which is digested, packed and compared. Pure.

It has no names and no words, so that no rename makes another account of it, and later versions of this program, which
say more in their reports, still write the same text.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from hashlib import sha256
from typing import Any

from detak_collector.downtime.accounts import REASONS
from detak_collector.downtime.derive import Result, ServiceResult
from detak_collector.downtime.figure import Totals
from detak_collector.downtime.outages import Outage
from detak_collector.downtime.summary import months_of

SCHEMA = 1
MOST_BYTES = 64 * 1024 * 1024
"""Of the text; packed it is a tenth of that or less."""

MOST_PACKED = 3_000_000
"""Characters of what is kept: an entry is passed on to the other collector as a whole."""

_SUMS = (
    "counted_ms", "certain_ms", "possible_ms", "gross_ms", "service_time_ms", "unobserved_ms", "presumed_ms",
    "degraded_ms",
)  # fmt: skip


class AccountError(ValueError):
    """A packed account that is none, or one that is too large to keep; the text says which."""


@dataclass(frozen=True, slots=True)
class Account:
    """The text, and what it says."""

    text: str
    told: Mapping[str, Any]

    @property
    def digest(self) -> str:
        """SHA-256 of the text."""
        return sha256(self.text.encode()).hexdigest()

    @property
    def figure(self) -> Totals:
        """The organisation's figure."""
        return totals_of(self.told["figure"])

    @property
    def target_percent(self) -> Fraction:
        """The target then in force."""
        return Fraction(self.told["target_percent"])

    def packed(self) -> str:
        """As an entry keeps it; raises AccountError where it is too large for one."""
        packed = base64.b64encode(zlib.compress(self.text.encode(), 9)).decode()
        if len(packed) > MOST_PACKED:
            raise AccountError(f"the account of this period has {len(packed):,} characters, and a seal holds "
                               f"{MOST_PACKED:,}: seal shorter periods")  # fmt: skip
        return packed


def account_of(result: Result) -> Account:
    """The account of a result."""
    told: dict[str, Any] = {
        "schema": SCHEMA,
        "period": {"name": result.period.name, "from": result.period.begin, "to": result.period.end},
        "target_percent": str(result.target_percent),
        "figure": _sums(result.figure),
        "months": [
            {"name": one.name, "from": one.begin, "to": one.end, **_sums(one.totals)} for one in months_of(result)
        ],
        "services": [_service(one) for one in sorted(result.services, key=lambda one: one.service.id)],
    }
    return Account(json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False), told)


def unpacked(packed: str) -> Account:
    """The account that an entry keeps; raises AccountError."""
    try:
        inflating = zlib.decompressobj()
        text = inflating.decompress(base64.b64decode(packed, validate=True), MOST_BYTES)
        if inflating.unconsumed_tail or not inflating.eof:
            raise AccountError(f"the account is longer than {MOST_BYTES:,} bytes, or cut off")
        told = json.loads(text)
    except (ValueError, zlib.error) as error:
        raise AccountError(f"the account of the seal cannot be read: {error}") from None
    if not isinstance(told, dict) or told.get("schema") != SCHEMA:
        raise AccountError(f"the account of the seal is none of schema {SCHEMA}")
    return Account(text.decode(), told)


def totals_of(told: Mapping[str, Any]) -> Totals:
    """The totals that these sums are."""
    return Totals(**{name: int(told[name]) for name in _SUMS}, excluded_ms=dict(told["excluded_ms"]))


def changed_services(before: Account, after: Account) -> Iterator[tuple[str, Totals | None, Totals | None]]:
    """The services of which the two say different things, each with both totals; None where one has it not."""
    earlier, later = _by_id(before), _by_id(after)
    for name in sorted({*earlier, *later}):
        one, other = earlier.get(name), later.get(name)
        if one != other:
            yield name, _totals(one), _totals(other)


def _by_id(account: Account) -> dict[str, Mapping[str, Any]]:
    return {one["id"]: one for one in account.told["services"]}


def _totals(one: Mapping[str, Any] | None) -> Totals | None:
    return None if one is None else totals_of(one)


def _sums(totals: Totals) -> dict[str, Any]:
    excluded = totals.excluded_ms or {}
    return {
        **{name: getattr(totals, name) for name in _SUMS},
        "excluded_ms": {reason: excluded.get(reason, 0) for reason in REASONS},
    }


def _service(one: ServiceResult) -> dict[str, Any]:
    return {
        "id": one.service.id,
        "criticality": one.criticality,
        "in_figure": None if one.in_figure is None else _sums(one.in_figure),
        **_sums(one.totals),
        "outages": [_outage(each) for each in one.outages],
    }


def _outage(one: Outage) -> dict[str, Any]:
    return {
        "from": one.begin,
        "to": one.end,
        "counted_ms": one.counted_ms,
        "certain_ms": one.certain_ms,
        "possible_ms": one.possible_ms,
        "cause": one.cause,
        "shown_as": one.shown_as,
    }
