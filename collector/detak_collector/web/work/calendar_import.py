"""Takes in an iCalendar file: shows what it would propose, and proposes that; refused whole where anything is wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from detak_collector.accounts.roles import Right
from detak_collector.catalogue.corrections import SCOPES
from detak_collector.catalogue.place import CatalogueError
from detak_collector.decisions.proposal import EXCLUSION
from detak_collector.decisions.recording import RefusedError, Ruling, Step
from detak_collector.decisions.register import Register
from detak_collector.downtime.catalogue import EXCLUSION_CATEGORIES, Catalogue
from detak_collector.translation.language import mark
from detak_collector.web.forms import go_to
from detak_collector.web.session import Person
from detak_collector.web.uploads import Limits, packed, read_upload, unpacked
from detak_collector.web.work import exclusions_words as words
from detak_collector.web.work.calendar_pages import ICALENDAR
from detak_collector.web.work.exclusions_desk import Desk, ElsewhereError, author_of
from detak_collector.web.work.exclusions_json import answered, content_of, enterer, problem, refusing
from detak_collector.web.work.exclusions_setting import Setting
from detak_collector.web.work.exclusions_view import row_of, times_words

if TYPE_CHECKING:
    from detak_collector.decisions.importing import Plan

MOST_BYTES = 1024 * 1024
MOST_PACKED = 100 * 1024
LIMITS = Limits(text=128 * 1024, file=MOST_BYTES, read=4 * MOST_BYTES)
FIELDS = ("category", "kind", "target", "document")
TOO_LONG = mark("This file is too long for a page; `detak-collector exclude import` takes it.")
NO_FILE = mark("Choose a file.")


@dataclass(frozen=True, slots=True)
class Brought:
    """A file, and what its events are taken to say where they do not say it themselves."""

    name: str
    content: bytes
    defaults: Mapping[str, str]


@dataclass(slots=True)
class Read:
    """What a file comes to: what is to be entered, or why it is refused."""

    steps: Sequence[Step] = ()
    unchanged: Sequence[str] = ()
    problems: Sequence[str] = field(default_factory=tuple)


class CalendarImport:
    """Of one collector."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def fresh(self, request: web.Request) -> web.StreamResponse:
        """Asks for a file."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        return self._form(at, dict.fromkeys(FIELDS, ""), ())

    async def take(self, request: web.Request) -> web.StreamResponse:
        """Shows what it would propose; proposes it once that was seen."""
        at = await Setting.of(self._desk, request, Right.PROPOSE)
        form = await read_upload(request, self._desk.people.gate, LIMITS)
        defaults = {name: form.get(name).strip()[:200] for name in FIELDS}
        if form.file is not None:
            brought = Brought(form.file.name[:200], form.file.content, defaults)
        else:
            brought = Brought(form.get("file_name")[:200], unpacked(form.get("packed"), MOST_BYTES), defaults)
        if not brought.content or len(brought.content) > MOST_BYTES or len(packed(brought.content)) > MOST_PACKED:
            return self._form(at, defaults, [at.say(TOO_LONG if brought.content else NO_FILE)])
        read = await self._read(brought, at.somebody)
        if read.problems:
            return self._form(at, defaults, read.problems)
        if form.get("action") != "propose":
            return await self._preview(at, brought, read)
        try:
            await self._entered(read, at.somebody)
        except RefusedError:
            return self._form(at, defaults, [at.say(words.NO_MORE)])
        except ElsewhereError as error:
            return self._form(at, defaults, [at.say(words.FOLLOWS, place=str(error) or "?")])
        return go_to(f"{at.root}exclusions?state=pending&notice=imported")

    @refusing
    async def sent(self, request: web.Request) -> web.Response:
        """The same for programs; with `dry_run=true` nothing is entered."""
        person = await enterer(self._desk, request, Right.PROPOSE)
        content = await content_of(request, ICALENDAR, MOST_BYTES)
        defaults = {name: request.query.get(name, "").strip()[:200] for name in FIELDS}
        read = await self._read(Brought("calendar.ics", content, defaults), person)
        if read.problems:
            return problem(422, "Nothing is entered. " + " ".join(read.problems)[:4_000])
        is_dry = request.query.get("dry_run") == "true"
        try:
            names = [] if is_dry else await self._entered(read, person)
        except RefusedError:
            return problem(409, words.NO_MORE)
        told = {"entered": names, "steps": len(read.steps), "unchanged": list(read.unchanged)}
        return answered(request, told, 200 if is_dry else 201)

    async def _read(self, brought: Brought, person: Person) -> Read:
        register, rules = (await self._desk.known()).register, await self._desk.rules()
        author = author_of(person).name
        return await asyncio.to_thread(read_file, brought, register, rules.catalogue, author)

    async def _entered(self, read: Read, person: Person) -> list[str]:
        names = await self._desk.enter(read.steps, person) if read.steps else []
        for step, name in zip(read.steps, names, strict=True):
            event, verb = ("taken-back", "takes back") if isinstance(step, Ruling) else ("proposed", "proposes")
            self._desk.audit(f"exclusion-{event}", name, person, f"{verb} {name}, from a calendar")
        return names

    async def _preview(self, at: Setting, brought: Brought, read: Read) -> web.Response:
        known = await self._desk.known()
        register, names = await self._desk.imagined(read.steps, at.somebody)
        proposed = [name for step, name in zip(read.steps, names, strict=True) if not isinstance(step, Ruling)]
        found = [register.named(name, EXCLUSION) for name in names]
        effect = await self._desk.effect(register, proposed) if proposed else None
        return at.page(
            "calendar-preview.html", title=at.say("What the calendar proposes"), effect=effect,
            rows=[row_of(one, known.imagined(register)) for one in found if one is not None], proposed=proposed,
            unchanged=read.unchanged, packed=packed(brought.content), file_name=brought.name,
            defaults=brought.defaults, times_words=times_words, what_words=lambda row: words.what_words(row, at.tell),
        )  # fmt: skip

    def _form(self, at: Setting, form: Mapping[str, str], problems: Sequence[str]) -> web.Response:
        catalogue, nothing = at.rules.catalogue, [("", at.say("as each event says"))]
        return at.page(
            "calendar-import.html", 422 if problems else 200, title=at.say("Take in a calendar"), form=form,
            problems=problems, categories=[*nothing, *words.categories(EXCLUSION, at.language)],
            kinds=[*nothing, *words.kinds(EXCLUSION, at.language)],
            targets=words.targets(EXCLUSION, catalogue, at.tell),
        )  # fmt: skip


def read_file(brought: Brought, register: Register, catalogue: Catalogue, author: str) -> Read:
    """What the file comes to. In a thread: the library of calendars takes a third of a second to load."""
    from detak_collector.decisions.calendar_events import Defaults  # noqa: PLC0415
    from detak_collector.decisions.calendar_file import read_calendar  # noqa: PLC0415
    from detak_collector.decisions.importing import plan  # noqa: PLC0415

    told = brought.defaults
    kind, target = told["kind"], told["target"]
    if kind and kind not in SCOPES:
        return Read(problems=[f"kind: one of {', '.join(SCOPES)} (got {kind!r})"])
    if told["category"] and told["category"] not in EXCLUSION_CATEGORIES:
        return Read(problems=[f"category: one of {', '.join(EXCLUSION_CATEGORIES)} (got {told['category']!r})"])
    scope: dict[str, object] | None = {kind: True if kind == "all" else target} if kind else None
    defaults = Defaults(told["category"] or None, scope, told["document"] or None)
    try:
        events = read_calendar(brought.content, brought.name or "calendar.ics", defaults, catalogue)
    except CatalogueError as error:
        return Read(problems=error.lines)
    made: Plan = plan(register, events, author, brought.name)
    return Read(made.steps, made.unchanged, made.problems)
