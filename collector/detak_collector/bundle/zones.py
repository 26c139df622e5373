"""The rules of the time zones that a bundle carries, and deriving by them instead of by those of this machine."""

from __future__ import annotations

import re
import tempfile
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from zoneinfo import ZoneInfo

from detak_collector.downtime.catalogue import Catalogue

MAGIC = b"TZif"
ZONE_BYTES = 64 * 1024
_KEY = re.compile(r"[A-Za-z0-9_+-]{1,40}(?:/[A-Za-z0-9_+-]{1,40}){0,2}")


class ZoneError(ValueError):
    """The rules of a zone cannot be had, or are none."""


def zones_of(catalogue: Catalogue) -> list[str]:
    """Every zone that the catalogue names, in order."""
    return sorted({catalogue.timezone, *(str(one.zone) for one in catalogue.calendars)})


def rules_here(names: Iterable[str]) -> dict[str, bytes]:
    """The rules of these zones as this process reads them; raises ZoneError."""
    return {name: _rules(name) for name in names}


def _rules(name: str) -> bytes:
    for folder in zoneinfo.TZPATH:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes()
    try:
        return resources.files("tzdata").joinpath("zoneinfo", name).read_bytes()
    except (ModuleNotFoundError, OSError):
        raise ZoneError(f"the rules of the time zone {name} are nowhere on this machine") from None


@contextmanager
def only_rules(zones: Mapping[str, bytes]) -> Iterator[None]:
    """While it lasts, these zones have these rules. Where this machine's are the same nothing is changed.

    For commands of one thread: where zones are looked for is the whole process's. Raises ZoneError.
    """
    for name, rules in zones.items():
        if _KEY.fullmatch(name) is None or not rules.startswith(MAGIC) or len(rules) > ZONE_BYTES:
            raise ZoneError(f"zones/{name}: not the rules of a time zone of at most {ZONE_BYTES} bytes")
    if _are_here(zones):
        yield
        return
    before = zoneinfo.TZPATH
    with tempfile.TemporaryDirectory(prefix="detak-zones-") as folder:
        for name, rules in zones.items():
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(rules)
        try:
            _search([folder])
            yield
        finally:
            _search(before)


def _are_here(zones: Mapping[str, bytes]) -> bool:
    try:
        return rules_here(zones) == dict(zones)
    except ZoneError:
        return False


def _search(path: Iterable[str]) -> None:
    zoneinfo.reset_tzpath(list(path))
    ZoneInfo.clear_cache()
