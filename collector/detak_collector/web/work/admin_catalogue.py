"""What is done with versions of the catalogue: one is checked, taken or held, approved or rejected by somebody else.

The same as `detak-collector catalogue`, by the same rules.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePosixPath
from typing import Literal

from detak_collector.catalogue.organisation import parse_beside
from detak_collector.catalogue.past import differences
from detak_collector.catalogue.place import CatalogueError
from detak_collector.catalogue.texts import MOST_BYTES, SERVICES, Read, Texts
from detak_collector.catalogue.versions import DecisionBody, State, Version, Versions
from detak_collector.decisions.persons import same_person
from detak_collector.deriving.catalogue_effect import Effect, Question
from detak_collector.deriving.process import NotDerivedError
from detak_collector.downtime.catalogue import Catalogue
from detak_collector.store.base import StoreUnavailableError
from detak_collector.translation.language import mark
from detak_collector.web.session import Person
from detak_collector.web.work.admin_desk import NOT_FOUND, Desk, RefusedError
from detak_collector.web.work.admin_effects import Effects

MOST_WORDS = 1_000
NOTHING_GIVEN = mark("Choose the file, or paste what is in it.")
CHANGED = mark("Another version has come since this one was checked. Check it again.")
NOT_CHECKED = mark("This is not what was checked. Check it again.")
NOT_HELD = mark("Version {text} does not wait for anybody.")
OWN = mark("{text} proposed it, so somebody else decides.")
DOCUMENT = mark("Required: the document it rests on, such as ND-12/2026.")
REASON = mark("Required: why, for those who check it later.")
WORDS = mark("At most 1,000 characters.")
PROPOSER = mark("Required: nobody knows whose change it is, so name who proposed it.")


class WrongError(RefusedError):
    """The catalogue itself is not right; `lines` tell all that is wrong with it."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        super().__init__("\n".join(lines), "services")
        self.lines = lines


@dataclass(frozen=True, slots=True)
class Checked:
    """A catalogue that is right, and what it would change. `past`: of time that has passed, so that it is held.

    `effect` is None where the figure stays as it is, or where `trouble` tells why it is not known.
    """

    read: Read
    standing: Version | None
    past: tuple[str, ...] = ()
    ahead: tuple[str, ...] = ()
    effect: Effect | None = None
    trouble: str = ""

    @property
    def is_standing(self) -> bool:
        """Whether it is what is in force."""
        return self.standing is not None and self.standing.digest == self.read.texts.digest


@dataclass(frozen=True, slots=True)
class Verdict:
    """What somebody says of a held version."""

    verdict: Literal["approve", "reject"]
    document: str = ""
    reason: str = ""
    proposed_by: str = ""


