"""What is told of a run, in Markdown: made from its results alone, so that it can be told again. Pure."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from lab.results import Results
from lab.scores import Scores, mean, score
from lab.standing import SETTLED_MS, Held, Standing, standings
from lab.truth import Outage
from lab.verdicts import Limit, in_classes, last_line, limits, table

SHOWN = 40
_HEADS = (
    "tool", "outages noticed", "made up", "mean error", "90 % within", "counted of the true downtime",
    "known after (median)", "truth within its bounds",
)  # fmt: skip

_PARTS = {"undisturbed": False, "while Detak's agents, collectors or networks are disturbed": True}


def scores(results: Results) -> tuple[Scores, Scores]:
    """Detak's, of the outages that nothing disturbed, and of every one."""
    every = score(results.every, results.said, results.sights, results.expected, results.categories)
    return _of(every, results.alone), every


def required(results: Results) -> list[Limit]:
    """The limits, each with what was measured."""
    return list(limits(*scores(results), results.evidence, results.expected, results.pace))


def is_good(results: Results) -> bool:
    """Whether every limit is met and every fault could be played."""
    return not results.failed and all(one.is_met for one in required(results))


def told(results: Results) -> Iterator[str]:
    """All of it, line by line; the last is the whole in one."""
    yield from of_kinds(results)
    if results.peers:
        yield from (*compared(results), "", *by_kind(results), "", *_versions(results), "")
    yield from verdict(results)


def of_kinds(results: Results) -> Iterator[str]:
    """Detak's scores: by what is to be detected, then kind by kind."""
    alone, every = scores(results)
    yield from (*in_classes(alone, results.expected, "alone, by what happens"), "")
    yield from (*table(alone, results.expected, "alone"), "")
    if results.mixed:
        yield from (*table(_of(every, results.mixed), results.expected, "while others disturb"), "")


def verdict(results: Results) -> Iterator[str]:
    """What was wrong, the limits, and the last line."""
    alone, every = scores(results)
    flaws = list(_flaws(results, every))
    yield from flaws[:SHOWN]
    if len(flaws) > SHOWN:
        yield f"and {len(flaws) - SHOWN} more"
    yield ""
    yield from map(str, required(results))
    yield last_line(alone, every, results.evidence, results.pace)


def occasion(results: Results) -> str:
    """When, where and how the run was, in a sentence."""
    run = results.run
    return (
        f"Run on {_date(results)} with `{run.arguments}`: {len(results.every)} outages in "
        f"{(run.ended - run.began) / 60_000:.0f} minutes, a check every {results.pace.interval_ms / 1_000:g} s, on one "
        f"machine ({run.machine}{_load(results)})."
    )


def where_and_when(results: Results) -> str:
    """The same in a line that has room in a picture."""
    return f"{_date(results)}, all on one machine: {results.run.machine}{_load(results)}"


def _date(results: Results) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(results.run.began / 1_000))


def _load(results: Results) -> str:
    load = results.run.load
    return f"; load average {min(load):.1f} to {max(load):.1f}" if load else ""


def compared(results: Results) -> Iterator[str]:
    """A row for each tool: how far its downtime is off, over the same outages."""
    yield f"| {' | '.join(_HEADS)} |"
    yield "|---" * len(_HEADS) + "|"
    for words, disturbed in _PARTS.items():
        tools = standings(results, disturbed=disturbed)
        if any(one.held for one in tools):
            yield f"| *{words}* |" + " |" * (len(_HEADS) - 1)
            yield from map(_tool, tools)
    yield ""
    yield (
        "Compared are the outages of services and kinds that all were told of, from "
        f"{SETTLED_MS // 60_000} minutes after their start on."
    )


def _tool(one: Standing) -> str:
    cells = _cells(one) if not one.trouble else [f"could not: {one.trouble[:100]}", *[""] * (len(_HEADS) - 2)]
    return f"| {' | '.join([one.tool, *cells])} |"


def _cells(one: Standing) -> list[str]:
    of, known = len(one.held), one.known_ms
    return [
        f"{of - one.missed} of {of}", str(one.made_up), seconds(one.mean_error_ms), seconds(one.error_ms(90)),
        f"{one.counted_percent:.1f} %", "-" if known is None else seconds(known),
        "states none" if one.within is None else f"{one.within} of {of}",
    ]  # fmt: skip


def by_kind(results: Results) -> Iterator[str]:
    """The mean error of each tool in each kind of fault, where nothing else goes wrong; the least is bold."""
    tools = [one for one in standings(results, disturbed=False) if not one.trouble]
    yield f"| mean error | outages | {' | '.join(one.tool for one in tools)} |"
    yield "|---" * (len(tools) + 2) + "|"
    for kind in sorted({_kind(one) for tool in tools for one in tool.held}):
        of_kind = [[abs(one.error_ms) for one in tool.held if _kind(one) == kind] for tool in tools]
        yield f"| {kind} | {len(of_kind[0])} | {' | '.join(_least_bold([mean(errors) for errors in of_kind]))} |"


def _kind(one: Held) -> str:
    return one.outage.kind.partition(":")[0]


def _least_bold(errors: Sequence[float]) -> list[str]:
    words = [seconds(one) for one in errors]
    return [f"**{word}**" if word == words[errors.index(min(errors))] else word for word in words]


def seconds(length_ms: float) -> str:
    """For people."""
    return f"{length_ms / 1_000:.{2 if length_ms < 995 else 1}f} s"


def _versions(results: Results) -> list[str]:
    return [f"{one.tool}: {one.version or one.trouble}" for one in results.peers]


def _of(scores_of_all: Scores, outages: Sequence[Outage]) -> Scores:
    """The verdicts on these alone."""
    these = set(outages)
    return Scores([one for one in scores_of_all.verdicts if one.outage in these])


def _flaws(results: Results, every: Scores) -> Iterator[str]:
    yield from (f"could not: {one}" for one in results.failed)
    for one in every.verdicts:
        for word, flaw in (("outside", one.outside), ("wrong", one.wrong)):
            if flaw:
                yield f"{word}: {one.outage.kind}, {one.outage.service}, at {one.outage.begin}: {flaw}"
    yield from (f"false: {service} {begin}..{end}, {end - begin} ms" for service, begin, end in every.false)
    yield from (f"certain, and never broken: {service} {begin}..{end}" for service, begin, end in every.stray)
    yield from (f"lost: {one}" for one in results.evidence.lost)
    yield from (f"differs: {one}" for one in results.evidence.differing)
    yield from (f"excluded: {one}" for one in results.evidence.excluded)
