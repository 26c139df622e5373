"""Writes findings and choices down as a configuration that a newcomer can read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from detak_agent.discovery.drafts import HEADINGS, Group
from detak_agent.discovery.facts import Facts
from detak_agent.discovery.names import Names
from detak_agent.discovery.toml_text import comment, table
from detak_agent.discovery.trying import Choice, Chosen

NO_COLLECTOR = "https://fill-in.invalid"
"""Stands where the collector's url must be filled in: a name that never resolves (RFC 2606)."""

_SUFFIXES: Mapping[str, str] = {"systemd": "-unit", "process": "-process"}
_PATH = "/etc/detak/agent.toml"
_SWITCHED_OFF = (
    "A check whose lines begin with # and no space is switched off: to switch it on, remove the # of each of them."
)


@dataclass(frozen=True, slots=True)
class Written:
    """The text, and how many checks in it are switched on and off."""

    text: str
    active: int
    off: int


@dataclass(frozen=True, slots=True)
class Checks:
    """What is to be written, whether it was tried, and the names that other checks have."""

    chosen: Sequence[Chosen]
    tried: bool
    taken: frozenset[str] = frozenset()


def configuration(node: str, url: str, facts: Facts, checks: Checks) -> Written:
    """A whole agent.toml."""
    read = "Read through the checks: are they what your users depend on?"
    steps = (
        read if url != NO_COLLECTOR else f"Fill in the collector's url. {read}",
        f"Save it as {_PATH}. Run `detak-agent config-check`, then `detak-agent check`.",
        "`detak-agent enroll --token TOKEN`; the token is printed by `detak-collector enroll`.",
        "`systemctl enable --now detak-agent`, and after a change of this file `systemctl reload detak-agent`.",
    )
    lines = [
        *comment(f"Proposed by `detak-agent discover` from what runs on {facts.host or node}. What to do next:"),
        *(line for number, step in enumerate(steps, 1) for line in comment(f"{number}. {step}")),
        *_explained(facts, checks),
        "",
        *comment("This node's name, as the collector and services.toml use it."),
        *table("", {"node": node})[1:],
        "",
        *comment("The collector. For a second one, add a second [[collector]]: each gets everything."),
        *table("collector", {"url": url}),
    ]
    return _written(lines, checks)


def addition(path: str, facts: Facts, checks: Checks) -> Written:
    """Only checks, to be added to a configuration that is there."""
    if not checks.chosen:
        return Written("\n".join(comment(f"{path} checks everything that was recognised here.")) + "\n", 0, 0)
    lines = [
        *comment(f"Proposed by `detak-agent discover`: what runs on this machine and {path} does not check yet."),
        *comment("What to do next:"),
        *comment(
            f"1. Keep what your users depend on, in that file or as one of its own in {Path(path).with_suffix('.d')}."
        ),
        *comment("2. Run `detak-agent config-check`, `detak-agent check`, then `systemctl reload detak-agent`."),
        *_explained(facts, checks),
    ]
    return _written(lines, checks)


def _explained(facts: Facts, checks: Checks) -> list[str]:
    """What somebody must know to read the rest."""
    told = [_SWITCHED_OFF]
    if checks.tried:
        told.insert(0, "Each check that is switched on was tried just now. It was up, unless it says otherwise.")
    if facts.unseen:
        told.append(
            f"Who listens on {facts.unseen} of {len(facts.listeners)} ports could not be seen; it was guessed by user "
            f"and usual port.{'' if facts.is_root else ' Run it as root (sudo) to know.'}"
        )
    if facts.hidden:
        told.append("The kernel hides other users' processes from you (hidepid): run it as root to see them.")
    told += [f"This is not all: {what}." for what in facts.cut]
    return ["#", *(line for text in told for line in comment(text))]


def _written(lines: Sequence[str], checks: Checks) -> Written:
    names = Names(checks.taken)
    written = list(lines)
    group: Group | None = None
    for one in checks.chosen:
        if one.finding.group is not group:
            group = one.finding.group
            written += ["", "", f"# ==== {HEADINGS[group]} ===="]
        written += ["", *_finding(one, names)]
    choices = [choice for one in checks.chosen for choice in one.choices]
    active = sum(choice.active for choice in choices)
    return Written("\n".join(written) + "\n", active, len(choices) - active)


def _finding(one: Chosen, names: Names) -> Iterable[str]:
    finding = one.finding
    where = f" ({finding.where})" if finding.where else ""
    yield from comment(f"{finding.title}{where}")
    told = {finding.note}
    yield from comment(finding.note)
    for number, choice in enumerate(one.choices):
        if number:
            yield ""
        yield from _remarks(choice, told)
        name = names.take(choice.proposal.name + _SUFFIXES.get(choice.draft.kind, ""))
        keys = {"name": name, "kind": choice.draft.kind, **choice.draft.keys}
        yield from table("check", keys, active=choice.active)


def _remarks(choice: Choice, told: set[str]) -> Iterable[str]:
    """What stands above a check; what was said above an earlier one of the same server is not said again."""
    for step in choice.proposal.steps:
        yield from comment(step)
    if choice.told:
        yield from comment(f"{_opening(choice)} when tried just now, {choice.told}")
    if choice.draft.note not in told:
        told.add(choice.draft.note)
        yield from comment(choice.draft.note)


def _opening(choice: Choice) -> str:
    if choice.proposal.sure:
        return "To be looked at:"
    return "Less than could be:" if choice.active else "Switched off:"
