"""The pages that are derived on demand, as the description of the endpoints has them."""

from __future__ import annotations

from collections.abc import Sequence

from detak_collector.board.one_check import KINDS
from detak_collector.downtime.outages import LAYERS
from detak_collector.translation import LANGUAGES
from detak_collector.web.outage_rows import EXCLUDED
from detak_collector.web.sheet_maker import CHARTED
from detak_collector.web.windows import ZOOMS

HTML = "text/html"
TEXT = "text/plain"

_WORDS: dict[str, object] = {"type": "string"}
_FILTER: dict[str, object] = {
    "cause": {"enum": ["", *LAYERS]},
    "excluded": {"enum": ["", *EXCLUDED]},
    "page": {"type": "integer", "minimum": 1},
}
_TIMELINE: dict[str, object] = {"zoom": {"enum": list(ZOOMS)}, "at": _WORDS, "period": _WORDS}


_CHECK: dict[str, object] = {**_TIMELINE, "kind": {"enum": ["", *KINDS]}, "page": {"type": "integer", "minimum": 1}}


def for_sheets() -> dict[str, object]:
    """The paths."""
    return {
        "/figure": _page("The figure of the running year"),
        "/figure/{period}": _page("The figure of a period", ("period",)),
        "/figure/{period}/outages": _page("The outages behind it", ("period",), {"service": _WORDS, **_FILTER}),
        "/service/{service}": _page("One service", ("service",), {**_TIMELINE, **_FILTER}),
        "/service/{service}/outage/{outage}": _page("Why an outage counts, or does not", ("service", "outage")),
        "/node/{node}": _page("One node", ("node",), {"zoom": {"enum": list(CHARTED)}}),
        "/node/{node}/check/{check}": _page("One check", ("node", "check"), _CHECK),
        "/language/{code}": _choice(),
    }


def _page(summary: str, path: Sequence[str] = (), query: dict[str, object] | None = None) -> dict[str, object]:
    answers = {
        "200": _answer("found", HTML),
        "303": {"description": "sign in first"},
        "304": {"description": "as it was"},
        "404": _answer("there is no such thing", HTML, TEXT),
        "503": _answer("not now: come again", TEXT),
    }
    return {"get": {"summary": summary, "parameters": _parameters(path, query or {}), "responses": answers}}


def _choice() -> dict[str, object]:
    parameters = [
        {"name": "code", "in": "path", "required": True, "schema": {"enum": list(LANGUAGES)}},
        *_parameters((), {"next": _WORDS}),
    ]
    answers = {"303": {"description": "chosen"}, "404": _answer("not spoken here", TEXT)}
    return {"get": {"summary": "Chooses the language of the pages", "parameters": parameters, "responses": answers}}


def _parameters(path: Sequence[str], query: dict[str, object]) -> list[object]:
    return [
        *({"name": name, "in": "path", "required": True, "schema": _WORDS} for name in path),
        *({"name": name, "in": "query", "required": False, "schema": schema} for name, schema in query.items()),
    ]


def _answer(words: str, *kinds: str) -> dict[str, object]:
    return {"description": words, "content": {kind: {} for kind in kinds}}
