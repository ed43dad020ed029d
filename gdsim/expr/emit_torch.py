"""PyTorch source: float64 tensors through which autograd runs.

Branches that ``where`` does not take must not poison the gradient: autograd multiplies the zero that
flows into them with their derivative, and 0 · ∞ is nan. Therefore each branch reads its weights through
a mask that detaches the runs that take the other branch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from gdsim.expr.emit_python import function_source, generated_names, literal
from gdsim.expr.lower import LARGEST_UNROLLED_POWER, rational_exponent
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

_FUNCTIONS = {
    "sqrt": "torch.sqrt", "exp": "torch.exp", "log": "torch.log", "log2": "torch.log2",
    "log10": "torch.log10", "sin": "torch.sin", "cos": "torch.cos", "tan": "torch.tan",
    "asin": "torch.asin", "acos": "torch.acos", "atan": "torch.atan", "sinh": "torch.sinh",
    "cosh": "torch.cosh", "tanh": "torch.tanh", "abs": "torch.abs", "sign": "sign",
    "relu": "torch.relu", "max": "torch.maximum", "min": "torch.minimum",
    "sigmoid": "sigmoid", "softplus": "softplus", "huber": "huber",
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
            case Power(base, exponent) if (known := rational_exponent(exponent)) is not None:
                return self.power(self.write(base, names), known)
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
        inverse = f"{chosen}, {{0}}.detach(), {{0}}"
        otherwise = self.write(expr.otherwise, self.masked(expr.otherwise, names, inverse))
        return self.assign(f"torch.where({chosen}, {then}, {otherwise})")

    def power(self, base: str, exponent: Fraction) -> str:
        if exponent == 0:
            return self.assign("tensor(1.0)")  # whatever the base, and so without a slope
        if exponent == Fraction(1, 2):
            return self.assign(f"torch.sqrt({base})")
        power = f"torch.pow({base}, {literal(exponent)})"
        if exponent.denominator == 2 and abs(exponent) <= LARGEST_UNROLLED_POWER:
            power = f"torch.where({base} < 0.0, nan, {power})"  # as with a root: nan at −∞, where pow is ∞
        return self.assign(power)

    def masked(self, branch: Expr, names: dict[Symbol, str], pattern: str) -> dict[Symbol, str]:
        inside = dict(names)
        for name in symbols(branch, "weight"):
            symbol = Symbol(name)
            inside[symbol] = self.assign(f"torch.where({pattern.format(names[symbol])})")
        return inside

    def reduction(self, kind: str, body: str) -> str:
        return self.assign(
            f"row_sum({body}, rows) * row_scale" if kind == "sum" else f"row_mean({body}, rows)"
        )


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
        case Call(function):
            return f"{_FUNCTIONS[function]}({', '.join(values)})"
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
    names = generated_names(arguments)
    writer = _Writer()
    results = [writer.write(output, dict(names)) for output in outputs]
    columns = [names[symbol] for symbol in arguments if symbol.role == "column"]
    head = [f"rows = float(len({columns[0]}))"] if columns else []
    source = function_source(names.values(), [*head, *writer.lines], results)

    namespace = {**_namespace(), "row_scale": row_scale}
    exec(compile(source, "<gdsim formula>", "exec"), namespace)
    function: Callable[..., tuple[Any, ...]] = namespace["function"]
    return function


def _namespace() -> dict[str, Any]:
    """What generated source may name."""
    import torch

    def tensor(value: float) -> Any:
        return torch.tensor(value, dtype=torch.float64)

    def row_sum(values: Any, rows: float) -> Any:
        return values.sum(dim=0) if values.dim() == 2 else values * rows

    def row_mean(values: Any, rows: float) -> Any:
        return values.sum(dim=0) / rows if values.dim() == 2 else values

    def sign(x: Any) -> Any:
        """``torch.sign`` makes 0 of nan."""
        return torch.where(x == x, torch.sign(x), math.nan)

    def sigmoid(x: Any) -> Any:
        """Either side without overflow; ``torch.sigmoid`` differentiates to s(1 − s), which cancels."""
        return torch.exp(torch.minimum(x, tensor(0.0))) / (1.0 + torch.exp(-torch.abs(x)))

    def softplus(x: Any) -> Any:
        """log1p(exp(x)) up to 40, from where on log(1 + exp(x)) rounds to x."""
        return torch.nn.functional.softplus(x, 1.0, 40.0)

    def huber(x: Any, bound: Any) -> Any:
        """x²/2 for |x| ≤ d, else d(|x| − d/2); each piece sees only what is its own."""
        size = torch.abs(x)
        inside = size <= bound
        near = torch.where(inside, x, tensor(0.0))
        far = torch.where(inside, tensor(0.0), bound)
        return torch.where(inside, 0.5 * (near * near), far * (size - 0.5 * far))

    return {
        "torch": torch, "tensor": tensor, "row_sum": row_sum, "row_mean": row_mean,
        "sign": sign, "sigmoid": sigmoid, "softplus": softplus, "huber": huber,
        "inf": math.inf, "nan": math.nan, "pi": math.pi, "e": math.e,
    }  # fmt: skip
