"""Which machine this is, as far as it can be told without rights: hashes, so that nobody learns the identity itself."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

_MACHINE_ID = re.compile(r"[0-9a-f]{32}")
_CONTAINER_FILES = (".dockerenv", "run/.containerenv")
_CONTAINER_VARIABLE = "KUBERNETES_SERVICE_HOST"


class MachineIdentity(Struct, frozen=True):
    """What is not known is None, and says nothing. The second is that of the (virtual) hardware; only root reads it."""

    machine_id: str | None = None
    product_uuid: str | None = None

    def differs_from(self, other: MachineIdentity) -> bool:
        """Whether the two are surely not one machine."""
        pairs = ((self.machine_id, other.machine_id), (self.product_uuid, other.product_uuid))
        return any(mine is not None and theirs is not None and mine != theirs for mine, theirs in pairs)

    def with_known_of(self, other: MachineIdentity) -> MachineIdentity:
        """The same, filled up with what only the other one knows."""
        return MachineIdentity(self.machine_id or other.machine_id, self.product_uuid or other.product_uuid)


def this_machine(root: Path = Path("/"), environment: Mapping[str, str] | None = None) -> MachineIdentity:
    """The identity of the machine under `root`. A container of an application has none: each start may be a new one."""
    known = os.environ if environment is None else environment
    if _CONTAINER_VARIABLE in known or any((root / name).exists() for name in _CONTAINER_FILES):
        return MachineIdentity()
    # Where the disk may not be written, systemd makes up an identity for one boot, and this file with it.
    is_passing = (root / "run/machine-id").exists()
    machine_id = None if is_passing else _read(root / "etc/machine-id")
    return MachineIdentity(
        machine_id=_hashed(machine_id) if machine_id and _MACHINE_ID.fullmatch(machine_id) else None,
        product_uuid=_hashed(_read(root / "sys/class/dmi/id/product_uuid")),
    )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="ascii").strip().lower() or None
    except (OSError, UnicodeDecodeError):
        return None


def _hashed(identity: str | None) -> str | None:
    """machine-id(5) asks that the identity itself be kept from others."""
    return None if identity is None else hashlib.sha256(f"detak-agent {identity}".encode("ascii")).hexdigest()[:32]
