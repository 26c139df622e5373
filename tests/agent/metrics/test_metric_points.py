import string
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from detak_agent.checks.filesystems import Usage
from detak_agent.checks.machine import CpuTimes, Load, Memory
from detak_agent.metrics.counters import Device, Interface
from detak_agent.metrics.points import Counters, Disks, point
from detak_wire import limits
from detak_wire.codec import decode, encode
from detak_wire.messages import Metrics

BEFORE = Counters(
    at=100_000,
    cpu=CpuTimes(busy=1_000, total=4_000, cores=2, waiting=100, stolen=10),
    devices={"vda": Device(1_000, 2_000, 500)},
    interfaces={"eth0": Interface(10_000, 20_000, 3)},
)
NOW = Counters(
    at=160_000,
    cpu=CpuTimes(busy=1_250, total=6_000, cores=2, waiting=140, stolen=30),
    memory=Memory(total=1_000, available=588, swap_total=200, swap_free=150),
    load=Load(0.42, 0.3),
    devices={"vda": Device(1_000 + 60 * 512, 2_000 + 60 * 4_096, 500 + 15_000)},
    interfaces={"eth0": Interface(10_000 + 60 * 700, 20_000 + 60 * 90, 3 + 6)},
    agent_memory_bytes=27_000_000,
)
DISKS = Disks({"/": Usage(41.23, 5, 3.04, 9), "/boot/efi": Usage(1.1, 5)}, 1_200_000)


def made(before: Counters = BEFORE, now: Counters = NOW, disks: Disks = DISKS) -> Metrics:
    found = point(before, now, disks, {"web": (12.345, 45.678)})
    assert found is not None
    return found


def test_two_readings_make_a_point() -> None:
    assert made() == Metrics(
        measured_agent=160_000,
        interval_ms=60_000,
        cpu_percent=12.5,
        cpu_iowait_percent=2.0,
        cpu_steal_percent=1.0,
        load_1=0.42,
        memory_used_percent=41.2,
        swap_used_percent=25.0,
        disk_used_percent={"/": 41.2, "/boot/efi": 1.1},
        inodes_used_percent={"/": 3.0},
        device_read_bytes_per_second={"vda": 512},
        device_written_bytes_per_second={"vda": 4_096},
        device_busy_percent={"vda": 25.0},
        network_received_bytes_per_second={"eth0": 700},
        network_sent_bytes_per_second={"eth0": 90},
        network_errors_per_second={"eth0": 0.1},
        latency_ms={"web": (12.3, 45.7)},
        agent_memory_bytes=27_000_000,
        journal_bytes=1_200_000,
    )


def test_what_could_not_be_read_is_absent() -> None:
    assert made(Counters(0), Counters(1_000), Disks()) == Metrics(0 + 1_000, 1_000, latency_ms={"web": (12.3, 45.7)})


def test_a_machine_without_swap_says_nothing_of_it() -> None:
    assert made(now=replace(NOW, memory=Memory(1_000, 588, 0, 0))).swap_used_percent is None


def test_a_device_that_came_in_between_has_no_rate_yet() -> None:
    both = {**NOW.devices, "vdb": Device(9, 9, 9)}
    assert set(made(now=replace(NOW, devices=both)).device_busy_percent) == {"vda"}


def test_a_counter_that_was_begun_anew_says_nothing_and_the_others_do() -> None:
    found = made(now=replace(NOW, interfaces={"eth0": Interface(5, 20_000, 3)}))
    assert found.network_received_bytes_per_second == {}
    assert found.network_sent_bytes_per_second == {"eth0": 0}


def test_waiting_for_disks_that_runs_backwards_is_none() -> None:
    assert NOW.cpu is not None
    assert made(now=replace(NOW, cpu=replace(NOW.cpu, waiting=0))).cpu_iowait_percent == 0


def test_no_time_makes_no_point() -> None:
    assert point(NOW, NOW, DISKS, {}) is None
    assert point(NOW, BEFORE, DISKS, {}) is None


def test_of_too_many_filesystems_the_same_ones_are_always_told() -> None:
    paths = [f"/{letter * 3}" for letter in string.ascii_lowercase]
    few = made(disks=Disks({"/": Usage(1, 1), **{path: Usage(2, 2) for path in paths}}))
    many = made(disks=Disks({path: Usage(2, 2) for path in ["/", *reversed(paths), "/a/long/one"]}))
    assert len(few.disk_used_percent) == limits.METRIC_LABELS
    assert few.disk_used_percent.keys() == many.disk_used_percent.keys()


small = st.integers(0, 2**63)
cpus = st.none() | st.builds(CpuTimes, small, small, st.integers(1, 512), small, small)
memories = st.none() | st.builds(Memory, st.integers(1, 2**40), small, small, small)
readings = st.builds(
    Counters,
    at=st.integers(0, 2**50),
    cpu=cpus,
    memory=memories,
    load=st.none() | st.builds(Load, st.floats(0, 1e6), st.floats(0, 1e6)),
    devices=st.dictionaries(st.sampled_from(["vda", "sda"]), st.builds(Device, small, small, small)),
    interfaces=st.dictionaries(st.sampled_from(["eth0", "eth1"]), st.builds(Interface, small, small, small)),
)
usages = st.builds(Usage, st.floats(0, 100), small, st.none() | st.floats(-1, 101), small)


@given(readings, readings, st.dictionaries(st.sampled_from(["/", "/var"]), usages))
def test_whatever_the_kernel_says_the_point_is_one_that_a_collector_takes(
    before: Counters, now: Counters, disks: dict[str, Usage]
) -> None:
    found = point(before, now, Disks(disks), {})
    if found is not None:
        decode(encode(found), Metrics)
