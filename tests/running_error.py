"""How far a formula evaluated in double precision may be from its real value: a forward error analysis.

Each node gets its value at 50 digits and a bound on what any back-end may have in its place: the errors of
its operands carried through (for a function, to the ends of their intervals), plus its own rounding. Where
nothing can be said (a comparison within the errors, a pole or the edge of the domain within reach, overflow)
there is no bound. Written from the definitions, not from gdsim's own rounding analysis.

Source: N. J. Higham, Accuracy and Stability of Numerical Algorithms (2nd ed., 2002), §3.3.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from mpmath import mpf
from mpmath_values import CONTEXT, rational

from gdsim.expr.nodes import (
    TWO,
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

UNIT = CONTEXT.mpf(2) ** -53
TINY = CONTEXT.mpf(2) ** -1074
LARGEST = CONTEXT.mpf(2) ** 1023  # half the largest double: room for the error
LIBRARY_ULPS = 4  # NumPy's promise for its functions; sigmoid and softplus have it for the whole of theirs
POWER_UNITS = 16  # up to seven roundings in a product, doubled for a reciprocal and a root


class Bounded(NamedTuple):
    """A real value and how far a computed one may be from it."""

    value: mpf
    error: mpf


class Unbounded(Exception):
    """Nothing can be said about the computed value."""


def bounded(expr: Expr, at: Mapping[str, float], rows: Sequence[Mapping[str, float]] = ()) -> Bounded:
    """Return the real value of an expression and a bound for every back-end, or raise Unbounded."""
    return _Analysis(at, rows).of(expr)


def evaluated(
    expr: Expr, at: Mapping[str, float], rows: Sequence[Mapping[str, float]] = ()
) -> list[tuple[Expr, Mapping[str, float]]]:
    """Return every node that the value depends on, with the symbols' values there: no branch not taken."""
    analysis = _Analysis(at, rows)
    analysis.of(expr)
    return [*((node, at) for node in analysis.known), *analysis.in_rows]


def _rounded(value: mpf, carried: mpf, units: int = 1) -> Bounded:
    """A result with the rounding of its own operation (``units`` of 2⁻⁵³) on top of what is carried."""
    size = abs(value) + carried
    if not CONTEXT.isfinite(size) or size > LARGEST:
        raise Unbounded
    return Bounded(value, carried + units * UNIT * size + units * TINY)


class _Analysis:
    def __init__(self, at: Mapping[str, float], rows: Sequence[Mapping[str, float]]) -> None:
        self.at, self.rows = at, rows
        self.known: dict[Expr, Bounded | None] = {}
        self.in_rows: list[tuple[Expr, Mapping[str, float]]] = []

    def of(self, expr: Expr) -> Bounded:
        if expr not in self.known:
            try:
                self.known[expr] = self.node(expr)
            except Unbounded:
                self.known[expr] = None
        found = self.known[expr]
        if found is None:
            raise Unbounded
        return found

    def node(self, expr: Expr) -> Bounded:
        match expr:
            case Number(number):
                exact = abs(number) < 2**1023 and Fraction(float(number)) == number
                return Bounded(rational(number), CONTEXT.mpf(0)) if exact else _rounded(rational(number), 0)
            case Constant(name):
                return _rounded(+CONTEXT.pi if name == "pi" else +CONTEXT.e, 0)
            case Symbol(name):
                return _exact(self.at[name])
            case Negate(operand):
                inner = self.of(operand)
                return Bounded(-inner.value, inner.error)
            case Add(terms):
                return self.fold(terms, lambda a, b: (a.value + b.value, a.error + b.error))
            case Multiply(factors):
                return self.fold(factors, _product)
            case Divide(numerator, denominator):
                return _quotient(self.of(numerator), self.of(denominator))
            case Power(base, exponent):
                return _power(self.of(base), self.of(exponent))
            case Where(condition, then, otherwise):
                return self.of(then) if self.holds(condition) else self.of(otherwise)
            case Reduce(kind, body):
                return self.reduction(kind, body)
            case Call("huber", (x, bound)):
                return self.of(_huber(x, bound))
            case Call(function, arguments):
                return _call(function, [self.of(argument) for argument in arguments])
        raise TypeError(expr)

    def fold(self, parts: Sequence[Expr], combine: Callable[[Bounded, Bounded], tuple[mpf, mpf]]) -> Bounded:
        total = self.of(parts[0])
        for part in parts[1:]:
            total = _rounded(*combine(total, self.of(part)))
        return total

    def holds(self, condition: Compare) -> bool:
        left, right = self.of(condition.left), self.of(condition.right)
        apart = left.value - right.value
        if abs(apart) <= left.error + right.error and (left.error or right.error):
            raise Unbounded
        truths = {"<": apart < 0, "<=": apart <= 0, ">": apart > 0, ">=": apart >= 0, "==": apart == 0}
        return bool(truths.get(condition.operator, apart != 0))

    def reduction(self, kind: str, body: Expr) -> Bounded:
        """In whatever order n terms are added, the error is at most n·u·Σ|terms| (Higham, §4.2)."""
        terms = []
        for row in self.rows:
            analysis = _Analysis({**self.at, **row}, ())
            terms.append(analysis.of(body))
            self.in_rows += [(node, analysis.at) for node in analysis.known]
        count = len(terms)
        size = CONTEXT.fsum([abs(term.value) + term.error for term in terms])
        carried = CONTEXT.fsum([term.error for term in terms]) + count * (UNIT * size + TINY)
        total = CONTEXT.fsum([term.value for term in terms])
        if size > LARGEST:
            raise Unbounded
        if kind == "mean":
            return _rounded(total / count, carried / count)
        return _rounded(total, carried)


