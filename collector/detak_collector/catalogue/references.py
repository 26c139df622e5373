"""Whether the parts of a services.toml fit together: what nobody can reach is most likely a misspelling.

It looks at the raw tables, so that an entry which is wrong for another reason still counts as mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from detak_collector.catalogue.table import Table


def check_references(services: Sequence[Table], groups: Sequence[Table]) -> None:
    """Refuse shared groups that no service uses: their members could never bear on a figure."""
    used = set(_strings([service.content.get("uses") for service in services]))
    for group in groups:
        key = group.content.get("id")
        if isinstance(key, str) and key not in used:
            members = ", ".join(_strings(group.content.get("members"))) or "none"
            group.place.say(f"no service reaches it (members: {members}); name it in a service's uses, or remove it")


def _strings(value: object) -> Iterator[str]:
    """Every string in a raw value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from _strings(list(value.values()))
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
