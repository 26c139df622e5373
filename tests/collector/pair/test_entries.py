from dataclasses import replace

import pytest
from msgspec import structs

from detak_collector.pair.entry import FIGURE, PROMOTION, RULING, Body, Entry, canonical, contradictions, in_order
from detak_collector.pair.messages import entry_of, line_of
from detak_collector.pair.role import Role, role_of

DC, DRC = "dc000000", "d0c00000"


def entry(number: int, collector: str, kind: str, body: Body, utc: int = 1_000, **seen: int) -> Entry:
    return Entry(f"{number:032x}", kind, utc, "ani", collector, {DC: 0, DRC: 0} | seen, canonical(body))


def figure(number: int, collector: str, year: int, **more: int) -> Entry:
    return entry(number, collector, FIGURE, {"year": year}, **more)


def test_entries_of_one_millisecond_keep_the_order_in_which_their_collector_made_them() -> None:
    first, second = figure(9, DC, 2023), figure(1, DC, 2024, dc000000=1)
    assert in_order([second, first]) == [first, second]


def test_an_equal_set_of_entries_reads_the_same_however_it_came_together() -> None:
    made = [figure(at, collector, 2020, utc=1_000 + at % 3) for at in range(6) for collector in (DC, DRC)]
    assert in_order(made) == in_order(reversed(made))


def test_a_correction_by_one_who_knew_the_earlier_entry_contradicts_nothing() -> None:
    earlier = figure(1, DC, 2024)
    assert list(contradictions([earlier, figure(2, DRC, 2024, utc=2_000, dc000000=1)])) == []
    assert list(contradictions([earlier, figure(2, DC, 2024, utc=2_000, dc000000=1)])) == []


def test_two_figures_of_a_year_that_did_not_know_of_each_other_contradict_and_the_later_counts() -> None:
    mine, theirs = figure(1, DC, 2024, utc=2_000), figure(2, DRC, 2024, utc=1_000)
    (found,) = contradictions([mine, theirs, figure(3, DRC, 2023, utc=1_000, d0c00000=1)])
    assert (found.subject, found.earlier, found.later) == ("the published figure of 2024", theirs, mine)


def test_rulings_contradict_where_they_name_an_outage_or_take_back_the_same_one() -> None:
    named = [entry(at, by, RULING, {"outages": [7, at], "undoes": None}) for at, by in ((1, DC), (2, DRC))]
    undone = [entry(at, by, RULING, {"outages": [], "undoes": "a1"}) for at, by in ((3, DC), (4, DRC))]
    assert [one.subject for one in contradictions([*named, *undone])] == ["outage 7", "ruling a1"]


def test_without_a_promotion_the_file_says_who_leads() -> None:
    assert role_of(DC, [], follows=False) is Role.LEADS
    assert role_of(DRC, [], follows=True) is Role.FOLLOWS


def test_the_latest_promotion_stands_above_the_files() -> None:
    there = entry(1, DRC, PROMOTION, {"reason": "a drill"})
    back = replace(entry(2, DC, PROMOTION, {"reason": "and back"}), recorded_utc=2_000)
    assert role_of(DRC, [there], follows=True) is Role.LEADS
    assert role_of(DC, [there], follows=False) is Role.SUPERSEDED
    assert role_of(DC, [there], follows=True) is Role.FOLLOWS
    assert role_of(DC, [back, there], follows=True) is Role.LEADS
    assert role_of(DRC, [back, there], follows=True) is Role.FOLLOWS


@pytest.mark.parametrize("depth", [60, 900, 100_000])
def test_an_entry_of_the_other_ones_that_is_nested_beyond_all_sense_is_refused(depth: int) -> None:
    line = line_of(entry(1, DC, "later", {}))
    body = '{"a":' + "[" * depth + "]" * depth + "}"
    with pytest.raises(ValueError, match="nested"):
        entry_of(structs.replace(line, body=body))
    assert entry_of(structs.replace(line, body='{"a":[[{"b":[]}]]}')).kind == "later"
