"""What another catalogue makes of this year's figure is derived beside everything, and takes the place of nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from admin_stage import SERVICES, WITHOUT_PUSAT
from detak_collector.catalogue.organisation import parse
from detak_collector.catalogue.texts import Texts
from detak_collector.deriving.catalogue_effect import Evidence, Question, effect_of
from detak_collector.rules import Rules
from detak_collector.store.place import StorePlace
from detak_collector.web.work.admin_effects import Effects
from evidence_builders import reading
from outage_history import MINUTE_MS, fill

MINUTES = 400
NOW = reading(MINUTES * MINUTE_MS + 5_000)
BEFORE, AFTER = Rules(parse(SERVICES)), parse(WITHOUT_PUSAT)


@pytest.fixture
def place(tmp_path: Path) -> StorePlace:
    fill(tmp_path, {"web": [(300, 310)], "api": [(300, 340)]}, MINUTES)
    return StorePlace(tmp_path)


@pytest.mark.asyncio
@pytest.mark.system
async def test_a_process_of_its_own_answers_as_a_command_does_and_keeps_nothing(place: StorePlace) -> None:
    store = place.open(NOW)
    try:
        told = effect_of(Evidence(store.evidence, store.derived, store.registry), BEFORE, AFTER, NOW)
        effects = Effects()
        asked = await effects.of(Question(place, BEFORE, AFTER, NOW))
        assert asked == told
        assert (told.before.counted_ms, told.after.counted_ms) == (50 * MINUTE_MS, 10 * MINUTE_MS)
        assert [(one.service, one.after) for one in told.services] == [("pusat", None)]
        effects.command = ("false",)
        assert await effects.of(Question(place, BEFORE, AFTER, NOW)) == told
        with store.database.reading() as connection:
            assert connection.execute("SELECT count(*) FROM derived").fetchone()[0] == 0
    finally:
        store.close()


def test_where_joint_leave_is_unknown_so_is_the_effect(place: StorePlace) -> None:
    store = place.open(NOW)
    calendar = '[[calendar]]\nid = "kantor"\nweekly = { mon-fri = "08:00-16:00" }\nholidays = "libur.csv"\n'
    hours = SERVICES.replace('id = "portal"', 'id = "portal"\nhours = "kantor"')
    try:
        other = Texts({"services.toml": hours + calendar, "libur.csv": "date,name,kind,decree\n"}).parse()
        told = effect_of(Evidence(store.evidence, store.derived, store.registry), BEFORE, other, NOW)
        assert "2023" in told.unknown
        assert told.services == ()
    finally:
        store.close()
