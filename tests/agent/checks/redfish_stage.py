"""A small Redfish controller of our own, whose resources a test writes down."""

import asyncio
import base64
import json
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from agent.checks.check_stage import serve

USER, PASSWORD = "monitor", "not-a-word"
SYSTEM, CHASSIS = "/redfish/v1/Systems/1", "/redfish/v1/Chassis/1"


def reference(path: str) -> dict[str, str]:
    return {"@odata.id": path}


def status(health: str | None, rollup: str | None = None, state: str = "Enabled") -> dict[str, Any]:
    told = {"State": state, "Health": health}
    return {"Status": told if rollup is None else {**told, "HealthRollup": rollup}}


def well() -> dict[str, Any]:
    """The resources of a machine that is on and well."""
    return {
        "/redfish/v1/": {"Systems": reference("/redfish/v1/Systems"), "Chassis": reference("/redfish/v1/Chassis")},
        "/redfish/v1/Systems": {"Members": [reference(SYSTEM), reference("/redfish/v1/Systems/2")]},
        "/redfish/v1/Chassis": {"Members": [reference(CHASSIS), reference("/redfish/v1/Chassis/2/")]},
        SYSTEM: {
            "PowerState": "On",
            "LastResetTime": "2026-10-05T08:00:00Z",
            "Links": {"Chassis": [reference(CHASSIS)]},
            **status("OK", "OK"),
        },
        "/redfish/v1/Systems/2": {"PowerState": "Off", **status(None)},
        CHASSIS: {
            "Thermal": reference(f"{CHASSIS}/Thermal"),
            "Power": reference(f"{CHASSIS}/Power"),
            **status("OK"),
        },
        "/redfish/v1/Chassis/2/": status("Warning"),
        f"{CHASSIS}/Thermal": {
            "Temperatures": [
                {"Name": "Inlet", "ReadingCelsius": 24, "UpperThresholdCritical": 42, **status("OK")},
                {"Name": "CPU", "ReadingCelsius": 61.5, "UpperThresholdNonCritical": 80, **status("OK")},
            ],
            "Fans": [{"Name": "Fan 1", "Reading": 4200, "ReadingUnits": "RPM", **status("OK")}],
        },
        f"{CHASSIS}/Power": {
            "PowerControl": [{"PowerConsumedWatts": 312}],
            "PowerSupplies": [
                {"Name": "PSU 1", **status("OK")},
                {"Name": "PSU 2", **status("OK")},
                {"Name": "PSU 3", **status("Critical", state="Absent")},
            ],
        },
    }


@dataclass
class Controller:
    """Answers GET requests by `resources`: a resource, a status alone, or bytes; `requests` are those that came."""

    port: int = 0
    resources: dict[str, Any] = field(default_factory=well)
    requests: list[str] = field(default_factory=list)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        path = head.split(" ")[1]
        self.requests.append(path)
        answer = self.resources.get(path, 404) if self._knows(head) else 401
        code, body = (answer, b"") if isinstance(answer, int) else (200, self._body(answer))
        writer.write(f"HTTP/1.1 {code} So\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()

    @staticmethod
    def _knows(head: str) -> bool:
        return f"Authorization: Basic {base64.b64encode(f'{USER}:{PASSWORD}'.encode()).decode()}\r\n" in head

    @staticmethod
    def _body(answer: Any) -> bytes:
        return answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def keys(self, **keys: Any) -> dict[str, Any]:
        """What a check of it needs."""
        return {"host": "127.0.0.1", "port": self.port, "user": USER, "password": PASSWORD, "tls": False, **keys}


@asynccontextmanager
async def controller(tls: ssl.SSLContext | None = None) -> AsyncIterator[Controller]:
    one = Controller()
    async with serve(one.answer, tls=tls) as port:
        one.port = port
        yield one
