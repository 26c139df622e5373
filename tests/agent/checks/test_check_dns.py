import asyncio
import contextlib
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import ask, open_files, open_files_at_first, probe_of, problems_of, serve, settings_of
from detak_agent.checks.kinds.dns.kind import canonical, server_endpoint
from detak_agent.checks.kinds.dns.serials import MOST_KEPT, SerialHistory, newer, newest
from detak_agent.checks.registry import REGISTRY

Answer = Callable[[dns.message.Message], bytes]
NAME = "portal.example.test"


def reply(*records: str, flags: int = 0, rcode: dns.rcode.Rcode = dns.rcode.NOERROR) -> Answer:
    """Answers any question with `records`, each as "NAME TYPE VALUE"."""

    def made(question: dns.message.Message) -> bytes:
        answer = dns.message.make_response(question)
        answer.flags |= flags
        answer.set_rcode(rcode)
        for record in records:
            name, kind, value = record.split(" ", 2)
            answer.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, value))
        return answer.to_wire()

    return made


class Responder(asyncio.DatagramProtocol):
    """Answers after having ignored the first `deaf` questions."""

    def __init__(self, answer: Answer, deaf: int) -> None:
        self.answer = answer
        self.deaf = deaf
        self.heard = 0

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.heard += 1
        if self.heard > self.deaf:
            self._transport.sendto(self.answer(dns.message.from_wire(data)), addr)


@contextlib.asynccontextmanager
async def name_server(answer: Answer, port: int = 0, deaf: int = 0) -> AsyncIterator[tuple[str, Responder]]:
    """A server over UDP, as the key `servers` has it, and what it heard."""
    loop = asyncio.get_running_loop()
    transport, responder = await loop.create_datagram_endpoint(
        lambda: Responder(answer, deaf), local_addr=("127.0.0.1", port)
    )
    try:
        yield f"127.0.0.1:{transport.get_extra_info('sockname')[1]}", responder
    finally:
        transport.close()
        await asyncio.sleep(0)


@contextlib.contextmanager
def black_hole() -> Iterator[str]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{deaf.getsockname()[1]}"


GOOD = reply(f"{NAME} A 10.0.0.7")


@pytest.mark.asyncio
async def test_an_answer_is_up_with_its_latency() -> None:
    async with name_server(GOOD) as (server, _):
        outcome = await ask("dns", query=NAME, servers=[server], expect=["10.0.0.7"])
    assert outcome.state == "up"
    assert re.fullmatch(r"10\.0\.0\.7 in \d+ ms", outcome.message)
    assert outcome.values["servers_good"] == 1
    assert outcome.values["latency_ms"] > 0


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (reply(rcode=dns.rcode.NXDOMAIN), f"says that {NAME} does not exist (NXDOMAIN)"),
        (reply(rcode=dns.rcode.SERVFAIL), "found no answer (SERVFAIL): it cannot use the zone, or reach the servers"),
        (reply(rcode=dns.rcode.REFUSED), "refuses to answer (REFUSED): it does not serve this name, or not to this"),
        (reply(rcode=dns.rcode.NOTZONE), "answered with the error NOTZONE"),
        (reply(), f"has no A record for {NAME}"),
        (reply(f"{NAME} CNAME www.test."), f"leads from {NAME} to www.test, and gives no A record of that"),
        (reply(f"{NAME} A 10.0.0.8"), "answered 10.0.0.8 (wanted 10.0.0.7)"),
        (lambda _: b"\x00" * 3, "answered something that is not DNS"),
    ],
)
async def test_a_wrong_answer_is_down_and_says_how_wrong(answer: Answer, words: str) -> None:
    async with name_server(answer) as (server, _):
        outcome = await ask("dns", query=NAME, servers=[server], expect=["10.0.0.7"])
    assert outcome.state == "down"
    assert outcome.message.startswith(f"{server} {words}")


