"""Who refuses the certificate, when that makes a collector deaf, and what is said of it and of a near end."""

import ssl

import pytest

from detak_collector.channel.certificate_alarms import end_alarms, refused_alarm, told_addresses
from detak_collector.channel.certificate_files import Period
from detak_collector.channel.certificate_refusals import LASTS_MS, CertificateRefusals, is_unheard, refusal_of

DAY_MS = 86_400_000
NOW = 1_795_824_000_000


def error(reason: str) -> ssl.SSLError:
    made = ssl.SSLError(1, reason)
    made.reason = reason
    return made


@pytest.mark.parametrize(
    ("reason", "said"),
    [
        ("TLSV1_ALERT_UNKNOWN_CA", "its authority is not trusted"),
        ("SSLV3_ALERT_CERTIFICATE_EXPIRED", "it has ended"),
        ("SSLV3_ALERT_BAD_CERTIFICATE", "not for the name"),
    ],
)
def test_an_alert_about_the_certificate_is_a_refusal(reason: str, said: str) -> None:
    assert said in (refusal_of(error(reason)) or "")


@pytest.mark.parametrize("reason", ["HTTP_REQUEST", "TLSV1_ALERT_PROTOCOL_VERSION", "UNEXPECTED_EOF_WHILE_READING"])
def test_any_other_failure_is_none(reason: str) -> None:
    assert refusal_of(error(reason)) is None
    assert refusal_of(ConnectionResetError()) is None


def test_only_addresses_that_beats_came_from_count() -> None:
    refusals = CertificateRefusals(["10.0.0.1"])
    refusals.refused("10.0.0.1", "no", NOW)
    refusals.refused("203.0.113.9", "no", NOW)
    assert [one.address for one in refusals.standing(NOW)] == ["10.0.0.1"]
    refusals.heard("10.0.0.2")
    refusals.refused("10.0.0.2", "no", NOW + 1)
    assert [one.address for one in refusals.standing(NOW + 1)] == ["10.0.0.1", "10.0.0.2"]


def test_a_beat_ends_a_refusal_and_so_does_time() -> None:
    refusals = CertificateRefusals(["a", "b"])
    for address in ("a", "b"):
        refusals.refused(address, "no", NOW)
    refusals.heard("a")
    assert [one.address for one in refusals.standing(NOW + LASTS_MS)] == ["b"]
    assert refusals.standing(NOW + LASTS_MS + 1) == []


def test_a_flood_of_addresses_takes_no_more_than_its_share_of_memory() -> None:
    refusals = CertificateRefusals()
    for one in range(25_000):
        refusals.refused(f"10.{one}", "no", NOW)
        refusals.heard(f"10.{one}")
        refusals.refused(f"10.{one}", "no", NOW)
    assert len(refusals.known) == 10_000
    assert len(refusals.standing(NOW)) <= 10_000


def test_a_collector_is_deaf_when_it_is_refused_and_most_of_its_nodes_are_silent() -> None:
    refusals = CertificateRefusals(["a"])
    assert not is_unheard(refusals.standing(NOW), 0, 400)
    refusals.refused("a", "no", NOW)
    assert is_unheard(refusals.standing(NOW), 0, 400)
    assert is_unheard(refusals.standing(NOW), 199, 400)
    assert not is_unheard(refusals.standing(NOW), 200, 400)


def test_the_alarm_tells_how_many_and_why_and_no_address() -> None:
    refusals = CertificateRefusals(["a1", "a2", "a3", "a4"])
    for address in refusals.known:
        refusals.refused(address, "its authority is not trusted there", NOW)
    standing = refusals.standing(NOW)
    (alarm,) = refused_alarm(standing, unheard=True)
    assert alarm.is_urgent
    assert "4 addresses refuse it (its authority is not trusted there)" in alarm.text
    assert "are not presumed down" in alarm.text
    assert "a1" not in alarm.text
    assert told_addresses(standing) == "a1, a2, a3 and 1 more"
    assert not list(refused_alarm([], unheard=False))


@pytest.mark.parametrize(
    ("left_ms", "key"),
    [
        (60 * DAY_MS, None),
        (60 * DAY_MS - 1, "collector-certificate-ends-60"),
        (30 * DAY_MS - 1, "collector-certificate-ends-30"),
        (7 * DAY_MS, "collector-certificate-ends-30"),
        (7 * DAY_MS - 1, "collector-certificate-ends-7"),
        (-DAY_MS, "collector-certificate-ends-7"),
    ],
)
def test_an_end_is_warned_of_60_30_and_7_days_before(left_ms: int, key: str | None) -> None:
    alarms = list(end_alarms({"collector": Period(0, NOW + left_ms)}, NOW))
    assert [one.key for one in alarms] == ([] if key is None else [key])
    assert all(one.is_urgent == one.key.endswith("-7") for one in alarms)
    assert all(("has ended" in one.text) == (left_ms < 0) for one in alarms)
