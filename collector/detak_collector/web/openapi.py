"""GET /api/v1/openapi.json: every endpoint, described (OpenAPI 3.1). The schemas are those that decode the messages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TypeAlias

import msgspec
from aiohttp import web

from detak_collector.pair.messages import (
    Answered,
    Ask,
    FilePiece,
    Paired,
    Pairing,
    Records,
    Wanted,
    WantedFile,
)
from detak_collector.translation import LANGUAGES
from detak_collector.web.openapi_admin import ADMIN_SCHEMAS, for_admin
from detak_collector.web.openapi_annotations import SCHEMAS as ANNOTATION_SCHEMAS
from detak_collector.web.openapi_annotations import for_annotations
from detak_collector.web.openapi_closing import CLOSING_SCHEMAS, for_closing
from detak_collector.web.openapi_past import PAST_SCHEMAS, for_past
from detak_collector.web.openapi_people import for_people
from detak_collector.web.openapi_reading import components as reading_types
from detak_collector.web.openapi_reading import for_reading, security_schemes
from detak_collector.web.openapi_sheets import for_sheets
from detak_collector.web.openapi_work import SCHEMAS, for_work
from detak_wire import limits
from detak_wire.messages import Answer, Enrolled, Enrolment, Evidence, KeyRenewal, Problem

PATH = "/api/v1/openapi.json"
JSON = "application/json"
HTML = "text/html"
TEXT = "text/plain"

Schema: TypeAlias = Mapping[str, object]

_MESSAGES = (
    Evidence, Answer, Enrolment, Enrolled, KeyRenewal, Problem, Pairing, Paired, Ask, Answered, Wanted, Records,
    WantedFile, FilePiece,
    *SCHEMAS, *ANNOTATION_SCHEMAS, *ADMIN_SCHEMAS, *CLOSING_SCHEMAS, *PAST_SCHEMAS,
)  # fmt: skip
_REFUSALS = {
    400: "not what is described here", 401: "no valid key", 403: "the key or token is another node's, or void",
    404: "there is no such thing", 408: "not whole in time", 409: "this is the same collector",
    413: "longer than is taken", 415: "an encoding that is not taken", 429: "too much or too often",
    503: "not now: come again",
}  # fmt: skip


def routes(version: str) -> list[web.RouteDef]:
    """The route to add to an application."""

    async def described(_: web.Request) -> web.Response:
        return web.Response(body=document(version), content_type=JSON)

    return [web.get(PATH, described)]


@cache
def document(version: str) -> bytes:
    """The description as JSON."""
    _, components = msgspec.json.schema_components(_MESSAGES, ref_template="#/components/schemas/{name}")
    return msgspec.json.encode(
        _portable(
            {
                "openapi": "3.1.0",
                "info": {"title": "Detak collector", "version": version},
                "paths": {
                    **_for_agents(),
                    **_for_everyone(),
                    **for_people(),
                    **for_sheets(),
                    **for_reading(),
                    **for_work(),
                    **for_admin(),
                    **for_annotations(),
                    **for_closing(),
                    **for_past(),
                },
                "components": {
                    "schemas": {**components, **reading_types()},
                    "securitySchemes": {
                        "key": {"type": "http", "scheme": "bearer", "description": "A node's key."},
                        **security_schemes(),
                    },
                },
            }
        )
    )


def _portable(schema: object) -> object:
    r"""The same with patterns in the language of JSON Schema, in which `$` is the very end and `\Z` is not known."""
    if isinstance(schema, dict):
        return {
            name: inner.replace("\\Z", "$") if name == "pattern" and isinstance(inner, str) else _portable(inner)
            for name, inner in schema.items()
        }
    return [_portable(one) for one in schema] if isinstance(schema, list | tuple) else schema


def _for_agents() -> dict[str, object]:
    return {
        "/api/v1/evidence": _posted("One beat", Evidence, Answer, (400, 401, 403, 408, 413, 415, 429, 503), key=True),
        "/api/v1/enrol": _posted("A token for a key", Enrolment, Enrolled, (400, 401, 403, 408, 413, 415, 429, 503)),
        "/api/v1/renew": _posted(
            "A fresh key for a valid one", KeyRenewal, Enrolled, (400, 401, 403, 408, 413, 415, 429, 503), key=True
        ),
        "/api/v1/pair": _posted("A token for a pair's keys", Pairing, Paired, (400, 403, 408, 409, 413, 415, 429, 503)),
        "/api/v1/pair/changes": _posted(
            "What is new for the other collector", Ask, Answered, (400, 401, 408, 413, 415, 429, 503), key=True
        ),
        "/api/v1/pair/records": _posted(
            "Records for the other collector", Wanted, Records, (400, 401, 408, 413, 415, 429, 503), key=True
        ),
        "/api/v1/pair/files": _posted(
            "A piece of an attachment for the other collector",
            WantedFile,
            FilePiece,
            (400, 401, 408, 413, 415, 429, 503),
            key=True,
        ),
        "/api/v1/authority": _got("The certificates of the own authorities", "application/x-pem-file", (404,)),
    }


def _for_everyone() -> dict[str, object]:
    node = _parameter("node", "path", {"type": "string", "pattern": limits.NAME_PATTERN})
    moments = [_parameter(name, "query", {"type": "integer", "minimum": 0}) for name in ("from", "to")]
    points = _parameter("points", "query", {"type": "integer", "minimum": 1, "maximum": 2_000})
    asset = _parameter("name", "path", {"type": "string"})
    spoken = [_parameter("language", "query", {"enum": list(LANGUAGES)})]
    return {
        "/api/v1/nodes/{node}/metrics": _got(
            "How a node fared", JSON, (400, 404, 503), [node, *moments, points], also={401: TEXT, 429: TEXT}
        ),
        PATH: _got("This description", JSON),
        "/healthz": _got("That this process answers", JSON),
        "/readyz": _got("Whether evidence can be stored now", JSON, also={503: JSON}),
        "/metrics": _got("Numbers of this process, for Prometheus", TEXT, also={401: TEXT, 429: TEXT}),
        "/": _got("The status page", HTML, parameters=spoken, also={503: TEXT}),
        "/status/fragment": _got("What of the status page changes", HTML, parameters=spoken, also={503: TEXT}),
        "/live": _got(
            "The same as it changes; it does not end", "text/event-stream", parameters=spoken, also={503: TEXT}
        ),
        "/static/{name}": _got("What the pages need", "*/*", parameters=[asset], also={404: TEXT}),
    }


def _posted(
    summary: str, body: type[msgspec.Struct], answer: type[msgspec.Struct], refused: Sequence[int], *, key: bool = False
) -> object:
    answers = {"200": _answer("done", {JSON: {"schema": _reference(answer)}}), **_refused(refused)}
    taken = {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    return {
        "post": {
            "summary": summary,
            "requestBody": taken,
            "responses": answers,
            "security": [{"key": list[str]()}] if key else list[object](),
        }
    }


def _got(
    summary: str,
    content_type: str,
    refused: Sequence[int] = (),
    parameters: Sequence[object] = (),
    also: Mapping[int, str] | None = None,
) -> object:
    answers = {"200": _answer("found", {content_type: {}}), **_refused(refused)}
    answers |= {str(status): _answer(_REFUSALS[status], {kind: {}}) for status, kind in (also or {}).items()}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": answers}}


def _refused(statuses: Sequence[int]) -> dict[str, object]:
    content = {JSON: {"schema": _reference(Problem)}}
    return {str(status): _answer(_REFUSALS[status], content) for status in statuses}


def _answer(description: str, content: object) -> object:
    return {"description": description, "content": content}


def _parameter(name: str, place: str, schema: Schema) -> object:
    return {"name": name, "in": place, "required": place == "path", "schema": schema}


def _reference(kind: type[msgspec.Struct]) -> Schema:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
