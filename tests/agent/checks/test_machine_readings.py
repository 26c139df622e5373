import os
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from detak_agent.checks.filesystems import Mount, parse_fstab, parse_mounts, select, usage_of
from detak_agent.checks.kinds.operating_system.health import size, tenths
from detak_agent.checks.machine import TICKS_PER_SECOND, BusyMinute, CpuTimes, parse_cpu, parse_load, parse_memory

MOUNTS = r"""22 1 8:1 / / ro,relatime shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
23 22 8:1 /var/lib/detak /var/lib/detak rw shared:1 - ext4 /dev/sda1 rw,errors=remount-ro
24 22 0:44 / /mnt/my\040share rw master:3 propagate_from:2 - nfs4 server:/export rw,hard
25 22 7:1 / /snap/core ro - squashfs /dev/loop1 ro
26 22 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
27 22 0:51 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755
28 22 8:3 / /data rw - xfs /dev/sdb1 rw
29 28 8:4 / /data rw - xfs /dev/sdc1 ro
"""

FSTAB = r"""# /dev/x /no ext4 ro 0 0

UUID=1 / ext4 defaults,errors=remount-ro 0 1
/dev/sr0 /media/cd\040rom iso9660 user,ro 0 0
bad
"""


def test_the_kernel_s_own_files_parse() -> None:
    assert parse_cpu(Path("/proc/stat").read_text()).cores == os.cpu_count()
    memory = parse_memory(Path("/proc/meminfo").read_text())
    assert 0 < memory.available <= memory.total
    assert parse_load(Path("/proc/loadavg").read_text()).one >= 0
    assert "/" in {mount.path for mount in parse_mounts(Path("/proc/self/mountinfo").read_text())}


def test_waiting_for_a_disk_is_not_being_busy() -> None:
    times = parse_cpu("cpu  10 1 5 70 14 2 3 4 9 9\ncpu0 1 1\ncpu1 1 1\nctxt 5\n")
    total = 10 + 1 + 5 + 70 + 14 + 2 + 3 + 4
    assert times == CpuTimes(busy=10 + 1 + 5 + 2 + 3 + 4, total=total, cores=2, waiting=14, stolen=4)


def test_a_machine_without_swap_uses_none() -> None:
    memory = parse_memory("MemTotal: 100 kB\nMemAvailable: 25 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n")
    assert (memory.available_percent, memory.swap_used_percent) == (25.0, 0.0)


def test_the_usage_of_processors_reaches_back_one_minute_and_no_further() -> None:
    minute = BusyMinute()
    second = TICKS_PER_SECOND
    assert minute.percent(CpuTimes(0, 0, 1)) is None
    assert minute.percent(CpuTimes(60 * second, 60 * second, 1)) == 100
    assert minute.percent(CpuTimes(60 * second, 120 * second, 1)) == 0
    assert minute.percent(CpuTimes(60 * second, 150 * second, 1)) == 0


@given(st.lists(st.tuples(st.integers(0, 5_000), st.integers(0, 5_000)), min_size=2, max_size=50))
def test_the_usage_of_processors_is_always_a_percentage(steps: list[tuple[int, int]]) -> None:
    minute, busy, total = BusyMinute(), 0, 0
    for busy_step, idle_step in steps:
        busy, total = busy + busy_step, total + busy_step + idle_step
        percent = minute.percent(CpuTimes(busy, total, 2))
        assert percent is None or 0 <= percent <= 100


def test_each_filesystem_that_can_fill_up_is_looked_at_once() -> None:
    chosen = select(parse_mounts(MOUNTS), wanted=(), ignored=())
    assert [(mount.path, mount.device, mount.read_only) for mount in chosen] == [
        ("/", "8:1", False),
        ("/data", "8:4", True),
        ("/mnt/my share", "0:44", False),
    ]


def test_wanted_filesystems_are_looked_at_whatever_their_type() -> None:
    assert [mount.type for mount in select(parse_mounts(MOUNTS), ["/snap/core", "/nowhere"], ())] == ["squashfs"]


def test_ignored_filesystems_are_left_out() -> None:
    assert [mount.path for mount in select(parse_mounts(MOUNTS), (), ["/mnt/*", "/data"])] == ["/"]


def test_a_view_that_a_sandbox_made_stands_for_the_filesystem_only_without_a_better_one() -> None:
    view = Mount("/a", "8:9", "ext4", read_only=False, whole=False)
    whole = Mount("/much/longer", "8:9", "ext4", read_only=False)
    assert select([view, whole], (), ()) == [whole]
    assert select([view], (), ()) == [view]


def test_fstab_says_what_is_meant_to_be_read_only() -> None:
    assert parse_fstab(FSTAB) == {"/": False, "/media/cd rom": True}


def test_usage_is_counted_as_df_does() -> None:
    usage = usage_of(os.statvfs_result((4_096, 4_096, 1_000, 300, 200, 0, 0, 0, 0, 255)))
    assert usage is not None
    assert usage.used_percent == 100 * 700 / 900
    assert (usage.free_bytes, usage.inodes_percent) == (200 * 4_096, None)
    assert usage_of(os.statvfs_result((4_096, 4_096, 0, 0, 0, 0, 0, 0, 0, 255))) is None


def test_a_shown_percentage_never_reaches_a_limit_that_the_value_did_not() -> None:
    assert (tenths(89.99), tenths(90.0)) == ("89.9", "90.0")
    assert (size(1_500), size(3 * 2**29), size(2**41)) == ("1 KiB", "1.5 GiB", "2.0 TiB")
