"""Exclusions and declarations as pages and the API tell them: rows of a list, one with its history. Pure; no markup."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from detak_collector.catalogue.corrections import Entered
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.claims import Claim
from detak_collector.decisions.corrections import is_drill, read_record
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import APPROVE, NOBODY, REJECT, REPLACE, Provider
from detak_collector.decisions.register import Matter, Register, State
from detak_collector.downtime.catalogue import Correction
from detak_collector.report.numbers import iso_utc
from detak_collector.report.wording import reason_words, scope_words
from detak_collector.translation.language import Language, mark
from detak_collector.web.telling import DECLARED, NONE, Telling
from detak_collector.web.work.exclusions_desk import Known

AT_ONCE = 50
STATES = {
    State.PENDING: mark("waits for approval"),
    State.IN_FORCE: mark("in force"),
    State.DONE: mark("approved"),
    State.REJECTED: mark("rejected"),
    State.TAKEN_BACK: mark("taken back"),
    State.REPLACED: mark("replaced"),
    State.WITHDRAWN: mark("withdrawn"),
    State.LAPSED: mark("lapsed"),
}
LIVE, OVER, ALL = "live", "over", "all"
GROUPS = {
    LIVE: mark("in force or waiting"),
    "pending": mark("waiting for approval"),
    "force": mark("in force"),
    OVER: mark("over"),
    ALL: mark("all"),
}
STANCES = {
    "claimed": mark("claimed of him"),
    "disputed": mark("disputed by him"),
    "accepted": mark("accepted by him"),
}
DID = {
    APPROVE: mark("approved"),
    REJECT: mark("rejected"),
    "take-back": mark("taken back"),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which of a list are wanted; what is empty leaves nothing out. `page` counts from 1."""

    state: str = LIVE
    category: str = ""
    words: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class Row:
    """One proposal. `one` is its record's first window, None of a withdrawal or a record of another version."""

    matter: Matter
    one: Correction | None
    claims: tuple[Claim, ...] = ()

    @property
    def name(self) -> str:
        """What people call it."""
        return self.matter.name

    @property
    def record(self) -> Mapping[str, Any]:
        """What was proposed; of a withdrawal nothing."""
        return self.matter.proposal.body.record or {}

    @property
    def late(self) -> bool:
        """Whether it was proposed only after its time had begun."""
        return self.one is not None and self.one.late

    @property
    def drill(self) -> bool:
        """Whether it is a drill that was declared beforehand."""
        return is_drill(self.matter)

    @property
    def provider(self) -> Provider | None:
        """The third party, where one was named."""
        told = self.matter.proposal.body.provider
        return None if told == NOBODY else told

    @property
    def stance(self) -> str:
        """How the third party takes it; empty where it is about none."""
        if self.claims:
            return self.claims[-1].body.stance
        return "claimed" if self.record.get("category") == "third_party" else ""

    @property
    def decided_by(self) -> str:
        """Who approved it, or else closed it; empty while nobody did."""
        if self.matter.approval is not None:
            return self.matter.approval.author
        return "" if self.matter.closed_by is None else self.matter.closed_by.author

    @property
    def document(self) -> str:
        """Its document."""
        return self.matter.proposal.body.document or str(self.record.get("document", ""))

    @property
    def reason(self) -> str:
        """Why it is proposed; of an amendment the reason of what it puts in its place."""
        return str(self.record.get("reason", "")) or self.matter.proposal.body.because


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list, newest first; `pages` counts all of them."""

    rows: tuple[Row, ...]
    total: int
    page: int
    pages: int


@dataclass(frozen=True, slots=True)
class Step:
    """Something that was done: `what` is a sentence to translate that may name `target`. `counts`: it had an effect."""

    at: int
    name: str
    what: str
    author: str
    login: str
    document: str
    why: str
    target: str = ""
    counts: bool = True


def row_of(matter: Matter, known: Known) -> Row:
    """A proposal as a row."""
    return Row(matter, first_window(matter), known.claims_on(matter))


def first_window(matter: Matter) -> Correction | None:
    """The record, or the first window of one that recurs."""
    if matter.is_withdrawal:
        return None
    try:
        read = read_record(matter.proposal)
    except CatalogueError:
        return None
    return read.first if isinstance(read, Entered) else read


def wanted_of(values: Mapping[str, str]) -> Wanted | None:
    """What a query string asks for; None where it asks for what there never is."""
    state, page = values.get("state", LIVE), values.get("page", "1")
    if state not in GROUPS or not (page.isascii() and page.isdigit()):
        return None
    return Wanted(state, values.get("category", "")[:40], values.get("words", "").strip()[:200], int(page[:6]))


def listed(known: Known, about: str, wanted: Wanted) -> Listed:
    """The wanted proposals, newest first."""
    found = [one for one in known.register.about(about) if _is_wanted(one, wanted)]
    found.reverse()
    pages = max(1, -(-len(found) // AT_ONCE))
    page = min(max(1, wanted.page), pages)
    shown = found[(page - 1) * AT_ONCE : page * AT_ONCE]
    return Listed(tuple(row_of(one, known) for one in shown), len(found), page, pages)


def waiting_for(register: Register, about: str, person: str) -> int:
    """How many proposals of others wait for somebody's approval."""
    return sum(
        one.state is State.PENDING and not same_person(one.proposal.author, person) for one in register.about(about)
    )


