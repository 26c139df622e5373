"""The packages as `make package` built them, later versions of them, and what the documents say one does with them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import ssl
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from booted_tree import HOME, Machine, Wire, until

ROOT = Path(__file__).parents[2]
DIST = Path(os.environ.get("DETAK_PACKAGES", ROOT / "dist"))
COLLECTOR = "detak.example.go.id"
NODE = "app-01"
URL = f"https://{COLLECTOR}:8443"
AUTHORITY = "/var/lib/detak-collector/ca/authority.pem"
AT_NIGHT = [
    pytest.mark.system("systemd-nspawn", "debootstrap", "nsenter", "ip", "dpkg-deb"),
    pytest.mark.skipif(os.environ.get("DETAK_NIGHTLY") != "1", reason="it boots whole systems, at night only"),
]
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_WHERE = re.compile(r"[Oo]n (?:the collector's machine|the node|a node)\b")


def package(name: str, kind: str = "deb") -> Path:
    """The built package of this machine's architecture."""
    architecture = {"deb": "amd64", "rpm": "x86_64"}[kind]
    found = sorted(DIST.glob(f"{name}[-_]*{architecture}.{kind}"))
    if not found:
        pytest.fail(f"{DIST} has no {name} as .{kind}: `make package` builds it", pytrace=False)
    return found[-1]


def later(original: Path, folder: Path, version: str = "9.9.9", migration: str | None = None) -> Path:
    """The same package as a later version, which may bring a step of the store's schema that nobody else knows."""
    tree, made = (
        folder / f"{original.stem}-{version}",
        folder / f"{original.name.partition('_')[0]}_{version}_amd64.deb",
    )
    subprocess.run(["dpkg-deb", "-R", str(original), str(tree)], check=True)
    control = tree / "DEBIAN/control"
    control.write_text(re.sub(r"(?m)^Version: .*$", f"Version: {version}", control.read_text()))
    if migration is not None:
        _add_migration(tree, migration)
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "-b", str(tree), str(made)], check=True, capture_output=True
    )
    shutil.rmtree(tree)
    return made


def _add_migration(tree: Path, name: str) -> None:
    (path,) = tree.rglob("detak_collector/store/migrations/__init__.py")
    step = f'    "{name}": lambda store: store.execute("CREATE TABLE later (id INTEGER) STRICT"),\n'
    text = path.read_text()
    assert "}\n\nMIGRATIONS" in text, "the list of migrations has another form"
    path.write_text(text.replace("}\n\nMIGRATIONS", f"{step}}}\n\nMIGRATIONS"))


def bring(machine: Machine, *packages: Path) -> None:
    """As if somebody had copied them there where commands are given, in place of those that lay there."""
    for one in packages:
        for former in machine.path(HOME).glob(f"{one.name.partition('_')[0]}_*"):
            former.unlink()
        shutil.copy(one, machine.path(HOME))


@dataclass(frozen=True)
class Block:
    """Commands of a document, and whether they are the node's."""

    text: str
    is_of_node: bool


def blocks(document: str) -> list[Block]:
    """The commands in docs/DOCUMENT in their order; the words before each say where it is to be run."""
    text = (ROOT / "docs" / document).read_text()
    found, end = [], 0
    for match in _BLOCK.finditer(text):
        where = _WHERE.findall(text[end : match.start()])
        end = match.end()
        found.append(Block(match[1], bool(where) and "node" in where[-1]))
    return found


def block(document: str, words: str) -> str:
    """The commands among which these words stand."""
    (found,) = (one.text for one in blocks(document) if words in one.text)
    return found


@dataclass(frozen=True)
class Installed:
    """A collector and a node, installed, enrolled and running, as docs/installing.md has it."""

    wire: Wire
    collector: Machine
    node: Machine

    def machine(self, where: str) -> Machine:
        """By what it is: `collector` or `node`."""
        return {"collector": self.collector, "node": self.node}[where]

    def line(self, *words: str) -> str:
        """The line that `enroll` prints to be pasted."""
        said = self.collector.says(f"detak-collector enroll {shlex.join(words)}")
        assert said.code == 0, said.both
        return said.out

    def page(self) -> str:
        """The status page, as somebody gets it who trusts the authority."""
        return self.collector.does(f"curl --silent --fail --cacert {AUTHORITY} {URL}/")

    def served(self) -> str:
        """The certificate that a new connection gets, and when it ends."""
        ask = f"openssl s_client -connect {COLLECTOR}:8443 -servername {COLLECTOR} </dev/null 2>/dev/null"
        return self.collector.says(f"{ask} | openssl x509 -noout -serial -enddate").out

    def days_left(self) -> float:
        """How long the certificate is still good that is served; 0 where none is."""
        found = re.search(r"notAfter=(.+)", self.served())
        return 0 if found is None else (ssl.cert_time_to_seconds(found[1].strip()) - time.time()) / 86_400

    def is_heard(self, node: str = NODE) -> bool:
        """Whether the collector serves and hears this node now."""
        said = self.collector.says("detak-collector nodes")
        return "not running" not in said.err and re.search(rf"(?m)^{re.escape(node)} +heard ", said.out) is not None

    def report(self, service: str, begin_s: float, end_s: float) -> dict[str, Any]:
        """One service of the report of these seconds (Unix time)."""
        begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) for at in (begin_s, end_s))
        told = self.collector.says(f"detak-collector report --from {begin} --to {end} --format json").out
        return next(one for one in json.loads(told)["services"] if one["id"] == service)

    def condition(self) -> str:
        """What `status` says."""
        return self.collector.says("detak-collector status").both


def installed_by_the_document(wire: Wire, more_services: str = "") -> Installed:
    """Every command of docs/installing.md up to the removal, on the machine where it belongs.

    `more_services` come after the document's own into services.toml.
    """
    made = Installed(wire, wire.boot(COLLECTOR), wire.boot(NODE))
    bring(made.collector, package("detak-collector"))
    bring(made.node, package("detak-agent"))
    for one in blocks("installing.md"):
        if "--remove" in one.text:
            break
        if "detak-agent enroll" in one.text:
            text = re.sub(r"(?m)^detak-agent enroll .*\n", lambda _: made.line(NODE), one.text)
            # Each step by itself, as a person would: the agent says how it stands once it has begun.
            made.node.does(text.replace("detak-agent status\n", ""))
            until("the agent runs", lambda: made.node.says("detak-agent status").code == 0)
        elif one.text.startswith("detak-collector nodes"):
            until("the collector hears the node", made.is_heard)
            made.collector.does(one.text)
        elif "detak-collector status" in one.text:
            until("the service is up", lambda: re.search(r"Public portal +.*\bup\b", made.condition()))
            made.collector.does(one.text)
        else:
            text = one.text.replace(
                "END\ndetak-collector config-check", f"{more_services}END\ndetak-collector config-check"
            )
            (made.node if one.is_of_node else made.collector).does(text)
    return made
