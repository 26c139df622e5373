import re
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.checks.check_stage import settings_of
from detak_agent.checks.base import CheckSettings
from detak_agent.checks.registry import REGISTRY

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

DOCS = Path(__file__).parents[3] / "docs"
INDEX = (DOCS / "checks.md").read_text(encoding="utf-8")
LINE = re.compile(r"^\| \[`(\w+)`\]\(checks/(\w+)\.md\) \| (.*) \|$", re.MULTILINE)
ROW = re.compile(r"^\| `(\w+)` \| (needed|none|`.*?`) \|", re.MULTILINE)


def text_of(kind: str) -> str:
    return (DOCS / f"checks/{kind}.md").read_text(encoding="utf-8")


def defaults(settings: type[CheckSettings]) -> dict[str, Any]:
    fields = msgspec.structs.fields(settings)
    return {
        field.name: field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        for field in fields
    }


def as_shown(cell: str) -> Any:
    if cell in {"needed", "none"}:
        return {"needed": msgspec.NODEFAULT, "none": None}[cell]
    value = tomllib.loads(f"value = {cell.strip('`')}")["value"]
    return tuple(value) if isinstance(value, list) else value


def test_the_index_lists_every_kind_by_what_it_says_of_itself_and_each_has_a_page() -> None:
    lines = [(name, page, summary) for name, page, summary in LINE.findall(INDEX)]
    assert lines == [(name, name, kind.summary) for name, kind in REGISTRY.items()]
    assert sorted(page.stem for page in (DOCS / "checks").iterdir()) == sorted(REGISTRY)


@pytest.mark.parametrize("kind", REGISTRY)
def test_every_key_is_documented_with_its_default_and_nothing_else_is(kind: str) -> None:
    shown = {
        key: as_shown(cell) for key, cell in {**dict(ROW.findall(INDEX)), **dict(ROW.findall(text_of(kind)))}.items()
    }
    assert shown == defaults(REGISTRY[kind].settings)


@pytest.mark.parametrize("kind", REGISTRY)
def test_the_examples_of_a_kind_are_right(kind: str) -> None:
    examples = re.findall(r"```toml\n(.*?)```", text_of(kind), re.DOTALL)
    checks = [check for example in examples for check in tomllib.loads(example)["check"]]
    assert checks
    assert [settings_of(**check).kind for check in checks] == [kind] * len(checks)
