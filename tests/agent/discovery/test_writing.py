import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.discovery.machines import DEBIAN_12, RED_HAT_9
from agent.discovery.proposing import checks_in, off_in, proposed
from detak_agent.checks.registry import REGISTRY
from detak_agent.config import parse
from detak_agent.discovery.facts import Balancer, Facts, Listener, LocalSocket, RunningProcess
from detak_agent.discovery.names import Names, node_name, valid
from detak_agent.discovery.toml_text import Value, comment, literal, table
from detak_wire import limits

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

# What the kernel hands out holds any bytes: those that are no Unicode come as lone surrogates.
WILD = st.text(st.characters(exclude_categories=()), max_size=40) | st.sampled_from(
    [
        '"',
        "\\",
        "\n",
        '"""',
        "'''",
        '"\n[[check]]\nname = "x"',
        "\r\n# x",
        "\x00",
        "\x7f",
        "\x1b[2J",
        "\udcff",
        "\u202e",
        "]]",
    ]
)
TAME = st.sampled_from(
    ["nginx", "redis-server", "java", "postgres", "named", "node", "mariadbd", "haproxy", "ora_pmon_x"]
)
ADDRESSES = st.sampled_from(["0.0.0.0", "::", "127.0.0.1", "::1", "10.20.0.5", "fd00::5", "fe80::1"])
PROCESSES = st.builds(
    RunningProcess,
    pid=st.integers(2, 9),
    parent=st.integers(1, 9),
    name=TAME | WILD,
    arguments=st.lists(WILD | st.sampled_from(["-jar", "kafka.Kafka", "/a b.jar"]), max_size=4).map(tuple),
    program=TAME | WILD,
    unit=st.just("") | WILD | st.just("nginx.service"),
    container=st.just("") | WILD,
)
LISTENERS = st.builds(
    Listener,
    protocol=st.sampled_from(["tcp", "udp"]),
    address=ADDRESSES,
    port=st.integers(1, 65_535),
    pids=st.lists(st.integers(1, 9), max_size=2).map(tuple),
)
FACTS = st.builds(
    Facts,
    host=WILD,
    system=WILD,
    systemd=st.booleans(),
    processes=st.lists(PROCESSES, max_size=5, unique_by=lambda one: one.pid).map(tuple),
    listeners=st.lists(LISTENERS, max_size=6, unique_by=lambda one: (one.protocol, one.address, one.port)).map(tuple),
    local_sockets=st.lists(st.builds(LocalSocket, WILD, st.just((2, 3))), max_size=2).map(tuple),
    own_units=st.lists(WILD, max_size=2).map(tuple),
    network_mounts=st.lists(WILD.map("/".__add__), max_size=2, unique=True).map(tuple),
    zones=st.dictionaries(st.just("named"), st.lists(WILD, max_size=2).map(tuple)),
    balancer=st.builds(Balancer, st.just(("/run/x.sock",)), st.lists(WILD, max_size=2).map(tuple)),
    hidden=st.booleans(),
)


@given(FACTS)
def test_whatever_processes_call_themselves_the_agent_takes_what_is_proposed(facts: Facts) -> None:
    text = proposed(facts, node=node_name(facts.host))
    config = parse(text, REGISTRY)
    switched_off = off_in(text)
    names = [check.settings.name for check in config.checks] + [check["name"] for check in switched_off]
    assert len(set(names)) == len(names)
    assert all(len(name) <= limits.NAME_CHARACTERS for name in names)
    head = 'node = "n"\n[[collector]]\nurl = "http://127.0.0.1:9"\n'
    everything = "\n".join(line for check in switched_off for line in table("check", {**check}))
    assert len(parse(head + everything, REGISTRY).checks) == len(switched_off)


@given(FACTS)
def test_nothing_that_a_process_calls_itself_reaches_the_terminal_or_ends_a_line(facts: Facts) -> None:
    lines = proposed(facts).split("\n")
    assert not [line for line in lines if not line.isprintable()]
    shape = re.compile(r'^(|#.*|\[\[(check|collector)\]\]|[a-z_]+ = (".*"|\d+|true|false|\[.*\]))$')
    assert not [line for line in lines if not shape.match(line)]


@given(st.dictionaries(WILD, WILD | st.integers(-9, 2**53) | st.booleans() | st.lists(WILD, max_size=3).map(tuple)))
def test_a_value_is_read_as_it_was_written(keys: dict[str, Value]) -> None:
    def as_unicode(value: Value) -> object:
        if isinstance(value, str):
            return re.sub("[\ud800-\udfff]", "\ufffd", value)
        return [as_unicode(one) for one in value] if isinstance(value, tuple) else value

    plain = {as_unicode(key): as_unicode(value) for key, value in keys.items()}
    if len(plain) == len(keys):
        assert tomllib.loads("\n".join(table("check", keys)))["check"] == [plain]


def test_a_string_is_escaped_and_yet_readable() -> None:
    assert literal('a"b\\c\nd\x01é\udcff\U0001f5a5\u202e') == '"a\\"b\\\\c\\nd\\u0001é\ufffd🖥\\u202E"'


@given(WILD)
def test_a_comment_is_nothing_but_a_comment(text: str) -> None:
    assert tomllib.loads("\n".join(comment(text) + comment("  " + text))) == {}


@given(st.lists(WILD | TAME, max_size=8))
def test_names_are_valid_and_no_two_are_the_same(wishes: list[str]) -> None:
    names = Names(["nginx"])
    taken = [names.take(wish) for wish in [*wishes, *wishes, "alive"]]
    assert all(re.fullmatch(limits.NAME_PATTERN, name) for name in taken)
    assert len({*taken, "nginx", "alive"}) == len(taken) + 2


@pytest.mark.parametrize(
    ("host", "node"),
    [
        ("dc-app-01.example.go.id", "dc-app-01"),
        ("DRC-DB_02", "drc-db_02"),
        ("Server Ruang A", "server-ruang-a"),
        ("", "node"),
        ("---", "node"),
        ("x" * 300, "x" * 48),
        ("räume", "r-ume"),
    ],
)
def test_a_node_is_named_after_its_host(host: str, node: str) -> None:
    assert node_name(host) == node
    assert re.fullmatch(limits.NAME_PATTERN, valid(host, "node"))


@pytest.mark.parametrize("facts", [DEBIAN_12, RED_HAT_9], ids=["debian", "red-hat"])
def test_the_text_begins_with_what_to_do_and_no_line_of_prose_is_too_long(facts: Facts) -> None:
    lines = proposed(facts).splitlines()
    assert lines[0].startswith("# Proposed by `detak-agent discover`")
    assert lines[0].endswith("What to do next:")
    assert lines[1].startswith("# 1. Fill in the collector's url.")
    commands = [line for line in lines if line.startswith("#   ")]
    assert not [line for line in lines if len(line) > 120 and line not in commands]


def test_what_is_there_is_written_as_the_documentation_shows_it() -> None:
    page = (Path(__file__).parents[3] / "docs/discovery.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    assert example in proposed(DEBIAN_12)
    assert len(checks_in(example)) == 2
