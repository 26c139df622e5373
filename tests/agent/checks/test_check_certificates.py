import datetime as dt
import subprocess
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.checks.check_stage import Certificates
from detak_agent.checks.certificates import days_left, not_after

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
