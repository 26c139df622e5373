"""Who may import whom, tried in fresh interpreters."""

import subprocess
import sys
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
DISTRIBUTIONS = {"wire": "detak_wire", "agent": "detak_agent", "collector": "detak_collector"}

# Handed to a fresh interpreter: every module is imported while no other one is loaded.
IMPORT_EACH_ALONE = """
import importlib, sys, warnings
warnings.simplefilter("error")
for name in sys.argv[1:]:
    for loaded in [key for key in sys.modules if key.partition(".")[0].startswith("detak_")]:
        del sys.modules[loaded]
    try:
        importlib.import_module(name)
    except BaseException as error:
        print(f"{name}: {type(error).__name__}: {error}")
"""


def modules_of(distribution: str) -> list[str]:
    folder = ROOT / distribution
    paths = sorted((folder / DISTRIBUTIONS[distribution]).rglob("*.py"))
    dotted = [".".join(path.relative_to(folder).with_suffix("").parts) for path in paths]
    return [name.removesuffix(".__init__") for name in dotted]


def in_circles() -> set[str]:
    """The modules that an import leads back to, their packages counted; of all others the order of imports is free."""
    graph = grimp.build_graph(*DISTRIBUTIONS.values(), exclude_type_checking_imports=True, cache_dir=None)
    imports = {
        name: graph.find_modules_directly_imported_by(name) | {name.rpartition(".")[0]} for name in graph.modules
    }
    circular = without_ends(imports)
    return set(without_ends({name: {by for by in circular if name in circular[by]} for name in circular}))


def without_ends(edges: dict[str, set[str]]) -> dict[str, set[str]]:
    """What is left when, again and again, all are taken away that lead to none of the rest."""
    rest = dict(edges)
    while ends := [name for name, others in rest.items() if not others & rest.keys()]:
        for name in ends:
            del rest[name]
    return rest


def run_python(*arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    return finished.stdout + finished.stderr


def loaded_after(statement: str) -> set[str]:
    return set(run_python("-c", f"{statement}\nimport sys\nprint(*sys.modules)").split())


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_every_module_can_be_imported(distribution: str) -> None:
    statement = f"import warnings; warnings.simplefilter('error'); import {', '.join(modules_of(distribution))}"
    assert run_python("-c", statement) == ""


def test_every_module_that_an_import_leads_back_to_can_be_imported_first() -> None:
    assert run_python("-c", IMPORT_EACH_ALONE, *sorted(in_circles())) == ""


def test_what_leads_nowhere_is_in_no_circle() -> None:
    assert without_ends({"a": {"b"}, "b": {"a", "d"}, "c": {"a"}, "d": set()}).keys() == {"a", "b", "c"}


def test_the_agent_starts_without_its_heavy_libraries() -> None:
    loaded = loaded_after("import detak_agent.cli")
    assert "detak_agent.cli" in loaded
    assert not loaded & {"aiohttp", "psutil", "dns", "rich", "click", "sqlite_utils"}


def test_neither_the_agent_nor_the_wire_loads_the_collector() -> None:
    names = ", ".join(modules_of("agent") + modules_of("wire"))
    assert not [name for name in loaded_after(f"import {names}") if name.startswith("detak_collector")]


def test_the_collector_never_loads_the_agent() -> None:
    loaded = loaded_after(f"import {', '.join(modules_of('collector'))}")
    assert not [name for name in loaded if name.startswith("detak_agent")]


def test_the_engine_of_downtime_rests_on_the_standard_library_alone() -> None:
    engine = [name for name in modules_of("collector") if name.startswith("detak_collector.downtime")]
    loaded = loaded_after(f"import {', '.join(engine)}")
    outside = {name.partition(".")[0] for name in loaded} & {
        "msgspec",
        "aiohttp",
        "sqlite_utils",
        "click",
        "rich",
        "jinja2",
    }
    assert not outside
    assert not [name for name in loaded if name.startswith("detak_") and not name.startswith("detak_collector")]
