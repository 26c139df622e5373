"""How `detak-verify.html` is put together, with stand-ins for Pyodide's files; tests/browser tries the real page."""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import runpy
import sys
import tarfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).parents[3] / "packaging" / "verify_html.py"
RELEASE = {
    "pyodide.asm.wasm": b"\0asm",
    "python_stdlib.zip": b"PK",
    "pyodide-lock.json": b'{"info": {"python": "3.14.2"}, "packages": {"affine": {}}}',
    "pyodide.asm.mjs": b"async function _core() {}export default _core;",
    "pyodide.mjs": b"async function dt() {}export{dt as loadPyodide};",
}


@pytest.fixture(scope="module")
def builder() -> Iterator[dict[str, Any]]:
    with pytest.MonkeyPatch.context() as here:
        here.syspath_prepend(str(SCRIPT.parent))
        yield runpy.run_path(str(SCRIPT))
        sys.modules.pop("verify")


def packed(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def block(page: str, name: str) -> bytes:
    """What the page carries under a name."""
    found = re.search(rf'<script type="text/plain" id="{re.escape(name)}">([^<]*)</script>', page)
    assert found is not None
    return gzip.decompress(base64.b64decode(found[1]))


def test_the_page_runs_its_own_script_and_no_other(builder: dict[str, Any]) -> None:
    page: str = builder["made"](packed(RELEASE), b"the program")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', page)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert policy is not None
    told = dict(one.split(" ", 1) for one in policy[1].split("; "))
    assert told["default-src"] == "'none'"
    for text, where in ((script, "script-src"), (style, "style-src")):
        assert f"'sha256-{base64.b64encode(sha256(text.encode()).digest()).decode()}'" in told[where]
    assert not re.search(r'(?:src|href)="|url\(|@import|unsafe-inline|https?:', page)


def test_it_holds_the_program_and_pyodide_as_they_are(builder: dict[str, Any]) -> None:
    page: str = builder["made"](packed(RELEASE), b"the program")
    assert block(page, "program") == b"the program"
    for name in ("pyodide.asm.wasm", "python_stdlib.zip"):
        assert block(page, name) == RELEASE[name]
    worker = block(page, "worker")
    assert worker.startswith(RELEASE["pyodide.asm.mjs"] + b"\n" + RELEASE["pyodide.mjs"])
    assert b"const createPyodideModule = _core, loadPyodide = dt;" in worker
    assert json.loads(block(page, "pyodide-lock.json")) == {"info": {"python": "3.14.2"}, "packages": {}}
    assert page == builder["made"](packed(RELEASE), b"the program")


def test_another_release_than_the_pinned_one_is_refused(builder: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "pyodide.tgz"
    path.write_bytes(packed(RELEASE))
    with pytest.raises(builder["NotMadeError"], match=r"not Pyodide 314\.0\.7: its SHA-512 is not the one in"):
        builder["pyodide"](path)
    with pytest.raises(builder["NotMadeError"], match="No such file or directory"):
        builder["pyodide"](tmp_path / "missing.tgz")


def test_modules_that_export_under_other_names_are_refused(builder: dict[str, Any]) -> None:
    other = {**RELEASE, "pyodide.mjs": b"export{dt as load};"}
    with pytest.raises(builder["NotMadeError"], match="its modules do not export what they did"):
        builder["made"](packed(other), b"")
