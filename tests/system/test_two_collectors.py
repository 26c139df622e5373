"""DC and DRC: cut off from each other and their nodes, killed and set back, they come to one figure, to the byte."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from installation import INTERVAL_MS, NIGHTLY, process_check, service_of, sleeper, until
from pair_databases import Databases
from pair_installation import SIDES, Files, Pair, Stores, instant, paired

from peers.store_server import store_server

pytestmark = pytest.mark.system

HEALED_S = 60.0

FILES, POSTGRESQL = "files", "postgresql"
SERVER = pytest.mark.peers("pg_ctlcluster", "setpriv", "pg_dump", "pg_restore")
AT_NIGHT = pytest.mark.skipif(not NIGHTLY, reason="a minute for little that differs: at night only")
in_files_and_databases = pytest.mark.parametrize("two", [FILES, pytest.param(POSTGRESQL, marks=SERVER)], indirect=True)
in_files_and_at_night_in_databases = pytest.mark.parametrize(
    "two", [FILES, pytest.param(POSTGRESQL, marks=[SERVER, AT_NIGHT])], indirect=True
)


class Watched:
    """A process that a node's check looks at, which can be down for a while."""

    def __init__(self, folder: Path, name: str) -> None:
        self.pid_file = folder / f"{name}.pid"
        self.up()

    def up(self) -> None:
        self._process = sleeper()
        self.pid_file.write_text(str(self._process.pid))

    def down(self) -> None:
        self._process.kill()
        self._process.wait()

    def down_for(self, length_s: float) -> None:
        self.down()
        time.sleep(length_s)
        self.up()


@pytest.fixture
def two(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Pair, Watched]]:
    """Asked for with POSTGRESQL, each side's store is in a database of its own."""
    with ExitStack() as stack:
        stores: Stores = Files()
        if getattr(request, "param", None) == POSTGRESQL:
            server = stack.enter_context(store_server())
            stores = Databases(server, "pair", tmp_path)
        app = Watched(tmp_path, "app")
        stack.callback(app.down)
        made = stack.enter_context(paired(tmp_path, service_of("n/app", "m/app", rule="any_down"), stores))
        made.add_agent("n", process_check(app.pid_file))
        made.add_agent("m", process_check(app.pid_file))
        for side in SIDES:
            _until_up(made, side)
        yield made, app


def test_outages_that_only_one_of_them_heard_of_are_the_same_at_both_once_all_is_healed(
    two: tuple[Pair, Watched],
) -> None:
    made, app = two
    begin = time.time()
    made.links["n-drc"].cut()
    made.links["m-drc"].cut()
    app.down_for(3)
    made.links["dc-drc"].cut()
    made.links["drc-dc"].cut()
    time.sleep(2)
    for name in ("n-drc", "m-drc"):
        made.links[name].heal()
    for name in ("n-dc", "m-dc"):
        made.links[name].cut()
    app.down_for(3)
    made.end("m")
    time.sleep(5)
    until("the other one is missed", lambda: made.ready("drc")["parts"]["peer"] != "ok", 60)  # type: ignore[index]
    until("that is told", lambda: "the other collector is not heard" in made.log("dc"))
    for link in made.links.values():
        link.heal()
    time.sleep(1)
    end = time.time()
    told = json.loads(made.until_equal(begin, end, HEALED_S))
    service = told["services"][0]
    assert len(service["outages"]) >= 2
    assert service["counted_ms"] > 2 * (3_000 - INTERVAL_MS), "each of them is known to an interval"
    assert all(one["number"] is not None for one in service["outages"])


