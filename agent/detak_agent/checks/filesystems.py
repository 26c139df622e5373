"""Mounted filesystems: which ones matter, how full they are, and whether they turned read-only.

Reading and parsing are apart. `statvfs` may hang for ever on a dead server or disk: call it in a daemon thread only.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

WATCHED_TYPES = frozenset({
    "bcachefs", "btrfs", "ceph", "cifs", "exfat", "ext2", "ext3", "ext4", "f2fs", "fuseblk", "gfs2", "glusterfs",
    "gpfs", "jfs", "lustre", "nfs", "nfs4", "nilfs2", "ntfs3", "ocfs2", "reiserfs", "smb3", "tmpfs", "ufs", "vfat",
    "vxfs", "xfs", "zfs",
})  # fmt: skip
"""Types that hold data and can fill up. Never the read-only ones such as squashfs: those are full by nature."""

_OF_THE_KERNEL = ("/proc/", "/sys/")
_STOPPED = frozenset({"ro", "emergency_ro", "shutdown"})
_NOT_OURS_TO_SEE = frozenset({errno.EACCES, errno.EPERM, errno.ENOENT, errno.ENOTDIR})
_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """One line of mountinfo. `read_only` is of the whole filesystem, not of this view on it."""

    path: str
    device: str
    type: str
    read_only: bool
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """How full a filesystem is for ordinary users, as `df` counts. `inodes_percent` is None where there is no limit."""

    used_percent: float
    free_bytes: int
    inodes_percent: float | None = None
    free_inodes: int = 0


def parse_mounts(text: str) -> list[Mount]:
    """From /proc/self/mountinfo, proc(5).

    Read-only is taken from the options of the superblock: a service manager's sandbox shows the agent read-only
    views of filesystems that are sound.
    """
    return [_mount(line) for line in text.splitlines() if " - " in line]


def _mount(line: str) -> Mount:
    here, _, of_the_filesystem = line.partition(" - ")
    fields = here.split()
    kind, *source_and_options = of_the_filesystem.split(" ")
    options = set(source_and_options[-1].split(","))
    return Mount(_plain(fields[4]), fields[2], kind, bool(options & _STOPPED), whole=fields[3] == "/")


def _plain(path: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), path)


def parse_fstab(text: str) -> dict[str, bool]:
    """Mount points of /etc/fstab, fstab(5), and whether each is meant to be read-only."""
    rows = [line.split() for line in text.splitlines() if not line.lstrip().startswith("#")]
    return {_plain(row[1]): "ro" in row[3].split(",") for row in rows if len(row) >= 4}


def select(mounts: Iterable[Mount], wanted: Iterable[str], ignored: Iterable[str]) -> list[Mount]:
    """The mounts to look at: those `wanted`, or else one of each watched filesystem, less those `ignored`."""
    visible = {mount.path: mount for mount in mounts}
    wanted = tuple(wanted)
    if wanted:
        return [visible[path] for path in wanted if path in visible]
    patterns = tuple(ignored)
    chosen: dict[str, Mount] = {}
    for mount in sorted(visible.values(), key=lambda mount: (not mount.whole, len(mount.path), mount.path)):
        if mount.type not in WATCHED_TYPES or mount.path.startswith(_OF_THE_KERNEL):
            continue
        if not any(fnmatchcase(mount.path, pattern) for pattern in patterns):
            chosen.setdefault(mount.device, mount)
    return sorted(chosen.values(), key=lambda mount: mount.path)


def usage_of(numbers: os.statvfs_result) -> Usage | None:
    """The usage that statvfs(3) tells; None where the filesystem has no size."""
    used = numbers.f_blocks - numbers.f_bfree
    usable = used + numbers.f_bavail
    if numbers.f_blocks == 0 or usable <= 0:
        return None
    inodes = 100 * (numbers.f_files - numbers.f_ffree) / numbers.f_files if numbers.f_files else None
    return Usage(100 * used / usable, numbers.f_bavail * numbers.f_frsize, inodes, numbers.f_favail)


class Filesystems:
    """Reads the mounts and their usage. `asking` names the one that is being asked, for when it never answers."""

    def __init__(self, root: Path, statvfs: Callable[[Path], os.statvfs_result] = os.statvfs) -> None:
        self._root = root
        self._statvfs = statvfs
        self._told = ""
        self._mounts: list[Mount] = []
        self.asking = ""

    def mounts(self) -> list[Mount]:
        """All mounts; raises OSError."""
        path = self._root / "proc/self/mountinfo"
        told = path.read_text(encoding="utf-8", errors="surrogateescape")
        if told != self._told:
            self._told, self._mounts = told, parse_mounts(told)
        return self._mounts

    def meant_read_only(self) -> dict[str, bool]:
        """What /etc/fstab says; nothing where there is none."""
        try:
            return parse_fstab((self._root / "etc/fstab").read_text(encoding="utf-8", errors="surrogateescape"))
        except OSError:
            return {}

    def usage(self, mount: Mount) -> Usage | str | None:
        """Its usage, what is wrong with it in words, or None where there is nothing to say."""
        self.asking = mount.path
        try:
            return usage_of(self._statvfs(self._root / mount.path.lstrip("/")))
        except OSError as error:
            return None if error.errno in _NOT_OURS_TO_SEE else f"does not work: {error.strerror}"
        finally:
            self.asking = ""
