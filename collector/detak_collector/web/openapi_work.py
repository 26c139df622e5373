"""Exclusions, declarations, the calendar and the audit trail, as the description of the endpoints has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from detak_collector.catalogue.corrections import SCOPES
from detak_collector.web.work.exclusions_api import BODIES, Claimed, Decided, Proposed, Withdrawn
from detak_collector.web.work.exclusions_effect import Effect
from detak_collector.web.work.exclusions_form import CATEGORIES
from detak_collector.web.work.exclusions_json import JSON, PROBLEM, WorkProblem
from detak_collector.web.work.exclusions_view import GROUPS

HTML = "text/html"
TEXT = "text/plain"
FORM = "application/x-www-form-urlencoded"
UPLOAD = "multipart/form-data"
ICALENDAR = "text/calendar"

SCHEMAS: tuple[type[msgspec.Struct], ...] = (*BODIES, Effect, WorkProblem)
"""What these paths refer to."""

_WORDS: dict[str, object] = {"type": "string"}
_NAME = {"name": "name", "in": "path", "required": True, "schema": {"type": "string"}}
_REASONS = {
    303: "sign in first, or go on there", 304: "as it was", 400: "not what is described here", 401: "sign in first",
    403: "the roles do not include it", 404: "there is no such thing", 408: "not whole in time",
    409: "by now it stands otherwise, or it is one's own", 413: "longer than is taken", 415: "another kind of content",
    422: "something in it is not right", 429: "too often", 503: "not now: come again",
}  # fmt: skip
_ROW = {
    "type": "object",
    "required": ["id", "state", "action", "record", "late", "drill", "proposed_by", "proposed_at"],
    "properties": {
        "id": {"type": "string"},
        "state": {"type": "string"},
        "action": {"enum": ["add", "replace", "withdraw"]},
        "target": {"type": ["string", "null"]},
        "record": {"type": ["object", "null"]},
        "late": {"type": "boolean"},
        "drill": {"type": "boolean"},
        "stance": {"enum": ["claimed", "disputed", "accepted", None]},
        "proposed_by": {"type": "string"},
        "proposed_at": {"type": "string", "format": "date-time"},
        "decided_by": {"type": ["string", "null"]},
        "decided_at": {"type": ["string", "null"], "format": "date-time"},
    },
}
_ROWS = {
    "type": "object",
    "required": ["items", "total", "next"],
    "properties": {
        "items": {"type": "array", "items": _ROW},
        "total": {"type": "integer"},
        "next": {"type": ["integer", "null"]},
    },
}

_NUMBER = {"type": "integer", "minimum": 1}
_WINDOWS = {
    "type": "object",
    "required": ["items", "total", "next"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "category", "scope", "from", "to", "document", "reason", "approved", "drill"],
                "properties": {
                    "id": {"type": "string"},
                    "window": {"type": ["integer", "null"]},
                    "approved": {"type": "boolean"},
                    "drill": {"type": "boolean"},
                    "from": {"type": "string", "format": "date-time"},
                    "to": {"type": "string", "format": "date-time"},
                },
            },
        },
        "total": {"type": "integer"},
        "next": {"type": "null"},
    },
}
_TAKEN_IN = {
    "type": "object",
    "required": ["entered", "steps", "unchanged"],
    "properties": {
        "entered": {"type": "array", "items": {"type": "string"}},
        "steps": {"type": "integer"},
        "unchanged": {"type": "array", "items": {"type": "string"}},
    },
}
_ENTRIES = {
    "type": "object",
    "required": ["items", "next"],
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "number", "block", "kind", "recorded_at", "by", "collector", "body"],
                "properties": {"block": {"type": ["integer", "null"]}, "body": {"type": "object"}},
            },
        },
        "next": {"type": ["integer", "null"]},
    },
}


def for_work() -> dict[str, object]:
    """The paths."""
    return {
        **dict(_pages_of("exclusions", "exclusion")),
        **dict(_pages_of("declarations", "declaration")),
        **dict(_api_of("exclusions", "exclusion")),
        **dict(_api_of("declarations", "declaration")),
        **_calendar(),
        "/audit": {"get": _page("The audit trail", {"kind": _WORDS, "by": _WORDS, "words": _WORDS, "before": _NUMBER})},
        "/api/v1/audit": {
            "get": _got("The audit trail", _ENTRIES, {"kind": _WORDS, "by": _WORDS, "words": _WORDS, "before": _NUMBER})
        },
        "/api/v1/exclusions/{name}/claims": {
            "post": _sent("Keep how a third party takes it", Claimed, {"201": _ROW}, path=True)
        },
    }


def _calendar() -> dict[str, object]:
    file = {"200": _answer("found", {ICALENDAR: {}}), "304": {"description": _REASONS[304]}, **_refused((401,), TEXT)}
    given = {"category": _WORDS, "kind": _WORDS, "target": _WORDS, "document": _WORDS, "dry_run": _WORDS}
    taken = {"required": True, "content": {ICALENDAR: {"schema": _WORDS}}}
    done = {status: _answer("done", {JSON: {"schema": _TAKEN_IN}}) for status in ("200", "201")}
    return {
        "/calendar": {
            "get": _page(
                "The maintenance calendar", {"view": {"enum": ["month", "list"]}, "at": _WORDS, "page": _NUMBER}
            )
        },
        "/calendar.ics": {"get": {"summary": "The same as iCalendar", "parameters": [], "responses": file}},
        "/calendar/import": {"get": _page("Take in a calendar"), "post": _form(path=False, kind=UPLOAD)},
        "/api/v1/calendar": {
            "get": _got("Planned windows", _WINDOWS, {"from": _WORDS, "to": _WORDS}),
            "post": {
                "summary": "Propose what a calendar has",
                "parameters": _parameters(given),
                "requestBody": taken,
                "responses": {**done, **_problems((401, 403, 404, 408, 409, 413, 415, 422, 429, 503))},
            },
        },
    }


def _pages_of(base: str, one: str) -> Iterator[tuple[str, object]]:
    query = {"state": {"enum": list(GROUPS)}, "category": _WORDS, "words": _WORDS, "page": _NUMBER}
    yield f"/{base}", {"get": _page(f"All {one}s", query)}
    given = {"kind": {"enum": list(SCOPES)}, "target": _WORDS, "category": {"enum": list(CATEGORIES[one])}}
    yield f"/{base}/new", {"get": _page(f"Propose {one}s", given), "post": _form(path=False)}
    yield f"/{base}/{{name}}", {"get": _page(f"One {one}", path=True), "post": _form(path=True)}
    yield f"/{base}/{{name}}/amend", {"get": _page("Replace it", path=True), "post": _form(path=True)}
    yield f"/{base}/{{name}}/withdraw", {"get": _page("End it", path=True), "post": _form(path=True)}


def _api_of(base: str, one: str) -> Iterator[tuple[str, object]]:
    root = f"/api/v1/{base}"
    query = {"state": {"enum": list(GROUPS)}, "category": _WORDS, "words": _WORDS, "page": _NUMBER}
    effect = _reference(Effect)
    yield (
        root,
        {
            "get": _got(f"All {one}s", _ROWS, query),
            "post": _sent(f"Propose one {one}", Proposed, {"201": _ROW}),
        },
    )
    yield f"{root}/effect", {"post": _sent("What a proposal would change", Proposed, {"200": effect})}
    yield f"{root}/{{name}}", {"get": _got("One with its history", _ROW, path=True)}
    yield f"{root}/{{name}}/effect", {"get": _got("What its approval would change", effect, path=True)}
    yield (
        f"{root}/{{name}}/amendments",
        {"post": _sent("Propose another one in its place", Proposed, {"201": _ROW}, path=True)},
    )
    yield f"{root}/{{name}}/withdrawal", {"post": _sent("Propose its end", Withdrawn, {"201": _ROW}, path=True)}
    yield f"{root}/{{name}}/decision", {"post": _sent("Decide on it", Decided, {"201": _ROW}, path=True)}


def _page(summary: str, query: Mapping[str, object] | None = None, *, path: bool = False) -> dict[str, object]:
    answers = {"200": _answer("found", {HTML: {}}), **_refused((303, 403, 404, 409, 503), TEXT)}
    return {"summary": summary, "parameters": _parameters(query, path=path), "responses": answers}


def _form(*, path: bool, kind: str = FORM) -> dict[str, object]:
    taken = {"required": True, "content": {kind: {"schema": {"type": "object"}}}}
    statuses = (303, 400, 403, 404, 408, 409, 413, 415, 422, 503)
    answers = {"200": _answer("what it changes", {HTML: {}}), **_refused(statuses, TEXT, HTML)}
    return {
        "summary": "The form of that page",
        "parameters": _parameters(path=path),
        "requestBody": taken,
        "responses": answers,
    }


def _got(
    summary: str, schema: object, query: Mapping[str, object] | None = None, *, path: bool = False
) -> dict[str, object]:
    answers = {"200": _answer("found", {JSON: {"schema": schema}}), **_problems((400, 401, 403, 404, 429, 503))}
    answers["304"] = {"description": _REASONS[304]}
    return {"summary": summary, "parameters": _parameters(query, path=path), "responses": answers}


def _sent(
    summary: str, body: type[msgspec.Struct], done: Mapping[str, object], *, path: bool = False
) -> dict[str, object]:
    answers = {status: _answer("done", {JSON: {"schema": schema}}) for status, schema in done.items()}
    answers |= _problems((400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503))
    taken = {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    return {"summary": summary, "parameters": _parameters(path=path), "requestBody": taken, "responses": answers}


def _problems(statuses: Sequence[int]) -> dict[str, object]:
    content = {PROBLEM: {"schema": _reference(WorkProblem)}}
    return {str(status): _answer(_REASONS[status], content) for status in statuses}


def _refused(statuses: Sequence[int], *kinds: str) -> dict[str, object]:
    return {str(status): _answer(_REASONS[status], {kind: {} for kind in kinds}) for status in statuses}


def _parameters(query: Mapping[str, object] | None = None, *, path: bool = False) -> list[object]:
    asked = [{"name": name, "in": "query", "required": False, "schema": one} for name, one in (query or {}).items()]
    return [*([_NAME] if path else []), *asked]


def _answer(description: str, content: object) -> object:
    return {"description": description, "content": content}


def _reference(kind: type[msgspec.Struct]) -> Mapping[str, object]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
