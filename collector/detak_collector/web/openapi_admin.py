"""The pages and the API of administrators, as the description of the endpoints has them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from detak_collector.web.work.admin_messages import (
    ANSWERS,
    BODIES,
    Access,
    AccountsTold,
    AccountTold,
    CatalogueFiles,
    CatalogueProposal,
    CatalogueVerdict,
    CheckTold,
    EnrolmentTold,
    LinkTold,
    NewAccount,
    NewNode,
    NodeTold,
    Retirement,
    RoleChange,
    VersionsTold,
    VersionTold,
)
from detak_collector.web.work.admin_retention_api import ANSWERS as RETENTION_ANSWERS
from detak_collector.web.work.admin_retention_api import BODIES as RETENTION_BODIES
from detak_collector.web.work.admin_retention_api import (
    DisposalOrder,
    DisposalProposal,
    DisposalVerdict,
    RetentionTold,
)
from detak_collector.web.work.exclusions_json import JSON, PROBLEM, WorkProblem

HTML, TEXT = "text/html", "text/plain"
FORM, UPLOAD = "application/x-www-form-urlencoded", "multipart/form-data"
ROOT = "/api/v1/admin"

ADMIN_SCHEMAS: tuple[type[Struct], ...] = (*BODIES, *ANSWERS, *RETENTION_BODIES, *RETENTION_ANSWERS)
"""What these paths refer to."""

_REASONS = {
    303: "go on there, or sign in first", 400: "not what is described here", 401: "sign in first",
    403: "the roles do not include it, or it is one's own", 404: "there is no such thing", 408: "not whole in time",
    409: "by now it stands otherwise", 413: "longer than is taken", 415: "another kind of content",
    422: "something in it is not right", 429: "too often", 503: "not now: come again",
}  # fmt: skip
_GOT = (401, 403, 404, 429, 503)
_SENT = (400, 401, 403, 404, 408, 409, 413, 415, 422, 429, 503)


def for_admin() -> dict[str, object]:
    """The paths."""
    return {**_pages(), **_api()}


def _pages() -> dict[str, object]:
    pages: dict[str, object] = {"find": {"type": "string"}, "from": {"type": "integer"}}
    return {
        "/admin/people": _page("Who may sign in", form=FORM),
        "/admin/people/{name}": _page("An account", ("name",)),
        "/admin/people/{name}/role": {"post": _form(FORM, ("name",))},
        "/admin/people/{name}/access": {"post": _form(FORM, ("name",))},
        "/admin/nodes": _page("Who delivers evidence", form=FORM, query=pages),
        "/admin/nodes/{node}": _page("A node, and what rests on it", ("node",)),
        "/admin/nodes/{node}/retire": {"post": _form(FORM, ("node",))},
        "/admin/catalogue": _page("The versions of the catalogue", form=UPLOAD),
        "/admin/catalogue/{number}": _page("A version, and who decides on it", ("number",), FORM),
        "/admin/retention": _page("How evidence is kept, and disposed of", form=FORM),
        "/admin/retention/{number}/decision": {"post": _form(FORM, ("number",))},
        "/admin/retention/{number}/dispose": {"post": _form(FORM, ("number",))},
        "/admin/catalogue/{number}/file/{name}": {
            "get": {
                "summary": "A file of a version",
                "parameters": _path(("number", "name")),
                "responses": {"200": _answer("found", TEXT), **_refused((303, 403, 404, 503))},
            }
        },
    }


def _api() -> dict[str, object]:
    return {
        f"{ROOT}/people": {
            "get": _got("Who may sign in", AccountsTold),
            "post": _sent("Make an account", NewAccount, LinkTold, 201),
        },
        f"{ROOT}/people/{{name}}/link": {
            "post": _sent("A link that sets another password", None, LinkTold, 201, ("name",))
        },
        f"{ROOT}/people/{{name}}/roles": {
            "post": _sent("Give or take a role", RoleChange, AccountTold, 200, ("name",))
        },
        f"{ROOT}/people/{{name}}/access": {"post": _sent("Lock or unlock", Access, AccountTold, 200, ("name",))},
        f"{ROOT}/enrolments": {"post": _sent("Let a node in", NewNode, EnrolmentTold, 201)},
        f"{ROOT}/nodes/{{node}}": {"get": _got("A node, and what rests on it", NodeTold, ("node",))},
        f"{ROOT}/nodes/{{node}}/retirement": {"post": _sent("Void its key", Retirement, NodeTold, 200, ("node",))},
        f"{ROOT}/catalogue": {
            "get": _got("The versions of the catalogue", VersionsTold),
            "post": _sent("Make what was checked a version", CatalogueProposal, VersionTold, 201),
        },
        f"{ROOT}/catalogue/check": {"post": _sent("What it would change", CatalogueFiles, CheckTold, 200)},
        f"{ROOT}/catalogue/{{number}}": {"get": _got("A version", VersionTold, ("number",))},
        f"{ROOT}/retention": {
            "get": _got("How evidence is kept, and what may go", RetentionTold),
            "post": _sent("Propose to dispose of evidence", DisposalProposal, RetentionTold, 201),
        },
        f"{ROOT}/retention/{{number}}/decision": {
            "post": _sent("Decide on a disposal", DisposalVerdict, RetentionTold, 200, ("number",))
        },
        f"{ROOT}/retention/{{number}}/disposal": {
            "post": _sent("Carry out an approved disposal here", DisposalOrder, RetentionTold, 202, ("number",))
        },
        f"{ROOT}/catalogue/{{number}}/decision": {
            "post": _sent("Approve or reject a held version", CatalogueVerdict, VersionTold, 200, ("number",))
        },
    }


def _page(
    summary: str, path: Sequence[str] = (), form: str | None = None, query: Mapping[str, object] | None = None
) -> dict[str, object]:
    asked = (query or {}).items()
    given = [{"name": name, "in": "query", "required": False, "schema": one} for name, one in asked]
    shown = {"200": _answer("found", HTML), **_refused((303, 403, 404, 503))}
    told: dict[str, object] = {"get": {"summary": summary, "parameters": [*_path(path), *given], "responses": shown}}
    return told if form is None else {**told, "post": _form(form, path)}


def _form(kind: str, path: Sequence[str] = ()) -> dict[str, object]:
    statuses = (303, 400, 403, 404, 408, 409, 413, 415, 422, 429, 503)
    return {
        "summary": "The form of that page",
        "parameters": _path(path),
        "requestBody": {"required": True, "content": {kind: {"schema": {"type": "object"}}}},
        "responses": {"200": _answer("done, and shown", HTML), **_refused(statuses)},
    }


def _got(summary: str, answer: type[Struct], path: Sequence[str] = ()) -> dict[str, object]:
    answers = {"200": _answer("found", JSON, answer), **_problems(_GOT)}
    return {"summary": summary, "parameters": _path(path), "responses": answers}


def _sent(
    summary: str, body: type[Struct] | None, answer: type[Struct], status: int, path: Sequence[str] = ()
) -> dict[str, object]:
    answers = {str(status): _answer("done", JSON, answer), **_problems(_SENT)}
    told: dict[str, object] = {"summary": summary, "parameters": _path(path), "responses": answers}
    if body is not None:
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(body)}}}
    return told


def _problems(statuses: Sequence[int]) -> dict[str, object]:
    content = {PROBLEM: {"schema": _reference(WorkProblem)}, TEXT: {}}
    return {str(status): {"description": _REASONS[status], "content": content} for status in statuses}


def _refused(statuses: Sequence[int]) -> dict[str, object]:
    return {str(status): {"description": _REASONS[status], "content": {TEXT: {}, HTML: {}}} for status in statuses}


def _answer(description: str, kind: str, schema: type[Struct] | None = None) -> dict[str, object]:
    return {"description": description, "content": {kind: {} if schema is None else {"schema": _reference(schema)}}}


def _path(names: Sequence[str]) -> list[object]:
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _reference(kind: type[Struct]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{kind.__name__}"}
