import os
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import open_files, open_files_at_first, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.log import tail as log_tail
from detak_agent.checks.kinds.log.kind import LogProbe, LogSettings, Reading
from detak_agent.checks.kinds.log.tail import LogTail, New


class Watched:
    """A log file, and a check of it whose clock the test sets."""

    def __init__(self, folder: Path, text: str = "", **keys: Any) -> None:
        self.path = folder / "app.log"
        self.path.write_text(text)
        self.now_ms = 0
        self.probe = self.new_probe(**{"pattern": "ERROR", **keys})

    def new_probe(self, **keys: Any) -> LogProbe:
        settings = settings_of("log", path=str(self.path), **keys)
        assert isinstance(settings, LogSettings)
        return LogProbe(settings, Path("/"), lambda: self.now_ms)

    def write(self, text: str) -> None:
        with self.path.open("a") as file:
            file.write(text)

    async def look(self, after_ms: int = 5_000) -> Outcome:
        self.now_ms += after_ms
        return await self.probe.sample(4_000)

    async def state(self, after_ms: int = 5_000) -> str:
        return (await self.look(after_ms)).state


@pytest.mark.asyncio
async def test_what_was_there_before_the_first_sample_is_of_no_interest(tmp_path: Path) -> None:
    log = Watched(tmp_path, "ERROR old\n")
    assert [await log.state(), await log.state()] == ["up", "up"]


@pytest.mark.asyncio
async def test_a_matching_line_is_degraded_for_as_long_as_it_is_held(tmp_path: Path) -> None:
    log = Watched(tmp_path, hold_ms=12_000)
    assert await log.state() == "up"
    log.write("fine\nERROR disk on fire\nfine\n")
    outcome = await log.look()
    assert outcome.state == "degraded"
    assert outcome.message == f"a line of {log.path} matches 'ERROR': ERROR disk on fire"
    assert outcome.values == {"new_lines": 3, "matching_lines": 1}
    assert [await log.state(), await log.state(), await log.state()] == ["degraded", "degraded", "up"]


@pytest.mark.asyncio
async def test_another_matching_line_holds_it_anew(tmp_path: Path) -> None:
    log = Watched(tmp_path, hold_ms=8_000, state="down")
    await log.look()
    log.write("ERROR one\n")
    assert await log.state() == "down"
    log.write("ERROR two\n")
    assert [await log.state(), await log.state(), await log.state()] == ["down", "down", "up"]


@pytest.mark.asyncio
async def test_an_ok_line_ends_it_and_without_a_time_nothing_else_does(tmp_path: Path) -> None:
    log = Watched(tmp_path, ok_pattern="recovered", hold_ms=0)
    await log.look()
    log.write("ERROR\n")
    assert [await log.state(), await log.state(86_400_000)] == ["degraded", "degraded"]
    log.write("recovered\n")
    assert await log.state() == "up"


@pytest.mark.asyncio
async def test_a_line_that_is_ignored_does_not_count(tmp_path: Path) -> None:
    log = Watched(tmp_path, ignore_pattern="harmless")
    await log.look()
    log.write("ERROR harmless\n")
    assert await log.state() == "up"


@pytest.mark.asyncio
async def test_trouble_that_came_and_went_between_two_samples_leaves_a_mark(tmp_path: Path) -> None:
    log = Watched(tmp_path, ok_pattern="recovered")
    before = await log.look()
    log.write("ERROR\nrecovered\n")
    after = await log.look()
    assert after.state == "up"
    assert after.marks != before.marks
    assert (await log.look()).marks == after.marks


@pytest.mark.asyncio
async def test_trouble_that_was_seen_and_then_went_leaves_no_mark(tmp_path: Path) -> None:
    log = Watched(tmp_path, ok_pattern="recovered")
    before = await log.look()
    log.write("ERROR\n")
    await log.look()
    log.write("ERROR\nrecovered\n")
    assert (await log.look()).marks == before.marks


