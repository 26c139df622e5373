"""From a Board to bytes: where the status page's templates are filled, in each language that is asked for.

Nothing here waits, reads a clock or knows HTTP.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import escape

from detak_collector.board.board import Board, Condition
from detak_collector.board.overview import Overview, overview_of
from detak_collector.report.wording import detail_words
from detak_collector.translation import ENGLISH, LANGUAGE_NAMES
from detak_collector.translation.language import Language, language
from detak_collector.web import drawing, wording
from detak_collector.web.assets import Assets, Body
from detak_collector.web.present import LocalTime, filters, units
from detak_collector.web.public_part import public_part
from detak_collector.web.telling import reading_words

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
NODES_SHOWN = 24
"""With more nodes than this, those that are heard stand folded."""


WHO = b'<p class="who"></p>'
"""Where the whole page says who has signed in."""
OWN_PATHS = b'<span class="own-paths" hidden></span>'
"""Where its navigation has what is for this reader and not for everybody."""
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
    language: str = ENGLISH

    def outdated(self) -> Snapshot:
        """The same, which says that it is not as of now."""
        words = wording.outdated(self.told.as_of, language(self.language))
        said = f'<p id="stale" class="stale" role="status">{escape(words)}</p>'.encode()
        assert NOT_OUTDATED in self.page.plain
        page = Body.of(self.page.plain.replace(NOT_OUTDATED, said, 1))
        public = None if self.public is None else self.public.outdated()
        return replace(self, page=page, told=replace(self.told, outdated=words), public=public)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """What was drawn at one moment: the page by language, and for programs how all services stand."""

    pages: Mapping[str, Snapshot]
    overview: Overview


class Renderer:
    """Fills the templates; safe to call from any thread."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets
        self._environment = cache(partial(_environment, assets))

    def snapshots(self, board: Board, languages: Collection[str], *, apart: bool = False) -> Snapshots:
        """The page in each of these languages, as `draw` says."""
        pages = {code: self.draw(board, code, apart=apart) for code in sorted(languages)}
        return Snapshots(pages, overview_of(board))

    def draw(self, board: Board, code: str = ENGLISH, *, apart: bool = False) -> Snapshot:
        """The whole page in a language, the part of it that changes, and the message that says so.

        `apart`: with what is public drawn a second time, by itself.
        """
        whole = self._drawn(board, code, whole=True)
        return replace(whole, public=self._drawn(public_part(board), code, whole=False)) if apart else whole

    def _drawn(self, board: Board, code: str, *, whole: bool) -> Snapshot:
        spoken = language(code)
        local = LocalTime(ZoneInfo(board.timezone), board.now, spoken)
        # A page whose reader signs in or out is another one: the script reloads it.
        build = self._assets.build if whole else f"{self._assets.build}-public"
        title = wording.window_title(board, spoken)
        shared = {"board": board, "local": local, "build": build, "title": title, "whole": whole, "language": code}
        told = _derived(board, spoken, whole=whole)
        fragment = Body.of(self._fill(code, "status.html", **shared, **told))
        page = self._fill(
            code, "page.html", **shared, fragment=fragment.plain.decode(), version=fragment.tag,
            languages=LANGUAGE_NAMES, browser=json.dumps(_for_the_browser(spoken), ensure_ascii=False),
        )  # fmt: skip
        return Snapshot(
            Body.of(page), fragment, Told(fragment.tag, build, board.now, local.clock(board.now)), language=code
        )

    def _fill(self, code: str, template: str, **values: object) -> bytes:
        return self._environment(code).get_template(template).render(values).encode()


def _derived(board: Board, spoken: Language, *, whole: bool) -> dict[str, object]:
    services = wording.worst_first(board.services)
    sections = {condition: [one for one in services if one.condition is condition] for condition in wording.WORST_FIRST}
    nodes = wording.worst_first(board.nodes)
    nothing = wording.Headline(Condition.UNOBSERVED, spoken.say("No service is shown to everybody"))
    return {
        "headline": wording.headline(board, spoken) if board.services or whole else nothing,
        "gauge": drawing.gauge(board.figure),
        "sections": {condition: found for condition, found in sections.items() if found},
        "troubled": [node for node in nodes if node.condition is not Condition.UP or node.warning],
        "sound": [node for node in nodes if node.condition is Condition.UP and not node.warning],
        "heard": sum(node.condition is Condition.UP for node in nodes),
        "nodes_shown": NODES_SHOWN,
    }


def _for_the_browser(spoken: Language) -> dict[str, str]:
    """What the script says by itself: units of length, and that the page is not kept current."""
    day, hour, minute, second = units(spoken)
    return {
        "locale": str(spoken.locale).replace("_", "-"),
        "day": day, "hour": hour, "minute": minute, "second": second,
        "under": spoken.say("under {length}", length=f"1 {second}"),
        "lost": spoken.say("Connection lost since {since}; what you see is from {then}."),
        "quiet": spoken.say("No update since {since}; what you see is from {then}."),
    }  # fmt: skip


def _environment(assets: Assets, code: str) -> Environment:
    spoken = language(code)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters(spoken))
    environment.globals.update(
        asset=assets.name,
        say=spoken.say,
        count=spoken.count,
        told=spoken.told,
        detail_words=partial(detail_words, language=spoken),
        reading_words=partial(reading_words, language=spoken),
        whole_number=spoken.whole,
        strip=partial(drawing.strip, spoken=spoken),
        words={condition: spoken.say(words) for condition, words in wording.WORDS.items()},
        hours={hours: spoken.say(words) for hours, words in wording.HOURS.items()},
        shapes=wording.SHAPES,
        is_presumed=wording.is_presumed,
        service_percent=wording.service_percent,
        strip_height=drawing.HEIGHT,
        strip_width=drawing.STRIP_DAYS * drawing.STEP - (drawing.STEP - drawing.BAR),
        bar=drawing.BAR,
        **_sentences(spoken),
    )
    return environment


def _sentences(spoken: Language) -> Mapping[str, Callable[..., str]]:
    """What templates say of values, in the language."""
    told: tuple[Callable[..., str], ...] = (
        wording.verdict_words, wording.assurance, wording.cause_words, wording.shown_words, wording.layer_words,
        wording.group_words, wording.node_words, wording.rule_words,
    )  # fmt: skip
    return {one.__name__: partial(one, spoken=spoken) for one in told}
