"""Breaks the downtime engine in one place at a time and asks whether a test notices.

    python bench/mutate.py --sample 500 --seed 1 --jobs 2

Each mutant is a copy of the package with one small change; it survives if every test of the engine passes on it.
Survivors are listed with their line, to be explained or killed. Ends with `mutate sample=… survived=… percent=…`.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "collector" / "detak_collector"
ENGINE = Path("downtime")
TESTS = ["tests/collector/downtime", "tests/collector/report"]
PATIENCE_S = 300

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Mod: ast.Mult,
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: which node of which file (counted as `ast.walk` does), and what a reader would see."""

    file: Path
    node: int
    line: int
    change: str


def mutants() -> Iterator[Mutant]:
    """Every change that the operators below know, in every file of the engine."""
    for path in sorted((PACKAGE / ENGINE).glob("*.py")):
        tree = ast.parse(path.read_text())
        for number, node in enumerate(ast.walk(tree)):
            changed = mutate(node)
            if changed is not None:
                line = getattr(node, "lineno", 0)
                yield Mutant(path.relative_to(PACKAGE), number, line, changed)


def mutate(node: ast.AST) -> str | None:  # noqa: PLR0911 - one return an operator
    """Change the node in place; returns what was done, None where nothing can be."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARISONS:
            node.ops = [COMPARISONS[type(op)]()]
            return f"{type(op).__name__} -> {type(node.ops[0]).__name__}"
        case ast.BinOp(op=op) if type(op) in OPERATORS and not _is_annotation(node):
            node.op = OPERATORS[type(op)]()
            return f"{type(op).__name__} -> {type(node.op).__name__}"
        case ast.BoolOp(op=op):
            node.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            return f"{type(op).__name__} -> {type(node.op).__name__}"
        case ast.Constant(value=value) if isinstance(value, int) and not isinstance(value, bool):
            node.value = value + 1
            return f"{value} -> {value + 1}"
        case ast.UnaryOp(op=ast.Not()):
            node.op = ast.UAdd()
            node.operand = ast.Call(ast.Name("bool", ast.Load()), [node.operand], [])
            return "not x -> bool(x)"
        case ast.If(test=test):
            node.test = ast.UnaryOp(ast.Not(), test)
            return "if x -> if not x"
        case _:
            return None


def _is_annotation(node: ast.BinOp) -> bool:
    """`int | None` is a type, not arithmetic."""
    return isinstance(node.op, ast.BitOr) and any(
        isinstance(side, ast.Constant) and side.value is None for side in (node.left, node.right)
    )


def survives(mutant: Mutant) -> bool:
    """Whether every test passes on a copy of the package with this one change."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "detak_collector"
        shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("__pycache__"))
        tree = ast.parse((copy / mutant.file).read_text())
        mutate(list(ast.walk(tree))[mutant.node])
        (copy / mutant.file).write_text(ast.unparse(ast.fix_missing_locations(tree)))
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", *TESTS]
        environment = os.environ | {"PYTHONPATH": folder, "HYPOTHESIS_STORAGE_DIRECTORY": folder}
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environment, capture_output=True, timeout=PATIENCE_S, check=False
            )
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def main() -> int:
    """Judge a random sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=2)
    asked = parser.parse_args()
    every = list(mutants())
    chosen = Random(asked.seed).sample(every, min(asked.sample, len(every)))
    survivors = []
    with ThreadPoolExecutor(asked.jobs) as pool:
        for done, (mutant, alive) in enumerate(zip(chosen, pool.map(survives, chosen), strict=True), start=1):
            if alive:
                survivors.append(mutant)
                print(f"survived: {mutant.file}:{mutant.line}: {mutant.change}", flush=True)
            if done % 50 == 0:
                print(f"{done} of {len(chosen)} judged, {len(survivors)} survived", flush=True)
    percent = 100 * len(survivors) / len(chosen) if chosen else 0
    print(f"mutate sample={len(chosen)} of={len(every)} survived={len(survivors)} percent={percent:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
