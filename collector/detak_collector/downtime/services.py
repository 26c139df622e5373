"""A service over one cell: its groups in series, its probes, its exclusions, its hours; gross and net."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, product
from math import prod

from detak_collector.downtime.accounts import OUTSIDE_HOURS, Account
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Group, Member, Service
from detak_collector.downtime.groups import Cell, Instead, Stretch, ruled_otherwise, stretches
from detak_collector.downtime.intervals import EMPTY, Interval, Intervals, union
from detak_collector.downtime.parts import Part, joined, loosest, member_part
from detak_collector.downtime.scopes import Basis, Scopes, everything
from detak_collector.downtime.triple import NOWHERE, Triple, united

MOST_CHOICES = 64


def account(service: Service, hours: Intervals, span: Interval, basis: Basis) -> Account:
    """The service over `span`, a calendar month or the part of it that is over."""
    own_windows = everything(basis.scopes.on_service(service))
    cell = Cell(*span, hours, hours - own_windows)
    return _assembled(
        service, cell, basis, {group.key: tuple(stretches(group, service, cell, basis)) for group in service.groups}
    )


def under_another_rule(base: Account, service: Service, basis: Basis, instead: Instead) -> Account:
    """The same account as if its HA rules were others. Groups that no rule could make differ are not laid out again."""
    differing = [group for group in service.groups if any(map(_may_differ, base.chosen[group.key]))]
    if not differing:
        return base
    cell = Cell(base.begin, base.end, base.hours, base.hours - everything(basis.scopes.on_service(service)))
    catalogue = basis.scopes.catalogue
    anew = {
        group.key: tuple(ruled_otherwise(one, group, cell, catalogue, instead) for one in base.chosen[group.key])
        for group in differing
    }
    return _assembled(service, cell, basis, {**base.chosen, **anew})


def _may_differ(stretch: Stretch) -> bool:
    """Whether another HA rule could say anything else."""
    return stretch.rule != "any_down" and not stretch.quiet


def _assembled(service: Service, cell: Cell, basis: Basis, laid: Mapping[str, tuple[Stretch, ...]]) -> Account:
    own_windows = everything(basis.scopes.on_service(service))
    declared = basis.declared_down.get(service.id, EMPTY).clip(cell.begin, cell.end)
    alone = _without_groups(cell, laid)
    bench = _Bench(service, basis.scopes, cell, own_windows, _probe(service, basis, cell, alone), declared, alone)
    chosen = bench.assemble({key: joined_choice(parts) for key, parts in laid.items()})
    return _with_bounds(chosen, bench, laid)


def _without_groups(cell: Cell, laid: Mapping[str, tuple[Stretch, ...]]) -> Intervals:
    """Where no group has a member in force."""
    spans = [(one.begin, one.end) for parts in laid.values() for one in parts]
    return EMPTY if (cell.begin, cell.end) in spans else Intervals.of(spans).within(cell.begin, cell.end)


def joined_choice(parts: Sequence[Stretch], choice: Sequence[int] | None = None) -> Part:
    """The group over all its stretches, under the chosen members or under others."""
    places = choice if choice is not None else [stretch.chosen for stretch in parts]
    return joined([stretch.options[place] for stretch, place in zip(parts, places, strict=True)]) if parts else Part()


def _with_bounds(chosen: Account, bench: _Bench, laid: Mapping[str, tuple[Stretch, ...]]) -> Account:
    """The account, its certain and possible sets taken over every admissible choice of lowest members."""
    flat = [(key, stretch) for key, parts in laid.items() for stretch in parts]
    count = prod(len(stretch.admissible) for _, stretch in flat)
    if count == 1:
        return replace(chosen, net=chosen.net, variants=(_variant(chosen.net),), chosen=laid)
    if count > MOST_CHOICES:
        net = bench.assemble({key: joined([_loose(one) for one in parts]) for key, parts in laid.items() if parts}).net
        return replace(chosen, net=net, variants=(_variant(net),), chosen=laid)
    nets = []
    for choice in product(*(stretch.admissible for _, stretch in flat)):
        picked: dict[str, list[int]] = {key: [] for key in laid}
        for (key, _), place in zip(flat, choice, strict=True):
            picked[key].append(place)
        nets.append(bench.assemble({key: joined_choice(parts, picked[key]) for key, parts in laid.items()}).net)
    certain = chosen.net.certain
    for one in nets:
        certain = certain & one.certain
    net = Triple.nested(certain, chosen.net.counted, union(one.possible for one in nets))
    return replace(chosen, net=net, variants=tuple(_variant(one) for one in nets), chosen=laid)


def _loose(stretch: Stretch) -> Part:
    return loosest([stretch.options[place] for place in stretch.admissible], stretch.options[stretch.chosen])


def _variant(net: Triple) -> tuple[Intervals, Intervals]:
    return net.certain, net.possible


def _probe(service: Service, basis: Basis, cell: Cell, alone: Intervals) -> Part:
    """The service as its users reach it: probes are observers of one thing, so all that see it must say down.

    Where it stands `alone`, without groups, and no probe is in force either, nothing observes it.
    """
    changes = {instant for member in service.probes for instant in member.changes()}
    edges = sorted({cell.begin, cell.end, *(instant for instant in changes if cell.begin < instant < cell.end)})
    parts = []
    for begin, end in pairwise(edges):
        together = Member(tuple(check for one in service.probes if one.in_force(begin) for check in one.checks))
        if together.checks:
            parts.append(member_part(together, service, None, basis).clip(begin, end))
        elif unmeasured := alone.clip(begin, end):
            perhaps = Triple(possible=unmeasured)
            parts.append(Part(perhaps, perhaps, unobserved=unmeasured))
    return joined(parts) if parts else Part()


@dataclass(frozen=True, slots=True)
class _Bench:
    """What stays the same while groups are put together under one choice of members or another.

    Where it is `alone` no group has a member in force: the probes are all that speaks for the service.
    """

    service: Service
    scopes: Scopes
    cell: Cell
    own_windows: Intervals
    probe: Part
    declared: Intervals
    alone: Intervals

    @property
    def span(self) -> Interval:
        return self.cell.begin, self.cell.end

    def assemble(self, groups: Mapping[str, Part]) -> Account:
        """Groups in series, then the probes, then proven third party, the service's exclusions and its hours."""
        of = {group.key: group for group in self.service.groups}
        parts = list(groups.values())
        probe_gross, probe_net = self._beside_groups(parts)
        gross = united([part.gross for part in parts] + [probe_gross])
        before_proof = united([part.net for part in parts] + [probe_net])
        net = self._less_proven(before_proof, [(of[key], part) for key, part in groups.items()])
        inside = net.without(self.own_windows).map(lambda one: one & self.cell.hours)
        unproven = before_proof.counted & self.cell.hours - self.own_windows
        unobserved = union([*(part.unobserved for part in parts), self.probe.unobserved & self.alone])
        degraded = union(part.degraded for part in parts) | self.probe.degraded
        return Account(
            begin=self.cell.begin,
            end=self.cell.end,
            hours=self.cell.hours,
            service_time=self._service_time(),
            gross=gross,
            net=inside,
            left=self._left(gross.counted, inside.counted, unproven),
            unobserved=unobserved - inside.counted,
            presumed=self._presumed(inside.counted, parts, probe_net.counted),
            degraded=degraded - gross.counted,
            variants=(_variant(inside),),
            layers=dict(groups),
            probed=self.probe.gross.counted & gross.counted,
            declared=self.declared,
            bare=(union(part.bare for part in parts) & self.cell.hours) - gross.counted,
        )

    def _presumed(self, counted: Intervals, parts: Sequence[Part], probed: Intervals) -> Intervals:
        """What is counted for want of heartbeats alone."""
        if not any(part.presumed for part in (*parts, self.probe)):
            return EMPTY
        firm = union([part.net.counted - part.presumed for part in parts] + [probed - self.probe.presumed])
        return counted - firm

    def _beside_groups(self, parts: Sequence[Part]) -> tuple[Triple, Triple]:
        """What probes and declarations add to the groups, gross and net: nothing where a group is down but excluded."""
        declared = Triple(counted=self.declared, possible=self.declared)
        probe_gross, probe_net = self._probe_guard()
        if not probe_gross.possible and not self.declared:
            return NOWHERE, NOWHERE
        net = (probe_net | declared).less(
            union(part.may for part in parts),
            union(part.excluded for part in parts),
            union(part.surely for part in parts),
        )
        return probe_gross | declared, net

    def _probe_guard(self) -> tuple[Triple, Triple]:
        """What the probes say, gross and net; beside groups in force, nothing that was merely not observed."""
        unguarded = self.service.probe_guard.when(*self.span, value=False)
        left_out = (self.probe.unobserved | unguarded) - self.alone
        return self.probe.gross.without(left_out), self.probe.net.without(left_out)

    def _less_proven(self, net: Triple, groups: Sequence[tuple[Group, Part]]) -> Triple:
        """Less the time in which a third party alone was down, as far as that is proven."""
        if "third_party" not in self.scopes.catalogue.counted_exclusions:
            return net
        if not any(True in group.third_party.values() for group, _ in groups):
            return net
        provider, own = (
            united([part.net.without(group.third_party.when(*self.span, not theirs)) for group, part in groups])
            for theirs in (True, False)
        )
        return net.less(
            provider.possible - own.certain, provider.counted - own.possible, provider.certain - own.possible
        )

    def _service_time(self) -> Intervals:
        leaves = self.scopes.catalogue.planned_in_denominator.when(*self.span, value=False)
        if not leaves:
            return self.cell.hours
        return self.cell.hours - (self.scopes.on_service(self.service)["planned"] & leaves)

    def _left(self, gross: Intervals, net: Intervals, unproven: Intervals) -> dict[str, Intervals]:
        """Where the difference went, each millisecond once, in the order of REASONS."""
        windows = self.scopes.on_any_part(self.service)
        proven = unproven - net
        rest = gross - net - proven
        left = {OUTSIDE_HOURS: rest - self.cell.hours}
        rest = rest & self.cell.hours
        for category in EXCLUSION_CATEGORIES:
            left[category] = rest & windows[category]
            rest = rest - windows[category]
        left["third_party"] = left["third_party"] | proven
        return left
