"""Arithmetic stated in NumPy, written down as a program: the program gives the values that NumPy gives."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from gdsim.derivatives.difference_program import difference_program
from gdsim.derivatives.rounding import rounding_bound
from gdsim.expr.emit_numpy import NAMESPACE, statements
from gdsim.expr.lower import Program
from gdsim.expr.trace import Trace
from gdsim.losses import Loss

VALUES = np.array([-np.inf, -2.5, -1.0, -0.0, 0.0, 0.3, 1.0, 7.0, np.inf, np.nan])
FUNCTIONS: dict[str, Callable[..., np.ndarray]] = {
    "arithmetic": lambda x, y: (x + y) * 3.0 - x / y + (-x),
    "powers": lambda x, y: x**3 + x**0 + np.abs(y) ** 0.5,
    "extremes": lambda x, y: np.maximum(x, y) - np.minimum(x, 2.0),
    "masks": lambda x, y: np.where((x < y) & ~(y > 3.0) | (x == 7.0), x, y),
    "known masks": lambda x, y: np.where(np.array([True]), x, y) + np.where(x > 0.0, 1.0, np.inf),
    "what is finite": lambda x, y: np.where(np.isfinite(x), y, -np.inf) + np.where(np.isnan(y), 1.0, x),
    "functions": lambda x, y: np.sqrt(np.abs(x)) + np.exp(np.sin(y)),
}


def evaluated(program: Program, **values: np.ndarray) -> np.ndarray:
    names = {symbol: symbol.name for symbol in program.symbols}
    lines, results = statements(program, names)
    known = {**NAMESPACE, **values, "rows": 1.0}
    exec("\n".join([*lines, f"result = {results[-1]}"]), known)
    found: np.ndarray = known["result"]  # type: ignore[assignment]
    return found


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_traced_function_has_the_values_of_the_function(name: str) -> None:
    x, y = (grid.ravel() for grid in np.meshgrid(VALUES, VALUES))
    trace = Trace()
    program = trace.program([FUNCTIONS[name](trace.symbol("x"), trace.symbol("y"))])
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(evaluated(program, x=x, y=y), FUNCTIONS[name](x, y))


def test_what_is_not_known_decides_nothing() -> None:
    x = Trace().symbol("x")
    with pytest.raises(TypeError, match=r"^a traced number has no value to decide by; use np\.where$"):
        bool(x > 0.0)


@pytest.mark.parametrize("text", ["w^4 - w/3", "exp(-w^2)*sin(3w)", "log(w + 3)^2.5 - pi", "tanh(w)/(w - 1)"])
def test_the_traced_bound_is_the_bound(text: str) -> None:
    loss = Loss.from_text(text)
    weight = np.linspace(-4.0, 4.0, 41)
    expected = rounding_bound(loss)(weight[np.newaxis], {}, None)
    program = difference_program(loss, "central", given_step=False).value
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(evaluated(program, w=weight), expected)
