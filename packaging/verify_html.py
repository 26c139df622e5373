# ruff: noqa: INP001 - a script, in no package
"""Makes detak-verify.html: detak-verify.pyz, and a Python for browsers to run it in, as one page that needs no network.

The Python is Pyodide's release as its authors publish it, unchanged; which one is written here, with its digest. The
same sources give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import verify

from detak_collector.report.wording import CAUSES, REASONS, SHOWN
from detak_collector.translation.language import language
from detak_collector.translation.verify_page import WORDS

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ROOT / "packaging" / "verify_page"
STATIC = ROOT / "collector" / "detak_collector" / "web" / "static"
CACHE = ROOT / "build" / "pyodide"
VERSION = "314.0.7"
SHA512 = "0YvXxEhfEdpLfb/XkM2BFAeMROq0iMUX2bzzH9pOttyMcWkwq+HbE5uyuGD82LN7y2q+SNvi/6V5JEsOlD2R1A=="
"""As its registry names it, in base64."""

PACKED = f"pyodide-{VERSION}.tgz"
INSTEAD = f"bring {PACKED} from where `npm pack pyodide@{VERSION}` works, and name it: --pyodide FILE"
BINARY = ("pyodide.asm.wasm", "python_stdlib.zip")
POLICY = (
    "default-src 'none'; script-src 'sha256-{script}' 'wasm-unsafe-eval'; style-src 'sha256-{style}'; "
    "worker-src data:; base-uri 'none'; form-action 'none'"
)


class NotMadeError(Exception):
    """The page cannot be made; the text says why and what to do."""


def pyodide(given: Path | None) -> bytes:
    """The packed release: the one given, the one kept from last time, or npm's; raises NotMadeError."""
    path = given or CACHE / PACKED
    if given is None and not path.is_file():
        path = _downloaded()
    try:
        content = path.read_bytes()
    except OSError as error:
        raise NotMadeError(f"{path}: {error.strerror}") from None
    if base64.b64encode(hashlib.sha512(content).digest()).decode() != SHA512:
        raise NotMadeError(f"{path}: not Pyodide {VERSION}: its SHA-512 is not the one in packaging/verify_html.py")
    return content


def _downloaded() -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise NotMadeError(f"npm is not on the PATH: install it, or {INSTEAD}")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder:
        command = [npm, "pack", "--silent", f"pyodide@{VERSION}", "--pack-destination", folder]
        said = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)  # noqa: S603 - our own words
        if said.returncode:
            last = (said.stderr.strip().splitlines() or ["it said nothing"])[-1]
            raise NotMadeError(f"npm cannot fetch pyodide@{VERSION}: {last}; {INSTEAD}")
        return (Path(folder) / PACKED).rename(CACHE / PACKED)


def made(release: bytes, program: bytes) -> str:
    """The page, of a packed Pyodide and of detak-verify.pyz; raises NotMadeError."""
    with tempfile.TemporaryFile() as file:
        file.write(release)
        file.seek(0)
        with tarfile.open(fileobj=file, mode="r:gz") as archive:
            part = _reader(archive)
            blocks = {name: part(name) for name in BINARY}
            blocks["pyodide-lock.json"] = _lock(part("pyodide-lock.json"))
            blocks["worker"] = _worker(part("pyodide.asm.mjs"), part("pyodide.mjs"))
    blocks["program"] = program
    style = _joined(STATIC / "detak.css", STATIC / "forms.css", SOURCES / "page.css")
    script = _joined(SOURCES / "view.js", SOURCES / "page.js")
    data = [f'<script type="application/json" id="words">{_words()}</script>']
    data += [f'<script type="text/plain" id="{name}">{_packed(content)}</script>' for name, content in blocks.items()]
    policy = POLICY.format(script=_digest(script), style=_digest(style))
    put = {"policy": policy, "style": style, "script": script, "data": "\n".join(data)}
    page = (SOURCES / "page.html").read_text("utf-8")
    return re.sub(r"{{(\w+)}}", lambda match: put[match[1]], page)


def _reader(archive: tarfile.TarFile) -> Callable[[str], bytes]:
    def part(name: str) -> bytes:
        file = archive.extractfile(f"package/{name}")
        if file is None:
            raise NotMadeError(f"{PACKED}: {name}: not a file")
        return file.read()

    return part


def _lock(content: bytes) -> bytes:
    """What Pyodide wants to know of itself, without the packages that it could load: there are none here."""
    return json.dumps({"info": json.loads(content)["info"], "packages": {}}).encode()


def _worker(core: bytes, loader: bytes) -> bytes:
    """Pyodide's two modules and the page's own as one; they call what they export by names of their own."""
    core_name = re.search(rb"export default (\w+);", core)
    loader_name = re.search(rb"export{(\w+) as loadPyodide\b", loader)
    if core_name is None or loader_name is None:
        raise NotMadeError(f"{PACKED}: its modules do not export what they did")
    names = b"const createPyodideModule = %b, loadPyodide = %b;\n" % (core_name[1], loader_name[1])
    return core + b"\n" + loader + b"\n{\n" + names + (SOURCES / "worker.js").read_bytes() + b"}\n"


def _joined(*paths: Path) -> str:
    return "\n".join(path.read_text("utf-8") for path in paths)


def _words() -> str:
    indonesian = language("id")
    texts = (*WORDS, *CAUSES.values(), *REASONS.values(), *SHOWN.values())
    told = {
        "dictionary": {text: indonesian.say(text) for text in texts},
        "causes": CAUSES, "reasons": REASONS, "shown": SHOWN,
    }  # fmt: skip
    return json.dumps(told, ensure_ascii=False, sort_keys=True).replace("<", "\\u003c")


def _packed(content: bytes) -> str:
    return base64.b64encode(gzip.compress(content, 9, mtime=0)).decode()


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def make(target: Path, given: Path | None) -> None:
    """Writes the file; raises NotMadeError, or what the making of detak-verify.pyz raises."""
    release = pyodide(given)
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "detak-verify.pyz"
        verify.make(program)
        page = made(release, program.read_bytes())
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(page, "utf-8")


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Make detak-verify.html.")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "dist" / "detak-verify.html", metavar="FILE")
    parser.add_argument("--pyodide", type=Path, metavar="FILE", help=f"{PACKED}, where npm cannot fetch it")
    given = parser.parse_args()
    try:
        make(given.output, given.pyodide)
    except (NotMadeError, verify.NeedsMoreError) as error:
        print(error, file=sys.stderr)
        return 3
    content = given.output.read_bytes()
    print(f"{given.output}: {len(content):,} bytes, SHA-256 {hashlib.sha256(content).hexdigest()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
