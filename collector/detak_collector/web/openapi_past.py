"""Imports of past outages, as the description of the endpoints has them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from detak_collector.web.uploads import MULTIPART
from detak_collector.web.work.exclusions_json import JSON, PROBLEM, WorkProblem
from detak_collector.web.work.past_api import BODIES, PastDecision
from detak_collector.web.work.past_wish import PastImport

HTML = "text/html"
TEXT = "text/plain"
FORM = "application/x-www-form-urlencoded"
PAST_SCHEMAS: tuple[type[msgspec.Struct], ...] = BODIES
"""What these paths refer to, beside what all of work does."""

_WORDS: dict[str, object] = {"type": "string"}
_NULLABLE: dict[str, object] = {"type": ["string", "null"]}
_NUMBER: dict[str, object] = {"type": "integer"}
_REASONS = {
    303: "sign in first, or go on there", 304: "as it was", 400: "not what is described here", 401: "sign in first",
    403: "the roles do not include it", 404: "there is no such thing", 408: "not whole in time",
    409: "by now it stands otherwise, or it is one's own", 413: "longer than is taken", 415: "another kind of content",
    422: "something in it is not right", 429: "too often", 503: "not now: come again",
}  # fmt: skip
_IMPORT_KEYS = ("import", "digest", "tool", "file", "outages", "states", "from", "to", "down_ms")
_IMPORT: dict[str, object] = {
    "type": "object",
    "required": list(_IMPORT_KEYS),
    "properties": {
        "import": _WORDS, "digest": _WORDS, "tool": _NULLABLE, "file": _NULLABLE, "outages": _NUMBER,
        "states": {"type": "object", "additionalProperties": _NUMBER}, "from": _NULLABLE, "to": _NULLABLE,
        "down_ms": _NUMBER, "document": _WORDS, "proposed_by": _WORDS, "proposed_at": _WORDS,
    },
}  # fmt: skip
_ONE: dict[str, object] = {
    **_IMPORT,
    "required": [*_IMPORT_KEYS, "declarations"],
    "properties": {"declarations": {"type": "array", "items": {"type": "object", "required": ["id", "state"]}}},
}
_LOOKED: dict[str, object] = {
    "type": "object",
    "required": ["import", "digest", "outages", "left_out", "notes", "entered"],
    "properties": {
        "import": _WORDS, "digest": _WORDS, "outages": _NUMBER,
        "left_out": {"type": "object", "additionalProperties": _NUMBER},
        "notes": {"type": "array", "items": _WORDS}, "entered": {"type": "array", "items": _WORDS},
    },
}  # fmt: skip


def for_past() -> dict[str, object]:
    """The paths."""
    name = {"name": "name", "in": "path", "required": True, "schema": _WORDS}
    listed = {
        "type": "object",
        "required": ["items", "total", "next"],
        "properties": {"items": {"type": "array", "items": _IMPORT}, "total": _NUMBER, "next": {"type": "null"}},
    }
    tried = _sent("Propose the outages of a file, or see what that would change", PastImport, _LOOKED)
    tried["responses"] = {"200": _answer("what it would change", {JSON: {"schema": _LOOKED}}), **_responses(tried)}
    return {
        "/past": {"get": _page("Imported outages")},
        "/past/import": {"get": _page("Import outages of before"), "post": _form(MULTIPART)},
        "/past/{name}": {"get": _page("One import", [name]), "post": _form(FORM, [name])},
        "/api/v1/past": {"get": _got("Imported outages", listed), "post": tried},
        "/api/v1/past/{name}": {"get": _got("One import", _ONE, [name])},
        "/api/v1/past/{name}/decision": {"post": _sent("Decide on all of an import", PastDecision, _ONE, [name])},
    }


def _page(summary: str, parameters: Sequence[object] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", {HTML: {}}), **_refused((303, 403, 404, 503), TEXT)}
    return {"summary": summary, "parameters": list(parameters), "responses": answers}


def _form(kind: str, parameters: Sequence[object] = ()) -> dict[str, object]:
    answers = {"200": _answer("what it would change", {HTML: {}})} if kind == MULTIPART else {}
    answers |= _refused((303, 400, 403, 404, 408, 409, 413, 415, 422, 503), TEXT, HTML)
    return {
        "summary": "The form of that page",
        "parameters": list(parameters),
        "requestBody": {"required": True, "content": {kind: {"schema": {"type": "object"}}}},
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


def _responses(operation: dict[str, object]) -> dict[str, object]:
    found = operation["responses"]
    assert isinstance(found, dict), "made above"
    return found


def _problems(statuses: Sequence[int]) -> dict[str, dict[str, object]]:
    content = {PROBLEM: {"schema": _reference(WorkProblem)}}
    return {str(status): _answer(_REASONS[status], content) for status in statuses}


def _refused(statuses: Sequence[int], *kinds: str) -> dict[str, dict[str, object]]:
    return {str(status): _answer(_REASONS[status], {kind: {} for kind in kinds}) for status in statuses}


def _answer(description: str, content: object) -> dict[str, object]:
    return {"description": description, "content": content}


def _reference(kind: type[msgspec.Struct]) -> dict[str, object]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
