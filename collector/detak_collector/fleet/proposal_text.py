"""A proposed catalogue as a services.toml that a newcomer can read. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from detak_collector.fleet.proposal import UNDIVIDED, Proposed, ProposedGroup, ProposedNode, ProposedService
from detak_collector.report.terminal import printable

WIDTH = 116
UNDECIDED = "undecided"


def services_text(proposed: Proposed, organisation: str, timezone: str, from_what: str) -> str:
    """The whole file; `from_what` says what it was made from."""
    parts = [
        *_head(organisation, timezone, from_what),
        *(line for one in proposed.services for line in _service(one)),
        *_undivided(proposed.groups),
        "",
        "# ==== What reports, layer by layer ====",
        *(line for one in proposed.groups for line in _group(one)),
    ]
    told = [one for one in proposed.nodes if one.site or one.witnesses or one.references]
    if told:
        parts += ["", "# ==== Where the nodes stand, and who else sees them ===="]
    parts += [line for one in told for line in _node(one)]
    return "\n".join(parts) + "\n"


def _head(organisation: str, timezone: str, from_what: str) -> Iterator[str]:
    yield f"# Proposed by `detak-collector catalogue propose` from {from_what}."
    yield "# It is a beginning: names and kinds of checks do not tell what users use. Wherever it says Decide, you know"
    yield "# better. Then `detak-collector catalogue check FILE` tells what it changes. Put it in the place of"
    yield "# services.toml and reload. Where another version is in force, somebody else approves it."
    yield "# Every key: docs/services.md."
    yield ""
    yield f"organisation = {_quoted(organisation)}"
    yield f"timezone = {_quoted(timezone)}"
    yield "target_percent = 0.1               # Decide: the most downtime a year may have"
    yield "# Decide: services of this criticality make the figure; all others are shown only."
    yield 'counted_criticality = ["sangat kritis"]'
    yield 'ha_rule = "lowest_member"          # Decide: what rule = "ha" means: lowest_member or all_down'


def _service(one: ProposedService) -> Iterator[str]:
    yield ""
    yield from _comment(f"Watched from {_nodes(one.probes)}: {printable(one.target)}")
    yield "# Decide: do users reach it so? What is it called, how critical is it, which groups below does it rest on?"
    yield "[[service]]"
    yield f"id = {_quoted(one.id)}"
    yield f"criticality = {_quoted(UNDECIDED)}"
    yield f"probes = {_list(one.probes)}"
    yield "uses = []"


def _undivided(groups: Sequence[ProposedGroup]) -> Iterator[str]:
    yield ""
    yield "# Decide: divide this into the services that there are. Move the ids to `uses` of those that need them"
    yield "# (several may use a group), and remove this one when nothing is left of it."
    yield "[[service]]"
    yield f"id = {_quoted(UNDIVIDED)}"
    yield f"criticality = {_quoted(UNDECIDED)}"
    yield "uses = ["
    yield from (f"  {_quoted(one.id)}," for one in groups)
    yield "]"


def _group(one: ProposedGroup) -> Iterator[str]:
    yield ""
    yield from _comment(_told(one))
    yield "[[group]]"
    yield f"id = {_quoted(one.id)}"
    yield f"category = {_quoted(one.category)}"
    if len(one.members) > 1:
        yield 'rule = "ha"'
    yield "members = ["
    yield from (f"  {_member(member)}," for member in one.members)
    yield "]"


def _told(one: ProposedGroup) -> str:
    if len(one.members) > 1:
        return (
            f"Kind {one.kind}. A guess by their names. Decide: does one stand in for the other? "
            'If all are needed: rule = "any_down".'
        )
    if len(one.members[0]) > 1:
        return f"Kind {one.kind}. One thing, seen from several nodes: all of them look at the same target."
    return f"Kind {one.kind}."


def _node(one: ProposedNode) -> Iterator[str]:
    yield ""
    yield "[[node]]"
    yield f"name = {_quoted(one.name)}"
    if one.site:
        yield f"site = {_quoted(one.site)}{'     # a guess by its name' if one.by_name else ''}"
    if one.witnesses:
        yield f"witnesses = {_list(one.witnesses)}"
    if one.references:
        yield f"references = {_list(one.references)}     # a guess by its name: while it is down, this node is cut off"


def _member(checks: Sequence[str]) -> str:
    return _quoted(checks[0]) if len(checks) == 1 else f"{{ observers = {_list(checks)} }}"


def _nodes(checks: Sequence[str]) -> str:
    return ", ".join(sorted({one.partition("/")[0] for one in checks}))


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, values))}]"


def _quoted(text: str) -> str:
    """As TOML wants it: what JSON writes of printable text is a basic string of TOML."""
    return json.dumps(text, ensure_ascii=False)


def _comment(text: str) -> Iterator[str]:
    """In as many lines as it takes."""
    line = "#"
    for word in text.split():
        if len(line) + 1 + len(word) > WIDTH and line != "#":
            yield line
            line = "#"
        line += f" {word}"
    yield line
