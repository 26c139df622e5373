"""Which catalogue a collector works by, over starts, reloads, and what the other one of two has recorded."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from detak_collector.catalogue import CatalogueError
from detak_collector.config import ConfigurationError, load
from detak_collector.operating.catalogue_keeper import CatalogueKeeper
from detak_collector.operating.reloading import reread
from detak_collector.store.entries import take_entries
from detak_collector.store.parts import Store
from evidence_builders import reading
from outage_history import SERVICES, fill

STRICTER = SERVICES.replace("counted_criticality", "target_percent = 0.001\ncounted_criticality")
LEADS, FOLLOWS = 'state_directory = "state"\n', 'state_directory = "state"\nfollow = "https://dc:8443"\n'


class Side:
    """One collector: its folder, its store, and a clock that each start moves on by a minute."""

    def __init__(self, folder: Path, settings: str = LEADS, services: str = SERVICES) -> None:
        self.folder = folder
        folder.mkdir()
        self.minutes = 0
        self.write(settings, services)
        (folder / "state").mkdir(mode=0o700)
        self.store: Store = load(folder / "collector.toml").store.open(reading(0))

    def write(self, settings: str | None = None, services: str | None = None) -> None:
        if settings is not None:
            (self.folder / "collector.toml").write_text(settings)
        if services is not None:
            (self.folder / "services.toml").write_text(services)

    def started(self) -> CatalogueKeeper:
        self.minutes += 1
        keeper = CatalogueKeeper(
            self.store, lambda: reading(self.minutes * 60_000), load(self.folder / "collector.toml")
        )
        keeper.begin()
        return keeper

    def reloaded(self, keeper: CatalogueKeeper, services: str) -> CatalogueKeeper:
        self.minutes += 1
        self.write(services=services)
        keeper.reload(reread(lambda: load(self.folder / "collector.toml"), keeper.config, needs_file=keeper.needs_file))
        return keeper

    def hear(self, other: Side) -> None:
        with self.store.database.writing() as connection:
            take_entries(connection, other.store.entries.all())


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[list[Side]]:
    """DC, which leads, and DRC, which does by its own file."""
    with ExitStack() as stack:
        made = [Side(tmp_path / "dc"), Side(tmp_path / "drc", services=SERVICES.replace("DJBC", "DJP"))]
        for one in made:
            stack.callback(one.store.close)
        yield made


@pytest.fixture
def dc(sides: list[Side]) -> Side:
    return sides[0]


def name(keeper: CatalogueKeeper) -> str:
    return keeper.rules.catalogue.organisation.values()[0]


def alarms(keeper: CatalogueKeeper) -> list[str]:
    return [one.key for one in keeper.alarms(0)]


def test_a_start_records_what_is_there_once(dc: Side) -> None:
    assert [dc.started().rules.version.number for _ in range(2)] == [1, 1]  # type: ignore[union-attr]


def test_while_there_is_no_evidence_every_change_takes_effect_at_once(dc: Side) -> None:
    keeper = dc.reloaded(dc.started(), STRICTER)
    assert keeper.rules.version is not None
    assert (keeper.rules.version.number, alarms(keeper)) == (2, [])


def test_with_evidence_a_change_of_the_past_is_held_and_said(dc: Side) -> None:
    dc.store.close()
    fill(dc.folder / "state", {"web": [], "api": []}, 5)
    dc.store = load(dc.folder / "collector.toml").store.open(reading(0))
    keeper = dc.reloaded(dc.started(), STRICTER)
    assert (keeper.rules.version.number, alarms(keeper)) == (1, ["catalogue-held"])  # type: ignore[union-attr]
    told = [event for event, *_ in keeper.news]
    assert told == ["catalogue-version", "catalogue-held"]
    # Put back, it is a version of its own that takes the place of the one that waits.
    keeper = dc.reloaded(keeper, SERVICES)
    assert (keeper.rules.version.number, alarms(keeper)) == (3, [])  # type: ignore[union-attr]


def test_a_restart_brings_no_old_file_back_and_a_reload_does(dc: Side) -> None:
    dc.reloaded(dc.started(), SERVICES.replace("DJBC", "DJP"))
    dc.write(services=SERVICES)
    keeper = dc.started()
    assert (name(keeper), alarms(keeper)) == ("DJP", ["catalogue-file"])
    assert name(dc.reloaded(keeper, SERVICES)) == "DJBC"


def test_a_broken_file_ends_the_very_first_start(dc: Side) -> None:
    dc.write(services="organisatio = 1\n")
    with pytest.raises(CatalogueError, match="organisatio"):
        dc.started()


def test_one_that_has_served_starts_again_with_a_broken_file_by_what_was_in_force(dc: Side) -> None:
    dc.started()
    dc.write(services="organisatio = 1\n")
    keeper = dc.started()
    assert (name(keeper), alarms(keeper)) == ("DJBC", ["catalogue-broken"])
    assert keeper.word() == "services.toml is not right; version 1 stays in force"
    [(event, text, level, _)] = [one for one in keeper.news if one[0] == "catalogue-refused"]
    assert (event, level) == ("catalogue-refused", logging.WARNING)
    assert "version 1 of the catalogue stays in force: " in text
    # What is put right is taken like any other change.
    assert name(dc.reloaded(keeper, SERVICES.replace("DJBC", "DJP"))) == "DJP"
    assert (alarms(keeper), keeper.word()) == ([], "ok")


@pytest.mark.asyncio
async def test_a_refused_reload_is_an_alarm_until_one_is_taken(dc: Side) -> None:
    keeper = dc.started()
    good = (dc.folder / "collector.toml").read_text()
    with ThreadPoolExecutor(1) as thread:
        for broken, key in ((("listen = \n", SERVICES), "reload-refused"), ((good, "x = 1\n"), "catalogue-broken")):
            dc.write(*broken)
            with pytest.raises(ConfigurationError):
                await keeper.reloaded(lambda: load(dc.folder / "collector.toml"), thread)
            assert (name(keeper), alarms(keeper)) == ("DJBC", [key])
            assert keeper.word() != "ok"
        dc.write(good, SERVICES)
        await keeper.reloaded(lambda: load(dc.folder / "collector.toml"), thread)
        assert (alarms(keeper), keeper.word()) == ([], "ok")


def test_who_follows_goes_by_its_own_file_only_until_it_has_heard_a_version(sides: list[Side]) -> None:
    dc, drc = sides
    drc.write(FOLLOWS)
    keeper = drc.started()
    assert (name(keeper), keeper.rules.version, drc.store.entries.all()) == ("DJP", None, [])
    dc.started()
    drc.hear(dc)
    assert keeper.look()
    assert (name(keeper), alarms(keeper)) == ("DJBC", [])
    drc.write(services="organisatio = 1\n")
    assert name(drc.started()) == "DJBC"
    assert name(drc.reloaded(keeper, "organisatio = 2\n")) == "DJBC"


def test_who_leads_goes_on_by_its_own_when_another_one_recorded_a_later_version_unheard(sides: list[Side]) -> None:
    dc, drc = sides
    keeper = dc.started()
    drc.minutes = 5
    drc.started()
    dc.hear(drc)
    dc.minutes = 10
    keeper.look()
    assert name(keeper) == "DJBC"
    drc.write(FOLLOWS)
    drc.hear(dc)
    assert name(drc.started()) == "DJBC"
    assert dc.store.entries.all() == drc.store.entries.all()


def test_a_version_recorded_with_knowledge_of_the_own_is_taken(sides: list[Side]) -> None:
    dc, drc = sides
    keeper = dc.started()
    drc.hear(dc)
    other = drc.started()
    assert (name(other), alarms(other)) == ("DJBC", ["catalogue-file"])
    drc.reloaded(other, SERVICES.replace("DJBC", "DJP"))
    dc.hear(drc)
    keeper.look()
    assert (name(keeper), alarms(keeper)) == ("DJP", ["catalogue-file"])
