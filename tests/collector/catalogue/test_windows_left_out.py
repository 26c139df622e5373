"""Windows of a recurring exclusion that do not take place."""

from __future__ import annotations

import json

import pytest

from detak_collector.catalogue import CatalogueError, parse, parse_exclusions

CATALOGUE = parse(
    'organisation = "org"\ntimezone = "Asia/Jakarta"\n[[service]]\nid = "s"\ncriticality = "sangat kritis"\n'
    '[[service.group]]\nname = "g"\ncategory = "server"\nmembers = ["a/c"]\n'
)
FIRST = 1_772_377_200_000
WEEK = 7 * 86_400_000
RECORD = {
    "id": "x1", "category": "planned", "scope": {"service": "s"}, "from": "2026-03-01T15:00:00Z",
    "to": "2026-03-01T17:00:00Z", "document": "ND-1", "reason": "r", "proposed_by": "a",
    "proposed_at": "2026-01-01T00:00:00Z", "recurrence": "FREQ=WEEKLY;COUNT=4",
}  # fmt: skip


def begins(*without: str, **more: object) -> list[tuple[int | None, int]]:
    """Number and week of each window."""
    (one,) = parse_exclusions(json.dumps({**RECORD, "except": list(without), **more}), CATALOGUE)
    return [(each.window, (each.begin - FIRST) // WEEK) for each in one.windows(FIRST + 9 * WEEK)]


def refusal(*without: str, **more: object) -> str:
    with pytest.raises(CatalogueError) as caught:
        begins(*without, **more)
    (line,) = caught.value.lines
    return line


def test_what_is_left_out_is_counted_and_has_no_number() -> None:
    assert begins("2026-03-15T15:00:00Z") == [(1, 0), (2, 1), (3, 3)]


def test_the_first_window_may_be_left_out_too() -> None:
    assert begins("2026-03-01T22:00:00+07:00") == [(1, 1), (2, 2), (3, 3)]


@pytest.mark.parametrize(
    ("without", "more", "line"),
    [
        (["2026-03-15T14:00:00Z"], {}, 'when windows that the rule gives begin (got "2026-03-15T14:00:00+00:00")'),
        (["2026-03-29T15:00:00Z"], {}, "except: when windows that the rule gives begin"),
        (["2026-03-15"], {}, "except[#1]: a time with its zone"),
        (["2026-03-15T15:00:00Z"], {"recurrence": None}, "except: only with recurrence; remove it"),
        ([f"2026-03-{day:02d}T15:00:00Z" for day in (1, 8, 15, 22)], {}, "except: no window is left"),
        (["2026-03-15T15:00:00Z", "2026-03-15T15:00:00Z"], {}, "each may be listed once"),
    ],
)  # fmt: skip
def test_what_is_no_window_is_refused(without: list[str], more: dict[str, object], line: str) -> None:
    assert line in refusal(*without, **more)
