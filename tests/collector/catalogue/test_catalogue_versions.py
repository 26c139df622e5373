"""Which version of the catalogue is in force when, out of the log of entries alone."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.texts import MOST_BYTES, SERVICES, Texts, read
from detak_collector.catalogue.versions import (
    DecisionBody,
    State,
    Version,
    VersionBody,
    Versions,
    body_of,
    is_news,
    versions_of,
)
from detak_collector.pair.entry import CATALOGUE, CATALOGUE_DECISION, Body, Entry, canonical, contradictions

DC, DRC = "dc000000", "d0c00000"


class Log:
    """Entries of one collector, or of two that hear each other at once."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def version(self, text: str, utc: int, *touches: str, by: str = "", collector: str = DC) -> Entry:
        body = VersionBody(digest(text), {SERVICES: text}, list(touches), proposed_by=by)
        return self.add(CATALOGUE, body_of(body), by or "the collector", utc, collector)

    def decision(self, on: Entry, verdict: str, author: str, utc: int, proposed_by: str = "") -> Entry:
        body = DecisionBody(on.id, verdict, "root", proposed_by, "ND-1", "")  # type: ignore[arg-type]
        return self.add(CATALOGUE_DECISION, body_of(body), author, utc, DC)

    def add(self, kind: str, body: Body, author: str, utc: int, collector: str) -> Entry:
        seen = {name: sum(one.collector == name for one in self.entries) for name in (DC, DRC)}
        made = Entry(f"{len(self.entries):032x}", kind, utc, author, collector, seen, canonical(body))
        self.entries.append(made)
        return made

    def numbers(self, *moments: int) -> list[int]:
        found = versions_of(self.entries)
        return [one.number for moment in moments if (one := found.in_force(moment)) is not None]

    def states(self) -> list[State]:
        found = versions_of(self.entries)
        return [found.state(one) for one in found.all]


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_first_version_is_in_force_and_stands_for_the_time_before_it_too() -> None:
    log = Log()
    log.version("one", 100)
    assert log.numbers(0, 100, 200) == [1, 1, 1]
    assert versions_of([]).in_force() is None


def test_a_version_that_touches_nothing_past_takes_effect_at_once() -> None:
    log = Log()
    log.version("one", 100)
    log.version("two", 200)
    assert log.numbers(150, 199, 200) == [1, 1, 2]
    assert log.states() == [State.WAS, State.IN_FORCE]


def test_one_that_touches_the_past_is_held_until_another_person_approves_it() -> None:
    log = Log()
    log.version("one", 100)
    held = log.version("two", 200, "target_percent", by="budi")
    assert (log.numbers(300), log.states()) == ([1], [State.IN_FORCE, State.HELD])
    log.decision(held, "approve", " BUDI ", 300)
    assert log.states() == [State.IN_FORCE, State.HELD]
    log.decision(held, "approve", "siti", 400)
    assert log.numbers(399, 400) == [1, 2]


def test_an_approval_counts_only_where_a_proposer_is_named() -> None:
    log = Log()
    log.version("one", 100)
    held = log.version("two", 200, "target_percent")
    log.decision(held, "approve", "siti", 300)
    assert log.states() == [State.IN_FORCE, State.HELD]
    log.decision(held, "approve", "siti", 400, proposed_by="budi")
    (version,) = (one for one in versions_of(log.entries).all if one.entry == held.id)
    assert version.decision is not None
    assert (version.since, version.proposed_by, version.decision.by) == (400, "budi", "siti")


def test_what_is_rejected_never_takes_effect_and_the_first_decision_stands() -> None:
    log = Log()
    log.version("one", 100)
    held = log.version("two", 200, "target_percent", by="budi")
    log.decision(held, "reject", "siti", 300)
    log.decision(held, "approve", "siti", 400)
    assert (log.numbers(500), log.states()) == ([1], [State.IN_FORCE, State.REJECTED])


def test_a_later_version_takes_the_place_of_one_that_waits_and_of_its_approval() -> None:
    log = Log()
    log.version("one", 100)
    held = log.version("two", 200, "target_percent", by="budi")
    log.version("three", 300)
    assert log.states() == [State.WAS, State.SUPERSEDED, State.IN_FORCE]
    log.decision(held, "approve", "siti", 400)
    assert log.numbers(500) == [3]


def test_after_a_later_one_was_rejected_an_earlier_one_waits_again() -> None:
    log = Log()
    log.version("one", 100)
    log.version("two", 200, "target_percent", by="budi")
    later = log.version("three", 300, "target_percent", by="budi")
    assert log.states()[1:] == [State.SUPERSEDED, State.HELD]
    log.decision(later, "reject", "siti", 400)
    assert log.states()[1:] == [State.HELD, State.REJECTED]


