"""What all tests share: how a test says which programs it needs. It holds no fixture of any one part."""

import os
import shutil
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings

# A machine that does other work at the same time is slow now and then: that is no failure of the code.
settings.register_profile("everyday", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("nightly", settings.get_profile("everyday"), max_examples=2_000)
settings.load_profile("everyday")

PROGRAMS_OF_MARKERS = {"system": (), "browser": ("chromium",), "peers": ()}


def program_path(program: str) -> str:
    """Where `program` is; without it the test is skipped, and fails where DETAK_REQUIRE_PEERS=1 promises it."""
    found = shutil.which(program) or shutil.which(program, path="/usr/local/sbin:/usr/sbin:/sbin")
    if found is not None:
        return found
    if os.environ.get("DETAK_REQUIRE_PEERS") == "1":
        pytest.fail(f"{program} is not on this machine, and DETAK_REQUIRE_PEERS=1 says that it must be", pytrace=False)
    pytest.skip(f"{program} is not on this machine")


@pytest.fixture
def require() -> Callable[[str], str]:
    """The path of a program that the test cannot do without: `require("openssl")`."""
    return program_path


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker, programs in PROGRAMS_OF_MARKERS.items():
        for mark in item.iter_markers(marker):
            for program in (*programs, *mark.args):
                program_path(program)
