"""Hypothesis strategies for random formulas: every kind of node, every function, depth bounded.

The trees are such as the parser makes (``log`` and never ``ln``; ``max``, ``min`` and ``huber`` of two
arguments; columns only inside one reduction), so that each can be printed and parsed again. ``points``
draws values for the symbols in ``ARGUMENTS``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from hypothesis import strategies as st

from gdsim.expr.functions import FUNCTIONS
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
)

WEIGHTS = (Symbol("w"), Symbol("v_1"))
PARAMETERS = (Symbol("alpha", "parameter"), Symbol("b2", "parameter"))
COLUMNS = (Symbol("x", "column"), Symbol("y", "column"))
ARGUMENTS = (*WEIGHTS, *PARAMETERS, *COLUMNS)
PARAMETER_NAMES = frozenset(symbol.name for symbol in PARAMETERS)
COLUMN_NAMES = frozenset(symbol.name for symbol in COLUMNS)

COMPARISONS = ("<", "<=", ">", ">=", "==", "!=")
UNARY = tuple(
    name for name, entry in FUNCTIONS.items() if entry.arguments == (1, 1) and not entry.canonical
)  # fmt: skip
BINARY = tuple(name for name, entry in FUNCTIONS.items() if entry.arguments != (1, 1))
SMOOTH = tuple(name for name in UNARY if FUNCTIONS[name].analytic)

NUMBERS = st.one_of(
    st.integers(0, 12).map(Fraction),
    st.fractions(min_value=0, max_value=20, max_denominator=12),
    st.sampled_from(
        [Fraction("0.1"), Fraction("1e-8"), Fraction("12345.678"), Fraction(1, 3), Fraction(10**12)]
    ),
)
EXPONENTS = st.one_of(
    st.integers(-9, 9).map(lambda n: Number(Fraction(n)) if n >= 0 else Negate(Number(Fraction(-n)))),
    st.sampled_from([Fraction(1, 2), Fraction(3, 2), Fraction(7, 2), Fraction("0.3"), Fraction("2.7")]).map(
        Number
    ),
    st.tuples(st.integers(1, 7), st.integers(2, 3)).map(
        lambda pair: Divide(Number(Fraction(pair[0])), Number(Fraction(pair[1])))
    ),
)


@dataclass(frozen=True)
class Kinds:
    """Which nodes may occur."""

    functions: tuple[str, ...] = (*UNARY, *BINARY)
    choices: bool = True
    powers: bool = True
    free_exponents: bool = True
    reductions: bool = True
    leaves: tuple[Symbol, ...] = (*WEIGHTS, *PARAMETERS)


EVERYTHING = Kinds()
SCALAR = Kinds(reductions=False)


def _leaf(draw: st.DrawFn, symbols: Sequence[Symbol]) -> Expr:
    kind = draw(st.sampled_from(["symbol", "symbol", "symbol", "number", "constant"]))
    if kind == "symbol":
        return draw(st.sampled_from(symbols))
    return Number(draw(NUMBERS)) if kind == "number" else Constant(draw(st.sampled_from(["pi", "e"])))


def _operations(kinds: Kinds) -> list[str]:
    """The operations by name, those named twice twice as often."""
    names = ["add", "add", "multiply", "multiply", "divide", "negate"]
    names += ["power"] * kinds.powers + ["free power"] * (kinds.powers and kinds.free_exponents)
    names += ["call"] * (4 if kinds.functions else 0) + ["choice"] * kinds.choices
    return names


def _tree(draw: st.DrawFn, kinds: Kinds, symbols: Sequence[Symbol], depth: int, top: bool) -> Expr:
    """A tree of at most so many levels; ``top`` asks for an operation at its top."""
    if depth == 0 or (not top and draw(st.integers(0, 3)) == 0):
        return _leaf(draw, symbols)
    inside = any(symbol.role == "column" for symbol in symbols)
    if kinds.reductions and not inside and draw(st.integers(0, 7)) == 0:
        body = _tree(draw, kinds, (*symbols, *COLUMNS, *COLUMNS), min(depth, 2), True)
        return Reduce(draw(st.sampled_from(["mean", "sum"])), body)

    def part() -> Expr:
        return _tree(draw, kinds, symbols, depth - 1, False)

    match draw(st.sampled_from(_operations(kinds))):
        case "add":
            return Add(tuple(part() for _ in range(draw(st.integers(2, 3)))))
        case "multiply":
            return Multiply(tuple(part() for _ in range(draw(st.integers(2, 3)))))
        case "divide":
            return Divide(part(), part())
        case "negate":
            return Negate(part())
        case "power":
            return Power(part(), draw(EXPONENTS))
        case "free power":
            return Power(part(), part())
        case "choice":
            return Where(Compare(draw(st.sampled_from(COMPARISONS)), part(), part()), part(), part())
    function = draw(st.sampled_from(kinds.functions))
    return Call(function, tuple(part() for _ in range(2 if function in BINARY else 1)))


@st.composite
def trees(draw: st.DrawFn, kinds: Kinds = EVERYTHING, depth: int = 3) -> Expr:
    """Formulas of at most ``depth`` levels of operations above the leaves, reductions apart.

    A reduction's body has at most two levels of its own, and no reduction stands in another.
    """
    return _tree(draw, kinds, kinds.leaves, depth, True)


MODERATE = st.one_of(
    st.floats(-4, 4, allow_subnormal=False),
    st.sampled_from([0.0, 1.0, -1.0, 0.5, -2.0, 3.0, 1e-9, -1e-5, 30.0, -700.0]),
)
"""Values at which most formulas are finite."""

ANY_FLOAT = st.one_of(
    st.floats(),
    st.sampled_from(
        [0.0, -0.0, 1.0, -1.0, 5e-324, -5e-324, 1e-200, 1e200, -1e200, 1.7e308, -1.7e308, 709.9, -745.2]
    ),
    st.sampled_from([float("inf"), float("-inf"), float("nan")]),
)
"""Any double, special ones often."""


@dataclass(frozen=True)
class Point:
    """Values for the symbols of a tree: a number for a weight or parameter, one for each row for a column."""

    scalars: tuple[float, ...]
    columns: tuple[tuple[float, ...], ...]

    @property
    def arguments(self) -> tuple[object, ...]:
        """Values in the order of ``ARGUMENTS``."""
        return (*self.scalars, *self.columns)

    @property
    def names(self) -> dict[str, float]:
        """Weights and parameters by name."""
        return {
            symbol.name: value for symbol, value in zip((*WEIGHTS, *PARAMETERS), self.scalars, strict=True)
        }

    @property
    def rows(self) -> list[dict[str, float]]:
        """Columns by name, row by row."""
        return [
            {symbol.name: value for symbol, value in zip(COLUMNS, row, strict=True)}
            for row in zip(*self.columns, strict=True)
        ]


def points(values: st.SearchStrategy[float] = MODERATE, most_rows: int = 4) -> st.SearchStrategy[Point]:
    """Values for every symbol of ``ARGUMENTS``, with at least one row of data."""
    scalars = st.tuples(*[values] * len((*WEIGHTS, *PARAMETERS)))
    columns = st.integers(1, most_rows).flatmap(
        lambda rows: st.tuples(*[st.tuples(*[values] * rows)] * len(COLUMNS))
    )
    return st.tuples(scalars, columns).map(lambda pair: Point(*pair))
