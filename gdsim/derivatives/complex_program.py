"""The complex step as a program of real numbers, for a back-end that compiles.

What :mod:`gdsim.derivatives.complex_step` leaves to NumPy's complex arithmetic stands here in real and
imaginary parts. A value that no weight reaches stays real, as it does there, and gets the imaginary part 0
where it meets a complex one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Symbol
from gdsim.expr.trace import Trace
from gdsim.losses import Loss


class Complex(NamedTuple):
    """A complex number in its parts."""

    real: Any
    imaginary: Any


def complex_program(loss: Loss, name: str) -> Program:
    """Return Im L(w + ih)/h for one weight as a program that reads ``step``, h.

    Source: W. Squire and G. Trapp, SIAM Rev. 40 (1998) 110–112, doi:10.1137/S003614459631241X.

    Examples
    --------
    >>> program = complex_program(Loss.from_text("w^2"), "w")
    >>> [step.operation for step in program.instructions[:4]]
    ['symbol', 'symbol', 'mul', 'mul']
    """
    assert loss.expression is not None
    trace, program = Trace(), lower([loss.expression])
    height = trace.symbol("step")
    leaves: dict[Symbol, Any] = {symbol: trace.symbol(symbol) for symbol in program.symbols}
    raised = Symbol(name)
    if raised in leaves:
        leaves[raised] = Complex(leaves[raised], height)
    value = _evaluated(trace, program, leaves)
    if not isinstance(value, Complex):  # the loss does not depend on this weight
        value = Complex(value, 0.0)
    slope = value.imaginary / height
    return trace.program([np.where(np.isnan(value.real), np.nan, slope)])


def _evaluated(trace: Trace, program: Program, leaves: Mapping[Symbol, Any]) -> Any:
    values: list[Any] = []
    for step in program.instructions:
        operands = [values[place] for place in step.operands]
        if isinstance(step.payload, Symbol):
            values.append(leaves[step.payload])
        elif not any(isinstance(operand, Complex) for operand in operands):
            values.append(trace.emit(step.operation, *operands, payload=step.payload))
        else:
            values.append(_operation(trace, step, operands))
    return values[program.outputs[0]]


def _operation(trace: Trace, step: Instruction, operands: list[Any]) -> Complex:
    if step.operation == "where":
        left, right, then, otherwise = operands
        parts = zip(_complex(then), _complex(otherwise), strict=True)
        return Complex(*(trace.emit("where", left, right, a, b, payload=step.payload) for a, b in parts))
    if step.operation in ("sum", "mean"):
        rows = trace.emit("rows")
        total = Complex(*(trace.emit("sum", x) if trace.rowwise(x) else rows * x for x in operands[0]))
        return _divided(total, Complex(rows, 0.0)) if step.operation == "mean" else total
    if step.operation == "pow":
        return _power(*operands)
    return _FUNCTIONS[step.operation](*map(_complex, operands))


def _complex(value: Any) -> Complex:
    return value if isinstance(value, Complex) else Complex(value, 0.0)


def _nan_where(condition: Any, value: Complex) -> Complex:
    """What is nan for a real weight: nan + 0i."""
    return Complex(np.where(condition, np.nan, value.real), np.where(condition, 0.0, value.imaginary))


def _either(condition: Any, then: Complex, otherwise: Complex) -> Complex:
    return Complex(*(np.where(condition, a, b) for a, b in zip(then, otherwise, strict=True)))


def _added(z: Complex, y: Complex) -> Complex:
    return Complex(z.real + y.real, z.imaginary + y.imaginary)


def _negative(z: Complex) -> Complex:
    return Complex(-z.real, -z.imaginary)


def _product(z: Complex, y: Complex) -> Complex:
    return Complex(z.real * y.real - z.imaginary * y.imaginary, z.real * y.imaginary + z.imaginary * y.real)


def _divided(z: Complex, y: Complex) -> Complex:
    """By the smaller part of the divisor over the larger, so that no square overflows.

    Source: R. L. Smith, Commun. ACM 5 (1962) 435, doi:10.1145/368637.368661.
    """
    steep = abs(y.real) < abs(y.imaginary)
    large, small = np.where(steep, y.imaginary, y.real), np.where(steep, y.real, y.imaginary)
    a, b = np.where(steep, z.imaginary, z.real), np.where(steep, z.real, z.imaginary)
    ratio = small / large
    scale = 1.0 / (large + small * ratio)
    imaginary = (b - a * ratio) * scale
    quotient = Complex((a + b * ratio) * scale, np.where(steep, -imaginary, imaginary))
    size = abs(y.real)
    return _either(large == 0.0, Complex(z.real / size, z.imaginary / size), quotient)


def _power(base: Any, exponent: Any) -> Complex:
    """z^y in polar form, as :mod:`gdsim.derivatives.complex_step` has it.

    A negative base is taken as (−1)^c·(−z)^c for whole c and is nan otherwise, as for real numbers.
    """
    z, y = _complex(base), _complex(exponent)
    negative = z.real < 0.0
    half = 0.5 * y.real
    sign = np.where(negative & (np.floor(half) != half), -1.0, 1.0)
    z = _either(negative, _negative(z), z)
    size, angle = np.hypot(z.real, z.imaginary), np.arctan2(z.imaginary, z.real)
    radius, turn = np.power(size, y.real) * sign, y.real * angle
    whole = np.floor(y.real) == y.real
    if isinstance(exponent, Complex):
        still = y.imaginary == 0.0
        whole = whole & still
        radius = np.power(size, y.real) * np.exp(-y.imaginary * angle) * sign
        turn = np.where(still, 0.0, y.imaginary * np.log(size)) + turn
    imaginary = radius * np.sin(turn)
    real = radius * np.cos(turn) + 0.0 * imaginary  # what overflows is nan
    return _nan_where(negative & ~whole, Complex(real, imaginary))


def _exp(z: Complex) -> Complex:
    size = np.exp(z.real)
    return Complex(size * np.cos(z.imaginary), _sized(size, np.sin(z.imaginary)))


def _sized(size: Any, sine: Any) -> Any:
    """size·sine, where a sine of zero stays zero beside a size beyond all numbers, as in C (C11, G.6.3)."""
    return np.where(abs(sine) > 0.0, size * sine, sine)


def _any_log(z: Complex) -> Complex:
    return Complex(np.log(np.hypot(z.real, z.imaginary)), np.arctan2(z.imaginary, z.real))


def _log(base: float) -> Callable[[Complex], Complex]:
    def function(z: Complex) -> Complex:
        value = _any_log(z)
        if base != np.e:
            value = _divided(value, Complex(np.log(base), 0.0))
        return _nan_where(z.real < 0.0, value)

    return function


def _any_root(z: Complex) -> Complex:
    """√z right of the imaginary axis."""
    root = np.sqrt(0.5 * (z.real + np.hypot(z.real, z.imaginary)))
    return Complex(root, np.where(root == 0.0, z.imaginary, z.imaginary / (2.0 * root)))


def _sin(z: Complex) -> Complex:
    return Complex(np.sin(z.real) * np.cosh(z.imaginary), np.cos(z.real) * np.sinh(z.imaginary))


def _cos(z: Complex) -> Complex:
    return Complex(np.cos(z.real) * np.cosh(z.imaginary), -np.sin(z.real) * np.sinh(z.imaginary))


def _sinh(z: Complex) -> Complex:
    return Complex(np.sinh(z.real) * np.cos(z.imaginary), _sized(np.cosh(z.real), np.sin(z.imaginary)))


def _cosh(z: Complex) -> Complex:
    return Complex(np.cosh(z.real) * np.cos(z.imaginary), _sized(np.sinh(z.real), np.sin(z.imaginary)))


def _tan(z: Complex) -> Complex:
    """(tan x + i tanh y)/(1 − i tan x tanh y)."""
    tangent, other = np.tan(z.real), np.tanh(z.imaginary)
    square, bend = tangent * tangent, other * other
    size = 1.0 + square * bend
    return Complex(tangent * (1.0 - bend) / size, other * (1.0 + square) / size)


def _tanh(z: Complex) -> Complex:
    """Without cancellation.

    Source: W. Kahan, Branch cuts for complex elementary functions (1987), procedure CTANH.
    """
    far = abs(z.real) >= 22.0
    sine, tangent = np.sinh(np.where(far, 0.0, z.real)), np.tan(z.imaginary)
    bend, square = 1.0 + tangent * tangent, sine * sine
    size = 1.0 + bend * square
    near = Complex(bend * np.sqrt(1.0 + square) * sine / size, tangent / size)
    small = 4.0 * np.sin(z.imaginary) * np.cos(z.imaginary) * np.exp(-2.0 * abs(z.real))
    return _either(far, Complex(np.where(z.real < 0.0, -1.0, 1.0), small), near)


def _asin(z: Complex) -> Complex:
    """Source: W. Kahan, Branch cuts for complex elementary functions (1987), procedure CASIN."""
    below, above = _any_root(_added(Complex(1.0, 0.0), _negative(z))), _any_root(_added(z, Complex(1.0, 0.0)))
    real = below.real * above.real - below.imaginary * above.imaginary
    imaginary = below.real * above.imaginary - below.imaginary * above.real
    return _nan_where(abs(z.real) > 1.0, Complex(np.arctan2(z.real, real), np.arcsinh(imaginary)))


def _acos(z: Complex) -> Complex:
    """π/2 − asin z, by half the angle.

    Source: W. Kahan, Branch cuts for complex elementary functions (1987), procedure CACOS.
    """
    below, above = _any_root(_added(Complex(1.0, 0.0), _negative(z))), _any_root(_added(z, Complex(1.0, 0.0)))
    imaginary = above.real * below.imaginary - above.imaginary * below.real
    real = 2.0 * np.arctan2(below.real, above.real)
    return _nan_where(abs(z.real) > 1.0, Complex(real, np.arcsinh(imaginary)))


def _atan(z: Complex) -> Complex:
    x, y = z
    real = 0.5 * np.arctan2(2.0 * x, (1.0 - x) * (1.0 + x) - y * y)
    return Complex(real, 0.25 * np.log1p(4.0 * y / (x * x + (1.0 - y) * (1.0 - y))))


def _sigmoid(z: Complex) -> Complex:
    right = z.real >= 0.0
    small = _exp(_either(right, _negative(z), z))
    one = Complex(1.0, 0.0)
    return _divided(_either(right, one, small), _added(one, small))


def _softplus(z: Complex) -> Complex:
    right = z.real >= 0.0
    small = _exp(_either(right, _negative(z), z))
    return _added(_either(right, z, Complex(0.0, 0.0)), _any_log(_added(Complex(1.0, 0.0), small)))


_FUNCTIONS: dict[str, Callable[..., Complex]] = {
    "add": _added, "sub": lambda z, y: _added(z, _negative(y)), "mul": _product, "div": _divided,
    "neg": _negative, "exp": _exp, "log": _log(np.e), "log2": _log(2.0), "log10": _log(10.0),
    "sqrt": lambda z: _nan_where(z.real < 0.0, _any_root(z)), "sin": _sin, "cos": _cos, "tan": _tan,
    "sinh": _sinh, "cosh": _cosh, "tanh": _tanh, "asin": _asin, "acos": _acos, "atan": _atan,
    "sigmoid": _sigmoid, "softplus": _softplus,
}  # fmt: skip
