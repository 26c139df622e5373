"""`detak-collector nodes`, `nodes import` and `catalogue propose`, as an administrator of many nodes uses them."""

from __future__ import annotations

import errno
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from detak_collector import cli
from detak_collector.catalogue import load as load_catalogue
from detak_collector.channel.enrol import redeem
from detak_collector.clocks import Reading, system_clock
from detak_collector.fleet.standing import FIRST_WORD_WITHIN_MS
from detak_collector.store.base import Arrival, Receipt, Redeemed
from detak_collector.store.parts import Store
from detak_collector.store.sqlite import open_store
from detak_wire.messages import CheckSettings, Part
from evidence_builders import RUN, beat, opening, span

SERVICES = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "impor"
criticality = "kritis"
probes = ["dc-db-01/pg", "old-01/pg", "odd-01/pg", "new-01/pg"]
[[node]]
name = "dc-db-01"
site = "DC"
[[node]]
name = "old-01"
retired = "2020-01-01"
[[node]]
name = "odd-01"
retired = "2020-01-01"
"""


WEB = CheckSettings("web", "tcp", 5_000, 3_000)


class Home:
    """A collector's folder, and what its commands print."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self._capsys, self.now = folder, capsys, system_clock()()
        assert cli.run(["init", str(folder)]) == 0
        (folder / "services.toml").write_text(SERVICES)
        (folder / "state").mkdir(exist_ok=True)
        self._capsys.readouterr()

    def call(self, *arguments: str) -> tuple[int, str, str]:
        code = cli.run(["--config", str(self.folder / "collector.toml"), *arguments])
        told = self._capsys.readouterr()
        return code, told.out, told.err

    def listed(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(self.call("nodes", "--json")[1])
        return read

    def store(self) -> Store:
        return open_store(self.folder / "state", self.now)

    def enrol(
        self, node: str, ago_ms: int = 0, checks: tuple[CheckSettings, ...] = (WEB,), *, heard: bool = True
    ) -> None:
        at = Reading(self.now.utc - ago_ms, self.now.boottime - ago_ms, self.now.boot)
        store = self.store()
        store.registry.issue(node, node.encode(), at.utc + 60_000, at)
        store.registry.redeem(node.encode(), node, node.encode() * 2, at)
        if heard:
            part = Part(RUN, replace(opening(), checks=[*checks]), [span(1, "alive"), span(4, checks[0].name)])
            (receipt,) = store.evidence.commit([Arrival(node, replace(beat(part), node=node), at)])
            assert isinstance(receipt, Receipt), receipt
        store.watch.begin(self.now)
        store.close()


@pytest.fixture
def home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Home:
    return Home(tmp_path / "detak", capsys)


def table(home: Home, name: str, text: str) -> str:
    path = home.folder / name
    path.write_text(text)
    return str(path)


def test_nodes_tells_where_each_stands_what_is_late_and_who_is_awaited(home: Home) -> None:
    home.enrol("dc-db-01")
    home.enrol("old-01", 9 * FIRST_WORD_WITHIN_MS)
    home.enrol("odd-01")
    home.enrol("fresh-01", heard=False)
    home.call("enroll", "soon-01", "--expires", "5h")
    home.call("enroll", "--count", "7")
    code, out, _ = home.call("nodes")
    rows = {line.split()[0]: line.split() for line in out.splitlines() if line.strip()}
    assert code == 0
    assert rows["dc-db-01"][1] == "heard"
    assert rows["dc-db-01"][5:7] == ["2", "DC"]
    assert (rows["old-01"][1], rows["odd-01"][1]) == ("retired", "heard")
    assert rows["fresh-01"][1:3] == ["never", "heard"]
    assert "soon-01" in rows
    assert "token for 4 h" in out
    assert "A token lets in 7 more new nodes, for 23 h." in out
    assert "services.toml names nodes that never enrolled: new-01." in out
    only = home.call("nodes", "--state", "invited", "--state", "retired")[1]
    assert [line.split()[0] for line in only.split("\n\n")[0].splitlines()] == ["node", "old-01", "soon-01"]


def test_a_node_that_was_let_in_and_never_came_is_bad_news_after_an_hour(home: Home) -> None:
    home.enrol("fresh-01", FIRST_WORD_WITHIN_MS - 60_000, heard=False)
    assert home.call("nodes")[0] == 0
    home.enrol("lost-01", FIRST_WORD_WITHIN_MS + 60_000, heard=False)
    assert home.call("nodes")[0] == 1
    assert [one["node"] for one in home.listed()["nodes"] if one["bad_news"]] == ["lost-01"]


def test_programs_get_all_of_it(home: Home) -> None:
    home.enrol("dc-db-01")
    home.call("enroll", "--count", "7")
    told = home.listed()
    (node,) = told["nodes"]
    assert (node["state"], node["site"], node["late_records"], node["agent_version"]) == ("heard", "DC", 2, "0.1.0")
    assert node["checks"] == {"alive": "up", "web": "up"}
    assert (told["invited"][0]["left"], told["never_enrolled"]) == (7, ["new-01"])
    home.call("enroll", "new-01")
    assert home.listed()["never_enrolled"] == []


def test_an_inventory_lets_in_whoever_is_not_there_and_only_once(home: Home) -> None:
    home.enrol("dc-db-01")
    inventory = table(home, "nodes.csv", "name;site\ndc-db-01;DRC\nweb-01;DC\nweb-02;DRC\n")
    lines = home.folder / "lines"
    code, out, err = home.call("nodes", "import", inventory, "-o", str(lines))
    assert (code, out) == (0, "")
    assert stat.S_IMODE(lines.stat().st_mode) == 0o600
    assert "dc-db-01: is there, and is left as it is" in err
    assert "dc-db-01: services.toml says that it stands at DC (here DRC)" in err
    first, second = lines.read_text().splitlines()
    words = first.split()
    assert (words[:2], words[words.index("--node") + 1]) == (["detak-agent", "enroll"], "web-01")
    store = home.store()
    token = words[words.index("--token") + 1]
    assert redeem(store.registry, "web-02", token, home.now)[0] is Redeemed.OTHER_NODE
    assert redeem(store.registry, "web-01", token, home.now)[0] is Redeemed.ACCEPTED
    store.close()
    code, out, err = home.call("nodes", "import", inventory)
    assert (code, out) == (0, "")
    assert "web-01: is there" in err
    assert "web-02: has a token that waits" in err
    again = home.call("nodes", "import", inventory, "--again")[1]
    assert again.split()[5] != second.split()[5]
    assert again.count("\n") == 1


def test_an_inventory_with_a_wrong_line_lets_nobody_in(home: Home) -> None:
    inventory = table(home, "nodes.csv", "name\nweb-01\nWEB\n")
    code, out, err = home.call("nodes", "import", inventory)
    assert (code, out) == (2, "")
    assert f"{inventory}:3: name: lower-case letters" in err
    home.enrol("dc-db-01")
    assert home.listed()["invited"] == []


def test_lines_are_never_written_over_a_file_that_is_there(home: Home) -> None:
    home.enrol("dc-db-01")
    inventory, lines = table(home, "nodes.csv", "name\nweb-01\n"), table(home, "lines", "mine")
    assert home.call("nodes", "import", inventory, "-o", lines)[0] == 2
    assert Path(lines).read_text() == "mine"
    assert home.listed()["invited"] == []


@pytest.fixture
def full_disk(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """From when `home` was made on: takes nothing, and says so when a file is to be made durable."""

    def refuse(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", refuse)


@pytest.mark.usefixtures("full_disk")
def test_lines_that_could_not_be_written_leave_no_file_and_are_asked_for_again(home: Home) -> None:
    inventory, lines = table(home, "nodes.csv", "name\nweb-01\nweb-02\n"), home.folder / "lines"
    code, out, err = home.call("nodes", "import", inventory, "-o", str(lines))
    assert (code, out, lines.exists()) == (3, "", False)
    assert err.splitlines()[-2:] == [
        "2 tokens were made and their lines may be lost: once that is mended, give the command again, with --again",
        f"{lines}: No space left on device",
    ]
    assert "web-02: has a token that waits" in home.call("nodes", "import", inventory)[2]
    assert home.call("nodes", "import", inventory, "--again")[1].count("detak-agent enroll") == 2


@pytest.mark.usefixtures("full_disk")
def test_a_first_catalogue_that_could_not_be_written_leaves_no_file(home: Home) -> None:
    home.enrol("dc-db-01")
    proposed = home.folder / "proposed.toml"
    assert home.call("catalogue", "propose", "-o", str(proposed)) == (3, "", f"{proposed}: No space left on device\n")
    assert not proposed.exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nodes", "import", "{}/nowhere.csv"), "{}/nowhere.csv: No such file or directory"),
        (("catalogue", "propose", "--inventory", "{}/nowhere.csv"), "{}/nowhere.csv: No such file or directory"),
        (("nodes", "import", "{}/nodes.csv", "-o", "{}/nowhere/lines"), "{}/nowhere/lines: No such file or directory"),
        (("catalogue", "propose", "-o", "{}/nowhere/one"), "{}/nowhere/one: No such file or directory"),
    ],
)
def test_files_and_folders_that_are_not_there_are_named_and_nobody_is_let_in(
    home: Home, words: tuple[str, ...], told: str
) -> None:
    home.enrol("dc-db-01")
    table(home, "nodes.csv", "name\nweb-01\n")
    code, out, err = home.call(*(one.format(home.folder) for one in words))
    assert (code, out, err.splitlines()[-1]) == (3, "", told.format(home.folder))
    assert home.listed()["invited"] == []


def test_an_imported_node_is_told_whom_it_trusts_as_one_that_is_let_in_alone(home: Home) -> None:
    (home.folder / "pair.pem").write_text("no certificate")
    (home.folder / "pair.pem").chmod(0o600)
    with (home.folder / "collector.toml").open("a") as file:
        file.write('\n[tls]\ncertificate = "pair.pem"\nkey = "pair.pem"\n')
    home.call("enroll", "web-09")
    err = home.call("nodes", "import", table(home, "nodes.csv", "name\nweb-01\n"))[2]
    assert "pair.pem cannot be read: there is no PEM certificate in it" in err


def test_a_first_catalogue_is_proposed_from_what_reports_and_is_right(home: Home) -> None:
    checks = (CheckSettings("os", "os", 15_000, 4_000), CheckSettings("pg", "postgresql", 5_000, 4_000))
    for node in ("dc-db-01", "drc-db-01"):
        home.enrol(node, checks=checks)
    inventory = table(home, "nodes.csv", "name,site\ndrc-db-01,Surabaya\n")
    proposed = home.folder / "proposed.toml"
    code, out, _ = home.call("catalogue", "propose", "--inventory", inventory, "-o", str(proposed))
    assert code == 0
    assert f"{proposed}: read it through" in out
    catalogue = load_catalogue(proposed)
    (service,) = catalogue.services
    assert {group.key: len(group.members) for group in service.groups} == {"db-os": 2, "db-pg": 2}
    assert {one.name: one.site_at(home.now.utc) for one in catalogue.nodes} == {
        "dc-db-01": "DC", "drc-db-01": "Surabaya"
    }  # fmt: skip
    before = proposed.read_text()
    assert home.call("catalogue", "propose", "-o", str(proposed))[0] == 2
    assert proposed.read_text() == before
    assert home.call("catalogue", "propose")[1].startswith(
        "# Proposed by `detak-collector catalogue propose` from 4 che"
    )


def test_without_a_node_that_reports_nothing_is_proposed(home: Home) -> None:
    home.enrol("dc-db-01", heard=False)
    code, out, err = home.call("catalogue", "propose")
    assert (code, out, "No node reports yet" in err) == (1, "", True)
