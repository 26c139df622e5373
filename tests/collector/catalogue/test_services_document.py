"""The shipped services.toml, and its reference in docs/services.md: both say what the program does, and all of it."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

from detak_collector.catalogue import CatalogueError, load, parse
from detak_collector.catalogue.holiday_table import COLUMNS, HEADER, parse_holidays
from detak_collector.catalogue.organisation import parse_beside
from detak_collector.catalogue.place import Place
from detak_collector.downtime.catalogue import CATEGORIES, HA_RULES, RULES, Catalogue, Dated, Member

ROOT = Path(__file__).parents[3]
EXAMPLE = ROOT / "config" / "services.toml"
REFERENCE = ROOT / "docs" / "services.md"
STRANGE = "zzz = 1\n"
EVERY_TABLE = {
    "top": "",
    "[[service]]": "[[service]]\n",
    "[[service.group]]": "[[service]]\n[[service.group]]\n",
    "[[group]]": "[[group]]\n",
    "[[node]]": "[[node]]\n",
    "[[calendar]]": "[[calendar]]\n",
    "seasons": "[[calendar]]\nseasons = [{ zzz = 1 }]\n#",
    "exceptions": "[[calendar]]\nexceptions = [{ zzz = 1 }]\n#",
    "members": '[[group]]\nid = "g"\ncategory = "server"\nmembers = [{ zzz = 1 }]\n#',
    "dated": "[[service]]\ncriticality = [{ zzz = 1 }]\n#",
}  # fmt: skip
TABLES = {"service", "group", "node", "calendar", "unit"}


def keys_of(table: str) -> list[str]:
    """What the program itself says is known where an unknown key stands."""
    with pytest.raises(CatalogueError) as caught:
        parse(EVERY_TABLE[table] + STRANGE)
    [line] = [line for line in caught.value.lines if ".zzz: unknown key" in line or " zzz: unknown key" in line]
    known = re.search(r"known here are (.*) \(got", line)
    assert known is not None
    return known[1].split(", ")


def section(table: str) -> str:
    """The part of the reference under the heading of a table."""
    text = REFERENCE.read_text()
    heading = re.search(rf"^##+ .*<!-- {re.escape(table)} -->$", text, re.MULTILINE)
    assert heading is not None, f"docs/services.md has no heading for {table}"
    return text[heading.end() :].split("\n##", 1)[0]


@pytest.mark.parametrize("table", EVERY_TABLE)
def test_the_reference_names_every_key_of_a_table_and_no_other(table: str) -> None:
    named = re.findall(r"^\| `([a-z_]+)` \|", section(table), re.MULTILINE)
    tables = TABLES if table in {"top", "[[service]]"} else set()
    assert sorted(named) == sorted(set(keys_of(table)) - tables)


def test_the_reference_names_every_word_of_rules_and_categories() -> None:
    text = REFERENCE.read_text()
    assert [word for word in (*RULES, *HA_RULES, *CATEGORIES) if f"`{word}`" not in text] == []


def test_the_reference_shows_a_table_of_holidays_that_is_read_as_it_stands() -> None:
    lines = [line.strip() for line in section("holidays").splitlines() if line.startswith("    ")]
    top = Place("holidays-id.csv", [])
    assert lines[0] == ",".join(COLUMNS)
    assert [one.kind for one in parse_holidays("\n".join(lines), top)] == ["joint-leave", "national"]
    assert top.lines == []


def test_every_example_in_the_reference_is_accepted() -> None:
    examples = re.findall(r"```toml\n(.*?)```", REFERENCE.read_text(), re.DOTALL)
    assert examples
    for example in examples:
        parse_beside(example, "services.toml", {"holidays-id.csv": HEADER}.get)


def test_the_defaults_in_the_reference_are_those_of_the_program() -> None:
    plain = Catalogue(Dated.always(""), "", ())
    defaults = dict(re.findall(r"^\| `([a-z_]+)` \|.*?\| `([^`]*)` \|$", section("top"), re.MULTILINE))
    assert Dated.always(Fraction(defaults["target_percent"])) == plain.target_percent
    assert defaults["ha_rule"] == f'"{plain.ha_rule.at(0)}"'
    for key in ("incident_gap_ms", "minimum_outage_ms", "freeze_degraded_below_ms"):
        assert Dated.always(int(defaults[key])) == getattr(plain, key)
    assert defaults["planned_in_denominator"] == str(plain.planned_in_denominator.at(0)).lower()
    assert tuple(re.findall(r'"(.*?)"', defaults["counted_exclusions"])) == plain.counted_exclusions
    assert tuple(re.findall(r'"(.*?)"', defaults["counted_criticality"])) == plain.counted_criticality


def test_the_shipped_example_says_what_its_comments_say() -> None:
    catalogue = load(EXAMPLE)
    impor, ekspor, portal = catalogue.services
    assert (catalogue.organisation, catalogue.timezone) == (Dated.always("DJBC"), "Asia/Jakarta")
    assert catalogue.incident_gap_ms == Dated.always(60_000)
    assert catalogue.target_percent == Dated.always(Fraction(1, 10))
    assert [group.key for group in impor.groups] == [
        "impor/aplikasi", "impor/basis data", "impor/jaringan penyedia", "jaringan-dc",
    ]  # fmt: skip
    assert impor.groups[-1] is ekspor.groups[-1]
    assert impor.groups[-1].members[0] == Member(("dc-app-01/fw-a", "dc-app-02/fw-a"))
    assert [value for _, _, value in impor.criticality.entries] == ["kritis", "sangat kritis"]
    assert (impor.public.at(0), ekspor.public.at(0), portal.groups) == (True, False, ())
    assert impor.groups[2].third_party.at(0)
    assert catalogue.node("dc-db-01").references == ("dc-db-01/gateway",)


def test_a_minimal_catalogue_has_the_documented_defaults() -> None:
    text = 'organisation = "X"\ntimezone = "UTC"\n[[service]]\nid = "s"\ncriticality = "biasa"\nprobes = ["a/b"]\n'
    catalogue = parse(text + "uses = []\n")
    [service] = catalogue.services
    assert catalogue.counted_criticality == ("sangat kritis",)
    assert (service.name.at(0), service.public.at(0), service.probe_guard.at(0)) == ("s", False, True)
    assert service.hours == Dated.always("24x7")


def test_a_target_is_exact_as_it_is_written() -> None:
    text = EXAMPLE.read_text().replace("target_percent = 0.1 ", "target_percent = 0.0076 ")
    assert parse(text).target_percent.at(0) == Fraction(76, 10_000)
