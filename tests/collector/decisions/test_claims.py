"""What a third party is told to have said: read tolerantly, in order, and without effect on what is in force."""

from __future__ import annotations

from decision_log import RECORD, Log
from detak_collector.decisions.claims import ClaimBody, body_of, claims_of
from detak_collector.decisions.proposal import Provider, read_entry
from detak_collector.pair.entry import CLAIM, PROPOSAL

THIRD = {**RECORD, "category": "third_party"}


def claimed(log: Log, name: str, stance: str) -> None:
    first = next(one for one in log.register().matters.values() if one.name == name)
    body = ClaimBody(first.proposal.entry.id, name, stance, "his letter", "ani")  # type: ignore[arg-type]
    log.make(CLAIM, body_of(body), "ani")


def test_the_last_word_stands_last_and_another_collectors_words_are_merged() -> None:
    log = Log()
    log.add("Ani", THIRD)
    claimed(log, "x1", "disputed")
    claimed(log, "x1", "accepted")
    (told,) = claims_of(reversed(log.entries)).values()
    assert [one.body.stance for one in told] == ["disputed", "accepted"]


def test_it_changes_nothing_of_what_is_in_force() -> None:
    log = Log()
    log.add("Ani", THIRD)
    log.approve("x1", "Budi")
    before = log.states()
    claimed(log, "x1", "disputed")
    assert log.states() == before


def test_what_a_later_version_says_is_left_out() -> None:
    log = Log()
    log.add("Ani", THIRD)
    claimed(log, "x1", "disputed")
    log.make(CLAIM, {"on": "f" * 32, "root": "x1", "stance": "on holiday"}, "ani")
    assert len(claims_of(log.entries)) == 1


def test_a_proposal_of_an_earlier_version_names_no_third_party_and_is_no_drill() -> None:
    log = Log()
    log.add("Ani", THIRD)
    (entry,) = (one for one in log.entries if one.kind == PROPOSAL)
    assert not {"drill", "provider"} & set(entry.told)
    read = read_entry(entry)
    assert read is not None
    assert (read.body.drill, read.body.provider) == (False, Provider())  # type: ignore[union-attr]
