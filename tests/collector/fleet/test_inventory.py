"""An inventory is read as spreadsheets write it, and refused whole where a line of it is wrong."""

import pytest

from detak_collector.fleet.inventory import MOST_FAULTS, InventoryError, Listed, read_inventory


def faults(text: str) -> list[str]:
    with pytest.raises(InventoryError) as refused:
        read_inventory(text, "nodes.csv")
    return refused.value.lines


def test_names_and_sites_are_read_whatever_parts_the_columns() -> None:
    nodes = [Listed("dc-db-01", "DC"), Listed("edge-01")]
    assert read_inventory("name,site\ndc-db-01,DC\n\nedge-01,\n", "x") == nodes
    assert read_inventory('\ufeffSite;Name\r\n"DC";dc-db-01\r\n;edge-01\r\n;\r\n', "x") == nodes
    assert read_inventory("name\tsite\ndc-db-01\tDC\nedge-01\t\n", "x") == nodes
    assert read_inventory("name\ndc-db-01\n", "x") == [Listed("dc-db-01")]


def test_every_wrong_line_is_told_with_its_number() -> None:
    text = "name,site\nDB 01,DC\ndb-01,DC\n\ndb-02\ndb-01,DRC\ndb-03,D\x07C\n"
    assert faults(text) == [
        "nodes.csv:2: name: lower-case letters, digits and . _ - between them, at most 64 (got 'DB 01')",
        "nodes.csv:5: 2 values expected, as in the first line (got 1)",
        "nodes.csv:6: name: line 3 has db-01 already",
        "nodes.csv:7: site: at most 64 printable characters (got 'D\\x07C')",
    ]


def test_a_table_that_is_wrong_from_end_to_end_fills_no_screen() -> None:
    told = faults("name\n" + "DB\n" * 200)
    assert len(told) == MOST_FAULTS + 1
    assert told[-1] == "nodes.csv: and 150 more faults"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "nodes.csv:1: the first line must name the column name; known are name, site"),
        ("db-01\ndb-02\n", "nodes.csv:1: no such column, known are name, site (got 'db-01')"),
        ("name,owner\na,b\n", "nodes.csv:1: no such column, known are name, site (got 'owner')"),
        ("name,name\na,b\n", "nodes.csv:1: each column once"),
        ("name,site\n,\n\n", "nodes.csv:1: no line below names a node"),
        ('name\n"a\n', "nodes.csv:2: not a table of comma-separated values: unexpected end of data"),
    ],
)
def test_what_is_no_inventory_is_refused(text: str, told: str) -> None:
    assert faults(text)[0] == told
