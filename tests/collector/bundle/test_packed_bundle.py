"""A packed bundle says what its store says, to the byte, whatever its evidence is, and can be made again."""

import shutil
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from detak_collector.bundle.checking import checked
from detak_collector.bundle.manifest import RESULT
from detak_collector.bundle.package import open_package
from detak_collector.clocks import Reading
from detak_collector.downtime.periods import Period
from detak_collector.store.sqlite import FILE_NAME, open_store
from evidence_builders import START_UTC
from packed_bundles import bundled, files_of, official, recomputed
from simulation.campaign import prepared
from simulation.faults import EVERY_FAULT
from simulation.history import fast_directory
from simulation.machine import EPOCH_MS
from simulation.plan import Scene, Weather, planned
from simulation.stage import Stage

DUMPS = sorted((Path(__file__).parents[2] / "recorded" / "stores").glob("*.sql"))
HOUR_MS = 3_600_000
RECORDED_BY = Reading(START_UTC + 95 * 60_000 + 15_000, 10 * HOUR_MS, "b007ed")
LATER_MS = 40 * 86_400_000
ORGANISATION = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
counted_criticality = ["sangat kritis"]
"""
RECORDED = f"""{ORGANISATION}
[[service]]
id = "web"
criticality = "sangat kritis"
[[service.group]]
name = "aplikasi"
category = "application"
members = ["db-01/web"]
"""
ALONE = f"""{ORGANISATION}
minimum_outage_ms = 5000
[[service]]
id = "s"
criticality = "sangat kritis"
[[service.group]]
name = "g"
category = "application"
members = ["n/c"]
"""
OBSERVED = f"""{ORGANISATION}
[[service]]
id = "s"
criticality = "sangat kritis"
[[service.group]]
name = "g"
category = "network"
rule = "all_down"
members = [{{ observers = ["n/c", "m/c"] }}]
[[node]]
name = "n"
references = ["n/g"]
witnesses = ["m/w"]
[[node]]
name = "m"
references = ["m/g"]
"""


def held_to_the_store(folder: Path, services: str, period: Period, now: Reading, path: Path) -> None:
    """Bundle, store and recomputation say the same, and the records agree; once more, the bundle is the same bytes."""
    store = open_store(folder, now)
    try:
        content = bundled(store, services, period, now)
        said = official(store, services, period, now)
        later = Reading(now.utc + LATER_MS, now.boottime + LATER_MS, now.boot)
        store.ledger.append(later.utc)
        again = bundled(store, services, period, later, as_of=now.utc)
    finally:
        store.close()
    path.write_bytes(content)
    assert files_of(content)[RESULT] == said
    assert recomputed(path) == said
    assert again == content
    assert checked(open_package(path), None).wrong == ()


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_store_of_every_schema_and_its_bundle_say_the_same(dump: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE_NAME)) as connection:
        connection.executescript(dump.read_text())
    period = Period("two days", START_UTC - 24 * HOUR_MS, START_UTC + 24 * HOUR_MS)
    held_to_the_store(tmp_path, RECORDED, period, RECORDED_BY, tmp_path / "b.tar.gz")


@pytest.mark.parametrize(("scene", "services"), [("alone", ALONE), ("two collectors", ALONE), ("observed", OBSERVED)])
@pytest.mark.parametrize("seed", ["first", "second", "third", "fourth"])
def test_whatever_goes_wrong_a_store_and_its_bundle_say_the_same(
    scene: Scene, services: str, seed: str, tmp_path: Path
) -> None:
    plan = planned(Random(seed), Weather(EVERY_FAULT, every_ms=15_000.0, length_ms=240_000.0, scene=scene))
    directory = Path(tempfile.mkdtemp(prefix="detak-simulation-", dir=fast_directory()))
    try:
        with prepared() as empty:
            stage = Stage(seed, plan, empty, directory, drift_ppm=100)
            stage.prepare()
            stage.world.run(plan.length)
            moments = [collector.now() for collector in stage.collectors]
            stage.clear()
        for collector, now in zip(stage.collectors, moments, strict=True):
            period = Period("all", EPOCH_MS, now.utc)
            held_to_the_store(collector.directory, services, period, now, tmp_path / f"{collector.identity}.tar.gz")
    finally:
        shutil.rmtree(directory)
