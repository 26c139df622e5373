"""What ipmitool prints, read and weighed: pure. Its words are those of version 1.8.19, its states those of IPMI 2.0."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.kinds.operating_system.health import Finding
from detak_wire.messages import State

SHOWN_CHARACTERS = 200
NOTHING_KNOWN = "nothing is known of the machine itself"
_POWER = re.compile(r"^System Power\s*:\s*(\S+)", re.MULTILINE)
_FAULTS = {
    "Power Overload": "the power supply is overloaded",
    "Main Power Fault": "the main power has a fault",
    "Power Control Fault": "the power cannot be switched",
    "Drive Fault": "a drive has a fault",
    "Cooling/Fan Fault": "the cooling has a fault",
}
_BEYOND = {
    "nc": ("warning", False),
    "cr": ("critical", True),
    "nr": ("non-recoverable", True),
}
_SIDES = {"l": "below", "u": "above"}
_NOT_READ = frozenset({"ns", "na"})
_BAD_WORDS = re.compile(
    r"failure detected|predictive failure|ac lost|ac out-of-range|config error|redundancy lost|redundancy degraded"
    r"|\bierr\b|thermal trip|uncorrectable ecc|drive fault|in critical array|in failed array"
    r"|transition to (?:critical|non-recoverable)",
    re.IGNORECASE,
)
"""What sensors with states instead of readings say when something is wrong; ipmitool calls them all `ok`."""

_CELSIUS = re.compile(r"^(-?\d+(?:\.\d+)?) degrees C$")

_LOOKUP = re.compile(r"Address lookup for (.*) failed")
_REFUSED = (
    (r"unauthorized name|Invalid user name", "{0.where} does not know the user {0.user}, or not for IPMI over LAN"),
    (r"RAKP 2 HMAC is invalid", "{0.where} does not accept the password of the user {0.user}"),
    (
        r"(?:role|privilege level) requested|invalid role|Insufficient privilege",
        "{0.where} does not let the user {0.user} read this with privilege {0.privilege}: raise either",
    ),
    (
        r"invalid (?:authentication|integrity|confidentiality) algorithm|no cipher suite match",
        "{0.where} does not take the cipher suite: set cipher_suite to one that it has, such as 17 or 3",
    ),
    (r"insufficient resources", "{0.where} has no session left: other programs hold all of them"),
    (r"Activate Session", "{0.where} refused the session of the user {0.user}: are its password and rights right?"),
)
_OTHER_REFUSAL = re.compile(r"(?:RAKP \d|open session response) message\s*(?:indicates an error)?\s*: (.*)")
_NOT_ESTABLISHED = "Unable to establish"
_NOISE = re.compile(
    r"HPM\.x|IANA PEN|VSO Capabilities|Discovered IPMB|Invalid completion code|Get Channel Cipher Suites"
)


@dataclass(frozen=True, slots=True)
class Login:
    """Who asks whom."""

    where: str
    user: str
    privilege: str


class NoAnswerError(Exception):
    """The controller did not answer: what that means is for the settings to say."""


def failure(errors: str, login: Login) -> Exception:
    """Why ipmitool failed, by what it printed with -v: no answer, or an answer that lets the check see nothing."""
    lookup = _LOOKUP.search(errors)
    if lookup is not None:
        return NoAnswerError(f"the name {lookup[1]} does not resolve")
    for pattern, words in _REFUSED:
        if re.search(pattern, errors):
            return CouldNotCheckError(words.format(login))
    other = _OTHER_REFUSAL.search(errors)
    if other is not None:
        return CouldNotCheckError(f"{login.where} refused the session: {other[1]}")
    if _NOT_ESTABLISHED in errors:
        return NoAnswerError(f"{login.where} does not answer over IPMI: {NOTHING_KNOWN}")
    lines = [line.strip() for line in errors.splitlines() if line.strip() and not _NOISE.search(line)]
    said = lines[-1][:SHOWN_CHARACTERS] if lines else "it does not say why"
    return CouldNotCheckError(f"ipmitool failed: {said}")


def power(chassis: str) -> str | None:
    """`on` or `off`, None where it is not told."""
    found = _POWER.search(chassis)
    return found[1] if found is not None else None


def chassis_findings(chassis: str) -> list[Finding]:
    """The faults that the chassis reports."""
    found = []
    for line in chassis.splitlines():
        name, _, value = (part.strip() for part in line.partition(":"))
        if name in _FAULTS and value == "true":
            found.append(Finding("degraded", f"{_FAULTS[name]} ({name})"))
    return found


@dataclass(frozen=True, slots=True)
class Sensor:
    """A sensor that was read: `status` is `ok`, or the threshold that it is beyond, such as `ucr`."""

    name: str
    status: str
    reading: str


def sensors(listed: str) -> list[Sensor]:
    """The sensors of `sdr elist` that have a reading."""
    found = []
    for line in listed.splitlines():
        fields = [field.strip() for field in line.split("|")]
        if len(fields) == 5 and fields[2] not in _NOT_READ:
            found.append(Sensor(fields[0], fields[2], fields[4]))
    return found


def sensor_finding(sensor: Sensor, critical: State) -> Finding | None:
    """What is wrong with a sensor, None if nothing is. `critical` is the state for what is beyond a critical limit."""
    level = _BEYOND.get(sensor.status[-2:])
    if level is not None:
        words, is_critical = level
        side = _SIDES.get(sensor.status[:-2], "beyond")
        state: Literal["down", "degraded"] = "down" if is_critical and critical == "down" else "degraded"
        return Finding(state, f"{sensor.name} is at {sensor.reading}, {side} its {words} limit")
    if _BAD_WORDS.search(sensor.reading):
        return Finding("degraded", f"{sensor.name}: {sensor.reading}")
    return None


def values(seen: Sequence[Sensor]) -> dict[str, float]:
    """How many sensors were read, and the highest temperature among them."""
    celsius = [float(found[1]) for found in (_CELSIUS.match(sensor.reading) for sensor in seen) if found is not None]
    return {"sensors": float(len(seen)), **({"temperature_max_celsius": max(celsius)} if celsius else {})}
