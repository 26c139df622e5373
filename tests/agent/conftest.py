"""Fixtures of the agent's tests."""

from collections.abc import Callable
from pathlib import Path

import pytest

from certificates import self_signed


@pytest.fixture
def certificate(tmp_path: Path, require: Callable[[str], str]) -> Path:
    """Self-signed, for localhost; its key lies beside it."""
    return self_signed(require("openssl"), tmp_path / "tls", "localhost")
