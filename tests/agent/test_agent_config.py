from pathlib import Path

import pytest

from detak_agent.checks.registry import REGISTRY
from detak_agent.config import AgentConfig, load, parse
from detak_agent.failures import ConfigurationError
from detak_agent.fingerprints import FINGERPRINT_RULE

GOOD = """
node = "n1"
[[collector]]
url = "http://127.0.0.1:8080/"
[[check]]
name = "port"
kind = "tcp"
host = "10.0.0.5"
port = 80
"""

OS_ITEMS = '"cpu", "memory", "swap", "load", "disk", "inodes", "read_only", "clock"'


def errors(text: str) -> list[str]:
    with pytest.raises(ConfigurationError) as refused:
        parse(text, REGISTRY)
    return list(refused.value.lines)


def collected(keys: str, url: str = "https://detak.example.go.id") -> str:
    return f"{GOOD}[[collector]]\nurl = '{url}'\n{keys}\n"


def check(kind: str, *keys: str) -> str:
    return "\n".join([f'{GOOD}[[check]]\nname = "other"\nkind = "{kind}"', *keys])


def good(text: str = GOOD) -> AgentConfig:
    return parse(text, REGISTRY)


def test_the_shipped_example_is_right() -> None:
    config = load(Path(__file__).parents[2] / "config" / "agent.toml", REGISTRY)
    assert {check.settings.kind for check in config.checks} == {"os", "process", "tcp", "http"}
    assert len(config.collectors) == 2


def test_the_defaults() -> None:
    config = good()
    assert (config.tick_ms, config.beat_ms, config.journal_max_bytes) == (1_000, 5_000, 64 * 1024 * 1024)
    assert config.metrics_ms == 60_000
    assert config.state_directory == Path("/var/lib/detak-agent")
    assert config.collectors[0].url == "http://127.0.0.1:8080"
    assert config.checks[0].settings.timeout_ms == 4_000


@pytest.mark.parametrize("metrics_ms", [-1, 1, 9_999, 3_600_001])
def test_metrics_are_switched_off_or_come_at_a_reasonable_pace(metrics_ms: int) -> None:
    assert good(f"metrics_ms = 0\n{GOOD}").metrics_ms == 0
    assert good(f"metrics_ms = 10000\n{GOOD}").metrics_ms == 10_000
    (said,) = errors(f"metrics_ms = {metrics_ms}\n{GOOD}")
    assert said == f"agent.toml: metrics_ms: must be 0 or lie between 10000 and 3600000 (got {metrics_ms})"


def test_a_short_interval_brings_the_default_time_out_down() -> None:
    assert good(GOOD + "interval_ms = 1000").checks[0].settings.timeout_ms == 800


