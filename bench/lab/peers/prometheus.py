"""Prometheus: blackbox_exporter asks from the centre, node_exporter and process-exporter tell of each host.

Downtime is read from the samples of `probe_success` and its like: each stands until the next one, which is what
`avg_over_time` says of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from lab.peers.folding import of_samples, of_services
from lab.peers.peer import AgentProgram, page_of
from lab.peers.place import LOOPBACK, Place, Programs, ports, run, version_of
from lab.targets import Target
from lab.truth import Interval

FREE_AT_LEAST_PERCENT = 5
"""Below this share of free room a file system is down, as node_exporter's own alerts have it for critical."""

_COUNTED = ("-children=false", "-recheck")
"""As shipped, what a dead process has started counts as the process, and one that is looked at before it has its own
name is never looked at again."""

_EXPORTERS = ("blackbox", "node", "process")
_PROBED = {
    "http": "http",
    "tls": "http",
    "tcp": "tcp",
    "redis": "redis",
    "postgresql": "tcp",
    "dns": "dns",
    "host": "icmp",
}


class _Series(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]]


class _Result(msgspec.Struct):
    result: list[_Series]


class _Answer(msgspec.Struct):
    data: _Result


@dataclass(frozen=True, slots=True)
class _Host:
    """Where its exporters listen."""

    name: str
    address: str
    node: int
    process: int
    blackbox: int


