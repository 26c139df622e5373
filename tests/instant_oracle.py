"""A second, slow and obvious reading of the method: one instant at a time, every unknown tried both ways.

It shares no code with the engine: it sees the same stated facts, catalogue and exclusions, and answers per instant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from detak_collector.downtime.catalogue import Catalogue, Declaration, Exclusion, Group, Member, Service
from detak_collector.downtime.facts import Facts

LAYERS = ("power", "network", "device", "server", "database", "application", "office-network", "provider-network")
REASONS = ("planned", "preventive", "third_party", "force_majeure", "measurement_error")


@dataclass(frozen=True)
class Moment:
    """What the oracle says of one service at one instant."""

    gross: bool
    counted: bool
    certain: bool
    possible: bool
    unobserved: bool
    reason: str | None
    cause: str | None
    service_time: bool


def state_at(facts: Facts, check: str, t: int) -> bool | None:
    """True down, False up, None not known."""
    node, name = check.split("/")
    said = {
        fact.state
        for fact in (facts.nodes[node].stated if node in facts.nodes else ())
        if fact.check == name and fact.first_utc <= t < fact.last_utc and fact.state != "unknown"
    }
    good, bad = bool(said & {"up", "degraded"}), "down" in said
    return None if good == bad else bad


class Oracle:
    """One service with instant rules, over the catalogue's exclusions."""

    def __init__(
        self, catalogue: Catalogue, facts: Facts, exclusions: Sequence[Exclusion], service: Service,
        declarations: Sequence[Declaration] = (),
    ) -> None:  # fmt: skip
        self.declarations = [one for one in declarations if one.approved_by and one.approved_by != one.proposed_by]
        self.catalogue = catalogue
        self.facts = facts
        self.service = service
        self.exclusions = [
            one for one in exclusions
            if one.approved_by and one.approved_by != one.proposed_by and one.category in catalogue.counted_exclusions
        ]  # fmt: skip

    def at(self, t: int) -> Moment:
        """Everything about one instant: as observed (unknown is up), and under every way the unknown may be."""
        checks = sorted(set(self.service.checks()))
        known = {check: self._known(check, t) for check in checks}
        said_down = self._said_down(t)
        as_seen = {check: bool(state) for check, state in known.items()}
        worlds = [
            dict(zip(checks, world, strict=True))
            for world in product(*([state] if state is not None else [False, True] for state in known.values()))
        ]
        net = self._net(as_seen, as_seen, t, said_down=said_down)
        counted = net and not self._third_party_alone(as_seen, worlds, t)
        gross = self._gross(as_seen, as_seen, t) or said_down
        return Moment(
            gross=gross,
            counted=counted,
            certain=all(self._truly(world, as_seen, t, said_down=False) for world in worlds),
            possible=any(self._truly(world, as_seen, t, said_down=said_down) for world in worlds)
            or (self._unmeasured(t) and not self._wholly_excluded(t)),
            unobserved=self._unobserved(worlds, t) and not counted,
            reason=self._reason(gross, counted, net, t),
            cause=self._cause(as_seen, t) if gross else None,
            service_time=not self._leaves_the_denominator(t),
        )

    def causes(self, t: int, *, declared: bool) -> set[str | None]:
        """In each way the unknown may be, the layer by which the service is down and counts; None where it is not.

        `declared`: what people declared is believed.
        """
        said_down = declared and self._said_down(t)
        checks = sorted(set(self.service.checks()))
        known = [self._known(check, t) for check in checks]
        as_seen = {check: bool(state) for check, state in zip(checks, known, strict=True)}
        worlds = product(*([state] if state is not None else [False, True] for state in known))
        named = [dict(zip(checks, world, strict=True)) for world in worlds]
        return {
            self._cause(world, t) if self._truly(world, as_seen, t, said_down=said_down) else None for world in named
        }

    def _said_down(self, t: int) -> bool:
        return any(one.category == "down" and one.begin <= t < one.end for one in self.declarations)

    def _known(self, check: str, t: int) -> bool | None:
        state = state_at(self.facts, check, t)
        proven_up = any(
            one.category == "up" and one.begin <= t < one.end and one.scope in {check, check.split("/", maxsplit=1)[0]}
            for one in self.declarations
        )
        return False if state is None and proven_up else state

    def _truly(self, world: dict[str, bool], as_seen: dict[str, bool], t: int, *, said_down: bool) -> bool:
        """Whether the service is down and counts, in one world in which everything is known."""
        if not self._net(world, as_seen, t, said_down=said_down):
            return False
        provider = any(self._group_net(group, world, t) for group in self.service.groups if group.third_party.at(t))
        own = any(self._group_net(group, world, t) for group in self.service.groups if not group.third_party.at(t))
        return not ("third_party" in self.catalogue.counted_exclusions and provider and not own)

    def _third_party_alone(self, as_seen: dict[str, bool], worlds: list[dict[str, bool]], t: int) -> bool:
        if "third_party" not in self.catalogue.counted_exclusions:
            return False
        provider = any(self._group_net(group, as_seen, t) for group in self.service.groups if group.third_party.at(t))
        own = any(
            self._group_net(group, world, t)
            for world in worlds for group in self.service.groups if not group.third_party.at(t)
        )  # fmt: skip
        return provider and not own

    def _gross(self, world: dict[str, bool], as_seen: dict[str, bool], t: int) -> bool:
        groups = any(self._group_down(group, world, t) for group in self.service.groups)
        return groups or self._probe_down(world, as_seen, t)

    def _net(self, world: dict[str, bool], as_seen: dict[str, bool], t: int, *, said_down: bool) -> bool:
        if self._wholly_excluded(t):
            return False
        if any(self._group_net(group, world, t) for group in self.service.groups):
            return True
        excluded_group = any(self._group_down(group, world, t) for group in self.service.groups)
        probe = self._probe_down(world, as_seen, t) and self._some_not_excluded(self._probes(t), None, world, t)
        return (probe or said_down) and not excluded_group

    def _probes(self, t: int) -> list[str]:
        return [check for member in self.service.probes if _dates_hold(member, t) for check in member.checks]

    def _probe_down(self, world: dict[str, bool], as_seen: dict[str, bool], t: int) -> bool:
        probes = self._probes(t)
        if not probes:
            return False
        if self._grouped(t) and not (self.service.probe_guard.at(t) and any(as_seen[check] for check in probes)):
            return False
        return all(world[check] for check in probes)

    def _grouped(self, t: int) -> bool:
        return any(_members(group, t) for group in self.service.groups)

    def _unmeasured(self, t: int) -> bool:
        return not self._grouped(t) and not self._probes(t)

    def _group_down(self, group: Group, world: dict[str, bool], t: int) -> bool:
        members = _members(group, t)
        return bool(members) and sum(world[check] for check in members) >= self._needed(group, t)

    def _needed(self, group: Group, t: int) -> int:
        rule = group.rule.at(t) if group.rule else None
        count = len(_members(group, t))
        if count == 1 or rule == "any_down":
            return 1
        if rule == "k_of_n":
            assert group.k is not None
            return count - (group.k.at(t) or 0) + 1
        return count

    def _group_net(self, group: Group, world: dict[str, bool], t: int) -> bool:
        return self._group_down(group, world, t) and self._some_not_excluded(_members(group, t), group, world, t)

    def _some_not_excluded(self, checks: list[str], group: Group | None, world: dict[str, bool], t: int) -> bool:
        return any(world[check] and not self._excluded(check, group, t) for check in checks)

    def _excluded(self, check: str, group: Group | None, t: int) -> bool:
        return any(self._touches(one, check, group, t) and one.begin <= t < one.end for one in self.exclusions)

    def _touches(self, one: Exclusion, check: str, group: Group | None, t: int) -> bool:
        node = check.split("/", maxsplit=1)[0]
        site = next((entry.site.at(t) for entry in self.catalogue.nodes if entry.name == node and entry.site), None)
        return (one.scope_kind, one.scope) in {
            ("check", check), ("node", node), ("site", site or "-"), ("group", group.key if group else "-"),
        }  # fmt: skip

    def _whole(self, one: Exclusion) -> bool:
        return one.scope_kind == "all" or (one.scope_kind, one.scope) == ("service", self.service.id)

    def _wholly_excluded(self, t: int) -> bool:
        return any(self._whole(one) and one.begin <= t < one.end for one in self.exclusions)

    def _unobserved(self, worlds: list[dict[str, bool]], t: int) -> bool:
        if self._unmeasured(t):
            return True
        if not self._grouped(t):
            return len({tuple(world[check] for check in self._probes(t)) for world in worlds}) > 1
        return any(len({self._group_down(group, world, t) for world in worlds}) > 1 for group in self.service.groups)

    def _reason(self, gross: bool, counted: bool, net: bool, t: int) -> str | None:
        if not gross or counted:
            return None
        if net:
            return "third_party"
        return next(reason for reason in REASONS if reason in self._in_force(t))

    def _cause(self, world: dict[str, bool], t: int) -> str:
        down = {group.category.at(t) for group in self.service.groups if self._group_down(group, world, t)}
        probes = self._probes(t)
        probed = bool(probes) and all(world[check] for check in probes)
        return next((layer for layer in LAYERS if layer in down), "probe only" if probed else "declared")

    def _leaves_the_denominator(self, t: int) -> bool:
        planned = any(self._whole(one) and one.category == "planned" and one.begin <= t < one.end
                      for one in self.exclusions)  # fmt: skip
        return planned and not self.catalogue.planned_in_denominator.at(t)

    def _in_force(self, t: int) -> set[str]:
        return {
            one.category
            for one in self.exclusions
            if one.begin <= t < one.end
            and (self._whole(one) or any(self._touches(one, check, group, t) for check, group in self._places()))
        }

    def _places(self) -> Iterator[tuple[str, Group | None]]:
        for group in self.service.groups:
            for member in group.members:
                yield member.checks[0], group
        yield from ((check, None) for member in self.service.probes for check in member.checks)


def _members(group: Group, t: int) -> list[str]:
    return [member.checks[0] for member in group.members if _dates_hold(member, t)]


def _dates_hold(member: Member, t: int) -> bool:
    return (member.since is None or member.since <= t) and (member.until is None or t < member.until)


def plain(check: str) -> Member:
    """A member of one check."""
    return Member((check,))
