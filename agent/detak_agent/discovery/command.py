"""`detak-agent discover`: reads its arguments, has the facts read, recognised, tried and written, and prints."""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from collections.abc import Mapping
from pathlib import Path

from detak_agent.checks.base import Kind
from detak_agent.config import AgentConfig, load, parse, url_problem
from detak_agent.discovery.findings import findings
from detak_agent.discovery.known import without_known
from detak_agent.discovery.names import node_name
from detak_agent.discovery.reading import read_facts
from detak_agent.discovery.trying import attempt_with, choose_all, usable
from detak_agent.discovery.writing import NO_COLLECTOR, Checks, Written, addition, configuration
from detak_agent.failures import ConfigurationError, CouldNotError
from detak_agent.first_file import write_new
from detak_wire import limits


def run_discover(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    """Print a proposed configuration, or write it to a file that must not be there yet."""
    _refuse_wrong_arguments(options)
    existing = load(options.config, registry) if options.config else None
    written = _propose(options, existing, registry)
    if options.output is None:
        sys.stdout.buffer.write(written.text.encode())
        return 0
    _write(options.output, written.text)
    print(f"{options.output}: {written.active} checks switched on, {written.off} switched off; read it, then go on")
    return 0


def _refuse_wrong_arguments(options: argparse.Namespace) -> None:
    if options.node is not None and not re.fullmatch(limits.NAME_PATTERN, options.node):
        raise ConfigurationError(
            [f"--node: must be lower case letters, digits, '.', '_' or '-', at most 64 (got {options.node})"]
        )
    problem = url_problem(options.collector, allow_plaintext=False) if options.collector is not None else None
    if problem:
        raise ConfigurationError([f"--collector: {problem} (got {options.collector})"])
    if options.config and (options.node or options.collector):
        raise ConfigurationError(["--node, --collector: have no effect beside --config, which has them"])
    if options.output is not None and (options.output.exists() or options.output.is_symlink()):
        raise ConfigurationError([f"--output: {options.output} is there already, and is not overwritten"])


def _propose(options: argparse.Namespace, existing: AgentConfig | None, registry: Mapping[str, Kind]) -> Written:
    facts = read_facts()
    found = usable(findings(facts), registry)
    if existing is not None:
        found = without_known(found, existing.checks)
    attempt = None if options.no_try else attempt_with(registry)
    chosen = asyncio.new_event_loop().run_until_complete(choose_all(found, attempt))
    taken = frozenset(check.settings.name for check in existing.checks) if existing else frozenset[str]()
    checks = Checks(chosen, attempt is not None, taken)
    if existing is not None:
        return addition(str(options.config), facts, checks)
    node = options.node or node_name(facts.host)
    written = configuration(node, options.collector or NO_COLLECTOR, facts, checks)
    parse(written.text, registry, "the proposed configuration")
    return written


def _write(path: Path, text: str) -> None:
    try:
        write_new(path, text)
    except OSError as error:
        raise CouldNotError(f"--output: {path} cannot be written: {error.strerror}") from error