def _exact(number: float) -> Bounded:
    value = CONTEXT.mpf(number)
    if not CONTEXT.isfinite(value):
        raise Unbounded
    return Bounded(value, CONTEXT.mpf(0))


def _product(a: Bounded, b: Bounded) -> tuple[mpf, mpf]:
    return a.value * b.value, abs(a.value) * b.error + abs(b.value) * a.error + a.error * b.error


def _quotient(a: Bounded, b: Bounded) -> Bounded:
    room = abs(b.value) - b.error
    if room <= 0:
        raise Unbounded
    value = a.value / b.value
    return _rounded(value, (a.error + abs(value) * b.error) / room)


def _power(base: Bounded, exponent: Bounded) -> Bounded:
    """x^y is monotone in x and in y where x keeps its sign: the corners of the rectangle tell."""
    y = exponent.value
    whole = exponent.error == 0 and y == CONTEXT.floor(y)
    if whole and y == 0:
        return _exact(1.0)
    if abs(base.value) <= base.error:
        if base.value == 0 and base.error == 0 and y - exponent.error > 0:
            return _exact(0.0)
        if not (whole and y > 0):
            raise Unbounded
        largest = (abs(base.value) + base.error) ** y
        return _rounded(CONTEXT.power(base.value, y), largest, POWER_UNITS)
    if base.value < 0 and not whole:
        raise Unbounded
    sign = -1 if base.value < 0 and CONTEXT.floor(y / 2) * 2 != y else 1
    size = abs(base.value)
    if (abs(y) + exponent.error) * abs(CONTEXT.log(size)) > 700:  # the reciprocal may over- or underflow
        raise Unbounded
    corners = [
        CONTEXT.power(x, p)
        for x in (size - base.error, size + base.error)
        for p in (y - exponent.error, y + exponent.error)
    ]
    value = CONTEXT.power(size, y)
    return _rounded(sign * value, max(abs(corner - value) for corner in corners), POWER_UNITS)


def _huber(x: Expr, bound: Expr) -> Expr:
    size = Call("abs", (x,))
    near = Multiply((Number(Fraction(1, 2)), Multiply((x, x))))
    far = Multiply((bound, Add((size, Negate(Divide(bound, TWO))))))
    return Where(Compare("<=", size, bound), near, far)


def _call(function: str, arguments: list[Bounded]) -> Bounded:
    x, *others = arguments
    match function:
        case "max" | "min":
            chosen = max if function == "max" else min
            return Bounded(chosen(x.value, others[0].value), max(x.error, others[0].error))
        case "abs":
            return Bounded(abs(x.value), x.error)
        case "relu":
            return Bounded(max(x.value, CONTEXT.mpf(0)), x.error)
        case "sign":
            if abs(x.value) <= x.error != 0:
                raise Unbounded
            return _exact(float(CONTEXT.sign(x.value)))
        case "sin" | "cos":
            value = getattr(CONTEXT, function)(x.value)
            return _rounded(value, min(x.error, CONTEXT.mpf(2)), 2 * LIBRARY_ULPS)
    return _monotone(function, x)


def _monotone(function: str, x: Bounded) -> Bounded:
    """Between the ends of an interval (and 0, where cosh turns) such a function takes no other values."""
    if abs(x.value) > 10**4 and function in ("exp", "sinh", "cosh"):
        raise Unbounded
    ends = [x.value - x.error, x.value + x.error]
    if function == "tan" and CONTEXT.floor(ends[0] / CONTEXT.pi + 0.5) != CONTEXT.floor(
        ends[1] / CONTEXT.pi + 0.5
    ):
        raise Unbounded
    if function == "cosh" and ends[0] < 0 < ends[1]:
        ends.append(CONTEXT.mpf(0))
    value = _real(function, x.value)
    carried = max(abs(_real(function, end) - value) for end in ends) if x.error else CONTEXT.mpf(0)
    return _rounded(value, carried, 2 if function == "sqrt" else 2 * LIBRARY_ULPS)


def _real(function: str, x: mpf) -> mpf:
    """The function at a real argument inside its domain."""
    match function:
        case "sqrt" if x < 0:
            raise Unbounded
        case "log" | "log2" | "log10" if x <= 0:
            raise Unbounded
        case "asin" | "acos" if abs(x) > 1:
            raise Unbounded
        case "log2":
            return CONTEXT.log(x) / CONTEXT.log(2)
        case "sigmoid":
            return 1 / (1 + CONTEXT.exp(-x)) if x > -(10**4) else CONTEXT.mpf(0)
        case "softplus":
            return max(x, CONTEXT.mpf(0)) + CONTEXT.log1p(CONTEXT.exp(-min(abs(x), CONTEXT.mpf(10**4))))
    return getattr(CONTEXT, function)(x)


def agrees(computed: float, expected: Bounded) -> bool:
    """Whether a computed value lies within the bound."""
    return bool(abs(CONTEXT.mpf(computed) - expected.value) <= expected.error)
