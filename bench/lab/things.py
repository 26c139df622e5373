"""What runs in the laboratory: each thing on its host, the service that rests on it, and the check that looks at it.

One thing, one service: so that many can be broken at the same time and each outage has one cause.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lab import probing
from lab.application import PAGE
from lab.databases import REDIS_PORT, TOLERATED_LAG, database, replica
from lab.host import Host, Program
from lab.making import (
    ADDRESS,
    NAME,
    SECOND_PORT,
    TLS_PORT,
    WEB_PORT,
    application,
    certificate,
    memory_group,
    name_server,
    show,
    tls_server,
    web_server,
    worker,
)
from lab.targets import Target

STORE_HOSTS = ("db1", "db2")
"""Of the servers that the first collector's store is on."""

HOSTS = ("dc1", "dc2", "drc1", "drc2", "edge1", "office1", "dc0", "drc0", "control", *STORE_HOSTS)
"""Those with an agent, then those of the two collectors, then where the script itself and central monitors sit."""

NODES = HOSTS[:6]
WITNESS = "dc1"
"""The node that looks whether those that crash can be reached; it never crashes itself."""

HTTP_PORT = 8080
_STARTED_WITHIN_S = 10.0


@dataclass(frozen=True)
class Pace:
    """How often everything looks; times in milliseconds."""

    interval_ms: int = 5_000
    timeout_ms: int = 4_000
    beat_ms: int = 5_000
    tick_ms: int = 1_000
    down_after_ms: int = 15_000

    @property
    def long_s(self) -> float:
        """An outage or a recovery this long is always seen."""
        return (2.2 * self.interval_ms + self.timeout_ms) / 1_000

    @property
    def rest_s(self) -> float:
        """What was broken is left alone so long: also an agent that has just been started has looked by then."""
        return max(self.long_s, _STARTED_WITHIN_S)


@dataclass(frozen=True)
class Thing:
    """`check` is the table of agent.toml without name, interval and time-out, `local` the node that runs it."""

    service: str
    node: str
    target: Target
    check: Mapping[str, object]
    category: str
    is_well: Callable[[], bool]
    program: str | None = None


def things(hosts: Mapping[str, Host], certificates: Path) -> tuple[Thing, ...]:
    """All of them; their programs are put on their hosts."""
    return (
        *_on_dc1(hosts["dc1"], certificates),
        *_on_dc2(hosts["dc2"]),
        *_on_drc(hosts),
        *_from_outside(hosts),
    )


def _on_dc1(host: Host, certificates: Path) -> list[Thing]:
    certificate(certificates, "good", host.address)
    certificate(certificates, "expired", host.address, ("20250101000000Z", "20250201000000Z"))
    certificate(certificates, "foreign", "10.99.99.99")
    show(certificates, "good")
    authority = str(certificates / "ca.pem")
    redis = Program(
        host, "redis", ["redis-server", "--port", str(REDIS_PORT), "--bind", "0.0.0.0", "--protected-mode", "no",
                        "--save", "", "--dir", str(host.folder)],
        lambda: probing.pongs(host.address, REDIS_PORT),
    )  # fmt: skip
    group = memory_group(host)
    primary = database(host)
    impor, loket, web, tls = (
        application(host, "impor", HTTP_PORT, group),
        application(host, "loket", SECOND_PORT),
        web_server(host),
        tls_server(host, certificates),
    )
    host.programs += [impor, loket, web, tls, redis, primary]
    target = Target("sertifikat", host.name, host.address, "tls", TLS_PORT, authority=authority)
    return [
        _page(host, impor, HTTP_PORT),
        _page(host, web, WEB_PORT, "portal"),
        Thing(
            "sertifikat", host.name, target,
            {"kind": "tls", "host": host.address, "port": TLS_PORT, "ca_file": authority}, "application",
            tls.is_well, "tls",
        ),
        Thing(
            "antrean", host.name, Target("antrean", host.name, host.address, "redis", REDIS_PORT),
            {"kind": "redis", "host": host.address, "port": REDIS_PORT}, "database", redis.is_well, "redis",
        ),
        Thing(
            "basis-data", host.name, Target("basis-data", host.name, host.address, "postgresql", 5432, user="postgres"),
            {"kind": "postgresql", "host": host.address, "user": "postgres", "writable": True, "role": "primary"},
            "database", primary.is_well, primary.name,
        ),
    ]  # fmt: skip


