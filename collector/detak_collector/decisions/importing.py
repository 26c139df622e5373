"""What a calendar file proposes, given what is known already: nothing twice. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from detak_collector.decisions.calendar_file import Planned, uid_of
from detak_collector.decisions.persons import same_person
from detak_collector.decisions.proposal import ADD, EXCLUSION, REPLACE, TAKE_BACK, WITHDRAW
from detak_collector.decisions.recording import Draft, Ruling, Step
from detak_collector.decisions.register import Matter, Register, Root, State
from detak_collector.translation.saying import saying

CALLED_OFF = "called off in the calendar"


@dataclass(slots=True)
class Plan:
    """What is to be entered, in order, what is there already, and what stands in the way."""

    steps: list[Step] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def plan(register: Register, events: Sequence[Planned], author: str, file: str) -> Plan:
    """A new event is proposed, a changed one amends, one that was called off is withdrawn."""
    known: dict[str, Matter] = {}
    for matter in register.about(EXCLUSION):
        if not matter.is_withdrawal:
            known[uid_of(matter, register)] = matter
    made = Plan()
    for event in (*events, *_gone(known, events)):
        _plan_one(made, event, known.get(event.uid), register, (author, file))
    return made


def _gone(known: Mapping[str, Matter], events: Sequence[Planned]) -> Iterator[Planned]:
    """What stood in the place of one event of a series that the file has without it: the series has it again."""
    there = {one.uid: one for one in events}
    for uid, matter in known.items():
        series = there.get(uid.rpartition("/")[0])
        if series is not None and uid not in there and matter.live:
            yield Planned(uid, series.label, None)


def _plan_one(made: Plan, event: Planned, last: Matter | None, register: Register, told: tuple[str, str]) -> None:
    author, file = told
    if last is None:
        if event.record is not None:
            made.steps.append(Draft(EXCLUSION, ADD, record=event.record, uid=event.uid))
        return
    root = register.root_of(last)
    pending, in_force = root.pending, root.in_force
    if pending is not None and pending.is_withdrawal:
        if event.record is None:
            made.unchanged.append(saying("{name} is pending already: {event}", name=pending.name, event=event.label))
        else:
            made.problems.append(saying(
                "{event}: {name}, which is pending, would withdraw it: let that be decided first",
                event=event.label, name=pending.name,
            ))  # fmt: skip
        return
    standing = pending or in_force
    if event.record is None:
        _call_off(made, event, root, author)
    elif standing is None and last.proposal.body.record != event.record:
        made.steps.append(Draft(EXCLUSION, ADD, record=event.record, uid=event.uid))
    elif standing is None or standing.proposal.body.record == event.record or _was_refused(root.matters, event):
        of = standing or last
        state = saying("pending") if of.state is State.PENDING else saying(of.state.value)
        made.unchanged.append(saying("{name} is {state}: {event}", name=of.name, state=state, event=event.label))
    else:
        because = f"changed in {file}"
        made.steps.append(Draft(EXCLUSION, REPLACE, standing.name, event.record, because, uid=event.uid))


def _was_refused(matters: Sequence[Matter], event: Planned) -> bool:
    """Whether the latest of them said the same, and somebody has decided against it."""
    return matters[-1].proposal.body.record == event.record and matters[-1].state is State.REJECTED


def _call_off(made: Plan, event: Planned, root: Root, author: str) -> None:
    pending, in_force = root.pending, root.in_force
    if pending is not None and not same_person(pending.proposal.author, author):
        made.problems.append(saying(
            "{event}: is called off, but {person} proposed {name}: `detak-collector exclude reject {name}` ends it",
            event=event.label, person=pending.proposal.author, name=pending.name,
        ))  # fmt: skip
        return
    if pending is not None:
        made.steps.append(Ruling(EXCLUSION, pending.name, TAKE_BACK, CALLED_OFF))
    if in_force is not None:
        document = str((in_force.proposal.body.record or {}).get("document", ""))
        made.steps.append(Draft(EXCLUSION, WITHDRAW, in_force.name, None, CALLED_OFF, document))
    if pending is None and in_force is None:
        made.unchanged.append(saying("called off, and not in force: {event}", event=event.label))
