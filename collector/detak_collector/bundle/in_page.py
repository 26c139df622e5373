"""What the page `detak-verify.html` asks of the verifier: the auditor's own lines, and the same as values for tables.

The page runs in a browser without files of its own or a terminal; it decides nothing that is not decided here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import cached_property
from hashlib import sha256
from io import StringIO
from pathlib import Path

from detak_collector.bundle.auditor import BAD_NEWS, FINE, MOST_DRAWN, USAGE, chain_of, told_of
from detak_collector.bundle.auditor_text import print_checked, print_effect, print_outage, print_size, print_span
from detak_collector.bundle.checking import Checked, broken, checked, named
from detak_collector.bundle.deriving import Contents, Step, contents_of, result_of, without
from detak_collector.bundle.evidence import Chain, Records, followed
from detak_collector.bundle.in_page_values import (
    Value,
    corrections_values,
    figure_values,
    longest_values,
    manifest_values,
    outage_values,
    span_values,
)
from detak_collector.bundle.package import Package, open_package
from detak_collector.bundle.sampling import drawn, explained
from detak_collector.downtime import RULE_VERSION
from detak_collector.downtime.derive import Result
from detak_collector.downtime.outages import OutageKey
from detak_collector.ledger.chain import GivenHead

MOST_DIGITS = 40
"""Of a seed that somebody types."""

Asked = Mapping[str, str]
"""What was asked and typed, each as text: `does`, and by that `head`, `outage`, `n` and `seed`, or `exclusion`."""

Answer = tuple[int, dict[str, Value]]
"""The exit code that `detak-verify.pyz` would end with, and what the page shows beside its lines."""


Progress = Callable[[int, int], None]
"""Told after each month how many are derived, of how many; a second pass begins anew."""


def rule_version() -> str:
    """Of the engine in this page."""
    return RULE_VERSION


class TypedError(ValueError):
    """Something typed is not what its field takes; the text says what it takes."""

    def __init__(self, field: str, text: str) -> None:
        super().__init__(text)
        self.field = field


@dataclass
class Desk:
    """One bundle on an auditor's desk, opened once for all that is asked about it."""

    path: Path

    @cached_property
    def _package(self) -> Package:
        return open_package(self.path)

    @cached_property
    def _chain(self) -> Chain:
        return chain_of(self._package)

    def __post_init__(self) -> None:
        self._sound: Checked | None = None
        self._derived: Result | None = None

    def answer(self, asked_json: str, progress: Progress) -> str:
        """What was asked and its answer, both as JSON.

        The answer has `code`, `text` (the lines of `detak-verify.pyz`), `error` and the `field` that it is about, and
        the values of what was asked. Nothing is raised: whatever a hostile bundle brings about is told.
        """
        asked: Asked = json.loads(asked_json)
        said = StringIO()
        try:
            with redirect_stdout(said):
                code, values = self._done(asked, self._counting(progress))
        except TypedError as error:
            return json.dumps({"code": USAGE, "text": "", "error": str(error), "field": error.field})
        except Exception as error:  # noqa: BLE001 - as the program does
            text, code = told_of(error, self.path)
            return json.dumps({"code": code, "text": "", "error": text, "field": ""})
        return json.dumps({"code": code, "text": said.getvalue(), "error": "", "field": "", **values})

    def _counting(self, progress: Progress) -> Step:
        done = 0

        def step() -> None:
            nonlocal done
            of = len(self._package.manifest.months)
            done = done % of + 1
            progress(done, of)

        return step

    def _done(self, asked: Asked, step: Step) -> Answer:
        if asked["does"] == "check":
            return self._check(asked["head"], step)
        # The chain has to hold before anybody looks further.
        records = self._chain.records
        match asked["does"]:
            case "explain":
                return self._explain(asked["outage"].strip(), records, step)
            case "sample":
                return self._sample(_size(asked["n"]), _seed(asked["seed"]), records, step)
            case _:
                return self._without(asked["exclusion"].strip(), step)

    def _check(self, words: str, step: Step) -> Answer:
        given, package = _head(words), self._package
        found = self._checked(given, step)
        print_checked(package, found, given)
        values = {**self._file(), **manifest_values(package), "wrong": list(found.wrong), "digest": found.digest}
        if found.chain is not None:
            chain: dict[str, Value] = {"head": found.chain.head, "blocks": found.chain.blocks}
            chain["carried"] = found.chain.carried
            values |= {"chain": chain, "spans": found.spans, "open": found.open_spans, "unseen": found.unseen}
            values |= {"compared": "" if given is None else str(given)}
        if found.result is not None:
            with contents_of(package) as contents:
                values["corrections"] = corrections_values(contents)
                values["longest"] = longest_values(found.result, contents)
            values["figure"] = figure_values(found.result)
        return (BAD_NEWS if found.wrong else FINE), values

    def _checked(self, given: GivenHead | None, step: Step) -> Checked:
        """Once a bundle was found sound, another head is compared without deriving everything again."""
        if self._sound is None:
            found = checked(self._package, given, step)
            self._derived = found.result
            self._sound = None if found.wrong else found
            return found
        chain = followed(self._package, given)
        return replace(self._sound, chain=chain) if isinstance(chain, Chain) else broken(chain)

    def _file(self) -> dict[str, Value]:
        content = self.path.read_bytes()
        return {"file": self.path.name, "bytes": len(content), "sha256": sha256(content).hexdigest()}

    def _result(self, contents: Contents, step: Step) -> Result:
        if self._derived is None:
            self._derived = result_of(contents, step=step)
        return self._derived

    def _explain(self, outage: str, records: Records, step: Step) -> Answer:
        with contents_of(self._package) as contents:
            key = named(self._result(contents, step), outage)
            return FINE, {"outages": _shown(contents, (key,), records)}

    def _sample(self, size: int, seed: int, records: Records, step: Step) -> Answer:
        with contents_of(self._package) as contents:
            sample = drawn(self._result(contents, step), records, size, seed)
            outages = _shown(contents, sample.outages, records)
        for key in sample.spans:
            print_span(key, records)
        print_size(sample, seed)
        return FINE, {
            "outages": outages,
            "spans": [span_values(key, records) for key in sample.spans],
            "seed": str(seed),
        }

    def _without(self, name: str, step: Step) -> Answer:
        with contents_of(self._package) as contents:
            other = without(contents, name)
            before, after = self._result(contents, step), result_of(other, step=step)
        print_effect(name, before, after)
        change = after.figure.counted_ms - before.figure.counted_ms
        values = {"figure": figure_values(before), "other": figure_values(after)}
        return FINE, {**values, "exclusion": name, "change_ms": change}


def _shown(contents: Contents, keys: tuple[OutageKey, ...], records: Records) -> list[Value]:
    """Outages as values, each printed as well."""
    values = []
    for one in explained(contents, keys):
        print_outage(one, contents, records)
        values.append(outage_values(one, contents, records))
    return values


def _head(words: str) -> GivenHead | None:
    try:
        return GivenHead.of(words) if words.strip() else None
    except ValueError as error:
        raise TypedError("head", str(error)) from None


def _size(words: str) -> int:
    words = words.strip()
    if not words.isdecimal() or not 1 <= int(words[:9]) <= MOST_DRAWN:
        raise TypedError("n", f"must be from 1 to {MOST_DRAWN}")
    return int(words)


def _seed(words: str) -> int:
    try:
        return int(words[:MOST_DIGITS])
    except ValueError:
        raise TypedError("seed", "must be a whole number") from None