@pytest.mark.asyncio
async def test_expected_values_are_all_or_some() -> None:
    async with name_server(reply(f"{NAME} A 10.0.0.7", f"{NAME} A 10.0.0.8")) as (server, _):
        both = await ask("dns", query=NAME, servers=[server], expect=["10.0.0.8", "10.0.0.7"])
        one = await ask("dns", query=NAME, servers=[server], expect=["10.0.0.7"])
        among = await ask("dns", query=NAME, servers=[server], expect_among=["10.0.0.7"])
        missing = await ask("dns", query=NAME, servers=[server], expect_among=["10.0.0.7", "10.0.0.9"])
    assert [outcome.state for outcome in (both, one, among, missing)] == ["up", "down", "up", "down"]
    assert one.message == f"{server} answered 10.0.0.7, 10.0.0.8 (wanted 10.0.0.7)"
    assert missing.message == f"{server} answered 10.0.0.7, 10.0.0.8, without 10.0.0.9"


@pytest.mark.asyncio
async def test_authority_is_asked_for_where_the_settings_say_so() -> None:
    async with (
        name_server(GOOD) as (plain, _),
        name_server(reply(f"{NAME} A 10.0.0.7", flags=dns.flags.AA)) as (own, _),
    ):
        lame = await ask("dns", query=NAME, servers=[plain], authoritative=True)
        good = await ask("dns", query=NAME, servers=[own], authoritative=True)
    assert (lame.state, good.state) == ("down", "up")
    assert lame.message == f"{plain} answers without authority: it does not serve the zone itself"


@pytest.mark.asyncio
async def test_a_lost_question_is_asked_again_within_the_sample() -> None:
    async with name_server(GOOD, deaf=2) as (server, responder):
        outcome = await probe_of("dns", query=NAME, servers=[server], slow_ms=100).sample(900)
    assert (outcome.state, responder.heard) == ("degraded", 3)
    assert re.fullmatch(rf"slow: {server} answered after \d{{3}} ms \(limit 100 ms\)", outcome.message)


@pytest.mark.asyncio
async def test_a_server_that_says_nothing_is_down_at_the_deadline() -> None:
    with black_hole() as server:
        outcome = await probe_of("dns", query=NAME, servers=[server]).sample(300)
    assert outcome.state == "down"
    assert re.fullmatch(rf"{server} did not answer within \d+ ms", outcome.message)


@pytest.mark.asyncio
async def test_a_port_where_nobody_listens_is_told_at_once() -> None:
    with black_hole() as server:
        pass
    with pytest.raises(ConnectionRefusedError, match=f"connection refused by {server}"):
        await ask("dns", query=NAME, servers=[server])


@pytest.mark.asyncio
async def test_one_server_of_several_is_degraded_and_named_and_too_few_are_down() -> None:
    with black_hole() as dead:
        pass
    with black_hole() as silent:
        async with name_server(GOOD) as (good, _):
            enough = await probe_of("dns", query=NAME, servers=[dead, silent, good]).sample(300)
            few = await probe_of("dns", query=NAME, servers=[dead, silent, good], at_least=2).sample(300)
    assert (enough.state, few.state) == ("degraded", "down")
    words = rf"2 of 3 servers fail: connection refused by {dead}; {silent} did not answer within \d+ ms"
    assert re.fullmatch(words, enough.message)
    assert re.fullmatch(words, few.message)
    assert enough.values["servers_good"] == 1


