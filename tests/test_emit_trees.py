"""Whole formulas: every back-end within a running error bound, both dialects alike, lanes independent."""

from __future__ import annotations

import itertools
import math
import struct
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from mpmath_values import CONTEXT, value
from random_trees import (
    ANY_FLOAT,
    ARGUMENTS,
    COLUMNS,
    EVERYTHING,
    PARAMETERS,
    SCALAR,
    WEIGHTS,
    Kinds,
    Point,
    points,
    trees,
)
from running_error import Unbounded, agrees, bounded, evaluated
from tiers import examples

from gdsim.expr import emit_numba, emit_numpy, emit_python
from gdsim.expr.differentiate import derivative
from gdsim.expr.lower import lower
from gdsim.expr.nodes import Expr, Reduce, Symbol
from gdsim.expr.parse import parse

RAISED = (OverflowError, ZeroDivisionError, ValueError)


def arrays(point: Point) -> list[np.ndarray]:
    """A point as arrays of one run."""
    scalars = [np.array([number]) for number in point.scalars]
    return scalars + [np.array(column)[:, np.newaxis] for column in point.columns]


def by_python(expr: Expr, point: Point) -> float:
    return emit_python.compile_function([expr], ARGUMENTS)(*point.arguments)[0]


def by_numpy(expr: Expr, point: Point) -> float:
    return float(emit_numpy.compile_function([expr], ARGUMENTS)(*arrays(point))[0][0])


def by_torch(expr: Expr, point: Point) -> float:
    from gdsim.expr import emit_torch

    torch = pytest.importorskip("torch")
    tensors = [torch.tensor(array) for array in arrays(point)]
    return float(emit_torch.compile_function([expr], ARGUMENTS)(*tensors)[0].reshape(()))


#: what a statement for Numba calls, with one number or an array of rows
NUMBA_WORDS: dict[str, Any] = {
    "select": np.where, "fma": lambda a, b, c: a * b + c, "abs": np.abs,
    "sin": np.sin, "cos": np.cos, "tan": np.tan, "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh,
    "exp": np.exp, "log": np.log,
    "sigmoid": lambda x: 0.5 * (1.0 + np.tanh(0.5 * x)), "softplus": lambda x: np.logaddexp(0.0, x),
    "math": SimpleNamespace(
        pi=math.pi, e=math.e, inf=math.inf, nan=math.nan, sqrt=np.sqrt, pow=np.float_power,
        asin=np.arcsin, acos=np.arccos, atan=np.arctan, log2=np.log2, log10=np.log10,
    ),
}  # fmt: skip


def by_numba_text(expr: Expr, point: Point) -> float:
    values = dict(zip((name.name for name in ARGUMENTS), map(np.squeeze, arrays(point)), strict=True))
    return numba_text(expr, values, len(point.rows))


def numba_text(expr: Expr, values: Mapping[str, Any], count: int = 1) -> float:
    """The statements that Numba compiles, carried out by NumPy one after the other."""
    program = lower([expr])
    written, (result,) = emit_numba.statements(program, {symbol: symbol.name for symbol in program.symbols})
    known: dict[str, Any] = {**values, **NUMBA_WORDS, "rows": float(count), "__builtins__": {}}
    with np.errstate(all="ignore"):
        for step in written:
            found = eval(step.text, known)
            known[step.target] = np.broadcast_to(found, count).sum() if step.kind == "sum" else found
        return float(eval(result, known))


# ----------------------------------------------------------------------------- the error analysis


def check_within_bound(evaluate: Callable[[Expr, Point], float], expr: Expr, point: Point) -> None:
    computed = evaluate(expr, point)
    try:
        expected = bounded(expr, point.names, point.rows)
    except Unbounded:
        return  # the value must still have come without an exception
    assert math.isfinite(computed)
    assert agrees(computed, expected), (computed, expected)


@given(trees(), points())
@examples(150)
def test_python_is_within_the_running_error_bound(expr: Expr, point: Point) -> None:
    check_within_bound(by_python, expr, point)


@given(trees(), points())
@examples(150)
def test_numpy_is_within_the_running_error_bound(expr: Expr, point: Point) -> None:
    check_within_bound(by_numpy, expr, point)


@given(trees(), points())
@examples(150)
def test_the_statements_for_numba_are_within_the_running_error_bound(expr: Expr, point: Point) -> None:
    check_within_bound(by_numba_text, expr, point)


