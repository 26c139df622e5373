"""Zabbix's frontend, served by PHP itself for its API alone, and what is asked of that."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lab.peers.database import Database
from lab.peers.place import LOOPBACK, PeerError, Place, Programs

FRONTEND = Path("/usr/share/zabbix")
DATABASE = OWNER = "zabbix"
_USER, _PASSWORD = "Admin", "zabbix"
_CONFIGURATION = """<?php
$DB['TYPE'] = 'POSTGRESQL';
$DB['SERVER'] = '{database}';
$DB['PORT'] = '0';
$DB['DATABASE'] = '{name}';
$DB['USER'] = '{owner}';
$DB['PASSWORD'] = '';
$DB['SCHEMA'] = '';
$DB['ENCRYPTION'] = false;
$DB['DOUBLE_IEEE754'] = true;
$ZBX_SERVER_NAME = '';
$IMAGE_FORMAT_DEFAULT = IMAGE_FORMAT_PNG;
"""

Row = dict[str, str]


@dataclass(slots=True)
class Api:
    """JSON-RPC with the frontend on a port of the place's loopback."""

    place: Place
    port: int
    _token: str | None = field(default=None)

    @staticmethod
    def served(programs: Programs, database: Database, port: int) -> Api:
        """Copies the frontend, so that its configuration lies with it, serves it, and logs in as its first user."""
        root = programs.folder / "frontend"
        shutil.copytree(FRONTEND, root)
        told = root / "conf" / "zabbix.conf.php"
        told.write_text(_CONFIGURATION.format(database=database.folder, name=DATABASE, owner=OWNER), encoding="utf-8")
        reader = root / "include" / "classes" / "core" / "CConfigFile.php"
        text = reader.read_text(encoding="utf-8")
        reader.write_text(text.replace("'/etc/zabbix/zabbix.conf.php'", f"'{told}'"), encoding="utf-8")
        api = Api(programs.place, port)
        command = ["php", "-d", "memory_limit=512M", "-S", f"{LOOPBACK}:{port}", "-t", str(root)]
        programs.start("frontend", command, api._answers)
        api._token = str(api.call("user.login", {"user": _USER, "password": _PASSWORD}))
        return api

    def _answers(self) -> bool:
        try:
            return bool(self.call("apiinfo.version", {}))
        except PeerError:
            return False

    def rows(self, method: str, asked: dict[str, object]) -> list[Row]:
        """What a `get` finds."""
        found = self.call(method, asked)
        if not isinstance(found, list):
            raise PeerError(f"Zabbix answers {method} with no list")
        return found

    def made(self, method: str, things: Sequence[dict[str, object]], key: str) -> list[str]:
        """The numbers of what a `create` has made, in order; `key` is what they are called."""
        if not things:
            return []
        found = self.call(method, things)
        assert isinstance(found, dict), method
        return [str(one) for one in found[key]]

    def call(self, method: str, asked: object) -> object:
        """The result of one call. Raises PeerError with what Zabbix says."""
        request: dict[str, object] = {"jsonrpc": "2.0", "method": method, "params": asked, "id": 1}
        if self._token:
            request["auth"] = self._token
        url = f"http://{LOOPBACK}:{self.port}/api_jsonrpc.php"
        said = self.place.asked(url, json.dumps(request).encode(), ["Content-Type: application/json-rpc"])
        try:
            answer = json.loads(said)
        except ValueError as error:
            raise PeerError(f"Zabbix answers {method} with {said[:400]!r}") from error
        if "error" in answer:
            raise PeerError(f"Zabbix refuses {method}: {answer['error'].get('data')}")
        return answer.get("result")
