"""What the tests of discovery share: facts to the text that is written, and the checks in it, switched on or off."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from detak_agent.checks.registry import REGISTRY
from detak_agent.discovery.drafts import Draft
from detak_agent.discovery.facts import Facts
from detak_agent.discovery.findings import findings
from detak_agent.discovery.trying import choose_all, usable
from detak_agent.discovery.writing import NO_COLLECTOR, Checks, configuration
from detak_agent.spans import Sample

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


def proposed(facts: Facts, attempt: Callable[[Draft], Awaitable[Sample]] | None = None, node: str = "n1") -> str:
    """The configuration that is proposed for these facts."""
    chosen = asyncio.run(choose_all(usable(findings(facts), REGISTRY), attempt))
    return configuration(node, NO_COLLECTOR, facts, Checks(chosen, attempt is not None)).text


def checks_in(text: str) -> list[dict[str, Any]]:
    checks: list[dict[str, Any]] = tomllib.loads(text).get("check", [])
    return checks


def checks_of(facts: Facts) -> list[dict[str, Any]]:
    """The checks that are switched on."""
    return checks_in(proposed(facts))


def off_in(text: str) -> list[dict[str, Any]]:
    """The checks that are switched off, as they are once the `#` of their lines are removed."""
    lines = [line[1:] for line in text.splitlines() if line.startswith("#") and line[1:2] not in {"", " "}]
    return checks_in("\n".join(lines))


def off_of(facts: Facts) -> list[dict[str, Any]]:
    return off_in(proposed(facts))
