"""By which catalogue a figure was derived: its version, since when that was in force, and digests to compare it by."""

from __future__ import annotations

from collections.abc import Iterator

from detak_collector.report.digests import catalogue_digest
from detak_collector.report.matter import Matter


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
