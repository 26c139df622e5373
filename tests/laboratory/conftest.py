"""Makes the package `lab` of bench/ importable here, without its neighbours: some of these are named like tests."""

import importlib.util
import sys
from pathlib import Path

_FOLDER = Path(__file__).parents[2] / "bench" / "lab"


def _make_importable() -> None:
    if "lab" in sys.modules:
        return
    spec = importlib.util.spec_from_file_location(
        "lab", _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
    )
    assert spec is not None
    assert spec.loader is not None
    sys.modules["lab"] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


_make_importable()
