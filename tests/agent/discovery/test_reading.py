import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from detak_agent.discovery import reading
from detak_agent.discovery.facts import Balancer, Facts, Listener, LocalSocket, RunningProcess
from detak_agent.discovery.reading import read_facts
from detak_agent.discovery.server_files import balancer_of, parse_haproxy, parse_ups_names
from detak_agent.discovery.socket_tables import parse_local_sockets, parse_ports
from detak_agent.discovery.zones import zones_of_bind, zones_of_nsd

PORTS = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000   110        0 4242 1 0000000000000000 100 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4243 1 0000000000000000 100 0
   2: 0100007F:1538 0100007F:E0AA 01 00000000:00000000 00:00000000 00000000   110        0 4244 1 0000000000000000 100 0
"""
PORTS_V6 = """  sl  local_address                         remote_address                        st
   0: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 4245 1 0
   1: 0000000000000000FFFF000005140A0A:1F90 00000000000000000000000000000000:0000 0A 0:0 00:0 0 33 0 4246 1 0
"""
UNIX = """Num       RefCount Protocol Flags    Type St Inode Path
0000000000000000: 00000002 00000000 00010000 0001 01 4250 /run/haproxy/admin.sock.917.tmp
0000000000000000: 00000002 00000000 00010000 0001 01 4251 /run/with space/x y.sock
0000000000000000: 00000002 00000000 00010000 0001 01 4252 @abstract
0000000000000000: 00000003 00000000 00000000 0001 03 4253 /run/connected.sock
0000000000000000: 00000003 00000000 00000000 0001 03 4254
"""
MOUNTS = """22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:50 / /mnt/arsip rw - nfs4 10.20.0.9:/arsip rw,vers=4.2
"""


class Tree:
    """A small machine made of files."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("proc/sys/kernel/hostname", "dc-db-01\n")
        self.process(1, "systemd", ["/sbin/init"])

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode(errors="surrogateescape"))
        return file

    def process(
        self, pid: int, name: str, arguments: list[str], cgroup: str = "/init.scope", sockets: Mapping[int, int] = {}
    ) -> None:
        here = f"proc/{pid}"
        self.write(f"{here}/stat", f"{pid} ({name}) S 1 {pid} {pid} 0 -1 0 " + "0 " * 12 + "77 0 0 0 0\n")
        self.write(f"{here}/cmdline", "\0".join([*arguments, ""]) if arguments else "")
        self.write(f"{here}/cgroup", f"0::{cgroup}\n")
        (self.root / here / "fd").mkdir()
        for number, inode in sockets.items():
            (self.root / here / "fd" / str(number)).symlink_to(f"socket:[{inode}]")
        (self.root / here / "exe").symlink_to(f"/usr/sbin/{name} (deleted)")

    def facts(self) -> Facts:
        return read_facts(self.root)


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_ports_and_sockets_are_joined_to_who_holds_them(tree: Tree) -> None:
    for name, text in (("tcp", PORTS), ("tcp6", PORTS_V6), ("unix", UNIX)):
        tree.write(f"proc/net/{name}", text)
    tree.process(600, "postgres", ["postgres"], "/system.slice/system-postgresql.slice/postgresql@15-main.service",
                 {7: 4242, 8: 4250})  # fmt: skip
    tree.process(900, "nginx", ["nginx: master"], "/system.slice/nginx.service", {6: 4243, 9: 4245})
    tree.process(901, "nginx", ["nginx: worker"], "/system.slice/nginx.service", {6: 4243})
    facts = tree.facts()
    assert facts.listeners == (
        Listener("tcp", "0.0.0.0", 80, (900, 901), 0),
        Listener("tcp", "10.10.20.5", 8080, (), 33),
        Listener("tcp", "127.0.0.1", 5432, (600,), 110),
        Listener("tcp", "::", 80, (900,), 0),
    )
    assert facts.local_sockets == (
        LocalSocket("/run/haproxy/admin.sock", (600,)),
        LocalSocket("/run/with space/x y.sock"),
    )
    assert facts.unseen == 1
    postgres = next(process for process in facts.processes if process.pid == 600)
    assert (postgres.unit, postgres.program) == ("postgresql@15-main.service", "postgres")


