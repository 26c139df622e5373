"""What services.toml and its companions may say some day, and this version refuses: one line for each.

The value of such a key is checked like any other; where it is right, it is refused with the advice given here.
Who makes one of these work deletes its line together with the refusal that names it.
"""

NOT_YET = {
    "freeze_degraded_below_ms": "remove it or write 0",
    "recurrence": "write one exclusion for each window",
    "dated organisation": "write one value without dates",
    "dated planned_in_denominator": "write one value without dates",
    "dated incident_gap_ms": "write one value without dates",
    "dated service.name": "write one value without dates",
    "dated service.public": "write one value without dates",
    "dated service.probe_guard": "write one value without dates",
    "dated service.probes": "write the check alone, without dates",
    "dated group.category": "write one value without dates",
    "dated group.third_party": "write one value without dates",
    "dated node.site": "write one value without dates",
}
