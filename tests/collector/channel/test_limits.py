"""How much one node or address may ask: a burst, then so many a second, and nobody's share is another's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.channel.limits import MOST_KEPT, Allowances, OfAddresses, Rate, place_of


def test_a_burst_is_taken_at_once_and_then_a_steady_rate() -> None:
    allowances = Allowances(Rate(10, 5))
    assert [allowances.take("a", 100.0) for _ in range(6)] == [True] * 5 + [False]
    assert not allowances.take("a", 100.05)
    assert allowances.take("a", 100.2)
    assert allowances.take("b", 100.2)


def test_who_was_held_back_is_told_when_to_come_again() -> None:
    allowances = Allowances(Rate(0.1, 1))
    assert allowances.take("a", 0.0)
    assert allowances.wait_s("a", 0.0) == 10
    assert not allowances.take("a", 9.0)
    assert allowances.take("a", 10.1)


@given(st.lists(st.floats(0, 10, allow_nan=False), max_size=200).map(sorted))
def test_never_more_than_the_burst_and_the_rate_allow(moments: list[float]) -> None:
    allowances = Allowances(Rate(3, 4))
    taken = sum(allowances.take("a", at) for at in moments)
    assert taken <= 4 + 3 * (moments[-1] - moments[0] if moments else 0) + 1e-6


def test_a_clock_that_runs_backwards_gives_nothing() -> None:
    allowances = Allowances(Rate(10, 1))
    assert allowances.take("a", 100.0)
    assert not allowances.take("a", 50.0)


def test_of_many_only_so_many_are_remembered() -> None:
    allowances = Allowances(Rate(1, 1))
    for one in range(MOST_KEPT + 5):
        allowances.take(f"node-{one}", 0.0)
    assert allowances.take("node-0", 0.0), "the one unused for longest was forgotten"
    assert not allowances.take(f"node-{MOST_KEPT + 4}", 0.0)


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(address: str, place: str) -> None:
    assert place_of(address) == place


def test_who_has_a_network_of_ipv6_is_held_back_as_one() -> None:
    allowances = OfAddresses(Rate(0.1, 3))
    assert [allowances.take(f"2001:db8::{at}", 0.0) for at in range(4)] == [True] * 3 + [False]
    assert allowances.wait_s("2001:db8::99", 0.0) == 10
    assert allowances.take("2001:db8:0:1::1", 0.0)
