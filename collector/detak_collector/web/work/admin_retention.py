"""What administrators do about retention: see what may go, propose that it goes, decide as another, carry it out.

The same as `detak-collector retention`, by the same rules. What derives figures or reads blocks is done in a process of
its own, one at a time.
"""

from __future__ import annotations

import asyncio
import pickle
import sys
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from detak_collector.closing.bodies import APPROVE, REJECT, TAKE_BACK, Verdict
from detak_collector.closing.recording import Ruling
from detak_collector.closing.seals import Seal
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.recording import Author
from detak_collector.decisions.recording import RefusedError as NotEnteredError
from detak_collector.deriving.life import started_behind
from detak_collector.downtime.intervals import Interval
from detak_collector.downtime.periods import midnight
from detak_collector.retention.desk import RetentionDesk
from detak_collector.retention.disposals import Disposal, Disposals, DisposalState
from detak_collector.retention.errand import Errand, Outcome
from detak_collector.retention.reach import covering, month_name
from detak_collector.retention.recording import decide, disposals_of
from detak_collector.rules import Rules
from detak_collector.store.disposed import whole_from
from detak_collector.store.disposing import to_go
from detak_collector.translation.language import mark
from detak_collector.translation.saying import Saying, saying
from detak_collector.web.session import Person
from detak_collector.web.work.admin_desk import Desk, RefusedError

