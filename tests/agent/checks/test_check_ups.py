import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Handler, ask, problems_of, serve, settings_of
from detak_agent.checks.base import CouldNotCheckError, Outcome
from detak_agent.checks.kinds.ups.health import judge, uptime_s
from detak_agent.checks.kinds.ups.kind import UpsSettings
from detak_agent.checks.kinds.ups.protocol import MOST_BYTES, NotNutError, quoted, variable_of
from detak_agent.checks.registry import REGISTRY


def judged(status: str, variables: dict[str, str] | None = None, **keys: Any) -> Outcome:
    settings = settings_of("ups", ups="one", **keys)
    assert isinstance(settings, UpsSettings)
    return judge({"ups.status": status, **(variables or {})}, settings, {})


@pytest.mark.parametrize(
    ("status", "state", "words"),
    [
        ("OL", "up", "on mains power"),
        ("OL CHRG", "up", "on mains power, battery charging"),
        ("OL TRIM", "up", "on mains power"),
        ("OB DISCHRG", "degraded", "on battery: no mains power (OB)"),
        ("OB LB", "down", "on battery, which is nearly empty: the power goes any moment (OB LB)"),
        ("OL LB CHRG", "degraded", "on mains power, but the battery is nearly empty (LB)"),
        ("FSD OL", "down", "shutting down: the UPS is about to cut the power (FSD)"),
        ("OFF", "down", "its output is switched off (OFF)"),
        ("OL RB", "degraded", "its battery must be replaced (RB)"),
        ("OL OVER", "degraded", "overloaded (OVER)"),
        ("BYPASS", "degraded", "bypassed: a power failure would cut the power at once (BYPASS)"),
        ("OL ALARM", "degraded", "alarm: the UPS does not say which"),
        ("OL RB OFF", "down", "its output is switched off (OFF); its battery must be replaced (RB)"),
    ],
)
def test_each_status_of_nut_has_its_state(status: str, state: str, words: str) -> None:
    outcome = judged(status)
    assert (outcome.state, outcome.message) == (state, words)


@pytest.mark.parametrize("status", ["", "WAIT", "CHRG"])
def test_a_status_that_does_not_say_how_the_power_comes_is_unknown(status: str) -> None:
    with pytest.raises(CouldNotCheckError, match="has not read the UPS yet"):
        judged(status)


def test_on_battery_the_message_says_what_is_known_of_the_mains() -> None:
    told = {"input.voltage": "87.4", "input.transfer.reason": "input voltage out of range"}
    outcome = judged("OB", told, on_battery="down")
    assert (outcome.state, outcome.message) == ("down", "on battery: input voltage out of range, mains 87 V (OB)")


@pytest.mark.parametrize(("charge", "state"), [("51", "up"), ("50", "degraded"), ("21", "degraded"), ("20", "down")])
def test_a_charge_at_its_limit_counts(charge: str, state: str) -> None:
    assert judged("OL", {"battery.charge": charge}, charge_degraded_percent=50, charge_down_percent=20).state == state


def test_what_is_limited_but_not_told_is_degraded() -> None:
    outcome = judged("OL", {"battery.runtime": "unknown"}, runtime_down_s=300)
    assert outcome.state == "degraded"
    assert outcome.message == "the UPS does not tell what is limited here: battery lasts ? s more"
    assert outcome.values == {}


def test_the_uptime_is_read_where_it_is_told() -> None:
    assert (uptime_s({"device.uptime": "12"}), uptime_s({})) == (12.0, None)


@given(st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]), max_size=50))
def test_a_value_with_quotes_comes_back_as_it_was(text: str) -> None:
    assert variable_of(f"VAR one ups.model {quoted(text)}") == ("ups.model", text)


@pytest.mark.parametrize("line", ["", "VAR one x", 'VAR one x "', "hello", 'VAR one x "a" b'])
def test_a_line_that_is_no_variable_is_refused(line: str) -> None:
    with pytest.raises(NotNutError):
        variable_of(line)


def answering(*answers: bytes) -> Handler:
    """One of these for each line that comes in."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in answers:
            await reader.readline()
            writer.write(answer)
            await writer.drain()

    return handle


async def sample(*answers: bytes, **keys: Any) -> Outcome:
    async with serve(answering(*answers)) as port:
        return await ask("ups", **{"ups": "one", "host": "127.0.0.1", "port": port, **keys})


ONLINE = b'BEGIN LIST VAR one\nVAR one ups.status "OL"\nEND LIST VAR one\n'


@pytest.mark.asyncio
async def test_a_user_is_told_before_anything_is_asked() -> None:
    assert (await sample(b"OK\n", b"OK\n", ONLINE, user="detak", password="secret")).state == "up"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("code", "words"),
    [
        (b"ACCESS-DENIED", "upsd does not let this node read"),
        (b"USERNAME-REQUIRED", "set user and password"),
        (b"INVALID-PASSWORD", "upsd refuses the password"),
        (b"FEATURE-NOT-CONFIGURED", "answers ERR FEATURE-NOT-CONFIGURED"),
    ],
)
async def test_what_upsd_refuses_is_unknown_whatever_no_data_says(code: bytes, words: str) -> None:
    with pytest.raises(CouldNotCheckError, match=words):
        await sample(b"ERR " + code + b"\n", no_data="down")


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-x\n", "does not speak NUT's protocol"),
        (b"BEGIN LIST VAR one\nVAR one x\nEND LIST VAR one\n", "does not speak NUT's protocol"),
        (b"x" * (MOST_BYTES + 20_000), "does not speak NUT's protocol"),
        (b"BEGIN LIST VAR one\n", "connection reset by"),
        (b"", "connection reset by"),
    ],
)
async def test_an_answer_that_is_none_says_nothing_of_the_power(answer: bytes, words: str) -> None:
    outcome = await sample(answer)
    assert outcome.state == "unknown"
    assert words in outcome.message
    assert (await sample(answer, no_data="down")).state == "down"


def test_a_target_is_written_as_nut_does() -> None:
    kind = REGISTRY["ups"]
    settings = settings_of("ups", ups="one", host="10.0.0.5", user="u", password="secret")
    assert kind.target(settings) == "one@10.0.0.5:3493"
    assert kind.remote(settings)
    assert not kind.remote(settings_of("ups", ups="one"))


@pytest.mark.parametrize(
    ("keys", "wrong"),
    [
        ({"ups": "a b"}, ["ups"]),
        ({"ups": "a", "host": "/run/x"}, ["host"]),
        ({"ups": "a", "user": "x"}, ["user"]),
        ({"ups": "a", "password": "x"}, ["user"]),
        ({"ups": "a", "charge_degraded_percent": 20, "charge_down_percent": 30}, ["charge_down_percent"]),
        ({"ups": "a", "runtime_degraded_s": 20, "runtime_down_s": 30}, ["runtime_down_s"]),
    ],
)
def test_wrong_settings_are_refused(keys: dict[str, Any], wrong: list[str]) -> None:
    assert [key for key, _ in problems_of("ups", **keys)] == wrong
