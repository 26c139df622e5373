"""GET /feed.atom: the latest outages for feed readers (RFC 4287); a stranger's has only what is marked public."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from detak_collector.board.overview import Overview
from detak_collector.downtime.periods import local_year
from detak_collector.report.numbers import iso_utc
from detak_collector.report.wording import detail_words
from detak_collector.translation.language import Language, language
from detak_collector.web.api_v1.access import UNDERIVED, Access, Reader
from detak_collector.web.api_v1.answers import Outage, Outages
from detak_collector.web.api_v1.data_sheets import OutagesData
from detak_collector.web.assets import Body
from detak_collector.web.live import Live
from detak_collector.web.pages import answer
from detak_collector.web.people import People
from detak_collector.web.present import format_duration_ms
from detak_collector.web.render import TEMPLATES
from detak_collector.web.speaking import asked_for
from detak_collector.web.telling import Telling
from detak_collector.web.wording import cause_words, shown_words

ATOM = "application/atom+xml"
ENTRIES = 50
FEW = 10
"""With fewer in the running year, as in January, those of the year before are told too."""

VARY = "Accept-Encoding, Accept-Language, Authorization, Cookie"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One outage as a feed tells it; `path` leads to it from the root of the site."""

    id: str
    title: str
    path: str
    published: str
    updated: str
    text: str
    cause: str


def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of one collector."""

    people: People
    access: Access
    live: Live
    environment: Environment = field(default_factory=_environment)

    def routes(self) -> list[web.RouteDef]:
        """The route to add to an application."""
        return [web.get("/feed.atom", self.atom)]

    async def atom(self, request: web.Request) -> web.StreamResponse:
        """The feed in the language that the address names, else the reader's."""
        reader, code = await self.access.reader(request), asked_for(request)
        overview = await self.live.overview()
        if overview is None:
            raise web.HTTPServiceUnavailable(text=UNDERIVED, headers={"Retry-After": "10"})
        found = await self._outages(reader)
        body = await asyncio.to_thread(self._drawn, found, overview, reader.whole, code)
        response = answer(request, body, ATOM, "private, no-cache")
        response.headers["Vary"] = VARY
        return response

    async def _outages(self, reader: Reader) -> Sequence[Outage]:
        year = local_year(self.people.clock().utc, self.people.zone())
        found: list[Outage] = []
        for period in (str(year), str(year - 1)):
            drawn = await self.access.derived(reader, OutagesData(reader.whole, period, limit=ENTRIES))
            if drawn.status == 200:
                found += msgspec.json.decode(drawn.page.plain, type=Outages).items
            if len(found) >= FEW:
                break
        return found[:ENTRIES]

    def _drawn(self, found: Sequence[Outage], overview: Overview, whole: bool, code: str) -> Body:  # noqa: FBT001
        shown = overview if whole else overview.public()
        names = {one.id: one.name for one in shown.services}
        spoken = language(code)
        tell = Telling(spoken, ZoneInfo(overview.timezone), overview.now)
        entries = [_entry(one, names, tell, whole=whole, collector=self.people.store.collector) for one in found]
        updated = max((one.updated for one in entries), default=iso_utc(overview.now))
        text = self.environment.get_template("feed.xml").render(
            title=spoken.say("Outages: {organisation}", organisation=overview.organisation or "Detak"),
            url=self.people.config().url.rstrip("/"),
            id=f"urn:detak:{self.people.store.collector}:feed:{'all' if whole else 'public'}",
            entries=entries,
            updated=updated,
            language=code,
        )
        return Body.of(_NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text).encode())


def _entry(one: Outage, names: Mapping[str, str], tell: Telling, *, whole: bool, collector: str) -> Entry:
    spoken, name = tell.language, names.get(one.service, one.service)
    begin = _utc(one.begin)
    end = begin if one.end is None else _utc(one.end)
    title = (
        spoken.say("{name} is down since {moment}", name=name, moment=tell.moment(begin))
        if one.running
        else spoken.say("{name} was down for {length}", name=name, length=format_duration_ms(end - begin, spoken))
    )
    number = f"number:{one.number}" if one.number is not None else one.id
    named = one.id.rpartition("/")[2] if one.number is None else str(one.number)
    path = f"service/{one.service}/outage/{named}" if whole else f"#service-{one.service}"
    return Entry(
        f"urn:detak:{collector}:outage:{number}", title, path, one.begin, one.end or one.begin, _text(one, tell),
        cause_words(one.cause, spoken),
    )  # fmt: skip


def _text(one: Outage, tell: Telling) -> str:
    spoken: Language = tell.language
    ends = "" if one.end is None else f" \N{EN DASH} {tell.until(_utc(one.begin), _utc(one.end))}"
    counted = spoken.say(
        "Counted {counted}, certain {certain}, possible {possible}.",
        counted=format_duration_ms(one.counted_ms, spoken), certain=format_duration_ms(one.certain_ms, spoken),
        possible=format_duration_ms(one.possible_ms, spoken),
    )  # fmt: skip
    cause, how = cause_words(one.cause, spoken), shown_words(one.shown_as, spoken)
    layer = spoken.say("Cause: {cause} ({how}).", cause=cause, how=how)
    return " ".join([f"{tell.stamp(_utc(one.begin))}{ends}.", counted, layer, detail_words(one.detail, spoken)]).strip()


def _utc(instant: str) -> int:
    return round(datetime.fromisoformat(instant).timestamp() * 1_000)