COMMAND = (sys.executable, "-P", "-m", "detak_collector.retention.errand_worker")
LONGEST = 1_000
REQUIRED = mark("Required: why, for those who check it later.")
DOCUMENT = mark("Required: the document it rests on, such as ND-12/2026.")
WORDS = mark("At most 1,000 characters.")
NO_MONTH = mark("Choose a month of those that may go.")
UNCONFIRMED = mark("To carry it out, type the month: {text}.")
NO_SUCH = mark("There is no disposal of that number here.")
OWN = mark("{text} proposed it, so somebody else decides.")
NOT_YOURS = mark("{text} proposed it, so only that person takes it back.")
NOT_PENDING = mark("It waits for nobody's decision any more.")
NOT_APPROVED = mark("It is not approved, or was carried out here already.")
BUSY = mark("Another disposal is being worked on. Come again when it is done.")
LOST = saying("the process that does it has ended; what it had begun goes on when it is asked for again")
VERBS: dict[Verdict, tuple[str, str]] = {
    APPROVE: ("approves", "approved"), REJECT: ("rejects", "rejected"), TAKE_BACK: ("takes back", "taken-back"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """A whole month that may go, and the seal that keeps its figure."""

    name: str
    cell: Interval
    seal: Seal | None


@dataclass(frozen=True, slots=True)
class Standing:
    """How evidence is kept here. `waiting`: so many blocks still hold what was disposed of; `whole`: since when all is.

    `at_work` is the number of the disposal that is being carried out, `last` what became of the one before, where that
    was not done.
    """

    years: int | None
    whole: str
    months: tuple[Month, ...]
    why: str
    waiting: int
    disposals: Disposals
    collector: str
    at_work: str
    last: str
    rules: Rules


@dataclass(slots=True)
class RetentionOffice:
    """One collector's. Whatever is refused raises RefusedError, and nothing of it is done then."""

    desk: Desk
    command: tuple[str, ...] = COMMAND
    wait_s: float = 120.0
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)
    _at_work: str = field(default="", init=False)
    _last: str = field(default="", init=False)
    _running: asyncio.Task[None] | None = field(default=None, init=False)

    async def standing(self) -> Standing:
        """What there is to see."""
        rules = await self.desk.read(self.desk.rules)
        return await self.desk.read(partial(self._standing, rules))

    async def propose(self, person: Person, month: str, document: str, reason: str) -> str:
        """Proposes that what is from before a month goes; the number of the disposal."""
        for where, words, lacking in (("document", document, DOCUMENT), ("reason", reason, REQUIRED)):
            if not words.strip():
                raise RefusedError(lacking, where)
            if len(words) > LONGEST:
                raise RefusedError(WORDS, where)
        standing = await self.standing()
        if month not in {_after(one, standing.rules) for one in standing.months}:
            raise RefusedError(NO_MONTH, "until")
        until = midnight(date.fromisoformat(f"{month}-01"), standing.rules.zone)
        await self.desk.enter(lambda: None)
        errand = await self._errand(person, until=until, document=document.strip(), reason=reason.strip())
        if self._turn.locked():
            raise RefusedError(BUSY, "", 409)
        async with self._turn:
            outcome = await self._asked(errand, self.wait_s)
        if outcome.refused:
            raise _not_done(outcome.refused)
        text = f"{person.account.name} proposes to dispose of the evidence from before {month}, no. {outcome.label}"
        self._tell("disposal-proposed", f"{text}, {document}: {reason}", outcome.label, person)
        return outcome.label

    async def decide(self, person: Person, label: str, verdict: Verdict, reason: str) -> Disposal:
        """Approves or rejects a pending one as another person, or takes one's own back."""
        if len(reason) > LONGEST:
            raise RefusedError(WORDS, "reason")
        if verdict != APPROVE and not reason.strip():
            raise RefusedError(REQUIRED, "reason")
        made = await self.desk.enter(partial(self._decided, person, Ruling(label, verdict, reason.strip())))
        verb, event = VERBS[verdict]
        text = f"{person.account.name} {verb} disposal {made.label} of {made.entry.author}: {reason or '-'}"
        self._tell(f"disposal-{event}", text, made.label, person)
        return made

    async def carry_out(self, person: Person, label: str, typed: str) -> None:
        """Begins to carry out an approved one here, once its month was typed; it goes on by itself."""
        standing = await self.standing()
        made = _found(standing.disposals, label)
        month = month_name(made.body.until, standing.rules.zone)
        is_done = standing.collector in made.carried_out and not standing.waiting
        if made.state is not DisposalState.APPROVED or is_done:
            raise RefusedError(NOT_APPROVED, "", 409)
        if typed.strip() != month:
            raise RefusedError(UNCONFIRMED, "typed", text=month)
        if self._turn.locked():
            raise RefusedError(BUSY, "", 409)
        errand = await self._errand(person, label=made.label)
        self._tell("evidence-disposed", f"{person.account.name} carries out disposal {made.label}", made.label, person)
        self._at_work, self._last = made.label, ""
        self._running = asyncio.create_task(self._carried(errand))

    async def close(self) -> None:
        """Ends what goes on, which may be begun again."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    async def _carried(self, errand: Errand) -> None:
        try:
            async with self._turn:
                self._last = (await self._asked(errand, None)).refused
        finally:
            self._at_work = ""
            self.desk.beat()

    async def _asked(self, errand: Errand, wait_s: float | None) -> Outcome:
        child = await started_behind(self.command)
        try:
            async with asyncio.timeout(wait_s):
                said, _ = await child.communicate(pickle.dumps(errand, protocol=pickle.HIGHEST_PROTOCOL))
            answer = pickle.loads(said)  # noqa: S301 - from our own child
        except (TimeoutError, pickle.UnpicklingError, EOFError):
            return Outcome(refused=LOST)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return answer if isinstance(answer, Outcome) else Outcome(refused=LOST)

    async def _errand(
        self, person: Person, label: str = "", until: int = 0, document: str = "", reason: str = ""
    ) -> Errand:
        rules, people = await self.desk.read(self.desk.rules), self.desk.people
        return Errand(
            self.desk.place, rules, people.config().retention, people.clock(), _author(person), label, until, document,
            reason,
        )  # fmt: skip

    def _standing(self, rules: Rules) -> Standing:
        people = self.desk.people
        desk = RetentionDesk(people.store, rules, people.config().retention, self.desk.now_utc)
        may, seals = desk.reach(), desk.seals()
        with people.store.database.reading() as connection:
            disposals, whole = disposals_of(connection), whole_from(connection)
        months = tuple(Month(month_name(cell[0], rules.zone), cell, covering(seals, cell)) for cell in may.cells)
        return Standing(
            people.config().retention.years, "" if whole is None else month_name(whole, rules.zone), months, may.why,
            len(to_go(people.store.database)), disposals, people.store.collector, self._at_work, self._last, rules,
        )  # fmt: skip

    def _decided(self, person: Person, ruling: Ruling) -> Disposal:
        """In the store's thread, where nothing comes between looking and entering."""
        database = self.desk.people.store.database
        with database.reading() as connection:
            made = _found(disposals_of(connection), ruling.label)
        is_own = same_person(made.entry.author, person.account.name)
        if made.state is not DisposalState.PENDING:
            raise RefusedError(NOT_PENDING, "", 409)
        if is_own != (ruling.verdict == TAKE_BACK):
            raise RefusedError(OWN if is_own else NOT_YOURS, "", 403, text=made.entry.author)
        try:
            return decide(database, ruling, _author(person), self.desk.now_utc)
        except NotEnteredError:
            raise RefusedError(NOT_PENDING, "", 409) from None

    def _tell(self, event: str, text: str, label: str, person: Person) -> None:
        self.desk.people.audit(event, text, number=label, author=person.account.name)


def _not_done(why: str) -> RefusedError:
    """In the reader's language where that is known."""
    if isinstance(why, Saying) and not why.many:
        return RefusedError(why.message, "", 409, wait_s=0, **{name: str(one) for name, one in why.named.items()})
    return RefusedError("{text}", "", 409, text=why)


def _found(disposals: Disposals, label: str) -> Disposal:
    made = disposals.labelled(label)
    if made is None:
        raise RefusedError(NO_SUCH, "", 404)
    return made


def _after(one: Month, rules: Rules) -> str:
    """The month before which it all goes where this one is the last to go."""
    return month_name(one.cell[1], rules.zone)


def _author(person: Person) -> Author:
    return Author(person.account.name, person.account.name)
