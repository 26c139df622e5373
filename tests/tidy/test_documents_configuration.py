"""The documents name only configuration that there is, and all of it: keys, defaults, and whole files that are read."""

import re
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest

from detak_agent import config as agent_config
from detak_agent.checks.registry import REGISTRY
from detak_agent.failures import ConfigurationError as AgentConfigurationError
from detak_collector import config as collector_config
from detak_collector.accounts.sign_in_file import DEFAULT_PORTS as DIRECTORY_PORTS
from detak_collector.catalogue import CatalogueError
from detak_collector.catalogue.holiday_table import HEADER
from detak_collector.catalogue.organisation import parse_beside
from detak_collector.mail.file import PORTS as MAIL_PORTS
from detak_collector.operating.syslog_format import PORTS as SYSLOG_PORTS
from detak_collector.past.mapping import Columns, Mapping, States, read_mapping
from documentation import DOCS, PAGES, ROOT, Piece, code_in_text, fences

ROW = re.compile(r"^\| `(\w+)` \| (needed|none|`.*?`) \|", re.MULTILINE)
TABLES_OF_AGENT: dict[str, type[msgspec.Struct]] = {
    "top": agent_config._File,
    "collector": agent_config.CollectorSettings,
}
TABLES_OF_COLLECTOR: dict[str, type[msgspec.Struct]] = {
    "top": collector_config.CollectorFile,
    **collector_config.TABLES,
}
BLOCKS = [fence for page in PAGES for fence in fences(page) if fence.language == "toml"]
COLLECTOR_KEYS = {field.name for field in msgspec.structs.fields(collector_config.CollectorFile)}


def section(page: str, table: str) -> str:
    text = (DOCS / page).read_text(encoding="utf-8")
    heading = re.search(rf"^## .*<!-- {table} -->$", text, re.MULTILINE)
    assert heading is not None, f"docs/{page} has no heading for {table}"
    return text[heading.end() :].split("\n## ", 1)[0]


def defaults(kind: type[msgspec.Struct]) -> dict[str, Any]:
    """The keys of a table and their defaults; those whose value is a table itself have a section of their own."""
    found = {}
    for field in msgspec.structs.fields(kind):
        value = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        if not holds_tables(field.type):
            found[field.name] = value
    return found


def holds_tables(kind: object) -> bool:
    told = str(kind)
    return "File" in told or "dict[" in told


def as_shown(cell: str) -> Any:
    if cell in {"needed", "none"}:
        return {"needed": msgspec.NODEFAULT, "none": None}[cell]
    return tomllib.loads(f"value = {cell.strip('`')}")["value"]


@pytest.mark.parametrize("table", TABLES_OF_AGENT)
def test_agent_toml_is_documented_key_by_key_with_its_defaults(table: str) -> None:
    shown = {key: as_shown(cell) for key, cell in ROW.findall(section("agent-toml.md", table))}
    # The node's name may stand in any piece of agent.d, so the type does not ask for it; the whole does.
    asked = {"node": msgspec.NODEFAULT} if table == "top" else {}
    assert shown == defaults(TABLES_OF_AGENT[table]) | asked


@pytest.mark.parametrize("table", TABLES_OF_COLLECTOR)
def test_collector_toml_is_documented_key_by_key_with_its_defaults(table: str) -> None:
    shown = {key: as_shown(cell) for key, cell in ROW.findall(section("collector-toml.md", table))}
    assert shown == defaults(TABLES_OF_COLLECTOR[table])


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_every_block_of_configuration_is_read_as_it_stands(block: Piece, tmp_path: Path) -> None:
    table = tomllib.loads(block.text)
    if "organisation" in table:
        read_catalogue(block.text)
    elif "columns" in table:
        assert read_mapping(block.text.encode(), "mapping.toml").columns.begin
    elif {"node", "check"} & set(table) or isinstance(table.get("collector"), list):
        read_by_agent(block.text, table, tmp_path)
    else:
        assert set(table) & COLLECTOR_KEYS, f"{block.place}: no file of ours has such keys"
        read_by_collector(block.text, table, tmp_path)


