import os
from pathlib import Path

import pytest

from detak_agent.checks.base import CouldNotCheckError
from detak_agent.checks.secrets import SecretReader, problems, secret


@pytest.fixture(params=["password", "community"])
def key(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_secret_stands_in_one_place(key: str) -> None:
    assert problems("x", "", key) == problems("", "/x", key) == problems("", "", key) == []
    assert problems("x", "/x", key) == [(f"{key}_file", f"may not stand beside {key}: which of them counts?")]


def test_a_file_is_read_without_the_line_break_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("  s3kret \r\n")
    assert secret("", str(tmp_path / "secret")) == "  s3kret "
    assert secret("as written\n", "") == "as written\n"


def test_what_cannot_be_read_is_said_of_the_key_that_names_it(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(file: str) -> str:
        with pytest.raises(CouldNotCheckError) as caught:
            secret("", file, key)
        return str(caught.value)

    (tmp_path / "bytes").write_bytes(b"\xff")
    assert said(f"{tmp_path}/none") == f"{key}_file {tmp_path}/none cannot be read: No such file or directory"
    assert said(f"{tmp_path}/bytes") == f"{key}_file {tmp_path}/bytes is not UTF-8"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert said("handed-over").startswith(f"{key}_file handed-over names a systemd credential, and none was handed")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert said("handed-over").startswith(f"{key}_file {tmp_path}/handed-over cannot be read")


@pytest.mark.asyncio
async def test_a_file_that_hangs_is_not_waited_for(key: str, tmp_path: Path) -> None:
    reader = SecretReader("", str(tmp_path / "pipe"), key)
    (tmp_path / "pipe").touch()
    assert await reader.read(1_000) == ""
    (tmp_path / "pipe").unlink()
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CouldNotCheckError, match=rf"^reading {key}_file .*pipe hangs"):
        await reader.read(50)
    with pytest.raises(CouldNotCheckError, match="still hangs"):
        await reader.read(50)
    # Whoever opens the other end lets the hung thread go.
    (tmp_path / "pipe").write_text("s3kret\n")
