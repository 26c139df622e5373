"""Authorities known by the key they hold: found in DER, met over connections that nobody vouches for, and followed."""

import asyncio
import hashlib
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tls_server import Serve, post, server, serving_context
from certificates import self_signed
from detak_agent.authorities import NotDerError, certificates_in, holding, key_fingerprint, keys_of
from detak_agent.connection import Connection, ConnectionBrokenError
from detak_agent.trust import PinFiles, Pins, Trust

OTHER_KEY = "sha256:" + "ab" * 32


def key_by_openssl(openssl: str, certificate: Path) -> str:
    public = subprocess.run(
        [openssl, "x509", "-in", str(certificate), "-noout", "-pubkey"], check=True, capture_output=True
    )
    der = subprocess.run(
        [openssl, "pkey", "-pubin", "-outform", "DER"], input=public.stdout, check=True, capture_output=True
    )
    return f"sha256:{hashlib.sha256(der.stdout).hexdigest()}"


def collector(*announced: Path) -> tuple[Serve, list[bytes]]:
    """Tells these authorities to whoever asks, and takes a beat; the list has the heads of all requests."""
    heads: list[bytes] = []
    body = b"".join(path.read_bytes() for path in announced)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                heads.append(await reader.readuntil(b"\r\n\r\n"))
                is_beat = heads[-1].startswith(b"POST")
                answer = await reader.readexactly(2) if is_beat else body
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(answer) + answer)
        except asyncio.IncompleteReadError:
            writer.close()

    return serve, heads


def pinned(folder: Path, *keys: str) -> Trust:
    files = PinFiles(folder / "fingerprint", folder / "authority", folder / "refusal", folder)
    files.write(Pins(authority_keys=keys))
    return Trust(files=files)


@pytest.fixture
def key(certificate: Path, require: Callable[[str], str]) -> str:
    return key_by_openssl(require("openssl"), certificate)


def test_the_key_is_found_as_openssl_finds_it(certificate: Path, key: str) -> None:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    assert key_fingerprint(der) == key
    assert certificates_in(f"words\n{certificate.read_text()}\nmore") == [der]
    assert holding([der, b"nothing"], [key]) == [der]
    assert holding([der], [OTHER_KEY]) == []


def test_what_is_cut_off_is_no_certificate(certificate: Path, key: str) -> None:
    der = ssl.PEM_cert_to_DER_cert(certificate.read_text())
    for length in range(len(der) // 2):
        with pytest.raises(NotDerError):
            key_fingerprint(der[:length])


@given(st.binary(max_size=200))
def test_no_bytes_are_more_than_no_certificate(data: bytes) -> None:
    assert keys_of([data]) == [] or data


@pytest.mark.asyncio
async def test_a_pinned_key_is_all_that_it_takes(certificate: Path, key: str, tmp_path: Path) -> None:
    serve, heads = collector(certificate)
    async with server(serve, serving_context(certificate)) as url:
        connection = Connection(url, pinned(tmp_path, key))
        for _ in range(2):
            assert await post(connection) == (200, b"{}")
        connection.close()
    asked = [head.split(b" ")[0] for head in heads]
    assert asked == [b"GET", b"GET", b"POST", b"POST"], "once as a stranger, and once more when it had proven itself"
    assert not any(b"uthorization" in head for head in heads)


@pytest.mark.asyncio
async def test_another_authority_is_shown_and_gets_nothing(certificate: Path, key: str, tmp_path: Path) -> None:
    serve, heads = collector(certificate)
    trust = pinned(tmp_path, OTHER_KEY)
    async with server(serve, serving_context(certificate)) as url:
        with pytest.raises(ConnectionBrokenError) as error:
            await post(Connection(url, trust))
    assert f"met {key}, trusted is {OTHER_KEY}" in str(error.value)
    assert f"met {key}" in trust.refusal()
    assert all(head.startswith(b"GET /api/v1/authority") for head in heads)


@pytest.mark.asyncio
async def test_who_tells_the_pinned_authority_but_has_another_certificate_gets_nothing(
    certificate: Path, key: str, tmp_path: Path, require: Callable[[str], str]
) -> None:
    stolen = self_signed(require("openssl"), tmp_path / "stolen", "localhost")
    serve, heads = collector(certificate)
    async with server(serve, serving_context(stolen)) as url:
        with pytest.raises(ConnectionBrokenError, match="its certificate is refused"):
            await post(Connection(url, pinned(tmp_path, key)))
    assert all(head.startswith(b"GET /api/v1/authority") for head in heads)


@pytest.mark.asyncio
async def test_the_next_authority_s_key_is_learned_from_one_that_has_proven_itself(
    certificate: Path, key: str, tmp_path: Path, require: Callable[[str], str]
) -> None:
    following = self_signed(require("openssl"), tmp_path / "next", "localhost")
    next_key = key_by_openssl(require("openssl"), following)
    trust = pinned(tmp_path, key)
    serve, _ = collector(certificate, following)
    async with server(serve, serving_context(certificate)) as url:
        connection = Connection(url, trust)
        assert await post(connection) == (200, b"{}")
        connection.close()
    assert trust.pins().authority_keys == (key, next_key)
    serve, _ = collector(following)
    async with server(serve, serving_context(following)) as url:
        connection = Connection(url, trust)
        assert await post(connection) == (200, b"{}")
        connection.close()
    assert trust.pins().authority_keys == (next_key,)


@pytest.mark.parametrize("pasted", [True, False])
def test_what_is_configured_is_never_changed_by_what_is_told(
    certificate: Path, key: str, tmp_path: Path, pasted: bool
) -> None:
    trust = pinned(tmp_path, OTHER_KEY) if pasted else Trust(configured=Pins(authority_keys=(key, OTHER_KEY)))
    before = trust.pins()
    assert trust.learn(certificate.read_text()) is None
    assert trust.pins() == before


@pytest.mark.asyncio
async def test_a_collector_hears_from_tls_itself_that_its_certificate_is_refused(
    certificate: Path, tmp_path: Path
) -> None:
    told: list[str] = []

    class Listening(ssl.SSLObject):
        def do_handshake(self) -> None:
            try:
                super().do_handshake()
            except ssl.SSLWantReadError:
                raise
            except ssl.SSLError as error:
                told.append(error.reason or "")
                raise

    context = serving_context(certificate)
    context.sslobject_class = Listening
    serve, _ = collector(certificate)
    for trust in (Trust(), Trust(configured=Pins(OTHER_KEY)), pinned(tmp_path, OTHER_KEY)):
        told.clear()
        async with server(serve, context) as url:
            with pytest.raises(ConnectionBrokenError):
                await post(Connection(url, trust))
            for _ in range(500):
                if told:
                    break
                await asyncio.sleep(0.01)
        assert "TLSV1_ALERT_UNKNOWN_CA" in told
