"""What a page asks of a process of its own (`errand_worker`): to propose a disposal, or to carry one out.

What is interrupted goes on when it is asked for again.
"""

from __future__ import annotations

from dataclasses import dataclass

from detak_collector.clocks import Reading
from detak_collector.closing.account import AccountError
from detak_collector.decisions.log import DecisionLog
from detak_collector.decisions.recording import Author, RefusedError
from detak_collector.errors import CannotServeError
from detak_collector.figures import Figures
from detak_collector.retention.bodies import DisposedBody
from detak_collector.retention.desk import RetentionDesk
from detak_collector.retention.disposals import Disposal
from detak_collector.retention.terms import RetentionTerms
from detak_collector.rules import Rules
from detak_collector.store.base import StoreError
from detak_collector.store.parts import Store
from detak_collector.store.place import StorePlace


@dataclass(frozen=True, slots=True)
class Errand:
    """With a `label` that disposal is carried out, else one of what is from before `until` is proposed."""

    place: StorePlace
    rules: Rules
    terms: RetentionTerms
    now: Reading
    author: Author
    label: str = ""
    until: int = 0
    document: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The number of the disposal, and how many records went; or why nothing was done, a Saying where it is one."""

    label: str = ""
    records: int = 0
    refused: str = ""


def done(errand: Errand) -> Outcome:
    """Does it, in this process."""
    try:
        store = errand.place.open(errand.now)
    except StoreError as error:
        return Outcome(refused=str(error))
    try:
        return _done(errand, store)
    except (RefusedError, CannotServeError, StoreError, AccountError) as error:
        return Outcome(refused=error.args[0] if error.args else str(error))
    finally:
        store.close()


def _done(errand: Errand, store: Store) -> Outcome:
    # The rules of a serving collector are those of now alone; what a seal rests on is asked as of its moment.
    rules = DecisionLog(store).over(errand.rules, errand.now.utc)
    desk = RetentionDesk(store, rules, errand.terms, errand.now.utc)
    figures = Figures(store.evidence, store.derived, store.registry, lambda: rules, lambda: errand.now)
    if not errand.label:
        made = desk.propose(errand.until, errand.document, errand.reason, errand.author, figures)
        return Outcome(made.label)
    carried = desk.carry_out(errand.label, errand.author, figures, errand.now, _unheard, lambda *_: None)
    store.ledger.brought_on(errand.now.utc)
    return Outcome(carried.disposal.label, carried.gone)


def _unheard(_disposal: Disposal, _told: DisposedBody) -> None:
    """The process that asked tells the audit trail."""