@pytest.mark.parametrize(
    ("cgroup", "unit", "in_a_container"),
    [
        ("/system.slice/nginx.service", "nginx.service", False),
        ("/user.slice/user-1000.slice/user@1000.service/app.slice/x.service", "", False),
        ("/user.slice/user-1000.slice/session-4.scope", "", False),
        ("/system.slice/docker-0123456789abcdef.scope", "", True),
        ("/docker/0123456789abcdef", "", True),
        ("/system.slice/containerd.service/kubepods-burstable.slice", "", True),
        ("/machine.slice/libpod-0123456789abcdef.scope", "", True),
        ("/lxc.payload.web/system.slice/nginx.service", "", True),
        ("/", "", False),
    ],
)
def test_the_control_group_tells_unit_and_container(tree: Tree, cgroup: str, unit: str, in_a_container: bool) -> None:
    tree.process(7, "x", ["x"], cgroup)
    found = next(process for process in tree.facts().processes if process.pid == 7)
    assert (found.unit, bool(found.container)) == (unit, in_a_container)


def test_threads_of_the_kernel_and_the_dead_are_no_servers(tree: Tree) -> None:
    tree.process(2, "kthreadd", [])
    tree.write("proc/5/stat", "5 (gone) Z 1 " + "0 " * 17 + "77 0\n")
    assert [process.pid for process in tree.facts().processes] == [1]


def test_wild_bytes_in_a_command_line_are_kept_apart(tree: Tree) -> None:
    tree.process(7, "x", ["x", "a b", "", "\udcff\n"])
    found = next(process for process in tree.facts().processes if process.pid == 7)
    assert found == RunningProcess(7, 1, "x", ("x", "a b", "", "\udcff\n"), "x", os.geteuid())


def test_what_the_machine_is_and_mounts_is_read(tree: Tree) -> None:
    tree.write("etc/os-release", 'NAME="x"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n')
    tree.write("proc/cpuinfo", "flags\t\t: fpu vme hypervisor lahf_lm\n")
    tree.write("proc/self/mountinfo", MOUNTS)
    tree.write("proc/sys/net/ipv4/ip_local_port_range", "20000\t30000\n")
    tree.write("etc/nut/ups.conf", "maxretry = 3\n[rack-a]\n  driver = usbhid-ups\n [rack-b]\n")
    (tree.root / "run/systemd/system").mkdir(parents=True)
    tree.write("dev/ipmi0", "")
    facts = tree.facts()
    assert (facts.host, facts.system) == ("dc-db-01", "Debian GNU/Linux 12 (bookworm)")
    assert (facts.machine, facts.systemd, facts.hidden) == ("virtual machine", True, False)
    assert (facts.network_mounts, facts.ephemeral) == (("/mnt/arsip",), (20_000, 30_000))
    assert (facts.ups_names, facts.has_controller) == (("rack-a", "rack-b"), True)
    tree.write("run/.containerenv", "")
    assert tree.facts().machine == "container"


def test_only_active_units_that_somebody_wrote_are_this_machines_own(tree: Tree) -> None:
    for unit in ("siap.service", "backup.service", "backup.timer", "worker@.service", "stopped.service"):
        tree.write(f"etc/systemd/system/{unit}", "[Service]\n")
    (tree.root / "etc/systemd/system/nginx.service").symlink_to("/lib/systemd/system/nginx.service")
    tree.write("etc/systemd/system/siap.service.d/override.conf", "")
    units = tree.root / "run/systemd/units"
    units.mkdir(parents=True)
    for unit in ("siap.service", "backup.service", "worker@1.service", "nginx.service"):
        (units / f"invocation:{unit}").symlink_to("0123")
    enabled = tree.root / "etc/systemd/system/timers.target.wants"
    enabled.mkdir()
    for unit in ("backup.timer", "logrotate.timer"):
        (enabled / unit).symlink_to(f"/lib/systemd/system/{unit}")
    assert tree.facts().own_units == ("backup.timer", "siap.service", "worker@1.service")


def test_a_machine_that_shows_nothing_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "proc").mkdir()
    facts = read_facts(tmp_path)
    assert (facts.processes, facts.listeners, facts.hidden, facts.system) == ((), (), True, "Linux")


