"""What the protocol's page shows is evidence that a collector takes."""

import re
from pathlib import Path

from detak_collector.ingest.validation import check
from detak_wire import codec
from detak_wire.messages import Evidence

DOCUMENT = Path(__file__).parents[3] / "docs" / "wire-protocol.md"


def test_the_examples_of_the_protocol_are_evidence_that_can_be_true() -> None:
    first, _answer, quiet = re.findall(r"```json\n(.*?)```", DOCUMENT.read_text(encoding="utf-8"), re.DOTALL)
    for example in (first, quiet):
        check(codec.decode(example.encode(), Evidence))
