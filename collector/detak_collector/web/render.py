"""From a Board to bytes: the one place where templates are filled. Nothing here waits, reads a clock or knows HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.board.board import Board, Condition
from detak_collector.web import drawing, wording
from detak_collector.web.assets import Assets, Body
from detak_collector.web.present import FILTERS, LocalTime

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
NODES_SHOWN = 24
"""With more nodes than this, those that are heard stand folded."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The status page as of one moment, for everybody who asks at that moment."""

    page: Body
    fragment: Body
    event: bytes


class Renderer:
    """Fills the templates; safe to call from any thread."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._environment = _environment(assets)

    def draw(self, board: Board) -> Snapshot:
        """The whole page, the part of it that changes, and the message that says so."""
        local = LocalTime(ZoneInfo(board.timezone), board.now)
        shared = {"board": board, "local": local, "build": self._assets.build, "title": wording.window_title(board)}
        fragment = Body.of(self._fill("status.html", **shared, **_derived(board)))
        page = self._fill("page.html", **shared, fragment=fragment.plain.decode(), version=fragment.tag)
        told = {"version": fragment.tag, "build": self._assets.build, "now": board.now, "as_of": local.clock(board.now)}
        return Snapshot(Body.of(page), fragment, f"event: status\ndata: {json.dumps(told)}\n\n".encode())

    def _fill(self, template: str, **values: object) -> bytes:
        return self._environment.get_template(template).render(values).encode()


def _derived(board: Board) -> dict[str, object]:
    services = wording.worst_first(board.services)
    sections = {condition: [one for one in services if one.condition is condition] for condition in wording.WORST_FIRST}
    nodes = wording.worst_first(board.nodes)
    return {
        "headline": wording.headline(board),
        "gauge": drawing.gauge(board.figure),
        "sections": {condition: found for condition, found in sections.items() if found},
        "troubled": [node for node in nodes if node.condition is not Condition.UP or node.warning],
        "sound": [node for node in nodes if node.condition is Condition.UP and not node.warning],
        "heard": sum(node.condition is Condition.UP for node in nodes),
        "nodes_shown": NODES_SHOWN,
    }


def _environment(assets: Assets) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(FILTERS)
    environment.globals.update(
        asset=assets.name,
        strip=drawing.strip,
        words=wording.WORDS,
        shapes=wording.SHAPES,
        verdict_words=wording.verdict_words,
        assurance=wording.assurance,
        is_presumed=wording.is_presumed,
        cause_words=wording.cause_words,
        layer_words=wording.layer_words,
        group_words=wording.group_words,
        node_words=wording.node_words,
        service_percent=wording.service_percent,
        rule_words=lambda rule: wording.RULES.get(rule, rule),
        strip_height=drawing.HEIGHT,
        strip_width=drawing.STRIP_DAYS * drawing.STEP - (drawing.STEP - drawing.BAR),
        bar=drawing.BAR,
    )
    return environment
