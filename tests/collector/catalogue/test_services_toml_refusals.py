"""What is wrong in a services.toml: each flaw has its own line, and all lines come at once."""
# ruff: noqa: E501 - a row of a table is a text and the line it earns

from pathlib import Path

import pytest

from detak_collector.catalogue import CatalogueError, load, parse

NAMED = 'organisation = "DJBC"\n'
ZONED = 'timezone = "Asia/Jakarta"\n'
HEAD = NAMED + ZONED
SERVICE = '[[service]]\nid = "impor"\ncriticality = "sangat kritis"\n'
PROBED = SERVICE + 'probes = ["edge-01/web"]\n'
GROUP = SERVICE + '[[service.group]]\nname = "basis data"\ncategory = "database"\n'
PAIR = GROUP + 'members = ["db-01/pg", "db-02/pg"]\n'
WHOLE = HEAD + PROBED
SHARED = WHOLE + 'uses = ["net"]\n[[group]]\nid = "net"\ncategory = "network"\n'
CALENDAR = WHOLE + '[[calendar]]\nid = "kantor"\n'
RULES = "ha, lowest_member, all_down, any_down, k_of_n"
NAMES = "lower-case letters, digits, '.', '_' and '-', at most 64 characters"
MOMENTS = "a date such as 2026-07-01, a local time such as 2026-07-01T08:00, or an instant such as 2026-07-01T01:00:00Z"
WINDOWS = 'a window such as "07:30-17:00" that does not cross midnight, an array of them, or "closed"'
AT_GROUP = "service[impor].group[basis data]"


def lines_of(text: str, folder: Path | None = None) -> list[str]:
    with pytest.raises(CatalogueError) as caught:
        parse(text, folder=folder)
    return [line.removeprefix("services.toml: ") for line in caught.value.lines]


SHAPES = [
    (NAMED + PROBED, "timezone: required (got nothing)"),
    (ZONED + PROBED, "organisation: required (got nothing)"),
    (HEAD, "service: at least one [[service]] is required (got nothing)"),
    (HEAD + '[service]\nid = "x"', "service: an array of tables, each in double brackets (got a table)"),
    (HEAD + "service = [1]", "service[#1]: a table (got 1)"),
    ("target_percentage = 3\n" + WHOLE, 'target_percentage: unknown key; did you mean "target_percent"? (got 3)'),
    (WHOLE + 'zzz = ""', 'service[impor].zzz: unknown key; known here are criticality, group, hours, id, name, probe_guard, probes, public, uses (got "")'),
    (WHOLE + '"a\\nb" = 1', 'service[impor]."a\\nb": unknown key; known here are criticality, group, hours, id, name, probe_guard, probes, public, uses (got 1)'),
    (WHOLE + PROBED, 'service[#2].id: each id may be used once (got "impor")'),
    (HEAD + '[[service]]\nid = "Impor"\ncriticality = "sangat kritis"\nprobes = ["a/b"]', f'service[Impor].id: {NAMES} (got "Impor")'),
    (HEAD + SERVICE, "service[impor]: needs something that can be down: a [[service.group]], a shared group in uses, or probes"),
    (WHOLE + 'public = "yes"', 'service[impor].public: true or false (got "yes")'),
    (WHOLE + "probe_guard = 1", "service[impor].probe_guard: true or false (got 1)"),
    (WHOLE + 'name = ""', 'service[impor].name: a text of 1 to 200 characters on one line, without blanks around it (got "")'),
    (HEAD + SERVICE + 'probes = ["edge-01"]', f'service[impor].probes[#1]: a check, written "node/check"; each of {NAMES} (got "edge-01")'),
    (HEAD + SERVICE + 'probes = ["a/b", "a/b"]', 'service[impor].probes[#2]: each may be listed once at any time (got "a/b")'),
    (HEAD + SERVICE + 'probes = [{ observers = ["a/b", "b/b"] }]', "service[impor].probes[#1]: several probes observe the service together: list each of them by itself"),
    (WHOLE + 'uses = ["nett"]\n[[group]]\nid = "net"\ncategory = "network"\nmembers = ["a/b"]\n' + '[[service]]\nid = "b"\ncriticality = "x"\nuses = ["net"]', 'service[impor].uses[#1]: the id of a [[group]]; did you mean "net"? (got "nett")'),
    (WHOLE + 'hours = "kantor"', 'service[impor].hours: "24x7" or the id of a [[calendar]] (got "kantor")'),
]  # fmt: skip