@pytest.mark.asyncio
async def test_an_answer_that_does_not_fit_is_fetched_over_tcp() -> None:
    async def over_tcp(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = int.from_bytes(await reader.readexactly(2), "big")
        wire = GOOD(dns.message.from_wire(await reader.readexactly(length)))
        writer.write(len(wire).to_bytes(2, "big") + wire)
        await writer.drain()

    async def closing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read(100)

    cut = reply(flags=dns.flags.TC)
    async with serve(over_tcp) as port, name_server(cut, port) as (server, _):
        whole = await ask("dns", query=NAME, servers=[server])
        alone = await ask("dns", query=NAME, servers=[server], transport="tcp")
    async with serve(closing) as port, name_server(cut, port) as (server, _):
        closed = await ask("dns", query=NAME, servers=[server])
    async with name_server(cut) as (server, _):
        with pytest.raises(ConnectionRefusedError, match=f"connection refused by {server}"):
            await ask("dns", query=NAME, servers=[server])
    assert (whole.state, alone.state, closed.state) == ("up", "up", "down")
    assert "did not answer over TCP: it closed the connection" in closed.message


@pytest.mark.asyncio
async def test_an_answer_to_another_question_is_ignored() -> None:
    def wrong(question: dns.message.Message) -> bytes:
        question.id ^= 1
        return GOOD(question)

    async with name_server(wrong) as (server, _):
        outcome = await probe_of("dns", query=NAME, servers=[server]).sample(300)
    assert (outcome.state, "did not answer within" in outcome.message) == ("down", True)


@pytest.mark.asyncio
async def test_without_servers_those_of_resolv_conf_are_asked_as_it_is_now(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    conf = tmp_path / "etc/resolv.conf"
    conf.write_text("# a comment\nsearch example.test\nnameserver 127.0.0.111\nnameserver\nnameserver 127.0.0.112\n")
    probe = probe_of("dns", tmp_path, query=NAME)
    with pytest.raises(OSError, match=r"2 of 2 servers fail: .*127\.0\.0\.111; .*127\.0\.0\.112"):
        await probe.sample(300)
    conf.write_text("nameserver 127.0.0.113\n")
    with pytest.raises(OSError, match=r"127\.0\.0\.113"):
        await probe.sample(300)


@pytest.mark.asyncio
async def test_a_sample_that_is_given_up_leaves_nothing_open() -> None:
    with black_hole() as server:
        probe = probe_of("dns", query=NAME, servers=[server, "127.0.0.1:1"])
        await probe.sample(100)
        before = open_files_at_first()
        for _ in range(10):
            asked = asyncio.ensure_future(probe.sample(4_000))
            await asyncio.sleep(0.01)
            asked.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await asked
        assert open_files() == before


def soa(serial: int) -> Answer:
    return reply(f"{NAME} SOA ns.test. root.test. {serial} 1 1 1 1", flags=dns.flags.AA)


@pytest.mark.asyncio
async def test_a_zone_in_step_is_up_and_a_server_that_is_behind_fails_after_the_grace() -> None:
    async with name_server(soa(7)) as (first, one), name_server(soa(7)) as (second, _):
        keys: dict[str, Any] = {"query": NAME, "type": "SOA", "servers": [first, second], "serial_equal": True}
        waiting, strict = probe_of("dns", **keys), probe_of("dns", **keys, serial_grace_ms=0, at_least=2)
        in_step = await waiting.sample(2_000)
        assert re.fullmatch(r"serial 7 from 2 servers in \d+ ms", in_step.message)
        one.answer = soa(8)
        soon, late = await waiting.sample(2_000), await strict.sample(2_000)
    assert (soon.state, late.state) == ("up", "down")
    assert soon.message.endswith(f"; {second} has serial 7 while another has 8, for 0 s")
    assert late.message == f"1 of 2 servers fail: {second} has serial 7 while another has 8, for 0 s (limit 0 s)"


def test_serials_run_in_a_circle() -> None:
    assert newer(5, 4)
    assert not newer(4, 4)
    assert newer(3, 2**32 - 3)
    assert newest([2**32 - 1, 4, 2**32 - 2]) == 4


def test_a_server_is_behind_since_the_first_version_that_it_lacks_was_seen() -> None:
    history = SerialHistory()
    history.note([10, 10], 0.0)
    history.note([11, 10], 5.0)
    history.note([12, 10], 8.0)
    assert history.behind_s(10, 9.0) == 4.0
    history.note([12, 11], 10.0)
    assert (history.behind_s(11, 11.0), history.behind_s(12, 11.0)) == (3.0, 0.0)


def test_a_zone_that_is_set_back_begins_anew() -> None:
    history = SerialHistory()
    history.note([10, 10], 0.0)
    history.note([4, 4], 1.0)
    assert history.behind_s(4, 100.0) == 0.0
    history.note([5, 4], 2.0)
    assert history.behind_s(4, 3.0) == 1.0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60))
