"""What each role may do, and who may give it to whom: nobody to himself, and an approver only by another admin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.accounts.grants import (
    Source,
    Wish,
    body_of,
    directory_changes,
    granting_fault,
    in_force,
    roles_of,
    withdrawing_fault,
)
from detak_collector.accounts.roles import RIGHTS, Right, Role, rights_of
from detak_collector.pair.entry import GRANT, Entry, canonical, contradictions

NAMES = ("siti", "budi", "agus")
SAID = st.tuples(st.sampled_from(NAMES), st.sampled_from(Role), st.booleans())


def entry(
    number: int, wish: Wish, *, withdrawn: bool = False, collector: str = "dc", knows: int | None = None
) -> Entry:
    seen = {collector: number if knows is None else knows}
    return Entry(
        f"{number:032x}", GRANT, number, wish.by, collector, seen, canonical(body_of(wish, withdrawn=withdrawn))
    )


def log(*wishes: Wish) -> list[Entry]:
    return [entry(number, wish) for number, wish in enumerate(wishes)]


def by_machine(user: str, role: Role, by: str = "root") -> Wish:
    return Wish(user, role, by, Source.MACHINE)


def by_admin(user: str, role: Role, by: str) -> Wish:
    return Wish(user, role, by, Source.ADMIN)


FIRST = by_machine("siti", Role.ADMIN)


def test_each_role_may_do_what_the_table_says_and_no_other() -> None:
    assert {role: {right.value for right in rights} for role, rights in RIGHTS.items()} == {
        Role.VIEWER: {"see"},
        Role.OPERATOR: {"see", "propose", "annotate"},
        Role.APPROVER: {"see", "propose", "annotate", "approve"},
        Role.AUDITOR: {"see", "audit"},
        Role.ADMIN: {"see", "administer"},
    }


def test_without_a_role_nothing_may_be_done_and_several_add_up() -> None:
    assert rights_of([]) == frozenset()
    assert rights_of([Role.AUDITOR, Role.OPERATOR]) == {Right.SEE, Right.AUDIT, Right.PROPOSE, Right.ANNOTATE}


def test_the_very_first_admin_may_be_made_on_the_machine_even_by_himself() -> None:
    assert granting_fault(FIRST, ()) is None
    assert granting_fault(by_machine("siti", Role.ADMIN, by="siti"), ()) is None
    assert granting_fault(by_machine("siti", Role.OPERATOR, by="siti"), ()) is not None


@pytest.mark.parametrize("spelling", ["siti", "SITI", " siti ", "\uff33\uff29\uff34\uff29"])
@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_nobody_gives_himself_a_role_however_he_spells_his_name(spelling: str, role: Role) -> None:
    grants = in_force(log(FIRST))
    for source in (Source.MACHINE, Source.ADMIN):
        assert granting_fault(Wish("siti", role, spelling, source), grants) is not None


def test_an_approver_is_made_by_an_admin_who_is_somebody_else() -> None:
    grants = in_force(log(FIRST, by_machine("budi", Role.ADMIN), by_machine("agus", Role.OPERATOR)))
    assert granting_fault(by_admin("siti", Role.APPROVER, "budi"), grants) is None
    assert "nobody gives himself" in (granting_fault(by_admin("siti", Role.APPROVER, "siti"), grants) or "")
    assert "agus is no admin" in (granting_fault(by_admin("siti", Role.APPROVER, "agus"), grants) or "")
    assert "--as" in (granting_fault(by_machine("siti", Role.APPROVER), grants) or "")
    assert "--as" in (granting_fault(by_machine("siti", Role.APPROVER), ()) or "")


def test_what_was_withdrawn_is_in_force_no_more_and_may_be_given_again() -> None:
    entries = [*log(FIRST, by_machine("budi", Role.VIEWER)), entry(2, by_machine("budi", Role.VIEWER), withdrawn=True)]
    assert roles_of("budi", in_force(entries)) == frozenset()
    assert granting_fault(by_machine("budi", Role.VIEWER), in_force(entries)) is None
    assert withdrawing_fault(by_machine("budi", Role.VIEWER), in_force(entries)) == "budi is not viewer"
    again = in_force([*entries, entry(3, by_machine("budi", Role.VIEWER))])
    assert [(one.user, one.by, one.since_utc) for one in again] == [("budi", "root", 3), ("siti", "root", 0)]


def test_an_admin_whose_role_was_withdrawn_gives_and_takes_nothing() -> None:
    entries = [
        *log(FIRST, by_machine("budi", Role.ADMIN)),
        entry(2, by_admin("budi", Role.ADMIN, "siti"), withdrawn=True),
    ]
    grants = in_force(entries)
    assert granting_fault(by_admin("agus", Role.VIEWER, "budi"), grants) == "budi is no admin, and gives nobody a role"
    assert withdrawing_fault(by_admin("siti", Role.ADMIN, "budi"), grants) == "budi is no admin, and takes no role away"


def test_what_a_group_gives_is_taken_away_in_the_directory_only() -> None:
    grants = in_force(log(Wish("budi", Role.VIEWER, "directory", Source.DIRECTORY)))
    assert "take it away there" in (withdrawing_fault(by_machine("budi", Role.VIEWER), grants) or "")
    assert granting_fault(by_machine("budi", Role.VIEWER), grants) is None


@given(st.frozensets(st.sampled_from(Role)), st.frozensets(st.sampled_from(Role)), st.booleans())
def test_after_the_directory_s_changes_are_entered_it_has_no_more(
    before: frozenset[Role], after: frozenset[Role], also_by_hand: bool
) -> None:
    entries = [entry(at, Wish("budi", role, "directory", Source.DIRECTORY)) for at, role in enumerate(sorted(before))]
    if also_by_hand:
        entries.append(entry(50, by_machine("budi", Role.AUDITOR)))
    changes = directory_changes("budi", after, in_force(entries))
    for at, (role, withdrawn) in enumerate(changes.items(), 100):
        entries.append(entry(at, Wish("budi", role, "directory", Source.DIRECTORY), withdrawn=withdrawn))
    assert not directory_changes("budi", after, in_force(entries))
    by_hand = {Role.AUDITOR} if also_by_hand else set()
    assert roles_of("budi", in_force(entries)) == after | by_hand


@given(st.permutations(range(6)), st.lists(SAID, min_size=6, max_size=6))
def test_two_collectors_with_the_same_entries_say_the_same(
    order: list[int], said: list[tuple[str, Role, bool]]
) -> None:
    entries = [entry(at, by_machine(user, role), withdrawn=gone) for at, (user, role, gone) in enumerate(said)]
    assert in_force([entries[at] for at in order]) == in_force(entries)


def test_a_role_that_only_a_later_version_knows_gives_nothing() -> None:
    later = entry(0, FIRST)
    unknown = Entry(later.id, GRANT, 0, "root", "dc", {}, later.body.replace('"admin"', '"emperor"', 1))
    assert in_force([unknown]) == ()


def test_two_collectors_that_decide_differently_about_one_role_are_shown() -> None:
    here = entry(1, by_machine("budi", Role.VIEWER), collector="dc", knows=0)
    there = entry(2, by_machine("budi", Role.VIEWER), withdrawn=True, collector="drc", knows=0)
    assert [one.subject for one in contradictions([here, there])] == ["the role viewer of budi"]
    told = [entry(at, Wish("budi", Role.VIEWER, "directory", Source.DIRECTORY), collector=where, knows=0)
            for at, where in enumerate(("dc", "drc"))]  # fmt: skip
    assert not list(contradictions(told))
