"""Outage numbers stay what they are while evidence comes late, views differ, and outages grow, merge and split."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from detak_collector.downtime.numbering import FOREVER, Found, Known, Match, as_known, cut, match

END = 60
ALL = (0, FOREVER)


@dataclass
class Register:
    """The smallest register there can be."""

    known: dict[int, Known] = field(default_factory=dict)

    def view(self, world: list[Found], window: tuple[int, int] = ALL) -> Match:
        seen = match(self.known.values(), cut(world, window), window, max(self.known, default=0) + 1)
        self.known.update({one.number: one for one in (*seen.new, *seen.changed)})
        return seen

    def numbers(self, *world: tuple[int, int], window: tuple[int, int] = ALL) -> tuple[int, ...]:
        return self.view([Found("s", begin, end) for begin, end in world], window).numbers


@st.composite
def worlds(draw: st.DrawFn) -> list[Found]:
    """Outages of two services, those of each apart; the last one may be running."""
    world = []
    for service in ("s", "t"):
        edges = sorted(draw(st.sets(st.integers(0, END), max_size=10)))
        pairs = [(edges[at], edges[at + 1]) for at in range(0, len(edges) - 1, 2)]
        running = bool(pairs) and draw(st.booleans())
        world += [Found(service, begin, end, running and (begin, end) == pairs[-1]) for begin, end in pairs]
    return world


windows = st.sets(st.integers(0, END), min_size=2, max_size=2).map(lambda edges: (min(edges), max(edges)))
views = st.tuples(worlds(), st.one_of(st.just(ALL), windows, st.integers(0, END).map(lambda begin: (begin, FOREVER))))


def slow(known: list[Known], world: list[Found]) -> dict[Found, int | None]:
    """The rule in its plainest words, for a view of everything; None where an outage gets a new number."""
    taken: dict[Found, int | None] = {}
    for one in sorted(world, key=lambda found: found.begin):
        free = [
            before.number
            for before in known
            if before.service == one.service and before.merged_into is None and before.number not in taken.values()
            if before.begin <= one.end and (before.running or one.begin <= before.end)
        ]
        taken[one] = min(free) if free else None
    return taken


@given(st.lists(views, max_size=6), worlds())
def test_an_outage_takes_the_lowest_number_among_the_known_ones_that_it_overlaps(
    before: list[tuple[list[Found], tuple[int, int]]], world: list[Found]
) -> None:
    register = Register()
    for earlier, window in before:
        register.view(earlier, window)
    expected, last = slow(list(register.known.values()), world), max(register.known, default=0)
    for one, number in zip(world, register.view(world).numbers, strict=True):
        assert number == expected[one] if expected[one] is not None else number > last


@given(st.lists(views, min_size=1, max_size=8))
def test_no_number_is_ever_used_again_or_shared(history: list[tuple[list[Found], tuple[int, int]]]) -> None:
    register, services, retired = Register(), dict[int, str](), set[int]()
    for world, window in history:
        seen = register.view(world, window)
        assert len(set(seen.numbers)) == len(seen.numbers)
        assert retired.isdisjoint(seen.numbers)
        for one, number in zip(cut(world, window), seen.numbers, strict=True):
            assert services.setdefault(number, one.service) == one.service
        retired |= {one.number for one in register.known.values() if one.merged_into is not None}
    assert sorted(register.known) == list(range(1, len(register.known) + 1))


@given(st.lists(views, max_size=5), views)
def test_the_same_view_twice_changes_nothing(
    before: list[tuple[list[Found], tuple[int, int]]], last: tuple[list[Found], tuple[int, int]]
) -> None:
    register = Register()
    for world, window in before:
        register.view(world, window)
    first = register.view(*last)
    again = register.view(*last)
    assert again.numbers == first.numbers
    assert again.new == again.changed == ()


@given(worlds(), st.lists(st.integers(0, END), max_size=4))
def test_month_by_month_or_all_at_once_gives_an_outage_one_number(world: list[Found], cuts: list[int]) -> None:
    register = Register()
    edges = [0, *sorted(set(cuts) - {0}), FOREVER]
    months = [(window, register.view(world, window).numbers) for window in pairwise(edges)]
    whole = dict(zip(world, register.view(world).numbers, strict=True))
    for window, numbers in months:
        for part, number in zip(cut(world, window), numbers, strict=True):
            (outage,) = (one for one in world if one.service == part.service and one.begin <= part.begin < one.end)
            assert whole[outage] == number


@given(worlds(), st.data())
def test_late_evidence_that_moves_edges_moves_no_number(world: list[Found], data: st.DataObject) -> None:
    register = Register()
    before = register.view(world).numbers
    moved = [Found(one.service, data.draw(st.integers(one.begin, one.end - 1)), one.end, one.running) for one in world]
    assert register.view(moved).numbers == before
    assert register.view(world).numbers == before


def test_numbers_count_over_the_services_in_order_of_time() -> None:
    world = [Found("t", 0, 1), Found("s", 5, 6), Found("t", 3, 4), Found("s", 3, 4)]
    assert Register().view(world).numbers == (1, 4, 3, 2)


def test_of_several_that_it_overlaps_the_one_that_was_known_first_counts() -> None:
    register = Register()
    assert register.numbers((20, 30)) == (1,)
    assert register.numbers((10, 15), (20, 30)) == (2, 1)
    assert register.numbers((10, 30)) == (1,)
    assert register.known[2].merged_into == 1


def test_of_two_that_overlap_one_the_earlier_keeps_the_number() -> None:
    register = Register()
    assert register.numbers((10, 30)) == (1,)
    assert register.numbers((10, 15), (20, 30)) == (1, 2)


def test_a_number_that_was_merged_away_is_retired_for_good() -> None:
    register = Register()
    assert register.numbers((10, 15), (20, 30), (40, 50)) == (1, 2, 3)
    assert register.numbers((10, 30), (40, 50)) == (1, 3)
    assert register.known[2] == Known(2, "s", 20, 30, merged_into=1)
    assert register.numbers((10, 15), (20, 30), (40, 50)) == (1, 4, 3)


def test_an_outage_that_vanishes_and_comes_back_has_its_number_again() -> None:
    register = Register()
    assert register.numbers((10, 20)) == (1,)
    assert register.numbers() == ()
    assert register.numbers((12, 14), (30, 40)) == (1, 2)


def test_an_outage_cut_by_the_edge_of_a_view_keeps_its_whole_extent() -> None:
    register = Register()
    assert register.numbers((10, 40), window=(0, 20)) == (1,)
    assert register.numbers((10, 40), window=(20, 60)) == (1,)
    assert (register.known[1].begin, register.known[1].end) == (10, 40)
    assert register.numbers((10, 40), window=(15, 30)) == (1,)
    assert (register.known[1].begin, register.known[1].end) == (10, 40)


def test_what_lies_behind_a_hole_is_not_the_outage_that_began_before_the_view() -> None:
    register = Register()
    register.numbers((10, 40))
    assert register.numbers((10, 22), (30, 40), window=(20, 60)) == (1, 2)
    assert register.numbers((25, 40), window=(24, 60)) == (2,)
    assert register.numbers((10, 22), (25, 40)) == (1, 2)


def test_a_running_outage_is_written_when_it_begins_and_when_it_ends_and_not_between() -> None:
    register = Register()
    assert register.view([Found("s", 10, 12, running=True)]).new == (Known(1, "s", 10, 12, running=True),)
    assert register.view([Found("s", 10, 30, running=True)]).changed == ()
    assert register.view([Found("s", 10, 40, running=True)], (35, FOREVER)).numbers == (1,)
    assert register.view([Found("s", 10, 44)]).changed == (Known(1, "s", 10, 44),)


def test_a_running_outage_that_was_none_gives_its_number_to_nothing_later() -> None:
    register = Register()
    register.view([Found("s", 10, 12, running=True)])
    assert register.view([]).changed == (Known(1, "s", 10, 12),)
    assert register.numbers((20, 30)) == (2,)


def test_what_begins_within_a_view_is_not_the_outage_that_began_before_it() -> None:
    register = Register()
    register.numbers((10, 40))
    assert register.numbers((30, 40), window=(24, 60)) == (2,)
    assert register.known[1] == Known(1, "s", 10, 24)
    assert register.numbers((30, 40)) == (2,)


def test_an_outage_that_late_evidence_shortens_is_known_as_it_is_now() -> None:
    register = Register()
    register.numbers((10, 40))
    register.numbers((20, 30))
    assert register.known[1] == Known(1, "s", 20, 30)
    assert register.numbers((10, 15), (20, 30)) == (2, 1)


def test_a_view_has_the_parts_of_outages_inside_its_window_and_nothing_of_those_that_only_touch_it() -> None:
    assert cut([Found("s", 0, 5), Found("s", 10, 20)], (5, 10)) == []
    assert cut([Found("s", 0, 6), Found("s", 9, 20)], (5, 10)) == [Found("s", 5, 6), Found("s", 9, 10)]


def test_a_running_outage_still_runs_at_the_end_of_a_view_only_if_the_view_ends_with_it() -> None:
    running = Found("s", 5, 10, running=True)
    assert cut([running], (0, 10)) == [running]
    assert cut([running], (0, 9)) == [Found("s", 5, 9, running=False)]


def test_an_outage_that_only_comes_to_touch_another_is_not_merged_into_it() -> None:
    register = Register()
    register.numbers((10, 20), (30, 40))
    assert register.numbers((10, 30)) == (1,)
    assert register.numbers((10, 20), (30, 40)) == (1, 2)


def test_an_outage_that_is_gone_is_not_merged_into_one_that_has_come_to_touch_where_it_was() -> None:
    register = Register()
    register.numbers((25, 30))
    assert register.numbers((10, 20), (25, 30)) == (2, 1)
    assert register.numbers((20, 30)) == (1,)
    assert register.known[2] == Known(2, "s", 10, 20)


@given(worlds(), worlds())
def test_numbers_are_taken_over_only_where_nothing_at_all_is_news(before: list[Found], now: list[Found]) -> None:
    register = Register()
    register.view(before)
    live = {(one.service, one.begin, one.end, one.running): one.number for one in register.known.values()}
    assert as_known(live, before) == match(register.known.values(), before, ALL, 99).numbers
    assert (as_known(live, now) is not None) == (sorted(before) == sorted(now))
