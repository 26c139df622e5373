"""A form about an exclusion or a declaration, read into a record, and a record written into a form. Pure.

What is wrong is told beside the field in which it stands; what the catalogue's reading refuses, in its words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo, available_timezones

from detak_collector.catalogue.corrections import SCOPES, read_declaration, read_exclusion
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import CatalogueError, Place
from detak_collector.decisions.proposal import EXCLUSION, NOBODY, About, Provider
from detak_collector.decisions.recording import Author
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Catalogue
from detak_collector.downtime.periods import EPOCH, local_instant
from detak_collector.report.numbers import iso_utc
from detak_collector.translation.language import mark

OWN_RULE = "rule"
REPEATS = ("", "DAILY", "WEEKLY", "MONTHLY", OWN_RULE)
CATEGORIES = {"exclusion": EXCLUSION_CATEGORIES, "declaration": ("down", "up")}
KINDS = {"exclusion": SCOPES, "declaration": ("service", "check", "node")}
REQUIRED = mark("This is required.")
NO_TIME = mark("This is no date and time, such as 2026-03-01T22:00.")
BEFORE = mark("This is not later than the begin.")
NO_ZONE = mark("This is the name of no time zone.")
NO_CHOICE = mark("Choose one of the list.")
DRILL_PLANNED = mark("A drill is planned downtime.")
DRILL_AHEAD = mark("A drill is declared before it begins.")
OWN_TIMES = mark("Give both of his times, the later one second.")
ODD = mark("This is not taken as it is written.")
_WRONG = {
    "target": mark("The catalogue has nothing of this kind and name."),
    "rule": mark("This rule cannot be used."),
    "zone": NO_ZONE,
    "without": mark("These are not begins of windows that the rule gives."),
}
_SHOWN_IN = {"scope": "target", "recurrence": "rule", "timezone": "zone", "except": "without"}
_FORM_FIELDS = (
    "category", "kind", "target", "from", "to", "zone", "repeat", "rule", "until", "without", "document", "reason",
    "drill", "provider", "circuit", "ticket", "provider_from", "provider_to", "because",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, as a sentence of the translations.

    `is_told`: in the exact words of the catalogue's reading, which are English; then `sentence` stands before them.
    """

    text: str
    is_told: bool = False
    sentence: str = ODD


Faults = dict[str, Fault]


@dataclass(slots=True)
class Filled:
    """A form as it was sent, and what it comes to; worthless where there are faults."""

    values: dict[str, str]
    record: dict[str, Any] = field(default_factory=dict)
    drill: bool = False
    provider: Provider = NOBODY
    faults: Faults = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Desired:
    """What is being described, by whom and when (UTC ms), under which catalogue.

    `amends`: it replaces another one; `was_drill`: that was declared as a drill before it began.
    """

    about: About
    catalogue: Catalogue
    author: Author
    now: int
    amends: bool = False
    was_drill: bool = False


def empty_form(catalogue: Catalogue, given: Mapping[str, str]) -> dict[str, str]:
    """The values of a form that nobody has filled in, but for what an address gives."""
    values = dict.fromkeys(_FORM_FIELDS, "") | {"kind": "service", "zone": catalogue.timezone}
    return values | {name: given[name][:200] for name in _FORM_FIELDS if name in given}


def proposing(service: str, begin: int, end: int, zone: str) -> str:
    """The query string that fills the form with a service and the local times of an outage."""
    times = {"from": local_text(begin, zone), "to": local_text(end, zone)}
    return urlencode({"kind": "service", "target": service, **times, "zone": zone})


def form_of(record: Mapping[str, Any], provider: Provider, *, drill: bool, catalogue: Catalogue) -> dict[str, str]:
    """The values of a form that says the same as the record."""
    zone = str(record.get("timezone", catalogue.timezone))
    scope = record.get("scope")
    kind, target = next(iter(scope.items())) if isinstance(scope, dict) and scope else ("all", True)
    return empty_form(catalogue, {}) | {
        "category": str(record.get("category", "")),
        "kind": kind,
        "target": "" if target is True else str(target),
        "from": local_text(instant_of(record.get("from")), zone),
        "to": local_text(instant_of(record.get("to")), zone),
        "zone": zone,
        "repeat": OWN_RULE if record.get("recurrence") else "",
        "rule": str(record.get("recurrence", "")),
        "without": "\n".join(local_text(instant_of(one), zone) for one in record.get("except", ())),
        "document": str(record.get("document", "")),
        "reason": str(record.get("reason", "")),
        "drill": "yes" if drill else "",
        "provider": provider.name,
        "circuit": provider.circuit,
        "ticket": provider.ticket,
        "provider_from": local_text(provider.begin, zone),
        "provider_to": local_text(provider.end, zone),
    }


def read_form(sent: Mapping[str, str], desired: Desired) -> Filled:
    """What a form comes to, with everything that is wrong in it."""
    filled = Filled({name: sent.get(name, "").replace("\r\n", "\n") for name in _FORM_FIELDS})
    reading = _Reading(filled, desired.catalogue)
    reading.take()
    if desired.amends and not filled.values["because"].strip():
        filled.faults["because"] = Fault(REQUIRED)
    if not filled.faults:
        filled.faults.update(faults_of(filled.record, desired))
    if not filled.faults:
        filled.faults.update(drill_faults(filled.record, desired, drill=filled.drill))
    return filled


