"""`detak-agent enroll`, `renew` and `adopt`: who this node is to its collectors. Reads arguments, calls, prints."""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from detak_agent.authorities import MOST_KEYS
from detak_agent.checks.base import Kind
from detak_agent.config import AgentConfig, CollectorSettings, load, parse
from detak_agent.failures import ConfigurationError, CouldNotError
from detak_agent.fingerprints import AUTHORITY_KEY_RULE, FINGERPRINT_RULE, normal_fingerprint
from detak_agent.machine_identity import MachineIdentity, this_machine
from detak_agent.trust import Pins


def add_enroll_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of `enroll`."""
    pasted = parser.add_mutually_exclusive_group(required=True)
    pasted.add_argument("--token", help="the one-time token that `detak-collector enroll` printed")
    pasted.add_argument(
        "--from",
        dest="line",
        metavar="FILE",
        help="read the line that it printed, or the token alone, from FILE (-: from standard input), so that the token "
        "stands in no list of processes",
    )
    parser.add_argument(
        "--node",
        metavar="NAME",
        help="for whom the line was made; where there is no configuration yet, one is written for it "
        "(by itself the host's name)",
    )
    parser.add_argument(
        "--fingerprint", metavar="sha256:HEX", help="of the only certificate to trust, as `detak-collector` printed it"
    )
    parser.add_argument(
        "--ca-key",
        action="append",
        default=[],
        metavar="sha256:HEX",
        help="of the key of the authority to trust, as `detak-collector` printed it; twice during a roll-over",
    )
    parser.add_argument(
        "--key-to",
        type=Path,
        metavar="FILE",
        help="write the key there, to be handed over by systemd (LoadCredential=)",
    )


def enroll(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    """Trade the token in for a key; where there is no configuration yet, write a first one."""
    if options.line is not None:
        from detak_agent.enrol_line import with_line  # noqa: PLC0415 - only here

        options = with_line(options, add_enroll_arguments)
    if options.collector is None or os.path.lexists(options.config):
        _enrol(options, registry)
        return 0
    _write_first(options, registry)
    try:
        config = _enrol(options, registry)
    except BaseException:
        # What was pasted may name another collector or node the next time.
        options.config.unlink(missing_ok=True)
        raise
    print(f"wrote {options.config} for node {config.node}; next: systemctl enable --now detak-agent")
    return 0


def _enrol(options: argparse.Namespace, registry: Mapping[str, Kind]) -> AgentConfig:
    from detak_agent.enrol import Pasted, enrol  # noqa: PLC0415 - only here

    config = load(options.config, registry)
    if options.node not in {None, config.node}:
        told = f"{options.config} says that this node is {config.node}: change it there, or have a line made for that"
        raise ConfigurationError([f"--node: {told} (got {options.node})"])
    collector = _collector(config, options.collector, options.config)
    pasted = Pasted(options.token, _pins(options.fingerprint, options.ca_key, collector), options.key_to)
    done = asyncio.new_event_loop().run_until_complete(enrol(config, collector, pasted))
    if done.set_aside is not None:
        print(f"what this machine kept under its former name is set aside in {done.set_aside}")
    print(f"enrolled {config.node} with {collector.url}; the key is in {done.key}")
    return config


def _write_first(options: argparse.Namespace, registry: Mapping[str, Kind]) -> None:
    from detak_agent.discovery.names import node_name  # noqa: PLC0415 - only here
    from detak_agent.first_file import first_text, write_new  # noqa: PLC0415 - as above

    text = first_text(options.config, options.node or node_name(socket.gethostname()), options.collector)
    parse(text, registry, f"{options.config} as it would be written")
    try:
        write_new(options.config, text)
    except OSError as error:
        as_whom = ": run this as root" if isinstance(error, PermissionError) else ""
        raise CouldNotError(f"{options.config}: cannot be written: {error.strerror}{as_whom}") from error


def keys_status(options: argparse.Namespace, config: AgentConfig, now_utc: int) -> int:
    """How the keys stand, with all collectors or one; 1 where one is missing, so that a program knows to enrol."""
    from detak_agent.key_standing import is_enrolled, key_lines  # noqa: PLC0415 - only here

    if options.collector is not None:
        if not options.keys:
            raise ConfigurationError(["--collector: says something beside --keys only"])
        chosen = (_collector(config, options.collector, options.config),)
        config = replace(config, collectors=chosen)
    print("\n".join(key_lines(config, this_machine(), now_utc)))
    return 0 if all(is_enrolled(one, config.state_directory) for one in config.collectors) else 1


def renew(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    """A new key with one collector, or with all of them."""
    config = load(options.config, registry)
    chosen = config.collectors
    if options.collector is not None:
        chosen = (_collector(config, options.collector, options.config),)
    failures = asyncio.new_event_loop().run_until_complete(_renew_each(config, chosen))
    if failures:
        raise CouldNotError("\n".join(failures))
    return 0


def adopt(
    options: argparse.Namespace,
    registry: Mapping[str, Kind],
    identify: Callable[[], MachineIdentity] = this_machine,
) -> int:
    """Say that this machine is the node whose state lies here."""
    from detak_agent.origin import adopt as adopt_state  # noqa: PLC0415 - only here

    config = load(options.config, registry)
    if adopt_state(config.state_directory, config.node, identify):
        print(f"this machine is {config.node} from now on; a running agent goes on within a minute or two")
    else:
        print(f"this machine is {config.node} already")
    return 0


async def _renew_each(config: AgentConfig, collectors: tuple[CollectorSettings, ...]) -> list[str]:
    from detak_agent.key_renewal import HeldKey  # noqa: PLC0415 - only here
    from detak_agent.way import way_to  # noqa: PLC0415 - as above

    failures = []
    for one in collectors:
        way = way_to(config, one)
        try:
            await HeldKey(one, config.state_directory, config.node).renew(way)
            print(f"{config.node} has a new key with {one.url}")
        except CouldNotError as error:
            failures.append(str(error))
        finally:
            way.close()
    return failures


def _pins(fingerprint: str | None, ca_keys: list[str], collector: CollectorSettings) -> Pins:
    if fingerprint is not None and ca_keys:
        raise ConfigurationError(["--ca-key: may not stand beside --fingerprint: paste the line as it was printed"])
    if len(ca_keys) > MOST_KEYS:
        raise ConfigurationError([f"--ca-key: at most {MOST_KEYS}"])
    if fingerprint is not None:
        return Pins(
            fingerprint=_pin("--fingerprint", FINGERPRINT_RULE, fingerprint, collector, [collector.fingerprint])
        )
    keys = [_pin("--ca-key", AUTHORITY_KEY_RULE, one, collector, collector.ca_keys) for one in ca_keys]
    return Pins(authority_keys=tuple(dict.fromkeys(keys)))


def _pin(option: str, rule: str, written: str, collector: CollectorSettings, configured: Sequence[str | None]) -> str:
    """The fingerprint in its normal form, if it goes with what agent.toml says."""
    fingerprint = normal_fingerprint(written)
    if fingerprint is None:
        raise ConfigurationError([f"{option}: {rule} (got {written})"])
    if collector.url.startswith("http:"):
        raise ConfigurationError([f"{option}: {collector.url} is plain HTTP, which has no certificate"])
    if collector.ca_file is not None:
        raise ConfigurationError([f"{option}: {collector.url} has a ca_file in agent.toml; leave one of them out"])
    trusted = [one for one in (collector.fingerprint, *collector.ca_keys) if one is not None]
    if trusted and fingerprint not in configured:
        raise ConfigurationError([f"{option}: agent.toml trusts another one, {', '.join(trusted)}"])
    return fingerprint


def _collector(config: AgentConfig, url: str | None, path: Path) -> CollectorSettings:
    known = {one.url: one for one in config.collectors}
    if url is None and len(known) == 1:
        return config.collectors[0]
    if url is None:
        raise ConfigurationError([f"--collector: say which one: {', '.join(known)}"])
    if url.rstrip("/") not in known:
        how = "has no [[collector]] with this url: add one there, and paste the line once more"
        raise ConfigurationError([f"--collector: {path} {how} (got {url})"])
    return known[url.rstrip("/")]
