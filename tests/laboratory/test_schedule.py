"""Which faults may be played at the same time, and which there are."""

from __future__ import annotations

import random
from contextlib import ExitStack
from pathlib import Path
from typing import cast

from lab.faults.base import Fault
from lab.faults.registry import FAULTS, KINDS, chosen
from lab.network import Network
from lab.schedule import Turn, combined, plan, startable
from lab.stage import Lab
from lab.store_servers import StoreServers
from lab.things import HOSTS, Pace


def turn(*keys: str) -> Turn:
    return Turn(Fault("-".join(keys), keys, lambda _: None, lambda _: None), frozenset(keys), 1.0)


A, B, AB, C = turn("a"), turn("b"), turn("a", "b"), turn("c")


def test_faults_that_share_nothing_begin_together() -> None:
    assert list(startable([A, B, AB, C], frozenset(), {}, 0.0)) == [A, B, C]


def test_what_the_first_in_line_waits_for_is_kept_for_it() -> None:
    assert list(startable([AB, A, C], frozenset({"b"}), {}, 0.0)) == [C]
    assert list(startable([C, AB, A], frozenset({"b"}), {}, 0.0)) == [C, A]


def test_a_service_rests_before_it_is_broken_again() -> None:
    assert list(startable([A, B], frozenset(), {"a": 5.0}, 4.9)) == [B]
    assert list(startable([A, B], frozenset(), {"a": 5.0}, 5.0)) == [A, B]


def test_no_fault_is_played_twice_at_once_even_if_it_breaks_nothing() -> None:
    lab = Lab(Path(), Pace(), Network("", HOSTS), {}, cast("StoreServers", None), ExitStack())
    turns = plan(lab, chosen(("collectors apart", "process killed")), 9, random.Random(1))
    together = [turn.fault.name for turn in startable(turns, frozenset(), {}, 0.0)]
    assert "collectors apart" in together
    assert len(together) == len({*together}) < len(turns)


def test_a_fault_that_needs_the_primary_is_not_mixed_with_one_that_stops_it() -> None:
    lab = Lab(Path(), Pace(), Network("", HOSTS), {}, cast("StoreServers", None), ExitStack())
    lags, stopped, hurt = (
        combined(lab, chosen((kind,)), 1, random.Random(1))[0].keys
        for kind in ("replica lags", "database stopped", "process killed")
    )

    assert lags & stopped
    assert not hurt & (lags | stopped)


def test_there_are_at_least_thirty_kinds_and_no_two_faults_share_a_name() -> None:
    assert len(KINDS) >= 30
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


def test_every_kind_can_be_named_in_a_list() -> None:
    assert not [kind for kind in KINDS if "," in kind or kind != kind.strip()]
