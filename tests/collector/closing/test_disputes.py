"""Disputes: open until somebody else answers, or whose they are takes them back."""

from seal_log import SealLog


def states(log: SealLog) -> list[str]:
    return [one.state.value for one in log.disputes().all]


def test_a_dispute_is_open_until_another_person_answers_it() -> None:
    log = SealLog()
    log.dispute("Dedi")
    log.answer("dedi", 1, "dismiss")
    log.answer("Budi", 1, "take-back")
    assert states(log) == ["open"]
    log.answer("Budi", 1, "dismiss")
    assert states(log) == ["dismissed"]
    log.answer("Cici", 1, "uphold")
    assert states(log) == ["dismissed"]


def test_whoever_disputes_takes_it_back_himself() -> None:
    log = SealLog()
    log.dispute("Dedi")
    log.answer("Dedi", 1, "take-back")
    assert states(log) == ["taken back"]
    assert log.disputes().open() == []


def test_an_outage_may_be_disputed_again_once_it_was_answered() -> None:
    log = SealLog()
    log.dispute("Dedi")
    log.answer("Budi", 1, "uphold")
    log.dispute("Eka")
    assert states(log) == ["upheld", "open"]
    found = log.disputes().open_of(7)
    assert found is not None
    assert (found.number, found.author) == (2, "Eka")
