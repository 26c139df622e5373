"""By which catalogue a figure was derived: its version, since when that was in force, and digests to compare it by."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import tzinfo
from fractions import Fraction

import msgspec

from detak_collector.downtime.catalogue import Catalogue
from detak_collector.downtime.intervals import Intervals
from detak_collector.report.matter import Matter


def catalogue_digest(catalogue: Catalogue) -> str:
    """SHA-256 of everything that the catalogue says: equal digests, equal services, hours, rules and targets."""
    return hashlib.sha256(
        msgspec.json.encode(msgspec.to_builtins(catalogue, enc_hook=_plain), order="sorted")
    ).hexdigest()


def _plain(value: object) -> object:
    match value:
        case Fraction() | tzinfo():
            return str(value)
        case Intervals():
            return list(value)
        case _:
            raise TypeError(f"the catalogue holds a {type(value).__name__}, which its digest does not know")


def catalogue_rows(matter: Matter) -> Iterator[tuple[str, str]]:
    """For the rules of a report's last section; a catalogue that is a file's has no version."""
    case, language = matter.result.case, matter.language
    if case.version is not None:
        told = language.say(
            "{number}, since {moment}",
            number=language.whole(case.version.number),
            moment=language.moment(case.version.since, matter.zone),
        )
        yield language.say("catalogue version"), told
        yield language.say("its files (SHA-256)"), case.version.digest
    yield language.say("catalogue digest (SHA-256)"), catalogue_digest(case.catalogue)
