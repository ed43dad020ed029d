"""PyTorch source: float64 tensors through which autograd runs.

Branches that ``where`` does not take must not poison the gradient: autograd multiplies the zero that
flows into them with their derivative, and 0 · ∞ is nan. Therefore each branch reads its weights through
a mask that detaches the runs that take the other branch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from gdsim.expr.emit_python import generated_names, literal
from gdsim.expr.nodes import (
    Add,
    Call,
    Compare,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Reduce,
    Symbol,
    Where,
    symbols,
)

_UNARY = {
    "sqrt": "torch.sqrt", "exp": "torch.exp", "log": "torch.log", "log2": "torch.log2",
    "log10": "torch.log10", "sin": "torch.sin", "cos": "torch.cos", "tan": "torch.tan",
    "asin": "torch.asin", "acos": "torch.acos", "atan": "torch.atan", "sinh": "torch.sinh",
    "cosh": "torch.cosh", "tanh": "torch.tanh", "abs": "torch.abs", "sign": "torch.sign",
    "relu": "torch.relu", "sigmoid": "torch.sigmoid", "max": "torch.maximum", "min": "torch.minimum",
}  # fmt: skip


class _Writer:
    """Writes one tree after the other; ``names`` maps symbols to variables and changes inside branches."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.known: dict[tuple[Expr, tuple[str, ...]], str] = {}

    def assign(self, source: str) -> str:
        name = f"t{len(self.lines)}"
        self.lines.append(f"{name} = {source}")
        return name

    def write(self, expr: Expr, names: dict[Symbol, str]) -> str:
        key = (expr, tuple(names.values()))
        if key not in self.known:
            self.known[key] = self.node(expr, names)
        return self.known[key]

    def node(self, expr: Expr, names: dict[Symbol, str]) -> str:
        match expr:
            case Symbol():
                return names[expr]
            case Number(value):
                return self.assign(f"tensor({literal(value)})")
            case Constant(name):
                return self.assign(f"tensor({name})")
            case Power(base, Number(value)):
                return self.assign(f"torch.pow({self.write(base, names)}, {literal(value)})")
            case Where():
                return self.where(expr, names)
            case Reduce(kind, body):
                return self.reduction(kind, self.write(body, names))
        values = [self.write(child, names) for child in expr.children]
        return self.assign(_source(expr, values))

    def where(self, expr: Where, names: dict[Symbol, str]) -> str:
        condition = expr.condition
        left, right = self.write(condition.left, names), self.write(condition.right, names)
        chosen = self.assign(f"{left} {condition.operator} {right}")
        then = self.write(expr.then, self.masked(expr.then, names, f"{chosen}, {{0}}, {{0}}.detach()"))
        other = self.write(expr.otherwise, self.masked(expr.otherwise, names, f"{chosen}, {{0}}.detach(), {{0}}"))
        return self.assign(f"torch.where({chosen}, {then}, {other})")

    def masked(self, branch: Expr, names: dict[Symbol, str], pattern: str) -> dict[Symbol, str]:
        inside = dict(names)
        for name in symbols(branch, "weight"):
            symbol = Symbol(name)
            inside[symbol] = self.assign(f"torch.where({pattern.format(names[symbol])})")
        return inside

    def reduction(self, kind: str, body: str) -> str:
        total = self.assign(f"row_sum({body}, rows)")
        return self.assign(f"{total} * row_scale" if kind == "sum" else f"{total} / rows")


def _source(expr: Expr, values: list[str]) -> str:
    match expr:
        case Add():
            return " + ".join(values)
        case Multiply():
            return " * ".join(values)
        case Divide():
            return f"{values[0]} / {values[1]}"
        case Negate():
            return f"-{values[0]}"
        case Power():
            return f"torch.pow({values[0]}, {values[1]})"
        case Call("softplus"):
            (x,) = values
            return f"torch.relu({x}) + torch.log1p(torch.exp(-torch.abs({x})))"
        case Call("huber"):
            x, bound = values
            clipped = f"torch.minimum(torch.abs({x}), {bound})"  # x²/2 inside, d(|x| − d/2) outside
            return f"{clipped} * (torch.abs({x}) - 0.5 * {clipped})"
        case Call(function):
            return f"{_UNARY[function]}({', '.join(values)})"
        case Compare():
            raise AssertionError("a comparison stands only inside where")
    raise AssertionError(f"unknown node {type(expr).__name__}")


def compile_function(
    outputs: Sequence[Expr], arguments: Sequence[Symbol], row_scale: float = 1.0
) -> Callable[..., tuple[Any, ...]]:
    """Compile expressions to one function of float64 tensors, differentiable by autograd.

    Parameters
    ----------
    outputs, arguments
        What to compute, from which symbols in which order. Weights and parameters are tensors of shape
        ``(runs,)``, data columns ``(rows, 1)`` or ``(rows, runs)``.
    row_scale
        What a ``sum`` is multiplied with (see the NumPy back-end).

    Raises
    ------
    ImportError
        Where PyTorch is not installed.

    Notes
    -----
    The derivative conventions at kinks are those of the tree: abs′(0) = sign(0) = relu′(0) = 0, ties of
    max and min average; PyTorch has the same.
    """
    import math

    import torch

    names = generated_names(arguments)
    writer = _Writer()
    results = [writer.write(output, dict(names)) for output in outputs]
    columns = [names[symbol] for symbol in arguments if symbol.role == "column"]
    head = [f"rows = float(len({columns[0]}))"] if columns else []
    lines = [*head, *writer.lines, f"return ({''.join(f'{result}, ' for result in results)})"]
    source = f"def function({', '.join(names.values())}):\n" + "\n".join(f"    {line}" for line in lines) + "\n"

    def tensor(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64)

    def row_sum(values: Any, rows: float) -> Any:
        return values.sum(dim=0) if values.dim() == 2 else values * rows

    namespace: dict[str, Any] = {
        "torch": torch, "tensor": tensor, "row_sum": row_sum, "row_scale": row_scale,
        "inf": math.inf, "pi": math.pi, "e": math.e,
    }  # fmt: skip
    exec(compile(source, "<gdsim formula>", "exec"), namespace)
    function: Callable[..., tuple[Any, ...]] = namespace["function"]
    return function