def test_too_much_is_cut_and_said(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_PROCESSES", 1)
    tree.process(7, "x", ["x"])
    facts = tree.facts()
    assert (len(facts.processes), facts.cut) == (1, ("only the first 1 processes were looked at",))


LISTENING = """
import socket, sys
with socket.create_server(("127.0.0.1", 0)) as listening:
    print(listening.getsockname()[1], flush=True)
    sys.stdin.read()
"""


def test_this_very_machine_shows_a_port_and_who_holds_it() -> None:
    # The process that reads leaves itself out, so another one has to listen.
    command = [sys.executable, "-c", LISTENING]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        facts = read_facts()
        other.communicate("")
    assert Listener("tcp", "127.0.0.1", port, (other.pid,), os.geteuid()) in facts.listeners


def test_a_line_that_is_no_socket_is_passed_over() -> None:
    assert list(parse_ports(["nonsense", ""], "tcp")) == []
    assert list(parse_local_sockets(["a b c d e f g h", ""])) == []


BIND = {
    "/etc/bind/named.conf": 'include "/etc/bind/local.conf";\n// zone "commented.id" { type master; };\n',
    "/etc/bind/local.conf": """
        zone "." { type hint; file "x"; };
        zone "localhost" { type master; file "x"; };
        zone "10.in-addr.arpa" { type master; };
        zone "Example.go.id" IN { type master; /* ours */ file "x"; };
        zone "cabang.go.id" { type slave; masters { 10.0.0.1; }; };
        zone "lain.go.id" { type forward; forwarders { 10.0.0.2; }; };
    """,
    "/chroot/etc/named.conf": 'zone "jail.id" { type primary; };\ninclude "more.conf";',
    "/chroot/etc/more.conf": 'zone jail2.id { type secondary; };\ninclude "named.conf";',
}


@pytest.mark.parametrize(
    ("arguments", "zones"),
    [
        (("named", "-f"), ("example.go.id", "cabang.go.id")),
        (("named", "-t", "/chroot", "-c", "/etc/named.conf"), ("jail.id", "jail2.id")),
        (("named", "-c/nowhere"), ()),
    ],
)
def test_the_zones_of_bind_are_found_in_its_files(arguments: tuple[str, ...], zones: tuple[str, ...]) -> None:
    assert zones_of_bind(RunningProcess(1, 1, "named", arguments), lambda path: BIND.get(path, "")) == zones


def test_the_zones_of_nsd_are_found_in_its_files() -> None:
    files = {
        "/etc/nsd/nsd.conf": 'server:\n  ip-address: 10.0.0.1\ninclude: "/etc/nsd/zones.conf"\n',
        "/etc/nsd/zones.conf": 'zone:\n  name: "a.go.id"\n  zonefile: a\nzone:\n  zonefile: b\n  name: b.go.id\n',
    }
    process = RunningProcess(1, 1, "nsd", ("nsd", "-d"))
    assert zones_of_nsd(process, lambda path: files.get(path, "")) == ("a.go.id", "b.go.id")


HAPROXY = """
global
    stats socket /run/haproxy/admin.sock mode 660 level admin
defaults
    mode http
frontend front
    bind :80
backend portal
    server a 10.0.0.1:80 check
backend empty
    http-request deny
listen stats
    stats enable
listen mail
    bind :25
    server-template m 3 mail.local:25
"""


def test_the_backends_of_haproxy_are_found_in_its_files() -> None:
    expected = Balancer(("/run/haproxy/admin.sock",), ("portal", "mail"))
    assert parse_haproxy([HAPROXY]) == expected
    started = RunningProcess(1, 1, "haproxy", ("haproxy", "-Ws", "-f", "/srv/h.cfg", "-p", "/run/h.pid"))
    assert balancer_of(started, lambda path: HAPROXY if path == "/srv/h.cfg" else "") == expected
    usual = RunningProcess(1, 1, "haproxy", ("haproxy",))
    assert balancer_of(usual, lambda path: HAPROXY if path == "/etc/haproxy/haproxy.cfg" else "") == expected


def test_a_file_without_an_ups_names_none() -> None:
    assert parse_ups_names("# [none]\nmaxretry = 3\n") == ()
