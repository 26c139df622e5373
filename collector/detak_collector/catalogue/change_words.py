"""What a catalogue changes, in the reader's language: from the lines of `past.differences`, which the log keeps too.

Pure. The lines themselves are what commands print, and what a version that waits says of itself for ever.
"""

from __future__ import annotations

import re

from detak_collector.catalogue.past import GONE, NEW
from detak_collector.translation.language import Language, mark

_OF = re.compile(r"(service|unit) (.+?): (.+)")
_PART = re.compile(r"(members of|rule of|category of|third_party of|node) (.+)")
SUBJECTS = {"service": mark("service {name}: {change}"), "unit": mark("unit {name}: {change}")}
PARTS = {
    "members of": mark("the members of {name}"),
    "rule of": mark("the rule of {name}"),
    "category of": mark("the category of {name}"),
    "third_party of": mark("whether {name} is a third party's"),
    "node": mark("node {name}: its site, its witnesses and references, or its end"),
}
WORDS = {
    GONE: mark("is gone"),
    NEW: mark("is new, and read for the time before too: date its criticality"),
    "criticality": mark("how critical it is"),
    "whether it is counted": mark("whether it is counted"),
    "hours": mark("its hours"),
    "probe_guard": mark("whether its probes decide (probe_guard)"),
    "probes": mark("its probes"),
    "services": mark("which services it has"),
    "timezone": mark("the time zone"),
    "target_percent": mark("the target (target_percent)"),
    "planned_in_denominator": mark("whether planned time stays in the service time (planned_in_denominator)"),
    "ha_rule": mark('what rule = "ha" means (ha_rule)'),
    "counted_exclusions": mark("which exclusions take time off (counted_exclusions)"),
    "incident_gap_ms": mark("how far apart the outages of one incident may lie (incident_gap_ms)"),
    "minimum_outage_ms": mark("from which length on an outage counts (minimum_outage_ms)"),
    "freeze_degraded_below_ms": mark("up to which length a standstill is no outage (freeze_degraded_below_ms)"),
}


def change_words(line: str, language: Language) -> str:
    """The line, or what another version of this program wrote, as it is."""
    of = _OF.fullmatch(line)
    if of is not None:
        kind, name, change = of.groups()
        return language.say(SUBJECTS[kind], name=name, change=change_words(change, language))
    part = _PART.fullmatch(line)
    if part is not None:
        return language.say(PARTS[part[1]], name=part[2])
    return language.say(WORDS[line]) if line in WORDS else line