def test_a_server_that_follows_each_change_after_one_sample_is_never_further_behind(steps: list[int]) -> None:
    history = SerialHistory()
    primary = secondary = 2**32 - 10
    for second, step in enumerate(steps):
        secondary, primary = primary, (primary + step) % 2**32
        history.note([primary, secondary], float(second))
        assert history.behind_s(secondary, float(second)) == 0.0


def test_the_history_is_bounded_and_keeps_how_long_a_server_stood_still() -> None:
    history = SerialHistory()
    for second in range(5_000):
        history.note([second, 0], float(second))
    assert len(history._seen) <= MOST_KEPT + 1
    assert history.behind_s(0, 5_000.0) == 4_999.0


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("10.0.0.53", "10.0.0.53", 53),
        ("10.0.0.53:5353", "10.0.0.53", 5353),
        ("fd00::53", "fd00::53", 53),
        ("[fd00::53]:5353", "fd00::53", 5353),
        ("ns1.example.go.id", "ns1.example.go.id", 53),
        ("ns1.example.go.id:54", "ns1.example.go.id", 54),
    ],
)
def test_a_server_is_written_with_or_without_its_port(text: str, host: str, port: int) -> None:
    assert server_endpoint(text) == (host, port)


@pytest.mark.parametrize("text", ["", "10.0.0.53:0", "10.0.0.53:65536", "[fd00::53]", "a b", "https://x", "[x y]:5"])
def test_anything_else_is_no_server(text: str) -> None:
    with pytest.raises(ValueError, match="is no server"):
        server_endpoint(text)


def test_equal_values_compare_equal() -> None:
    assert canonical("AAAA", "FD00:0:0::1") == canonical("AAAA", "fd00::1")
    assert canonical("MX", "10  Mail.Example.go.id.") == canonical("MX", "10 mail.example.go.id")
    assert canonical("TXT", "V=spf1 ~all.") == "V=spf1 ~all."
    with pytest.raises(ValueError, match="does not appear to be an"):
        canonical("A", "portal")


def test_the_target_and_who_is_remote_are_as_the_settings_say() -> None:
    kind = REGISTRY["dns"]
    assert kind.target(settings_of("dns", query=NAME)) == f"{NAME} A @ the servers of resolv.conf"
    assert kind.remote(settings_of("dns", query=NAME))
    assert not kind.remote(settings_of("dns", query=NAME, remote=False))
    assert not kind.remote(settings_of("dns", query=NAME, servers=["127.0.0.1:5353"]))
    assert kind.remote(settings_of("dns", query=NAME, servers=["127.0.0.1", "10.0.0.53"]))


def test_wrong_settings_are_all_named() -> None:
    assert problems_of(
        "dns", query="a..b", servers=["x y", "10.0.0.1", "10.0.0.1"], at_least=4, expect=["fd00::1"],
        expect_among=["10.0.0.1"], serial_equal=True, slow_ms=9_000,
    ) == [
        ("query", "is no domain name"),
        ("servers", "'x y' is no server: write an address or a name, and :port behind it if it is not 53"),
        ("servers", "names one twice"),
        ("at_least", "is more than the 3 servers"),
        ("expect", "'fd00::1' is no value of type A"),
        ("expect_among", "has no effect beside expect, which names all"),
        ("slow_ms", "must be less than timeout_ms, which makes the check down"),
        ("serial_equal", 'needs type = "SOA"'),
    ]  # fmt: skip
    assert problems_of("dns", query=NAME, type="SOA", servers=["10.0.0.1"], serial_equal=True) == [
        ("serial_equal", "compares servers: name at least two in servers")
    ]


@pytest.mark.parametrize("server", ["ns1.example\n", "ns1.example:53\n", "ns1.example\n:53"])
def test_a_line_break_is_no_part_of_a_server_s_name(server: str) -> None:
    assert [key for key, _ in problems_of("dns", query=NAME, servers=[server])] == ["servers"]
