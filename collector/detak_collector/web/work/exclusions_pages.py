"""The pages of exclusions and of declarations: list, one of them, proposing, amending, withdrawing. No decisions.

Who may do what is asked of `exclusions_acts`, what is right of `exclusions_form`, what is entered of the desk.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.decisions.corrections import is_drill
from detak_collector.decisions.proposal import ADD, EXCLUSION, REPLACE, WITHDRAW
from detak_collector.decisions.recording import Draft, RefusedError, Step
from detak_collector.decisions.register import Matter, State
from detak_collector.translation.saying import mark
from detak_collector.web.forms import go_to
from detak_collector.web.work import exclusions_words as words
from detak_collector.web.work.exclusions_acts import Act, acts_of, hindered, ruling_of
from detak_collector.web.work.exclusions_desk import Desk, ElsewhereError, Known, author_of
from detak_collector.web.work.exclusions_form import (
    REQUIRED,
    Desired,
    Fault,
    Filled,
    empty_form,
    form_of,
    instant_of,
    local_text,
    read_form,
)
from detak_collector.web.work.exclusions_setting import MOST_BYTES, MOST_FIELDS, Setting
from detak_collector.web.work.exclusions_view import (
    GROUPS,
    STANCES,
    STATES,
    history,
    listed,
    row_of,
    times_words,
    waiting_for,
    wanted_of,
)

ODD = mark("There is no such list: the address asks for what does not exist.") + "\n"
NO_SUCH = mark("There is nothing of that number.") + "\n"


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why what was sent was not done, and what it was."""

    status: int = 200
    fields: Mapping[str, str] = field(default_factory=dict)
    faults: Mapping[str, Fault] = field(default_factory=dict)
    trouble: str = ""


