"""A period as it was known earlier, and what lies between two views of it, as a user meets them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from detak_collector import cli
from detak_collector.clocks import Reading
from detak_collector.commands import session as cli_session
from detak_collector.store.base import Arrival
from detak_collector.store.sqlite import SqliteStore, open_store
from detak_wire.messages import Evidence, Part, Span
from evidence_builders import START_UTC, beat, exchange, opening, reading, span

DOCS = Path(__file__).parents[3] / "docs"
REPORT, DIFFERENCE = (json.loads((DOCS / f"{name}.schema.json").read_text()) for name in ("report", "difference"))
SCHEMAS = Registry().with_resource("detak:report:1", Resource.from_contents(REPORT))
SERVICES = 'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\ncounted_criticality = ["sangat kritis"]\n' + "".join(
    f'[[service]]\nid = "{service}"\ncriticality = "sangat kritis"\n[[service.group]]\nname = "web"\n'
    f'category = "application"\nmembers = ["{node}/web"]\n'
    for service, node in (("portal", "db-01"), ("pusat", "app-01"))
)
PERIOD = ("--from", "2023-11-14T22:14:20Z", "--to", "2023-11-14T22:16:20Z")
"""Seconds 60 to 180 of the story."""

S = 1_000


@dataclass
class Teller:
    """An agent whose web check goes down and up at given seconds; each message tells all that it has seen so far."""

    node: str
    turns: Sequence[int]
    opened: int = 2
    number: list[int] = field(default_factory=list)

    def message(self, second: int) -> Evidence:
        spans = [span(1, "alive", 2_000, second - 2)]
        for number, span_of_web in enumerate(self._web(second), start=3):
            spans.append(_numbered(span_of_web, number))
        part = Part(self._run, opening(), spans, exchanges=[exchange(2)])
        return beat(part, sent=second * S, run=self._run, node=self.node)

    @property
    def _run(self) -> str:
        return "aaaa0001" if self.node == "db-01" else "bbbb0001"

    def _web(self, second: int) -> Iterator[Span]:
        edges = [2, *(turn for turn in self.turns if turn < second - 1), second]
        for place, (first, last) in enumerate(pairwise(edges)):
            state = "down" if place % 2 else "up"
            yield span(0, "web", first * S, last - first, state=state, closed=last != second)  # type: ignore[arg-type]


def _numbered(one: Span, number: int) -> Span:
    return Span(number, *(getattr(one, name) for name in one.__struct_fields__[1:]))


class Story:
    """A collector that two nodes talk to, on a clock of its own; it is asked through the command line."""

    def __init__(self, home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = reading(0)
        self._home, self._capsys = home, capsys
        monkeypatch.setattr(cli_session, "system_clock", lambda: lambda: self.now)
        assert cli.run(["init", str(home)]) == 0
        (home / "services.toml").write_text(SERVICES)
        self._tellers = [Teller("db-01", [150, 170]), Teller("app-01", [80, 90])]
        with self._store() as store:
            for teller in self._tellers:
                store.registry.issue(teller.node, teller.node.encode(), START_UTC + 1, self.now)
                store.registry.redeem(teller.node.encode(), teller.node, b"key" + teller.node.encode(), self.now)

    def _store(self) -> _Closing:
        return _Closing(open_store(self._home / "state", self.now))

    def pass_to(self, second: int, *nodes: str) -> None:
        """Time passes; these nodes are heard every five seconds, and the collector watches all the time."""
        begun = self.now.boottime // S
        with self._store() as store:
            row = store.watch.begin(self.now)
            for at in range(begun + 5, second + 1, 5):
                self.now = reading(at * S)
                store.watch.extend(row, self.now)
                heard = [teller for teller in self._tellers if teller.node in nodes]
                store.evidence.commit([Arrival(one.node, one.message(at), self.now) for one in heard])
            store.watch.end(row, "stop")

    def call(self, *words: str) -> tuple[int, str, str]:
        self._capsys.readouterr()
        code = cli.run(["--config", str(self._home / "collector.toml"), *words])
        output, errors = self._capsys.readouterr()
        return code, output, errors

    def report(self, *words: str, period: Sequence[str] = PERIOD) -> dict[str, Any]:
        _, output, errors = self.call("report", *period, *words, "--format", "json")
        assert errors == ""
        told: dict[str, Any] = json.loads(output)
        jsonschema.validate(told, REPORT)
        return told

    def difference(self, *words: str) -> tuple[int, dict[str, Any]]:
        code, output, errors = self.call("difference", *PERIOD, *words, "--format", "json")
        assert errors == ""
        told: dict[str, Any] = json.loads(output)
        jsonschema.Draft202012Validator(DIFFERENCE, registry=SCHEMAS).validate(told)
        return code, told


@dataclass
class _Closing:
    store: SqliteStore

    def __enter__(self) -> SqliteStore:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def at(second: int) -> str:
    """A second of the story, as a user writes it."""
    return datetime.fromtimestamp((START_UTC + second * S) / S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@pytest.fixture
def story(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Story:
    """Both nodes are heard until second 120; then db-01 is cut off over the end of the period."""
    story = Story(tmp_path / "detak", capsys, monkeypatch)
    story.pass_to(120, "db-01", "app-01")
    story.pass_to(200, "app-01")
    return story


def test_a_report_as_of_the_moment_of_an_earlier_one_says_the_same_to_the_millisecond(story: Story) -> None:
    first = story.report()
    assert [one["shown_as"] for one in first["services"][0]["outages"]] == ["presumed down: missing heartbeats"]
    story.pass_to(300, "db-01", "app-01")
    second = story.report()
    assert second["figure"] != first["figure"]
    assert [one["counted_ms"] for one in second["services"][0]["outages"]] == [20 * S]
    again = story.report("--as-of", at(200))
    assert again["earlier_view"]
    assert {**again, "earlier_view": False} == first
    assert story.report() == second


def test_a_running_period_is_known_again_as_it_stood_up_to_two_beats(story: Story) -> None:
    running = ("--from", at(0), "--to", at(7_200))
    first = story.report(period=running)
    story.pass_to(300, "db-01", "app-01")
    again = story.report("--as-of", at(200), period=running)
    assert again["running"]
    for before, after in zip(first["services"], again["services"], strict=True):
        for key in ("counted_ms", "gross_ms", "presumed_ms", "unobserved_ms", "service_time_ms"):
            assert after[key] == before[key]
        assert after["certain_ms"] <= before["certain_ms"]
        assert before["possible_ms"] <= after["possible_ms"] <= before["possible_ms"] + 12 * S


def test_the_text_says_that_it_is_a_view_of_an_earlier_moment(story: Story) -> None:
    story.pass_to(300, "db-01", "app-01")
    assert "As known at 2023-11-15 05:16:40 WIB" in story.call("report", *PERIOD, "--as-of", at(200))[1]
    assert "As known at" not in story.call("report", *PERIOD)[1]


def test_an_earlier_moment_can_be_explained(story: Story) -> None:
    story.pass_to(300, "db-01", "app-01")
    code, output, _ = story.call("explain", "portal", *PERIOD, "--as-of", at(200))
    assert code == 0
    assert "presumed down: missing heartbeats" in output
    assert "presumed down" not in story.call("explain", "portal", *PERIOD)[1]


def test_the_difference_tells_what_late_evidence_changed_and_how_much_of_it_came(story: Story) -> None:
    first = story.report()
    story.pass_to(300, "db-01", "app-01")
    code, told = story.difference("--since", at(200))
    assert (code, told["equal"]) == (1, False)
    assert (told["since"], told["until"]) == (first["as_of"], story.report()["as_of"])
    assert told["figure"] == {"before": first["figure"], "after": story.report()["figure"]}
    assert [one["id"] for one in told["services"]] == ["portal"]
    (changed,) = told["outages"]
    assert (changed["service"], changed["change"]) == ("portal", "changed")
    assert changed["before"] == first["services"][0]["outages"]
    assert changed["after"] == story.report()["services"][0]["outages"]
    assert told["spans_recorded"] == {"db-01": 2}


def test_the_difference_is_told_in_words(story: Story) -> None:
    story.pass_to(300, "db-01", "app-01")
    code, output, _ = story.call("difference", *PERIOD, "--since", at(200), "--until", at(300))
    assert code == 1
    for words in ("what has changed", "Services that differ", "portal", "changed", "db-01: 2 spans recorded"):
        assert words in output


def test_two_views_that_say_the_same_are_equal(story: Story) -> None:
    story.pass_to(300, "db-01", "app-01")
    story.pass_to(400, "db-01", "app-01")
    code, told = story.difference("--since", at(300), "--until", at(390))
    assert (code, told["equal"], told["services"], told["outages"]) == (0, True, [], [])
    assert told["figure"]["before"] == told["figure"]["after"]
    assert "no difference" in story.call("difference", *PERIOD, "--since", at(300))[1]


@pytest.mark.parametrize("words", [("report", *PERIOD, "--as-of"), ("difference", *PERIOD, "--since")])
def test_a_moment_that_lies_ahead_or_before_all_evidence_is_refused(story: Story, words: Sequence[str]) -> None:
    code, _, errors = story.call(*words, at(201))
    assert (code, f"{words[-1]}: lies ahead, it is 2023-11-15 05:16:40 WIB now (got '{at(201)}')" in errors) == (
        2,
        True,
    )
    code, _, errors = story.call(*words, at(2))
    assert code == 2
    assert f"{words[-1]}: nothing was known then, the first evidence came at 2023-11-15 05:13:25 WIB" in errors


def test_a_difference_that_ends_before_it_begins_is_refused(story: Story) -> None:
    code, _, errors = story.call("difference", *PERIOD, "--since", at(150), "--until", at(150))
    assert (code, "--until: not after --since" in errors) == (2, True)


def test_of_a_store_without_evidence_nothing_is_known(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    story = Story(tmp_path / "detak", capsys, monkeypatch)
    story.now = Reading(START_UTC + 5_000, 5_000, "c011ec70")
    assert "--as-of: nothing was known then (got" in story.call("report", *PERIOD, "--as-of", at(1))[2]
