"""From a Board to bytes: the one place where templates are filled. Nothing here waits, reads a clock or knows HTTP."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from detak_collector.board.board import Board, Condition
from detak_collector.web import drawing, wording
from detak_collector.web.assets import Assets, Body
from detak_collector.web.present import FILTERS, LocalTime
from detak_collector.web.public_part import public_part

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
NODES_SHOWN = 24
"""With more nodes than this, those that are heard stand folded."""


NOTHING_PUBLIC = wording.Headline(Condition.UNOBSERVED, "No service is shown to everybody")
WHO = b'<p class="who"></p>'
"""Where the whole page says who has signed in."""
NOT_OUTDATED = b'<p id="stale" class="stale" role="status" hidden></p>'
"""Where the page says that it is not kept current. The script beside it looks for the same element."""


@dataclass(frozen=True, slots=True)
class Told:
    """What those who watch are told when there is another page. `outdated`: why it is not as of now, for people."""

    version: str
    build: str
    now: int
    as_of: str
    outdated: str = ""

    @property
    def event(self) -> bytes:
        """As it is sent."""
        return f"event: status\ndata: {json.dumps(asdict(self))}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The status page as of one moment, for everybody who asks at that moment."""

    page: Body
    fragment: Body
    told: Told
    public: Snapshot | None = None
    """The same for those who have not signed in, where people do that."""

    def outdated(self) -> Snapshot:
        """The same, which says that it is not as of now."""
        words = wording.outdated(self.told.as_of)
        said = f'<p id="stale" class="stale" role="status">{escape(words)}</p>'.encode()
        assert NOT_OUTDATED in self.page.plain
        page = Body.of(self.page.plain.replace(NOT_OUTDATED, said, 1))
        public = None if self.public is None else self.public.outdated()
        return replace(self, page=page, told=replace(self.told, outdated=words), public=public)


class Renderer:
    """Fills the templates; safe to call from any thread."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._environment = _environment(assets)

    def draw(self, board: Board, *, apart: bool = False) -> Snapshot:
        """The whole page, the part of it that changes, and the message that says so.

        `apart`: with what is public drawn a second time, by itself.
        """
        whole = self._drawn(board, whole=True)
        return replace(whole, public=self._drawn(public_part(board), whole=False)) if apart else whole

    def _drawn(self, board: Board, *, whole: bool) -> Snapshot:
        local = LocalTime(ZoneInfo(board.timezone), board.now)
        # A page whose reader signs in or out is another one: the script reloads it.
        build = self._assets.build if whole else f"{self._assets.build}-public"
        title = wording.window_title(board)
        shared = {"board": board, "local": local, "build": build, "title": title, "whole": whole}
        fragment = Body.of(self._fill("status.html", **shared, **_derived(board, whole=whole)))
        page = self._fill("page.html", **shared, fragment=fragment.plain.decode(), version=fragment.tag)
        told = Told(fragment.tag, build, board.now, local.clock(board.now))
        return Snapshot(Body.of(page), fragment, told)

    def _fill(self, template: str, **values: object) -> bytes:
        return self._environment.get_template(template).render(values).encode()


def _derived(board: Board, *, whole: bool) -> dict[str, object]:
    services = wording.worst_first(board.services)
    sections = {condition: [one for one in services if one.condition is condition] for condition in wording.WORST_FIRST}
    nodes = wording.worst_first(board.nodes)
    return {
        "headline": wording.headline(board) if board.services or whole else NOTHING_PUBLIC,
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
