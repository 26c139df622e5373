import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import ask, probe_of, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.file.kind import FileSettings, judge
from detak_agent.checks.kinds.file.search import Found, Search

HOUR_S = 3_600


def write(folder: Path, name: str, content: str = "x", age_s: float = 0) -> Path:
    path = folder / name
    path.write_text(content)
    changed = time.time() - age_s
    os.utime(path, (changed, changed))
    return path


async def look(path: Path | str, **keys: Any) -> tuple[str, str]:
    outcome = await ask("file", path=str(path), **keys)
    return outcome.state, outcome.message


@pytest.mark.asyncio
async def test_a_file_that_is_there_is_up_and_measured(tmp_path: Path) -> None:
    outcome = await ask("file", path=str(write(tmp_path, "dump", "12345", 90)))
    assert outcome.state == "up"
    assert outcome.message == f"{tmp_path}/dump: changed 90 s ago, 5 bytes"
    assert (outcome.values["files"], outcome.values["size_bytes"]) == (1, 5)
    assert 90 <= outcome.values["age_s"] < 100


@pytest.mark.asyncio
async def test_a_missing_file_is_down(tmp_path: Path) -> None:
    assert await look(tmp_path / "dump") == ("down", f"{tmp_path}/dump is not there")
    assert await look(tmp_path / "no/dump") == ("down", f"{tmp_path}/no/dump is not there")
    assert await look(tmp_path / "no/*.gz") == ("down", f"{tmp_path}/no is not there")


@pytest.mark.asyncio
async def test_a_file_that_must_not_be_there(tmp_path: Path) -> None:
    flag = tmp_path / "maintenance"
    assert await look(flag, at_least=0, count_down=0) == ("up", "not there, as it should be")
    flag.touch()
    assert await look(flag, at_least=0, count_down=0) == ("down", f"{flag} is there, and should not be")


@pytest.mark.asyncio
async def test_an_old_file_is_degraded_and_then_down(tmp_path: Path) -> None:
    limits = {"age_degraded_s": 24 * HOUR_S, "age_down_s": 48 * HOUR_S}
    assert (await look(write(tmp_path, "dump", age_s=23 * HOUR_S), **limits))[0] == "up"
    assert await look(write(tmp_path, "dump", age_s=36 * HOUR_S), **limits) == (
        "degraded", f"{tmp_path}/dump was last changed 36 h ago, at most 24 h are allowed"
    )  # fmt: skip
    assert await look(write(tmp_path, "dump", age_s=72 * HOUR_S), **limits) == (
        "down", f"{tmp_path}/dump was last changed 3 d ago, at most 2 d are allowed"
    )  # fmt: skip


@pytest.mark.asyncio
async def test_a_file_from_the_future_says_nothing_of_its_age(tmp_path: Path) -> None:
    state, message = await look(write(tmp_path, "dump", age_s=-HOUR_S), age_down_s=60)
    assert state == "degraded"
    assert "in the future: a clock is wrong" in message
    assert (await look(tmp_path / "dump"))[0] == "up"


@pytest.mark.asyncio
async def test_a_file_too_small_or_too_large(tmp_path: Path) -> None:
    path = write(tmp_path, "dump", "x" * 50)
    assert await look(path, size_least_bytes=51) == ("down", f"{path} has 50 bytes, at least 51 are expected")
    assert await look(path, size_degraded_bytes=49) == ("degraded", f"{path} has 50 bytes, at most 49 are expected")
    assert await look(path, size_degraded_bytes=10, size_down_bytes=49) == (
        "down", f"{path} has 50 bytes, at most 49 are expected"
    )  # fmt: skip
    assert (await look(path, size_least_bytes=50, size_down_bytes=50))[0] == "up"


@pytest.mark.asyncio
async def test_files_are_counted_by_a_pattern_of_their_names(tmp_path: Path) -> None:
    for name in ("a.gz", "b.gz", "c.txt", ".d.gz"):
        write(tmp_path, name)
    path = tmp_path / "*.gz"
    assert (await look(path, at_least=2))[0] == "up"
    assert await look(path, at_least=3) == ("down", f"2 files match {path}, at least 3 should be there")
    assert await look(path, count_degraded=1) == ("degraded", f"2 files match {path}, at most 1 should be there")
    assert await look(path, count_degraded=1, count_down=1) == (
        "down", f"2 files match {path}, at most 1 should be there"
    )  # fmt: skip