def test_what_a_later_program_says_is_left_out() -> None:
    log = Log()
    log.version("one", 100)
    log.add(CATALOGUE, {"files": {}, "colour": "red"}, "x", 200, DC)
    log.add(CATALOGUE_DECISION, {"on": "?"}, "x", 200, DC)
    assert log.numbers(300) == [1]


def test_two_versions_of_two_collectors_that_did_not_hear_each_other_contradict() -> None:
    log, other = Log(), Log()
    log.version("one", 100)
    other.version("two", 200, collector=DRC)
    (found,) = contradictions([*log.entries, *other.entries])
    assert found.subject == "the catalogue"


@given(st.integers(0, 2**32))
def test_equal_logs_say_the_same_in_any_order_and_only_what_took_effect_is_ever_in_force(seed: int) -> None:
    random, log = Random(seed), Log()
    made: list[Entry] = []
    for utc in range(100, 100 + random.randint(1, 9)):
        if made and random.random() < 0.5:
            verdict, author = random.choice(["approve", "reject"]), random.choice(["budi", "siti"])
            log.decision(random.choice(made), verdict, author, utc)
        else:
            made.append(log.version(str(utc), utc, *random.choice([(), ("hours",)]), by="budi"))
    shuffled = random.sample(log.entries, len(log.entries))
    found = versions_of(log.entries)
    assert versions_of(shuffled) == found
    for moment in range(99, 111):
        standing = found.in_force(moment)
        assert standing == oracle(found, moment)
        assert standing is None or standing.since is not None
        assert (
            standing is None
            or not standing.touches
            or (standing.decision is not None and standing.decision.by == "siti")
        )


def oracle(versions: Versions, moment: int) -> Version | None:
    """The highest number that had taken effect, found by walking forward through time."""
    standing = None
    for one in versions.all:
        if one.since is not None and (standing is None or one.since <= moment):
            standing = one
    return standing


def test_a_file_becomes_a_version_where_it_is_news() -> None:
    log = Log()
    assert is_news(versions_of([]), digest("one"), DC, asked=False)
    log.version("one", 100)
    log.version("two", 200)
    known = versions_of(log.entries)
    assert is_news(known, digest("three"), DC, asked=False)
    # An old file does not come back by a start, and another collector's file is nobody's word at all.
    assert not is_news(known, digest("one"), DC, asked=False)
    assert not is_news(known, digest("three"), DRC, asked=False)
    assert is_news(known, digest("one"), DC, asked=True)
    assert is_news(known, digest("three"), DRC, asked=True)
    assert not is_news(known, digest("two"), DC, asked=True)


def test_a_file_put_back_while_a_version_is_held_takes_its_place() -> None:
    log = Log()
    log.version("one", 100)
    held = log.version("two", 200, "hours", by="budi")
    assert is_news(versions_of(log.entries), digest("one"), DC, asked=True)
    log.decision(held, "reject", "siti", 300)
    assert not is_news(versions_of(log.entries), digest("one"), DC, asked=True)


def test_the_digest_is_what_two_commands_print(tmp_path: Path) -> None:
    files = {SERVICES: "a = 1\n", "b.csv": "date\n", "a.csv": "é\n"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    command = f"sha256sum {SERVICES} a.csv b.csv | sha256sum"
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == Texts(files).digest


def test_a_version_holds_every_file_that_the_catalogue_names(tmp_path: Path) -> None:
    calendar = (
        '[[calendar]]\nid = "k"\nweekly = { mon = "08:00-12:00" }\nholidays = "libur.csv"\njoint_leave_none = [2026]\n'
    )
    (tmp_path / "other.toml").write_text(SERVICE + 'hours = "k"\n' + calendar)
    (tmp_path / "libur.csv").write_text("date,name,kind,decree\n2026-01-01,x,national,SKB\n")
    found = read(tmp_path / "other.toml")
    assert sorted(found.texts.files) == ["libur.csv", SERVICES]
    assert found.texts.parse() == found.catalogue


def test_a_catalogue_that_is_too_large_to_be_kept_is_refused(tmp_path: Path) -> None:
    (tmp_path / "services.toml").write_text(SERVICE + "#" * MOST_BYTES)
    with pytest.raises(CatalogueError, match=f"at most {MOST_BYTES} bytes"):
        read(tmp_path / "services.toml")


SERVICE = """
organisation = "DJBC"
timezone = "Asia/Jakarta"
[[service]]
id = "web"
criticality = "sangat kritis"
probes = ["a/web"]
"""