@dataclass(slots=True)
class CatalogueDesk:
    """Whatever is refused raises RefusedError, and nothing of it is done then."""

    desk: Desk
    effects: Effects = field(default_factory=Effects)

    async def versions(self) -> Versions:
        """All of them."""
        return await self.desk.read(self.desk.register.versions)

    async def version(self, number: int) -> tuple[Versions, Version]:
        """The one of that number, among all."""
        versions = await self.versions()
        found = versions.numbered(number)
        if found is None:
            raise RefusedError(NOT_FOUND, status=404, text=str(number))
        return versions, found

    async def texts(self, version: Version) -> Texts:
        """The files of a version."""
        return await self.desk.read(partial(self.desk.register.texts, version))

    async def check(self, services: str | None, tables: Mapping[str, str], *, effect: bool = True) -> Checked:
        """What it would change; without `effect` the figure is not derived."""
        if services is None:
            raise RefusedError(NOTHING_GIVEN, "services")
        checked = await self.desk.read(partial(self._checked, services, tables))
        if not checked.past or not effect:
            return checked
        told, trouble = await self.effect(checked.read.catalogue)
        return Checked(checked.read, checked.standing, checked.past, checked.ahead, told, trouble)

    async def effect(self, other: Catalogue) -> tuple[Effect | None, str]:
        """What it does to this year's figure, or why that is not known."""
        rules = await self.desk.read(self.desk.rules)
        # Where the store takes nothing now, the figure is derived from evidence alone.
        with suppress(StoreUnavailableError):
            await self.desk.people.write(self.desk.people.store.derived.catch_up)
        try:
            return await self.effects.of(Question(self.desk.place, rules, other, self.desk.people.clock())), ""
        except (NotDerivedError, OSError) as error:
            return None, error.args[0] if isinstance(error, NotDerivedError) else str(error)

    async def catalogue(self, version: Version) -> Catalogue:
        """What a version says."""
        try:
            return await self.desk.read(partial(self.desk.register.catalogue, version))
        except CatalogueError as error:
            raise WrongError(tuple(error.lines)) from error

    async def take(
        self, person: Person, services: str | None, tables: Mapping[str, str], *, digest: str, against: str
    ) -> Version:  # fmt: skip
        """Makes it a version, if it is what was checked (`digest`) against the version in force then (`against`)."""
        checked = await self.check(services, tables, effect=False)
        if checked.read.texts.digest != digest:
            raise RefusedError(NOT_CHECKED, "services", 409)
        version = await self.desk.enter(partial(self._record, checked.read, person, against))
        held = version.since is None
        stays = " until somebody else approves it" if held else ""
        text = (
            f"version {version.number} of the catalogue, by {person.account.name}, is {'held' if held else 'in force'}"
        )
        event, level = ("catalogue-held", logging.WARNING) if held else ("catalogue-version", logging.INFO)
        self._tell(event, f"{text}{stays}", version, person, level)
        return version

    async def decide(self, person: Person, number: int, said: Verdict) -> Version:
        """Approves or rejects the held version of that number."""
        for where, words in (("document", said.document), ("reason", said.reason), ("proposed_by", said.proposed_by)):
            if len(words) > MOST_WORDS:
                raise RefusedError(WORDS, where)
        if said.verdict == "approve" and not said.document.strip():
            raise RefusedError(DOCUMENT, "document")
        if said.verdict == "reject" and not said.reason.strip():
            raise RefusedError(REASON, "reason")
        version = await self.desk.enter(partial(self._decide, person, number, said))
        word = "approved" if said.verdict == "approve" else "rejected"
        text = f"version {number} of the catalogue was {word} by {person.account.name}: {said.document or said.reason}"
        self._tell(f"catalogue-{word}", text, version, person)
        return version

    def _checked(self, services: str, tables: Mapping[str, str]) -> Checked:
        register = self.desk.register
        standing = register.versions().in_force()
        known = {} if standing is None else register.texts(standing).files
        read = _read(services, tables, known)
        if standing is None or standing.digest == read.texts.digest:
            return Checked(read, standing)
        before, now = register.catalogue(standing), self.desk.now_utc
        has_past = self.desk.people.store.evidence.known_since() is not None
        past = differences(before, read.catalogue, now) if has_past else ()
        ahead = tuple(one for one in differences(before, read.catalogue) if one not in past)
        return Checked(read, standing, past, ahead)

    def _record(self, read: Read, person: Person, against: str) -> Version:
        """In the store's thread."""
        register, store = self.desk.register, self.desk.people.store
        standing = register.versions().in_force()
        if (standing.entry if standing is not None else "") != against:
            raise RefusedError(CHANGED, "services", 409)
        has_past = store.evidence.known_since() is not None
        return register.record(read, person.account.name, self.desk.now_utc, has_past=has_past)

    def _decide(self, person: Person, number: int, said: Verdict) -> Version:
        """In the store's thread, where nothing comes between looking and entering."""
        register = self.desk.register
        versions = register.versions()
        version = versions.numbered(number)
        if version is None:
            raise RefusedError(NOT_FOUND, status=404, text=str(number))
        if versions.state(version) is not State.HELD:
            raise RefusedError(NOT_HELD, "", 409, text=str(number))
        proposer = version.proposed_by or said.proposed_by.strip()
        if said.verdict == "approve" and not proposer:
            raise RefusedError(PROPOSER, "proposed_by")
        if said.verdict == "approve" and same_person(proposer, person.account.name):
            raise RefusedError(OWN, "", 403, text=proposer)
        name = person.account.name
        body = DecisionBody(version.entry, said.verdict, name, proposer, said.document.strip(), said.reason.strip())
        return register.decide(version, body, name, self.desk.now_utc)

    def _tell(self, event: str, text: str, version: Version, person: Person, level: int = logging.INFO) -> None:
        author = person.account.name
        self.desk.people.audit(event, text, level, version=version.number, digest=version.digest, author=author)


def _read(services: str, tables: Mapping[str, str], known: Mapping[str, str]) -> Read:
    """The catalogue with the tables that it names: those given, else those of the version in force."""
    used: dict[str, str] = {}

    def beside(called: str) -> str | None:
        base = PurePosixPath(called).name
        found = next((one[at] for one, at in ((tables, called), (tables, base), (known, called)) if at in one), None)
        if found is not None:
            used[called] = found
        return found

    try:
        catalogue = parse_beside(services, SERVICES, beside)
    except CatalogueError as error:
        raise WrongError(tuple(error.lines)) from error
    texts = Texts({**used, SERVICES: services})
    if sum(len(one.encode()) for one in texts.files.values()) > MOST_BYTES:
        raise WrongError((f"{SERVICES}: at most {MOST_BYTES} bytes with its tables",))
    return Read(texts, catalogue)
