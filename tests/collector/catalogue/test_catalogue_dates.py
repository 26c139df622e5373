"""Dates in a services.toml: local to the organisation, from inclusive, until exclusive, exact across clock changes."""

from calendar import timegm
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detak_collector.catalogue import CatalogueError, parse
from detak_collector.catalogue.dated import Scalars
from detak_collector.catalogue.moments import Zone
from detak_collector.catalogue.place import Place
from detak_collector.catalogue.values import text
from detak_collector.downtime.catalogue import Dated, Group

JAKARTA = Zone(ZoneInfo("Asia/Jakarta"))
BERLIN = Zone(ZoneInfo("Europe/Berlin"))
BEIRUT = Zone(ZoneInfo("Asia/Beirut"))
ZONES = st.sampled_from(["Asia/Jakarta", "Europe/Berlin", "Asia/Beirut", "America/St_Johns", "Australia/Lord_Howe"])
LOCAL_TIMES = st.datetimes(datetime.fromisoformat("1990-01-01"), datetime.fromisoformat("2036-12-31"))
FEW_DAYS = st.dates(date(2020, 1, 1), date(2020, 1, 9))
NO_RULE = "one of ha, lowest_member, all_down, any_down, k_of_n"


def utc(*parts: int) -> int:
    return timegm((*parts, 0, 0, 0)[:6]) * 1000


def read(zone: Zone, value: object) -> int | None:
    return zone.moment(value, Place("services.toml", []))


def group_of(rest: str) -> Group:
    catalogue = parse(
        'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\n[[service]]\nid = "s"\ncriticality = "sangat kritis"\n'
        f'[[service.group]]\nname = "g"\ncategory = "server"\n{rest}'
    )
    return catalogue.services[0].groups[0]


def refusal_of(rest: str) -> str:
    with pytest.raises(CatalogueError) as caught:
        group_of(rest)
    [line] = caught.value.lines
    return line.removeprefix("services.toml: service[s].group[g].")


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        ("2026-07-01", utc(2026, 6, 30, 17)),
        (date(2026, 7, 1), utc(2026, 6, 30, 17)),
        ("2026-07-01T08:00", utc(2026, 7, 1, 1)),
        ("2026-07-01 08:00:00.250", utc(2026, 7, 1, 1) + 250),
        (datetime.fromisoformat("2026-07-01T08:00"), utc(2026, 7, 1, 1)),
        ("2026-07-01T08:00:00Z", utc(2026, 7, 1, 8)),
        ("2026-07-01T08:00:00+09:00", utc(2026, 6, 30, 23)),
        (datetime(2026, 7, 1, 8, tzinfo=UTC), utc(2026, 7, 1, 8)),
    ],
)
def test_a_date_is_local_and_an_instant_is_itself(value: object, instant: int) -> None:
    assert read(JAKARTA, value) == instant


@pytest.mark.parametrize(
    "value",
    [
        "2026-7-1", "20260701", "2026-W27-3", "2026-02-29", "2026-07-01T24:00", "2026-07-01T08", "tomorrow", "",
        "2026-07-01T08:00:00.1234", "2026-07-01T08:00z", "2026-07-01T08:00:60", "0001-01-01", "9999-12-31",
        "\uff12026-07-01", 20260701, True, None, datetime.fromisoformat("2026-07-01T00:00:00.000005"),
    ],
)  # fmt: skip
def test_anything_else_is_no_date(value: object) -> None:
    assert read(JAKARTA, value) is None


def test_a_local_time_that_never_comes_is_the_end_of_the_gap() -> None:
    assert read(BERLIN, "2026-03-29T02:30") == utc(2026, 3, 29, 1)


def test_a_midnight_that_never_comes_is_the_end_of_the_gap() -> None:
    assert read(BEIRUT, "2024-03-31") == utc(2024, 3, 30, 22)


def test_a_local_time_that_comes_twice_is_the_first() -> None:
    assert read(BERLIN, "2026-10-25T02:30") == utc(2026, 10, 25, 0, 30)


@given(ZONES, LOCAL_TIMES)
def test_a_local_time_that_exists_comes_back_as_it_was_written(key: str, local: datetime) -> None:
    local = local.replace(microsecond=0)
    back = datetime.fromtimestamp(Zone(ZoneInfo(key)).instant(local) / 1000, ZoneInfo(key)).replace(tzinfo=None)
    assert back >= local
    if back != local:
        just_before = Zone(ZoneInfo(key)).instant(local) - 1
        assert datetime.fromtimestamp(just_before / 1000, ZoneInfo(key)).replace(tzinfo=None) < local


