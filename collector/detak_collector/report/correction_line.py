"""An exclusion or declaration as `explain` tells it, on a terminal and to an auditor: one line of English. Pure."""

from __future__ import annotations

from collections.abc import Collection

from detak_collector.downtime.catalogue import Correction


def correction_line(one: Correction, drills: Collection[str] | None) -> str:
    """What took a piece out of the count, by whom; `drills` are the ids of those that are drills, if that is known."""
    drill = " (drill)" if one.id in (drills or ()) else ""
    late = ", entered late" if one.late else ""
    return (
        f"{one.category}{drill} {one.label}, document {one.document}: {one.reason} "
        f"(proposed by {one.proposed_by}, approved by {one.approved_by}{late})"
    )
