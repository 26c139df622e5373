import errno
import os
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from agent.checks.check_stage import ask, probe_of, problems_of, settings_of
from detak_agent.checks.base import CouldNotCheckError, Surroundings
from detak_agent.checks.filesystems import Filesystems
from detak_agent.checks.kinds.operating_system.kind import OsProbe, OsSettings
from detak_agent.checks.registry import REGISTRY

MEMINFO = """MemTotal:       16000000 kB
MemFree:          500000 kB
MemAvailable:    {available} kB
SwapTotal:       2000000 kB
SwapFree:        {swap_free} kB
HugePages_Total:       0
"""
MOUNTINFO = """22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 {root_options}
23 22 8:2 / /var ro,relatime shared:2 - xfs /dev/sda2 rw,attr2
24 22 0:5 / /proc rw - proc proc rw
"""


def machine(root: Path, *, available: int = 9_000_000, swap_free: int = 2_000_000, root_options: str = "rw") -> Path:
    for folder in ("proc/self", "etc", "var"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    (root / "proc/stat").write_text("cpu  100 0 100 800 0 0 0 0 0 0\ncpu0 50 0 50 400\ncpu1 50 0 50 400\nintr 5 1\n")
    (root / "proc/meminfo").write_text(MEMINFO.format(available=available, swap_free=swap_free))
    (root / "proc/loadavg").write_text("0.50 0.40 0.30 1/200 4242\n")
    (root / "proc/self/mountinfo").write_text(MOUNTINFO.format(root_options=root_options))
    return root


def numbers(used_percent: int, inodes_percent: int = 1) -> os.statvfs_result:
    free = 100 - used_percent
    return os.statvfs_result((4_096, 1_048_576, 100, free, free, 1_000, 10 * (100 - inodes_percent), 10, 0, 255))


def probe_with(
    root: Path, statvfs: dict[str, os.statvfs_result | OSError], clock: int | None = 5, **keys: Any
) -> OsProbe:
    def answer(path: Path) -> os.statvfs_result:
        found = statvfs["/" + str(path.relative_to(root)).lstrip(".")]
        if isinstance(found, OSError):
            raise found
        return found

    settings = settings_of("os", **keys)
    assert isinstance(settings, OsSettings)
    return OsProbe(settings, Surroundings(root), Filesystems(root, answer), lambda: clock)


WELL: dict[str, os.statvfs_result | OSError] = {"/": numbers(40), "/var": numbers(60)}


@pytest.mark.asyncio
async def test_this_real_machine_can_be_read() -> None:
    probe = probe_of("os")
    first, second = await probe.sample(4_000), await probe.sample(4_000)
    assert first.state in {"up", "degraded", "down"}
    assert 0 <= second.values["memory_available_percent"] <= 100
    assert any(name.startswith("disk_used_percent:/") for name in second.values)


@pytest.mark.asyncio
async def test_a_well_machine_is_up_and_says_how_well(tmp_path: Path) -> None:
    outcome = await probe_with(machine(tmp_path), WELL).sample(4_000)
    assert (outcome.state, outcome.message) == ("up", "memory 56.2 % available, fullest disk /var 60.0 %")


@pytest.mark.asyncio
async def test_a_nearly_full_disk_is_degraded_and_a_full_one_down(tmp_path: Path) -> None:
    machine(tmp_path)
    nearly = await probe_with(tmp_path, {**WELL, "/var": numbers(91)}).sample(4_000)
    assert (nearly.state, nearly.message) == ("degraded", "/var 91.0 % full, 9.0 MiB left (limit 90 %)")
    full = await probe_with(tmp_path, {"/": numbers(93), "/var": numbers(99)}).sample(4_000)
    assert full.state == "down"
    assert full.message == "/var 99.0 % full, 1.0 MiB left (limit 98 %); / 93.0 % full, 7.0 MiB left (limit 90 %)"


@pytest.mark.asyncio
async def test_used_up_inodes_are_said_so(tmp_path: Path) -> None:
    outcome = await probe_with(machine(tmp_path), {**WELL, "/": numbers(10, inodes_percent=98)}).sample(4_000)
    assert outcome.state == "down"
    assert outcome.message == "/ 98.0 % of its inodes used, room for 10 more files (limit 98 %)"


@pytest.mark.asyncio
@pytest.mark.parametrize("options", ["ro,errors=remount-ro", "rw,emergency_ro", "rw,shutdown"])
async def test_a_filesystem_that_turns_read_only_is_down(tmp_path: Path, options: str) -> None:
    probe = probe_with(machine(tmp_path), WELL)
    assert (await probe.sample(4_000)).state == "up"
    machine(tmp_path, root_options=options)
    outcome = await probe.sample(4_000)
    assert (outcome.state, outcome.message) == ("down", "/ is read-only, but should be writable")
    machine(tmp_path)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_filesystem_found_read_only_is_judged_by_fstab(tmp_path: Path) -> None:
    machine(tmp_path, root_options="ro")
    full = {**WELL, "/": numbers(100)}
    assert (await probe_with(tmp_path, full).sample(4_000)).state == "up"
    (tmp_path / "etc/fstab").write_text("# comment\n/dev/sda1 / ext4 defaults 0 1\n")
    assert (await probe_with(tmp_path, WELL).sample(4_000)).state == "down"
    (tmp_path / "etc/fstab").write_text("/dev/sda1 / ext4 noatime,ro 0 1\n")
    assert (await probe_with(tmp_path, WELL).sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_read_only_view_on_a_sound_filesystem_is_nothing(tmp_path: Path) -> None:
    (machine(tmp_path) / "etc/fstab").write_text("/dev/sda2 /var xfs defaults 0 2\n")
    assert (await probe_with(tmp_path, WELL).sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_stale_file_handle_is_down_and_a_forbidden_mount_nothing(tmp_path: Path) -> None:
    machine(tmp_path)
    stale = await probe_with(tmp_path, {**WELL, "/var": OSError(errno.ESTALE, "Stale file handle")}).sample(4_000)
    assert (stale.state, stale.message) == ("down", "/var does not work: Stale file handle")
    forbidden = await probe_with(tmp_path, {**WELL, "/var": OSError(errno.EACCES, "Permission denied")}).sample(4_000)
    assert forbidden.state == "up"


@pytest.mark.asyncio
async def test_a_wanted_filesystem_that_is_not_mounted_is_down(tmp_path: Path) -> None:
    outcome = await probe_with(machine(tmp_path), WELL, filesystems=["/", "/srv/data"]).sample(4_000)
    assert (outcome.state, outcome.message) == ("down", "/srv/data is not mounted")


@pytest.mark.asyncio
async def test_an_ignored_filesystem_is_not_even_asked(tmp_path: Path) -> None:
    assert (
        await probe_with(machine(tmp_path), {"/": numbers(1)}, ignore_filesystems=["/v*"]).sample(4_000)
    ).state == "up"


@pytest.mark.asyncio
async def test_a_hung_filesystem_is_named_and_asked_only_once(tmp_path: Path) -> None:
    machine(tmp_path)
    release, asked = threading.Event(), []

    def hang(path: Path) -> os.statvfs_result:
        asked.append(path)
        release.wait(10)
        return numbers(1)

    settings = settings_of("os")
    assert isinstance(settings, OsSettings)
    probe = OsProbe(settings, Surroundings(tmp_path), Filesystems(tmp_path, hang), lambda: 5)
    with pytest.raises(CouldNotCheckError, match=r"^/ hangs: its disk or file server does not answer"):
        await probe.sample(60)
    with pytest.raises(CouldNotCheckError, match="still hangs"):
        await probe.sample(60)
    assert len(asked) == 1
    release.set()


@pytest.mark.asyncio
async def test_little_memory_is_degraded_and_down_only_if_asked_for(tmp_path: Path) -> None:
    machine(tmp_path, available=100_000, swap_free=100_000)
    outcome = await probe_with(tmp_path, WELL).sample(4_000)
    assert outcome.state == "degraded"
    assert outcome.message == (
        "only 0.6 % of the memory available, 97.7 MiB (limit 5 %); swap 95.0 % used (limit 90 %)"
    )
    assert (await probe_with(tmp_path, WELL, memory_available_down_percent=1).sample(4_000)).state == "down"


@pytest.mark.asyncio
async def test_an_item_that_is_not_asked_for_says_nothing(tmp_path: Path) -> None:
    machine(tmp_path, available=1)
    probe = probe_with(tmp_path, {"/": numbers(100, 100), "/var": numbers(99)}, clock=None, items=["cpu", "load"])
    assert (await probe.sample(4_000)).state == "up"
    (tmp_path / "proc/loadavg").write_text("20.0 9.0 8.0 1/200 4242\n")
    busy = await probe.sample(4_000)
    assert (busy.state, busy.message) == ("degraded", "load 4.5 for each of the processors (limit 4)")


@pytest.mark.asyncio
async def test_busy_processors_are_degraded(tmp_path: Path) -> None:
    probe = probe_with(machine(tmp_path), WELL)
    await probe.sample(4_000)
    (tmp_path / "proc/stat").write_text("cpu  1090 0 100 810 0 0 0 0 0 0\ncpu0 1 1 1 1\ncpu1 1 1 1 1\n")
    outcome = await probe.sample(4_000)
    assert (outcome.state, outcome.message) == ("degraded", "processors 99.0 % busy over the last minute (limit 95 %)")


@pytest.mark.asyncio
async def test_an_unkept_clock_is_degraded(tmp_path: Path) -> None:
    machine(tmp_path)
    unkept = await probe_with(tmp_path, WELL, clock=None).sample(4_000)
    assert unkept.state == "degraded"
    assert "the clock is not synchronised" in unkept.message
    vague = await probe_with(tmp_path, WELL, clock=1_500).sample(4_000)
    assert (vague.state, vague.message) == ("degraded", "the clock may be 1500 ms wrong (limit 1000 ms)")


@pytest.mark.asyncio
async def test_what_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(CouldNotCheckError, match=r"proc/stat cannot be read: No such file"):
        await ask("os", root=tmp_path)


def test_wrong_settings_are_all_named() -> None:
    assert REGISTRY["os"].problems(settings_of("os")) == []
    wrong = problems_of(
        "os", items=[], filesystems=["data"], ignore_filesystems=["/x"], disk_down_percent=50, load_per_core_down=1,
        memory_available_down_percent=50,
    )  # fmt: skip
    assert [key for key, _ in wrong] == [
        "items", "filesystems", "ignore_filesystems", "disk_down_percent", "load_per_core_down",
        "memory_available_down_percent",
    ]  # fmt: skip


@pytest.mark.asyncio
async def test_reading_never_holds_up_the_loop(tmp_path: Path) -> None:
    machine(tmp_path)

    def slow(_path: Path) -> os.statvfs_result:
        assert threading.current_thread() is not threading.main_thread()
        time.sleep(0.001)
        return numbers(1)

    settings = settings_of("os")
    assert isinstance(settings, OsSettings)
    probe = OsProbe(settings, Surroundings(tmp_path), Filesystems(tmp_path, slow), lambda: 5)
    assert (await probe.sample(4_000)).state == "up"
