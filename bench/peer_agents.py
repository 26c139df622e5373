"""The agents of others, each configured for this job as its documentation says, with the same interval where it can."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Peer:
    """One of them: its program, how to ask for its version, and the command that runs it in the foreground.

    One that measures only when somebody asks has `ask`, which is called every five seconds beside it.
    """

    name: str
    program: str
    version_flag: str
    command: Callable[[str, Path], list[str]]
    ask: Callable[[], None] | None = None

    def path(self) -> str | None:
        """Where it is; None if it is not installed."""
        return shutil.which(self.program) or shutil.which(self.program, path="/usr/local/sbin:/usr/sbin:/sbin")

    def version(self, path: str) -> str:
        """As it says itself."""
        said = subprocess.run([path, self.version_flag], capture_output=True, text=True, check=False)
        found = re.search(r"\d+\.\d+(?:\.\d+)*", said.stdout + said.stderr)
        return found[0] if found else ""


def _node_exporter(path: str, _home: Path) -> list[str]:
    return [path, "--web.listen-address=127.0.0.1:19100"]


def _zabbix(path: str, home: Path) -> list[str]:
    settings = home / "agent2.conf"
    settings.write_text(
        "LogType=console\nServer=127.0.0.1\nListenIP=127.0.0.1\nListenPort=19101\nHostname=bench\n"
        f"ControlSocket={home}/control.sock\nPluginSocket={home}/plugin.sock\n"
    )
    return [path, "-f", "-c", str(settings)]


_ZABBIX_KEYS = (
    "system.cpu.util", "system.cpu.load[all,avg5]", "vm.memory.size[available]", "system.swap.size[,pfree]",
    "vfs.fs.size[/,pused]", "vfs.fs.inode[/,pused]", "proc.num[python]", "vfs.file.exists[/etc/hostname]",
    "net.tcp.port[127.0.0.1,19100]", "agent.ping",
)  # fmt: skip


def _ask_zabbix() -> None:
    """What a server asks of a passive agent: one connection for each item, as its protocol has it."""
    for key in _ZABBIX_KEYS:
        with socket.create_connection(("127.0.0.1", 19101), timeout=5) as connection:
            connection.sendall(b"ZBXD\x01" + len(key).to_bytes(8, "little") + key.encode())
            while connection.recv(65_536):
                pass


def _scrape() -> None:
    """What Prometheus asks of it."""
    with urllib.request.urlopen("http://127.0.0.1:19100/metrics", timeout=5) as answer:
        answer.read()


def _monit(path: str, home: Path) -> list[str]:
    settings = home / "monitrc"
    settings.write_text(
        f"set daemon 5\nset idfile {home}/id\nset statefile {home}/state\nset pidfile {home}/pid\n"
        "check system bench\n  if loadavg (5min) per core > 4 then alert\n  if memory usage > 95% then alert\n"
        "check filesystem root with path /\n  if space usage > 90% then alert\n  if inode usage > 90% then alert\n"
        'check process python matching "detak_collector"\n'
        "check file hostname with path /etc/hostname\ncheck file passwd with path /etc/passwd\n"
    )
    settings.chmod(0o600)
    return [path, "-I", "-c", str(settings)]


def _collectd(path: str, home: Path) -> list[str]:
    settings = home / "collectd.conf"
    plugins = "\n".join(f"LoadPlugin {one}" for one in ("cpu", "memory", "load", "df", "disk", "interface", "swap"))
    settings.write_text(f'Interval 5\nBaseDir "{home}"\nPIDFile "{home}/pid"\n{plugins}\n')
    return [path, "-f", "-C", str(settings)]


def _netdata(path: str, home: Path) -> list[str]:
    settings = home / "netdata.conf"
    settings.write_text(
        f"[global]\n  run as user = root\n[directories]\n  cache = {home}\n  lib = {home}\n  log = {home}\n"
        "[db]\n  mode = ram\n  update every = 5\n[web]\n  bind to = 127.0.0.1:19199\n[ml]\n  enabled = no\n"
        "[plugins]\n  enable running new plugins = no\n"
    )
    return [path, "-D", "-c", str(settings)]


PEERS = (
    Peer("node_exporter", "prometheus-node-exporter", "--version", _node_exporter, _scrape),
    Peer("zabbix-agent2", "zabbix_agent2", "-V", _zabbix, _ask_zabbix),
    Peer("monit", "monit", "-V", _monit),
    Peer("collectd", "collectd", "-h", _collectd),
    Peer("netdata", "netdata", "-V", _netdata),
)