@pytest.mark.parametrize(
    "formula",
    [
        "max(u, v)", "min(u, v)", "relu(u)", "sign(u)", "abs(u)", "-u", "sqrt(u)", "u^v", "u/v", "u*v - u",
        "u - u*v", *(f"where(u {sign} v, u, 3)" for sign in ("<", "<=", ">", ">=", "==", "!=")),
    ],
)  # fmt: skip
def test_the_statements_for_numba_mean_at_special_values_what_the_formula_means(formula: str) -> None:
    tree = parse(formula)
    exact = emit_python.compile_function([tree], [Symbol("u"), Symbol("v")])
    for u, v in itertools.product([-math.inf, -2.0, -0.5, 0.0, 0.5, 2.0, math.inf, math.nan], repeat=2):
        found = numba_text(tree, {"u": np.float64(u), "v": np.float64(v)})
        assert found == pytest.approx(exact(u, v)[0], rel=1e-15, nan_ok=True)


@pytest.mark.integration
@given(trees(), points())
@examples(400)
def test_torch_is_within_the_running_error_bound(expr: Expr, point: Point) -> None:
    check_within_bound(by_torch, expr, point)


@pytest.mark.release
@pytest.mark.parametrize("evaluate", [by_python, by_numpy, by_torch])
def test_deep_formulas_are_within_the_running_error_bound(evaluate: Callable[[Expr, Point], float]) -> None:
    @given(trees(EVERYTHING, 5), points())
    @settings(max_examples=3000)
    def check(expr: Expr, point: Point) -> None:
        check_within_bound(evaluate, expr, point)

    check()


