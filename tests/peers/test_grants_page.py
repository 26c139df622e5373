"""docs/grants.md as an administrator pastes it into real servers: the check then does all that the page says."""

import os
import re

import pytest

from agent.checks.check_stage import ask
from documentation import DOCS, fences
from peers import mariadb_server, postgresql_server, redis_server

pytestmark = [
    pytest.mark.peers("pg_ctlcluster", "mariadbd", "mariadb-install-db", "redis-server", "setpriv"),
    pytest.mark.skipif(os.environ.get("DETAK_NIGHTLY") != "1", reason="its servers are others' tests, at night only"),
]
GRANTED = "granted"


def statements(begin: str, password: str) -> list[str]:
    """Of the first block that begins so, for another user than the tests' own, who comes from this machine."""
    [text, *_] = [one.text for one in fences(DOCS / "grants.md") if one.text.startswith(begin)]
    lines = [re.sub(r"\s*-- .*", "", line) for line in text.splitlines()]
    told = [line.replace("…", password).replace("10.20.0.%", "127.0.0.1") for line in lines if line]
    return [re.sub(r"\bdetak\b", GRANTED, line).replace(">PASSWORD", f">{password}") for line in told]


@pytest.mark.asyncio
async def test_in_postgresql() -> None:
    with postgresql_server.primary() as server:
        server.run(*statements("-- PostgreSQL, as", server.keys["password"]))
        outcome = await ask("postgresql", user=GRANTED, query="SELECT count(*) FROM declarations", **server.keys)
        assert outcome.state == "up", outcome.message
        with postgresql_server.replica(server) as replica:
            keys = {**replica.keys, "user": GRANTED, "role": "replica", "lag_down_s": 60}
            assert (await ask("postgresql", **keys)).state == "up"


@pytest.mark.asyncio
async def test_in_mariadb() -> None:
    with mariadb_server.primary() as server:
        server.run(*statements("-- MariaDB\n", server.keys["password"]))
        query = "SELECT count(*) FROM tax.declarations"
        outcome = await ask("mysql", user=GRANTED, role="primary", query=query, **server.keys)
        assert outcome.state == "up", outcome.message


@pytest.mark.asyncio
async def test_in_redis() -> None:
    with redis_server.running() as server:
        [command] = statements("ACL SETUSER", server.keys["password"])
        server.run(command)
        outcome = await ask("redis", **{**server.keys, "user": GRANTED, "role": "primary"})
        assert outcome.state == "up", outcome.message