ORGANISATION = [
    ('timezone = "Asia/Jakarat"', 'timezone: the name of a time zone; did you mean "Asia/Jakarta"? (got "Asia/Jakarat")'),
    ('timezone = "Asia"', 'timezone: the name of a time zone, such as Asia/Jakarta (got "Asia")'),
    ('timezone = "../etc"', 'timezone: the name of a time zone, such as Asia/Jakarta (got "../etc")'),
    ("target_percent = 0", "target_percent: a number above 0 and up to 100, with at most 12 decimals (got 0)"),
    ("target_percent = true", "target_percent: a number above 0 and up to 100, with at most 12 decimals (got true)"),
    ("target_percent = nan", "target_percent: a number above 0 and up to 100, with at most 12 decimals (got NaN)"),
    ("target_percent = 1e-99999999", "target_percent: a number above 0 and up to 100, with at most 12 decimals (got 1E-99999999)"),
    ('ha_rule = "all-down"', 'ha_rule: one of lowest_member, all_down; did you mean "all_down"? (got "all-down")'),
    ('ha_rule = [{ value = "all_down", from = 2026-01-01 }]', "ha_rule: must be in force at every date; leave out `from` in the first entry and `until` in the last"),
    ("counted_criticality = []", "counted_criticality: an array of 1 or more (got an empty array)"),
    ('counted_exclusions = ["planed"]', 'counted_exclusions[#1]: one of planned, preventive, third_party, force_majeure, measurement_error; did you mean "planned"? (got "planed")'),
    ('counted_exclusions = ["planned", "planned"]', 'counted_exclusions[#2]: each may be listed once (got "planned")'),
    ("incident_gap_ms = -1", "incident_gap_ms: a whole number from 0 to 86400000 (got -1)"),
    ('minimum_outage_ms = "0"', 'minimum_outage_ms: a whole number from 0 to 86400000 (got "0")'),
]  # fmt: skip

GROUPS = [
    (HEAD + PAIR, f"{AT_GROUP}.rule: required with several members; one of {RULES} (got nothing)"),
    (HEAD + PAIR + 'rule = "all_dwn"', f'{AT_GROUP}.rule: one of {RULES}; did you mean "all_down"? (got "all_dwn")'),
    (HEAD + PAIR + 'rule = "k_of_n"', f"{AT_GROUP}.k: required with rule = k_of_n (got nothing)"),
    (HEAD + PAIR + 'rule = "k_of_n"\nk = 3', f"{AT_GROUP}.k: at most the number of members in force, which is 2 (got 3)"),
    (HEAD + PAIR + 'rule = "k_of_n"\nk = 0', f"{AT_GROUP}.k: a whole number from 1 to 1000 (got 0)"),
    (HEAD + PAIR + 'rule = "ha"\nk = 1', f"{AT_GROUP}.k: only with rule = k_of_n; remove it (got 1)"),
    (HEAD + GROUP + "members = []", f"{AT_GROUP}.members: an array of 1 or more (got an empty array)"),
    (HEAD + GROUP + 'members = ["a/b", "a/b"]\nrule = "ha"', f'{AT_GROUP}.members[#2]: stands in this group already (got "a/b")'),
    (HEAD + GROUP + 'members = ["a/b", { observers = ["c/b", "a/b"] }]\nrule = "ha"', f'{AT_GROUP}.members[#2]: stands in this group already (got "a/b")'),
    (HEAD + GROUP + 'members = [{ observers = ["a/b"] }]', f"{AT_GROUP}.members[#1].observers: an array of 2 or more (got an array of 1)"),
    (HEAD + GROUP + 'members = [{ observers = ["a/b", "a/b"] }]', f'{AT_GROUP}.members[#1].observers[#2]: each may be listed once (got "a/b")'),
    (HEAD + GROUP + "members = [{ from = 2026-01-01 }]", f"{AT_GROUP}.members[#1]: needs either check or observers (got a table)"),
    (HEAD + GROUP + "members = [3]", f'{AT_GROUP}.members[#1]: a check, written "node/check", or a table with check or observers (got 3)'),
    (HEAD + GROUP + 'members = [{ check = "a/b", form = 2026-01-01 }]', f'{AT_GROUP}.members[#1].form: unknown key; did you mean "from"? (got 2026-01-01)'),
    (HEAD + GROUP + 'members = [{ check = "a/b", from = 2026-01-02, until = 2026-01-02 }]', f"{AT_GROUP}.members[#1].until: later than from, which is 2026-01-02 (got 2026-01-02)"),
    (HEAD + GROUP + 'members = [{ check = "a/b", from = "2026-02-30" }]', f'{AT_GROUP}.members[#1].from: {MOMENTS} (got "2026-02-30")'),
    (HEAD + GROUP.replace("database", "databse") + 'members = ["a/b"]', f'{AT_GROUP}.category: one of power, network, device, server, database, application, office-network, provider-network; did you mean "database"? (got "databse")'),
    (HEAD + GROUP.replace("basis data", "a/b") + 'members = ["a/b"]', "service[impor].group[a/b].name: a text without '/' (got \"a/b\")"),
    (HEAD + GROUP + 'members = ["a/b"]\n' + GROUP.removeprefix(SERVICE) + 'members = ["a/c"]', 'service[impor].group[#2].name: each name may be used once (got "basis data")'),
    (SHARED + 'members = ["a/b", "a/c"]', f"group[net].rule: required with several members; one of {RULES} (got nothing)"),
    (WHOLE + '[[group]]\nid = "net"\ncategory = "network"\nmembers = ["a/b"]', "group[net]: no service reaches it (members: a/b); name it in a service's uses, or remove it"),
    (SHARED + 'members = ["a/b"]\n[[group]]\nid = "net"\ncategory = "network"\nmembers = ["a/b"]', 'group[#2].id: each id may be used once (got "net")'),
    (HEAD + SERVICE + 'uses = ["net"]\n[[service.group]]\nname = "net"\ncategory = "network"\nmembers = ["a/b"]\n[[group]]\nid = "net"\ncategory = "network"\nmembers = ["a/c"]', 'service[impor]: its own group and a shared group are both called "net"; rename one'),
]  # fmt: skip