def test_every_error_is_said_at_once() -> None:
    text = """
node = "Not A Name"
tick_ms = "fast"
beat_ms = 50
colour = "red"
[[collector]]
url = "http://detak.example.go.id"
[[collector]]
url = "ftp://x"
[[check]]
name = "port"
kind = "tcp"
host = "h"
port = 99999
interval_ms = 1000
timeout_ms = 2000
[[check]]
name = "port"
kind = "telepathy"
[[check]]
name = "alive"
kind = "os"
disk_degraded_percents = 90
"""
    name_rule = "must be 1 to 64 lower case letters, digits, '.', '_' or '-', with a letter or digit at both ends"
    kinds = ", ".join(sorted(REGISTRY))
    known = "allow_plaintext, beat_ms, check, collector, journal_max_bytes, metrics_ms, node, state_directory, tick_ms"
    plain = "plain HTTP beyond this machine is refused; use https, or set allow_plaintext = true"
    assert errors(text)[:12] == [
        'agent.toml: tick_ms: must be a whole number (got "fast")',
        "agent.toml: beat_ms: must be a whole number >= 100 (got 50)",
        f'agent.toml: colour: unknown key; known are {known} (got "red")',
        f'agent.toml: collector[0].url: {plain} (got "http://detak.example.go.id")',
        'agent.toml: collector[1].url: must be a URL such as https://detak.example.go.id (got "ftp://x")',
        "agent.toml: check[0].port: must be a whole number <= 65535 (got 99999)",
        'agent.toml: check[1].name: check[0] has this name already (got "port")',
        f'agent.toml: check[1].kind: unknown kind; known are {kinds} (got "telepathy")',
        'agent.toml: check[2].name: reserved: every node has this check by itself (got "alive")',
        errors(text)[9],
        f'agent.toml: node: {name_rule} (got "Not A Name")',
    ]
    assert errors(text)[9].startswith("agent.toml: check[2].disk_degraded_percents: unknown key; known are ")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (GOOD.replace('node = "n1"', ""), "agent.toml: node: missing"),
        ('node = "n1"', "agent.toml: collector: at least one [[collector]] with its url is needed"),
        (GOOD + "timeout_ms = 6000", "agent.toml: check[0].timeout_ms: may not exceed interval_ms = 5000 (got 6000)"),
        (GOOD + "interval_ms = 50", "agent.toml: check[0].interval_ms: must lie between 100 and 3600000 (got 50)"),
        (GOOD + "tries = 0", "agent.toml: check[0].tries: must lie between 1 and 10 (got 0)"),
        (GOOD + "[[collector]]\nurl = 'http://127.0.0.1:8080'",
         'agent.toml: collector[1].url: this collector is there twice (got "http://127.0.0.1:8080")'),
        (GOOD + "[[collector]]\nurl = 'https://u:p@x'",
         'agent.toml: collector[1].url: must have no user, query or fragment (got "https://…@x")'),
        (collected('fingerprint = "sha256:12"'),
         f'agent.toml: collector[1].fingerprint: {FINGERPRINT_RULE} (got "sha256:12")'),
        (collected(f'ca_file = "/ca"\nfingerprint = "sha256:{"ab" * 32}"'),
         "agent.toml: collector[1].fingerprint: may not stand beside ca_file: which of them counts?"),
        (collected(f'fingerprint = "sha256:{"ab" * 32}"', "http://127.0.0.1:81"),
         "agent.toml: collector[1].fingerprint: plain HTTP has no certificate; use https"),
        (collected('key_file = ""'),
         "agent.toml: collector[1].key_file: must be a path, or the name of a systemd credential"),
        (collected("renew_days = -1"),
         "agent.toml: collector[1].renew_days: must be a whole number >= 0 (got -1)"),
        ("beat_ms = 1000\ntick_ms = 2000\n" + GOOD,
         "agent.toml: beat_ms: may not be less than tick_ms = 2000 (got 1000)"),
        (GOOD.replace('kind = "tcp"', ""), "agent.toml: check[0].kind: missing"),
        (GOOD.replace('name = "port"\n', ""), "agent.toml: check[0].name: missing"),
        ("check = 3\n" + GOOD.split("[[check]]", maxsplit=1)[0], "agent.toml: check: must be a list (got 3)"),
        (GOOD.replace("port = 80", 'port = "80"'), 'agent.toml: check[0].port: must be a whole number (got "80")'),
        (GOOD + '[[check]]\nname = "p"\nkind = "process"',
         'agent.toml: check[1].process_name: one of process_name, pid_file and command_pattern is needed (got "")'),
        (check("snmp", 'host = "h"', 'community = "c"', 'version = "1"'),
         'agent.toml: check[1].version: must be one of "2c", "3" (got "1")'),
        (check("snmp", 'host = "h"', 'community = "c"', "version = 3"),
         'agent.toml: check[1].version: must be one of "2c", "3" (got 3)'),
        (check("redis", 'host = "h"', 'role = "master"'),
         'agent.toml: check[1].role: must be one of "primary", "replica" (got "master")'),
        (check("ping", 'host = "h"', "ip_version = 5"),
         "agent.toml: check[1].ip_version: must be one of 4, 6 (got 5)"),
        (check("os", 'items = ["cpu", "disks"]'),
         f'agent.toml: check[1].items[1]: must be one of {OS_ITEMS} (got "disks")'),
        (check("os", 'items = "cpu"'), 'agent.toml: check[1].items: must be a list (got "cpu")'),
        (check("snmp", 'host = "h"', 'community = "c"', "interface = true"),
         "agent.toml: check[1].interface: must be a whole number or a text (got true)"),
    ],
)  # fmt: skip
def test_each_error_has_its_line(text: str, line: str) -> None:
    assert errors(text) == [line]


def test_plain_http_is_allowed_where_the_file_says_so() -> None:
    text = "allow_plaintext = true\n" + GOOD.replace("127.0.0.1", "10.0.0.9")
    assert good(text).collectors[0].url == "http://10.0.0.9:8080"


def test_what_is_not_toml_is_one_line() -> None:
    (line,) = errors("node = ")
    assert line.startswith("agent.toml: not TOML: ")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"none\.toml: cannot be read: No such file or directory"):
        load(tmp_path / "none.toml", REGISTRY)


@pytest.mark.parametrize(
    "text",
    [
        check("http", 'url = "http://u:s3kret@h h/"'),
        check("http", 'url = "https://u:s3kret@h/"', 'method = ["https://u:s3kret@h/"]'),
        check("http", 'url = "https://h/"', 'headers = {"a b" = "s3kret"}'),
        check("postgresql", "password = ['s3kret']"),
        check("postgresql", "database = {deeper = [{password = 's3kret'}]}"),
    ],
)
def test_no_error_shows_a_secret(text: str) -> None:
    assert errors(text)
    assert not [line for line in errors(text) if "s3kret" in line]
