"""GET /badge/…: one public service's state or downtime rate as a small drawing for other pages. It decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import msgspec
from aiohttp import web
from markupsafe import escape

from detak_collector.board.board import Condition, ServiceState
from detak_collector.board.overview import Overview
from detak_collector.translation.language import language
from detak_collector.web.api_v1.access import THEIR_PERIOD, UNDERIVED, Access, Reader
from detak_collector.web.api_v1.data_sheets import RatesData
from detak_collector.web.assets import Body
from detak_collector.web.live import Live
from detak_collector.web.pages import answer
from detak_collector.web.present import format_percent
from detak_collector.web.speaking import asked_for
from detak_collector.web.wording import WORDS, service_percent

SVG = "image/svg+xml"
KEPT = "public, max-age=60"
VARY = "Accept-Encoding, Accept-Language, Cookie"
NOT_PUBLIC = "There is no public service of that name.\n"
NO_PERIOD = "A badge is for a year or a month, such as 2026 or 2026-10.\n"
COLOURS = {
    Condition.UP: "#1d6e4a",
    Condition.DEGRADED: "#8a5a00",
    Condition.UNOBSERVED: "#5c5584",
    Condition.PRESUMED_DOWN: "#b02621",
    Condition.DOWN: "#b02621",
}
NEUTRAL = "#1f5f8b"
NARROW, WIDE = frozenset("fijlrtI.,:;|'()[]! "), frozenset("mwMWOQ%@\N{HORIZONTAL ELLIPSIS}")
"""Letters that take less or more room; the text is stretched or pressed to exactly the room that was left for it."""

MOST_LETTERS = 60
HEADERS = {
    # A drawing is shown on pages of others, which the guard of our own pages forbids.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
}


@dataclass(frozen=True, slots=True)
class Badges:
    """The badges of one collector."""

    access: Access
    live: Live

    def routes(self) -> list[web.RouteDef]:
        """The routes to add to an application."""
        return [
            web.get("/badge/{service}.svg", self.state),
            web.get("/badge/{service}/{period}.svg", self.rate),
        ]

    async def state(self, request: web.Request) -> web.StreamResponse:
        """How it stands now."""
        _, _, service = await self._public(request)
        spoken = language(asked_for(request))
        return _sent(request, service.name, spoken.say(WORDS[service.condition]), COLOURS[service.condition])

    async def rate(self, request: web.Request) -> web.StreamResponse:
        """What it lost in a period; of the running year so far."""
        reader, overview, service = await self._public(request)
        period = request.match_info["period"]
        if not THEIR_PERIOD.fullmatch(period):
            raise web.HTTPNotFound(text=NO_PERIOD)
        percent = service_percent(service) if service.coverage else None
        if period != overview.period:
            percent = await self._earlier(reader, period, service.id)
        shown = format_percent(percent, spoken=language(asked_for(request)))
        return _sent(request, f"{service.name} {period}", shown, NEUTRAL)

    async def _public(self, request: web.Request) -> tuple[Reader, Overview, ServiceState]:
        """The service, if everybody may see it: who has signed in sees no more here, for badges stand elsewhere."""
        reader, overview = await self.access.reader(request), await self.live.overview()
        if overview is None:
            raise web.HTTPServiceUnavailable(text=UNDERIVED, headers={"Retry-After": "10"})
        for one in overview.services:
            if one.id == request.match_info["service"] and one.public:
                return reader, overview, one
        raise web.HTTPNotFound(text=NOT_PUBLIC)

    async def _earlier(self, reader: Reader, period: str, service: str) -> Fraction | None:
        drawn = await self.access.derived(reader, RatesData(period))
        if drawn.status != 200:
            raise web.HTTPNotFound(text=NO_PERIOD)
        told = msgspec.json.decode(drawn.page.plain, type=dict[str, str | None]).get(service)
        return None if told is None else Fraction(told)


def _sent(request: web.Request, label: str, message: str, colour: str) -> web.Response:
    response = answer(request, Body.of(drawn(label, message, colour)), SVG, KEPT)
    response.headers.update({**HEADERS, "Vary": VARY})
    return response


def width(text: str) -> int:
    """About how wide it is, at the size in which it is drawn."""
    return round(sum(4.2 if one in NARROW else 9.6 if one in WIDE else 7.0 for one in text))


def drawn(label: str, message: str, colour: str) -> bytes:
    """Two fields side by side, with what they say also for who cannot see them."""
    label = label if len(label) <= MOST_LETTERS else f"{label[: MOST_LETTERS - 1]}\N{HORIZONTAL ELLIPSIS}"
    left, right = width(label), width(message)
    split, whole = left + 16, left + right + 32
    said, shown, name = (str(escape(text)) for text in (f"{label}: {message}", message, label))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="20" role="img" aria-label="{said}">'
        f"<title>{said}</title>"
        f'<rect width="{whole}" height="20" rx="3" fill="#3b4652"/>'
        f'<path d="M{split} 0h{whole - split - 3}a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3h-{whole - split - 3}z" '
        f'fill="{colour}"/>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,Geneva,sans-serif" font-size="11">'
        f'<text x="8" y="14" textLength="{left}" lengthAdjust="spacingAndGlyphs">{name}</text>'
        f'<text x="{split + 8}" y="14" textLength="{right}" lengthAdjust="spacingAndGlyphs">{shown}</text></g></svg>'
    ).encode()
