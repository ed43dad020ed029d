"""A function of one weight as a rational function of letters: the ring of python-flint that factoring needs.

Each letter stands for a kernel: the weight, a constant, or a function of the weight. The exponentials of all
multiples of one argument are powers of one letter, so are the roots of one base; the sines and cosines of
multiples of one angle are led to those of the angle.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from gdsim.expr.algebra import add, multiply, power, split_coefficient
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import (
    Add,
    Call,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Symbol,
)
from gdsim.expr.signs import without_sign
from gdsim.expr.simplify import simplify

_MOST_TERMS = 300
_MOST_LETTERS = 12
_HIGHEST_DEGREE = 60
_LARGEST_MULTIPLE = 6  # of an angle that is written out in the sine and cosine of one


class TooLarge(Exception):
    """The expanded numerator would not pay."""


class Letters:
    """The kernels of a tree and the ring over them."""

    def __init__(self, expr: Expr) -> None:
        self.kernels: list[Expr] = []
        self.unit: dict[Expr, Fraction] = {}  # body u: all exp(k·u) are powers of exp(unit·u)
        self.angle: dict[Expr, set[Fraction]] = {}  # body u: the k of all sin(k·u) and cos(k·u)
        self._angles: dict[tuple[Expr, Fraction], Expr] = {}
        self.degree: dict[Expr, int] = {}  # base u: all its roots are powers of the root of this degree
        self.through: dict[Expr, tuple[Expr, Fraction]] = {}  # kernel v: (c·v, c) whose root is a letter
        self._collect(expr)
        if len(self.kernels) > _MOST_LETTERS:
            raise TooLarge
        names = tuple(f"k{place}" for place in range(len(self.kernels))) or ("k0",)
        self.ring: Any = fmpq_mpoly_ctx.get(names, Ordering.lex)
        self.letter = dict(zip(self.kernels, self.ring.gens(), strict=False))

    def _collect(self, expr: Expr) -> None:
        found: dict[Expr, None] = {}
        exponents: dict[Expr, set[Fraction]] = {}
        for node in _read(expr):
            match node:
                case Call("exp", (argument,)):
                    coefficient, body = _multiple(argument)
                    exponents.setdefault(body, set()).add(coefficient)
                case Call("sin" | "cos" | "tan", (argument,)):
                    coefficient, body = _multiple(argument)
                    self.angle.setdefault(body, set()).add(abs(coefficient))
                case Call("sqrt", (base,)):
                    self.degree[base] = math.lcm(self.degree.get(base, 1), 2)
                case Power(base, exponent) if (value := rational_exponent(exponent)) is not None:
                    if value.denominator > 1:
                        self.degree[base] = math.lcm(self.degree.get(base, 1), value.denominator)
                case Power(base, exponent) if rational_exponent(exponent) is None:
                    found.setdefault(Power(base, _without_offset(exponent)[1]))
                case Symbol() | Constant() | Call() | Power():
                    found.setdefault(node)
        for body, multiples in exponents.items():  # a letter e^−u where only such occur: e^u may be huge
            unit = _common_unit(multiples)
            self.unit[body] = unit if max(multiples) > 0 else -unit
        for base in self.degree:
            coefficient, body = _multiple(base)
            if body in found and coefficient and body not in self.through:
                self.through[body] = (base, coefficient)
        roots = [_root(base, degree) for base, degree in self.degree.items()]
        found = {kernel: None for kernel in found if kernel not in self.through}
        circular = [
            Call(name, (self._angle(body, multiple),))
            for body, multiples in self.angle.items()
            for multiple in self._base_angles(multiples)
            for name in ("sin", "cos")
        ]
        self.kernels = [*found, *roots, *(self._exponential(body) for body in self.unit), *circular]

    @staticmethod
    def _base_angles(multiples: set[Fraction]) -> set[Fraction]:
        """The angles that are letters: the common unit, where all are small multiples of it."""
        unit = _common_unit(multiples)
        return {unit} if unit and max(multiples) / unit <= _LARGEST_MULTIPLE else multiples

    def _angle(self, body: Expr, multiple: Fraction) -> Expr:
        known = self._angles.get((body, multiple))
        if known is None:
            known = self._angles[body, multiple] = simplify(Multiply((Number(multiple), body)))
        return known

    @property
    def reduced(self) -> bool:
        """Whether multiples of an angle were written in the sine and cosine of one."""
        return any(self._base_angles(multiples) != multiples for multiples in self.angle.values())

    def _circular(self, name: str, argument: Expr) -> Any:
        """sin or cos of a multiple of an angle, by (cos u + i·sin u)ᵏ."""
        coefficient, body = _multiple(argument)
        bases = self._base_angles(self.angle[body])
        unit = abs(coefficient) if abs(coefficient) in bases else next(iter(bases))
        sine, cosine = (self.letter[Call(n, (self._angle(body, unit),))] for n in ("sin", "cos"))
        real, imaginary = self._one, self._number(Fraction(0))
        for _ in range(int(abs(coefficient) / unit)):
            real, imaginary = real * cosine - imaginary * sine, imaginary * cosine + real * sine
        return real if name == "cos" else imaginary if coefficient > 0 else -imaginary

    def on_the_circle(self, part: Any) -> Any:
        """A polynomial with cos² written as 1 − sin², where multiples of an angle met: they hide squares."""
        for body, multiples in self.angle.items():
            bases = self._base_angles(multiples)
            if bases == multiples:
                continue
            (unit,) = bases
            sine, cosine = (Call(n, (self._angle(body, unit),)) for n in ("sin", "cos"))
            place = self.kernels.index(cosine)
            square = 1 - self.letter[sine] ** 2
            total = self._number(Fraction(0))
            for exponents, coefficient in part.to_dict().items():
                whole = list(exponents)
                halves, whole[place] = divmod(int(whole[place]), 2)
                total += self.ring.term(coeff=coefficient, exp_vec=tuple(whole)) * square**halves
            part = total
        return self._small(part)

    def _exponential(self, body: Expr) -> Expr:
        return Call("exp", (simplify(Multiply((Number(self.unit[body]), body))),))

    def fraction(self, expr: Expr) -> tuple[Any, Any]:
        """Numerator and denominator over the letters."""
        if expr in self.through:
            base, coefficient = self.through[expr]
            power_of_root = self._of_base(base, Fraction(1))
            return self._product(power_of_root, (self._one, self._number(coefficient)))
        match expr:
            case Number(value):
                return self._number(value), self._one
            case Add(terms):
                return self._folded(terms, self._sum)
            case Multiply(factors):
                return self._folded(factors, self._product)
            case Negate(operand):
                above, below = self.fraction(operand)
                return -above, below
            case Divide(numerator, denominator):
                above, below = self.fraction(denominator)
                if not above:
                    raise ZeroDivisionError
                return self._product(self.fraction(numerator), (below, above))
            case Power(base, exponent) if (raised := rational_exponent(exponent)) is not None:
                if raised.denominator > 1:
                    return self._of_base(base, raised)
                return self._raised(self.fraction(base), raised.numerator)
            case Power(base, exponent):
                offset, rest = _without_offset(exponent)
                letter = self.letter[Power(base, rest)]
                over = self._raised(self.fraction(base), offset) if offset else (self._one, self._one)
                return self._product((letter, self._one), over)
            case Call("exp", (argument,)):
                coefficient, body = _multiple(argument)
                letter = self.letter[self._exponential(body)]
                whole = coefficient / self.unit[body]
                return self._raised((letter, self._one), int(whole))
            case Call("sqrt", (base,)):
                return self._of_base(base, Fraction(1, 2))
            case Call("tan", (argument,)):
                return self._circular("sin", argument), self._circular("cos", argument)
            case Call("sin" | "cos" as name, (argument,)):
                return self._circular(name, argument), self._one
        return self.letter[expr], self._one

    def _of_base(self, base: Expr, exponent: Fraction) -> tuple[Any, Any]:
        """A rational power of a base whose root is a letter."""
        degree = self.degree[base]
        return self._raised((self.letter[_root(base, degree)], self._one), int(exponent * degree))

    @property
    def _one(self) -> Any:
        return self._number(Fraction(1))

    def _number(self, value: Fraction) -> Any:
        return self.ring.constant(fmpq(value.numerator, value.denominator))

    def _folded(self, parts: tuple[Expr, ...], combine: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
        result: tuple[Any, Any] = self.fraction(parts[0])
        for part in parts[1:]:
            result = combine(result, self.fraction(part))
        return result

    def _sum(self, first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
        if first[1] == second[1]:
            return self._small(first[0] + second[0]), first[1]
        common = first[1].gcd(second[1])
        left, right = second[1] / common, first[1] / common
        return self._small(first[0] * left + second[0] * right), self._small(first[1] * left)

    def _product(self, first: tuple[Any, Any], second: tuple[Any, Any]) -> tuple[Any, Any]:
        return self._small(first[0] * second[0]), self._small(first[1] * second[1])

    def _raised(self, value: tuple[Any, Any], exponent: int) -> tuple[Any, Any]:
        above, below = value if exponent >= 0 else (value[1], value[0])
        if not below:
            raise ZeroDivisionError
        size = abs(exponent)
        largest = max(len(above), len(below))
        if size > _HIGHEST_DEGREE or (largest > 1 and largest**size > 100 * _MOST_TERMS and len(above) > 2):
            raise TooLarge
        return self._small(above**size), self._small(below**size)

    def _small(self, value: Any) -> Any:
        if len(value) > _MOST_TERMS:
            raise TooLarge
        return value

    def tree(self, part: Any) -> Expr:
        """The tree of a polynomial of the letters."""
        terms = []
        for exponents, coefficient in part.to_dict().items():
            factors: list[Expr] = [Number(Fraction(int(coefficient.p), int(coefficient.q)))]
            factors += [
                power(kernel, Number(Fraction(int(exponent))))
                for kernel, exponent in zip(self.kernels, exponents, strict=False)
                if exponent
            ]
            terms.append(multiply(factors))
        return add(terms)


def _read(expr: Expr) -> Iterator[Expr]:
    """The nodes outside of kernels, and the kernels."""
    stack = [expr]
    while stack:
        node = stack.pop()
        yield node
        match node:
            case Add() | Multiply() | Negate() | Divide():
                stack.extend(reversed(node.children))
            case Power(base, exponent):
                whole = rational_exponent(exponent)
                if whole.denominator == 1 if whole is not None else _without_offset(exponent)[0] != 0:
                    stack.append(base)


def _without_offset(exponent: Expr) -> tuple[int, Expr]:
    """An exponent such as π − 1 as a whole number and the rest: u^(π − 1) is u^π/u."""
    if isinstance(exponent, Add):
        whole = sum((term.value for term in exponent.terms if isinstance(term, Number)), Fraction(0))
        offset = whole - sum(
            (
                term.operand.value
                for term in exponent.terms
                if isinstance(term, Negate) and isinstance(term.operand, Number)
            ),
            Fraction(0),
        )
        if offset.denominator == 1 and offset:
            return int(offset), simplify(Add((exponent, Number(-offset))))
    return 0, exponent


def _root(base: Expr, degree: int) -> Expr:
    return Call("sqrt", (base,)) if degree == 2 else Power(base, Number(Fraction(1, degree)))


def _multiple(expr: Expr) -> tuple[Fraction, Expr]:
    """An expression as a rational times the rest: −w/2 as −1/2 and w."""
    negative, rest = without_sign(expr)
    coefficient, body = split_coefficient(rest)
    return (-coefficient if negative else coefficient), body


def _common_unit(multiples: set[Fraction]) -> Fraction:
    """The largest rational of which all are whole multiples.

    >>> _common_unit({Fraction(1, 2), Fraction(1, 3)})
    Fraction(1, 6)
    """
    below = math.lcm(*(multiple.denominator for multiple in multiples))
    return Fraction(math.gcd(*(int(multiple * below) for multiple in multiples)), below)
