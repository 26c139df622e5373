"""The command `discover` as the command line has it. The rest is loaded when it runs: a running agent needs no more."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from detak_agent.checks.base import Kind


def add_discover_arguments(parser: argparse.ArgumentParser) -> None:
    """Its own arguments; `--config` here has no default, since there is usually no configuration yet."""
    parser.add_argument("--output", type=Path, metavar="FILE", help="write it there; a file that exists is kept")
    parser.add_argument("--node", metavar="NAME", help="this node's name, if not the host's")
    parser.add_argument("--collector", metavar="URL", help="where the collector is")
    parser.add_argument(
        "--config", type=Path, metavar="FILE", help="propose only what this configuration does not check yet"
    )
    parser.add_argument("--no-try", action="store_true", help="only look, and do not try the checks once")


def discover(options: argparse.Namespace, registry: Mapping[str, Kind]) -> int:
    """Propose a configuration."""
    from detak_agent.discovery.command import run_discover  # noqa: PLC0415 - see above

    return run_discover(options, registry)
