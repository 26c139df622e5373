# ruff: noqa: INP001 - a script's module, in no package
"""Writes SHA256SUMS over all that was built, and signs it where a key is named."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from programs import NotBuiltError

NAMESPACE = "detak-release"
SUMS = "SHA256SUMS"


def write(folder: Path) -> Path:
    """The file of checksums, in the form that `sha256sum --check` reads."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith(SUMS))
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    target = folder / SUMS
    target.write_text("".join(lines), encoding="utf-8")
    return target


def sign(sums: Path, key: Path) -> Path:
    """Signs the checksums with an SSH key; raises NotBuiltError."""
    program = shutil.which("ssh-keygen")
    if program is None:
        raise NotBuiltError("ssh-keygen is not on the PATH: install openssh-client, or build without SIGNING_KEY")
    signature = sums.with_name(f"{sums.name}.sig")
    signature.unlink(missing_ok=True)
    command = [program, "-Y", "sign", "-q", "-n", NAMESPACE, "-f", str(key), str(sums)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own words
    if said.returncode:
        raise NotBuiltError(f"SIGNING_KEY={key}: {said.stderr.strip() or 'ssh-keygen refuses it'}")
    return signature
