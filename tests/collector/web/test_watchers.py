"""Who may watch: strangers share a part, those of one address some of it, and who has signed in finds a place."""

from detak_collector.channel.limits import STRANGER_WATCHERS
from detak_collector.web.watchers import Watchers


def test_of_one_address_only_so_many_watch_and_others_still_may() -> None:
    watchers = Watchers(1_000)
    assert all(watchers.enter("192.0.2.1") for _ in range(STRANGER_WATCHERS))
    assert not watchers.enter("192.0.2.1")
    assert not watchers.enter("::ffff:192.0.2.1"), "the same address"
    assert watchers.enter("192.0.2.2")
    watchers.leave("192.0.2.1")
    assert watchers.enter("192.0.2.1")


def test_a_network_of_ipv6_is_one_address() -> None:
    watchers = Watchers(1_000)
    assert all(watchers.enter(f"2001:db8:0:1::{at:x}") for at in range(STRANGER_WATCHERS))
    assert not watchers.enter("2001:db8:0:1:ffff::1")
    assert watchers.enter("2001:db8:0:2::1")


def test_strangers_of_many_addresses_leave_places_to_those_who_have_signed_in() -> None:
    watchers = Watchers(10)
    entered = sum(watchers.enter(f"192.0.2.{at}") for at in range(20))
    assert entered == 8
    assert watchers.enter(None)
    assert watchers.enter(None)
    assert not watchers.enter(None)
    assert watchers.all == 10


def test_a_place_that_was_left_is_free_again() -> None:
    watchers = Watchers(1)
    for address in ("192.0.2.1", None, "192.0.2.1"):
        assert watchers.enter(address)
        assert not watchers.enter(address)
        watchers.leave(address)
    assert watchers.all == 0
