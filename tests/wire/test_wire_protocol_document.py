import re
from pathlib import Path

import msgspec
import pytest

from detak_wire import codec, limits, messages
from detak_wire.messages import Answer, Evidence

DOCUMENT = (Path(__file__).parents[2] / "docs" / "wire-protocol.md").read_text(encoding="utf-8")
STRUCTS = [
    value
    for value in vars(messages).values()
    if isinstance(value, type) and issubclass(value, messages.Record) and value is not messages.Record
]


def section(title: str) -> str:
    found = re.search(rf"^### {title}\n(.*?)(?=^##|\Z)", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert found, f"no section {title}"
    return found[1]


@pytest.mark.parametrize("struct", STRUCTS, ids=lambda struct: struct.__name__)
def test_every_field_of_every_message_is_described_and_no_other(struct: type[messages.Record]) -> None:
    first_cells = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", section(struct.__name__), re.MULTILINE)
    described = re.findall(r"`(\w+)`", " ".join(first_cells))
    assert described == [field.name for field in msgspec.structs.fields(struct)]


@pytest.mark.parametrize(
    "number",
    [
        limits.BODY_BYTES,
        limits.INFLATED_BYTES,
        limits.PARTS_PER_MESSAGE,
        limits.RECORDS_PER_MESSAGE,
        limits.RANGES,
        limits.METRIC_POINTS,
        limits.METRIC_LABELS,
        limits.LABEL_CHARACTERS,
    ],
)
def test_the_limits_are_told(number: int) -> None:
    assert f"{number:,}" in DOCUMENT


def test_the_examples_are_messages() -> None:
    first, answer, quiet = re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)
    for example in (first, quiet):
        codec.decode(example.encode(), Evidence)
    codec.decode(answer.encode(), Answer)
