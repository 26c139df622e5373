"""By which rules a figure was made, as names and plain values: what programs get where people read the method."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from detak_collector.downtime.derive import Result
from detak_collector.report.document import document

FORMULA = "100 * sum of counted_ms / sum of service_time_ms, over the services in the figure"
_FIGURE = (
    "percent", "counted_ms", "certain_ms", "possible_ms", "gross_ms", "service_time_ms", "unobserved_ms", "coverage",
    "verdict", "proof",
)  # fmt: skip


def method(result: Result) -> dict[str, Any]:
    """The rules in force at the end of the period."""
    catalogue, last = result.case.catalogue, result.last
    return {
        "formula": FORMULA,
        "ha_rule": catalogue.ha_rule.value_at(last),
        "planned_in_denominator": catalogue.planned_in_denominator.value_at(last),
        "counted_criticality": list(catalogue.counted_criticality),
        "excluded": list(catalogue.counted_exclusions),
    }


def whole_document(result: Result, effects: Mapping[str, int] | None) -> dict[str, Any]:
    """The JSON report with its method, which exclusions are drills, and, where that was measured, what each took out.

    Null: it was not measured of this one.

    What is sealed or bundled is the document alone: a digest of it is not to differ by what was measured beside it.
    """
    told = document(result)
    told["method"] = method(result)
    if result.drills is not None:
        told["exclusions"] = [{**one, "drill": one["id"] in result.drills} for one in told["exclusions"]]
    if effects is not None:
        told["exclusions"] = [{**one, "took_out_ms": effects.get(one["id"])} for one in told["exclusions"]]
    return told


def stated_values(told: Mapping[str, Any], result: Result) -> dict[str, Any]:
    """All that a figure is stated with, one value a name; `told` is its document."""
    rules, period, seal = method(result), told["period"], result.seal
    return {
        "organisation": told["organisation"],
        "period": period["name"],
        "from": period["from"],
        "to": period["to"],
        "as_of": told["as_of"],
        "rule_version": told["rule_version"],
        "catalogue_version": told["catalogue"]["version"],
        "catalogue_content_digest": told["catalogue"]["content_digest"],
        "ledger": result.ledger,
        "seal": None if seal is None else seal.label,
        **{name: " ".join(value) if isinstance(value, list) else value for name, value in rules.items()},
        "target_percent": told["target_percent"],
        **{name: told["figure"][name] for name in _FIGURE},
    }
