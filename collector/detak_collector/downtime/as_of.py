"""Corrections as they stood at an earlier moment."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from detak_collector.downtime.catalogue import Correction

C = TypeVar("C", bound=Correction)


def known_at(corrections: Iterable[C], moment: int) -> tuple[C, ...]:
    """Those that had been proposed by that moment; what was approved only later was a proposal then."""
    return tuple(_as_it_stood(one, moment) for one in corrections if one.proposed_at <= moment)


def _as_it_stood(one: C, moment: int) -> C:
    if one.approved_at is None or one.approved_at <= moment:
        return one
    return replace(one, approved_by=None, approved_at=None)
