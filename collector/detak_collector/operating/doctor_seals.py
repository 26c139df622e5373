"""What an upgrade leaves to be done, or has done, to the figures of sealed periods. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from detak_collector.operating.doctor_catalogue import Finding, Severity

SHOWN = 10


def seal_findings(unseen: Sequence[str], differing: Sequence[str]) -> Iterator[Finding]:
    """Seals that this version has not recomputed yet, and those that it came to another account of."""
    if unseen:
        yield Finding(
            Severity.WARNING, "seals", f"made by another version, and not recomputed by this one: {_named(unseen)}",
            "whether this version still comes to the sealed figures is not known",
            "`detak-collector verify --sealed` recomputes every sealed period and tells any difference",
        )  # fmt: skip
    if differing:
        yield Finding(
            Severity.FAULT, "seals", f"this version comes to other figures than were sealed: {_named(differing)}",
            "the sealed figures stand, but this version does not derive them from the same records",
            "`detak-collector verify --sealed` tells the services; check the bundle that was kept with the "
            "detak-verify.pyz of its release, and report the difference",
        )  # fmt: skip


def _named(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    return f"{', '.join(names[:SHOWN])}{f' and {more} more' if more > 0 else ''}"
