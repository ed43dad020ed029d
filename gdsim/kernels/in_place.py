"""NumPy source that makes no new arrays: every result is put into an array that is already there.

A loop that takes many short steps spends much of its time on getting and giving back memory.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import chain

import numpy as np

from gdsim.expr.emit_numpy import NAMESPACE

OPERATORS: dict[type[ast.AST], str] = {
    ast.Add: "add", ast.Sub: "subtract", ast.Mult: "multiply", ast.Div: "divide", ast.USub: "negative",
}  # fmt: skip


def in_place(
    lines: Iterable[str], arrays: Iterable[str], given: Iterable[str] = (), fresh: Iterable[str] = ()
) -> tuple[list[str], list[str]]:
    """Rewrite assignments ``name = expression`` as calls that write into arrays.

    Parameters
    ----------
    lines
        Statements over ``NAMESPACE``; others than assignments to one name stay as they are.
    arrays
        Names of arrays of one common shape; whatever is computed from them has that shape.
    given
        Names whose arrays the caller provides; they may be the same as those that are read.
    fresh
        Names whose values are kept for longer, so that each needs a new array.

    Returns
    -------
    (lines, made)
        The statements, over ``NAMESPACE`` and ``OPERATORS``, and the names of the other arrays that must be
        there.

    Examples
    --------
    >>> lines, made = in_place(["g = (w * w) - 2.0 * w", "n = w + g"], ["w"], ["n"])
    >>> lines
    ['multiply(w, w, g)', 'multiply(2.0, w, i1)', 'subtract(g, i1, g)', 'add(w, g, n)']
    >>> made
    ['g', 'i1']
    """
    writer, given, fresh = _Writer({*arrays}), {*given}, {*fresh}
    lines = list(lines)
    statements = ast.parse("\n".join(lines)).body
    names = [_names(statement) for statement in statements]
    for place, (line, statement) in enumerate(zip(lines, statements, strict=True)):
        match statement:
            case ast.Assign([ast.Name(name)], value) if name not in fresh:
                writer.assign(name, value, name not in given, {*chain(*names[place + 1 :])})
            case _:
                writer.lines.append(line)
    return writer.lines, sorted(writer.made)


def _names(node: ast.AST) -> list[str]:
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]


class _Writer:
    def __init__(self, arrays: set[str]) -> None:
        self.arrays = arrays
        self.lines: list[str] = []
        self.made: set[str] = set()
        self.free: list[str] = []  # arrays for results on the way, not in use at the moment
        self.passing: set[str] = set()  # arrays that hold such results
        self.shared: set[str] = set()  # arrays with two names

    def assign(self, name: str, value: ast.expr, own: bool, later: set[str]) -> None:
        read = _names(value)
        own_arrays = self.made - self.shared - later
        over = {array for array in read if array in own_arrays and read.count(array) == 1}
        self.passing |= over  # read here for the last time: to be written over
        if isinstance(value, ast.Name):
            self.shared.add(value.id)
        if self.operation(value) is None:
            self.lines.append(f"{name} = {ast.unparse(value)}")
        else:
            if own:  # its array takes results on the way to it
                self.made.add(name)
                self.free.append(name)
                self.passing.add(name)
            self.write(value, name)
        taken = {name, *over}
        self.free = [array for array in self.free if array not in taken]
        self.passing -= taken
        if self.varies(value):
            self.arrays.add(name)

    def varies(self, node: ast.expr) -> bool:
        return not self.arrays.isdisjoint(_names(node))

    def operation(self, node: ast.expr) -> tuple[str, list[ast.expr]] | None:
        """The ufunc and its operands, where the node is an operation on arrays."""
        if self.varies(node):
            match node:
                case ast.BinOp(left, operator, right) if type(operator) in OPERATORS:
                    return OPERATORS[type(operator)], [left, right]
                case ast.UnaryOp(sign, operand) if type(sign) in OPERATORS:
                    return OPERATORS[type(sign)], [operand]
                case ast.Call(ast.Name(name), operands) if isinstance(NAMESPACE.get(name), np.ufunc):
                    return name, operands
        return None

    def write(self, node: ast.expr, into: str | None = None) -> str:
        """Write the lines that compute a node; return the name or text of its value."""
        if isinstance(node, ast.Name):
            return node.id
        operation = self.operation(node)
        if operation is None:
            return ast.unparse(node)
        name, operands = operation
        values = [self.write(operand) for operand in operands]
        self.free += [value for value in values if value in self.passing]
        target = into or (self.free.pop() if self.free else self.another())
        into = target if name in OPERATORS.values() else f"out={target}"  # by place it is faster
        self.lines.append(f"{name}({', '.join(values)}, {into})")
        return target

    def another(self) -> str:
        name = f"i{len(self.made)}"
        self.made.add(name)
        self.passing.add(name)
        return name
