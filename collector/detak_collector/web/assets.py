"""Static files under names that contain their content's digest, so that a browser may keep them for ever."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Body:
    """Bytes ready to send, plain and packed, with the tag that changes when they do."""

    plain: bytes
    packed: bytes
    tag: str

    @staticmethod
    def of(plain: bytes) -> Body:
        """The body of `plain`; equal bytes have equal tags."""
        return Body(plain, gzip.compress(plain, compresslevel=6, mtime=0), hashlib.sha256(plain).hexdigest()[:16])

    def __reduce__(self) -> tuple[Callable[[bytes, str], Body], tuple[bytes, str]]:
        """Between processes it travels packed: a page of a thousand services has megabytes, and a hundredth packed."""
        return _arrived, (self.packed, self.tag)


def _arrived(packed: bytes, tag: str) -> Body:
    return Body(gzip.decompress(packed), packed, tag)


@dataclass(frozen=True, slots=True)
class Asset:
    """One static file."""

    name: str
    content_type: str
    body: Body


class Assets:
    """All files of a folder and of those in it, read once; no two have one name.

    `build` changes when any of them, or of the `templates`, does.
    """

    def __init__(self, folder: Path, templates: Path) -> None:
        self._named = {path.name: _asset(path) for path in sorted(folder.rglob("*")) if path.suffix in TYPES}
        self._served = {asset.name: asset for asset in self._named.values()}
        texts = [path.read_bytes() for path in sorted(templates.iterdir()) if path.suffix == ".html"]
        tags = [asset.body.tag.encode() for asset in self._named.values()]
        self.build = hashlib.sha256(b"\0".join([*texts, *tags])).hexdigest()[:16]

    def name(self, plain: str) -> str:
        """The served name of `detak.css`, such as `detak.0123456789abcdef.css`."""
        return self._named[plain].name

    def served(self, name: str) -> Asset | None:
        """The file of exactly that served name."""
        return self._served.get(name)


def _asset(path: Path) -> Asset:
    body = Body.of(path.read_bytes())
    return Asset(f"{path.stem}.{body.tag}{path.suffix}", TYPES[path.suffix], body)
