"""How much of a service's downtime each layer answers for, with bounds: what a report of a category is made of.

Each instant belongs to the lowest layer that is down then. That is one set algebra over all three sets, and what is
taken away is taken crosswise: from what is certain of a layer, all that is possible of those below it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from detak_collector.downtime.accounts import Account
from detak_collector.downtime.catalogue import Group, Service
from detak_collector.downtime.intervals import EMPTY, Intervals
from detak_collector.downtime.outages import DECLARED, LAYERS, PROBE_ONLY
from detak_collector.downtime.parts import Part, joined, loosest
from detak_collector.downtime.triple import NOWHERE, Triple, united


class Share(NamedTuple):
    """Milliseconds of a layer: `gross_ms` is its counted time before hours and exclusions. Shares add up."""

    counted_ms: int = 0
    certain_ms: int = 0
    possible_ms: int = 0
    gross_ms: int = 0


Shares = Mapping[str, Share]
"""By layer; one that is not in it has no share."""


def shares(laid: Mapping[str, tuple[Triple, Intervals]], where: Intervals) -> dict[str, Share]:
    """What `by_layer` found, inside `where`."""
    found = {
        layer: Share(
            (net.counted & where).total, (net.certain & where).total, (net.possible & where).total,
            (gross & where).total,
        )
        for layer, (net, gross) in laid.items()
    }  # fmt: skip
    return {layer: share for layer, share in found.items() if any(share)}


def by_layer(
    service: Service, account: Account, by_cause: Mapping[str, Intervals]
) -> dict[str, tuple[Triple, Intervals]]:
    """Of each layer what is down of the service by it, net, and what was counted of it before anything left.

    `by_cause` is what `causes` made of the account; the counted sets are those, so that they add up to its own.
    """
    net = account.net
    if not net.possible and not by_cause:
        return {}
    found: dict[str, tuple[Triple, Intervals]] = {}
    below = NOWHERE
    for layer, down in _layers(service, account):
        own = down.less(below.possible, below.counted, below.certain)
        found[layer] = _held(net, own, by_cause.get(layer, EMPTY))
        below = below | down
    rest = net.less(below.possible, below.counted, below.certain)
    # Without probes nobody can have seen it beside its groups: what is left is time that nothing measures.
    seen = rest if service.probes else rest.without(below.possible | account.declared)
    found[PROBE_ONLY] = _held(net, seen, by_cause.get(PROBE_ONLY, EMPTY))
    declared = Triple(EMPTY, EMPTY, rest.possible & account.declared)
    found[DECLARED] = _held(net, declared, by_cause.get(DECLARED, EMPTY))
    return found


def _held(net: Triple, own: Triple, caused: Intervals) -> tuple[Triple, Intervals]:
    return Triple.nested(net.certain & own.certain, net.counted & caused, net.possible & own.possible), caused


def _layers(service: Service, account: Account) -> Iterator[tuple[str, Triple]]:
    """What is down of each layer, gross, the lowest first."""
    down: dict[str, list[Triple]] = {}
    for group in service.groups:
        gross = _part(group, account).gross
        for category in group.category.values() if gross.possible else ():
            here = group.category.when(account.begin, account.end, category)
            down.setdefault(category, []).append(gross & Triple(here, here, here))
    for category in sorted(down, key=LAYERS.index):
        yield category, united(down[category])


def _part(group: Group, account: Account) -> Part:
    """The group; where several of its members may be the lowest, certain in all cases and possible in any."""
    chosen = account.chosen.get(group.key, ())
    if all(len(one.admissible) == 1 for one in chosen):
        return account.layers.get(group.key, Part())
    loose = [loosest([one.options[place] for place in one.admissible], one.options[one.chosen]) for one in chosen]
    return joined(loose).clip(account.begin, account.end)


def added(parts: Sequence[Shares]) -> dict[str, Share]:
    """What the months add up to."""
    found: dict[str, Share] = {}
    for part in parts:
        for layer, share in part.items():
            before = found.get(layer, Share())
            found[layer] = Share(*(one + other for one, other in zip(before, share, strict=True)))
    return found
