"""How this node stands with each collector, as text for `detak-agent status`: its key, whom it trusts, whose it is."""

from __future__ import annotations

from pathlib import Path

from detak_agent.config import AgentConfig, CollectorSettings
from detak_agent.failures import CouldNotError
from detak_agent.key_renewal import DAY_MS, issued_utc, lifetime_ms
from detak_agent.keys import is_handed_over, key_path, read_key, trust_of
from detak_agent.machine_identity import MachineIdentity
from detak_agent.origin import foreign, read_origin
from detak_agent.trust import Pins


def key_lines(config: AgentConfig, machine: MachineIdentity, now_utc: int) -> list[str]:
    """One line for each collector, and one more where the key may not be used."""
    lines = [f"key        {one.url}: {_standing(one, config, now_utc)}" for one in config.collectors]
    error = foreign(read_origin(config.state_directory), config.node, machine, config.state_directory)
    return lines if error is None else [*lines, f"identity   {error}"]


def is_enrolled(collector: CollectorSettings, state_directory: Path) -> bool:
    """Whether there is a key, good or void; one that systemd hands over is taken to be. Raises CouldNotError."""
    if is_handed_over(collector):
        return True
    return read_key(key_path(collector, state_directory)) is not None


def _standing(collector: CollectorSettings, config: AgentConfig, now_utc: int) -> str:
    try:
        trust = trust_of(collector, config.state_directory)
        pins, refusal = trust.pins(), trust.refusal()
        key = _key(collector, config, now_utc)
    except CouldNotError as error:
        return str(error)
    return f"{key}{_trusted(pins)}{f'; NOT CONNECTED: {refusal}' if refusal else ''}"


def _trusted(pins: Pins) -> str:
    if pins.authority_keys:
        return f"; trusts the authority with the key {' or '.join(pins.authority_keys)}"
    return "" if pins.fingerprint is None else f"; trusts one certificate, {pins.fingerprint}"


def _key(collector: CollectorSettings, config: AgentConfig, now_utc: int) -> str:
    if is_handed_over(collector):
        return f"handed over by systemd as {collector.key_file}, so it is not renewed by itself"
    path = key_path(collector, config.state_directory)
    if read_key(path) is None:
        return "not enrolled"
    return f"{_age(path, now_utc)}, {_renewal(collector, config.node)}"


def _age(path: Path, now_utc: int) -> str:
    days = max(0, now_utc - (issued_utc(path) or now_utc)) // DAY_MS
    return f"{days} {'day' if days == 1 else 'days'} old"


def _renewal(collector: CollectorSettings, node: str) -> str:
    if collector.renew_days == 0:
        return "never renewed by itself"
    return f"renewed by itself after {lifetime_ms(collector, node) // DAY_MS} days"
