from pathlib import Path

import pytest

from detak_agent.metrics.counters import Device, Interface, parse_devices, parse_interfaces, parse_resident_pages

DISK = "857 63 4 771 3206 713 6 583 0 273 1486 485 131"


def disks(*names: str) -> set[str]:
    return set(parse_devices("".join(f" 254 0 {name} {DISK}\n" for name in names)))


def test_a_device_is_counted_in_bytes_whatever_its_sectors_are() -> None:
    (device,) = parse_devices(f" 254 0 vda {DISK} 0 0 0 0\n").values()
    assert device == Device(read_bytes=4 * 512, written_bytes=6 * 512, busy_ms=273)


@pytest.mark.parametrize(
    ("listed", "whole"),
    [
        (("sda", "sda1", "sda15"), {"sda"}),
        (("nvme0n1", "nvme0n1p1", "nvme1n1"), {"nvme0n1", "nvme1n1"}),
        (("mmcblk0", "mmcblk0p2"), {"mmcblk0"}),
        (("nbd1", "nbd10"), {"nbd1", "nbd10"}),
        (("xvda1",), {"xvda1"}),
        (("loop0", "ram0", "zram0", "sr0", "fd0", "dm-0", "md127", "sdb"), {"sdb"}),
    ],
)
def test_only_whole_devices_are_counted_and_no_layer_above_them(listed: tuple[str, ...], whole: set[str]) -> None:
    assert disks(*listed) == whole


def test_only_interfaces_that_lead_out_of_the_machine_are_counted() -> None:
    head = "Inter-|   Receive\n face |bytes\n"
    names = ("lo", "eth0", "enp3s0", "wlan0", "bond0", "veth12ab", "docker0", "br-1f", "cali77", "low0", "tun0")
    rows = "".join(f"{name:>6}: 100 2 3 4 5 6 7 8 900 10 11 12 13 14 15 16\n" for name in names)
    found = parse_interfaces(head + rows)
    assert set(found) == {"eth0", "enp3s0", "wlan0", "bond0", "low0", "tun0"}
    assert found["eth0"] == Interface(received_bytes=100, sent_bytes=900, errors=3 + 11)


def test_a_number_that_touches_the_name_is_read_too() -> None:
    text = "Inter-|\n face |\n  eth0:2586997015 87 0 0 0 0 0 0 54 5 0 0 0 0 0 0\n"
    assert parse_interfaces(text)["eth0"].received_bytes == 2_586_997_015


def test_the_kernel_s_own_files_parse() -> None:
    parse_devices(Path("/proc/diskstats").read_text())
    parse_interfaces(Path("/proc/net/dev").read_text())
    assert parse_resident_pages(Path("/proc/self/statm").read_text()) > 100
