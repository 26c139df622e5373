"""Whom a running outage concerns, by the units of the catalogue."""

from __future__ import annotations

from browser.fabricated import broken
from detak_collector.board.concerned import with_units
from detak_collector.downtime.catalogue import Unit
from detak_collector.web.assets import Assets
from detak_collector.web.render import STATIC, TEMPLATES, Renderer


def test_a_running_outage_names_the_units_of_its_service_and_no_other() -> None:
    board = broken()
    ours = board.running[0].service_id
    units = [Unit("a", "Kantor Pelabuhan", (ours,)), Unit("b", "Kantor Bandara", ("no-such",))]
    told = with_units(board, units)
    assert told.running[0].units == ("Kantor Pelabuhan",)
    drawn = Renderer(Assets(STATIC, TEMPLATES)).draw(told, "id", apart=True)
    page = drawn.fragment.plain.decode()
    assert "Siapa yang terdampak" in page
    assert "Kantor Bandara" not in page
    assert drawn.public is not None
    assert "Kantor" not in drawn.public.fragment.plain.decode()