@in_files_and_databases
def test_a_collector_that_was_down_and_one_that_was_set_back_come_to_the_same_figure(two: tuple[Pair, Watched]) -> None:
    made, app = two
    begin = time.time()
    made.stores.back_up(made, "dc")
    app.down_for(3)
    made.end("drc")
    app.down_for(3)
    time.sleep(4)
    made.start("drc")
    time.sleep(2)
    made.says("dc", "history", "add", "2024", "0.5", "--document", "ND-1/2024")
    until("it is told of at both", lambda: "ND-1/2024" in made.says("drc", "history", "list"))
    made.end("m")
    until("it is seen there", lambda: made.condition("drc") == "presumed down")
    made.end("dc", signal.SIGTERM)
    made.stores.set_back(made, "dc")
    made.start("dc")
    time.sleep(1)
    end = time.time()
    told = json.loads(made.until_equal(begin, end, HEALED_S))
    assert "ND-1/2024" in made.says("dc", "history", "list")
    assert len(told["services"][0]["outages"]) >= 2


@in_files_and_at_night_in_databases
def test_who_follows_takes_no_entries_until_it_is_promoted_and_then_the_other_one_takes_none(
    two: tuple[Pair, Watched],
) -> None:
    made, app = two
    entry = ("history", "add", "2024", "0.5", "--document", "ND-1/2024")
    refused = made.tried("drc", *entry)
    assert refused.returncode == 2
    assert made.links["drc-dc"].url in refused.stderr
    begin = time.time()
    app.down_for(3)
    until("the outage has one number", lambda: len(_numbers(made, "dc", begin) & _numbers(made, "drc", begin)) == 1)
    made.end("dc")
    assert "leads from now on" in made.says("drc", "promote", "--reason", "a drill")
    made.says("drc", *entry)
    app.down_for(3)
    until("it numbers outages itself", lambda: max(_numbers(made, "drc", begin), default=0) > 1_000)
    made.start("dc")
    until("it has heard of it", lambda: made.tried("dc", *entry).returncode == 2)
    assert "was promoted" in made.tried("dc", *entry).stderr
    until("it says so", lambda: "alarm=peer-promoted" in made.log("dc"))
    made.write("dc", follow=made.links["dc-drc"].url)
    made.end("dc", signal.SIGTERM)
    made.start("dc")
    made.until_equal(begin, time.time(), HEALED_S)
    assert "leads from now on" in made.says("dc", "promote", "--reason", "and back")
    until("the first one leads again", lambda: made.tried("drc", *entry).returncode == 2)
    assert made.tried("dc", "history", "add", "2023", "0.4", "--document", "ND-2/2023").returncode == 0
    until("both have it", lambda: "ND-2/2023" in made.says("drc", "history", "list"))


def test_what_two_leaders_entered_meanwhile_is_merged_and_its_contradictions_are_listed(
    two: tuple[Pair, Watched],
) -> None:
    made, _ = two
    begin = time.time()
    for name in ("dc-drc", "drc-dc"):
        made.links[name].cut()
    time.sleep(1)
    made.says("drc", "promote", "--reason", "the other site is gone")
    made.says("dc", "history", "add", "2024", "0.5", "--document", "ND-1/2024")
    made.says("drc", "history", "add", "2024", "0.7", "--document", "ND-9/2024")
    for name in ("dc-drc", "drc-dc"):
        made.links[name].heal()
    until("both list the contradiction", lambda: all("2024" in made.says(side, "pair", "status") for side in SIDES))
    for side in SIDES:
        listed = made.says(side, "history", "list")
        assert "ND-1/2024" in listed
        assert "ND-9/2024" in listed
    until("the later figure counts", lambda: _published(made, begin) == ["ND-9/2024"])


def _published(made: Pair, begin: float) -> list[str]:
    """What both say; the report is of a moment ago, when the later of two figures may not have been entered yet."""
    told = json.loads(made.until_equal(begin, time.time(), HEALED_S))
    return [one["document"] for one in told["history"]]


def _until_up(made: Pair, side: str) -> None:
    until(f"the service is up at {side}", lambda: made.condition(side) == "up")


def _numbers(made: Pair, side: str, begin: float) -> set[int]:
    period = ("--from", instant(begin), "--to", instant(time.time() + 1))
    told = json.loads(made.says(side, "report", *period, "--format", "json"))
    found = (one["number"] for one in told["services"][0]["outages"])
    return {number for number in found if number is not None}
