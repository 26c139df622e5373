import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import problems_of, settings_of
from detak_agent.checks.base import Outcome
from detak_agent.checks.kinds.ping.kind import PingSettings, judge
from detak_agent.checks.kinds.ping.socket import checksum
from detak_agent.checks.registry import REGISTRY


def judged(rtts_ms: list[float], refusal: str = "", **keys: Any) -> Outcome:
    settings = settings_of("ping", host="10.0.0.1", **keys)
    assert isinstance(settings, PingSettings)
    return judge(rtts_ms, refusal, 2_000, settings)


def test_one_reply_is_enough_by_default() -> None:
    outcome = judged([1.0])
    assert (outcome.state, outcome.message) == ("up", "1 of 3 replies, 1.00 ms on average")
    assert outcome.values == {"rtt_ms": 1.0, "loss_percent": pytest.approx(200 / 3)}


def test_no_reply_is_down() -> None:
    assert judged([]).message == "no reply from 10.0.0.1 within 2000 ms (3 packets sent)"
    assert judged([], count=1).message == "no reply from 10.0.0.1 within 2000 ms (1 packet sent)"
    told = judged([], "host unreachable, says 10.0.0.254")
    assert (told.state, told.message) == ("down", "no reply from 10.0.0.1: host unreachable, says 10.0.0.254")


def test_loss_that_reaches_a_limit_counts() -> None:
    limits: dict[str, Any] = {"count": 10, "gap_ms": 100, "loss_degraded_percent": 20, "loss_down_percent": 50}
    assert judged([1.0] * 9, **limits).state == "up"
    degraded = judged([1.0] * 8, **limits)
    assert degraded.state == "degraded"
    assert degraded.message == "20 % of 10 packets to 10.0.0.1 lost (limit 20 %)"
    down = judged([1.0] * 5, "network unreachable", **limits)
    assert down.state == "down"
    assert down.message == "50 % of 10 packets to 10.0.0.1 lost: network unreachable (limit 50 %)"


def test_slow_replies_count_by_their_average() -> None:
    limits: dict[str, Any] = {"rtt_degraded_ms": 50, "rtt_down_ms": 500}
    assert judged([10.0, 80.0, 59.9], **limits).state == "up"
    assert judged([10.0, 80.0, 60.0], **limits).state == "degraded"
    down = judged([500.0, 500.0, 500.0], **limits)
    assert (down.state, down.message) == ("down", "replies of 10.0.0.1 took 500.0 ms (limit 500 ms)")


@given(st.binary(min_size=2, max_size=64).filter(lambda packet: len(packet) % 2 == 0))
def test_a_packet_with_its_checksum_sums_to_nothing(packet: bytes) -> None:
    assert checksum(packet + struct.pack("!H", checksum(packet))) == 0


def test_who_is_remote_is_as_the_settings_say() -> None:
    kind = REGISTRY["ping"]
    assert not kind.remote(settings_of("ping", host="::1"))
    assert kind.remote(settings_of("ping", host="10.0.0.1"))
    assert not kind.remote(settings_of("ping", host="10.0.0.1", remote=False))


def test_wrong_settings_are_all_named() -> None:
    found = problems_of(
        "ping",
        host="[::1]",
        count=10,
        gap_ms=250,
        loss_degraded_percent=60,
        loss_down_percent=50,
        rtt_degraded_ms=4_000,
    )
    assert found == [
        ("host", "must be a host name or an address, without brackets or spaces"),
        ("gap_ms", "sends too slowly: all packets must be out in half of timeout_ms (of each try)"),
        ("loss_degraded_percent", "must not be more than loss_down_percent"),
        ("rtt_degraded_ms", "must be less than timeout_ms (of each try): a later reply counts as lost"),
    ]
    assert problems_of("ping", host="::1", tries=8)[0][0] == "gap_ms"
    assert problems_of("ping", host="::1", rtt_degraded_ms=20, rtt_down_ms=10)[0][0] == "rtt_degraded_ms"
