"""A node that no collector hears, while another node sees that it can be reached: it must not be presumed down."""

from __future__ import annotations

from contextlib import ExitStack

from lab.faults.base import Fault
from lab.faults.network import COLLECTORS
from lab.host import NotDoneError
from lab.stage import SIDES, Lab
from lab.things import WITNESS
from lab.watching import conditions

NODE = "drc2"
_SERVICE = f"simpul-{NODE}"
_RIGHT = "not observed"
"""As the interface words it."""


def _cut_off(lab: Lab) -> None:
    stack = lab.broken[_SERVICE] = ExitStack()
    stack.enter_context(lab.network.lost(*lab.network.between(these=[NODE], those=COLLECTORS)))


def _look_and_mend(lab: Lab) -> None:
    with lab.broken.pop(_SERVICE):
        shown = {side: conditions(lab.url(side))[_SERVICE] for side in SIDES}
    wrong = [f"{side} shows {_SERVICE} as {condition}" for side, condition in shown.items() if condition != _RIGHT]
    if wrong:
        raise NotDoneError(f"{NODE} is unheard, and {WITNESS} reaches it: {', '.join(wrong)}")


FAULTS = (
    Fault("silent node reached by a witness", (), _cut_off, _look_and_mend, (NODE, WITNESS, "collectors"), None,
          longer_s=10.0),
)  # fmt: skip
