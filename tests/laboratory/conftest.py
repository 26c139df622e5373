"""Makes two packages of bench/, and a module that one of them needs, importable here without their neighbours.

Some of these are named like tests.
"""

import importlib.util
import sys
from pathlib import Path

_BENCH = Path(__file__).parents[2] / "bench"


def _make_importable(name: str) -> None:
    if name in sys.modules:
        return
    folder = _BENCH / name
    spec = (
        importlib.util.spec_from_file_location(name, folder / "__init__.py", submodule_search_locations=[str(folder)])
        if folder.is_dir()
        else importlib.util.spec_from_file_location(name, folder.with_suffix(".py"))
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


for _name in ("lab", "ingest_beats", "soaking"):
    _make_importable(_name)
