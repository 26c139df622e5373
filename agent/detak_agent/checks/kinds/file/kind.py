"""The check kind `file`: files are there, new enough, as large and as many as they should be, and say what they should.

What it reads of the file system is in `search`.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from detak_agent.checks.base import CheckSettings, CouldNotCheckError, Kind, Outcome, Silence, Surroundings
from detak_agent.checks.deadlines import patience_s
from detak_agent.checks.kinds.file.search import Found, Search, has_wildcards
from detak_agent.checks.threads import Lane
from detak_wire.messages import State

FUTURE_S = 60.0
"""A file may be this much newer than now: clocks of file servers differ."""

Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Bytes = Annotated[int, Meta(ge=0)]
Age = Annotated[float, Meta(gt=0)]


class FileSettings(CheckSettings, frozen=True, kw_only=True):
    """The keys of a check of kind `file`."""

    path: Annotated[str, Meta(min_length=2, max_length=1_000)]
    at_least: Count = 1
    count_degraded: Count | None = None
    count_down: Count | None = None
    age_of: Literal["newest", "oldest"] = "newest"
    age_degraded_s: Age | None = None
    age_down_s: Age | None = None
    size_least_bytes: Bytes = 0
    size_degraded_bytes: Bytes | None = None
    size_down_bytes: Bytes | None = None
    pattern: Annotated[str, Meta(max_length=500)] = ""


def problems(settings: FileSettings) -> list[tuple[str, str]]:
    """What the types cannot say."""
    found = []
    folder, _, name = settings.path.rpartition("/")
    if not settings.path.startswith("/"):
        found.append(("path", "must be absolute"))
    if has_wildcards(folder) or not name:
        found.append(("path", "must end in a file's name, and may have *, ? and [...] in that name only"))
    for what in ("count", "age", "size"):
        unit = {"age": "_s", "size": "_bytes"}.get(what, "")
        degraded, down = (getattr(settings, f"{what}_{state}{unit}") for state in ("degraded", "down"))
        if degraded is not None and down is not None and down < degraded:
            found.append((f"{what}_down{unit}", f"must not be less than {what}_degraded{unit}"))
    found += _of_count(settings)
    try:
        re.compile(settings.pattern.encode())
    except re.error as error:
        found.append(("pattern", f"is no regular expression: {error}"))
    return found


def _of_count(settings: FileSettings) -> list[tuple[str, str]]:
    most = [limit for limit in (settings.count_degraded, settings.count_down) if limit is not None]
    if any(limit < settings.at_least for limit in most):
        return [("at_least", "must not be more than count_degraded and count_down")]
    if settings.at_least > 1 and not has_wildcards(settings.path):
        return [("at_least", "must be 0 or 1 where the path names one file")]
    if settings.at_least == 0 and not most and not _looks_closer(settings):
        return [("at_least", "0 asks for nothing: add count_down = 0 if the file must not be there")]
    return []


def _looks_closer(settings: FileSettings) -> bool:
    limits = (settings.age_degraded_s, settings.age_down_s, settings.size_degraded_bytes, settings.size_down_bytes)
    return bool(settings.pattern or settings.size_least_bytes) or any(limit is not None for limit in limits)


def judge(search: Search, settings: FileSettings, now_s: float) -> Outcome:
    """Pure: the state for what was found; `now_s` is the wall clock, as the times of files are."""
    values: dict[str, float] = {"files": float(search.count)}
    found = [_of_number(search, settings)]
    aged, looked_at = search.oldest if settings.age_of == "oldest" else search.newest, search.newest
    if aged is not None:
        values["age_s"] = now_s - aged.modified_s
        found.append(_of_age(aged, settings, now_s))
    if looked_at is not None and looked_at.is_file:
        values["size_bytes"] = float(looked_at.size_bytes)
        found += [_of_size(looked_at, settings), _of_content(looked_at, settings)]
    for state in ("down", "degraded"):
        said = [words for severity, words in found if severity == state]
        if said:
            return Outcome(state, "; ".join(said), values=values)
    return Outcome("up", _summary(search, now_s), values=values)


Finding = tuple[State, str]
_FINE: Finding = ("up", "")


def _of_number(search: Search, settings: FileSettings) -> Finding:
    one = not has_wildcards(settings.path)
    if search.count < settings.at_least:
        if one or search.missing_folder:
            return "down", f"{search.missing_folder or settings.path} is not there"
        return "down", f"{_files(search.count)} {settings.path}, at least {settings.at_least} should be there"
    state = _beyond(search.count, settings.count_degraded, settings.count_down)
    if state == "up":
        return _FINE
    limit = settings.count_down if state == "down" else settings.count_degraded
    if one:
        return state, f"{settings.path} is there, and should not be"
    return state, f"{_files(search.count)} {settings.path}, at most {limit} should be there"


def _of_age(file: Found, settings: FileSettings, now_s: float) -> Finding:
    if settings.age_degraded_s is None and settings.age_down_s is None:
        return _FINE
    age_s = now_s - file.modified_s
    if age_s < -FUTURE_S:
        return (
            "degraded",
            f"{file.path} was changed {_span(-age_s)} in the future: a clock is wrong, its age says nothing",
        )
    state = _beyond(age_s, settings.age_degraded_s, settings.age_down_s)
    limit = settings.age_down_s if state == "down" else settings.age_degraded_s
    if state == "up" or limit is None:
        return _FINE
    return state, f"{file.path} was last changed {_span(age_s)} ago, at most {_span(limit)} are allowed"


def _of_size(file: Found, settings: FileSettings) -> Finding:
    size = f"{file.path} has {file.size_bytes} bytes"
    if file.size_bytes < settings.size_least_bytes:
        return "down", f"{size}, at least {settings.size_least_bytes} are expected"
    state = _beyond(file.size_bytes, settings.size_degraded_bytes, settings.size_down_bytes)
    limit = settings.size_down_bytes if state == "down" else settings.size_degraded_bytes
    return (state, f"{size}, at most {limit} are expected") if state != "up" else _FINE


def _of_content(file: Found, settings: FileSettings) -> Finding:
    if file.matches is not False:
        return _FINE
    where = "the part that was read of " if file.cut else ""
    return "down", f"nothing in {where}{file.path} matches {settings.pattern!r}"


def _beyond(value: float, degraded: float | None, down: float | None) -> State:
    if down is not None and value > down:
        return "down"
    return "degraded" if degraded is not None and value > degraded else "up"


def _files(count: int) -> str:
    return "1 file matches" if count == 1 else f"{count} files match"


def _span(seconds: float) -> str:
    """A length of time as people say it."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.3g} {unit}"
    return f"{seconds:.3g} s"