def history(known: Known, matter: Matter) -> list[Step]:
    """Every step of all that belongs together, in order."""
    steps = [step for one in known.register.root_of(matter).matters for step in _steps(one)]
    steps += [
        Step(one.entry.recorded_utc, matter.name, STANCES[one.body.stance], one.entry.author, one.body.login,
             one.body.document, one.body.reason)
        for one in known.claims_on(matter)
    ]  # fmt: skip
    return sorted(steps, key=lambda step: step.at)


def category_words(category: str, language: Language) -> str:
    """What an exclusion or a declaration is called."""
    return language.say(DECLARED[category]) if category in DECLARED else reason_words(category, language)


def about_words(one: Correction, language: Language) -> str:
    """What it is about."""
    return scope_words(one.scope_kind, one.scope, language)


def times_words(one: Correction, tell: Telling) -> str:
    """From when to when."""
    return f"{tell.stamp(one.begin)} {NONE} {tell.until(one.begin, one.end)}"


def row_json(row: Row) -> dict[str, object]:
    """One proposal as the API tells it."""
    matter, body = row.matter, row.matter.proposal.body
    provider = row.provider
    return {
        "id": row.name,
        "state": matter.state.value,
        "action": body.action,
        "target": None if matter.target is None else matter.target.name,
        "record": None if body.record is None else dict(body.record),
        "because": body.because,
        "document": row.document,
        "drill": row.drill,
        "late": row.late,
        "provider": None if provider is None else _provider_json(provider),
        "stance": row.stance or None,
        "proposed_by": matter.proposal.author,
        "proposed_at": iso_utc(matter.proposal.entry.recorded_utc),
        "decided_by": row.decided_by or None,
        "decided_at": None if matter.closed_by is None else iso_utc(matter.closed_by.recorded_utc),
    }


def step_json(step: Step) -> dict[str, object]:
    """A step of the history as the API tells it."""
    return {
        "at": iso_utc(step.at),
        "id": step.name,
        "what": step.what.format(name=step.target),
        "by": step.author,
        "login": step.login,
        "document": step.document,
        "why": step.why,
        "counts": step.counts,
    }


def _provider_json(provider: Provider) -> dict[str, object]:
    times = {"from": provider.begin, "to": provider.end}
    told = {name: None if at is None else iso_utc(at) for name, at in times.items()}
    return {"name": provider.name, "circuit": provider.circuit, "ticket": provider.ticket, **told}


def _is_wanted(matter: Matter, wanted: Wanted) -> bool:
    if wanted.state == LIVE and not matter.live:
        return False
    if wanted.state == OVER and matter.live:
        return False
    if wanted.state == "pending" and matter.state is not State.PENDING:
        return False
    if wanted.state == "force" and matter.state is not State.IN_FORCE:
        return False
    body = matter.proposal.body
    record = body.record or {}
    if wanted.category and record.get("category") != wanted.category:
        return False
    scope = record.get("scope")
    texts = (
        matter.name, matter.proposal.author, body.because, body.document, record.get("reason", ""),
        record.get("document", ""), *(scope.values() if isinstance(scope, dict) else ()),
    )  # fmt: skip
    return not wanted.words or any(wanted.words.casefold() in str(one).casefold() for one in texts)


_PROPOSED = mark("proposed")
_AMENDED = mark("proposed in place of {name}")
_ENDED = mark("proposed the withdrawal of {name}")


def proposed_words(matter: Matter) -> str:
    """What a proposal does, a sentence to translate that may name another one."""
    return _ENDED if matter.is_withdrawal else _AMENDED if matter.proposal.body.action == REPLACE else _PROPOSED


def _steps(matter: Matter) -> Iterator[Step]:
    entry, body = matter.proposal.entry, matter.proposal.body
    what = proposed_words(matter)
    why = body.because or str((body.record or {}).get("reason", ""))
    document = body.document or str((body.record or {}).get("document", ""))
    target = "" if matter.target is None else matter.target.name
    yield Step(entry.recorded_utc, matter.name, what, entry.author, body.login, document, why, target)
    for one in matter.decisions:
        counts = one.entry is matter.closed_by or one is matter.approval
        told, at = one.body, one.entry.recorded_utc
        yield Step(
            at, matter.name, DID[told.verdict], one.author, told.login, told.document, told.reason, counts=counts
        )
