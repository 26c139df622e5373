"""Bundles out of each kind of store: several months of evidence, some of it weeks late, and as of any moment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from contracts.kinds import OpenStore
from contracts.shared_stores import enrol
from detak_collector.bundle.checking import checked
from detak_collector.bundle.manifest import RESULT
from detak_collector.bundle.package import open_package
from detak_collector.downtime.periods import Period, months
from detak_collector.store.parts import Store
from evidence_builders import START_UTC, reading
from late_delivery import DAY, NODES, SEASON, deliveries
from packed_bundles import bundled, files_of, official, recomputed
from report_cases import JAKARTA

SERVICES = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
counted_criticality = ["sangat kritis"]
minimum_outage_ms = 2000

[[service]]
id = "web"
criticality = "sangat kritis"
[[service.group]]
name = "aplikasi"
category = "application"
rule = "lowest_member"
members = ["db-01/web", "db-02/web"]

[[service]]
id = "pg"
criticality = "sangat kritis"
[[service.group]]
name = "basis data"
category = "database"
members = ["db-01/pg"]
"""


@pytest.fixture
def season(open_store: OpenStore) -> Iterator[Store]:
    with closing(open_store()) as opened:
        enrol(opened, *NODES)
        opened.evidence.commit(deliveries(Random(3)))
        yield opened


def test_a_bundle_of_any_months_says_what_the_store_says_and_its_records_agree(season: Store, tmp_path: Path) -> None:
    now = reading(SEASON + 10 * DAY)
    cells = list(months(START_UTC, now.utc, JAKARTA))
    assert len(cells) > 2
    for begin, end in ((START_UTC, now.utc), *cells[:2]):
        period = Period("a part", begin, end)
        content = bundled(season, SERVICES, period, now)
        path = tmp_path / "b.tar.gz"
        path.write_bytes(content)
        assert files_of(content)[RESULT] == official(season, SERVICES, period, now)
        assert recomputed(path) == files_of(content)[RESULT]
        found = checked(open_package(path), None)
        assert (found.wrong, found.unseen, found.spans > 10) == ((), 0, True)


def test_as_of_an_earlier_moment_what_came_later_is_in_no_fact_and_the_records_still_agree(
    season: Store, tmp_path: Path
) -> None:
    now, path = reading(SEASON + 10 * DAY), tmp_path / "b.tar.gz"
    for day in (5, 20, 40, 60):
        moment = reading(day * DAY).utc
        period = Period("so far", START_UTC, moment)
        content = bundled(season, SERVICES, period, now, as_of=moment)
        path.write_bytes(content)
        assert recomputed(path) == files_of(content)[RESULT]
        assert checked(open_package(path), None).wrong == ()
