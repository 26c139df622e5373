"""Digests by which what reports rest on is compared. The standard library alone: auditors compute them too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, tzinfo
from fractions import Fraction
from hashlib import sha256

from detak_collector.downtime.catalogue import Catalogue


def catalogue_digest(catalogue: Catalogue) -> str:
    """SHA-256 of everything that the catalogue says: equal digests, equal services, hours, rules and targets."""
    text = json.dumps(_plain(catalogue), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    match value:
        case None | bool() | int() | str():
            return value
        case Fraction() | tzinfo():
            return str(value)
        case date():
            return value.isoformat()
        case tuple() | list():
            return [_plain(one) for one in value]
        case Mapping():
            return {str(key): _plain(one) for key, one in value.items()}
        case _ if is_dataclass(value):
            return {one.name: _plain(getattr(value, one.name)) for one in fields(value)}
        case _:
            raise TypeError(f"the catalogue holds a {type(value).__name__}, which its digest does not know")
