"""What is usually wrong with a catalogue that is right in itself: it does not fit what is measured. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from detak_collector.catalogue.versions import Versions
from detak_collector.downtime.catalogue import Catalogue, Service
from detak_collector.downtime.facts import ALIVE
from detak_collector.operating.catalogue_alarms import OnDisk
from detak_collector.store.base import NodeRow

SHOWN = 10


class Severity(StrEnum):
    """`fault`: the figure or the evidence suffers now; `warning`: it will, or may."""

    FAULT = "fault"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what is so, why it matters, what to do. `area` is a fixed word."""

    severity: Severity
    area: str
    what: str
    why: str
    what_to_do: str


def catalogue_findings(catalogue: Catalogue, rows: Sequence[NodeRow], now: int) -> Iterator[Finding]:
    """Checks in no service, services without evidence, counted services that nobody sees as their users do."""
    measured = {f"{row.name}/{check}" for row in rows if row.enrolled for check in row.states}
    yield from _in_no_service(catalogue, measured)
    in_force = [service for service in catalogue.services if any(True for _ in service.checks_in_force(now, now + 1))]
    for service in catalogue.services:
        yield from _without_evidence(service, measured, now, has_checks=service in in_force)
    yield from _without_outside_probe(catalogue, now)


def version_findings(versions: Versions, disk: OnDisk, *, leads: bool) -> Iterator[Finding]:
    """A version that waits, a file that is broken, and one that is not what is in force."""
    standing, held = versions.in_force(), versions.held()
    if standing is None:
        return
    if held is not None:
        yield Finding(
            Severity.WARNING, "catalogue", f"version {held.number} is held, version {standing.number} stays in force",
            "it changes how time that has passed is read, so it wants somebody other than its proposer",
            f"`detak-collector catalogue show {held.number}`, then `catalogue approve` or `catalogue reject`",
        )  # fmt: skip
    write = f"`detak-collector catalogue show {standing.number} --to DIRECTORY` writes what is in force"
    if disk.is_broken:
        yield Finding(
            Severity.WARNING, "catalogue", "services.toml on this machine is not right",
            "no figure rests on it, but it can be neither loaded nor taken as a new version",
            f"`detak-collector config-check` tells what is wrong; {write}",
        )  # fmt: skip
    elif disk.digest not in {standing.digest, "" if held is None else held.digest}:
        when = "" if leads else ", once this collector leads,"
        yield Finding(
            Severity.WARNING, "catalogue",
            f"services.toml on this machine is not version {standing.number}, which is in force",
            f"figures do not go by it, and a reload{when} makes it a new version",
            f"load it, if it is meant so; otherwise {write}",
        )  # fmt: skip


def _in_no_service(catalogue: Catalogue, measured: Collection[str]) -> Iterator[Finding]:
    used = {check for service in catalogue.services for check in service.checks()}
    used |= {check for node in catalogue.nodes for check in (*node.witnesses, *node.references)}
    idle = sorted(check for check in measured if check not in used and not check.endswith(f"/{ALIVE}"))
    if idle:
        yield Finding(
            Severity.WARNING, "catalogue", f"checks that are in no service: {_listed(idle)}",
            "whatever they see enters no figure",
            "name them in services.toml, or take them out of the node's agent.toml",
        )  # fmt: skip


def _without_evidence(service: Service, measured: Collection[str], now: int, *, has_checks: bool) -> Iterator[Finding]:
    if not has_checks:
        yield Finding(
            Severity.FAULT, "catalogue", f"service {service.id}: no check measures it now",
            "all its time is not observed", "give it groups or probes in services.toml",
        )  # fmt: skip
        return
    missing = sorted({check for check in service.checks_in_force(now, now + 1) if check not in measured})
    if missing:
        whole = all(check not in measured for check in service.checks_in_force(now, now + 1))
        yield Finding(
            Severity.FAULT if whole else Severity.WARNING, "catalogue",
            f"service {service.id}: {'no evidence at all' if whole else 'no evidence of some of its checks'}: "
            f"{_listed(missing)}",
            "a check that nobody runs is never seen up: that time is not observed",
            "correct its name in services.toml, or let the node's agent run it",
        )  # fmt: skip


def _without_outside_probe(catalogue: Catalogue, now: int) -> Iterator[Finding]:
    for service in catalogue.services:
        if service.criticality.at(now) not in catalogue.counted_criticality:
            continue
        probes = {check for probe in service.probes if probe.in_force(now) for check in probe.checks}
        inside = {check.partition("/")[0] for group in service.groups for one in group.members for check in one.checks}
        if not probes:
            what = "has no probe"
        elif all(probe.partition("/")[0] in inside for probe in probes):
            what = "has probes on the very nodes that carry it only"
        else:
            continue
        yield Finding(
            Severity.WARNING, "catalogue", f"service {service.id} is counted and {what}",
            "the figure is about external users: only a check that comes from outside sees what they see",
            'add probes = ["NODE/CHECK"] with a check of a node outside, such as http of its public address',
        )  # fmt: skip


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    return shown if len(names) <= SHOWN else f"{shown} and {len(names) - SHOWN} more"