def faults_of(record: Mapping[str, Any], desired: Desired) -> Faults:
    """Why the record may not be proposed, by the field in which that stands."""
    whole = {**record, "id": "x1", "proposed_by": desired.author.name, "proposed_at": iso_utc(desired.now)}
    try:
        if desired.about == EXCLUSION:
            read_exclusion(whole, ZoneInfo(desired.catalogue.timezone), desired.catalogue, "")
        else:
            read_declaration(whole, desired.catalogue, "")
    except CatalogueError as error:
        return dict(map(_placed, reversed(error.lines)))
    return {}


def drill_faults(record: Mapping[str, Any], desired: Desired, *, drill: bool) -> Faults:
    """A drill is planned, and declared beforehand."""
    begin = instant_of(record.get("from"))
    if not drill:
        return {}
    if record.get("category") != "planned":
        return {"drill": Fault(DRILL_PLANNED)}
    is_ahead = begin is not None and desired.now <= begin
    return {} if is_ahead or desired.was_drill else {"drill": Fault(DRILL_AHEAD)}


def instant_of(written: object) -> int | None:
    """The instant that a record writes; None where it is none."""
    return Zone(ZoneInfo("UTC")).moment(written, Place("", []))


def local_text(instant: int | None, zone: str) -> str:
    """What a field for local times holds: `2026-03-01T22:00`, with seconds where they are not zero.

    An instant that no local time names, in the hour that comes twice, is told in UTC: it is typed anew, never shifted.
    """
    if instant is None:
        return ""
    local = (EPOCH + timedelta(milliseconds=instant)).astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    if local_instant(local, ZoneInfo(zone)) != instant:
        return iso_utc(instant)
    if local.microsecond:
        return local.isoformat(timespec="milliseconds")
    return local.isoformat(timespec="seconds" if local.second else "minutes")


def _placed(line: str) -> tuple[str, Fault]:
    """A refusal of the catalogue's reading, and the field of the form in which it stands."""
    path, _, reason = line.removeprefix(": ").partition(": ")
    head = path.partition(".")[0].partition("[")[0]
    name = _SHOWN_IN.get(head, head)
    return name, Fault(reason, is_told=True, sentence=_WRONG.get(name, ODD))


@dataclass(slots=True)
class _Reading:
    filled: Filled
    catalogue: Catalogue
    zone: str = field(init=False)

    def __post_init__(self) -> None:
        named = self._value("zone") or self.catalogue.timezone
        is_known = named in available_timezones()
        self.zone = named if is_known else "UTC"
        if not is_known:
            self._fault("zone", NO_ZONE)

    def take(self) -> None:
        """Everything."""
        for name in ("category", "document", "reason"):
            self.filled.record[name] = self._needed(name)
        self._scope()
        self._times()
        self._recurrence()
        self.filled.drill = self._value("drill") == "yes"
        if self._value("category") == "third_party":
            self._provider()

    def _scope(self) -> None:
        kind, target = self._value("kind"), self._value("target")
        if kind == "all":
            self.filled.record["scope"] = {"all": True}
        elif kind not in SCOPES:
            self._fault("kind", NO_CHOICE)
        elif not target:
            self._fault("target", REQUIRED)
        else:
            self.filled.record["scope"] = {kind: target}

    def _times(self) -> None:
        begin, end = (self._moment(name, needed=True) for name in ("from", "to"))
        if begin is not None and end is not None:
            if end <= begin:
                self._fault("to", BEFORE)
            self.filled.record |= {"from": iso_utc(begin), "to": iso_utc(end)}

    def _recurrence(self) -> None:
        repeat, until = self._value("repeat"), self._value("until").replace("-", "")
        if repeat not in REPEATS:
            self._fault("repeat", NO_CHOICE)
        if not repeat:
            return
        rule = self._needed("rule").removeprefix("RRULE:") if repeat == OWN_RULE else f"FREQ={repeat}"
        if until and repeat != OWN_RULE:
            rule += f";UNTIL={until}"
        self.filled.record |= {"recurrence": rule, "timezone": self.zone}
        lines = [line.strip() for line in self.filled.values["without"].split("\n") if line.strip()]
        found = [self._instant(line) for line in lines]
        if None in found:
            self._fault("without", NO_TIME)
        elif found:
            self.filled.record["except"] = [iso_utc(one) for one in found if one is not None]

    def _provider(self) -> None:
        name, begin, end = self._needed("provider"), self._moment("provider_from"), self._moment("provider_to")
        if (begin is None) != (end is None) or (begin is not None and end is not None and end <= begin):
            self._fault("provider_to", OWN_TIMES)
        self.filled.provider = Provider(name, self._value("circuit"), self._value("ticket"), begin, end)

    def _moment(self, name: str, *, needed: bool = False) -> int | None:
        written = self._needed(name) if needed else self._value(name)
        found = self._instant(written) if written else None
        if written and found is None:
            self._fault(name, NO_TIME)
        return found

    def _instant(self, written: str) -> int | None:
        return Zone(ZoneInfo(self.zone)).moment(written, Place("", []))

    def _value(self, name: str) -> str:
        return self.filled.values[name].strip()

    def _needed(self, name: str) -> str:
        value = self._value(name)
        if not value:
            self._fault(name, REQUIRED)
        return value

    def _fault(self, name: str, text: str) -> None:
        self.filled.faults.setdefault(name, Fault(text))
