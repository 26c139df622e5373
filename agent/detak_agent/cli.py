"""The command line: reads arguments, calls one function, prints.

Exit codes: 0 fine, 1 the answer is bad news, 2 usage or configuration, 3 could not do it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import random
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from detak_agent import VERSION, cli_identity
from detak_agent.checks.base import Kind, Surroundings
from detak_agent.clocks import SystemClock
from detak_agent.config import AgentConfig, load
from detak_agent.discovery.arguments import add_discover_arguments, discover
from detak_agent.failures import CouldNotError, DetakError
from detak_agent.runner import Sampler, Starvation

if TYPE_CHECKING:
    from detak_agent.spans import Sample

_CHECK_TICK_MS = 1_000
_PRIVATE = 0o077


def main(arguments: Sequence[str] | None = None) -> None:
    """The program; ends the process."""
    options = _parser().parse_args(arguments)
    # The journal tells what is wrong with this node: nobody else on it reads that, whichever command makes the folder.
    os.umask(_PRIVATE)
    log_to_stderr(debug=options.debug)
    code = _run_command(options)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    # A check or a name look-up that hangs in a thread must not keep the process from ending.
    os._exit(code)


def _run_command(options: argparse.Namespace) -> int:
    try:
        from detak_agent.checks.registry import REGISTRY  # noqa: PLC0415 - a broken kind must not break `--help`

        code: int = options.command(options, REGISTRY)
    except DetakError as error:
        for line in error.lines:
            print(line, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return DetakError.exit_code
    except Exception as error:
        if options.debug:
            raise
        print(f"could not: {type(error).__name__}: {error} (--debug shows where)", file=sys.stderr)
        return DetakError.exit_code
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="detak-agent", description="Runs checks on this node and ships what it saw.")
    parser.add_argument("--version", action="version", version=f"detak-agent {VERSION}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    _add(commands, "run", _run, "run until a signal says stop (SIGHUP reads the configuration again)")
    _add(commands, "check", _check, "run every check once; exit 1 if one is down")
    status = _add(commands, "status", _status, "say how the agent on this node stands; exit 1 if it does not run")
    status.add_argument(
        "--keys", action="store_true", help="only whether this node is enrolled; exit 1 where a key is missing"
    )
    status.add_argument("--collector", metavar="URL", help="with --keys: only with this one")
    _add(commands, "config-check", _config_check, "say whether the configuration is right")
    text = "propose a configuration from what runs on this machine"
    add_discover_arguments(_add(commands, "discover", discover, text, own_config=True))
    enroll = _add(commands, "enroll", cli_identity.enroll, "get this node's key from a collector")
    enroll.add_argument(
        "--collector", metavar="URL", help="its url in the configuration; may be left out if there is one"
    )
    cli_identity.add_enroll_arguments(enroll)
    renew = _add(commands, "renew", cli_identity.renew, "renew this node's key now; a running agent does so by itself")
    renew.add_argument("--collector", metavar="URL", help="only with this one")
    _add(
        commands,
        "adopt",
        cli_identity.adopt,
        "say that this machine is the node whose state lies here, moved or restored",
    )
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    command: object,
    text: str,
    *,
    own_config: bool = False,
) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    if not own_config:
        parser.add_argument(
            "--config",
            type=Path,
            default=Path("/etc/detak/agent.toml"),
            metavar="FILE",
            help="the configuration; default %(default)s",
        )
    parser.add_argument("--debug", action="store_true", help="say more, tracebacks included")
    parser.set_defaults(command=command)
    return parser


def log_to_stderr(*, debug: bool) -> None:
    """One line for each event; systemd adds the time."""
    logging.basicConfig(level=logging.DEBUG if debug else logging.INFO, format="%(levelname)s %(message)s")
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _run(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    from detak_agent.daemon import run_agent  # noqa: PLC0415 - the other commands need no network
    from detak_agent.life import Machine  # noqa: PLC0415 - as above
    from detak_agent.systemd import Notifier  # noqa: PLC0415 - as above

    machine = Machine(SystemClock(), Surroundings(), random.random, Notifier())
    try:
        return run_agent(options.config, load(options.config, registry), registry, machine)
    except DetakError as error:
        machine.notifier.failed(error.lines[0])
        raise


def _check(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    config = load(options.config, registry)
    loop = asyncio.new_event_loop()
    samples = loop.run_until_complete(_sample_all(config))
    for line in _table(samples):
        print(line)
    return 1 if any(sample.state == "down" for sample in samples) else 0


async def _sample_all(config: AgentConfig) -> list[Sample]:
    clock = SystemClock()
    samplers = [Sampler(check, Surroundings(), clock, Starvation(_CHECK_TICK_MS)) for check in config.checks]
    return list(await asyncio.gather(*(sampler.sample() for sampler in samplers)))


def _table(samples: Sequence[Sample]) -> list[str]:
    if not samples:
        return ["no checks are configured"]
    width = max(len(sample.check) for sample in samples)
    return [
        f"{sample.check:<{width}}  {sample.state:<8}  {sample.end - sample.begin:>5} ms  {sample.message}".rstrip()
        for sample in samples
    ]


def _status(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    from detak_agent.key_standing import key_lines  # noqa: PLC0415 - only here
    from detak_agent.machine_identity import this_machine  # noqa: PLC0415 - as above
    from detak_agent.status import is_running, read_standing, status_lines  # noqa: PLC0415 - as above

    config, clock = load(options.config, registry), SystemClock()
    if options.keys or options.collector is not None:
        return cli_identity.keys_status(options, config, clock.utc())
    keys = key_lines(config, this_machine(), clock.utc())
    try:
        standing = read_standing(config.state_directory)
    except CouldNotError:
        print("\n".join(keys))
        raise
    lines = ["agent      not running; it has never ticked"] if standing is None else status_lines(standing, clock)
    print("\n".join([*lines, *keys]))
    return 0 if standing is not None and is_running(standing, clock) else 1


def _config_check(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    config = load(options.config, registry)
    files = f", from {', '.join(config.files)}" if len(config.files) > 1 else ""
    print(f"OK: node {config.node}, {len(config.checks)} checks, {len(config.collectors)} collectors{files}")
    return 0


if __name__ == "__main__":
    main()
