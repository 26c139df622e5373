"""Members and groups as the account sees them: gross and net down time, and what exclusions may have taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from detak_collector.downtime.catalogue import Group, Member, Service
from detak_collector.downtime.intervals import EMPTY, Intervals, at_least, intersection, union
from detak_collector.downtime.reading import Reading
from detak_collector.downtime.remote import observed_together, unobserved_together
from detak_collector.downtime.scopes import Basis, everything
from detak_collector.downtime.triple import NOWHERE, Triple, united, where_at_least


@dataclass(frozen=True, slots=True)
class Part:
    """A member, or a group, over some time.

    `may` is where it is down only as far as it is excluded, perhaps; `surely` where it is down and excluded for
    certain; `counted` between them is `gross.counted - net.counted`. `presumed` is the part of the gross counted
    time that rests on missing heartbeats alone. `bare` is up without reserve: one more member lost, and it is down.
    """

    gross: Triple = NOWHERE
    net: Triple = NOWHERE
    may: Intervals = EMPTY
    surely: Intervals = EMPTY
    unobserved: Intervals = EMPTY
    presumed: Intervals = EMPTY
    degraded: Intervals = EMPTY
    bare: Intervals = EMPTY

    @property
    def excluded(self) -> Intervals:
        """Where it is counted down but excluded."""
        return self.gross.counted - self.net.counted

    def clip(self, begin: int, end: int) -> Part:
        """The part inside [begin, end)."""
        if self is QUIET:
            return self
        return Part(
            self.gross.clip(begin, end),
            self.net.clip(begin, end),
            *(
                one.clip(begin, end)
                for one in (self.may, self.surely, self.unobserved, self.presumed, self.degraded, self.bare)
            ),
        )


QUIET = Part()
"""Simply up: most are, most of the time."""


def joined(parts: Sequence[Part]) -> Part:
    """Parts of the same thing at different times, put together."""
    if len(parts) == 1:
        return parts[0]
    return Part(
        united([part.gross for part in parts]),
        united([part.net for part in parts]),
        union(part.may for part in parts),
        union(part.surely for part in parts),
        union(part.unobserved for part in parts),
        union(part.presumed for part in parts),
        union(part.degraded for part in parts),
        union(part.bare for part in parts),
    )


def member_part(member: Member, service: Service, group: Group | None, basis: Basis) -> Part:
    """One member, or several observers of one thing, less the exclusions that touch its checks."""
    seen = [basis.readings[check] for check in member.checks]
    if all(one.quiet for one in seen):
        return QUIET
    windows = [everything(basis.scopes.on_check(check, service, group)) for check in member.checks]
    gross, unobserved, net = _seen(seen, member.checks, windows)
    touched = union(windows)
    return Part(
        gross=gross,
        net=net,
        may=(gross.possible - net.certain) & touched,
        surely=gross.certain - net.possible,
        unobserved=unobserved,
        presumed=gross.counted & union(one.presumed for one in seen),
        degraded=intersection([one.degraded for one in seen]) - gross.counted,
    )


def _seen(
    seen: Sequence[Reading], checks: Sequence[str], windows: Sequence[Intervals]
) -> tuple[Triple, Intervals, Triple]:
    """Gross, not observed, net. Several observers: excluded only where every one that then says down is excluded."""
    if len(seen) == 1:
        return seen[0].down, seen[0].unobserved, seen[0].down.without(windows[0])
    gross = observed_together(seen, [check.partition("/")[0] for check in checks])
    not_excluded = Triple(
        union(one.seen - window for one, window in zip(seen, windows, strict=True)),
        union(one.down.counted - window for one, window in zip(seen, windows, strict=True)),
        union(one.down.possible - window for one, window in zip(seen, windows, strict=True)),
    )
    net = gross & not_excluded
    return gross, unobserved_together(seen), Triple.nested(net.certain, net.counted, net.possible)


def at_an_instant(down_when: int, members: Sequence[Part]) -> Part:
    """A group that is down while at least `down_when` of its members are.

    An instant is excluded only if every member down then is excluded, so work on one never hides the crash of
    another. Not observed is where the members not observed would decide.
    """
    if all(one is QUIET for one in members):
        return QUIET
    gross = where_at_least(down_when, [one.gross for one in members])
    net = gross & united([one.net for one in members])
    known_down = [one.gross.counted - one.unobserved for one in members]
    perhaps_down = [one.gross.counted | one.unobserved for one in members]
    firmly = at_least(down_when, [one.gross.counted - one.presumed for one in members])
    return Part(
        gross=gross,
        net=net,
        may=at_least(down_when, [one.may for one in members]) - union(one.net.certain for one in members),
        surely=gross.certain - union(one.net.possible for one in members),
        unobserved=at_least(down_when, perhaps_down) - at_least(down_when, known_down),
        presumed=gross.counted - firmly,
        degraded=_degraded(down_when, members) - gross.counted,
        bare=without_reserve(down_when, members),
    )


def without_reserve(down_when: int, members: Sequence[Part]) -> Intervals:
    """Up, but down if one more member were lost. A group that any loss brings down has no reserve to lose."""
    if down_when < 2:
        return EMPTY
    lost = [one.gross.counted for one in members]
    return at_least(down_when - 1, lost) - at_least(down_when, lost)


def _degraded(down_when: int, members: Sequence[Part]) -> Intervals:
    """Down, or slow: the group is degraded where it would be down if slow members were."""
    return at_least(down_when, [one.gross.counted | one.degraded for one in members])


def loosest(options: Iterable[Part], chosen: Part) -> Part:
    """One part for many admissible choices: certain in all of them, possible in any, counted as chosen."""
    every = tuple(options)

    def across(triples: Sequence[Triple], counted: Triple) -> Triple:
        certain = intersection([one.certain for one in triples])
        return Triple.nested(certain, counted.counted, union(one.possible for one in triples))

    return Part(
        gross=across([one.gross for one in every], chosen.gross),
        net=across([one.net for one in every], chosen.net),
        may=union(one.may for one in every),
        surely=intersection([one.surely for one in every]),
        unobserved=chosen.unobserved,
        presumed=chosen.presumed,
        degraded=chosen.degraded,
        bare=chosen.bare,
    )
