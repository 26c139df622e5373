import asyncio
from collections.abc import Awaitable, Callable, Mapping

import pytest

from agent.checks.check_stage import serve
from agent.discovery.machines import at, process
from agent.discovery.proposing import checks_in, off_in, proposed
from detak_agent.checks.registry import REGISTRY
from detak_agent.discovery.drafts import Draft, Proposal
from detak_agent.discovery.facts import Facts
from detak_agent.discovery.trying import attempt_with, choose
from detak_agent.spans import Sample
from detak_wire.messages import State

WEB = Facts(processes=(process(5, "nginx", "/usr/sbin/nginx"),), listeners=(at("0.0.0.0", 8443, 5),))


def answering(states: Mapping[str, State], otherwise: State = "down") -> Callable[[Draft], Awaitable[Sample]]:
    """Says of each draft the state of the first text that is found in it."""

    async def attempt(draft: Draft) -> Sample:
        shown = f"{draft.kind} {dict(draft.keys)}"
        state = next((state for text, state in states.items() if text in shown), otherwise)
        return Sample("tried", 0, 1, state, f"it said {state}")

    return attempt


def web_check(states: Mapping[str, State]) -> tuple[str, str]:
    """What is written for the port of WEB: the part that matters, and the text."""
    text = proposed(WEB, answering({"process": "up", **states}))
    (check,) = [check for check in checks_in(text) if check["name"] == "nginx-8443"]
    return check.get("url", check["kind"]) + ("".join(check.get("status", []))), text


@pytest.mark.parametrize(
    ("states", "chosen"),
    [
        ({"https://": "up"}, "https://127.0.0.1:8443/"),
        ({"https://": "degraded"}, "https://127.0.0.1:8443/"),
        ({"http://": "up"}, "http://127.0.0.1:8443/"),
        ({"'status'": "up"}, "https://127.0.0.1:8443/200-399401-499"),
        ({"tcp": "up"}, "tcp"),
    ],
)
def test_the_best_check_that_is_up_is_written(states: Mapping[str, State], chosen: str) -> None:
    assert web_check(states)[0] == chosen


def test_why_less_than_the_best_was_written_is_told() -> None:
    assert "# Less than could be: when tried just now, http is down: it said down\n" in web_check({"tcp": "up"})[1]


def test_what_is_not_up_in_any_way_is_switched_off_with_the_reason() -> None:
    text = proposed(WEB, answering({"process": "up"}))
    assert "# Switched off: when tried just now, http is down: it said down\n" in text
    assert [check["name"] for check in off_in(text)] == ["nginx-8443"]
    assert [check["name"] for check in checks_in(text)] == ["os", "nginx-8443-process"]


def test_the_check_of_the_machine_stays_whatever_it_says() -> None:
    text = proposed(Facts(), answering({}, "unknown"))
    assert [check["kind"] for check in checks_in(text)] == ["os"]
    assert "# To be looked at: when tried just now, os is unknown: it said unknown" in text


def test_a_check_that_two_servers_share_is_written_once() -> None:
    servers = tuple(process(pid, "nginx", "/usr/sbin/nginx", f"nginx@{pid}.service") for pid in (5, 6))
    facts = Facts(processes=servers, listeners=(at("0.0.0.0", 80, 5), at("0.0.0.0", 81, 6)), systemd=True)
    kinds = [check["kind"] for check in checks_in(proposed(facts, answering({"process": "up", "http": "up"})))]
    assert kinds == ["os", "process", "http", "http"]
    by_units = [check["kind"] for check in checks_in(proposed(facts, answering({}, "up")))]
    assert by_units == ["os", "systemd", "http", "systemd", "http"]


def test_what_needs_a_step_first_is_never_tried() -> None:
    tried: list[Draft] = []

    async def attempt(draft: Draft) -> Sample:
        tried.append(draft)
        return Sample("tried", 0, 1, "up", "")

    choice = asyncio.run(choose(Proposal("x", (Draft("tcp", {}),), off=True), attempt))
    assert (choice.active, tried) == (False, [])


@pytest.mark.asyncio
async def test_a_draft_is_tried_as_the_agent_would() -> None:
    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail\r\n")
        await writer.drain()

    attempt = attempt_with(REGISTRY)
    async with serve(greet) as port:
        good = await attempt(Draft("tcp", {"host": "127.0.0.1", "port": port, "expect": "^220"}))
        other = await attempt(Draft("tcp", {"host": "127.0.0.1", "port": port, "expect": "^SSH"}))
    assert (good.state, other.state) == ("up", "down")
