"""What Zabbix is told to look at for each target: items, web scenarios, triggers, as its templates have them. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lab.peers.peer import page_of
from lab.targets import Kind, Target

FREE_AT_LEAST_PERCENT = 5
AGENT, SIMPLE, INTERNAL = 0, 3, 5
"""Types of an item: asked of the host's agent, looked at by the server itself, or known to it."""

_UNSIGNED, _FLOAT, _TEXT = 3, 0, 4
_WITH_AGENT = ("process", "filesystem", "redis", "dns", "postgresql")


@dataclass(frozen=True, slots=True)
class Item:
    """What is looked at on a target's host, and the condition on it under which the service is down."""

    key: str
    type: int
    value_type: int
    condition: str
    """With `{key}` where the host and the item's key belong."""

    def down_when(self, host: str) -> str:
        """The trigger's expression."""
        return self.condition.format(key=f"/{host}/{self.key}")


PING = Item("icmpping", SIMPLE, _UNSIGNED, "last({key})=0")
AVAILABLE = Item("zabbix[host,agent,available]", INTERNAL, _UNSIGNED, "last({key})=0")
"""Whether the server gets answers from the host's agent."""


def has_scenario(target: Target) -> bool:
    """Whether the server looks at it as at a web page."""
    return target.kind in ("http", "tls") and target.branch is None


def needs_agent(target: Target) -> bool:
    """Whether it is the agent on a host that looks."""
    return target.branch is not None or target.kind in _WITH_AGENT


def item(target: Target) -> Item:
    """What its service is judged by, on the host that looks; a web scenario has none, and a host its ping."""
    return _ITEMS[target.kind](target)


def _page(target: Target) -> Item:
    """The seconds that the page took, by an agent; 0 if there was none."""
    return Item(f'web.page.perf["{page_of(target)}"]', AGENT, _FLOAT, "last({key})=0")


def _process(target: Target) -> Item:
    return Item(f"proc.num[{target.process}]", AGENT, _UNSIGNED, "last({key})=0")


def _file_system(target: Target) -> Item:
    return Item(f"vfs.fs.size[{target.path},pfree]", AGENT, _FLOAT, f"last({{key}})<{FREE_AT_LEAST_PERCENT}")


def _name(target: Target) -> Item:
    key = f"net.dns.record[{target.address},{target.question},A,2,1]"
    return Item(key, AGENT, _TEXT, f'find({{key}},,"like","{target.expected}")=0')


def _redis(target: Target) -> Item:
    more = f',"{target.password}"' if target.password else ""
    return Item(f'redis.ping["tcp://{target.address}:{target.port}"{more}]', AGENT, _UNSIGNED, "last({key})=0")


def _database(target: Target) -> Item:
    """Whether it takes connections, by the user parameter that the template for any agent comes with."""
    key = f"pgsql.ping[{target.address},{target.port}]"
    return Item(key, AGENT, _TEXT, 'find({key},,"like","accepting connections")=0')


def _connection(target: Target) -> Item:
    return Item(f"net.tcp.service[tcp,{target.address},{target.port}]", SIMPLE, _UNSIGNED, "last({key})=0")


_ITEMS: Mapping[Kind, Callable[[Target], Item]] = {
    "http": _page,
    "tls": _page,
    "process": _process,
    "filesystem": _file_system,
    "dns": _name,
    "redis": _redis,
    "postgresql": _database,
    "tcp": _connection,
    "host": lambda _: PING,
}


def scenario(target: Target, host_id: str, interval_s: int) -> dict[str, object]:
    """A page is looked at in one step; its certificate must be valid and for that name."""
    step = {"name": "page", "url": page_of(target), "no": 1, "status_codes": "200-299", "timeout": f"{interval_s}s"}
    if target.expected:
        step["required"] = target.expected
    verified = {"verify_peer": 1, "verify_host": 1} if target.kind == "tls" else {}
    return {
        "name": target.service,
        "hostid": host_id,
        "delay": f"{interval_s}s",
        "retries": 1,
        "steps": [step],
        **verified,
    }


def conditions(target: Target) -> list[str]:
    """The expressions of the triggers under any of which its service is down.

    What an agent looks at is not known while its host is gone, so whether the agent answers counts as well.
    """
    if has_scenario(target):
        return [f"last(/{target.host}/web.test.fail[{target.service}])<>0"]
    host = target.seen_from[0]
    own = [item(target).down_when(host)]
    return [*own, AVAILABLE.down_when(host)] if needs_agent(target) else own
