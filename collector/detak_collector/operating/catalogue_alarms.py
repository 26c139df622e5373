"""What somebody must see to of the catalogue: a version that waits, a file that is not what is in force. Pure.

The page may be public, so no alarm tells what a version changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_collector.catalogue.versions import State, Version, Versions
from detak_collector.operating.alarms import Alarm
from detak_collector.translation.saying import Saying, saying

HELD, FILE, BROKEN = "catalogue-held", "catalogue-file", "catalogue-broken"
REFUSED = "reload-refused"


@dataclass(frozen=True, slots=True)
class OnDisk:
    """How services.toml of this machine was when it was last read: its digest, empty where it could not be taken."""

    digest: str
    is_broken: bool = False


def catalogue_alarms(versions: Versions, disk: OnDisk, *, leads: bool) -> Iterator[Alarm]:
    """Of what is recorded, and of the file where this collector leads: on one that follows it is not used."""
    standing, held = versions.in_force(), versions.held()
    if standing is not None and held is not None:
        yield _alarm(HELD, saying(
            "version {held} of the catalogue is held, since it changes how time that has passed is read; "
            "version {number} stays in force. `detak-collector catalogue show {held}` tells what it changes; "
            "somebody other than its proposer approves or rejects it",
            held=str(held.number), number=str(standing.number),
        ))  # fmt: skip
    if not leads:
        return
    if disk.is_broken:
        yield _alarm(BROKEN, saying(
            "services.toml is not right and was not taken; what was in force stays so. "
            "`detak-collector config-check` tells what is wrong; then reload"
        ))  # fmt: skip
    elif standing is not None and disk.digest not in {standing.digest, held.digest if held else ""}:
        yield _alarm(FILE, _differs(versions, standing, disk.digest))


def refused_alarm() -> Alarm:
    """Of a reload that took nothing, because of another fault than that of services.toml."""
    return _alarm(REFUSED, saying(
        "the configuration was refused when it was to be reloaded, and the old one is in force. "
        "`detak-collector config-check` and the log tell what is wrong; then reload"
    ))  # fmt: skip


def _differs(versions: Versions, standing: Version, digest: str) -> Saying:
    alike = next((one for one in reversed(versions.all) if one.digest == digest), None)
    put_right = saying(
        "`detak-collector catalogue show {number} --to DIRECTORY` writes what is in force", number=str(standing.number)
    )
    if alike is not None and alike is versions.latest() and versions.state(alike) is State.REJECTED:
        return saying(
            "services.toml still is version {number}, which was rejected: correct it and reload; {put_right}",
            number=str(alike.number), put_right=put_right,
        )  # fmt: skip
    what = (
        saying("is not what is in force")
        if alike is None
        else saying("is that of version {number}, which is not in force", number=str(alike.number))
    )
    return saying(
        "services.toml on this machine {what}: that is version {number} of the catalogue. A reload makes the "
        "file a new version; {put_right}",
        what=what, number=str(standing.number), put_right=put_right,
    )  # fmt: skip


def _alarm(key: str, text: str) -> Alarm:
    return Alarm(key, is_urgent=False, text=text)