DATES = [
    ("criticality = []", "a value, or an array of at least one entry (got an empty array)"),
    ('criticality = [{ value = "a", until = 2026-07-01 }, { value = "b", from = 2026-07-02 }]', "nothing is in force from 2026-07-01 to 2026-07-02; `until` is exclusive: write the same date twice"),
    ('criticality = [{ value = "a", until = 2026-07-02 }, { value = "b", from = 2026-07-01 }]', "two entries are in force at once from 2026-07-01; `until` ends the one before"),
    ('criticality = [{ value = "a" }, { value = "b" }]', "two entries are in force at once from the beginning; `until` ends the one before"),
]  # fmt: skip

NODES = [
    ('name = "edge-01"\n[[node]]\nname = "edge-01"', 'node[#2].name: each name may be used once (got "edge-01")'),
    ('name = "edge-01"\nwitnesses = ["edge-01/x"]', 'node[edge-01].witnesses[#1]: a check on another node (got "edge-01/x")'),
    ('name = "edge-01"\nreferences = ["b/x"]', 'node[edge-01].references[#1]: a check of edge-01 itself (got "b/x")'),
    ('name = "edge-01"\nretired = "soon"', f'node[edge-01].retired: {MOMENTS} (got "soon")'),
    ('name = "edge-01"\nsite = "DC"\nsites = "DC"', 'node[edge-01].sites: unknown key; did you mean "site"? (got "DC")'),
]  # fmt: skip

