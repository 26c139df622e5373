"""The description of the endpoints names all of them, and nothing that is not there."""

import json
import re
from pathlib import Path

import jsonschema
import pytest

import detak_collector
from detak_collector.web.openapi import PATH, document
from detak_wire.codec import encode
from evidence_builders import first_beat, later_beat

DESCRIBED = json.loads(document("0.1.0"))
SOURCES = Path(detak_collector.__file__).parent.rglob("*.py")
ROUTE = re.compile(r'web\.(get|post|put|delete|patch)\(\s*(?:"([^"]+)"|PATH)')


def routes() -> set[tuple[str, str]]:
    found = (match for source in SOURCES for match in ROUTE.finditer(source.read_text(encoding="utf-8")))
    return {(match[1], match[2] or PATH) for match in found}


def test_every_route_is_described_and_no_other() -> None:
    described = {(method, path) for path, methods in DESCRIBED["paths"].items() for method in methods}
    assert described == routes()


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
