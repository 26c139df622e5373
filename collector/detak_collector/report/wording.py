"""What the report calls periods, verdicts, causes, exclusions and rules, in the reader's language. Pure; no markup."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date

from detak_collector.downtime.accounts import OUTSIDE_HOURS
from detak_collector.downtime.catalogue import Correction
from detak_collector.downtime.figure import NOT_OBSERVED
from detak_collector.downtime.outages import DECLARED, PROBE_ONLY
from detak_collector.downtime.periods import Period
from detak_collector.report.paper import NONE
from detak_collector.translation.language import Language, mark

_FORMS = re.compile(r"(\d{4})(?:-(?:S([12])|Q([1-4])|(ytd)|(\d\d)(?:-(\d\d))?))?")
_NOT_OBSERVED = re.compile(r"service (.+) was not observed at all")

VERDICTS = {
    "met": mark("met"), "missed": mark("missed"), "undecided": mark("undecided"), NOT_OBSERVED: mark("not observed"),
}  # fmt: skip
CAUSES = {
    "power": mark("power"),
    "network": mark("DC/DRC network"),
    "device": mark("main devices"),
    "server": mark("server/OS"),
    "database": mark("database"),
    "application": mark("application"),
    "office-network": mark("user-office network"),
    "provider-network": mark("provider's network"),
    PROBE_ONLY: mark("seen by users' probes only"),
    DECLARED: mark("declared by people"),
}
REASONS = {
    OUTSIDE_HOURS: mark("outside service hours"),
    "planned": mark("planned downtime"),
    "preventive": mark("preventive maintenance"),
    "third_party": mark("third-party network provider"),
    "force_majeure": mark("force majeure"),
    "measurement_error": mark("measurement error"),
}
RULES = {
    "lowest_member": mark("of components that back each other up, the one with the least downtime in the month counts"),
    "all_down": mark("components that back each other up count as down only while all of them are down"),
}
SHOWN = {
    "down": mark("seen down"),
    "down: rebooted": mark("host restarted"),
    "down: shut down": mark("host shut down"),
    "down: frozen": mark("host stood still"),
    "down: restored": mark("host set back to a snapshot"),
    "presumed down: missing heartbeats": mark("presumed: no sign of life"),
    "presumed down: site": mark("presumed: no sign of life from the whole site"),
    "not observed": mark("not observed"),
}
SCOPES = {
    "all": mark("everything"),
    "site": mark("site"),
    "node": mark("node"),
    "check": mark("check"),
    "group": mark("group"),
    "service": mark("service"),
}
WARNINGS = (
    mark("the target lies between the HA readings: which rule is declared decides the verdict"),
    mark("the check intervals are too coarse to decide the target: shorter ones would narrow the bounds"),
    mark("the proof rests on the watchdog assumption: without it the verdict is not proven"),
)
TERMINAL = (
    mark("down"), mark("down: rebooted"), mark("down: shut down"), mark("down: frozen"), mark("down: restored"),
    mark("presumed down: missing heartbeats"), mark("presumed down: site"),
    mark("network"), mark("device"), mark("server"), mark("office-network"), mark("provider-network"),
    mark("probe only"), mark("declared"), mark("outside hours"), mark("planned"), mark("preventive"),
    mark("third party"), mark("percent"), mark("counted"), mark("certain - possible"), mark("coverage"), mark("what"),
    mark("year to date"),
)  # fmt: skip
"""The engine's own words, which a terminal shows as they are in English."""

_HALVES = (mark("first half of {year}"), mark("second half of {year}"))
_QUARTERS = (
    mark("first quarter of {year}"),
    mark("second quarter of {year}"),
    mark("third quarter of {year}"),
    mark("fourth quarter of {year}"),
)


def verdict_words(verdict: str | None, language: Language) -> str | None:
    """`met`, `missed`, `undecided` or `not observed`; None where there is none."""
    return None if verdict is None else language.say(VERDICTS[verdict])


def cause_words(cause: str, language: Language) -> str:
    """The layer that failed."""
    return language.say(CAUSES[cause]) if cause in CAUSES else cause


def reason_words(reason: str, language: Language) -> str:
    """Why time is not counted."""
    return language.say(REASONS[reason]) if reason in REASONS else reason


def category_words(one: Correction, drills: Collection[str] | None, language: Language) -> str:
    """The category of an exclusion or declaration, and whether it is one of the drills: `planned downtime (drill)`."""
    told, drill = reason_words(one.category, language), language.say("drill")
    return f"{told} ({drill})" if one.id in (drills or ()) else told


def rule_words(rule: str, language: Language) -> str:
    """What an HA rule says."""
    return language.say(RULES[rule]) if rule in RULES else rule


def shown_words(shown_as: str, language: Language) -> str:
    """How an outage was told; a reading that is not known here is shown as it is."""
    return language.say(SHOWN[shown_as]) if shown_as in SHOWN else shown_as


def detail_words(detail: str, language: Language) -> str:
    """What an outage's checks said, where one said nothing, how it was read: `node/check: words; node/check: words`."""
    return "; ".join(_said_words(one, language) for one in detail.split("; "))


def _said_words(one: str, language: Language) -> str:
    check, _, said = one.partition(": ")
    return f"{check}: {shown_words(said, language)}" if said in SHOWN else one


def scope_words(kind: str, scope: str, language: Language) -> str:
    """What an exclusion is about."""
    told = language.say(SCOPES[kind]) if kind in SCOPES else kind
    return f"{told} {scope}" if scope else told


def warning_words(warning: str, language: Language) -> str:
    """A warning of the engine."""
    unseen = _NOT_OBSERVED.fullmatch(warning)
    if unseen is not None:
        return language.say("service {service} was not observed at all", service=unseen[1])
    return language.say(warning)


def sentence(text: str) -> str:
    """The text with a capital at its begin and a full stop at its end."""
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def period_words(period: Period, language: Language) -> str:
    """What people call the period; `from` to `to` where it has no name of its own."""
    form = _FORMS.fullmatch(period.name)
    if form is None:
        return period.name.replace(" to ", f" {NONE} ")
    year, half, quarter, so_far, month, day = form.groups()
    if half:
        return language.say(_HALVES[int(half) - 1], year=year)
    if quarter:
        return language.say(_QUARTERS[int(quarter) - 1], year=year)
    if month:
        first = date(int(year), int(month), int(day or 1))
        return language.day(first) if day else language.month(first)
    return language.say("{year} so far", year=year) if so_far else language.say("year {year}", year=year)