class CorrectionPages:
    """Those of one subject."""

    def __init__(self, desk: Desk, subject: words.Subject) -> None:
        self._desk = desk
        self._subject = subject

    async def listing(self, request: web.Request) -> web.StreamResponse:
        """All of them, filtered, page by page."""
        at = await Setting.seen(self._desk, request)
        wanted = wanted_of(request.query)
        if wanted is None:
            raise web.HTTPNotFound(text=ODD)
        known, about = await self._desk.known(), self._subject.about
        found = await asyncio.to_thread(listed, known, about, wanted)
        waiting = await asyncio.to_thread(waiting_for, known.register, about, at.name)
        return at.page(
            "corrections.html", title=at.say(self._subject.title), listed=found, wanted=wanted, groups=GROUPS,
            categories=words.categories(about, at.language), waiting=waiting,
            waiting_words=words.waiting(waiting, at.language), total_words=words.total(found.total, at.language),
            to_page=partial(_to_page, request), **self._shared(at),
        )  # fmt: skip

    async def fresh(self, request: web.Request) -> web.StreamResponse:
        """The empty form, filled in as far as the address says."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        return await self._form(at, Filled(empty_form(at.rules.catalogue, request.query)))

    async def propose(self, request: web.Request) -> web.StreamResponse:
        """Shows what it changes, or proposes it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        filled = read_form(fields, self._desired(at))
        draft = Draft(self._subject.about, ADD, "", filled.record, drill=filled.drill, provider=filled.provider)
        return await self._take(at, fields, filled, draft)

    async def amending(self, request: web.Request) -> web.StreamResponse:
        """The form as what is to be replaced has it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        _, matter = await self._found(request)
        self._require(at, matter, await self._desk.known(), Act.AMEND)
        body = matter.proposal.body
        values = form_of(body.record or {}, body.provider, drill=body.drill, catalogue=at.rules.catalogue)
        return await self._form(at, Filled(values), matter)

    async def amend(self, request: web.Request) -> web.StreamResponse:
        """Shows what another one in its place changes, or proposes that."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        known, matter = await self._found(request)
        self._require(at, matter, known, Act.AMEND)
        filled, body = read_form(fields, self._desired(at, matter)), matter.proposal.body
        if not filled.faults and (filled.record, filled.drill, filled.provider) == (
            body.record, body.drill, body.provider,
        ):  # fmt: skip
            filled.faults["because"] = Fault(words.SAME)
        draft = Draft(
            self._subject.about, REPLACE, matter.name, filled.record, filled.values["because"].strip(),
            uid=body.uid, drill=filled.drill, provider=filled.provider,
        )  # fmt: skip
        return await self._take(at, fields, filled, draft, matter)

    async def one(self, request: web.Request) -> web.StreamResponse:
        """One of them, with what it would change while it waits, and its history."""
        at = await Setting.seen(self._desk, request)
        known, matter = await self._found(request)
        return await self._one(at, known, matter)

    async def decide(self, request: web.Request) -> web.StreamResponse:
        """Approves, rejects, takes back, or keeps how a provider takes it."""
        person = await self._desk.people.gate.person(request)
        at = await Setting.of(self._desk, request, Right.SEE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        known, matter = await self._found(request)
        act = Act.of(fields.get("action", ""))
        if person is None or act is None or act.right not in person.rights:
            raise web.HTTPForbidden(text=f"{words.NO_RIGHT}\n")
        faults = act.faults(fields)
        if act not in acts_of(matter, known, person):
            why = hindered(matter, person, act)
            return await self._one(at, known, matter, _Refusal(409, fields, trouble=at.say(why)))
        if faults:
            return await self._one(at, known, matter, _Refusal(422, fields, faults))
        return await self._ruled(at, matter, act, fields)

    async def withdrawing(self, request: web.Request) -> web.StreamResponse:
        """What the end of one in force changes, and the form that proposes it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        known, matter = await self._found(request)
        self._require(at, matter, known, Act.WITHDRAW)
        return await self._withdrawal(at, matter, {}, {})

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        """Proposes it."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        fields = await at.read(MOST_BYTES, MOST_FIELDS)
        known, matter = await self._found(request)
        self._require(at, matter, known, Act.WITHDRAW)
        reason, document = (fields.get(name, "").strip() for name in ("reason", "document"))
        faults = {name: Fault(REQUIRED) for name, value in (("reason", reason), ("document", document)) if not value}
        if faults:
            return await self._withdrawal(at, matter, fields, faults)
        draft = Draft(self._subject.about, WITHDRAW, matter.name, None, reason[:2_000], document[:200])
        return await self._enter(at, [draft], "proposed", ("proposes", f", the withdrawal of {matter.name}"))

    async def _take(
        self, at: Setting, fields: Mapping[str, str], filled: Filled, draft: Draft, matter: Matter | None = None
    ) -> web.StreamResponse:
        if filled.faults or fields.get("action") != "propose":
            is_previewed = not filled.faults
            return await self._form(at, filled, matter, draft if is_previewed else None)
        record = filled.record
        said = f"{record['category']} of {record['from']} to {record['to']}, {record['document']}"
        return await self._enter(at, [draft], "proposed", ("proposes", f": {said}"))

    async def _ruled(self, at: Setting, matter: Matter, act: Act, fields: Mapping[str, str]) -> web.StreamResponse:
        person = at.somebody
        if act is Act.CLAIM:
            known = await self._desk.known()
            body = act.claim(matter, known, fields, author_of(person).login)
            try:
                await self._desk.claim(body, person)
            except ElsewhereError as error:
                return await self._refused(at, error)
            self._desk.audit("exclusion-claim", matter.name, person, f"keeps that {matter.name} is {body.stance}")
            return go_to(f"./{matter.name}?notice=claimed")
        ruling = ruling_of(matter, act, fields)
        return await self._enter(at, [ruling], act.event, (act.verb, ""), to=matter.name)

    async def _enter(
        self, at: Setting, steps: Sequence[Step], event: str, said: tuple[str, str], to: str = ""
    ) -> web.StreamResponse:
        """Enters it and leads to its page; where it may not be by now, says so. `said`: before and after the name."""
        try:
            (name,) = await self._desk.enter(steps, at.somebody)
        except RefusedError:
            return at.page("refused.html", 409, title=at.say(words.NOTHING), trouble=at.say(words.NO_MORE),
                           **self._shared(at))  # fmt: skip
        except ElsewhereError as error:
            return await self._refused(at, error)
        self._desk.audit(f"{self._subject.about}-{event}", name, at.somebody, f"{said[0]} {name}{said[1]}")
        return go_to(f"{at.root}{self._subject.base}/{to or name}?notice={event}")

    async def _refused(self, at: Setting, error: ElsewhereError) -> web.Response:
        place = at.say(words.FOLLOWS, place=str(error) or "?")
        return at.page("refused.html", 409, title=at.say(words.NOTHING), trouble=place, **self._shared(at))

    async def _form(
        self, at: Setting, filled: Filled, matter: Matter | None = None, draft: Draft | None = None
    ) -> web.Response:
        subject, catalogue, about = self._subject, at.rules.catalogue, self._subject.about
        effect = None
        if draft is not None:
            try:
                register, names = await self._desk.imagined([draft], at.somebody)
            except RefusedError:
                filled.faults["because"] = Fault(words.HELD)
                draft = None
            else:
                effect = await self._desk.effect(register, names)
        title = at.say(subject.fresh) if matter is None else at.say(subject.amend, name=matter.name)
        begin = instant_of(filled.record.get("from"))
        return at.page(
            "correction-form.html", 422 if filled.faults else 200, title=title, form=filled.values,
            faults=filled.faults, about=about, amends=matter is not None, is_previewed=draft is not None,
            is_late=about == EXCLUSION and begin is not None and begin < at.tell.now, effect=effect,
            categories=words.categories(about, at.language), kinds=words.kinds(about, at.language),
            targets=words.targets(about, catalogue, at.tell), repeats=words.repeats(at.language),
            zones=words.zones(catalogue, filled.values["zone"]), **self._shared(at),
        )  # fmt: skip

    async def _one(self, at: Setting, known: Known, matter: Matter, refusal: _Refusal | None = None) -> web.Response:
        row, refusal = row_of(matter, known), refusal or _Refusal()
        effect = None
        if matter.state is State.PENDING:
            effect = await self._desk.effect(known.register, [matter.name])
        allowed = () if at.person is None else acts_of(matter, known, at.person)
        zone = str(row.record.get("timezone", at.rules.catalogue.timezone))
        left_out = [local_text(instant_of(one), zone).replace("T", " ") for one in row.record.get("except", ())]
        return at.page(
            "correction.html", refusal.status, title=at.say(self._subject.one, name=matter.name), row=row,
            effect=effect, allowed=[one.value for one in allowed], steps=history(known, matter), left_out=left_out,
            form={name: refusal.fields.get(name, "") for name in ("reason", "document", "claim_reason")},
            faults=refusal.faults, own_words=self._own_words(at, matter), trouble=refusal.trouble, **self._shared(at),
        )  # fmt: skip

    async def _withdrawal(
        self, at: Setting, matter: Matter, fields: Mapping[str, str], faults: Mapping[str, Fault]
    ) -> web.Response:
        draft = Draft(self._subject.about, WITHDRAW, matter.name, None, "-", "-")
        try:
            register, names = await self._desk.imagined([draft], at.somebody)
        except RefusedError:
            raise web.HTTPConflict(text=f"{words.HELD}\n") from None
        known = await self._desk.known()
        return at.page(
            "withdrawal.html", 422 if faults else 200, title=at.say(self._subject.withdraw, name=matter.name),
            row=row_of(matter, known), effect=await self._desk.effect(register, names), faults=faults,
            form={name: fields.get(name, "") for name in ("reason", "document")}, **self._shared(at),
        )  # fmt: skip

    def _shared(self, at: Setting) -> dict[str, object]:
        rights = frozenset[Right]() if at.person is None else at.person.rights
        return {
            "base": self._subject.base, "states": STATES, "stances": STANCES, "times_words": times_words,
            "what_words": partial(words.what_words, tell=at.tell), "may_propose": Right.PROPOSE in rights,
            "may_approve": Right.APPROVE in rights,
        }  # fmt: skip

    def _own_words(self, at: Setting, matter: Matter) -> str:
        person = at.person
        if person is None or matter.state is not State.PENDING or Right.APPROVE not in person.rights:
            return ""
        return at.say(words.OWN) if hindered(matter, person, Act.APPROVE) == words.OWN else ""

    def _desired(self, at: Setting, matter: Matter | None = None) -> Desired:
        was_drill = matter is not None and is_drill(matter)
        author, amends = author_of(at.somebody), matter is not None
        return Desired(self._subject.about, at.rules.catalogue, author, at.tell.now, amends, was_drill)

    async def _found(self, request: web.Request) -> tuple[Known, Matter]:
        known = await self._desk.known()
        matter = known.register.named(request.match_info["name"].casefold()[:20], self._subject.about)
        if matter is None:
            raise web.HTTPNotFound(text=NO_SUCH)
        return known, matter

    @staticmethod
    def _require(at: Setting, matter: Matter, known: Known, act: Act) -> None:
        if act not in acts_of(matter, known, at.somebody):
            raise web.HTTPConflict(text=f"{words.NO_MORE}\n")


def _to_page(request: web.Request, page: int) -> str:
    return f"?{request.rel_url.with_query({**request.query, 'page': str(page)}).query_string}"
