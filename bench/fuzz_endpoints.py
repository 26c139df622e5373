"""Drives every endpoint of a real collector process by its own OpenAPI description, with schemathesis.

Requests are made up from the description, right ones and wrong ones. Fails (exit code 1) where an answer is a 500 or
anything that the description does not say. It ends with one line: `fuzz-endpoints requests=… failures=…`.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / place) for place in ("system", "")]

from hostile_client import Target, get, target  # noqa: E402 - it lies among the tests

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ENDLESS = "/live"
_REQUESTS = re.compile(r"(\d+) generated|Test cases:\s*(\d+)")


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory() as folder, target(Path(folder)) as collector:
        done = fuzz(collector, Path(folder), wanted)
        print(done.stdout)
        logged = collector.log()
    tracebacks = logged.count("Traceback")
    if tracebacks:
        print(logged[logged.index("Traceback") - 300 :][:3_000])
    failed = done.returncode != 0 or tracebacks > 0
    print(f"fuzz-endpoints requests={requests_of(done.stdout)} failures={int(failed)} tracebacks={tracebacks}")
    return int(failed)


def fuzz(collector: Target, folder: Path, wanted: argparse.Namespace) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis over all endpoints but the one that does not end."""
    description = folder / "openapi.json"
    description.write_text(json.dumps(_narrowed(json.loads(collector.say(get("/api/v1/openapi.json")).body))))
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(description), "--url", collector.made.url,
        "--checks", CHECKS, "--exclude-path", ENDLESS,
        "--max-examples", str(wanted.examples), "--seed", str(wanted.seed),
        "--phases", wanted.phases, "--continue-on-failure", "--no-color", "--no-shrink",
        "--generation-database", "none", "--warnings", "off", "--request-timeout", "30",
        "--header", f"Authorization: Bearer {collector.keys['n']}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def requests_of(told: str) -> int:
    """How many requests schemathesis says that it made."""
    found = _REQUESTS.search(told)
    return int(next(filter(None, found.groups()))) if found else 0


def _narrowed(description: dict[str, Any]) -> dict[str, Any]:
    """The same, with the node that the key belongs to: else hardly a beat would come past the door."""
    schemas = description["components"]["schemas"]
    for message in ("Evidence", "KeyRenewal"):
        schemas[message]["properties"]["node"] = {"type": "string", "enum": ["n"]}
        schemas[message]["properties"]["protocol"] = {"type": "integer", "enum": [1]}
    return description


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=1_000, help="for each endpoint")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--phases", default="examples,coverage,fuzzing", help="of schemathesis")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
