"""Faults of the network, and those that only cut somebody off while everything goes on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack

from lab.faults.base import Fault
from lab.making import SECOND_PORT
from lab.stage import Lab

CENTRE = ("dc1", "dc2", "drc1", "drc2", "dc0", "drc0")
COLLECTORS = ("dc0", "drc0")

Cut = Callable[[Lab], AbstractContextManager[None]]


def _cutting(key: str, *cuts: Cut) -> tuple[Callable[[Lab], None], Callable[[Lab], None]]:
    """How to make these cuts, and how to mend them."""

    def inject(lab: Lab) -> None:
        stack = lab.broken[key] = ExitStack()
        for cut in cuts:
            stack.enter_context(cut(lab))

    def heal(lab: Lab) -> None:
        lab.broken.pop(key).close()

    return inject, heal


def _apart(these: Sequence[str], those: Sequence[str]) -> Cut:
    return lambda lab: lab.network.lost(*lab.network.between(these=these, those=those))


def _lost(since: str, to: str, *, port: int = 0, of_source: bool = False) -> Cut:
    return lambda lab: lab.network.lost((since, to), port=port, of_source=of_source)


def _pulled(node: str) -> Cut:
    return lambda lab: lab.network.cable_pulled(node)


def _cut(
    kind: str, breaks: tuple[str, ...], *cuts: Cut, disturbs: tuple[str, ...] = (), of: str | None = None
) -> Fault:
    inject, heal = _cutting(f"{kind}:{of}", *cuts)
    return Fault(kind, breaks, inject, heal, disturbs, "cut" if breaks else None, at_once=True, of=of)


BRANCHES = (("edge1", "loket-cabang"), ("office1", "loket-kantor"))

FAULTS = (
    *(_cut("firewall drops both ways", (service,), _apart([node], ["dc1"]), of=service) for node, service in BRANCHES),
    *(_cut("firewall drops requests", (service,), _lost(node, "dc1", port=SECOND_PORT), of=service)
      for node, service in BRANCHES),
    *(_cut("firewall drops answers", (service,), _lost("dc1", node, port=SECOND_PORT, of_source=True), of=service)
      for node, service in BRANCHES),
    *(_cut("provider cut", (service,), _apart([node], CENTRE), disturbs=(node,), of=service)
      for node, service in BRANCHES),
    *(_cut("branch without network", (), _pulled(node), disturbs=(node,), of=node) for node, _ in BRANCHES),
    _cut("node cut off", (), _apart(["dc2"], COLLECTORS), disturbs=("dc2",)),
    _cut("node heard by one collector", (), _apart(["drc2"], ["dc0"]), disturbs=("drc2",)),
    _cut("answers to a node lost", (), _lost("dc0", "drc1"), _lost("drc0", "drc1"), disturbs=("drc1",)),
    _cut("collectors apart", (), _apart(["dc0"], ["drc0"])),
)  # fmt: skip
