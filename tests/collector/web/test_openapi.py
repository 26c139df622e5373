"""The description of the endpoints names all of them, and nothing that is not there."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

from detak_collector import cli
from detak_collector.clocks import system_clock
from detak_collector.composition import opened
from detak_collector.config import load
from detak_collector.web.openapi import document
from detak_wire.codec import encode
from evidence_builders import first_beat, later_beat

DESCRIBED = json.loads(document("0.1.0"))


async def routes(folder: Path) -> set[tuple[str, str]]:
    """Those of the collector as it is put together to be served."""
    assert cli.run(["init", str(folder / "detak")]) == 0
    file = folder / "detak" / "collector.toml"
    async with opened(load(file), system_clock()) as collector:
        found = collector.application().router.routes()
        resources = {(one.method.lower(), one.resource.canonical) for one in found if one.resource is not None}
    return {one for one in resources if one[0] != "head"}


@pytest.mark.asyncio
async def test_every_route_is_described_and_no_other(tmp_path: Path) -> None:
    described = {(method, path) for path, methods in DESCRIBED["paths"].items() for method in methods}
    assert described == await routes(tmp_path)


@pytest.mark.parametrize("message", [first_beat(), later_beat(3)])
def test_what_agents_send_fits_the_description(message: object) -> None:
    schema = {"$ref": "#/components/schemas/Evidence", "components": DESCRIBED["components"]}
    jsonschema.validate(json.loads(encode(message)), schema)  # type: ignore[arg-type]


def test_every_reference_leads_somewhere() -> None:
    for name in re.findall(r"#/components/schemas/(\w+)", document("0.1.0").decode()):
        assert name in DESCRIBED["components"]["schemas"]


def test_patterns_are_in_the_language_of_json_schema() -> None:
    patterns = re.findall(r'"pattern":"((?:[^"\\]|\\.)*)"', document("0.1.0").decode())
    assert patterns
    assert [one for one in patterns if "\\Z" in one or not one.endswith("$")] == []
