"""The check kind `http` against a real nginx."""

from collections.abc import Iterator

import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from peers.nginx_server import Nginx, nginx

pytestmark = pytest.mark.peers("nginx", "openssl")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Nginx]:
    with nginx(program_path("nginx"), certificates) as running:
        yield running


def page(server: Nginx, path: str) -> str:
    return f"http://127.0.0.1:{server.ports['plain']}{path}"


def secure(server: Nginx, name: str) -> str:
    return f"https://127.0.0.1:{server.ports[name]}/"


@pytest.mark.asyncio
async def test_a_page_that_nginx_serves_is_up(server: Nginx) -> None:
    outcome = await ask("http", url=page(server, "/"), body_contains="all is well")
    assert (outcome.state, outcome.message[:14]) == ("up", "status 200 in ")


@pytest.mark.asyncio
async def test_a_page_that_nginx_packs_and_sends_in_chunks_is_read_as_its_text(server: Nginx) -> None:
    outcome = await ask("http", url=page(server, "/packed"), body_pattern="^all is well$")
    plain = await ask(
        "http", url=page(server, "/packed"), headers={"Accept-Encoding": "identity"}, body_pattern="^all is well$"
    )
    assert (outcome.state, plain.state) == ("up", "up")


@pytest.mark.asyncio
async def test_large_headers_empty_pages_and_heads_of_pages_are_up(server: Nginx) -> None:
    states = [(await ask("http", url=page(server, path))).state for path in ("/large", "/empty")]
    states.append((await ask("http", url=page(server, "/packed"), method="HEAD")).state)
    kept = await ask("http", url=page(server, "/"), headers={"Connection": "keep-alive"}, body_contains="all is well")
    assert [*states, kept.state] == ["up"] * 4


@pytest.mark.asyncio
async def test_a_post_is_sent_again_where_nginx_says_so(server: Nginx) -> None:
    url, headers = page(server, "/moved"), {"X-Key": "7"}
    outcome = await ask("http", url=url, method="POST", body="x" * 70, headers=headers, body_pattern="^70 7$")
    assert outcome.state == "up"


@pytest.mark.asyncio
async def test_a_page_that_nginx_sends_slowly_is_down_at_the_deadline(server: Nginx) -> None:
    outcome = await probe_of("http", url=page(server, "/slow/")).sample(1_000)
    assert outcome.state == "down"
    assert "answered with status 200, but its answer did not end within" in outcome.message


@pytest.mark.asyncio
async def test_a_dead_upstream_is_down_with_502(server: Nginx) -> None:
    outcome = await ask("http", url=page(server, "/dead"))
    assert (outcome.state, outcome.message) == ("down", "status 502 (wanted 200-399)")


@pytest.mark.asyncio
async def test_a_hanging_upstream_is_down_at_the_deadline(server: Nginx) -> None:
    probe = probe_of("http", url=page(server, "/hangs"))
    outcome = await probe.sample(600)
    assert outcome.state == "down"
    assert f"127.0.0.1:{server.ports['plain']} took the connection, but did not answer within" in outcome.message


@pytest.mark.asyncio
async def test_a_redirect_to_https_is_followed_and_its_certificate_judged(
    server: Nginx, certificates: Certificates
) -> None:
    url = page(server, "/redirect")
    trusted = await ask("http", url=url, verify_tls=False, body_contains="all is well")
    untrusted = await ask("http", url=url)
    stayed = await ask("http", url=url, follow_redirects=False, status=[302])
    assert (trusted.state, untrusted.state, stayed.state) == ("up", "down", "up")
    assert 364 < trusted.values["certificate_days_left"] < 366
    assert "an authority that this node does not know" in untrusted.message


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("good", "up", "status 200 in"),
        ("soon", "degraded", "the certificate expires in 5.0 days (warning 14 days before)"),
        ("expired", "down", "the certificate of 127.0.0.1 has expired: renew it"),
        ("other-name", "down", "the certificate of 127.0.0.1 is for another address"),
        ("self-signed", "down", "the certificate of 127.0.0.1 is self-signed"),
    ],
)
async def test_the_certificate_of_nginx_decides(
    server: Nginx, certificates: Certificates, name: str, state: str, words: str
) -> None:
    outcome = await ask("http", url=secure(server, name), ca_file=certificates.authority)
    assert outcome.state == state
    assert words in outcome.message


@pytest.mark.asyncio
async def test_nginx_that_is_frozen_is_down_and_up_again_afterwards(server: Nginx) -> None:
    probe = probe_of("http", url=page(server, "/"))
    assert (await probe.sample(4_000)).state == "up"
    with server.process.frozen():
        outcome = await probe.sample(300)
    assert (outcome.state, "did not answer within 300 ms" in outcome.message) == ("down", True)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_nginx_that_ended_is_down(certificates: Certificates) -> None:
    with nginx(program_path("nginx"), certificates) as running:
        probe = probe_of("http", url=page(running, "/"))
        assert (await probe.sample(4_000)).state == "up"
    with pytest.raises(ConnectionRefusedError, match=r"connection refused by 127\.0\.0\.1"):
        await probe.sample(4_000)


@pytest.mark.asyncio
async def test_many_samples_leave_no_file_open(server: Nginx, certificates: Certificates) -> None:
    probe = probe_of("http", url=secure(server, "good"), ca_file=certificates.authority)
    await probe.sample(4_000)
    before = open_files_at_first()
    states = {(await probe.sample(4_000)).state for _ in range(50)}
    assert (states, open_files()) == ({"up"}, before)