@pytest.mark.asyncio
async def test_a_line_counts_once_it_is_whole(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    await log.look()
    log.write("ERR")
    assert await log.state() == "up"
    log.write("OR now\n")
    assert (await log.look()).message.endswith(": ERROR now")


@pytest.mark.asyncio
async def test_the_line_is_not_told_where_it_may_hold_secrets(tmp_path: Path) -> None:
    log = Watched(tmp_path, show_line=False)
    await log.look()
    log.write("ERROR password is tulip\n")
    assert (await log.look()).message == f"a line of {log.path} matches 'ERROR'"


@pytest.mark.asyncio
async def test_rotation_by_renaming_loses_no_line(tmp_path: Path) -> None:
    log = Watched(tmp_path, hold_ms=1)
    await log.look()
    log.write("ERROR last of the old file\n")
    old = log.path.rename(tmp_path / "app.log.1")
    log.path.write_text("ERROR first of the new file\n")
    outcome = await log.look()
    assert outcome.values["matching_lines"] == 2
    with old.open("a") as file:
        file.write("ERROR the writer has not noticed yet\n")
    assert (await log.look()).message.endswith("ERROR the writer has not noticed yet")
    assert await log.state() == "up"
    log.write("ERROR again\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_between_renaming_and_creating_it_goes_on(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    await log.look()
    log.path.rename(tmp_path / "app.log.1")
    assert await log.state() == "up"
    log.path.write_text("ERROR new\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_a_file_that_stays_away_is_unknown_and_read_from_its_begin_when_it_comes(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    log.path.unlink()
    with pytest.raises(CouldNotCheckError, match="is not there"):
        await log.look()
    log.path.write_text("ERROR at once\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_a_deleted_file_gives_its_place_on_the_disk_back(tmp_path: Path) -> None:
    log = Watched(tmp_path, "x\n")
    await log.look()
    log.path.unlink()
    await log.look()
    with pytest.raises(CouldNotCheckError):
        await log.look()
    assert not [name for name in open_paths() if str(tmp_path) in name]


@pytest.mark.asyncio
async def test_a_truncated_file_is_read_from_its_begin(tmp_path: Path) -> None:
    log = Watched(tmp_path, "a long line that was there\n" * 10)
    await log.look()
    log.path.write_text("ERROR after\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_copytruncate_is_noticed_even_where_the_file_has_grown_beyond(tmp_path: Path) -> None:
    log = Watched(tmp_path, "first\nsecond\n")
    await log.look()
    shutil.copy(log.path, tmp_path / "app.log.1")
    os.truncate(log.path, 0)
    log.write("ERROR right after\n" + "filler\n" * 100)
    outcome = await log.look()
    assert outcome.values["matching_lines"] == 1
    assert await log.state(120_000) == "up"


@pytest.mark.asyncio
async def test_a_file_that_grows_too_fast_is_unknown_unless_what_was_read_is_bad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_tail, "MOST_BYTES", 1_000)
    log = Watched(tmp_path, hold_ms=1)
    await log.look()
    log.write("filler\n" * 1_000)
    with pytest.raises(CouldNotCheckError, match="grows faster than it can be searched: 6000 bytes were left out"):
        await log.look()
    assert await log.state() == "up"
    log.write("filler\n" * 1_000 + "ERROR\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_a_line_without_end_is_taken_at_last(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    await log.look()
    log.write("ERROR " + "x" * log_tail.LONGEST_LINE_BYTES)
    outcome = await log.look()
    assert outcome.state == "degraded"
    assert len(outcome.message) < 500


@pytest.mark.asyncio
async def test_bytes_that_are_no_text_are_searched_too(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    await log.look()
    with log.path.open("ab") as file:
        file.write(b"\xff\xfe ERROR \0\n")
    assert await log.state() == "degraded"


@pytest.mark.asyncio
async def test_a_folder_is_no_log(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    log.path.unlink()
    log.path.mkdir()
    with pytest.raises(CouldNotCheckError, match="is no ordinary file"):
        await log.look()


@pytest.mark.asyncio
async def test_samples_leave_no_descriptors(tmp_path: Path) -> None:
    log = Watched(tmp_path)
    await log.look()
    before = open_files_at_first()
    for number in range(50):
        log.write("x\n")
        if number % 10 == 0:
            log.path.rename(tmp_path / f"app.log.{number}")
            log.path.touch()
        await log.look()
    assert open_files() <= before


@pytest.mark.asyncio
async def test_a_file_server_that_hangs_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(_tail: LogTail) -> New:
        release.wait(10)
        return New([])

    monkeypatch.setattr(LogTail, "read", hang)
    log = Watched(tmp_path)
    with pytest.raises(CouldNotCheckError, match="hangs: its disk or file server does not answer"):
        await log.probe.sample(100)
    release.set()


@given(st.lists(st.lists(st.sampled_from(["ERROR", "recovered", "x"]), max_size=4), max_size=8))
def test_after_any_lines_the_last_that_says_something_decides(samples: list[list[str]]) -> None:
    settings = settings_of("log", path="/x", pattern="ERROR", ok_pattern="recovered", hold_ms=0)
    assert isinstance(settings, LogSettings)
    reading = Reading(settings)
    for number, lines in enumerate(samples):
        reading.take(lines, number)
    said = [line for lines in samples for line in lines if line != "x"]
    assert (reading.trouble is not None) == (said[-1:] == ["ERROR"])


def open_paths() -> list[str]:
    return [os.path.realpath(f"/proc/self/fd/{entry.name}") for entry in Path("/proc/self/fd").iterdir()]


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("log", path="x.log", pattern="(", hold_ms=0) == [
        ("path", "must be absolute"),
        ("hold_ms", "0 means until ok_pattern is found: add that, or say for how long"),
        ("pattern", "is no regular expression: missing ), unterminated subpattern at position 0"),
    ]
