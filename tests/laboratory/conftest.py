"""Makes two packages of bench/ importable here, without their neighbours: some of these are named like tests."""

import importlib.util
import sys
from pathlib import Path

_BENCH = Path(__file__).parents[2] / "bench"


def _make_importable(name: str) -> None:
    if name in sys.modules:
        return
    folder = _BENCH / name
    spec = importlib.util.spec_from_file_location(
        name, folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


for _name in ("lab", "soaking"):
    _make_importable(_name)
