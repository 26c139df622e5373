"""What programs read, as the description of the endpoints has it: made of the same types as the answers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

import msgspec

from detak_collector.accounts.tokens import Scope
from detak_collector.board.board import Condition
from detak_collector.board.node_standing import CHECK_STATES, STATES
from detak_collector.board.one_check import KINDS
from detak_collector.downtime.outages import LAYERS
from detak_collector.translation import LANGUAGES
from detak_collector.web.api_v1 import answers
from detak_collector.web.api_v1.access import THEIR_PERIOD
from detak_collector.web.api_v1.check_answers import CheckInFull
from detak_collector.web.api_v1.cursors import AT_ONCE, MOST_AT_ONCE
from detak_collector.web.api_v1.data_sheets import FIGURE
from detak_collector.web.api_v1.figure_answers import Figure
from detak_collector.web.outage_rows import EXCLUDED

JSON = "application/json"
PROBLEM = "application/problem+json"
TEXT = "text/plain"
HTML = "text/html"
PREFIX = "Read"
"""Before the names of these types, so that they meet no others."""

Told = dict[str, object]

_ANSWERS = (
    answers.Services, answers.ServiceInFull, answers.Outages, answers.OutageInFull, Figure, answers.Nodes,
    answers.NodeInFull, CheckInFull, answers.Checks, answers.Tokens, answers.Trouble,
)  # fmt: skip
_WORDS: Told = {"type": "string"}
_IN_PATH: Mapping[str, Told] = {
    "outage": {"type": "string", "description": "its number, or while it has none its local begin: 20261124T021405"},
    "period": {"type": "string", "description": f"of a badge: {THEIR_PERIOD.pattern}"},
}
_TROUBLES = {
    400: "a parameter is not what is described here", 401: "sign in first, or bring a token that is good",
    403: "this account or token may not see that", 404: "there is no such thing",
    409: "service hours are not known: the catalogue lacks a year of its calendar",
    429: "too often: come again after Retry-After seconds", 503: "not now: come again",
}  # fmt: skip
_LIST: Mapping[str, Told] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": MOST_AT_ONCE, "default": AT_ONCE},
    "cursor": {"type": "string", "description": "what `next` of the page before holds"},
}
_OUTAGES: Mapping[str, Told] = {
    "period": {
        "type": "string",
        "description": "as `report --period` takes it; who has not signed in: a year or month",
    },
    "service": _WORDS,
    "cause": {"enum": ["", *LAYERS]},
    "excluded": {"enum": ["", *EXCLUDED]},
    "running": {"enum": ["", "true", "false"]},
    "figure": {"enum": ["", *FIGURE], "description": "whether the service enters the period's figure"},
    **_LIST,
}
_LANGUAGE: Mapping[str, Told] = {"language": {"enum": list(LANGUAGES)}}
_PUBLIC = (400, 401, 404, 409, 429, 503)
_WHOLE = (400, 401, 403, 404, 409, 429, 503)


@cache
def components() -> Mapping[str, object]:
    """The types of the answers, by the names that the paths use."""
    _, found = msgspec.json.schema_components(_ANSWERS, ref_template=f"#/components/schemas/{PREFIX}{{name}}")
    return {f"{PREFIX}{name}": schema for name, schema in found.items()}


def for_reading() -> Told:
    """The paths."""
    return _with_path_parameters(_paths())


def _paths() -> dict[str, dict[str, Told]]:
    return {
        "/api/v1/services": _got(
            "Every service as it is now", answers.Services, _PUBLIC,
            {"condition": {"enum": ["", *(one.value for one in Condition)]}, **_LIST},
        ),
        "/api/v1/services/{service}": _got("One service, with its days and groups", answers.ServiceInFull, _PUBLIC),
        "/api/v1/services/{service}/outages/{outage}": _got(
            "Why an outage counts, or does not", answers.OutageInFull, _WHOLE
        ),
        "/api/v1/outages": _got("The outages of a period", answers.Outages, _PUBLIC, _OUTAGES),
        "/api/v1/figures/{period}": _got("The figure of a period", Figure, _WHOLE),
        "/api/v1/nodes": _got("Every node", answers.Nodes, _WHOLE, {"state": {"enum": ["", *STATES]}, **_LIST}),
        "/api/v1/nodes/{node}": _got("One node, with its checks", answers.NodeInFull, _WHOLE),
        "/api/v1/nodes/{node}/checks/{check}": _got(
            "One check, and where it was not simply up in a period", CheckInFull, _WHOLE,
            {"period": _WORDS, "kind": {"enum": ["", *KINDS]}, **_LIST},
        ),
        "/api/v1/checks": _got(
            "Every check", answers.Checks, _WHOLE, {"state": {"enum": ["", *CHECK_STATES]}, "node": _WORDS, **_LIST}
        ),
        "/api/v1/tokens": _got("One's own tokens; for an administrator everybody's", answers.Tokens, _WHOLE),
        "/api/v1/tokens/{token}": _revoked(),
        "/feed.atom": _drawn("The latest outages, for feed readers", "application/atom+xml", (401, 429, 503)),
        "/badge/{service}.svg": _drawn("A public service's state, drawn", "image/svg+xml", (401, 404, 429, 503)),
        "/badge/{service}/{period}.svg": _drawn(
            "A public service's downtime rate, drawn", "image/svg+xml", (401, 404, 429, 503)
        ),
        "/account/tokens": _forms(),
        "/account/tokens/revoke": {"post": _sent(("id",))},
    }  # fmt: skip


def _got(
    summary: str, answered: type[answers.Answer], troubles: tuple[int, ...], query: Mapping[str, Told] | None = None
) -> dict[str, Told]:
    content = {JSON: {"schema": _reference(answered)}}
    headers = {
        "ETag": {"schema": _WORDS},
        "Link": {"schema": _WORDS, "description": 'the page that follows, rel="next", where there is one'},
    }
    told: Told = {
        "200": {"description": "found", "headers": headers, "content": content},
        "304": {"description": "as it was, by If-None-Match"},
        **_troubles(troubles),
    }
    return {"get": {"summary": summary, "parameters": _query(query or {}), "responses": told, "security": _SECURITY}}


_SECURITY: list[Told] = [{}, {"token": list[str]()}, {"basic": list[str]()}, {"session": list[str]()}]


def security_schemes() -> Told:
    """How a program, a feed reader and a browser show who they are."""
    return {
        "token": {
            "type": "http", "scheme": "bearer",
            "description": f"A token from /account/tokens, of scopes {', '.join(Scope)}.",
        },
        "basic": {"type": "http", "scheme": "basic", "description": "A token as the password, with any name."},
        "session": {"type": "apiKey", "in": "cookie", "name": "detak", "description": "Who has signed in."},
    }  # fmt: skip


def _revoked() -> dict[str, Told]:
    told: Told = {"204": {"description": "revoked"}, **_troubles((401, 403, 404, 429, 503))}
    return {"delete": {"summary": "Revokes a token", "parameters": [], "responses": told, "security": _SECURITY[1:2]}}


def _drawn(summary: str, kind: str, refused: tuple[int, ...]) -> dict[str, Told]:
    told: Told = {
        "200": {"description": "found", "content": {kind: {}}},
        "304": {"description": "as it was"},
        **{str(status): {"description": _TROUBLES[status], "content": {TEXT: {}}} for status in refused},
    }
    return {"get": {"summary": summary, "parameters": _query(_LANGUAGE), "responses": told}}


def _forms() -> dict[str, Told]:
    shown: Told = {
        "200": {"description": "found", "content": {HTML: {}}},
        "303": {"description": "sign in first"},
        "404": {"description": "people do not sign in here", "content": {TEXT: {}}},
        "503": {"description": _TROUBLES[503], "content": {TEXT: {}}},
    }
    fields = ("label", "days", "password", *(f"scope-{scope.value}" for scope in Scope))
    return {
        "get": {"summary": "One's own tokens, and the form for another", "parameters": [], "responses": shown},
        "post": _sent(fields),
    }


def _sent(fields: tuple[str, ...]) -> Told:
    schema = {"type": "object", "properties": dict.fromkeys(("token", *fields), _WORDS)}
    told: Told = {
        "200": {"description": "made, and shown this once", "content": {HTML: {}}},
        "303": {"description": "go on there"},
        "422": {"description": "something in it is not right", "content": {HTML: {}}},
        "429": {"description": _TROUBLES[429], "content": {HTML: {}}},
        **{
            str(status): {"description": "no form of ours, or not whole", "content": {TEXT: {}}}
            for status in (400, 403, 404, 408, 413, 415, 503)
        },
    }
    body = {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": schema}}}
    return {"summary": "The form of that page", "parameters": [], "requestBody": body, "responses": told}


def _troubles(statuses: tuple[int, ...]) -> Told:
    content = {PROBLEM: {"schema": _reference(answers.Trouble)}}
    return {str(status): {"description": _TROUBLES[status], "content": content} for status in statuses}


def _query(parameters: Mapping[str, Told]) -> list[object]:
    return [{"name": name, "in": "query", "required": False, "schema": one} for name, one in parameters.items()]


def _path(name: str, schema: Told) -> Told:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _reference(kind: type[msgspec.Struct]) -> Told:
    return {"$ref": f"#/components/schemas/{PREFIX}{kind.__name__}"}


def _with_path_parameters(paths: dict[str, dict[str, Told]]) -> Told:
    """The same, with what stands in braces told as a parameter of each method."""
    return {
        path: {name: {**method, "parameters": [*_in_path(path), *_told(method)]} for name, method in methods.items()}
        for path, methods in paths.items()
    }


def _in_path(path: str) -> list[Told]:
    return [_path(name, _IN_PATH.get(name, _WORDS)) for name in re.findall(r"{(\w+)}", path)]


def _told(method: Told) -> list[object]:
    told = method["parameters"]
    assert isinstance(told, list)
    return told
