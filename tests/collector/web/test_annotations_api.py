"""The same for programs: what is sent and told is what the description says, and who may not, may not here either."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import jsonschema

from annotation_stage import PDF, annotation_stage, signed_in
from detak_collector.web.openapi import document
from people_stage import Browser

DESCRIBED = json.loads(document("0.1.0"))


async def call(
    browser: Browser, method: str, path: str, body: Mapping[str, object] | bytes | None = None, **headers: str
) -> tuple[int, Any]:
    """The status and the answer, which fits the description of the endpoint."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    told: dict[str, Any] = {"data": BytesIO(body)} if isinstance(body, bytes) else {"json": body}
    if isinstance(body, bytes):
        named["Content-Type"] = "application/octet-stream"
    async with browser.client.request(method, path, headers=named, allow_redirects=False, **told) as answer:
        content = await answer.read()
        described = described_at(method, answer.url.path)["responses"][str(answer.status)]
        if answer.status == 204:
            return 204, None
        schema = described["content"][answer.content_type].get("schema")
        document = json.loads(content)
        if schema is not None:
            jsonschema.validate(document, {**schema, "components": DESCRIBED["components"]})
        return answer.status, document


def described_at(method: str, path: str) -> dict[str, Any]:
    parts = path.split("/")
    for template, methods in DESCRIBED["paths"].items():
        named = template.split("/")
        if len(named) == len(parts) and all(a == b or a.startswith("{") for a, b in zip(named, parts, strict=True)):
            found: dict[str, Any] = methods[method.lower()]
            return found
    raise AssertionError(path)


def test_a_program_says_all_that_a_page_can_and_reads_it_back(tmp_path: Path) -> None:
    async def played() -> None:
        async with annotation_stage(tmp_path) as (stage, first, second), signed_in(stage, "budi") as budi:
            root = f"/api/v1/outages/{first}"
            annotation = {
                "cause": "firewall", "effect": "no declarations", "version": 0,
                "chronology": [{"at": "2026-01-11T00:05:00+07:00", "text": "traffic stops"}],
                "follow_up": [{"what": "firmware", "who": "Budi", "until": "2026-12-31"}],
            }  # fmt: skip
            status, saved = await call(budi, "POST", f"{root}/annotations", annotation)
            assert (status, saved["version"], saved["by"], saved["role"]) == (201, 1, "budi", "operator")
            assert saved["chronology"] == [{"at": "2026-01-10T17:05:00.000Z", "text": "traffic stops"}]
            assert (await call(budi, "POST", f"{root}/annotations", {**annotation, "cause": "fan"}))[0] == 409
            assert (await call(budi, "POST", f"{root}/acknowledgements", {"note": "on it"}))[0] == 201
            status, file = await call(budi, "POST", f"{root}/attachments?name=scan.PDF", PDF)
            assert (status, file["name"], file["type"]) == (201, "scan.pdf", "application/pdf")
            async with budi.client.get(f"/api/v1/attachments/{file['sha256']}") as answer:
                assert await answer.read() == PDF
            note = {"public": True, "id": "Sedang diperbaiki", "outage": first}
            status, noted = await call(budi, "POST", "/api/v1/notes", note)
            assert status == 201

            status, whole = await call(budi, "GET", f"{root}/annotations")
            assert [one["cause"] for one in whole["versions"]] == ["firewall"]
            assert [one["note"] for one in whole["acknowledgements"]] == ["on it"]
            assert [one["sha256"] for one in whole["attachments"]] == [file["sha256"]]
            assert [one["id"] for one in whole["notes"]] == ["Sedang diperbaiki"]

            ruling = {"kind": "merge", "outages": [first, second], "reason": "the same"}
            status, ruled = await call(budi, "POST", "/api/v1/incidents/rulings", ruling)
            assert (status, ruled["in_force"]) == (201, True)
            undo = {"kind": "undo", "undoes": ruled["ruling"], "reason": "no"}
            assert (await call(budi, "POST", "/api/v1/incidents/rulings", undo))[0] == 201
            _, rulings = await call(budi, "GET", "/api/v1/incidents/rulings")
            assert [one["in_force"] for one in rulings["items"]] == [False, False]

            assert (await call(budi, "DELETE", f"{root}/attachments/{file['sha256']}"))[0] == 204
            assert (await call(budi, "DELETE", f"/api/v1/notes/{noted['note']}"))[0] == 204
            assert (await call(budi, "GET", f"{root}/annotations"))[1]["attachments"] == []

    asyncio.run(played())


