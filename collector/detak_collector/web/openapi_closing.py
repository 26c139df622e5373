"""Closing periods and disputes, as the description of the endpoints has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from detak_collector.web.work.closing_api import BODIES, ClosingAct, DisputeAnswer, DisputedOutage
from detak_collector.web.work.exclusions_json import JSON, PROBLEM, WorkProblem

HTML = "text/html"
TEXT = "text/plain"
FORM = "application/x-www-form-urlencoded"
CLOSING_SCHEMAS: tuple[type[msgspec.Struct], ...] = BODIES
"""What these paths refer to, beside what all of work does."""

_WORDS: dict[str, object] = {"type": "string"}
_NULLABLE: dict[str, object] = {"type": ["string", "null"]}
_REASONS = {
    303: "sign in first, or go on there", 304: "as it was", 400: "not what is described here", 401: "sign in first",
    403: "the roles do not include it", 404: "there is no such thing", 408: "not whole in time",
    409: "by now it stands otherwise, or it is one's own", 413: "longer than is taken", 415: "another kind of content",
    422: "something in it is not right", 429: "too often", 503: "not now: come again",
}  # fmt: skip
_ROW_KEYS = ("period", "from", "to", "state", "seal", "pending")
_ROW: dict[str, object] = {
    "type": "object",
    "required": list(_ROW_KEYS),
    "properties": {
        "period": _WORDS, "from": _WORDS, "to": _WORDS, "seal": _NULLABLE, "pending": _NULLABLE,
        "state": {"enum": ["running", "settling", "open", "pending", "sealed", "restated"]},
    },
}  # fmt: skip
_FIGURE: dict[str, object] = {
    "type": ["object", "null"],
    "properties": {
        "counted_ms": {"type": "integer"}, "certain_ms": {"type": "integer"}, "possible_ms": {"type": "integer"},
        "service_time_ms": {"type": "integer"}, "percent": _NULLABLE, "verdict": _NULLABLE,
    },
}  # fmt: skip
_PERIOD: dict[str, object] = {
    "type": "object",
    "required": [*_ROW_KEYS, "history", "findings", "figure", "sealed_figure", "unknown"],
    "properties": {
        "history": {"type": "array", "items": {"type": "object", "required": ["number", "state", "asked_by"]}},
        "findings": {
            "type": ["array", "null"],
            "items": {
                "type": "object",
                "required": ["kind", "weight", "text", "who"],
                "properties": {"weight": {"enum": ["forbids", "hinders", "told"]}, "text": _WORDS, "who": _WORDS},
            },
        },
        "figure": _FIGURE,
        "sealed_figure": _FIGURE,
        "unknown": _WORDS,
    },
}
_DISPUTE: dict[str, object] = {
    "type": "object",
    "required": ["number", "state", "outage", "service", "reason", "disputed_by", "disputed_at"],
    "properties": {"state": {"enum": ["open", "upheld", "dismissed", "taken back"]}, "outage": {"type": "integer"}},
}


def for_closing() -> dict[str, object]:
    """The paths."""
    period, number = _path("period"), _path("number")
    return {
        "/closing": {"get": _page("The periods of a year", [_query("year")])},
        "/closing/{period}": {"get": _page("What keeps a period open", [period]), "post": _form([period])},
        "/disputes": {"get": _page("Disputed outages")},
        "/disputes/new": {"get": _page("Dispute an outage", [_query("outage")]), "post": _form()},
        "/disputes/{number}": {"get": _page("One dispute", [number]), "post": _form([number])},
        "/api/v1/closing": {"get": _got("The periods of a year", _listed(_ROW), [_query("year")])},
        "/api/v1/closing/{period}": {
            "get": _got("What keeps a period open", _PERIOD, [period]),
            "post": _sent("Ask for a seal or a restatement, or decide on one", ClosingAct, _PERIOD, [period]),
        },
        "/api/v1/disputes": {
            "get": _got("All disputes", _listed(_DISPUTE)),
            "post": _sent("Dispute an outage", DisputedOutage, _DISPUTE),
        },
        "/api/v1/disputes/{number}/answer": {"post": _sent("Answer a dispute", DisputeAnswer, _DISPUTE, [number])},
    }


def _listed(one: Mapping[str, object]) -> dict[str, object]:
    properties = {"items": {"type": "array", "items": one}, "total": {"type": "integer"}, "next": {"type": "null"}}
    return {"type": "object", "required": ["items", "total", "next"], "properties": properties}


def _path(name: str) -> dict[str, object]:
    return {"name": name, "in": "path", "required": True, "schema": _WORDS}


def _query(name: str) -> dict[str, object]:
    return {"name": name, "in": "query", "required": False, "schema": _WORDS}


def _page(summary: str, parameters: Sequence[object] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", {HTML: {}}), **_refused((303, 403, 404, 503), TEXT)}
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


def _form(parameters: Sequence[object] = ()) -> dict[str, object]:
    taken = {"required": True, "content": {FORM: {"schema": {"type": "object"}}}}
    answers = _refused((303, 400, 403, 404, 408, 409, 413, 415, 422, 503), TEXT, HTML)
    return {
        "summary": "The form of that page",
        "parameters": list(parameters),
        "requestBody": taken,
        "responses": answers,
    }


def _got(summary: str, schema: object, parameters: Sequence[object] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", {JSON: {"schema": schema}}), "304": {"description": _REASONS[304]}}
    answers |= _problems((400, 401, 403, 404, 429, 503))
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


def _sent(
    summary: str, body: type[msgspec.Struct], schema: object, parameters: Sequence[object] = ()
) -> dict[str, object]:
    taken = {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    answers = {"201": _answer("done", {JSON: {"schema": schema}})}
    answers |= _problems((400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503))
    return {"summary": summary, "parameters": list(parameters), "requestBody": taken, "responses": answers}


def _problems(statuses: Sequence[int]) -> dict[str, dict[str, object]]:
    content = {PROBLEM: {"schema": _reference(WorkProblem)}}
    return {str(status): _answer(_REASONS[status], content) for status in statuses}


def _refused(statuses: Sequence[int], *kinds: str) -> dict[str, dict[str, object]]:
    return {str(status): _answer(_REASONS[status], {kind: {} for kind in kinds}) for status in statuses}


def _answer(description: str, content: object) -> dict[str, object]:
    return {"description": description, "content": content}


def _reference(kind: type[msgspec.Struct]) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