CALENDARS = [
    ("", "calendar[kantor].weekly: required (got nothing)"),
    ('weekly = { mon-fri = "07:30-17:00", wed = "08:00-09:00" }', "calendar[kantor].weekly.wed: wed has its windows already"),
    ('weekly = { fri-mon = "07:30-17:00" }', 'calendar[kantor].weekly.fri-mon: a day, or a range that runs forward, of mon, tue, wed, thu, fri, sat, sun (got "fri-mon")'),
    ('weekly = { mon = "17:00-07:30" }', f'calendar[kantor].weekly.mon: {WINDOWS} (got "17:00-07:30")'),
    ('weekly = { mon = "17:00-24:01" }', f'calendar[kantor].weekly.mon: {WINDOWS} (got "17:00-24:01")'),
    ('weekly = { mon = ["07:00-12:00", "11:00-13:00"] }', "calendar[kantor].weekly.mon: windows in order that do not overlap (got an array of 2)"),
    ('weekly = { mon = "07:00-12:00" }\ntimezone = "WIB"', 'calendar[kantor].timezone: the name of a time zone, such as Asia/Jakarta (got "WIB")'),
    ('weekly = { mon = "07:00-12:00" }\nexceptions = [{ date = 2026-12-24, hours = "closed" }, { date = "2026-12-24", hours = "closed" }]', "calendar[kantor].exceptions[#2].date: each day may have one exception (got 2026-12-24)"),
    ('weekly = { mon = "07:00-12:00" }\nexceptions = [{ date = 2026-12-24T00:00:00, hours = "closed" }]', "calendar[kantor].exceptions[#1].date: a date such as 2026-07-01 (got 2026-12-24T00:00:00)"),
    ('weekly = { mon = "07:00-12:00" }\nseasons = [{ from = 2026-02-18, weekly = { mon = "closed" } }]', "calendar[kantor].seasons[#1].until: required (got nothing)"),
    ('weekly = { mon = "07:00-12:00" }\nseasons = [{ from = 2026-02-18, until = 2026-03-21, weekly = {} }, { from = 2026-03-20, until = 2026-03-29, weekly = {} }]', "calendar[kantor].seasons[#2].from: begins before the season that ends on 2026-03-21"),
    ('weekly = { mon = "07:00-12:00" }\nholidays = "none.csv"', 'calendar[kantor].holidays: a readable text file beside this one; `detak-collector calendar fill kantor --year YEAR` makes it (got "none.csv")'),
    ('weekly = { mon = "07:00-12:00" }\nholidays = "../h.csv"', 'calendar[kantor].holidays: the name of a file beside this one (got "../h.csv")'),
    ('weekly = { mon = "07:00-12:00" }\njoint_leave_none = ["2031"]', 'calendar[kantor].joint_leave_none[#1]: a whole number from 1971 to 9000 (got "2031")'),
]  # fmt: skip

GAP = "nothing is in force from 2026-01-01 to 2026-02-01; `until` is exclusive: write the same date twice"
ALWAYS = "must be in force at every date; leave out `from` in the first entry and `until` in the last"
SINCE = "[{{ value = {0}, from = 2026-02-01 }}]"
APART = "[{{ value = {0}, until = 2026-01-01 }}, {{ value = {0}, from = 2026-02-01 }}]"

DATED = [
    (HEAD.replace('"DJBC"', SINCE.format('"DJBC"')) + PROBED, f"organisation: {ALWAYS}"),
    ("planned_in_denominator = " + APART.format("true") + "\n" + WHOLE, f"planned_in_denominator: {GAP}"),
    ("planned_in_denominator = [{ value = 1 }]\n" + WHOLE, "planned_in_denominator[#1].value: true or false (got 1)"),
    ("incident_gap_ms = " + APART.format("5") + "\n" + WHOLE, f"incident_gap_ms: {GAP}"),
    ("freeze_degraded_below_ms = -1\n" + WHOLE, "freeze_degraded_below_ms: a whole number from 0 to 86400000 (got -1)"),
    ("freeze_degraded_below_ms = " + SINCE.format("5000") + "\n" + WHOLE, f"freeze_degraded_below_ms: {ALWAYS}"),
    (WHOLE + "name = " + SINCE.format('"Impor"'), f"service[impor].name: {ALWAYS}"),
    (WHOLE + "public = " + APART.format("true"), f"service[impor].public: {GAP}"),
    (WHOLE + "public = [{ value = 1 }]", "service[impor].public[#1].value: true or false (got 1)"),
    (WHOLE + "probe_guard = []", "service[impor].probe_guard: a value, or an array of at least one entry (got an empty array)"),
    (HEAD + SERVICE + 'probes = [{ check = "a/b", from = 2026-02-01, until = 2026-01-01 }]', "service[impor].probes[#1].until: later than from, which is 2026-02-01 (got 2026-01-01)"),
    (HEAD + SERVICE + 'probes = [{ check = "a/b", until = 2026-02-01 }, { check = "a/b", from = 2026-01-01 }]', 'service[impor].probes[#2]: each may be listed once at any time (got "a/b")'),
    (HEAD + GROUP.replace('"database"', SINCE.format('"database"')) + 'members = ["a/b"]', f"{AT_GROUP}.category: {ALWAYS}"),
    (HEAD + GROUP.replace('"database"', '[{ value = "disk" }]') + 'members = ["a/b"]', f'{AT_GROUP}.category[#1].value: one of power, network, device, server, database, application, office-network, provider-network (got "disk")'),
    (HEAD + GROUP + 'members = ["a/b"]\nthird_party = ' + APART.format("true"), f"{AT_GROUP}.third_party: {GAP}"),
    (WHOLE + '[[node]]\nname = "edge-01"\nsite = [{ value = "DC", until = 2026-02-01 }, { value = "DRC", from = 2026-01-01 }]', "node[edge-01].site: two entries are in force at once from 2026-01-01; `until` ends the one before"),
    (WHOLE + '[[unit]]\nid = "kanwil"\nservices = ["import"]', 'unit[kanwil].services[#1]: the id of a [[service]]; did you mean "impor"? (got "import")'),
]  # fmt: skip

