"""Polynomials that a scaling of the weights leaves alike round a place, checked again term by term."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, BallFunction, ball
from gdsim.expr.nodes import Add, Divide, Expr, Multiply, Negate, Number, Power, Symbol, walk

_MOST_TERMS, _HIGHEST_POWER = 2000, 64
_MOST_PIECES = 4000  # of a frame
Frame = tuple[tuple[Fraction, ...], tuple[Fraction, ...]]


def scaled_kind(
    written: WrittenLoss,
    place: Sequence[Fraction],
    scaling: Sequence[Fraction],
    frame: tuple[Sequence[float], Sequence[float]],
) -> str:
    """The kind of a place that is the only critical point in the whole space; empty where that is not shown.

    Parameters
    ----------
    place
        The point p.
    scaling
        Positive a with f(p + (t^a₁u₁, …, t^aₙuₙ)) − f(p) = t·(f(p + u) − f(p)).
    frame
        The corners of a box with p inside.

    Notes
    -----
    f(p + u) − f(p) is a polynomial without linear terms, of whose exponents each has a·e = 1. Then ∇f(p) = 0,
    and by t ↦ t^a·u other zeros of ∇f lie on curves that cross the frame's boundary, as do the places where
    f has a sign. By Euler's relation Σ aᵢuᵢ∂f/∂uᵢ = f − f(p) a zero of ∇f lies where f = f(p).
    Cost: an expansion, and a loss and a gradient for each of some ten to a hundred pieces of the boundary.
    Source: V. I. Arnold, S. M. Gusein-Zade and A. N. Varchenko, Singularities of Differentiable Maps I
    (1985), §12.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> written = WrittenLoss.of(Loss.from_text("x^4 + y^2"))
    >>> scaled_kind(written, (Fraction(0),) * 2, (Fraction(1, 4), Fraction(1, 2)), ((-1, -1), (1, 1)))
    'minimum'
    """
    terms = _polynomial(written, place)
    if not terms or not all(a > 0 for a in scaling):
        return ""
    height = terms.pop((0,) * len(place), Fraction(0))
    for exponents in terms:
        if sum(exponents) < 2 or sum(a * e for a, e in zip(scaling, exponents, strict=True)) != 1:
            return ""
    low, high = tuple(map(Fraction, frame[0])), tuple(map(Fraction, frame[1]))
    if not terms or not all(a < p < b for a, p, b in zip(low, place, high, strict=True)):
        return ""
    function = BallFunction([written.expression, *written.gradient], written.weights)
    return _kind_on(function, ball(height), (low, high))


def _kind_on(function: BallFunction, height: Ball, frame: Frame) -> str:
    """What the signs of f − f(p) on the frame's boundary show, if ∇f is nowhere zero there."""
    signs: set[int] = set()
    waiting = deque(_faces(frame))
    for _ in range(_MOST_PIECES):
        if not waiting:
            return {1: "minimum", -1: "maximum"}[signs.pop()] if len(signs) == 1 else "saddle"
        low, high = waiting.popleft()
        loss, *slope = function(*(ball(a).union(ball(b)) for a, b in zip(low, high, strict=True)))
        sign = _side(loss, height)
        if sign:
            signs.add(sign)
        elif len(signs) < 2 or not any(value > 0 or value < 0 for value in slope):
            middle = [ball((a + b) / 2) for a, b in zip(low, high, strict=True)]
            signs |= {_side(function(*middle)[0], height)} - {0}
            waiting += _halves((low, high), frame)
    return ""


def _side(loss: Ball, height: Ball) -> int:
    return 1 if loss > height else -1 if loss < height else 0


def _faces(frame: Frame) -> Iterator[Frame]:
    low, high = frame
    for j in range(len(low)):
        for end in (low[j], high[j]):
            yield (*low[:j], end, *low[j + 1 :]), (*high[:j], end, *high[j + 1 :])


def _halves(piece: Frame, frame: Frame) -> tuple[Frame, Frame]:
    """Halve a piece of a face along its side that is widest beside the frame's."""
    low, high = piece
    j = max(range(len(low)), key=lambda j: (high[j] - low[j]) / (frame[1][j] - frame[0][j]))
    cut = (low[j] + high[j]) / 2
    return (low, (*high[:j], cut, *high[j + 1 :])), ((*low[:j], cut, *low[j + 1 :]), high)


def _polynomial(written: WrittenLoss, place: Sequence[Fraction]) -> dict[tuple[int, ...], Fraction]:
    """The coefficients of f(p + u) by exponents; empty where f is no polynomial, or a long one."""
    ring: Any = fmpq_mpoly_ctx.get([f"u{j}" for j in range(len(place))], Ordering.lex)
    letters = {
        name: u + fmpq(p.numerator, p.denominator)
        for name, u, p in zip(written.weights, ring.gens(), place, strict=True)
    }
    try:
        done: dict[Expr, Any] = {}
        for node in walk(written.expression):
            done[node] = _combined(node, [done[child] for child in node.children], ring, letters)
    except _NoPolynomial:
        return {}
    terms = done[written.expression].to_dict().items()
    return {tuple(map(int, power)): Fraction(int(c.numerator), int(c.denominator)) for power, c in terms if c}


class _NoPolynomial(Exception):
    pass


def _combined(node: Expr, parts: Sequence[Any], ring: Any, letters: Mapping[str, Any]) -> Any:
    match node:
        case Number(value):
            return ring.constant(fmpq(value.numerator, value.denominator))
        case Symbol(name) if name in letters:
            return letters[name]
        case Negate():
            return -parts[0]
        case Add():
            return sum(parts[1:], parts[0])
        case Multiply():
            return _product(parts)
        case Divide() if parts[1].is_constant() and parts[1]:
            return parts[0] * (1 / parts[1].leading_coefficient())
        case Power(_, Number(exponent)) if exponent.denominator == 1 and 1 <= exponent <= _HIGHEST_POWER:
            return _product([parts[0]] * int(exponent))
    raise _NoPolynomial


def _product(parts: Sequence[Any]) -> Any:
    result, *others = parts
    for other in others:
        if len(result) * len(other) > _MOST_TERMS:
            raise _NoPolynomial
        result = result * other
    return result