def _summary(search: Search, now_s: float) -> str:
    if search.newest is None:
        return "not there, as it should be"
    file = search.newest
    size = f", {file.size_bytes} bytes" if file.is_file else ""
    newest = f"{file.path}: changed {_span(max(0.0, now_s - file.modified_s))} ago{size}"
    return newest if search.count == 1 else f"{search.count} files, the newest {newest}"


class FileProbe:
    """Looks in a daemon thread: a dead disk or file server holds up nothing but its own sample."""

    def __init__(self, settings: FileSettings, root: Path, wall_clock: Callable[[], float] = time.time) -> None:
        self._settings = settings
        self._root = root
        self._wall_clock = wall_clock
        self._pattern = re.compile(settings.pattern.encode(), re.MULTILINE) if settings.pattern else None
        self._lane = Lane()

    async def sample(self, deadline_ms: int) -> Outcome:
        try:
            return await self._lane.run(lambda: self._look(patience_s(deadline_ms)), deadline_ms)
        except asyncio.TimeoutError:
            raise CouldNotCheckError(f"{self._settings.path} hangs: its disk or file server does not answer") from None

    def _look(self, within_s: float) -> Outcome:
        search = Search(self._settings.path, self._root, time.monotonic() + within_s)
        search.run()
        search.read_newest(self._pattern)
        return judge(search, self._settings, self._wall_clock())


def build(settings: FileSettings, surroundings: Surroundings) -> FileProbe:
    """The probe for these settings."""
    return FileProbe(settings, surroundings.root)


KIND = Kind(
    name="file",
    summary="Files are there, new enough, as large and as many as they should be, and hold what they should",
    settings=FileSettings,
    build=build,
    target=lambda settings: f"file {settings.path}",
    remote=lambda _settings: False,
    silence=Silence.UNKNOWN,
    problems=problems,
)
