"""What a seal holds: every number of a period as one text, which comes back as it was, and nothing of its words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from detak_collector.closing import account as accounts
from detak_collector.closing.account import AccountError, account_of, changed_services, unpacked
from detak_collector.downtime.catalogue import Dated
from report_cases import COUNTED, SERVICE_TIME, report

RESULT = report()
ACCOUNT = account_of(RESULT)


def test_it_comes_back_as_it_was_packed() -> None:
    again = unpacked(ACCOUNT.packed())
    assert (again.text, again.digest) == (ACCOUNT.text, ACCOUNT.digest)
    assert (again.figure.counted_ms, again.figure.service_time_ms) == (COUNTED, SERVICE_TIME)
    assert again.figure == RESULT.figure
    assert again.target_percent == RESULT.target_percent


def test_a_new_name_makes_no_other_account_and_a_later_outage_does() -> None:
    named = [replace(one, service=replace(one.service, name=Dated.always("Another"))) for one in RESULT.services]
    assert account_of(replace(RESULT, services=tuple(named))).digest == ACCOUNT.digest
    first = RESULT.services[0]
    later = first.outages[0]._replace(end=first.outages[0].end + 1)
    services = (replace(first, outages=(later, *first.outages[1:])), *RESULT.services[1:])
    other = account_of(replace(RESULT, services=services))
    assert other.digest != ACCOUNT.digest
    assert [name for name, _, _ in changed_services(ACCOUNT, other)] == ["impor"]


def test_a_service_that_came_later_is_told_with_nothing_before() -> None:
    fewer = account_of(replace(RESULT, services=RESULT.services[1:]))
    assert [(name, before) for name, before, _ in changed_services(fewer, ACCOUNT)] == [("impor", None)]


@pytest.mark.parametrize("packed", ["", "????", "AAAA", ACCOUNT.packed()[:-8]])
def test_what_is_no_account_is_refused_with_words(packed: str) -> None:
    with pytest.raises(AccountError, match="account"):
        unpacked(packed)


def test_what_unpacks_to_more_than_an_account_can_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = ACCOUNT.packed()
    monkeypatch.setattr(accounts, "MOST_BYTES", 100)
    with pytest.raises(AccountError, match="longer than 100 bytes"):
        unpacked(packed)
    monkeypatch.setattr(accounts, "MOST_PACKED", 100)
    with pytest.raises(AccountError, match="seal shorter periods"):
        ACCOUNT.packed()
