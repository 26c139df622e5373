"""Whether a UPS and the power behind it are well: pure. NUT's variables go in, an outcome comes out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.operating_system.health import Finding, Limit, tenths
from detak_agent.checks.kinds.ups.kind import UpsSettings
from detak_agent.checks.verdict import limit_of, verdict

_WORDS: Mapping[str, tuple[Literal["degraded", "down"], str]] = {
    "FSD": ("down", "shutting down: the UPS is about to cut the power (FSD)"),
    "OFF": ("down", "its output is switched off (OFF)"),
    "RB": ("degraded", "its battery must be replaced (RB)"),
    "OVER": ("degraded", "overloaded (OVER)"),
    "BYPASS": ("degraded", "bypassed: a power failure would cut the power at once (BYPASS)"),
    "CAL": ("degraded", "testing itself, with its battery being emptied (CAL)"),
}
_SUPPLIED = frozenset({"OL", "OB", "OFF", "FSD", "BYPASS", "LB"})
"""At least one of these says how the power comes; without any the driver has not read the device yet."""

_VALUES = {
    "battery_charge_percent": "battery.charge",
    "battery_runtime_s": "battery.runtime",
    "load_percent": "ups.load",
    "input_voltage_v": "input.voltage",
    "output_voltage_v": "output.voltage",
    "temperature_c": "ups.temperature",
}


def judge(variables: Mapping[str, str], settings: UpsSettings, marks: Mapping[str, str]) -> Outcome:
    """The worst finding decides. CouldNotCheckError where the variables do not say how the power comes."""
    flags = variables.get("ups.status", "").split()
    if not _SUPPLIED & set(flags):
        said = " ".join(flags) or "nothing"
        raise CouldNotCheckError(f"NUT's driver has not read the UPS yet: ups.status says {said}")
    values = _values(variables)
    found = [*_of_status(flags, variables, settings), *_of_battery(values, settings)]
    return verdict(found, _well(flags, values), marks, values)


def uptime_s(variables: Mapping[str, str]) -> float | None:
    """How long the device has run, where it tells."""
    return _number(variables, "device.uptime")


def _of_status(flags: list[str], variables: Mapping[str, str], settings: UpsSettings) -> Iterator[Finding]:
    if "OB" in flags and "LB" in flags:
        yield Finding("down", "on battery, which is nearly empty: the power goes any moment (OB LB)")
    elif "OB" in flags:
        yield Finding(settings.on_battery, f"on battery: {_reason(variables)} (OB)")
    elif "LB" in flags:
        yield Finding("degraded", "on mains power, but the battery is nearly empty (LB)")
    for flag in flags:
        if flag in _WORDS:
            yield Finding(*_WORDS[flag])
    if "ALARM" in flags:
        yield Finding("degraded", f"alarm: {variables.get('ups.alarm') or 'the UPS does not say which'}")


def _reason(variables: Mapping[str, str]) -> str:
    voltage = _number(variables, "input.voltage")
    told = variables.get("input.transfer.reason")
    known = [told] if told else []
    if voltage is not None:
        known.append(f"mains {voltage:.0f} V")
    return ", ".join(known) or "no mains power"


def _of_battery(values: Mapping[str, float], settings: UpsSettings) -> Iterator[Finding]:
    charge, runtime = values.get("battery_charge_percent"), values.get("battery_runtime_s")
    yield from _under("battery charged to {} %", charge, limit_of(settings, "charge_{}_percent"), " %")
    yield from _under("battery lasts {} s more", runtime, limit_of(settings, "runtime_{}_s"), " s")


def _under(words: str, value: float | None, limit: Limit, unit: str) -> Iterator[Finding]:
    if limit == Limit():
        return
    if value is None:
        yield Finding("degraded", f"the UPS does not tell what is limited here: {words.format('?')}")
    elif limit.down is not None and value <= limit.down:
        yield Finding("down", f"{words.format(tenths(value))} (limit {limit.down:g}{unit})")
    elif limit.degraded is not None and value <= limit.degraded:
        yield Finding("degraded", f"{words.format(tenths(value))} (limit {limit.degraded:g}{unit})")


def _values(variables: Mapping[str, str]) -> dict[str, float]:
    numbers = {name: _number(variables, key) for name, key in _VALUES.items()}
    return {name: number for name, number in numbers.items() if number is not None}


def _number(variables: Mapping[str, str], key: str) -> float | None:
    try:
        return float(variables[key])
    except (KeyError, ValueError):
        return None


def _well(flags: list[str], values: Mapping[str, float]) -> str:
    parts = ["on mains power" + (", battery charging" if "CHRG" in flags else "")]
    for name, words in (
        ("battery_charge_percent", "battery {:.0f} %"),
        ("battery_runtime_s", "lasts {:.0f} s"),
        ("load_percent", "load {:.0f} %"),
    ):
        if name in values:
            parts.append(words.format(values[name]))
    return ", ".join(parts)
