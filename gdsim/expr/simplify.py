"""What a textbook prints: exact constants, no zeros and ones, like terms and like powers collected.

``simplify`` rebuilds a tree from its leaves with the constructors ``add``, ``multiply``, ``divide``,
``power``, ``negate``, ``call``, ``choose`` and ``reduction``. Each takes simplified operands and
returns a simplified node, so that ``differentiate`` builds its results with them as well.

The value stays the same, rounding aside, wherever the original is finite; where the original is
undefined at single points (w²/w at 0) or beyond (√w·√w for w < 0), the result may be defined. The
two sides of a comparison are left exactly as written: rounding must not move a kink.
"""

from __future__ import annotations

from fractions import Fraction

from gdsim.expr.algebra import (
    absolute,
    add,
    choose,
    divide,
    multiply,
    negate,
    power,
    sign_apart,
    split_coefficient,
)
from gdsim.expr.exact import exact_call
from gdsim.expr.nodes import (
    ZERO,
    Add,
    Call,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Reduce,
    ReductionKind,
    Symbol,
    Where,
    walk,
)

_HALF = Fraction(1, 2)
_ODD = frozenset({"sin", "tan", "asin", "atan", "sinh", "tanh", "sign"})
_EVEN = frozenset({"cos", "cosh"})


def simplify(expr: Expr) -> Expr:
    """Return the expression as a textbook would print it.

    Constants are folded exactly, zeros and ones vanish, nested sums and products are flattened, like
    terms and like powers are collected, signs and numeric coefficients come first. Products of sums are
    not multiplied out. Terms keep their written order, except that a sum begins with a positive term
    where it has one.

    Notes
    -----
    ``simplify(simplify(e)) == simplify(e)``. The two sides of a comparison are left as written. Numbers
    are folded only where the result stays well inside double precision, so that ``9^9^9`` stays as it is.
    Cost: about linear in the number of distinct nodes.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> simplify(parse("2w + 0*w^5 + 3w")) == simplify(parse("5w"))
    True
    >>> simplify(parse("a*w*a", parameters=frozenset("a"))) == parse("a^2*w", parameters=frozenset("a"))
    True
    """
    return Simplifier()(expr)


class Simplifier:
    """``simplify`` with a memory: shared parts of many expressions are simplified once.

    Functions that stand ``as_they_are`` are left out of identities: 1 − tanh² does not become 1/cosh².
    """

    def __init__(self, as_they_are: frozenset[str] = frozenset()) -> None:
        self.as_they_are = as_they_are
        self._done: dict[Expr, Expr] = {}
        self._pool: dict[Expr, Expr] = {}

    def __call__(self, expr: Expr) -> Expr:
        done = self._done
        for node in walk(expr, done):
            done[node] = self.keep(_rebuilt(node, done, self.as_they_are))
        return done[expr]

    def know(self, expr: Expr, simplified: Expr) -> None:
        """State what an expression is to become."""
        self._done[expr] = simplified

    def keep(self, expr: Expr) -> Expr:
        """Return the one copy of an expression that is kept, so that comparing copies stays cheap."""
        return self._pool.setdefault(expr, expr)


def _rebuilt(node: Expr, done: dict[Expr, Expr], as_they_are: frozenset[str]) -> Expr:
    match node:
        case Add(terms):
            # a subtracted sum is not turned round first, so that w - (v - 2) reads w - v + 2
            signed = (
                Negate(done[term.operand]) if isinstance(term, Negate) else done[term] for term in terms
            )
            return add(signed, as_they_are)
        case Multiply(factors):
            return multiply(done[factor] for factor in factors)
        case Divide(numerator, denominator):
            return divide(done[numerator], done[denominator])
        case Power(base, exponent):
            return power(done[base], done[exponent])
        case Negate(operand):
            return negate(done[operand])
        case Call(function, arguments):
            return call(function, *(done[argument] for argument in arguments))
        case Where(condition, then, otherwise):
            return choose(condition, done[then], done[otherwise])
        case Reduce(kind, body):
            return reduction(kind, done[body])
    return node


def call(function: str, *arguments: Expr) -> Expr:
    """Apply a function to simplified arguments: exact values, signs pulled out of odd functions."""
    if function == "sqrt":
        return power(arguments[0], Number(_HALF))
    if function == "abs":
        return absolute(arguments[0])
    exact = exact_call(function, arguments)
    if exact is not None:
        return Number(exact)
    negative, positive = sign_apart(arguments[0])
    if negative and function in _ODD:
        return negate(call(function, positive))
    if negative and function in _EVEN:
        return call(function, positive)
    if function in ("max", "min") and arguments[0] == arguments[1]:
        return arguments[0]
    if function == "relu" and isinstance(arguments[0], Call) and arguments[0].function in ("abs", "relu"):
        return arguments[0]
    return Call(function, arguments)


def reduction(kind: ReductionKind, body: Expr) -> Expr:
    """Reduce a simplified body over the rows; a number comes out, the mean of a constant is itself."""
    if body == ZERO:
        return ZERO
    if kind == "mean" and not any(isinstance(node, Symbol) and node.role == "column" for node in walk(body)):
        return body
    negative, positive = sign_apart(body)
    coefficient, rest = split_coefficient(positive)
    if negative or coefficient != 1:
        sign = -1 if negative else 1
        return multiply((Number(sign * coefficient), Reduce(kind, rest)))
    return Reduce(kind, body)
