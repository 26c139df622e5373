"""Records a store of each schema that has none yet: the newest recorded one, brought on by today's migrations.

Run it once when a migration is added; a recorded store is never made anew, since it stands for what is out there. What
only the new schema can hold may be added to its dump by hand.
"""

import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from detak_collector.store.migrations import MIGRATIONS, NAMES

STORES = Path(__file__).parent / "stores"
APPLIED = "2026-11-24 00:00:00+00:00"


def record(name: str, following: str | None) -> Path:
    """The dump of schema `name`, made from the one before it."""
    made = STORES / f"{name.partition('_')[0]}.sql"
    before = max(one for one in STORES.glob("*.sql") if one.name < made.name)
    with tempfile.TemporaryDirectory() as folder, closing(sqlite3.connect(Path(folder) / "store")) as connection:
        connection.executescript(before.read_text())
        MIGRATIONS.apply(Database(connection), stop_before=following)
        connection.execute("UPDATE _sqlite_migrations SET applied_at = ?", (APPLIED,))
        connection.commit()
        made.write_text("\n".join(connection.iterdump()) + "\n")
    return made


if __name__ == "__main__":
    for name, following in zip(NAMES, (*NAMES[1:], None), strict=True):
        if not (STORES / f"{name.partition('_')[0]}.sql").exists():
            print(record(name, following))
