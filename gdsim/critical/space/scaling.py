"""Polynomials that a scaling of the weights leaves alike: their critical points lie on curves to infinity."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from flint import fmpq_mat

from gdsim.critical.written import WrittenLoss
from gdsim.expr.nodes import Add, Divide, Expr, Multiply, Negate, Number, Power, Symbol, walk

Polynomial = dict[tuple[int, ...], Fraction]

_MOST_TERMS = 1600


def scaling(written: WrittenLoss, place: Sequence[Fraction]) -> tuple[Fraction, ...] | None:
    """Return positive a₁, …, aₙ with f(p + (t^a₁u₁, …, t^aₙuₙ)) − f(p) = t·(f(p + u) − f(p)), or None.

    Then t → p + t^a·u carries zeros of ∇f to zeros of ∇f: any zero but p lies on a curve of zeros that runs
    from p to infinity, and p is the only one where the boundary of some box round it holds none.

    Notes
    -----
    All exponents e of the polynomial f(p + u) − f(p) must satisfy a·e = 1; of the solutions of the linear
    system the shortest is taken, in rational numbers.
    Source: V. I. Arnold, S. M. Gusein-Zade and A. N. Varchenko, Singularities of Differentiable Maps I
    (1985), §12.

    Examples
    --------
    >>> from gdsim.losses import Loss
    >>> monkey, bump = Loss.from_text("x^3 - 3x*y^2"), Loss.from_text("x^2 + y^2 + y^3")
    >>> [scaling(WrittenLoss.of(loss), (Fraction(0), Fraction(0))) for loss in (monkey, bump)]
    [(Fraction(1, 3), Fraction(1, 3)), None]
    """
    terms = polynomial(written, place)
    if terms is None:
        return None
    exponents = [power for power, coefficient in terms.items() if any(power) and coefficient]
    size = len(place)
    if not exponents:
        return None
    rows = [[*power, 1] for power in exponents]
    reduced, rank = fmpq_mat(len(rows), size + 1, [x for row in rows for x in row]).rref()
    kept = fmpq_mat(rank, size, [reduced[i, j] for i in range(rank) for j in range(size)])
    if not any(kept[rank - 1, j] for j in range(size)):  # the last equation is 0 = 1
        return None
    right = fmpq_mat(rank, 1, [reduced[i, size] for i in range(rank)])
    shortest = kept.transpose() * (kept * kept.transpose()).solve(right)  # of all solutions
    found = tuple(Fraction(int(x.numerator), int(x.denominator)) for x in shortest.entries())
    return found if all(a > 0 for a in found) else None


def is_scaled(written: WrittenLoss, place: Sequence[Fraction]) -> bool:
    """Whether there is such a scaling."""
    return scaling(written, place) is not None


def polynomial(written: WrittenLoss, place: Sequence[Fraction]) -> Polynomial | None:
    """Return the coefficients of a polynomial about a point, by exponents; None where it is none, or long."""
    size = len(place)
    zero = (0,) * size
    done: dict[Expr, Polynomial | None] = {}
    for node in walk(written.expression):
        if isinstance(node, Symbol) and node.role == "weight":
            j = written.weights.index(node.name)
            unit = tuple(int(i == j) for i in range(size))
            done[node] = {zero: place[j], unit: Fraction(1)}
        else:
            parts = [done[child] for child in node.children]
            known = [part for part in parts if part is not None]
            done[node] = _combined(node, known, zero) if len(known) == len(parts) else None
    return done[written.expression]


def _combined(node: Expr, parts: Sequence[Polynomial], zero: tuple[int, ...]) -> Polynomial | None:
    match node:
        case Number(value):
            return {zero: value}
        case Negate():
            return {power: -value for power, value in parts[0].items()}
        case Add():
            total: Polynomial = {}
            for part in parts:
                for power, value in part.items():
                    total[power] = total.get(power, Fraction(0)) + value
            return total
        case Multiply():
            return _product(parts, zero)
        case Divide() if set(parts[1]) == {zero} and parts[1][zero]:
            return {power: value / parts[1][zero] for power, value in parts[0].items()}
        case Power(_, Number(exponent)) if exponent.denominator == 1 and 0 <= exponent <= 32:
            return _product([parts[0]] * int(exponent), zero)
    return None


def _product(parts: Sequence[Polynomial], zero: tuple[int, ...]) -> Polynomial | None:
    result: Polynomial = {zero: Fraction(1)}
    for part in parts:
        if len(result) * len(part) > _MOST_TERMS:
            return None
        product: Polynomial = {}
        for first, a in result.items():
            for second, b in part.items():
                power = tuple(i + j for i, j in zip(first, second, strict=True))
                product[power] = product.get(power, Fraction(0)) + a * b
        result = {power: value for power, value in product.items() if value}
    return result
