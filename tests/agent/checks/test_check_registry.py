import subprocess
import sys
from typing import Any

import pytest

from agent.checks.check_stage import settings_of
from detak_agent.checks.registry import REGISTRY

LEAST_KEYS: dict[str, dict[str, Any]] = {
    "os": {},
    "process": {"process_name": "nginx"},
    "systemd": {"units": ["nginx"]},
    "tcp": {"host": "10.0.0.5", "port": 5432},
    "http": {"url": "https://user:secret@10.0.0.5/health?token=secret"},
    "tls": {"host": "10.0.0.5"},
    "dns": {"query": "portal.example.go.id"},
    "ping": {"host": "10.0.0.5"},
    "postgresql": {"host": "10.0.0.5", "password": "secret"},
    "mysql": {"host": "10.0.0.5", "password": "secret"},
    "oracle": {"host": "10.0.0.5", "service_name": "SIAP", "password": "secret"},
    "sqlserver": {"host": "10.0.0.5", "password": "secret"},
    "redis": {"host": "10.0.0.5", "user": "detak", "password": "secret"},
    "mongodb": {"host": "10.0.0.5", "user": "detak", "password": "secret"},
    "haproxy": {"url": "https://10.0.0.5/stats", "user": "detak", "password": "secret", "backend": "app"},
    "snmp": {"host": "10.0.0.5", "community": "secret"},
    "redfish": {"host": "10.0.0.9", "user": "monitor", "password": "secret"},
    "ipmi": {"host": "10.0.0.9", "user": "monitor", "password": "secret"},
    "ups": {"ups": "rack", "user": "detak", "password": "secret"},
    "file": {"path": "/var/backups/siap.dump"},
    "log": {"path": "/var/log/siap.log", "pattern": "ERROR"},
    "command": {"command": ["/usr/lib/nagios/plugins/check_http", "--password", "secret"]},
}


def test_the_registry_calls_each_kind_by_its_name() -> None:
    assert {name: kind.name for name, kind in REGISTRY.items()} == {name: name for name in LEAST_KEYS}


def test_the_registry_is_imported_without_heavy_libraries() -> None:
    code = "import detak_agent.checks.registry, sys; print(*({'aiohttp', 'psutil', 'dns'} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "\n"


def test_a_check_over_http_takes_the_memory_of_no_framework() -> None:
    heavy = {"aiohttp", "email", "http", "idna", "urllib.request"}
    code = f"import detak_agent.checks.kinds.http.client, sys; print(*({heavy} & set(sys.modules)))"
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "\n"


def test_only_the_kinds_that_are_asked_for_are_imported() -> None:
    code = """
import sys
from detak_agent.checks.registry import REGISTRY
REGISTRY["tcp"], sorted(REGISTRY), "telepathy" in REGISTRY
print(*sorted(name.split(".")[3] for name in sys.modules if name.startswith("detak_agent.checks.kinds.")))
"""
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout == "tcp\n"


@pytest.mark.parametrize("kind", REGISTRY)
def test_a_kind_needs_few_keys_and_says_what_it_checks_without_secrets(kind: str) -> None:
    settings = settings_of(kind, **LEAST_KEYS[kind])
    target = REGISTRY[kind].target(settings)
    assert target
    assert "secret" not in target


@pytest.mark.parametrize("kind", REGISTRY)
def test_the_digest_changes_with_any_setting(kind: str) -> None:
    one = settings_of(kind, **LEAST_KEYS[kind])
    assert one.digest() == settings_of(kind, **LEAST_KEYS[kind]).digest()
    assert one.digest() != settings_of(kind, **LEAST_KEYS[kind], timeout_ms=1_234).digest()


@pytest.mark.parametrize("kind", ["os", "process", "systemd"])
def test_what_looks_at_this_machine_is_local(kind: str) -> None:
    assert not REGISTRY[kind].remote(settings_of(kind, **LEAST_KEYS[kind]))
