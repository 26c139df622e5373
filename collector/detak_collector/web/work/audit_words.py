"""What the audit trail calls the kinds of entries, and what of each it tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from detak_collector.pair import entry
from detak_collector.report.numbers import iso_utc
from detak_collector.store.entry_pages import Placed
from detak_collector.translation.language import Language, mark

KINDS = {
    entry.PROPOSAL: mark("proposal"),
    entry.DECISION: mark("decision"),
    entry.CLAIM: mark("word of a provider"),
    entry.GRANT: mark("role"),
    entry.CATALOGUE: mark("version of the catalogue"),
    entry.CATALOGUE_DECISION: mark("decision on the catalogue"),
    entry.RULING: mark("incidents"),
    entry.FIGURE: mark("published figure"),
    entry.PROMOTION: mark("promotion"),
    entry.RESTORE: mark("restored from a backup"),
    entry.SEAL: mark("seal"),
    entry.SEAL_DECISION: mark("decision on a seal"),
    entry.RESTATEMENT: mark("restatement"),
    entry.DISPUTE: mark("dispute"),
    entry.DISPUTE_DECISION: mark("answer to a dispute"),
    entry.DISPOSAL: mark("disposal of evidence"),
    entry.DISPOSAL_DECISION: mark("decision on a disposal"),
    entry.DISPOSED: mark("evidence disposed of"),
    entry.MAIL: mark("mail"),
    entry.NOTICE: mark("notice to approvers"),
    entry.ANNOTATION: mark("annotation"),
    entry.ACKNOWLEDGEMENT: mark("acknowledgement"),
    entry.ATTACHMENT: mark("attachment"),
    entry.NOTE: mark("note of operators"),
}
"""The kinds that have a name; others stand as they are written."""

LONGEST_VALUE = 400
MOST_VALUES = 14
LONGEST_TEXT = 10_000
_SUBJECT = ("name", "root", "user", "year", "period", "digest", "outages", "outage", "number", "about")


def kind_words(kind: str, language: Language) -> str:
    """What a kind of entries is called."""
    return language.say(KINDS[kind]) if kind in KINDS else kind


def subject_of(placed: Placed) -> str:
    """What it is about, as far as its body says."""
    told = placed.entry.told
    return next((_short(told[name], 80) for name in _SUBJECT if told.get(name)), "")


def path_of(placed: Placed) -> str:
    """Where that has a page, from the root of the site; empty where it has none."""
    told = placed.entry.told
    if placed.entry.kind in {"proposal", "decision", "claim"} and isinstance(told.get("root"), str):
        base = "declarations" if told.get("about") == "declaration" else "exclusions"
        return f"{base}/{told.get('name', told['root'])}"
    if placed.entry.kind in {"annotation", "acknowledgement", "attachment"} and type(told.get("outage")) is int:
        return f"outages/{told['outage']}"
    if placed.entry.kind in {"seal", "restatement"} and isinstance(told.get("period"), str):
        return f"closing/{told['period']}"
    return ""


def lines_of(placed: Placed) -> Sequence[tuple[str, str]]:
    """The body, flat: key and value, long values cut short."""
    found: list[tuple[str, str]] = []
    for name, value in placed.entry.told.items():
        if isinstance(value, Mapping):
            found += [(f"{name}.{inner}", _short(each, LONGEST_VALUE)) for inner, each in value.items()]
        elif value not in {"", None} if isinstance(value, str | None) else True:
            found.append((name, _short(value, LONGEST_VALUE)))
    return found[:MOST_VALUES]


def placed_json(placed: Placed) -> dict[str, object]:
    """An entry as the API tells it."""
    told = placed.entry
    return {
        "id": told.id,
        "number": placed.number,
        "block": placed.block,
        "kind": told.kind,
        "recorded_at": iso_utc(told.recorded_utc),
        "by": told.author,
        "collector": told.collector,
        "body": {name: _bounded(value) for name, value in told.told.items()},
    }


def _bounded(value: object) -> object:
    """A value as it is, but for a text that is no reading: the ledger's export has it whole."""
    return value if not isinstance(value, str) or len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 1]}…"


def _short(value: object, most: int) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
