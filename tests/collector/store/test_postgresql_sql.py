from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from detak_collector.store.migrations import STEPS
from detak_collector.store.postgresql_sql import schema, statement


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("SELECT 1 WHERE a = ? AND b = ?", "SELECT 1 WHERE a = $1 AND b = $2"),
        ("SELECT a > ?1 OR b > ?1", "SELECT a > $1 OR b > $1"),
        ("SELECT :begin, :end, :begin", "SELECT $1, $2, $1"),
        ("SELECT xmin::text::bigint, ?", "SELECT xmin::text::bigint, $1"),
        ("SELECT 'what? at 10:30', \"a?b\", ?", "SELECT 'what? at 10:30', \"a?b\", $1"),
        ("SELECT 'it''s ?', ?", "SELECT 'it''s ?', $1"),
        ("FROM a CROSS JOIN b ON a.x = :x", "FROM a JOIN b ON a.x = $1"),
        ("SELECT value FROM json_each(:checks)", "SELECT value FROM json_array_elements_text($1)"),
    ],
)
def test_a_statement_is_spelt_for_postgresql(said: str, heard: str) -> None:
    assert statement(said).text == heard


def test_named_values_stand_in_the_order_of_their_places() -> None:
    asked = statement("SELECT :end, :begin, :end")
    assert asked.ordered({"begin": 1, "end": 2, "other": 3}) == [2, 1]
    assert statement("SELECT ?, ?").ordered((5, 6)) == (5, 6)


def test_every_migration_is_spelt_without_what_only_sqlite_knows() -> None:
    class Heard:
        def __init__(self) -> None:
            self.said: list[str] = []

        def execute(self, definition: str, _values: Sequence[Any] = (), /) -> Iterable[Any]:
            self.said.append(schema(definition))
            return ()

    heard = Heard()
    for step in STEPS.values():
        step(heard)
    told = "\n".join(heard.said)
    assert "CREATE TABLE span" in told
    for word in ("STRICT", "ROWID", " INTEGER", "BLOB"):
        assert word not in told
