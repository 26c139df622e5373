"""Faults of the database that the first collector keeps its store in. Agents are told later, and nothing is lost."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

from lab.faults.base import Fault
from lab.host import NotDoneError, until
from lab.stage import Lab, answers
from lab.store_servers import Record, acknowledged
from lab.things import NODES

SIDE = "dc"
NODE = "drc1"
_CUT = "store"
_IN_FLIGHT_S = 3.0
"""An answer that was on its way when a server died has arrived by then."""


def _promised(lab: Lab) -> set[Record]:
    return acknowledged((lab.hosts[node].folder / "agent" for node in NODES), lab.url(SIDE))


def _close_spans(lab: Lab) -> None:
    """An agent that is started again has closed them all, and delivers them at once."""
    lab.agent(NODE).kill(signal.SIGTERM)
    lab.agent(NODE).start()


def _promote(lab: Lab) -> None:
    """Once everybody knows that the primary is gone."""
    time.sleep(lab.pace.long_s)
    lab.store.fail_over(_promised(lab))


def _fail_over(lab: Lab) -> None:
    """At the worst moment: what agents delivered last is on the primary alone, and they must not have been told."""
    primary, standby = lab.store.primary.name, lab.store.standby.name
    with lab.network.lost((primary, standby), (standby, primary)):
        _close_spans(lab)
        time.sleep(lab.pace.long_s)
        lab.store.primary.crash()
    _promote(lab)


def _join_again(lab: Lab) -> None:
    lab.store.join_again()
    answers(lab, SIDE, "/readyz")
    lab.store.nothing_lost()


def _replace_one_that_lives(lab: Lab) -> None:
    """It is cut off, and does not know that another one has taken its place."""
    stack = lab.broken[_CUT] = ExitStack()
    stack.enter_context(lab.network.cable_pulled(lab.store.primary.name))
    _promote(lab)


def _end_the_replaced_one(lab: Lab) -> None:
    """Both take writes for a while, and the collector must know which of them counts."""
    lab.broken.pop(_CUT).close()
    time.sleep(lab.pace.long_s)
    answers(lab, SIDE, "/readyz")
    lab.store.standby.crash()
    _join_again(lab)


def _lose_standby(lab: Lab) -> None:
    """Commits wait for it, and agents with them."""
    lab.store.standby.crash()
    time.sleep(_IN_FLIGHT_S)
    before = _promised(lab)
    _close_spans(lab)
    time.sleep(lab.pace.long_s)
    more = _promised(lab) - before
    if more:
        _boot_standby(lab)
        raise NotDoneError(f"{len(more)} records were acknowledged that are on one server only")


def _boot_standby(lab: Lab) -> None:
    lab.store.standby.boot()
    until("commits wait for the standby", lab.store.is_synchronous)
    answers(lab, SIDE, "/readyz")


OBSERVED = ("collectors", NODE)

FAULTS = (
    Fault("collector database fails over", (), _fail_over, _join_again, OBSERVED, None),
    Fault("collector database replaced while it lives", (), _replace_one_that_lives, _end_the_replaced_one,
          OBSERVED, None),
    Fault("collector database without standby", (), _lose_standby, _boot_standby, OBSERVED, None),
)  # fmt: skip
