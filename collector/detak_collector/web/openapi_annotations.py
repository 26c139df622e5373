"""What people say of outages, as the description of the endpoints has it: pages, forms with files, the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from detak_collector.downtime.outages import LAYERS
from detak_collector.web.api_v1.data_sheets import FIGURE
from detak_collector.web.uploads import MULTIPART
from detak_collector.web.work.annotations_api import BYTES
from detak_collector.web.work.annotations_json import (
    SENT,
    AcknowledgementSent,
    AnnotationSent,
    NoteSent,
    RulingSent,
)
from detak_collector.web.work.exclusions_json import JSON, PROBLEM, WorkProblem
from detak_collector.web.work.outage_list import STATES

HTML = "text/html"
TEXT = "text/plain"

SCHEMAS: tuple[type[msgspec.Struct], ...] = SENT
"""What these paths refer to, besides the problem that all work shares."""

_REASONS = {
    303: "sign in first, or go on there", 304: "as it was", 400: "not what is described here", 401: "sign in first",
    403: "the roles do not include it", 404: "there is no such thing", 408: "not whole in time",
    409: "somebody wrote a newer version meanwhile", 413: "longer than is taken", 415: "another kind of content",
    422: "something in it is not right", 429: "too often", 503: "not now: come again",
}  # fmt: skip
_SHOWN = (303, 404, 503)
_FORM = (303, 400, 403, 404, 408, 409, 413, 415, 422, 503)
_SEEN = (401, 403, 404, 429, 503)
_SENT = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)
_OUTAGE, _DIGEST, _NOTE = ("number",), ("digest",), ("note",)
_MOMENT = {"type": "string", "format": "date-time"}
_WORDS = {"type": "string"}
_SAID = {"by": _WORDS, "role": _WORDS, "at": _MOMENT}
_EVENT = {"type": "object", "required": ["at", "text"], "properties": {"at": _MOMENT, "text": _WORDS}}
_TO_DO = {
    "type": "object",
    "required": ["what", "who", "until"],
    "properties": {"what": _WORDS, "who": _WORDS, "until": {"type": ["string", "null"], "format": "date"}},
}


def _object(properties: Mapping[str, object]) -> dict[str, object]:
    return {"type": "object", "required": list(properties), "properties": dict(properties)}


def _listed(one: object) -> dict[str, object]:
    return {"type": "array", "items": one}


_VERSION = _object({
    "version": {"type": "integer"}, "cause": _WORDS, "effect": _WORDS, "chronology": _listed(_EVENT),
    "follow_up": _listed(_TO_DO), **_SAID,
})  # fmt: skip
_ACKNOWLEDGEMENT = _object({"note": _WORDS, **_SAID})
_ATTACHMENT = _object({"sha256": _WORDS, "name": _WORDS, "type": _WORDS, "size": {"type": "integer"}, **_SAID})
_NOTE_PUBLIC = {
    "note": _WORDS, "public": {"type": "boolean"}, "id": _WORDS, "en": _WORDS, "role": _WORDS, "at": _MOMENT,
}  # fmt: skip
_NOTE_WHOLE = {
    **_object(_NOTE_PUBLIC),
    "properties": {**_NOTE_PUBLIC, "outage": {"type": ["integer", "null"]}, "by": _WORDS},
}
_RULING = _object({
    "ruling": {"type": "integer"}, "kind": {"enum": ["merge", "split", "undo"]},
    "outages": _listed({"type": "integer"}), "undoes": {"type": ["integer", "null"]}, "reason": _WORDS, "by": _WORDS,
    "at": _MOMENT, "in_force": {"type": "boolean"},
})  # fmt: skip
_ALL = _object({
    "outage": {"type": "integer"}, "service": _WORDS, "from": _MOMENT, "to": _MOMENT, "running": {"type": "boolean"},
    "versions": _listed(_VERSION), "acknowledgements": _listed(_ACKNOWLEDGEMENT),
    "attachments": _listed(_ATTACHMENT), "notes": _listed(_NOTE_WHOLE),
})  # fmt: skip


def for_annotations() -> dict[str, object]:
    """The paths."""
    return {**_pages(), **_api()}


def _pages() -> dict[str, object]:
    forms = ("annotation", "acknowledgement", "files", "note", "incident")
    return {
        "/outages": {"get": _listed_page()},
        "/outages/{number}": {"get": _page("What people say of an outage", _OUTAGE)},
        **{f"/outages/{{number}}/{name}": {"post": _form(_OUTAGE)} for name in forms},
        "/notes": {"get": _page("The notes for the status page"), "post": _form()},
        "/notes/retracted": {"post": _form()},
        "/attachments/{digest}": {"get": _file("An attachment, to be saved", _SHOWN, TEXT)},
    }


def _api() -> dict[str, object]:
    root = "/api/v1/outages/{number}"
    taken = {"required": True, "content": {BYTES: {"schema": {"type": "string", "format": "binary"}}}}
    name = [{"name": "name", "in": "query", "required": False, "schema": _WORDS}]
    notes, rulings = _object({"items": _listed(_NOTE_WHOLE)}), _object({"items": _listed(_RULING)})
    return {
        f"{root}/annotations": {
            "get": _got("All that people said of an outage", _ALL, _OUTAGE),
            "post": _sent("Save a version of what happened", AnnotationSent, _VERSION, _OUTAGE),
        },
        f"{root}/acknowledgements": {
            "post": _sent("Say that you look after it", AcknowledgementSent, _ACKNOWLEDGEMENT, _OUTAGE)
        },
        f"{root}/attachments": {
            "post": {
                "summary": "Attach a file, which is the body",
                "parameters": [*_parameters(_OUTAGE), *name],
                "requestBody": taken,
                "responses": {"201": _answer("done", {JSON: {"schema": _ATTACHMENT}}), **_problems(_SENT)},
            }
        },
        f"{root}/attachments/{{digest}}": {"delete": _ended("Say that it does not belong there", _OUTAGE + _DIGEST)},
        "/api/v1/attachments/{digest}": {"get": _file("The bytes of an attachment", _SEEN, PROBLEM)},
        "/api/v1/notes": {
            "get": _got("Notes: all that stand, or without signing in what everybody sees now", notes),
            "post": _sent("Put a note on the status page", NoteSent, _NOTE_WHOLE),
        },
        "/api/v1/notes/{note}": {"delete": _ended("Take a note back", _NOTE)},
        "/api/v1/incidents/rulings": {
            "get": _got("Which outages belong together, as people ruled", rulings),
            "post": _sent("Rule that", RulingSent, _RULING),
        },
    }


def _page(summary: str, path: Sequence[str] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", {HTML: {}}), **_plain(_SHOWN, TEXT)}
    return {"summary": summary, "parameters": _parameters(path), "responses": answers}


def _listed_page() -> dict[str, object]:
    told = _page("The outages that have a number, and what is still to be said of them")
    words = dict.fromkeys(("service", "period", "before", "after"), _WORDS)
    chosen = {
        "state": {"enum": ["", *STATES]}, "cause": {"enum": ["", *LAYERS]}, "figure": {"enum": ["", *FIGURE]},
    }  # fmt: skip
    query = [
        {"name": name, "in": "query", "required": False, "schema": one} for name, one in {**words, **chosen}.items()
    ]
    return {**told, "parameters": query}


def _form(path: Sequence[str] = ()) -> dict[str, object]:
    taken = {"required": True, "content": {MULTIPART: {"schema": {"type": "object"}}}}
    answers = _plain(_FORM, TEXT, HTML)
    return {
        "summary": "A form of that page",
        "parameters": _parameters(path),
        "requestBody": taken,
        "responses": answers,
    }


def _file(summary: str, refused: Sequence[int], kind: str) -> dict[str, object]:
    answers = {"200": _answer("found", {"*/*": {}}), **_plain(refused, kind)}
    return {"summary": summary, "parameters": _parameters(_DIGEST), "responses": answers}


def _got(summary: str, schema: object, path: Sequence[str] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", {JSON: {"schema": schema}}), **_problems(_SEEN)}
    answers["304"] = {"description": _REASONS[304]}
    return {"summary": summary, "parameters": _parameters(path), "responses": answers}


def _sent(summary: str, body: type[msgspec.Struct], schema: object, path: Sequence[str] = ()) -> dict[str, object]:
    taken = {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    answers = {"201": _answer("done", {JSON: {"schema": schema}}), **_problems(_SENT)}
    return {"summary": summary, "parameters": _parameters(path), "requestBody": taken, "responses": answers}


def _ended(summary: str, path: Sequence[str]) -> dict[str, object]:
    answers = {"204": {"description": "done"}, **_problems((401, 403, 404, 422, 429, 503))}
    return {"summary": summary, "parameters": _parameters(path), "responses": answers}


def _problems(statuses: Sequence[int]) -> dict[str, object]:
    content = {PROBLEM: {"schema": _reference(WorkProblem)}, TEXT: {}}
    return {str(status): _answer(_REASONS[status], content) for status in statuses}


def _plain(statuses: Sequence[int], *kinds: str) -> dict[str, object]:
    return {str(status): _answer(_REASONS[status], {kind: {} for kind in kinds}) for status in statuses}


def _parameters(path: Sequence[str]) -> list[object]:
    return [{"name": name, "in": "path", "required": True, "schema": _WORDS} for name in path]


def _answer(description: str, content: object) -> object:
    return {"description": description, "content": content}


def _reference(kind: type[msgspec.Struct]) -> Mapping[str, object]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
