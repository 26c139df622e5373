"""The check kind `ping`: a host answers ICMP echo requests, with as little loss and as quickly as it should."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import Annotated, Literal

from msgspec import Meta

from detak_agent.checks.addresses import Address, Lookup, is_remote
from detak_agent.checks.base import CheckSettings, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.ping.socket import Echoes

Percent = Annotated[float, Meta(gt=0, le=100)]
Limit = Annotated[float, Meta(gt=0, le=60_000)]
_FAMILIES = {4: "AF_INET", 6: "AF_INET6"}


class PingSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `ping`."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    ip_version: Literal[4, 6] | None = None
    count: Annotated[int, Meta(ge=1, le=20)] = 3
    gap_ms: Annotated[int, Meta(ge=10, le=10_000)] = 200
    loss_degraded_percent: Percent | None = None
    loss_down_percent: Percent = 100.0
    rtt_degraded_ms: Limit | None = None
    rtt_down_ms: Limit | None = None
    remote: bool | None = None


def target(settings: PingSettings) -> str:
    """Who is asked."""
    return settings.host


def remote(settings: PingSettings) -> bool:
    """As the settings say, else by the address."""
    return is_remote(settings.host) if settings.remote is None else settings.remote


def problems(settings: PingSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    if any(character.isspace() or character in "/[]" for character in settings.host):
        found.append(("host", "must be a host name or an address, without brackets or spaces"))
    one_try_ms = settings.timeout_ms // max(settings.tries, 1)
    if (settings.count - 1) * settings.gap_ms > one_try_ms // 2:
        found.append(("gap_ms", "sends too slowly: all packets must be out in half of timeout_ms (of each try)"))
    for item, unit in (("loss", "percent"), ("rtt", "ms")):
        degraded = getattr(settings, f"{item}_degraded_{unit}")
        down = getattr(settings, f"{item}_down_{unit}")
        if degraded is not None and down is not None and degraded > down:
            found.append((f"{item}_degraded_{unit}", f"must not be more than {item}_down_{unit}"))
    for key in ("rtt_degraded_ms", "rtt_down_ms"):
        limit = getattr(settings, key)
        if limit is not None and limit >= one_try_ms:
            found.append((key, "must be less than timeout_ms (of each try): a later reply counts as lost"))
    return found


def judge(rtts_ms: list[float], refusal: str, deadline_ms: int, settings: PingSettings) -> Outcome:
    """Pure: the state for the round trips of the replies that came, and what a router said of those that did not."""
    received = len(rtts_ms)
    loss_percent = 100 * (settings.count - received) / settings.count
    because = f": {refusal}" if refusal else ""
    if not received:
        words = because or f" within {deadline_ms} ms ({settings.count} packet{'s' if settings.count > 1 else ''} sent)"
        return Outcome("down", f"no reply from {settings.host}{words}", values={"loss_percent": loss_percent})
    rtt_ms = sum(rtts_ms) / received
    values = {"rtt_ms": rtt_ms, "loss_percent": loss_percent}
    lost = f"{loss_percent:.0f} % of {settings.count} packets to {settings.host} lost{because}"
    slow = f"replies of {settings.host} took {rtt_ms:.1f} ms"
    down = [
        *_over(loss_percent, settings.loss_down_percent, lost, "%"),
        *_over(rtt_ms, settings.rtt_down_ms, slow, "ms"),
    ]
    if down:
        return Outcome("down", "; ".join(down), values=values)
    degraded = [
        *_over(loss_percent, settings.loss_degraded_percent, lost, "%"),
        *_over(rtt_ms, settings.rtt_degraded_ms, slow, "ms"),
    ]
    if degraded:
        return Outcome("degraded", "; ".join(degraded), values=values)
    return Outcome("up", f"{received} of {settings.count} replies, {rtt_ms:.2f} ms on average", values=values)


def _over(value: float, limit: float | None, words: str, unit: str) -> list[str]:
    return [f"{words} (limit {limit:g} {unit})"] if limit is not None and value >= limit else []


class PingProbe:
    """A fresh socket for each sample, so that a late reply to an earlier one is not taken for a new one."""

    def __init__(self, settings: PingSettings) -> None:
        self._settings = settings
        self._lookup = Lookup()

    async def sample(self, deadline_ms: int) -> Outcome:
        begin = time.monotonic()
        patience = patience_s(deadline_ms)
        try:
            address = await asyncio.wait_for(self._address(), patience)
        except asyncio.TimeoutError:
            return Outcome("down", f"the name {self._settings.host} was not resolved within {deadline_ms} ms")
        with contextlib.closing(Echoes(address)) as echoes:
            await echoes.exchange(self._settings.count, self._settings.gap_ms / 1_000, begin + patience)
            return judge(echoes.rtts_ms, echoes.refusal, deadline_ms, self._settings)

    async def _address(self) -> Address:
        wanted = _FAMILIES.get(self._settings.ip_version or 0)
        for address in await self._lookup.addresses(self._settings.host, 0):
            if wanted in {None, address.family.name}:
                return address
        raise OSError(f"the name {self._settings.host} has no IPv{self._settings.ip_version} address")


def build(settings: PingSettings, _surroundings: Surroundings) -> PingProbe:
    """The probe for these settings."""
    return PingProbe(settings)


KIND = Kind(
    name="ping",
    summary="A host answers ICMP echo requests, without losing too many and quickly",
    settings=PingSettings,
    build=build,
    target=target,
    remote=remote,
    silence=Silence.DOWN,
    problems=problems,
)