def test_strangers_get_the_public_notes_of_now_without_names_and_nothing_else(tmp_path: Path) -> None:
    async def played() -> None:
        async with annotation_stage(tmp_path) as (stage, first, _):
            async with signed_in(stage, "budi") as budi:
                for note in ({"public": True, "en": "for all", "outage": first}, {"public": False, "en": "inside"}):
                    await call(budi, "POST", "/api/v1/notes", note)
            async with signed_in(stage, "") as nobody:
                _, told = await call(nobody, "GET", "/api/v1/notes")
                assert [one["en"] for one in told["items"]] == ["for all"]
                assert not {"by", "outage"} & set(told["items"][0])
                assert "budi" not in json.dumps(told)
                assert (await call(nobody, "GET", f"/api/v1/outages/{first}/annotations"))[0] == 401
                stage.later(25 * 3_600_000)
                assert (await call(nobody, "GET", "/api/v1/notes"))[1] == {"items": []}

    asyncio.run(played())


def test_who_may_not_write_on_pages_may_not_here(tmp_path: Path) -> None:
    async def tried(browser: Browser, first: int, second: int) -> set[int]:
        root, ruling = f"/api/v1/outages/{first}", {"kind": "split", "outages": [second], "reason": "x"}
        answers = [
            await call(browser, "POST", f"{root}/annotations", {"cause": "x"}),
            await call(browser, "POST", f"{root}/acknowledgements", {}),
            await call(browser, "POST", f"{root}/attachments", PDF),
            await call(browser, "DELETE", f"{root}/attachments/{'0' * 64}"),
            await call(browser, "POST", "/api/v1/notes", {"id": "x"}),
            await call(browser, "DELETE", "/api/v1/notes/12345678"),
            await call(browser, "POST", "/api/v1/incidents/rulings", ruling),
        ]
        return {status for status, _ in answers}

    async def played() -> None:
        async with annotation_stage(tmp_path) as (stage, first, second):
            for name, status in (("", 401), ("tamu", 403), ("siti", 403), ("rara", 403)):
                async with signed_in(stage, name) as browser:
                    assert await tried(browser, first, second) == {status}, name

    asyncio.run(played())


REFUSED: tuple[tuple[str, Mapping[str, object] | bytes, int], ...] = (
    ("/api/v1/outages/999999/annotations", {"cause": "x"}, 404),
    ("/api/v1/outages/x/annotations", {"cause": "x"}, 404),
    ("/api/v1/outages/FIRST/annotations", {"cause": "a\nb"}, 422),
    ("/api/v1/outages/FIRST/annotations", {"chronology": [{"at": "2026-01-11T00:05:00", "text": "x"}]}, 422),
    ("/api/v1/outages/FIRST/annotations", {"causes": "x"}, 400),
    ("/api/v1/outages/FIRST/attachments", b"MZ\x00", 422),
    ("/api/v1/outages/FIRST/attachments", b"%PDF-" + bytes(6_000_000), 413),
    ("/api/v1/notes", {}, 422),
    ("/api/v1/incidents/rulings", {"kind": "merge", "outages": [1], "reason": "x"}, 422),
    ("/api/v1/incidents/rulings", {"kind": "undo", "outages": [], "undoes": 7, "reason": "x"}, 422),
)


def test_what_cannot_be_is_refused_with_the_reason(tmp_path: Path) -> None:
    async def played() -> None:
        async with annotation_stage(tmp_path) as (stage, first, _), signed_in(stage, "budi") as budi:
            for template, body, status in REFUSED:
                path = template.replace("FIRST", str(first))
                found, told = await call(budi, "POST", path, body)
                assert (found, told["status"]) == (status, status), path
                other, _told = await call(budi, "POST", path, body, Sec_Fetch_Site="cross-site")
                assert other == 403, path
            assert stage.store.entries.of("annotation") == []

    asyncio.run(played())
