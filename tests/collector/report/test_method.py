"""What the method section says of the rules."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from detak_collector.downtime.catalogue import Dated
from detak_collector.report.digests import catalogue_digest
from report_cases import CATALOGUE

TESTS = Path(__file__).parents[2]
SAID = """
from detak_collector.report.digests import catalogue_digest
from report_cases import CATALOGUE
print(catalogue_digest(CATALOGUE))
"""


def digest_elsewhere(seed: str) -> str:
    variables = {**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": seed}
    return subprocess.check_output([sys.executable, "-c", SAID], env=variables, text=True).strip()


def test_a_catalogue_has_one_digest_in_every_process_and_another_once_it_says_another_thing() -> None:
    digest = catalogue_digest(CATALOGUE)
    assert digest_elsewhere("1") == digest_elsewhere("2") == digest
    stricter = replace(CATALOGUE, target_percent=Dated.always(Fraction("0.05")))
    assert catalogue_digest(stricter) != digest
