import datetime as dt
import gc
import subprocess
import weakref
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Certificates
from detak_agent.checks.certificates import days_left, not_after, shared_context

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.timezone.utc)


@pytest.mark.parametrize("name", ["good", "soon", "far", "expired", "self-signed", "authority"])
def test_the_expiry_is_what_openssl_says(certificates: Certificates, name: str, require: Callable[[str], str]) -> None:
    command = [require("openssl"), "x509", "-in", str(certificates.path(name)), "-noout", "-enddate"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    expected = dt.datetime.strptime(said, "notAfter=%b %d %H:%M:%S %Y GMT").replace(tzinfo=dt.timezone.utc)
    assert not_after(certificates.der(name)) == expected


def test_the_first_to_expire_counts(certificates: Certificates) -> None:
    ends = not_after(certificates.der("soon"))
    both = [certificates.der("good"), certificates.der("soon")]
    assert days_left(both, ends - dt.timedelta(days=2)) == 2
    assert days_left([], NOW) is None


@given(st.binary(max_size=200))
def test_anything_else_is_no_certificate(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".*"):
        not_after(data)


def test_checks_that_trust_the_same_share_one_context(certificates: Certificates) -> None:
    system = shared_context(verify=True, ca_file="")
    assert shared_context(verify=True, ca_file="") is system
    others = [shared_context(verify=False, ca_file=""), shared_context(verify=True, ca_file=certificates.authority)]
    assert len({id(context) for context in (system, *others)}) == 3


def test_an_authority_that_was_replaced_is_read_again(certificates: Certificates, tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text(certificates.path("authority").read_text())
    old = shared_context(verify=True, ca_file=str(file))
    file.write_text(certificates.path("self-signed").read_text())
    new = shared_context(verify=True, ca_file=str(file))
    held = [context.get_ca_certs(binary_form=True) for context in (old, new)]
    assert held == [[certificates.der("authority")], [certificates.der("self-signed")]]


def test_a_context_that_no_check_uses_any_more_is_given_up(certificates: Certificates) -> None:
    gone = weakref.ref(shared_context(verify=True, ca_file=str(certificates.path("authority"))))
    gc.collect()
    assert gone() is None