def read_catalogue(text: str) -> None:
    try:
        parse_beside(text, "services.toml", {"holidays-id.csv": HEADER}.get)
    except CatalogueError as error:
        pytest.fail("\n".join(error.lines), pytrace=False)


def read_by_agent(text: str, table: dict[str, Any], folder: Path) -> None:
    head = "" if "node" in table else 'node = "app-01"\n'
    tail = "" if "collector" in table else '\n[[collector]]\nurl = "https://detak.example.go.id"\n'
    path = folder / "agent.toml"
    path.write_text(head + text + tail, encoding="utf-8")
    try:
        agent_config.load(path, REGISTRY)
    except AgentConfigurationError as error:
        pytest.fail("\n".join(error.lines), pytrace=False)


def read_by_collector(text: str, table: dict[str, Any], folder: Path) -> None:
    """With every file that it names, beneath `folder`."""
    head = "" if "state_directory" in table else 'state_directory = "state"\n'
    path = folder / "collector.toml"
    path.write_text(head + re.sub(r'"/(?=etc/)', '"', text), encoding="utf-8")
    for name in files_named(tomllib.loads(path.read_text(encoding="utf-8"))):
        make_private(folder / name)
    try:
        collector_config.load(path)
    except collector_config.ConfigurationError as error:
        pytest.fail("\n".join(error.faults), pytrace=False)


def files_named(table: dict[str, Any]) -> list[str]:
    found = []
    for key, value in table.items():
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, dict):
                found += files_named(one)
            elif key == "authority":
                found.append(f"{one}/authority.pem")
            elif key in {"certificate", "key"} or key.endswith("_file"):
                found.append(one)
    return found


def make_private(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("long enough for a secret\n")
    path.chmod(0o600)


def known_keys() -> set[str]:
    kinds = [kind.settings for kind in REGISTRY.values()]
    structs: list[type[msgspec.Struct]] = [
        *TABLES_OF_AGENT.values(),
        *TABLES_OF_COLLECTOR.values(),
        *kinds,
        Mapping,
        Columns,
        States,
    ]
    keys = {field.name for struct in structs for field in msgspec.structs.fields(struct)}
    of_catalogue = re.findall(r"^\| `(\w+)` \|", (DOCS / "services.md").read_text(encoding="utf-8"), re.MULTILINE)
    return keys | set(of_catalogue)


def test_every_key_that_a_text_shows_with_a_value_is_a_key() -> None:
    of_others = {"log_statement", "lc_messages"}
    known = known_keys() | of_others
    wrong = [
        f"{piece.place}: {piece.text}"
        for page in PAGES
        for piece in code_in_text(page)
        for key in re.findall(r"^([a-z][a-z_]+) = ", piece.text)
        if key not in known
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("page", ["ports.md", "grants.md"])
def test_the_pages_for_firewalls_and_rights_have_every_kind(page: str) -> None:
    text = (DOCS / page).read_text(encoding="utf-8")
    assert [kind for kind in REGISTRY if f"`{kind}`" not in text] == []


def test_the_page_of_ports_has_the_port_that_each_kind_uses() -> None:
    lines = (DOCS / "ports.md").read_text(encoding="utf-8").splitlines()
    for name, kind in REGISTRY.items():
        port = defaults(kind.settings).get("port", msgspec.NODEFAULT)
        if isinstance(port, int):
            [line] = [line for line in lines if line.startswith(f"| `{name}` |")]
            assert str(port) in line, line


def test_the_page_of_ports_has_those_that_the_collector_connects_to() -> None:
    text = (DOCS / "ports.md").read_text(encoding="utf-8").partition("## From the collector")[2]
    usual = {*MAIL_PORTS.values(), *SYSLOG_PORTS.values(), *DIRECTORY_PORTS.values()}
    assert [port for port in sorted(usual) if not re.search(rf"\b{port}\b", text)] == []


def test_the_index_leads_to_every_page() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    pages = {page.name for page in DOCS.glob("*.md")} - {"index.md"}
    assert [page for page in sorted(pages) if f"]({page}" not in index] == []
    assert "](docs/index.md)" in (ROOT / "README.md").read_text(encoding="utf-8")
