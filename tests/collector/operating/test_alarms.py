import logging
from pathlib import Path

from detak_collector.operating.alarms import Alarm, changes, disk_alarms, standby_alarm, store_alarm, syslog_alarm
from detak_collector.operating.disk import Disk

MIB = 1 << 20
FULL = Alarm("disk-full", is_urgent=True, text="full")
SCARCE = Alarm("disk-scarce", is_urgent=False, text="fills up")


def test_a_full_disk_is_urgent_and_says_what_to_do() -> None:
    [alarm] = disk_alarms(Disk(Path("/var"), 1 << 40, 3 * MIB, 0))
    assert (alarm.key, alarm.is_urgent) == ("disk-full", True)
    assert "3.0 MiB are free" in alarm.text
    assert "Make room of at least 64.0 MiB" in alarm.text


def test_a_disk_that_fills_up_says_when() -> None:
    [alarm] = disk_alarms(Disk(Path("/var"), 1 << 40, 5_000 * MIB, 0, 12.4))
    assert (alarm.key, alarm.is_urgent) == ("disk-scarce", False)
    assert "enough for about 12 days" in alarm.text


def test_where_all_is_well_nothing_is_said() -> None:
    assert list(disk_alarms(Disk(Path("/var"), 1 << 40, 1 << 39, 0, 400.0))) == []
    assert [*store_alarm(""), *standby_alarm(is_missing=False), *syslog_alarm("", 0)] == []


def test_a_database_that_lost_its_standby_says_what_that_means() -> None:
    [alarm] = standby_alarm(is_missing=True)
    assert (alarm.key, alarm.is_urgent) == ("standby", False)
    assert "on one server only" in alarm.text


def test_each_alarm_is_told_when_it_begins_and_when_it_is_over() -> None:
    assert [(one.name, one.level) for one in changes([], [FULL], 7)] == [("alarm-begun", logging.ERROR)]
    assert list(changes([FULL], [FULL], 7)) == []
    told = [(one.name, one.fields["alarm"], one.utc) for one in changes([FULL], [SCARCE], 7)]
    assert told == [("alarm-begun", "disk-scarce", 7), ("alarm-over", "disk-full", 7)]


def test_an_alarm_whose_words_change_is_not_told_again() -> None:
    assert list(changes([SCARCE], [Alarm("disk-scarce", is_urgent=False, text="fills up more")], 7)) == []
