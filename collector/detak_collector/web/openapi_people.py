"""The pages where people sign in, as the description of the endpoints has them: HTML, and forms that lead on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

HTML = "text/html"
TEXT = "text/plain"
FORM = "application/x-www-form-urlencoded"

_PAGES = {
    "/sign-in": ("Asks for name and password", ("name", "password", "next")),
    "/sign-in/second-factor": ("Asks for the code of the second factor", ("code", "next")),
    "/sign-in/password": ("Asks for a new password, by a link that was made for it", ("link", "new", "again")),
    "/sign-in/forgotten": ("Asks for a name or address, and mails a link", ("name",)),
    "/sign-out": ("Asks whether to sign out here or everywhere", ("where",)),
    "/account": ("One's own account", ()),
    "/account/password": ("", ("password", "new", "again")),
    "/account/second-factor": ("", ("action", "password", "code")),
    "/account/sessions": ("", ("end", "others")),
}
_ANSWERS = {
    200: ("found", HTML), 303: ("go on there", ""), 400: ("no form", TEXT), 403: ("refused", HTML),
    404: ("people do not sign in here", TEXT), 408: ("not whole in time", TEXT), 413: ("too long", TEXT),
    415: ("no form", TEXT), 422: ("something in it is not right", HTML), 429: ("too often", HTML),
    503: ("not now: come again", TEXT),
}  # fmt: skip
_SHOWN = (200, 303, 403, 404, 503)
_SENT = (303, 400, 403, 404, 408, 413, 415, 422, 429, 503)


def for_people() -> dict[str, object]:
    """The paths."""
    return {path: dict(_methods(*told)) for path, told in _PAGES.items()}


def _methods(asks: str, fields: Sequence[str]) -> Iterator[tuple[str, object]]:
    if asks:
        yield "get", {"summary": asks, "parameters": [], "responses": _answers(_SHOWN)}
    if fields:
        schema = {"type": "object", "properties": {name: {"type": "string"} for name in ("token", *fields)}}
        taken = {"required": True, "content": {FORM: {"schema": schema}}}
        yield "post", {"summary": "The form of that page", "requestBody": taken, "responses": _answers(_SENT)}


def _answers(statuses: Sequence[int]) -> dict[str, object]:
    told = {status: _ANSWERS[status] for status in statuses}
    return {
        str(status): {"description": words, **({"content": {kind: {}}} if kind else {})}
        for status, (words, kind) in told.items()
    }
