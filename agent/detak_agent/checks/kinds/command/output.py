"""What a plug-in prints: its first line, and performance data. Pure.

The format is that of the Monitoring Plugins Development Guidelines: text, then `|`, then `'label'=value[unit];...`;
further lines are long text, and a `|` among them begins more performance data, up to the end.
"""

from __future__ import annotations

import math
import re

MOST_VALUES = 50
MOST_LABEL_CHARACTERS = 64

_ITEM = re.compile(
    r"(?<!\S)(?:'(?P<quoted>(?:[^']|'')+)'|(?P<plain>[^\s='|;]+))=(?P<number>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)(?P<unit>%|[A-Za-z]*)"
    r"(?P<limits>;[^\s]*)?(?=\s|$)"
)
_UNITS = {"": "", "%": "percent", "B": "bytes", "c": "count"}
_NO_NAME = re.compile(r"[^a-z0-9]+")
_UNPRINTABLE = re.compile(r"\x1b\[[0-9;]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")


def first_line(output: bytes) -> str:
    """The first line with something in it, without performance data and without what a terminal would obey."""
    for line in _text(output).splitlines():
        said = _UNPRINTABLE.sub("", line.partition("|")[0]).strip()
        if said:
            return said
    return ""


def performance_data(output: bytes) -> dict[str, float]:
    """Values by `label_unit`; what is not understood is left out."""
    found: dict[str, float] = {}
    for item in _ITEM.finditer(_performance_text(output)):
        number = _number(item["number"])
        if number is not None and len(found) < MOST_VALUES:
            label = item["quoted"].replace("''", "'") if item["quoted"] else item["plain"]
            found.setdefault(_named(label, item["unit"]), number)
    return found


def _performance_text(output: bytes) -> str:
    first, *others = _text(output).split("\n") or [""]
    long_text = "\n".join(others)
    return f"{first.partition('|')[2]} {long_text.partition('|')[2]}"


def _text(output: bytes) -> str:
    return output.decode("utf-8", "replace")


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _named(label: str, unit: str) -> str:
    name = _NO_NAME.sub("_", label.lower()).strip("_") or "value"
    suffix = _UNITS.get(unit, unit.lower())
    if suffix and name != suffix and not name.endswith(f"_{suffix}"):
        name = f"{name[: MOST_LABEL_CHARACTERS - len(suffix) - 1]}_{suffix}"
    return name[:MOST_LABEL_CHARACTERS]