@given(ZONES, LOCAL_TIMES, st.timedeltas(timedelta(0), timedelta(days=400)))
def test_later_local_times_are_never_earlier_instants_unless_the_clock_went_back(
    key: str, local: datetime, later: timedelta
) -> None:
    zone = Zone(ZoneInfo(key))
    assert zone.instant(local) <= zone.instant(local + later) + 3_600_000


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), unique=True, max_size=6), st.randoms())
def test_entries_that_follow_each_other_are_one_value_at_every_date_in_any_order(
    edges: list[date], random: Random
) -> None:
    edges.sort()
    bounds: list[date | None] = [None, *edges, None]
    entries = [
        {"value": f"v{number}"}
        | ({} if since is None else {"from": since.isoformat()})
        | ({} if until is None else {"until": until})
        for number, (since, until) in enumerate(pairwise(bounds))
    ]
    random.shuffle(entries)
    place = Place("services.toml", [])
    dated = Scalars(JAKARTA).dated(text)(entries, place)
    assert place.lines == []
    assert dated is not None
    for number, edge in enumerate(edges):
        at = read(JAKARTA, edge)
        assert at is not None
        assert (dated.at(at - 1), dated.at(at)) == (f"v{number}", f"v{number + 1}")


@given(
    st.lists(
        st.fixed_dictionaries(
            {"value": st.sampled_from(["a", "b"])},
            optional={"from": FEW_DAYS, "until": FEW_DAYS},
        ),
        min_size=1,
        max_size=4,
    )
)  # fmt: skip
def test_entries_that_are_accepted_never_overlap(entries: list[dict[str, object]]) -> None:
    dated = Scalars(JAKARTA).dated(text, "anywhen")(entries, Place("services.toml", []))
    if dated is None:
        return
    for at in range(utc(2019, 12, 31), utc(2020, 1, 11), 3_600_000):
        in_force = [
            one for one in dated.entries if (one[0] is None or one[0] <= at) and (one[1] is None or at < one[1])
        ]
        assert len(in_force) <= 1


def test_members_may_change_on_a_date_and_keep_one_rule() -> None:
    group = group_of(
        'rule = "all_down"\n'
        'members = ["a/x", { check = "b/x", from = 2026-07-01 }, { check = "c/x", until = "2026-07-01" }]'
    )
    assert [(one.label, one.since, one.until) for one in group.members] == [
        ("a/x", None, None),
        ("b/x", utc(2026, 6, 30, 17), None),
        ("c/x", None, utc(2026, 6, 30, 17)),
    ]
    assert group.rule == Dated.always("all_down")


def test_a_member_may_come_back_later() -> None:
    group = group_of('members = [{ check = "a/x", until = 2026-01-01 }, { check = "a/x", from = 2026-02-01 }]')
    assert len(group.members) == 2


def test_a_probe_may_come_back_later() -> None:
    probes = '[{ check = "a/b", until = 2026-01-01 }, { check = "a/b", from = 2026-02-01 }]'
    catalogue = parse(
        'organisation = "DJBC"\ntimezone = "Asia/Jakarta"\n'
        f'[[service]]\nid = "s"\ncriticality = "sangat kritis"\nprobes = {probes}'
    )
    assert [(one.since, one.until) for one in catalogue.services[0].probes] == [
        (None, utc(2025, 12, 31, 17)),
        (utc(2026, 1, 31, 17), None),
    ]


def test_members_that_follow_each_other_need_no_rule() -> None:
    assert (
        group_of('members = [{ check = "a/x", until = 2026-01-01 }, { check = "b/x", from = 2026-01-01 }]').rule is None
    )


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        (
            'members = ["a/x", { check = "b/x", from = 2026-07-01 }]',
            f"rule: required with several members from 2026-07-01; {NO_RULE} (got nothing)",
        ),
        (
            'members = ["a/x", "b/x"]\nrule = [{ value = "ha", until = 2026-07-01 }]',
            f"rule: required with several members from 2026-07-01; {NO_RULE} (got an array of 1)",
        ),
        (
            'members = ["a/x", { check = "b/x", until = 2026-07-01 }]\nrule = "k_of_n"\nk = 2',
            "k: at most the number of members in force from 2026-07-01, which is 1 (got 2)",
        ),
        (
            'members = ["a/x", "b/x"]\nrule = "k_of_n"\nk = [{ value = 1, from = 2026-07-01T08:00:00 }]',
            "k: required with rule = k_of_n (got an array of 1)",
        ),
        (
            'members = ["a/x", "b/x"]\nrule = "k_of_n"\nk = [{ value = 1, until = 2026-07-01T08:00:00 }]',
            "k: required with rule = k_of_n from 2026-07-01T08:00:00+07:00 (got an array of 1)",
        ),
        (
            'members = ["a/x", { check = "a/x", from = 2026-07-01 }]\nrule = "ha"',
            'members[#2]: stands in this group already (got "a/x")',
        ),
    ],
)
def test_rule_and_members_must_fit_at_every_date(rest: str, line: str) -> None:
    assert refusal_of(rest) == line


def test_k_may_follow_the_members() -> None:
    group = group_of(
        'members = ["a/x", { check = "b/x", until = 2026-07-01 }]\nrule = "k_of_n"\n'
        "k = [{ value = 2, until = 2026-07-01 }, { value = 1, from = 2026-07-01 }]"
    )
    assert group.k is not None
    assert [value for _, _, value in group.k.entries] == [2, 1]


def test_no_members_at_all_before_a_date_ask_for_nothing() -> None:
    group = group_of(
        'members = [{ check = "a/x", from = 2026-07-01 }, { check = "b/x", from = 2026-07-01 }]\nrule = "k_of_n"\nk = 2'
    )
    assert group.k == Dated.always(2)
