import pytest

from detak_collector.pair.alarms import SILENT_MS, Standing, pair_alarms
from detak_collector.pair.role import Role


def keys(standing: Standing | None) -> list[str]:
    return [one.key for one in pair_alarms(standing)]


def test_a_single_collector_has_no_such_alarm() -> None:
    assert keys(None) == []


def test_two_that_hear_each_other_and_of_which_one_leads_are_well() -> None:
    assert keys(Standing(Role.LEADS, is_paired=True, silent_ms=SILENT_MS, other_leads=False)) == []
    assert keys(Standing(Role.FOLLOWS, is_paired=True, silent_ms=SILENT_MS, other_leads=True)) == []


@pytest.mark.parametrize(
    ("standing", "key"),
    [
        (Standing(Role.FOLLOWS, is_paired=False, silent_ms=0), "peer-missing"),
        (Standing(Role.LEADS, is_paired=True, silent_ms=SILENT_MS + 1), "peer-silent"),
        (Standing(Role.LEADS, is_paired=True, silent_ms=0, other_leads=True), "two-leaders"),
        (Standing(Role.SUPERSEDED, is_paired=True, silent_ms=0, other_leads=True), "peer-promoted"),
        (Standing(Role.LEADS, is_paired=True, silent_ms=0, same_services=False), "peer-services"),
    ],
)
def test_each_trouble_between_two_has_its_alarm(standing: Standing, key: str) -> None:
    assert keys(standing) == [key]


def test_who_follows_is_told_what_lets_it_lead_when_the_other_one_is_silent() -> None:
    (alarm,) = pair_alarms(Standing(Role.FOLLOWS, is_paired=True, silent_ms=7_200_000))
    assert "for 2 h" in alarm.text
    assert "detak-collector promote" in alarm.text
