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
SMOOTH_ONLY = Kinds(functions=SMOOTH, choices=False, free_exponents=False, reductions=False)


def leaves(symbols: Sequence[Symbol]) -> st.SearchStrategy[Expr]:
    """A symbol (more often than not), a number or a constant."""
    symbol = st.sampled_from(list(symbols))
    return st.one_of(symbol, symbol, NUMBERS.map(Number), st.sampled_from([Constant("pi"), Constant("e")]))


def _level(inner: st.SearchStrategy[Expr], kinds: Kinds) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    unary = [name for name in kinds.functions if name in UNARY]
    binary = [name for name in kinds.functions if name in BINARY]
    options: list[st.SearchStrategy[Expr]] = [
        several.map(Add),
        several.map(Multiply),
        st.tuples(inner, inner).map(lambda pair: Divide(*pair)),
        inner.map(Negate),
    ]
    if kinds.powers:
        options.append(st.tuples(inner, EXPONENTS).map(lambda pair: Power(*pair)))
    if kinds.powers and kinds.free_exponents:
        options.append(st.tuples(inner, inner).map(lambda pair: Power(*pair)))
    if unary:
        call = st.tuples(st.sampled_from(unary), inner).map(lambda pair: Call(pair[0], (pair[1],)))
        options += [call, call]
    if binary:
        pair = st.tuples(inner, inner)
        options.append(st.tuples(st.sampled_from(binary), pair).map(lambda two: Call(*two)))
    if kinds.choices:
        compare = st.tuples(st.sampled_from(COMPARISONS), inner, inner).map(lambda three: Compare(*three))
        options.append(st.tuples(compare, inner, inner).map(lambda three: Where(*three)))
    return st.one_of(options)


def _grown(ground: st.SearchStrategy[Expr], kinds: Kinds, depth: int) -> st.SearchStrategy[Expr]:
    strategy = ground
    for _ in range(depth):
        strategy = st.one_of(ground, _level(strategy, kinds))
    return _level(strategy, kinds)


def trees(kinds: Kinds = EVERYTHING, depth: int = 3) -> st.SearchStrategy[Expr]:
    """Formulas of at most ``depth`` + 1 levels of operations above the leaves, reductions included.

    A reduction's body has at most three levels of its own, and no reduction stands in another.
    """
    ground = leaves(kinds.leaves)
    if kinds.reductions:
        body = _grown(leaves((*kinds.leaves, *COLUMNS, *COLUMNS)), kinds, 1)
        reduction = st.tuples(st.sampled_from(["mean", "sum"]), body).map(lambda pair: Reduce(*pair))
        ground = st.one_of(ground, ground, reduction)
    return _grown(ground, kinds, depth - 1)


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