def test_most_random_formulas_have_a_bound_and_it_is_close() -> None:
    """Else the tests above would say nothing."""
    relative: list[float] = []

    @given(trees(), points())
    @settings(max_examples=100)
    def collect(expr: Expr, point: Point) -> None:
        try:
            real, error = bounded(expr, point.names, point.rows)
        except Unbounded:
            relative.append(math.inf)
        else:
            relative.append(float(error / abs(real)) if real else 0.0)

    collect()
    ordered = sorted(relative)
    assert len(ordered) >= 80
    assert ordered[len(ordered) // 2] < 1e-14


# ------------------------------------------------------------------------------------- dialects


def bits(number: float) -> bytes:
    return b"nan" if number != number else struct.pack("<d", number)


def watched_safe(expr: Expr) -> tuple[Callable[..., tuple[float, ...]], list[str]]:
    """The safe dialect, with a list of the calls in which the fast dialect raises."""
    raising: list[str] = []

    def watch(name: str, safe: Callable[..., float], fast: Callable[..., float]) -> Callable[..., float]:
        def call(*arguments: float) -> float:
            try:
                fast(*arguments)
            except RAISED:
                raising.append(name)
            return safe(*arguments)

        return call

    counterparts: Mapping[str, Any] = {**emit_python.FAST_NAMESPACE, "divide": lambda a, b: a / b}
    namespace = {
        name: watch(name, safe, counterparts[name]) if callable(safe) else safe  # type: ignore[arg-type]
        for name, safe in emit_python.SAFE_NAMESPACE.items()
    }
    names = emit_python.generated_names(ARGUMENTS)
    lines, results = emit_python.statements(lower([expr]), names, "safe")
    lines.insert(0, f"rows = float(len({names[COLUMNS[0]]}))")
    exec(emit_python.function_source(names.values(), lines, results), namespace)
    return namespace["function"], raising  # type: ignore[return-value]


@given(trees(), points(ANY_FLOAT))
@examples(200)
def test_the_fast_dialect_raises_where_a_safe_function_stands_in_and_has_the_same_bits_elsewhere(
    expr: Expr, point: Point
) -> None:
    safe, raising = watched_safe(expr)
    (expected,) = safe(*point.arguments)
    assert type(expected) is float
    fast = emit_python.compile_function([expr], ARGUMENTS, "fast")
    try:
        (computed,) = fast(*point.arguments)
    except RAISED:
        assert raising
    else:
        assert not raising
        assert bits(computed) == bits(expected)
    assert bits(by_python(expr, point)) == bits(expected)


@given(trees(SCALAR, 1), points(ANY_FLOAT))
@examples(200)
def test_python_and_numpy_agree_on_what_is_not_finite(expr: Expr, point: Point) -> None:
    """One operation at any doubles: finite, ±inf or nan alike (deeper, a rounding may tip the balance)."""
    first, second = by_python(expr, point), by_numpy(expr, point)
    if not (math.isfinite(first) and math.isfinite(second)):
        assert bits(first) == bits(second)


# ---------------------------------------------------------------------------------------- lanes

MOST = 64
SIZES = (1, 2, 3, 7, 8, 9, 64)
BODIES = trees(Kinds(reductions=False, leaves=(*WEIGHTS, *PARAMETERS, *COLUMNS, *COLUMNS)), 2)
REDUCTIONS = st.tuples(st.sampled_from(["mean", "sum"]), BODIES).map(lambda pair: Reduce(*pair))


def lanes(seed: int, rows: int, wide_columns: bool) -> list[np.ndarray]:
    """Sixty-four runs: moderate values, and now and then a huge, a tiny or a special one."""
    generator = np.random.Generator(np.random.Philox(seed))

    def draw(*shape: int) -> np.ndarray:
        values = generator.uniform(-4, 4, shape)
        wild = generator.random(shape) < 0.15
        special = generator.choice([0.0, -0.0, np.inf, -np.inf, np.nan, 1e300, -1e-300, 5e-324, 709.0], shape)
        return np.where(wild, special, values)

    scalars = [draw(MOST) for _ in (*WEIGHTS, *PARAMETERS)]
    return scalars + [draw(rows, MOST if wide_columns else 1) for _ in COLUMNS]


def some(arguments: list[np.ndarray], chosen: Any) -> list[np.ndarray]:
    """The arguments of some runs; what is common to all runs stays."""
    return [
        np.ascontiguousarray(array[..., chosen]) if array.shape[-1] == MOST else array for array in arguments
    ]


def canonical(array: np.ndarray) -> bytes:
    return np.where(np.isnan(array), np.nan, array).tobytes()


def check_lanes(expr: Expr, seed: int, rows: int, wide_columns: bool) -> None:
    function = emit_numpy.compile_function([expr], ARGUMENTS)
    arguments = lanes(seed, rows, wide_columns)
    (whole,) = function(*arguments)
    assert whole.shape == (MOST,)
    for size in SIZES:
        for start in (0, MOST - size):
            (part,) = function(*some(arguments, slice(start, start + size)))
            assert canonical(part) == canonical(whole[start : start + size]), (size, start)
    order = np.random.Generator(np.random.Philox(seed + 1)).permutation(MOST)
    (permuted,) = function(*some(arguments, order))
    assert canonical(permuted) == canonical(whole[order])


@given(trees(SCALAR), st.integers(0, 2**32))
@examples(60)
def test_a_lane_has_the_same_bits_whatever_runs_beside_it(expr: Expr, seed: int) -> None:
    check_lanes(expr, seed, 1, False)


@given(REDUCTIONS, st.integers(0, 2**32), st.sampled_from([1, 2, 5, 9, 40]), st.booleans())
@examples(40)
def test_a_lane_with_data_has_the_same_bits_whatever_runs_beside_it(
    expr: Expr, seed: int, rows: int, wide_columns: bool
) -> None:
    check_lanes(expr, seed, rows, wide_columns)


# ------------------------------------------------------------------------------------- autograd

MILD = st.integers(-24, 24).map(lambda eighths: eighths / 8)  # no value so small that a square is lost


@pytest.mark.integration
@given(trees(EVERYTHING, 2), points(MILD))
@examples(300)
def test_autograd_through_torch_is_the_derivative_of_the_tree(expr: Expr, point: Point) -> None:
    """Autograd sums products of partial derivatives, each right to a few 2⁻⁵³ of the largest value on the
    way; 10⁻⁹ leaves room for ways that are 10⁶ times as large as anything in the derivative. Left out are
    points where a part that is evaluated has an infinite slope: 0·∞ is nan to autograd, while the tree is
    simplified first."""
    import torch

    from gdsim.expr import emit_torch

    slopes = [derivative(expr, symbol.name) for symbol in WEIGHTS]
    try:
        bounded(expr, point.names, point.rows)
        exact = [bounded(slope, point.names, point.rows).value for slope in slopes]
        for node, at in evaluated(expr, point.names, point.rows):
            for symbol in WEIGHTS:
                bounded(derivative(node, symbol.name), at, point.rows)
    except Unbounded:
        assume(False)
    tensors = [torch.tensor(array) for array in arrays(point)]
    leaves = tensors[: len(WEIGHTS)]
    for leaf in leaves:
        leaf.requires_grad_()
    (computed,) = emit_torch.compile_function([expr], ARGUMENTS)(*tensors)
    if computed.requires_grad:
        computed.sum().backward()
    for slope, leaf, expected in zip(slopes, leaves, exact, strict=True):
        gradient = 0.0 if leaf.grad is None else float(leaf.grad[0])
        memo: dict[Expr, Any] = {}
        value(slope, point.names, point.rows, memo)
        finite = [abs(number) for number in memo.values() if CONTEXT.isfinite(number)]
        assert abs(CONTEXT.mpf(gradient) - expected) <= 1e-9 * max(1, *finite), (gradient, expected)
