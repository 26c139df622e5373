"""What an auditor looks at: outages explained, and a random sample, each with the chained lines that it rests on.

The same seed draws the same sample, so that two auditors look at the same, and nobody chose it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from detak_collector.bundle.deriving import Contents, result_of
from detak_collector.bundle.evidence import Records, SpanKey
from detak_collector.downtime.derive import Result
from detak_collector.downtime.explain import Explained, explain
from detak_collector.downtime.outages import OutageKey

MOST_LINES = 200
"""Of one outage; a flapping check may have thousands."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What was drawn: outages by their keys, then spans; together as many as were asked for, if there are as many."""

    outages: tuple[OutageKey, ...]
    spans: tuple[SpanKey, ...]


def drawn(result: Result, records: Records, size: int, seed: int) -> Sample:
    """Half of it outages, the rest closed spans of the checks; where there are fewer outages, more spans."""
    outages = sorted(one.key for service in result.services for one in service.outages)
    spans = sorted(records.spans)
    random = Random(seed)  # noqa: S311 - to be drawn again, not to be secret
    of_outages = min(len(outages), max((size + 1) // 2, size - len(spans)))
    chosen = sorted(random.sample(outages, of_outages))
    return Sample(tuple(chosen), tuple(sorted(random.sample(spans, min(len(spans), size - of_outages)))))


def explained(contents: Contents, keys: Iterator[OutageKey] | tuple[OutageKey, ...]) -> Iterator[Explained]:
    """These outages with their pieces, service after service; raises BundleError."""
    by_service: dict[str, set[OutageKey]] = {}
    for key in keys:
        by_service.setdefault(key[0], set()).add(key)
    for service, wanted in sorted(by_service.items()):
        one = [found for found in contents.catalogue.services if found.id == service]
        result = result_of(contents, services=one)
        yield from (found for found in explain(result, service) if found.outage.key in wanted)


def evidence_of(outage: Explained, records: Records) -> list[bytes]:
    """The lines of the records on which the pieces of an outage rest, in the order of their first mention."""
    keys: dict[SpanKey, None] = {}
    for piece in outage.pieces:
        for check, passage in piece.evidence:
            node = check.partition("/")[0]
            for named in passage.evidence:
                run, _, number = named.rpartition("/")
                if number.isdecimal():
                    keys[node, run, int(number)] = None
    return [records.spans[key].line for key in keys if key in records.spans]
