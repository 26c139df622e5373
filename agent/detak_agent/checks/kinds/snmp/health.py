"""Whether a device is well: pure. What it said over SNMP goes in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding, Limit, tenths
from detak_agent.checks.kinds.snmp.ber import Absent, Value
from detak_agent.checks.kinds.snmp.kind import SnmpSettings, Wanted
from detak_agent.checks.verdict import SHOWN_CHARACTERS, over, slow, verdict

UPTIME = "1.3.6.1.2.1.1.3.0"
BOOTS = "1.3.6.1.6.3.10.2.1.2.0"
IF_DESCR, IF_ADMIN, IF_OPER, IF_CHANGED = (f"1.3.6.1.2.1.2.2.1.{column}" for column in (2, 7, 8, 9))
IF_NAME, IF_ALIAS = (f"1.3.6.1.2.1.31.1.1.1.{column}" for column in (1, 18))
IF_COLUMNS = (IF_NAME, IF_DESCR, IF_ALIAS, IF_ADMIN, IF_OPER, IF_CHANGED)

UPTIME_WRAPS_S = 2**32 / 100
"""sysUpTime counts hundredths of a second in 32 bits: 497 days."""

_UP, _DOWN, _TESTING, _UNKNOWN = 1, 2, 3, 4
_OPERATION = {
    _DOWN: "down",
    _TESTING: "in a test, and carries nothing",
    5: "dormant: it waits for something from outside",
    6: "not present: a part is missing from the device",
    7: "down because what it rests on is down",
}


@dataclass(frozen=True, slots=True)
class Interface:
    """What IF-MIB says of one interface."""

    names: tuple[str, ...]
    alias: str
    admin: Value
    operation: Value
    changed: Value

    @property
    def shown(self) -> str:
        """How people know it."""
        name = self.names[0]
        return f"{name} ({self.alias})" if self.alias and self.alias != name else name


@dataclass(frozen=True, slots=True)
class Facts:
    """One sample. `missing` says that the interface was there before and is gone; `values` are by their OID."""

    uptime_s: float | None
    started: str
    boots: int | None
    latency_ms: float
    interface: Interface | None = None
    missing: str = ""
    values: Mapping[str, Value] | None = None


def interface_of(index: int, values: Mapping[str, Value]) -> Interface | None:
    """The interface with this index; None if there is none."""
    of = {column: values.get(f"{column}.{index}", Absent.OBJECT) for column in IF_COLUMNS}
    if isinstance(of[IF_OPER], Absent):
        return None
    names = tuple(text_of(of[column]) for column in (IF_NAME, IF_DESCR) if isinstance(of[column], bytes) and of[column])
    alias = text_of(of[IF_ALIAS]) if isinstance(of[IF_ALIAS], bytes) else ""
    return Interface(names or (str(index),), alias, of[IF_ADMIN], of[IF_OPER], of[IF_CHANGED])


def judge(facts: Facts, settings: SnmpSettings) -> Outcome:
    """The worst finding decides. CouldNotCheckError where nothing is wrong, but something could not be seen."""
    found = list(_findings(facts, settings))
    unseen = list(_unseen(facts, settings))
    if unseen and all(finding.state == "degraded" for finding in found):
        raise CouldNotCheckError("; ".join(unseen))
    return verdict(found, _well(facts), _marks(facts), _values(facts, settings))


def _findings(facts: Facts, settings: SnmpSettings) -> Iterator[Finding]:
    if facts.missing:
        yield Finding("down", facts.missing)
    if facts.interface is not None:
        yield from _of_interface(facts.interface)
    for wanted, value in _wanted(facts, settings):
        yield from _of_value(wanted, value)
    yield from slow(facts.latency_ms, settings.slow_ms)


def _unseen(facts: Facts, settings: SnmpSettings) -> Iterator[str]:
    interface = facts.interface
    if interface is not None and interface.operation == _UNKNOWN:
        yield f"the device does not know whether interface {interface.shown} is up (ifOperStatus unknown)"
    for wanted, value in _wanted(facts, settings):
        if value is None or isinstance(value, Absent):
            yield f"{wanted.name}: there is nothing at {wanted.oid}, or this user or community may not read it"
        elif wanted.has_limits and number_of(value) is None:
            yield f"{wanted.name}: {text_of(value)!r} is no number, so no limit can be applied"


def _wanted(facts: Facts, settings: SnmpSettings) -> Iterator[tuple[Wanted, Value]]:
    for wanted in settings.values:
        yield wanted, (facts.values or {}).get(wanted.oid)


def _of_interface(interface: Interface) -> Iterator[Finding]:
    if interface.operation in {_UP, _UNKNOWN}:
        return
    if interface.admin == _DOWN:
        yield Finding("down", f"interface {interface.shown} was switched off by an administrator (ifAdminStatus down)")
        return
    known = interface.operation if isinstance(interface.operation, int) else 0
    words = _OPERATION.get(known, f"in a state that IF-MIB does not know ({text_of(interface.operation)})")
    yield Finding("down", f"interface {interface.shown} is {words}")


def _of_value(wanted: Wanted, value: Value) -> Iterator[Finding]:
    if value is None or isinstance(value, Absent):
        return
    if wanted.expect and text_of(value) not in {str(one) for one in wanted.expect}:
        expected = " or ".join(repr(one) for one in wanted.expect)
        yield Finding("down", f"{wanted.name} is {text_of(value)!r} (expected {expected})")
    number = number_of(value)
    yield from over(f"{wanted.name} {{}}", number, Limit(wanted.degraded_above, wanted.down_above), "")
    yield from _under(wanted, number)


def _under(wanted: Wanted, number: float | None) -> Iterator[Finding]:
    if number is None:
        return
    if wanted.down_below is not None and number <= wanted.down_below:
        yield Finding("down", f"{wanted.name} {tenths(number)} (limit {wanted.down_below:g})")
    elif wanted.degraded_below is not None and number <= wanted.degraded_below:
        yield Finding("degraded", f"{wanted.name} {tenths(number)} (limit {wanted.degraded_below:g})")


def text_of(value: Value) -> str:
    """A value for people: text as text, other bytes in hexadecimal."""
    if not isinstance(value, bytes):
        return str(value)
    text = value.rstrip(b"\0").decode("utf-8", "replace")
    if text.isprintable() and "\ufffd" not in text:
        return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"
    return f"0x{value[: SHOWN_CHARACTERS // 2].hex()}"


def number_of(value: Value) -> float | None:
    """A number, also where the device sends it as text; None where it is none."""
    if isinstance(value, (int, float)):
        return float(value)
    if not isinstance(value, bytes):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def _marks(facts: Facts) -> dict[str, str]:
    marks = {"started": facts.started} if facts.started else {}
    if facts.boots is not None:
        marks["engine_boots"] = str(facts.boots)
    if facts.interface is not None and isinstance(facts.interface.changed, int):
        marks["interface_changed"] = str(facts.interface.changed)
    return marks


def _values(facts: Facts, settings: SnmpSettings) -> dict[str, float]:
    values = {"latency_ms": facts.latency_ms}
    if facts.uptime_s is not None:
        values["uptime_s"] = facts.uptime_s
    for wanted, value in _wanted(facts, settings):
        number = number_of(value)
        if number is not None:
            values[wanted.name] = number
    return values


def _well(facts: Facts) -> str:
    words = [f"answered in {facts.latency_ms:.0f} ms"]
    if facts.interface is not None:
        words.insert(0, f"interface {facts.interface.shown} is up")
    if facts.uptime_s is not None:
        words.append(f"running for {duration(facts.uptime_s)}")
    return ", ".join(words)


def duration(seconds: float) -> str:
    """A length of time for people."""
    for unit_s, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit_s:
            return f"{seconds // unit_s:.0f} {name}"
    return f"{seconds:.0f} seconds"
