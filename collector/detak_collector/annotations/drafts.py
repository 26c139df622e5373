"""What somebody wants to enter, judged before it is entered: every fault at once, each with its field. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from detak_collector.annotations import chronology
from detak_collector.annotations.bodies import FollowUp, Line
from detak_collector.annotations.faults import EMPTY, NO_SUCH_DAY, NO_TASK, TOO_MANY, Fault, FaultsError
from detak_collector.annotations.texts import fault_of, plain

MOST_CAUSE = 500
MOST_EFFECT = 4_000
MOST_TASK = 500
MOST_WHO = 200
MOST_TASKS = 20
MOST_NOTE = 1_000
MOST_ACKNOWLEDGEMENT = 500


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: his name for people, the role in which he does, and the login or account that was used."""

    name: str
    role: str
    login: str


@dataclass(frozen=True, slots=True)
class TypedTask:
    """What is to follow, as typed."""

    what: str
    who: str = ""
    until: str = ""

    @property
    def is_blank(self) -> bool:
        """Whether nothing was typed."""
        return not (self.what.strip() or self.who.strip() or self.until.strip())


@dataclass(frozen=True, slots=True)
class Typed:
    """An annotation as typed; `version` counts the versions that its writer had before him."""

    cause: str = ""
    effect: str = ""
    chronology: str = ""
    follow_up: tuple[TypedTask, ...] = ()
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """An annotation that may be entered."""

    cause: str
    effect: str
    chronology: tuple[Line, ...]
    follow_up: tuple[FollowUp, ...]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class NoteDraft:
    """A note that may be entered, in one language or both."""

    public: bool
    id: str
    en: str
    outage: int | None = None


def drafted(typed: Typed, begin: int, zone: ZoneInfo) -> Draft:
    """The annotation; raises FaultsError. `begin`: when its outage began, UTC ms; times are of `zone`."""
    lines, faults = chronology.parsed(plain(typed.chronology), begin, zone)
    return judged(typed, lines, faults)


def judged(typed: Typed, lines: Sequence[Line], faults: Sequence[Fault] = ()) -> Draft:
    """The same with a chronology that was read already, and what was wrong with it."""
    cause, effect = plain(typed.cause), plain(typed.effect)
    asked = [one for one in typed.follow_up if not one.is_blank]
    tasks = tuple(FollowUp(plain(one.what), plain(one.who), _day(one.until.strip()) or "") for one in asked)
    found = [
        *faults,
        *_faults(
            fault_of("cause", cause, MOST_CAUSE),
            fault_of("effect", effect, MOST_EFFECT, lines=True),
            *(fault for one, task in zip(asked, tasks, strict=True) for fault in _task_faults(one, task)),
            Fault("follow_up", TOO_MANY, {"most": str(MOST_TASKS)}) if len(tasks) > MOST_TASKS else None,
        ),
    ]
    if not (cause or effect or lines or tasks or found):
        found.append(Fault("effect", EMPTY))
    if found:
        raise FaultsError(found)
    return Draft(cause, effect, tuple(lines), tasks, typed.version)


def note_drafted(public: bool, id_text: str, en_text: str, outage: int | None = None) -> NoteDraft:  # noqa: FBT001
    """The note; raises FaultsError."""
    in_id, in_en = plain(id_text), plain(en_text)
    faults = list(_faults(fault_of("id", in_id, MOST_NOTE, lines=True), fault_of("en", in_en, MOST_NOTE, lines=True)))
    if not (in_id or in_en):
        faults.append(Fault("id", EMPTY))
    if faults:
        raise FaultsError(faults)
    return NoteDraft(public, in_id, in_en, outage)


def line_drafted(field: str, text: str, most: int, *, required: bool = False) -> str:
    """One line; raises FaultsError."""
    told = plain(text)
    fault = fault_of(field, told, most)
    if fault is None and required and not told:
        fault = Fault(field, EMPTY)
    if fault is not None:
        raise FaultsError([fault])
    return told


def _task_faults(typed: TypedTask, task: FollowUp) -> Iterator[Fault | None]:
    yield fault_of("follow_up", task.what, MOST_TASK)
    yield fault_of("follow_up", task.who, MOST_WHO)
    if not task.what:
        yield Fault("follow_up", NO_TASK)
    until = typed.until.strip()
    if _day(until) is None:
        yield Fault("follow_up", NO_SUCH_DAY, {"got": until[:40]})


def _day(typed: str) -> str | None:
    if not typed:
        return ""
    try:
        return date.fromisoformat(typed).isoformat()
    except ValueError:
        return None


def _faults(*found: Fault | None) -> Iterable[Fault]:
    return [one for one in found if one is not None]