@pytest.mark.asyncio
async def test_the_age_is_that_of_the_newest_or_of_the_oldest(tmp_path: Path) -> None:
    write(tmp_path, "a.req", age_s=10)
    write(tmp_path, "b.req", age_s=500)
    assert (await look(tmp_path / "*.req", age_down_s=100))[0] == "up"
    state, message = await look(tmp_path / "*.req", age_down_s=100, age_of="oldest")
    assert state == "down"
    assert message.startswith(f"{tmp_path}/b.req was last changed ")


@pytest.mark.asyncio
async def test_the_content_is_searched_as_far_as_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path, "result", "begin\nRESULT: OK\n")
    assert (await look(path, pattern="^RESULT: OK$"))[0] == "up"
    assert await look(path, pattern="FAILED") == ("down", f"nothing in {path} matches 'FAILED'")
    path = write(tmp_path, "result", "x" * 300_000 + "\nRESULT: OK\n")
    assert await look(path, pattern="^RESULT: OK$") == (
        "down", f"nothing in the part that was read of {path} matches '^RESULT: OK$'"
    )  # fmt: skip


@pytest.mark.asyncio
async def test_everything_wrong_is_said_at_once(tmp_path: Path) -> None:
    path = write(tmp_path, "dump", "x", age_s=100)
    state, message = await look(path, age_down_s=10, size_least_bytes=5, size_degraded_bytes=7)
    assert state == "down"
    assert "was last changed" in message
    assert "at least 5 are expected" in message


@pytest.mark.asyncio
async def test_a_broken_link_is_not_there_and_a_folder_is(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    assert (await look(tmp_path / "link"))[0] == "down"
    outcome = await ask("file", path=str(tmp_path), pattern="x", size_least_bytes=10**9)
    assert outcome.state == "up"
    assert "size_bytes" not in outcome.values


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody without rights")
@pytest.mark.asyncio
async def test_a_folder_without_the_right_to_look_is_unknown(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(0o700)
    write(closed, "dump")
    with pytest.raises(CouldNotCheckError, match="the agent's user has no right to"):
        await as_nobody("file", path=str(closed / "dump"))


async def as_nobody(kind: str, **keys: Any) -> Outcome:
    probe = probe_of(kind, **keys)
    before = os.geteuid()
    os.seteuid(65_534)
    try:
        return await probe.sample(4_000)
    finally:
        os.seteuid(before)


@pytest.mark.asyncio
async def test_a_file_server_that_hangs_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()

    def hang(_search: Search) -> None:
        release.wait(10)

    monkeypatch.setattr(Search, "run", hang)
    with pytest.raises(CouldNotCheckError, match="hangs: its disk or file server does not answer"):
        await ask("file", 100, path=str(tmp_path / "dump"))
    release.set()


@pytest.mark.asyncio
async def test_a_folder_with_too_many_entries_to_look_at_is_unknown(tmp_path: Path) -> None:
    write(tmp_path, "a")
    search = Search(f"{tmp_path}/*", until=time.monotonic() - 1)
    with pytest.raises(CouldNotCheckError, match="more entries than can be looked at in time"):
        search.run()


@pytest.mark.asyncio
async def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert (await look(tmp_path / "pipe", pattern="x"))[0] == "up"


def test_a_span_is_told_as_people_say_it() -> None:
    settings = settings_of("file", path="/x", age_down_s=1)
    assert isinstance(settings, FileSettings)

    def told(age_s: float) -> str:
        search = Search("/x")
        search.count, search.newest = 1, Found("/x", 1_000_000 - age_s, 0, is_file=True)
        return judge(search, settings, 1_000_000).message.partition("changed ")[2].partition(" ago")[0]

    assert [told(age) for age in (2, 119, 120, 7_199, 7_200, 172_800, 8_640_000)] == [
        "2 s", "119 s", "2 min", "120 min", "2 h", "2 d", "100 d"
    ]  # fmt: skip


def test_wrong_settings_are_all_named() -> None:
    assert problems_of("file", path="x/*/y", age_degraded_s=5, age_down_s=1, pattern="(") == [
        ("path", "must be absolute"),
        ("path", "must end in a file's name, and may have *, ? and [...] in that name only"),
        ("age_down_s", "must not be less than age_degraded_s"),
        ("pattern", "is no regular expression: missing ), unterminated subpattern at position 0"),
    ]
    assert [key for key, _ in problems_of("file", path="/x", at_least=0)] == ["at_least"]
    assert [key for key, _ in problems_of("file", path="/x", at_least=2)] == ["at_least"]
    assert [key for key, _ in problems_of("file", path="/x*", count_down=0)] == ["at_least"]
