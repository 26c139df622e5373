"""What somebody must see to of the catalogue: a version that waits, a file that is not what is in force. Pure.

The page may be public, so no alarm tells what a version changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_collector.catalogue.versions import State, Version, Versions
from detak_collector.operating.alarms import Alarm

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
        yield _alarm(HELD, f"version {held.number} of the catalogue is held, since it changes how time that has passed "
                     f"is read; version {standing.number} stays in force. `detak-collector catalogue show "
                     f"{held.number}` tells what it changes; somebody other than its proposer approves or rejects "
                     "it")  # fmt: skip
    if not leads:
        return
    if disk.is_broken:
        yield _alarm(BROKEN, "services.toml is not right and was not taken; what was in force stays so. "
                     "`detak-collector config-check` tells what is wrong; then reload")  # fmt: skip
    elif standing is not None and disk.digest not in {standing.digest, held.digest if held else ""}:
        yield _alarm(FILE, _differs(versions, standing, disk.digest))


def refused_alarm() -> Alarm:
    """Of a reload that took nothing, because of another fault than that of services.toml."""
    return _alarm(REFUSED, "the configuration was refused when it was to be reloaded, and the old one is in force. "
                  "`detak-collector config-check` and the log tell what is wrong; then reload")  # fmt: skip


def _differs(versions: Versions, standing: Version, digest: str) -> str:
    alike = next((one for one in reversed(versions.all) if one.digest == digest), None)
    put_right = f"`detak-collector catalogue show {standing.number} --to DIRECTORY` writes what is in force"
    if alike is not None and alike is versions.latest() and versions.state(alike) is State.REJECTED:
        return f"services.toml still is version {alike.number}, which was rejected: correct it and reload; {put_right}"
    what = "is not what is in force" if alike is None else f"is that of version {alike.number}, which is not in force"
    return (
        f"services.toml on this machine {what}: that is version {standing.number} of the catalogue. A reload makes the "
        f"file a new version; {put_right}"
    )


def _alarm(key: str, text: str) -> Alarm:
    return Alarm(key, is_urgent=False, text=text)
