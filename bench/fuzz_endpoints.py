"""Drives every endpoint of a real collector process by its own OpenAPI description, with schemathesis.

Requests are made up from the description, right ones and wrong ones: as a node, as the other collector of a pair, and
as somebody with every role at a collector that has something of everything. Fails (exit code 1) where an answer is a
500 or anything that the description does not say. It ends with one line: `fuzz-endpoints requests=… failures=…`.
"""

import argparse
import json
import logging
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from unittest import mock

from aiohttp.http_exceptions import HttpProcessingError

sys.path[:0] = [str(Path(__file__).parents[1] / "tests" / place) for place in ("system", "")]

from hostile_client import Target, get, post, target  # noqa: E402 - it lies among the tests

from detak_collector.accounts.tokens import DAY_MS, Scope, Wish  # noqa: E402
from detak_collector.channel.limits import Allowances  # noqa: E402
from detak_collector.web.openapi import document  # noqa: E402
from detak_collector.web.tokens_kept import Made, make  # noqa: E402
from evidence_builders import NODE  # noqa: E402
from whole_stage import EVERYTHING, WholeStage, serving_whole  # noqa: E402

CHECKS = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance"
ENDLESS = "/live"
PAIR = "/api/v1/pair"
NOT_OF_PEOPLE = r"^/api/v1/(evidence|enrol|renew|pair|openapi)"
REVOKED_BY_ITSELF = "/api/v1/tokens"
"""A made-up request may take back the token that it came with."""
OTHER = "c" * 16
ASK = {
    "protocol": 1, "collector": OTHER, "leads": False, "services": "", "marks": {}, "runs_until": 0,
}  # fmt: skip
_REQUESTS = re.compile(r"(\d+) generated|Test cases:\s*(\d+)")


def main() -> int:
    wanted = _arguments()
    with tempfile.TemporaryDirectory() as folder, target(Path(folder)) as collector:
        description = Path(folder) / "openapi.json"
        description.write_text(json.dumps(_narrowed(json.loads(collector.say(get("/api/v1/openapi.json")).body))))
        node, pair = collector.keys["n"], pair_key(collector)
        url = collector.made.url
        everything = fuzz(url, description, wanted, node, ["--exclude-path-regex", f"^({ENDLESS}$|{PAIR})"])
        of_pairs = fuzz(url, description, wanted, pair, ["--include-path-regex", f"^{PAIR}"])
        asked = post(f"{PAIR}/changes", json.dumps(ASK).encode(), pair)
        assert collector.say(asked).status == 200, "what was asked of a pair did not come past the door"
        logged = collector.log()
    of_people, told = as_everybody(wanted)
    logged += told
    done = [everything, of_pairs, of_people]
    for one in done:
        print(one.stdout)
    tracebacks = logged.count("Traceback")
    if tracebacks:
        print(logged[logged.index("Traceback") - 300 :][:3_000])
    failed = any(one.returncode != 0 for one in done) or tracebacks > 0
    requests = sum(requests_of(one.stdout) for one in done)
    print(f"fuzz-endpoints requests={requests} failures={int(failed)} tracebacks={tracebacks}")
    return int(failed)


def pair_key(collector: Target) -> str:
    """What another collector shows, once it is this one's pair."""
    line = shlex.split(collector.made.collector_says("pair", "token"))
    asked = {
        "protocol": 1, "token": line[line.index("--token") + 1], "collector": OTHER, "url": "http://127.0.0.1:9",
        "key": "k" * 64,
    }  # fmt: skip
    heard = collector.say(post(PAIR, json.dumps(asked).encode()))
    assert heard.status == 200, heard
    return str(heard.json()["key"])


def as_everybody(wanted: argparse.Namespace) -> tuple[subprocess.CompletedProcess[str], str]:
    """The run of somebody with every role whose token may do everything, without limits to his haste; and the log."""
    with (
        tempfile.TemporaryDirectory() as folder,
        (Path(folder) / "log").open("w+", encoding="utf-8") as log,
        mock.patch.object(Allowances, "take", return_value=True),
        serving_whole(Path(folder)) as stage,
    ):
        handler = logging.StreamHandler(log)
        handler.addFilter(lambda one: not (one.exc_info and isinstance(one.exc_info[1], HttpProcessingError)))
        logging.getLogger().addHandler(handler)
        description = Path(folder) / "openapi.json"
        description.write_text(json.dumps(_about(stage, json.loads(document("0")))))
        wish = Wish(EVERYTHING, EVERYTHING, "fuzz", frozenset(Scope), 300 * DAY_MS)
        desk = mock.Mock(store=stage.store, clock=stage.collector.clock)
        paths = ["--include-path-regex", "^/api/v1/", "--exclude-path-regex", f"{NOT_OF_PEOPLE}|^{REVOKED_BY_ITSELF}"]
        made = make(desk, wish)
        assert isinstance(made, Made), made
        done = fuzz(stage.url, description, wanted, made.secret, paths)
        logging.getLogger().removeHandler(handler)
        log.seek(0)
        return done, log.read()


def _about(stage: WholeStage, description: dict[str, Any]) -> dict[str, Any]:
    """The same, in which half of what a path may name is there."""
    known: dict[str, list[object]] = {
        "node": [NODE, "nobody"], "service": ["portal", "pusat"], "outage": [str(stage.outage), "20231115T000000"],
        "number": [1, 2, 3, 999_999], "check": ["web", "alive"], "period": ["2023-11", "2023", "2022", "x"],
        "name": ["x1", "x2", "d4", "budi", "nobody"],
    }  # fmt: skip
    for operations in description["paths"].values():
        for operation in operations.values():
            for one in operation.get("parameters", []):
                if one["in"] == "path" and one["name"] in known:
                    one["schema"] = {"enum": known[one["name"]]}
    return description


def fuzz(
    url: str, description: Path, wanted: argparse.Namespace, key: str, paths: list[str]
) -> subprocess.CompletedProcess[str]:
    """One run of schemathesis over some endpoints, none of which is endless, by whoever has the key."""
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", str(description), "--url", url,
        "--checks", CHECKS, *paths,
        "--max-examples", str(wanted.examples), "--seed", str(wanted.seed),
        "--phases", wanted.phases, "--continue-on-failure", "--no-color", "--no-shrink",
        "--generation-database", "none", "--warnings", "off", "--request-timeout", "30",
        "--header", f"Authorization: Bearer {key}",
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=description.parent)


def requests_of(told: str) -> int:
    """How many requests schemathesis says that it made."""
    found = _REQUESTS.search(told)
    return int(next(filter(None, found.groups()))) if found else 0


def _narrowed(description: dict[str, Any]) -> dict[str, Any]:
    """The same, with the node that the key belongs to: else hardly a beat would come past the door."""
    schemas = description["components"]["schemas"]
    for message in ("Evidence", "KeyRenewal"):
        schemas[message]["properties"]["node"] = {"type": "string", "enum": ["n"]}
    for message in ("Evidence", "KeyRenewal", "Ask", "Wanted", "Pairing"):
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
