"""A record written into a form and read again is the same record, so an amendment changes only what was changed."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from decision_log import BEGIN, DAY
from detak_collector.decisions.proposal import NOBODY, Provider
from detak_collector.decisions.recording import Author
from detak_collector.report.numbers import iso_utc
from detak_collector.web.work.exclusions_form import Desired, form_of, proposing, read_form
from work_stage import CATALOGUE

DESIRED = Desired("exclusion", CATALOGUE, Author("ani", "ani"), BEGIN)
SCOPES = [{"all": True}, {"service": "impor"}, {"group": "impor/basis data"}, {"node": "dc-db-01"}, {"site": "DRC"}]
RULES = ["", "FREQ=DAILY", "FREQ=WEEKLY;UNTIL=20991231", "FREQ=YEARLY;COUNT=3"]
TWICE = 1_793_512_800_000
"""1 November 2026, 01:00 for the second time in New York."""


@given(
    begin=st.integers(BEGIN, BEGIN + 300 * DAY), length=st.integers(1, DAY - 1), scope=st.sampled_from(SCOPES),
    rule=st.sampled_from(RULES), zone=st.sampled_from(["Asia/Jakarta", "Asia/Jayapura", "UTC"]),
    words=st.text("abc\n<>&\"'é ", min_size=1, max_size=40).filter(str.strip),
)  # fmt: skip
@example(begin=BEGIN, length=1, scope={"all": True}, rule="", zone="UTC", words="x")
def test_what_is_written_into_a_form_is_read_from_it_again(
    begin: int, length: int, scope: dict[str, Any], rule: str, zone: str, words: str
) -> None:
    record = {
        "category": "third_party", "scope": scope, "from": iso_utc(begin), "to": iso_utc(begin + length),
        "document": "ND-1", "reason": words.strip(),
    }  # fmt: skip
    if rule:
        record |= {"recurrence": rule, "timezone": zone, "except": [iso_utc(begin + DAY)] if "DAILY" in rule else []}
        record = {name: value for name, value in record.items() if value}
    provider = Provider("PT", "c", "", begin, begin + length)
    filled = read_form(form_of(record, provider, drill=False, catalogue=CATALOGUE), DESIRED)
    assert filled.faults == {}
    assert (filled.record, filled.provider) == (record, provider)


def test_a_time_in_the_hour_that_comes_twice_is_typed_anew_and_never_shifted() -> None:
    record = {
        "category": "planned", "scope": {"all": True}, "from": iso_utc(TWICE), "to": iso_utc(TWICE + DAY),
        "document": "ND-1", "reason": "x", "recurrence": "FREQ=MONTHLY", "timezone": "America/New_York",
    }  # fmt: skip
    values = form_of(record, NOBODY, drill=False, catalogue=CATALOGUE)
    assert values["from"] == "2026-11-01T06:00:00.000Z"
    assert values["to"] == "2026-11-02T01:00"
    assert read_form(values, DESIRED).record == record


def test_the_form_of_an_outage_has_its_service_and_its_local_times() -> None:
    told = proposing("impor", BEGIN, BEGIN + 1_500, "Asia/Jakarta")
    assert told.startswith("kind=service&target=impor&from=2026-01-01T07%3A00&to=2026-01-01T07%3A00%3A01.500&")