class Prometheus:
    """One server and a blackbox_exporter in a place, and two exporters on every host with something inside to see."""

    name = "Prometheus"

    def __init__(self, place: Place, interval_s: int) -> None:
        self.place, self.interval_s = place, interval_s
        self.programs = Programs(place)
        self._port, self._blackbox = ports(2)
        self._targets: Sequence[Target] = ()
        self._hosts: dict[str, _Host] = {}

    def prepare(self, targets: Sequence[Target], folder: Path) -> None:
        """Writes the configuration of the server and of every exporter."""
        self._targets = targets
        self._folder = self.programs.folder = folder
        inside = dict(one.seen_from for one in targets if one.branch or one.kind not in _PROBED)
        self._hosts = {host: _Host(host, address, *ports(3)) for host, address in sorted(inside.items())}
        self._write("blackbox.yml", {"modules": dict(self._modules())})
        self._write("prometheus.yml", self._server())
        names = sorted({one.process for one in targets if one.process})
        self._write("process.yml", {"process_names": [{"name": "{{.Comm}}", "comm": names}]})
        run(["promtool", "check", "config", str(folder / "prometheus.yml")])

    def agents(self) -> list[AgentProgram]:
        """All three exporters, on each host with something to be seen inside, or from there."""
        processes = f"--config.path={self._folder}/process.yml", *_COUNTED
        probes = (f"--config.file={self._folder}/blackbox.yml",)
        return [
            AgentProgram(host.name, program, (program, f"--web.listen-address={host.address}:{port}", *more))
            for host in self._hosts.values()
            for program, port, more in (
                ("prometheus-node-exporter", host.node, ()),
                ("prometheus-process-exporter", host.process, processes),
                ("prometheus-blackbox-exporter", host.blackbox, probes),
            )
        ]

    def start(self) -> None:
        """Starts blackbox_exporter and the server."""
        with self.programs.all_or_none():
            exporter = ["prometheus-blackbox-exporter", f"--config.file={self._folder}/blackbox.yml"]
            self.programs.start(
                "blackbox_exporter",
                [*exporter, f"--web.listen-address={LOOPBACK}:{self._blackbox}"],
                lambda: self.place.answers(f"http://{LOOPBACK}:{self._blackbox}/-/healthy"),
            )
            self.programs.start(
                "prometheus",
                [
                    "prometheus",
                    f"--config.file={self._folder}/prometheus.yml",
                    f"--storage.tsdb.path={self._folder}/data",
                    f"--web.listen-address={LOOPBACK}:{self._port}",
                ],
                lambda: self.place.answers(f"http://{LOOPBACK}:{self._port}/-/ready"),
            )

    def stop(self) -> None:
        """Ends both."""
        self.programs.stop()

    def outages(self, begin: int, end: int) -> list[Interval]:
        """From the first failed sample of each target to the next good one."""
        samples = ((one, self._samples(one, begin, end)) for one in self._targets)
        return of_services((target, of_samples(found, begin, end)) for target, found in samples)

    def version(self) -> str:
        """Of the server and the exporters."""
        exporters = ", ".join(f"{one} {version_of(f'prometheus-{one}-exporter')}" for one in _EXPORTERS)
        return f"{version_of('prometheus')} (exporters: {exporters})"

    def _samples(self, target: Target, begin: int, end: int) -> list[tuple[int, bool]]:
        """A scrape that failed is a bad sample, too."""
        if target.kind in _PROBED:
            scraped = f'up{{job="blackbox",target="{_key(target)}"}}'
            well = self._succeeds(target, begin, end)
        else:
            job = "process" if target.kind == "process" else "node"
            scraped = f'up{{job="{job}",host="{target.host}"}}'
            well = (self._runs if job == "process" else self._has_room)(target, begin, end)
        return [(at, value == 1 and at in well) for at, value in self._read(scraped, begin, end)]

    def _succeeds(self, target: Target, begin: int, end: int) -> set[int]:
        """When its probe said that all was well."""
        return {at for at, value in self._read(f'probe_success{{target="{_key(target)}"}}', begin, end) if value == 1}

    def _runs(self, target: Target, begin: int, end: int) -> set[int]:
        """When there was such a process."""
        chosen = f'namedprocess_namegroup_num_procs{{host="{target.host}",groupname="{target.process}"}}'
        return {at for at, value in self._read(chosen, begin, end) if value > 0}

    def _has_room(self, target: Target, begin: int, end: int) -> set[int]:
        """When it was mounted for writing and had enough free room."""
        chosen = f'{{host="{target.host}",mountpoint="{target.path}"}}'
        read_only, free, size = (
            dict(self._read(f"node_filesystem_{one}{chosen}", begin, end))
            for one in ("readonly", "avail_bytes", "size_bytes")
        )
        return {
            at
            for at, room in free.items()
            if not read_only.get(at) and 100 * room >= FREE_AT_LEAST_PERCENT * size.get(at, float("inf"))
        }

    def _read(self, chosen: str, begin: int, end: int) -> list[tuple[int, float]]:
        """The raw samples of what should be one series; one interval more than asked, for what began before."""
        length_s = (end - begin) // 1_000 + 2 * self.interval_s
        query = quote(f"{chosen}[{length_s}s]")
        url = f"http://{LOOPBACK}:{self._port}/api/v1/query?query={query}&time={end / 1_000:.3f}"
        answer = msgspec.json.decode(self.place.asked(url), type=_Answer)
        return [(round(at * 1_000), float(value)) for one in answer.data.result for at, value in one.values]

    def _modules(self) -> Iterator[tuple[str, dict[str, object]]]:
        """What blackbox_exporter does, for each way of asking."""
        yield "tcp", {"prober": "tcp"}
        yield "icmp", {"prober": "icmp", "icmp": {"preferred_ip_protocol": "ip4"}}
        yield "redis", {"prober": "tcp", "tcp": {"query_response": [{"send": "PING"}, {"expect": "PONG|NOAUTH"}]}}
        for one in self._targets:
            if one.kind in ("http", "tls"):
                yield self._module(one), {"prober": "http", "http": _page(one)}
            elif one.kind == "dns":
                yield self._module(one), {"prober": "dns", "dns": _question(one)}

    def _module(self, target: Target) -> str:
        own = target.kind in ("http", "tls", "dns")
        return f"{_PROBED[target.kind]}-{target.service}" if own else _PROBED[target.kind]

    def _server(self) -> dict[str, object]:
        probed = [
            {"targets": [_asked_at(one)], "labels": self._labels(one)} for one in self._targets if one.kind in _PROBED
        ]
        blackbox = {
            "job_name": "blackbox",
            "metrics_path": "/probe",
            "static_configs": probed,
            "relabel_configs": [
                {"source_labels": ["__address__"], "target_label": "__param_target"},
                {"source_labels": ["module"], "target_label": "__param_module"},
                {"source_labels": ["__param_target"], "target_label": "instance"},
                {"source_labels": ["exporter"], "target_label": "__address__"},
            ],
        }
        return {
            "global": {"scrape_interval": f"{self.interval_s}s", "scrape_timeout": f"{self.interval_s}s"},
            "scrape_configs": [blackbox, self._scraped("node"), self._scraped("process")],
        }

    def _labels(self, target: Target) -> dict[str, str]:
        """What it is, how it is asked, and by which exporter."""
        exporter = f"{LOOPBACK}:{self._blackbox}"
        if target.branch:
            host = self._hosts[target.branch]
            exporter = f"{host.address}:{host.blackbox}"
        return {"target": _key(target), "service": target.service, "module": self._module(target), "exporter": exporter}

    def _scraped(self, job: str) -> dict[str, object]:
        hosts = [
            {
                "targets": [f"{host.address}:{host.node if job == 'node' else host.process}"],
                "labels": {"host": host.name},
            }
            for host in self._hosts.values()
        ]
        return {"job_name": job, "static_configs": hosts}

    def _write(self, name: str, content: object) -> None:
        """JSON is YAML, too."""
        (self._folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def _page(target: Target) -> dict[str, object]:
    said: dict[str, object] = {"preferred_ip_protocol": "ip4"}
    if target.expected:
        said["fail_if_body_not_matches_regexp"] = [re.escape(target.expected)]
    if target.kind == "tls":
        said |= {"fail_if_not_ssl": True, "tls_config": {"ca_file": target.authority}}
    return said


def _question(target: Target) -> dict[str, object]:
    said: dict[str, object] = {"query_name": target.question, "query_type": "A", "preferred_ip_protocol": "ip4"}
    if target.expected:
        said["validate_answer_rrs"] = {"fail_if_none_matches_regexp": [rf".*\s{re.escape(target.expected)}$"]}
    return said


def _asked_at(target: Target) -> str:
    if target.kind in ("http", "tls"):
        return page_of(target)
    return target.address if target.kind == "host" else f"{target.address}:{target.port}"


def _key(target: Target) -> str:
    return f"{target.host}/{target.service}"
