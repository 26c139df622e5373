"""The certificate that is served, taken anew from its files: whole or not at all."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from detak_collector.channel.authority import Authority, issue, new_authority
from detak_collector.channel.certificate_files import CertificateError
from detak_collector.channel.tls import ServedTls
from detak_collector.config import Tls

NOW = 1_795_824_000_000
DAY_MS = 86_400_000


@pytest.fixture(scope="module")
def authority() -> Authority:
    return new_authority("DJBC", NOW)


def put(tls: Tls, authority: Authority, *, now: int = NOW) -> None:
    issued = issue(authority, ["detak.example"], now)
    tls.certificate.write_bytes(issued.chain)
    tls.key.write_bytes(issued.key)


@pytest.fixture
def tls(tmp_path: Path, authority: Authority) -> Tls:
    made = Tls(tmp_path / "certificate.pem", tmp_path / "key.pem")
    put(made, authority)
    return made


def test_a_new_pair_is_a_new_context_so_that_nothing_of_the_old_one_stays(tls: Tls, authority: Authority) -> None:
    served = ServedTls(tls, lambda: NOW)
    before = served.context
    put(tls, authority)
    assert served.reload()
    assert served.context is not before


def break_key(tls: Tls, authority: Authority) -> None:
    tls.key.write_bytes(issue(authority, ["a"], NOW).key)


def encrypt_key(tls: Tls, _: Authority) -> None:
    tls.key.write_text("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMII=\n-----END ENCRYPTED PRIVATE KEY-----\n")


def end_it(tls: Tls, _: Authority) -> None:
    put(tls, new_authority("DJBC", NOW - 900 * DAY_MS), now=NOW - 800 * DAY_MS)


WRONG: list[tuple[Callable[[Tls, Authority], object], str]] = [
    (break_key, "the key does not belong to the certificate"),
    (encrypt_key, "the key is encrypted"),
    (lambda tls, _: tls.key.write_text("nothing"), "holds no PEM private key"),
    (lambda tls, _: tls.certificate.write_text("nothing"), "no PEM certificate"),
    (lambda tls, _: tls.key.unlink(), "No such file"),
    (end_it, "it is good from"),
]


@pytest.mark.parametrize(("spoil", "why"), WRONG)
def test_a_wrong_pair_changes_nothing_and_is_said(
    tls: Tls,
    authority: Authority,
    spoil: Callable[[Tls, Authority], object],
    why: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    served = ServedTls(tls, lambda: NOW)
    before = served.context
    spoil(tls, authority)
    with caplog.at_level(logging.ERROR):
        assert not served.reload()
    assert served.context is before
    assert why in caplog.text
    assert "the one before is kept" in caplog.text
    # Each place is named once.
    assert max(caplog.text.count(str(one)) for one in (tls.certificate, tls.key)) == 1


def test_a_wrong_pair_cannot_be_begun_with(tls: Tls, authority: Authority) -> None:
    break_key(tls, authority)
    with pytest.raises(CertificateError, match="does not belong"):
        ServedTls(tls, lambda: NOW)


@pytest.mark.asyncio
async def test_replaced_files_are_noticed_once_both_are_there(
    tls: Tls, authority: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    served = ServedTls(tls, lambda: NOW)
    before = served.context
    watching = asyncio.create_task(served.watch(0.3))
    issued = issue(authority, ["detak.example"], NOW)
    tls.certificate.write_bytes(issued.chain)
    # One look falls between the two.
    await asyncio.sleep(0.45)
    tls.key.write_bytes(issued.key)
    async with asyncio.timeout(10):
        while served.context is before:  # noqa: ASYNC110 - what is waited for does not say when it is there
            await asyncio.sleep(0.01)
    watching.cancel()
    assert "not taken" not in caplog.text
