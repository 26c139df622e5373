"""From an opened bundle to its result, by the very same engine, and to the digest that says whether it is the same.

Everything but the year to date is in that result: of the year, a bundle of one month has no evidence.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from zoneinfo import ZoneInfo

from detak_collector.bundle.codec import MisfitError
from detak_collector.bundle.manifest import CORRECTIONS, NUMBERING, SERVICES, Cell, Corrections, Numbering
from detak_collector.bundle.months import facts_of
from detak_collector.bundle.package import BundleError, Package
from detak_collector.bundle.zones import ZoneError, only_rules, zones_of
from detak_collector.catalogue.organisation import parse_beside
from detak_collector.catalogue.place import CatalogueError
from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.assess import Month
from detak_collector.downtime.calendars import JointLeaveUnknownError, refuse_unknown
from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Service
from detak_collector.downtime.derive import Result, cells_of, derive_months, put_together, with_incidents
from detak_collector.downtime.facts import Facts
from detak_collector.downtime.incidents import orders_of
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.months import ServiceMonth
from detak_collector.downtime.periods import Period
from detak_collector.report.document import document
from detak_collector.report.effects import Derive

Step = Callable[[], None]
"""Told after each month."""


class OtherRulesError(BundleError):
    """The bundle's figure was derived by rules that this program does not have."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What a bundle says, read but for the facts, which are read month by month."""

    package: Package
    catalogue: Catalogue
    corrections: Corrections
    numbering: Numbering

    @property
    def period(self) -> Period:
        """Whose figure it is."""
        told = self.package.manifest
        return Period(told.period, told.from_utc, told.to_utc)

    @property
    def zone(self) -> ZoneInfo:
        """The organisation's, by the bundle's own rules."""
        return ZoneInfo(self.catalogue.timezone)

    def case(self) -> Case:
        """All but the facts."""
        told = self.package.manifest
        return Case(
            self.catalogue, self.zone, Facts({}), self.corrections.exclusions, told.as_of,
            self.corrections.declarations, earlier=True, version=told.catalogue,
        )  # fmt: skip

    def facts(self, cell: Cell) -> Facts:
        """What the engine was given for a month; raises BundleError."""
        try:
            return facts_of(self.package.content(cell.file), f"{self.package.path}: {cell.file}")
        except MisfitError as error:
            raise BundleError(str(error)) from None


@contextmanager
def contents_of(package: Package) -> Iterator[Contents]:
    """What the bundle says, by its own rules of time zones while it lasts. Raises BundleError."""
    told = package.manifest
    if told.rule_version != RULE_VERSION:
        raise OtherRulesError(
            f"{package.path}: derived by rule version {told.rule_version[:40]!r}, this program has {RULE_VERSION!r}: "
            "recompute it with a program of its own version"
        )
    try:
        with only_rules(package.under("zones")):
            contents = Contents(
                package, _catalogue(package), package.read(Corrections, CORRECTIONS), package.read(Numbering, NUMBERING)
            )
            _refuse_other_months(contents)
            yield contents
    except (CatalogueError, JointLeaveUnknownError, ZoneError) as error:
        raise BundleError(f"{package.path}: {error}") from None


def _catalogue(package: Package) -> Catalogue:
    tables = package.under("tables")
    return parse_beside(
        package.text(SERVICES),
        f"{package.path}: {SERVICES}",
        lambda name: package.text(f"tables/{name}") if name in tables else None,
    )


def _refuse_other_months(contents: Contents) -> None:
    missing = set(zones_of(contents.catalogue)) - set(contents.package.under("zones"))
    if missing:
        raise BundleError(f"{contents.package.path}: the rules of the time zone {min(missing)} are missing")
    cells = cells_of(contents.case(), contents.period)
    if tuple(one.interval for one in contents.package.manifest.months) != cells:
        raise BundleError(f"{contents.package.path}: its months are not those of its period")
    refuse_unknown(contents.catalogue, cells)


def result_of(contents: Contents, *, services: Sequence[Service] | None = None, step: Step | None = None) -> Result:
    """The result of the period, of all or of some services; with the details of its months where some were asked for.

    Raises BundleError.
    """
    case, period = contents.case(), contents.period
    if services is not None:
        case = replace(case, catalogue=replace(case.catalogue, services=tuple(services)))
    months: list[Month] = []
    found = []
    for cell in contents.package.manifest.months:
        (month,) = derive_months(replace(case, facts=contents.facts(cell)), period, [cell.interval], beside=True)
        found.append(month.services)
        months += [month] if services is not None else []
        if step is not None:
            step()
    return _completed(put_together(case, period, found, months), contents)


def from_package(contents: Contents) -> Derive:
    """Derives a month from the facts of the bundle; what it gives raises BundleError."""
    cells = {one.interval: one for one in contents.package.manifest.months}

    @lru_cache(maxsize=1)
    def facts(cell: Interval) -> Facts:
        return contents.facts(cells[cell])

    def derive(case: Case, cell: Interval) -> Mapping[str, ServiceMonth]:
        (month,) = derive_months(replace(case, facts=facts(cell)), contents.period, (cell,), beside=False)
        return month.services

    return derive


def _completed(result: Result, contents: Contents) -> Result:
    numbering = contents.numbering
    numbers: Mapping[tuple[str, int], int | None] = {
        **{outage.key: None for one in result.services for outage in one.outages},
        **{(one.service, one.begin): one.number for one in numbering.numbers},
    }
    orders = orders_of(numbering.rulings, {one.number: one.into for one in numbering.merged})
    told = replace(with_incidents(result, numbers, orders), published=numbering.published)
    drills = contents.corrections.drills
    return replace(told, ledger=contents.package.manifest.ledger, drills=None if drills is None else frozenset(drills))


def result_text(result: Result) -> bytes:
    """The result as `result.json` has it: the JSON report without its year, in one line with keys in order."""
    told = document(replace(result, year=None, seal=None, overtaken=()))
    return json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def result_digest(result: Result) -> str:
    """Its SHA-256."""
    return sha256(result_text(result)).hexdigest()


def without(contents: Contents, name: str) -> Contents:
    """The same as if an exclusion or declaration of this id had never been made; raises BundleError."""
    corrections = contents.corrections
    exclusions = tuple(one for one in corrections.exclusions if one.id != name)
    declarations = tuple(one for one in corrections.declarations if one.id != name)
    if (exclusions, declarations) == (corrections.exclusions, corrections.declarations):
        known = sorted({one.id for one in (*corrections.exclusions, *corrections.declarations)})
        raise BundleError(f"no exclusion or declaration is called {name!r}; there are: {', '.join(known) or 'none'}")
    return replace(contents, corrections=replace(corrections, exclusions=exclusions, declarations=declarations))
