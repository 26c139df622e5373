import re
from pathlib import Path

import msgspec
import pytest

from detak_collector.pair import messages

DOCUMENT = (Path(__file__).parents[3] / "docs" / "pair-protocol.md").read_text(encoding="utf-8")
STRUCTS = [
    value
    for value in vars(messages).values()
    if isinstance(value, type) and issubclass(value, messages.Told) and value is not messages.Told
]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_of_every_message_is_described_and_no_other(struct: type[messages.Told]) -> None:
    found = re.search(rf"^### {struct.__name__}\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"no section {struct.__name__}"
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", found[1], re.MULTILINE)
    described = re.findall(r"`(\w+)`", " ".join(first_cells))
    told = [field.name for field in msgspec.structs.fields(struct)]
    assert sorted(described) == sorted(told)


@pytest.mark.parametrize("number", [messages.STREAM, messages.STALE, messages.WANTED_RECORDS, messages.WANTED_RUNS])
def test_the_limits_are_told(number: int) -> None:
    assert f"{number:,}" in DOCUMENT
