"""What somebody must see to between two collectors. Pure: it reads nothing.

The page may be public, so no alarm names the other one's address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from detak_collector.operating.alarms import Alarm
from detak_collector.pair.role import Role
from detak_collector.translation.saying import Saying, mark, saying

SILENT_MS = 30_000
"""So long after its last word the other collector is silent."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How both stand. `silent_ms`: how long ago the other one was heard last.

    Not `is_paired`: this collector was told to follow another one and knows none.
    """

    role: Role
    is_paired: bool
    silent_ms: int
    other_leads: bool | None = None
    same_services: bool = True

    @property
    def is_silent(self) -> bool:
        """Whether the other one is."""
        return self.silent_ms > SILENT_MS

    @property
    def word(self) -> str:
        """For `/readyz`."""
        if not self.is_paired:
            return "not paired"
        return f"silent for {self.silent_ms // 1_000} s" if self.is_silent else "ok"


def pair_alarms(standing: Standing | None) -> Iterator[Alarm]:
    """None where there is one collector only."""
    if standing is None:
        return
    if not standing.is_paired:
        yield _alarm("peer-missing", saying(
            "this collector is to follow another one, and is not paired with it: on that one "
            "run `detak-collector pair token`, and here what it prints"
        ))  # fmt: skip
        return
    if standing.is_silent:
        yield _alarm("peer-silent", _silence(standing))
    if standing.role is Role.SUPERSEDED:
        yield _alarm("peer-promoted", saying(
            "the other collector was promoted and leads, and nothing can be entered here; "
            "but this one's collector.toml does not say that it follows. Write `follow` and the other's URL "
            "into it; or `detak-collector promote` lets this one lead again"
        ))  # fmt: skip
    elif standing.role is Role.LEADS and standing.other_leads:
        yield _alarm("two-leaders", saying(
            "this collector and the other one both lead: what is entered at either counts, and "
            "`detak-collector pair status` lists what contradicts. Let one follow: `follow` in its "
            "collector.toml, and `detak-collector promote` on the one that shall lead"
        ))  # fmt: skip
    if not standing.same_services:
        yield _alarm("peer-services", saying(
            "the two collectors do not go by the same version of the catalogue, so their "
            "figures may differ: bring both to one release of Detak, and see `detak-collector pair status` on both"
        ))  # fmt: skip


def _silence(standing: Standing) -> Saying:
    length = in_words(standing.silent_ms)
    if standing.role is Role.FOLLOWS:
        return saying(
            "the other collector is not heard for {length}; the log says why. "
            "If it does not come back soon, `detak-collector promote` lets this one lead",
            length=length,
        )
    return saying(
        "the other collector is not heard for {length}; the log says why. Evidence is still received here",
        length=length,
    )


def _alarm(key: str, text: str) -> Alarm:
    return Alarm(key, is_urgent=False, text=text)


def in_words(length_ms: int) -> str:
    """A length of time, roughly; it changes seldom, so that a page is not drawn anew for it."""
    units = (86_400_000, mark("{number} d")), (3_600_000, mark("{number} h")), (60_000, mark("{number} min"))
    for unit, words in units:
        if length_ms >= 2 * unit:
            return saying(words, number=length_ms // unit)
    return saying("more than 30 s")
