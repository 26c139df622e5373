"""What the API of administrators answers is what the description of the endpoints says."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from admin_stage import NODE, SERVICES, WITHOUT_PUSAT, admin_stage, call
from detak_collector.web.openapi import document
from people_stage import PASSWORD

DESCRIBED = json.loads(document("0.1.0"))
ASKED: tuple[tuple[str, str, object, int], ...] = (
    ("GET", "people", None, 200),
    ("POST", "people", {"name": "rina"}, 201),
    ("POST", "people", {"name": "R i"}, 422),
    ("POST", "people/siti/roles", {"role": "operator", "password": PASSWORD}, 200),
    ("POST", "people/siti/roles", {"role": "operator", "password": PASSWORD}, 422),
    ("POST", "people/siti/access", {"action": "lock"}, 200),
    ("POST", "people/nobody/link", None, 404),
    ("POST", "enrolments", {"node": "app-02"}, 201),
    ("POST", "enrolments", {"node": "app-02", "hours": 0}, 400),
    ("GET", f"nodes/{NODE}", None, 200),
    ("POST", f"nodes/{NODE}/retirement", {"typed": NODE}, 200),
    ("GET", "catalogue", None, 200),
    ("GET", "catalogue/1", None, 200),
    ("GET", "catalogue/7", None, 404),
    ("POST", "catalogue/check", {"services": SERVICES}, 200),
    ("POST", "catalogue/check", {"services": WITHOUT_PUSAT}, 200),
    ("POST", "catalogue", {"services": SERVICES, "digest": "", "against": ""}, 409),
    ("POST", "catalogue/1/decision", {"verdict": "approve"}, 403),
)
PLACES = {"siti": "{name}", "nobody": "{name}", NODE: "{node}", "1": "{number}", "7": "{number}"}


@pytest.mark.asyncio
async def test_every_answer_fits_its_description(tmp_path: Path) -> None:
    async with admin_stage(tmp_path) as stage, stage.browser() as agus:
        await agus.sign_in("agus")
        for method, path, body, status in ASKED:
            got, told = await call(agus, method, path, body)
            assert got == status, (path, told)
            named = "/".join(PLACES.get(part, part) for part in path.split("/"))
            described = DESCRIBED["paths"][f"/api/v1/admin/{named}"][method.lower()]["responses"][str(status)]
            (schema, *_) = (one["schema"] for one in described["content"].values() if one)
            jsonschema.validate(told, {**schema, "components": DESCRIBED["components"]})
