"""The small changes that break one place of a module, where they are and how a reader would see them.

Annotations are left alone: nothing runs them, so no test could tell.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
OPERATORS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd, ast.Mod: ast.Mult,
}  # fmt: skip
ANNOTATIONS = {"annotation", "returns"}
BLOCKS = (ast.stmt, ast.excepthandler, ast.match_case)


@dataclass(frozen=True)
class Mutant:
    """One change: the `number`-th that can be made to the file."""

    file: Path
    number: int
    line: int
    lines: range
    """Those of the statement around it, without the statements inside that."""
    change: str
    called: bool
    """Whether it runs when a function does; otherwise when the module is imported."""

    def __str__(self) -> str:
        return f"{self.file.parent.name}/{self.file.name}:{self.line}: {self.change}"

    def tree(self) -> ast.Module:
        """The module with the change made."""
        tree = ast.parse(self.file.read_text())
        for number, (_, edit) in enumerate(_edits(tree)):
            if number == self.number:
                edit.make()
        return ast.fix_missing_locations(tree)

    def text(self) -> str:
        """The same as source."""
        return ast.unparse(self.tree())


def mutants_of(file: Path) -> list[Mutant]:
    """Every change that can be made to a module."""
    return [
        Mutant(file, number, getattr(place.node, "lineno", 0), place.lines, edit.change, place.called)
        for number, (place, edit) in enumerate(_edits(ast.parse(file.read_text())))
    ]


@dataclass(frozen=True)
class _Place:
    node: ast.AST
    lines: range
    called: bool


@dataclass(frozen=True)
class _Edit:
    change: str
    make: Callable[[], None]


def _edits(tree: ast.Module) -> Iterator[tuple[_Place, _Edit]]:
    places = list(_places(_Place(tree, range(0), called=False)))
    return ((place, edit) for place in places for edit in _edits_of(place.node))


def _places(at: _Place) -> Iterator[_Place]:
    """Every node below, with the statement it belongs to."""
    yield at
    for name, value in ast.iter_fields(at.node):
        if name in ANNOTATIONS:
            continue
        called = at.called or (name == "body" and isinstance(at.node, ast.FunctionDef | ast.Lambda))
        for node in value if isinstance(value, list) else [value]:
            if isinstance(node, ast.AST):
                yield from _places(_Place(node, _lines(node) if isinstance(node, BLOCKS) else at.lines, called))


def _lines(block: ast.stmt | ast.excepthandler | ast.match_case) -> range:
    first = block.pattern.lineno if isinstance(block, ast.match_case) else block.lineno
    body = getattr(block, "body", None)
    last = body[0].lineno - 1 if body else getattr(block, "end_lineno", first)
    return range(first, max(first, last) + 1)


def _edits_of(node: ast.AST) -> Iterable[_Edit]:  # noqa: PLR0911 - one return a kind
    match node:
        case ast.Compare(ops=ops):
            return [_compared(ops, place) for place, op in enumerate(ops) if type(op) in COMPARISONS]
        case ast.BinOp(op=op) if type(op) in OPERATORS:
            return [_replaced(node, "op", op, OPERATORS[type(op)]())]
        case ast.BoolOp(op=op):
            return [_replaced(node, "op", op, ast.Or() if isinstance(op, ast.And) else ast.And())]
        case ast.Constant(value=int(value)) if not isinstance(value, bool):
            return [_Edit(f"{value} -> {value + 1}", partial(setattr, node, "value", value + 1))]
        case ast.UnaryOp(op=ast.Not(), operand=test):
            return [_Edit("not x -> bool(x)", partial(setattr, node, "operand", ast.UnaryOp(ast.Not(), test)))]
        case ast.If(test=test) | ast.IfExp(test=test):
            return [_Edit("if x -> if not x", partial(setattr, node, "test", ast.UnaryOp(ast.Not(), test)))]
    return []


def _compared(ops: list[ast.cmpop], place: int) -> _Edit:
    other = COMPARISONS[type(ops[place])]()
    return _Edit(f"{_name(ops[place])} -> {_name(other)}", partial(ops.__setitem__, place, other))


def _replaced(node: ast.AST, field: str, old: ast.AST, new: ast.AST) -> _Edit:
    return _Edit(f"{_name(old)} -> {_name(new)}", partial(setattr, node, field, new))


def _name(op: ast.AST) -> str:
    return type(op).__name__
