"""A made-up organisation's year for the report's formats: names that no format may trip over, and sums by hand."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from zoneinfo import ZoneInfo

from detak_collector.downtime.case import Case
from detak_collector.downtime.catalogue import Catalogue, Dated, Exclusion, Group, Member, Service, Unit
from detak_collector.downtime.derive import Result, derive
from detak_collector.downtime.history import Published
from detak_collector.downtime.periods import Period, parse_period
from detak_collector.downtime.summary import with_year
from downtime_cases import DAY, HOUR, MINUTE, facts, stated

JAKARTA = ZoneInfo("Asia/Jakarta")
YEAR = parse_period("2026", JAKARTA, 0)
BEGIN, END = YEAR.begin, YEAR.end

HOSTILE = '=HYPERLINK("http://a.example","<b>x</b>")'
LATIN = "Größe, Šķīvis, Đà Nẵng, Åland, Łódź"

IMPOR_DOWN = ((BEGIN + 10 * DAY, BEGIN + 10 * DAY + 30 * MINUTE + 1), (BEGIN + 90 * DAY, BEGIN + 90 * DAY + 2 * HOUR))
EKSPOR_DOWN = (
    (BEGIN + 10 * DAY + MINUTE, BEGIN + 10 * DAY + 11 * MINUTE),
    (BEGIN + 300 * DAY, BEGIN + 300 * DAY + 999),
)
PORTAL_DOWN = ((BEGIN + 50 * DAY, BEGIN + 50 * DAY + 5 * HOUR),)
UNSEEN = ((BEGIN + 200 * DAY, BEGIN + 200 * DAY + HOUR),)

COUNTED = 30 * MINUTE + 1 + 10 * MINUTE + 999
"""Impor's first outage and both of Ekspor's: Impor's second was planned, and Portal does not count."""

SERVICE_TIME = 2 * 365 * DAY


def _service(name: str, title: str, category: str, criticality: Dated[str]) -> Service:
    group = Group(f"{name}/g", "g", Dated.always(category), (Member((f"node/{name}",)),))
    return Service(name, Dated.always(title), criticality, (group,))


COUNTS, COUNTS_NOT = Dated.always("sangat kritis"), Dated.always("kritis")
SERVICES = (
    _service("impor", LATIN, "network", COUNTS),
    _service("ekspor", "CEISA Ekspor", "database", COUNTS),
    _service("portal", HOSTILE, "application", COUNTS_NOT),
)
CATALOGUE = Catalogue(
    Dated.always("Direktorat Contoh"),
    "Asia/Jakarta",
    SERVICES,
    units=(Unit("pusat", "Kantor Pusat", ("ekspor",), Dated.always(Fraction(1, 1000))),),
)
FACTS = facts({
    "node/impor": stated("node/impor", BEGIN, END, IMPOR_DOWN, message=HOSTILE),
    "node/ekspor": stated("node/ekspor", BEGIN, END, EKSPOR_DOWN, UNSEEN, message="connection refused"),
    "node/portal": stated("node/portal", BEGIN, END, PORTAL_DOWN),
})  # fmt: skip
PLANNED = Exclusion(
    "x1", "planned", "service", "impor", BEGIN + 90 * DAY, BEGIN + 91 * DAY, "ND-12/2026", HOSTILE, "ani",
    BEGIN + 80 * DAY, "budi", BEGIN + 81 * DAY,
)  # fmt: skip
PUBLISHED = (
    Published(1, 2023, Fraction("0.0076"), Fraction("0.1"), "LAKIN 2023", "", "ani", 0),
    Published(2, 2024, Fraction("0.028"), None, "LAKIN 2024", "enam gangguan", "ani", 0),
)


def report(period: Period = YEAR, *, as_of: int = END, catalogue: Catalogue = CATALOGUE) -> Result:
    """The organisation's report of a period."""
    case = Case(catalogue, JAKARTA, FACTS, (PLANNED,), as_of)
    return replace(with_year(derive(case, period)), published=PUBLISHED)


def quiet() -> Result:
    """A year in which nothing happened, of one service."""
    only = replace(CATALOGUE, services=SERVICES[1:2], units=())
    history = facts({"node/ekspor": stated("node/ekspor", BEGIN, END)})
    return derive(Case(only, JAKARTA, history, (), END), YEAR)


def hardly_watched() -> Result:
    """A year of one service, of which only the first day was observed."""
    only = replace(CATALOGUE, services=SERVICES[1:2], units=())
    history = facts({"node/ekspor": stated("node/ekspor", BEGIN, BEGIN + DAY)})
    return derive(Case(only, JAKARTA, history, (), END), YEAR)


def uncounted() -> Result:
    """A year without any service that counts: there is no figure."""
    only = replace(CATALOGUE, services=SERVICES[2:], units=())
    return derive(Case(only, JAKARTA, FACTS, (), END), YEAR)


def changed() -> Result:
    """A year in which Portal counts from July on, and Impor until the middle of its first outage."""
    july, middle = BEGIN + 181 * DAY, IMPOR_DOWN[0][0] + 10 * MINUTE
    portal = Dated(((None, july, "kritis"), (july, None, "sangat kritis")))
    impor = Dated(((None, middle, "sangat kritis"), (middle, None, "kritis")))
    services = (replace(SERVICES[0], criticality=impor), SERVICES[1], replace(SERVICES[2], criticality=portal))
    return report(catalogue=replace(CATALOGUE, services=services))