WRONG = [
    *SHAPES,
    *((line + "\n" + (NAMED + PROBED if line.startswith("timezone") else WHOLE), reason) for line, reason in ORGANISATION),
    *GROUPS,
    *((WHOLE.replace('criticality = "sangat kritis"', line), f"service[impor].criticality: {why}") for line, why in DATES),
    *((WHOLE + "[[node]]\n" + text, reason) for text, reason in NODES),
    *((CALENDAR + text, reason) for text, reason in CALENDARS),
    *DATED,
]  # fmt: skip


@pytest.mark.parametrize(("text", "line"), WRONG)
def test_a_flaw_is_told_in_exactly_this_line(text: str, line: str) -> None:
    assert lines_of(text) == [line]


def test_all_flaws_are_told_at_once() -> None:
    assert lines_of("colour = 1\n" + SERVICE + "probes = 3\npublic = 2\nuses = [4]") == [
        "timezone: required (got nothing)",
        "organisation: required (got nothing)",
        "service[impor].public: true or false (got 2)",
        "service[impor].probes: an array (got 3)",
        "service[impor].uses[#1]: the id of a [[group]] (got 4)",
        "colour: unknown key; known here are calendar, counted_criticality, counted_exclusions, freeze_degraded_below_ms, group, ha_rule, incident_gap_ms, minimum_outage_ms, node, organisation, planned_in_denominator, service, target_percent, timezone, unit (got 1)",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a =", "not TOML: Invalid value (at end of document)"),
        ("a = 1\nb 2\n", "not TOML: Expected '=' after a key in a key/value pair (at line 2, column 3)"),
        (f"a = {'[' * 5000}{']' * 5000}", "not TOML: "),
        (f"a = {'1' * 5000}", "not TOML: "),
        ("a = 1e99999999999999999999", "not TOML: "),
    ],
)
def test_a_text_that_is_not_toml_is_refused_with_its_line(text: str, line: str) -> None:
    [told] = lines_of(text)
    assert told.startswith(line)


def test_a_long_value_is_shown_cut_and_on_one_line() -> None:
    [told] = lines_of(WHOLE + f'public = "{"x" * 500}\\n"')
    assert told == f'service[impor].public: true or false (got "{"x" * 58}…)'


def test_a_file_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(WHOLE + "public = 1")
    with pytest.raises(CatalogueError) as caught:
        load(path)
    assert caught.value.lines == (f"{path}: service[impor].public: true or false (got 1)",)
    assert caught.value.exit_code == 2


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "no such file"),
        (b"\xff\xfe", "not a readable text file"),
        (b"#" * (32 * 1024 * 1024 + 1), "not a readable text file"),
    ],
    ids=["missing", "latin", "huge"],
)
def test_a_file_that_is_no_ordinary_text_is_refused(tmp_path: Path, content: bytes | None, reason: str) -> None:
    path = tmp_path / "services.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(CatalogueError, match=reason):
        load(path)


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ("2026-03,Nyepi,national,SKB\n", ['2: date: a date such as 2026-07-01 (got "2026-03")']),
        ("2026-03-20,Nyepi,regional,SKB\n", ['2: kind: one of national, joint-leave (got "regional")']),
        ("2026-03-20,Nyepi\n", ["2: needs 4 values, as its first line says, but has 2"]),
    ],
)
def test_a_table_of_holidays_is_checked_row_by_row(tmp_path: Path, rows: str, lines: list[str]) -> None:
    (tmp_path / "id.csv").write_text("date,name,kind,decree\n" + rows)
    told = lines_of(CALENDAR + 'weekly = { mon = "closed" }\nholidays = "id.csv"', tmp_path)
    assert [line for line in told if line.startswith("id.csv")] == [f"id.csv:{line}" for line in lines]
