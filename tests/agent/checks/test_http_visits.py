import asyncio
import gzip

import pytest

from agent.checks.check_stage import ask, probe_of, serve
from agent.checks.http_stage import answering, raw, silent
from detak_agent.checks.kinds.http.visit import MOST_REDIRECTS


@pytest.mark.asyncio
async def test_redirects_are_followed_unless_told_otherwise() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(b"", "302 Found", f"Location: http://127.0.0.1:{last}/\r\n")(reader, writer)

    async with serve(answering(b"", "500 Broken")) as last, serve(redirect) as first:
        followed = await ask("http", url=f"http://127.0.0.1:{first}/")
        stayed = await ask("http", url=f"http://127.0.0.1:{first}/", follow_redirects=False)
    assert followed.message == "status 500 (wanted 200-399)"
    assert stayed.state == "up"


@pytest.mark.asyncio
async def test_a_redirect_to_anything_but_the_web_is_down_and_not_followed() -> None:
    async with serve(answering(b"", "302 Found", "Location: file:///etc/passwd\r\n")) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/")
    assert outcome.state == "down"
    assert outcome.message == f"127.0.0.1:{port} redirects to something that is not a web address"


@pytest.mark.asyncio
async def test_redirects_in_a_circle_are_down() -> None:
    async with serve(answering(b"", "302 Found", "Location: /again\r\n")) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/")
    assert (outcome.state, outcome.message) == ("down", f"127.0.0.1:{port} redirects more than {MOST_REDIRECTS} times")


@pytest.mark.asyncio
async def test_as_many_redirects_are_followed_as_are_allowed() -> None:
    asked: list[bytes] = []

    async def onward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))
        status = "302 Found" if len(asked) <= MOST_REDIRECTS else "200 OK"
        writer.write(f"HTTP/1.1 {status}\r\nLocation: /{len(asked)}\r\nContent-Length: 0\r\n\r\n".encode())

    async with serve(onward) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/0")
    assert outcome.state == "up"
    assert [request.split()[1] for request in asked] == [b"/%d" % at for at in range(MOST_REDIRECTS + 1)]


@pytest.mark.asyncio
async def test_credentials_and_cookies_do_not_follow_to_another_server() -> None:
    requests: list[str] = []

    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        headers = f"Location: http://127.0.0.1:{last}/\r\nSet-Cookie: id=7\r\n"
        await answering(b"", "302 Found", headers, requests=requests)(reader, writer)

    async with serve(answering(requests=requests)) as last, serve(redirect) as first:
        outcome = await ask("http", url=f"http://user:pass@127.0.0.1:{first}/", headers={"Cookie": "own=1"})
    assert outcome.state == "up"
    assert ["Authorization: Basic" in request for request in requests] == [True, False]
    assert ["Cookie:" in request for request in requests] == [True, False]


@pytest.mark.asyncio
async def test_the_message_names_the_server_that_a_redirect_led_to() -> None:
    async def redirect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(b"", "302 Found", f"Location: http://127.0.0.1:{last}/\r\n")(reader, writer)

    async with serve(raw(b"SSH-2.0\r\n")) as last, serve(redirect) as first:
        broken = await ask("http", url=f"http://127.0.0.1:{first}/")
    assert broken.message == f"127.0.0.1:{last} answered something that is not HTTP"
    async with serve(redirect) as first:
        with pytest.raises(ConnectionRefusedError, match=f"connection refused by 127.0.0.1:{last}"):
            await ask("http", url=f"http://127.0.0.1:{first}/")


@pytest.mark.asyncio
async def test_a_packed_answer_is_searched_as_its_text() -> None:
    packed = gzip.compress(b"all is well" * 100)
    async with serve(answering(packed, headers="Content-Encoding: gzip\r\n")) as port:
        url = f"http://127.0.0.1:{port}/"
        found = await ask("http", url=url, body_pattern="^(all is well){100}$")
        absent = await ask("http", url=url, body_contains="nothing")
    assert (found.state, absent.message) == ("up", "status 200, but 'nothing' is not in the answer")


@pytest.mark.asyncio
async def test_an_answer_in_an_unknown_packing_is_judged_by_its_status_alone() -> None:
    async with serve(answering(b"\x0b\x05\x80", headers="Content-Encoding: br\r\n")) as port:
        url = f"http://127.0.0.1:{port}/"
        assert (await ask("http", url=url)).state == "up"
        sought = await ask("http", url=url, body_contains="well")
    assert sought.message == "status 200, but the answer is packed with br, which was not asked for"


@pytest.mark.asyncio
async def test_a_server_that_refuses_a_body_before_it_has_read_it_is_heard() -> None:
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        await asyncio.sleep(10)

    async with serve(refuse) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/", method="POST", body="x" * 8_000_000)
    assert outcome.message == "status 413 (wanted 200-399)"


@pytest.mark.asyncio
async def test_a_web_socket_that_opens_is_up_where_that_is_wanted() -> None:
    said = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    async with serve(raw(said, pause_s=5)) as port:
        outcome = await ask("http", url=f"http://127.0.0.1:{port}/", headers=headers, status=[101])
    assert outcome.state == "up"


@pytest.mark.asyncio
async def test_an_ipv6_address_is_asked_and_named_in_brackets() -> None:
    requests: list[str] = []
    async with serve(answering(requests=requests), host="::1") as port:
        assert (await ask("http", url=f"http://[::1]:{port}/")).state == "up"
    assert f"\r\nHost: [::1]:{port}\r\n" in requests[0]
    with pytest.raises(ConnectionRefusedError, match=rf"connection refused by \[::1\]:{port}"):
        await ask("http", url=f"http://[::1]:{port}/")


@pytest.mark.asyncio
async def test_a_server_that_falls_silent_within_the_handshake_is_down_and_the_message_says_so() -> None:
    async with serve(silent) as port:
        probe = probe_of("http", url=f"https://127.0.0.1:{port}/", verify_tls=False)
        await probe.sample(1_000)
        outcome = await probe.sample(300)
    words = f"127.0.0.1:{port} took the connection, but did not complete the TLS handshake within 300 ms"
    assert (outcome.state, outcome.message) == ("down", words)
