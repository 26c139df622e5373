"""The check kind `tls` against real servers: nginx, and openssl's for client certificates."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest

from agent.checks.check_stage import Certificates, ask, make_certificates, open_files, open_files_at_first, probe_of
from conftest import program_path
from detak_agent.checks.base import CouldNotCheckError
from peers.nginx_server import Nginx, nginx
from peers.openssl_server import wanting_a_certificate
from peers.postgresql_server import primary

pytestmark = pytest.mark.peers("nginx", "openssl")

HOST = "127.0.0.1"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(program_path("openssl"), tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def server(certificates: Certificates) -> Iterator[Nginx]:
    with nginx(program_path("nginx"), certificates) as running:
        yield running


async def tls(port: int, certificates: Certificates, **keys: Any) -> tuple[str, str]:
    """State and message; an OSError is `down`, as the runner has it."""
    try:
        outcome = await ask("tls", host=HOST, port=port, **{"ca_file": certificates.authority, **keys})
    except OSError as error:
        return "down", error.strerror or str(error)
    return outcome.state, outcome.message


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("name", "state", "words"),
    [
        ("good", "up", "the certificate holds for 365 days"),
        ("soon", "degraded", "the certificate expires in 5.0 days (warning 14 days before)"),
        ("expired", "down", "has expired: renew it"),
        ("other-name", "down", "is for another address"),
        ("self-signed", "down", "is self-signed: name it in ca_file to trust it"),
    ],
)
async def test_the_certificate_of_nginx_decides(
    server: Nginx, certificates: Certificates, name: str, state: str, words: str
) -> None:
    found, message = await tls(server.ports[name], certificates)
    assert (found, words in message) == (state, True), message


@pytest.mark.asyncio
async def test_an_unknown_authority_is_down(server: Nginx, certificates: Certificates) -> None:
    state, message = await tls(server.ports["good"], certificates, ca_file="")
    assert (state, "an authority that this node does not know" in message) == ("down", True), message


@pytest.mark.asyncio
async def test_without_verification_only_the_expiry_counts(server: Nginx, certificates: Certificates) -> None:
    keys = {"ca_file": "", "verify_tls": False}
    assert (await tls(server.ports["other-name"], certificates, **keys))[0] == "up"
    assert (await tls(server.ports["soon"], certificates, **keys))[0] == "degraded"
    state, message = await tls(server.ports["expired"], certificates, **keys)
    assert (state, message) == ("down", "the certificate expired 1.0 days ago: renew it")


@pytest.mark.asyncio
async def test_a_server_that_is_too_old_is_down(server: Nginx, certificates: Certificates) -> None:
    port = server.ports["only-1.2"]
    assert (await tls(port, certificates))[1].startswith("TLSv1.2 in ")
    words = f"127.0.0.1:{port} does not speak TLS 1.3 or newer"
    assert await tls(port, certificates, minimum_version="1.3") == ("down", words)


@pytest.mark.asyncio
async def test_a_plain_port_of_nginx_is_down_with_a_hint(server: Nginx, certificates: Certificates) -> None:
    state, message = await tls(server.ports["plain"], certificates)
    assert (state, "answered something that is not TLS: is it a plain port" in message) == ("down", True), message


@pytest.mark.asyncio
async def test_nginx_that_wants_a_client_certificate_shows_itself_all_the_same(
    server: Nginx, certificates: Certificates
) -> None:
    assert (await tls(server.ports["wants-one"], certificates))[0] == "up"
    keys = {"certificate_file": str(certificates.path("good")), "key_file": certificates.key}
    assert (await tls(server.ports["wants-one"], certificates, **keys))[0] == "up"


@pytest.mark.asyncio
async def test_nginx_that_is_frozen_is_down_and_up_again_afterwards(server: Nginx, certificates: Certificates) -> None:
    probe = probe_of("tls", host=HOST, port=server.ports["good"], ca_file=certificates.authority)
    assert (await probe.sample(4_000)).state == "up"
    with server.process.frozen():
        outcome = await probe.sample(300)
    words = f"127.0.0.1:{server.ports['good']} did not complete the TLS handshake within 300 ms"
    assert (outcome.state, outcome.message) == ("down", words)
    assert (await probe.sample(4_000)).state == "up"


@pytest.mark.asyncio
async def test_a_port_that_takes_no_more_connections_is_down_at_the_deadline(certificates: Certificates) -> None:
    with socket.create_server((HOST, 0), backlog=0) as full:
        port = full.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for one in waiting:
            one.setblocking(False)
            one.connect_ex((HOST, port))
        outcome = await ask("tls", 200, host=HOST, port=port)
        for one in waiting:
            one.close()
    assert outcome.state == "down"
    assert outcome.message.startswith(f"127.0.0.1:{port} did not take the connection within ")


@pytest.mark.asyncio
@pytest.mark.parametrize("version", ["tls1_2", "tls1_3"])
async def test_a_client_certificate_is_taken_or_refused(certificates: Certificates, version: str) -> None:
    with wanting_a_certificate(program_path("openssl"), certificates, version) as port:

        async def shown(name: str) -> tuple[str, str]:
            keys = {"certificate_file": str(certificates.path(name)), "key_file": certificates.key}
            return await tls(port, certificates, **keys)

        assert (await shown("good"))[0] == "up"
        for name, words in (("self-signed", "unknown ca"), ("expired", "certificate expired")):
            with pytest.raises(
                CouldNotCheckError, match=f"refuses the client certificate of certificate_file.*{words}"
            ):
                await shown(name)
        assert (await shown("good"))[0] == "up"


@pytest.mark.asyncio
async def test_a_server_that_breaks_off_for_want_of_a_client_certificate_is_down(certificates: Certificates) -> None:
    with wanting_a_certificate(program_path("openssl"), certificates, "tls1_2") as port:
        words = f"127.0.0.1:{port} broke off the handshake: no cipher in common, or it wants a client certificate"
        assert await tls(port, certificates) == ("down", words)


@pytest.mark.peers("pg_ctlcluster", "setpriv")
@pytest.mark.asyncio
async def test_postgresql_is_asked_for_tls_and_has_it_or_not(certificates: Certificates) -> None:
    with primary(certificates) as secured:
        state, message = await tls(secured.port, certificates, starttls="postgresql")
        assert (state, message[:8]) == ("up", "TLSv1.3 ")
    with primary() as plain:
        words = f"127.0.0.1:{plain.port} does not offer TLS (PostgreSQL's setting ssl is off)"
        assert await tls(plain.port, certificates, starttls="postgresql") == ("down", words)


@pytest.mark.asyncio
async def test_many_samples_leave_no_file_open(server: Nginx, certificates: Certificates) -> None:
    probe = probe_of("tls", host=HOST, port=server.ports["good"], ca_file=certificates.authority)
    await probe.sample(4_000)
    before = open_files_at_first()
    states = {(await probe.sample(4_000)).state for _ in range(50)}
    assert (states, open_files()) == ({"up"}, before)
