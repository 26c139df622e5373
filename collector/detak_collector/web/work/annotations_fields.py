"""What the forms about an outage bring: an annotation with its follow-up, and the limits of a form with a file."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from detak_collector.annotations.drafts import Typed, TypedTask
from detak_collector.annotations.kinds import MOST_BYTES
from detak_collector.web.session import Gate
from detak_collector.web.uploads import NO_FORM, Limits, Upload, read_upload

LIMITS = Limits(text=128 * 1024, file=MOST_BYTES, read=4 * MOST_BYTES)
"""Two minutes are for a scan of some megabytes over a slow line of an office."""


async def read_form(request: web.Request, gate: Gate) -> Upload:
    """The fields and the file of such a form; raises an HTTPException with the reason for anything else."""
    return await read_upload(request, gate, LIMITS)


def typed_of(fields: Mapping[str, str]) -> Typed:
    """An annotation as a form brought it. Raises HTTPBadRequest where its version is no number."""
    version = fields.get("version", "")
    if not (version.isascii() and version.isdigit() and len(version) < 10):
        raise web.HTTPBadRequest(text=NO_FORM)
    rows = [name.removeprefix("what-") for name in fields if name.startswith("what-")]
    tasks = (
        TypedTask(fields.get(f"what-{row}", ""), fields.get(f"who-{row}", ""), fields.get(f"until-{row}", ""))
        for row in rows
    )
    return Typed(
        fields.get("cause", ""),
        fields.get("effect", ""),
        fields.get("chronology", ""),
        tuple(one for one in tasks if not one.is_blank),
        int(version),
    )