def _on_dc2(host: Host) -> list[Thing]:
    disk = host.folder / "disk"
    host.mounts[disk] = "16m"
    ekspor, pekerja, dns = application(host, "ekspor", HTTP_PORT), worker(host, "pekerja-dc2"), name_server(host)
    host.programs += [ekspor, pekerja, dns]
    return [
        _page(host, ekspor, HTTP_PORT),
        _process(host, pekerja),
        Thing(
            "nama", host.name, Target("nama", host.name, host.address, "dns", 53, expected=ADDRESS, question=NAME),
            {"kind": "dns", "query": NAME, "servers": [host.address], "expect": [ADDRESS]}, "network", dns.is_well,
            "dns",
        ),
        Thing(
            "berkas", host.name, Target("berkas", host.name, host.address, "filesystem", path=str(disk)),
            {"kind": "os", "items": ["disk", "read_only"], "filesystems": [str(disk)]}, "server",
            lambda: has_room(host, disk),
        ),
    ]  # fmt: skip


def _on_drc(hosts: Mapping[str, Host]) -> list[Thing]:
    one, two = hosts["drc1"], hosts["drc2"]
    lapor, tugas, standby = (
        application(one, "lapor", HTTP_PORT),
        worker(two, "pekerja-drc2"),
        replica(one, hosts["dc1"]),
    )
    ganda = [application(host, f"ganda-{host.name}", SECOND_PORT) for host in (one, two)]
    one.programs += [lapor, standby, ganda[0]]
    two.programs += [tugas, ganda[1]]
    return [
        _page(one, lapor, HTTP_PORT),
        _process(two, tugas),
        Thing(
            "replika", one.name, Target("replika", one.name, one.address, "postgresql", 5432, user="postgres"),
            {"kind": "postgresql", "host": one.address, "user": "postgres", "role": "replica",
             "lag_down_bytes": TOLERATED_LAG},
            "database", standby.is_well, standby.name,
        ),
        *(_page(host, program, SECOND_PORT, "ganda") for host, program in zip((one, two), ganda, strict=True)),
    ]  # fmt: skip


def _from_outside(hosts: Mapping[str, Host]) -> list[Thing]:
    """The same page, as the branches see it."""
    host = hosts["dc1"]
    url = f"http://{host.address}:{SECOND_PORT}/"
    return [
        Thing(
            service, node,
            Target(service, host.name, host.address, "http", SECOND_PORT, url, expected=PAGE,
                   branch=node, branch_address=hosts[node].address),
            {"kind": "http", "url": url, "body_contains": PAGE}, category,
            lambda: probing.serves(host.address, SECOND_PORT, PAGE), "loket",
        )
        for service, node, category in (
            ("loket-cabang", "edge1", "provider-network"), ("loket-kantor", "office1", "office-network")
        )
    ]  # fmt: skip


def has_room(host: Host, path: Path) -> bool:
    """Whether the host's file system there can be written, and is not full."""
    try:
        seen = os.statvfs(Path("/proc", str(host.init), "root", *path.parts[1:]))
    except OSError:
        return False
    return not seen.f_flag & os.ST_RDONLY and seen.f_bavail > seen.f_blocks // 20 and host.is_up


def _page(host: Host, program: Program, port: int, service: str | None = None) -> Thing:
    named = service or program.name
    url = f"http://{host.address}:{port}/"
    return Thing(
        named, host.name, Target(named, host.name, host.address, "http", port, url, expected=PAGE),
        {"kind": "http", "url": url, "body_contains": PAGE}, "application", program.is_well, program.name,
    )  # fmt: skip


def _process(host: Host, program: Program) -> Thing:
    target = Target(program.name, host.name, host.address, "process", process=program.name)
    check = {"kind": "process", "pid_file": str(program.pid_file)}
    return Thing(program.name, host.name, target, check, "application", lambda: program.is_itself, program.name)


def catalogue(every: Sequence[Thing], crashing: Sequence[str]) -> str:
    """services.toml: a service for each name, and one for each node that crashes."""
    lines = ['organisation = "Laboratory"\ntimezone = "Asia/Jakarta"\ntarget_percent = 0.1\n']
    names = dict.fromkeys(one.service for one in every)
    for name in names:
        members = [one for one in every if one.service == name]
        checks = [f"{one.node}/{one.service}" for one in members]
        lines.append(_service(name, members[0].category, checks))
    lines += [_service(f"simpul-{node}", "server", [f"{node}/alive"]) for node in crashing]
    lines += [f'[[node]]\nname = "{node}"\nwitnesses = ["{WITNESS}/ping-{node}"]\n' for node in crashing]
    lines += [f'[[node]]\nname = "{node}"\nreferences = ["{node}/gateway"]\n' for node in ("edge1", "office1")]
    return "\n".join(lines)


def _service(name: str, category: str, checks: Sequence[str]) -> str:
    rule = 'rule = "all_down"\n' if len(checks) > 1 else ""
    return (
        f'[[service]]\nid = "{name}"\ncriticality = "sangat kritis"\npublic = true\n[[service.group]]\n'
        f'name = "thing"\ncategory = "{category}"\n{rule}members = {json.dumps(checks)}\n'
    )
