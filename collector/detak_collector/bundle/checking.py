"""The whole check of a packed bundle: chain, facts, entries and figure. It prints nothing and needs no library."""

from __future__ import annotations

from dataclasses import dataclass

from detak_collector.bundle.agreement import Agreement
from detak_collector.bundle.deriving import Contents, Step, contents_of, result_digest, result_of
from detak_collector.bundle.entered import disagreements
from detak_collector.bundle.evidence import Chain, followed
from detak_collector.bundle.manifest import SERVICES
from detak_collector.bundle.package import BundleError, Package
from detak_collector.downtime.derive import Result
from detak_collector.downtime.outages import OutageKey
from detak_collector.ledger.chain import GivenHead
from detak_collector.ledger.verification import Fault

MOST_TOLD = 20
"""Of facts and entries that do not agree."""


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found. `wrong` is empty exactly if all holds; without a sound chain nothing else was looked at."""

    chain: Chain | None
    spans: int
    open_spans: int
    unseen: int
    result: Result | None
    digest: str
    wrong: tuple[str, ...]


def checked(package: Package, given: GivenHead | None, step: Step | None = None) -> Checked:
    """Everything of a bundle; raises BundleError where it cannot be looked at."""
    found = followed(package, given)
    if isinstance(found, Fault):
        return broken(found)
    with contents_of(package) as contents:
        agreement, wrong = _agreement(package, contents, found)
        # From forged facts nothing follows, and the engine need not take them.
        result = None if wrong else result_of(contents, step=step)
    digest = "" if result is None else result_digest(result)
    if result is not None and digest != package.manifest.result:
        wrong.append(f"figure: recomputed it is another one: SHA-256 {digest}, bundled {package.manifest.result}")
    return Checked(found, agreement.spans, agreement.open, agreement.unseen, result, digest, tuple(wrong))


def broken(fault: Fault) -> Checked:
    """What is known of a bundle whose chain does not hold."""
    return Checked(None, 0, 0, 0, None, "", (f"chain: {fault.text}",))


def _agreement(package: Package, contents: Contents, chain: Chain) -> tuple[Agreement, list[str]]:
    """Facts and entries against the records, and what is wrong with them."""
    told, records = package.manifest, chain.records
    agreement = Agreement(records, told.as_of)
    for cell in told.months:
        agreement.take(contents.facts(cell))
    entered = list(
        disagreements(records.entries, told, texts_of(package), contents.corrections, contents.zone)
    )  # fmt: skip
    return agreement, [*_told("facts", agreement.wrong), *_told("entries", entered)]


def texts_of(package: Package) -> dict[str, str]:
    """The files of the catalogue, called as the ledger calls them."""
    tables = package.under("tables")
    return {SERVICES: package.text(SERVICES), **{name: package.text(f"tables/{name}") for name in tables}}


def named(result: Result, outage: str) -> OutageKey:
    """The outage of this number or id; raises BundleError."""
    for service in result.services:
        for one in service.outages:
            if outage in {one.id, str(result.numbers.get(one.key))}:
                return one.key
    raise BundleError(f"no outage of this period has the number or id {outage!r}")


def _told(what: str, lines: list[str]) -> list[str]:
    distinct = list(dict.fromkeys(lines))
    more = [f"{what}: and {len(distinct) - MOST_TOLD} more"] if len(distinct) > MOST_TOLD else []
    return [*(f"{what}: {one}" for one in distinct[:MOST_TOLD]), *more]
