"""Sums, products, quotients, powers and choices of simplified expressions, simplified again.

Each constructor takes simplified operands and returns a simplified node. ``simplify`` and
``differentiate`` build everything with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from gdsim.expr.exact import exact_power, foldable, over_and_under
from gdsim.expr.identities import merger
from gdsim.expr.nodes import (
    ONE,
    ZERO,
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
    Symbol,
    Where,
)

_HALF = Fraction(1, 2)
_RATIOS = {"sinh": ("cosh", "tanh"), "sin": ("cos", "tan")}


# ---------------------------------------------------------------------------------------- sums


def add(terms: Iterable[Expr], as_they_are: frozenset[str] = frozenset()) -> Expr:
    """Add simplified terms: flatten, collect like terms, drop zeros; identities of other functions apply."""
    collected: dict[Expr, list[Fraction]] = {}
    first_written: dict[object, Expr] = {}
    for coefficient, body in _terms(terms, 1):
        alike = first_written.setdefault(_unordered(body), body)
        collected.setdefault(alike, []).append(coefficient)
    totals = {body: sum(coefficients, Fraction(0)) for body, coefficients in collected.items()}
    if found := merger(totals, as_they_are):
        merged = divide(multiply((Number(found.coefficient), found.body, found.above)), found.below)
        first, second = found.dropped
        others = [_scaled(total, body) for body, total in totals.items() if body not in (first, second)]
        place = min(list(totals).index(body) for body in found.dropped)
        return add([*others[:place], merged, *others[place:]], as_they_are)
    built: list[Expr] = []
    for body, total in totals.items():
        shares = [total] if total == 0 or foldable(total) else collected[body]
        built.extend(_scaled(share, body) for share in shares if share != 0)
    if any(isinstance(term, Add) for term in built):
        return add(built, as_they_are)
    opened = [inner for term in built for inner in _opened(term)]
    if len(opened) > len(built):
        shorter = add(opened, as_they_are)
        if len(shorter.terms if isinstance(shorter, Add) else (shorter,)) <= len(built):
            return shorter  # 2·(3w − 1) − 3·(2w + 1) = −5; but 2·(w − 3) + 3·(v − 1) stays
    return _signed_sum(built)


def _opened(term: Expr) -> Sequence[Expr]:
    """A number times a sum, multiplied out."""
    negative, positive = sign_apart(term)
    coefficient, body = split_coefficient(positive)
    if not isinstance(body, Add):
        return (term,)
    factor = Number(-coefficient if negative else coefficient)
    return [multiply((factor, inner)) for inner in body.terms]


def _terms(terms: Iterable[Expr], sign: int) -> Iterator[tuple[Fraction, Expr]]:
    """Every term of a sum of sums, its number apart."""
    for term in terms:
        match term:
            case Add(inner):
                yield from _terms(inner, sign)
            case Negate(operand):
                yield from _terms((operand,), -sign)
            case _:
                coefficient, body = split_coefficient(term)
                yield sign * coefficient, body


def _unordered(body: Expr) -> object:
    """A key that is the same for v·w and w·v."""
    match body:
        case Multiply(factors):
            return frozenset(Counter(factors).items())
        case Divide(numerator, denominator):
            return _unordered(numerator), _unordered(denominator)
    return body


def split_coefficient(term: Expr) -> tuple[Fraction, Expr]:
    """Split a simplified term without sign into its number and the rest."""
    match term:
        case Number(value):
            return value, ONE
        case Multiply((Number(value), second, *others)) if not isinstance(second, Number):
            return value, Multiply((second, *others)) if others else second
        case Divide(numerator, denominator):
            above, top = split_coefficient(numerator)
            below, bottom = split_coefficient(denominator)
            if below == 0 or not foldable(above / below):
                return Fraction(1), term
            return above / below, top if bottom == ONE else Divide(top, bottom)
    return Fraction(1), term


def _scaled(coefficient: Fraction, body: Expr) -> Expr:
    return body if coefficient == 1 else multiply((Number(coefficient), body))


def _signed_sum(terms: Sequence[Expr]) -> Expr:
    if not terms:
        return ZERO
    if len(terms) == 1:
        return terms[0]
    signed = [sign_apart(term) for term in terms]
    if signed[0][0]:
        first = next((place for place, (negative, _) in enumerate(signed) if not negative), 0)
        signed.insert(0, signed.pop(first))
    return Add(tuple(Negate(term) if negative else term for negative, term in signed))


def sign_apart(term: Expr) -> tuple[bool, Expr]:
    match term:
        case Negate(operand):
            return True, operand
        case Number(value) if value < 0:
            return True, Number(-value)
    return False, term


def _all_negative(expr: Expr) -> bool:
    return isinstance(expr, Add) and all(isinstance(term, Negate) for term in expr.terms)


# ------------------------------------------------------------------------------------ products


def multiply(factors: Iterable[Expr]) -> Expr:
    """Multiply simplified factors: flatten, collect like powers, put the number first."""
    product = _Product()
    for factor in factors:
        product.take(factor, 1)
    return product.built()


def divide(numerator: Expr, denominator: Expr) -> Expr:
    """Divide simplified expressions; like powers cancel, sums are not divided out."""
    product = _Product()
    product.take(numerator, 1)
    product.take(denominator, -1)
    return product.built()


def negate(operand: Expr) -> Expr:
    """Change the sign of a simplified expression."""
    return multiply((Number(Fraction(-1)), operand))


def spread(coefficient: Expr, total: Expr) -> Expr:
    """Multiply a number into the terms of a sum; anything else is multiplied as it stands."""
    if isinstance(coefficient, Number) and isinstance(total, Add):
        return add(multiply((coefficient, term)) for term in total.terms)
    return multiply((coefficient, total))


def common_factor(first: Expr, second: Expr, denominator: Expr) -> Expr:
    """Return what to take out of f′·g − f·g′: shared factors exp(…), and the powers of the bases of g."""
    one, two, bases = _Product(), _Product(), _Product()
    for product, factor in ((one, first), (two, second), (bases, denominator)):
        product.take(factor, 1)
    shared: dict[Expr, Fraction] = {}
    for base in {**one.powers, **two.powers}:
        exponent = min(one.powers.get(base, Fraction(0)), two.powers.get(base, Fraction(0)))
        exponential = isinstance(base, Call) and base.function == "exp"
        if base in bases.powers or (exponential and exponent > 0):
            shared[base] = exponent
    return multiply(power(base, Number(exponent)) for base, exponent in shared.items())


class _Product:
    """A product while it is being collected: a sign, numbers, and an exponent for each base."""

    def __init__(self) -> None:
        self.negative = False
        self.above: list[Fraction] = []
        self.below: list[Fraction] = []
        self.powers: dict[Expr, Fraction] = {}

    def take(self, factor: Expr, times: int) -> None:
        """Multiply by a simplified factor (``times`` 1) or divide by it (−1)."""
        match factor:
            case Number(value):
                self.negative ^= value < 0
                if abs(value) != 1:
                    (self.above if times > 0 else self.below).append(abs(value))
            case Negate(operand):
                self.negative = not self.negative
                self.take(operand, times)
            case Multiply(factors):
                for inner in factors:
                    self.take(inner, times)
            case Divide(numerator, denominator):
                self.take(numerator, times)
                self.take(denominator, -times)
            case Power(base, Number(exponent)):
                self.raise_base(base, times * exponent)
            case Call("sqrt", (radicand,)):
                self.raise_base(radicand, times * _HALF)
            case Add(terms) if _all_negative(factor):
                self.negative = not self.negative
                self.raise_base(Add(tuple(term.operand for term in terms)), Fraction(times))  # type: ignore[attr-defined]
            case _:
                self.raise_base(factor, Fraction(times))

    def raise_base(self, base: Expr, exponent: Fraction) -> None:
        total = self.powers.get(base, Fraction(0)) + exponent
        if total == 0:
            self.powers.pop(base, None)
        else:
            self.powers[base] = total

    def built(self) -> Expr:
        self._settle()
        coefficient = self._coefficient()
        if coefficient == 0:
            return ZERO
        if 0 in self.below:
            if 0 in self.above:
                return Divide(ZERO, ZERO)  # nan, whatever the other factors are
            self.above, self.below = [], [Fraction(0)]  # an infinity or nan, whatever else is below
            self.powers = {base: x for base, x in self.powers.items() if x > 0}
        for base, exponent in self.powers.items():
            if exponent == 1 and isinstance(base, Where) and _has_zero_branch(base):
                return self._inside(base)
        up = [power(base, Number(x)) for base, x in self._ordered() if x > 0]
        down = [power(base, Number(-x)) for base, x in self._ordered() if x < 0]
        if coefficient is None:
            up[:0] = [Number(value) for value in self.above if value != 1]
            down[:0] = [Number(value) for value in self.below if value != 1]
            coefficient = Fraction(1)
        return self._assembled(coefficient, up, down)

    def _settle(self) -> None:
        """Repeat until every base is as it must be: √(2w)·√(2w) has become 2·w, sinh/cosh tanh."""
        unsettled = True
        while unsettled:
            unsettled = self._rewrite_pairs()
            for base in list(self.powers):
                exponent = self.powers.get(base)
                if exponent is None or (
                    exponent in (1, -1) and isinstance(base, Symbol | Call) and not _root(base)
                ):
                    continue
                size = abs(exponent)
                whole = power(base, Number(size))
                if not _stands(whole, base, size):
                    del self.powers[base]
                    self.take(whole, 1 if exponent > 0 else -1)
                    unsettled = True

    def _rewrite_pairs(self) -> bool:
        """Rewrite one pair of factors that belong together; tell whether there was one."""
        return any(
            self._ratio(base, exponent) or self._signed(base, exponent) or self._bracket(base, exponent)
            for base, exponent in list(self.powers.items())
        )

    def _ratio(self, base: Expr, exponent: Fraction) -> bool:
        """sinh(u)/cosh(u) = tanh(u), which stays finite, and sin(u)/cos(u) = tan(u)."""
        if not isinstance(base, Call) or base.function not in _RATIOS:
            return False
        partner, ratio = _RATIOS[base.function]
        below = -self.powers.get(Call(partner, base.arguments), Fraction(0))
        times = Fraction(int(min(exponent, below)))
        if times < 1:
            return False
        self.raise_base(base, -times)
        self.raise_base(Call(partner, base.arguments), times)
        self.raise_base(Call(ratio, base.arguments), times)
        return True

    def _signed(self, base: Expr, exponent: Fraction) -> bool:
        """sign³ = sign, |u|·sign(u) = u, u·sign(u) = |u|; sign(u)²/|u| = 1/|u|; also below the line."""
        if not isinstance(base, Call) or base.function != "sign" or abs(exponent) < 1:
            return False
        side = 1 if exponent > 0 else -1
        (argument,) = base.arguments
        size = Call("abs", (argument,))
        if abs(exponent) > 2:
            self.raise_base(base, -2 * side * Fraction(int((abs(exponent) - 1) / 2)))
            return True
        for old, new in ((size, argument), (argument, absolute(argument))):
            if side * self.powers.get(old, 0) >= 1:
                self.raise_base(base, Fraction(-side))
                self.raise_base(old, Fraction(-side))
                self.take(new, side)
                return True
        if abs(exponent) == 2 and any(side * self.powers.get(old, 0) < 0 for old in (size, argument)):
            self.raise_base(base, -exponent)
            return True
        return False

    def _bracket(self, base: Expr, exponent: Fraction) -> bool:
        """√(f·g)·f·g = (f·g)^(3/2) and w²/√(w²) = √(w²)."""
        if exponent.denominator == 1 or not isinstance(base, Multiply | Divide | Power):
            return False
        inside = _Product()
        inside.take(base, 1)
        if inside.negative or inside.above or inside.below or not inside.powers or base in inside.powers:
            return False
        ratios = [self.powers.get(factor, Fraction(0)) / power for factor, power in inside.powers.items()]
        nearest = min(ratios, key=abs)
        times = Fraction(int(nearest))
        if times == 0 or any(ratio * nearest <= 0 for ratio in ratios):
            return False
        for factor, first in inside.powers.items():
            self.raise_base(factor, -times * first)
        self.raise_base(base, times)
        return True

    def _coefficient(self) -> Fraction | None:
        """The product of the numbers, or None where it must not be folded."""
        if 0 in self.below:
            return None
        total = Fraction(1)
        for value in self.above:
            total *= value
        for value in self.below:
            total /= value
        return total if total == 0 or foldable(total) else None

    def _ordered(self) -> list[tuple[Expr, Fraction]]:
        """Symbols and constants first, as in 2·w·cos(w²); otherwise as written."""
        return sorted(self.powers.items(), key=lambda item: not isinstance(item[0], Symbol | Constant))

    def _inside(self, choice: Where) -> Expr:
        """Move the other factors into a choice that has a zero branch: where(c, 1, 0)·f = where(c, f, 0)."""
        del self.powers[choice]
        condition = choice.condition
        rectified = Call("relu", (condition.left,))
        already = condition.operator == ">" and condition.right == ZERO and choice.otherwise == ZERO
        if already and self.powers.get(rectified, 0) > 0:  # relu(u) is itself zero for u ≤ 0
            return multiply((choice.then, self.built()))
        rest = self.built()
        return choose(condition, multiply((choice.then, rest)), multiply((choice.otherwise, rest)))

    def _assembled(self, coefficient: Fraction, up: list[Expr], down: list[Expr]) -> Expr:
        if not up and not down:
            return Number(-coefficient if self.negative else coefficient)
        top, bottom = over_and_under(coefficient)
        if self.negative and coefficient == 1 and len(up) == 1 and not down and isinstance(up[0], Add):
            return _signed_sum([negate(term) for term in up[0].terms])
        if top != 1 or not up:
            up.insert(0, Number(top))
        if bottom != 1:
            down.insert(0, Number(bottom))
        above = up[0] if len(up) == 1 else Multiply(tuple(up))
        if down:
            choice = any(
                isinstance(factor, Where) and ZERO in (factor.then, factor.otherwise) for factor in down
            )
            below = down[0] if len(down) == 1 else multiply(down) if choice else Multiply(tuple(down))
            above = Divide(above, below)
        elif isinstance(above, Number):  # a single number too large to be folded
            return Number(-above.value) if self.negative else above
        return Negate(above) if self.negative else above


def _has_zero_branch(expr: Expr) -> bool:
    return isinstance(expr, Where) and ZERO in (expr.then, expr.otherwise)


def _root(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.function == "sqrt"


def _stands(whole: Expr, base: Expr, exponent: Fraction) -> bool:
    """Tell whether ``base`` to ``exponent`` is what taking the factor apart would find again."""
    if exponent == 1:
        apart = isinstance(base, Number | Negate | Multiply | Divide) or _all_negative(base)
        apart = apart or (isinstance(base, Power) and isinstance(base.exponent, Number))
        return not apart and not _root(base)
    if _root(whole):
        return exponent == _HALF and whole.children[0] == base
    return isinstance(whole, Power) and whole.base == base and whole.exponent == Number(exponent)


# -------------------------------------------------------------------------------------- powers


def power(base: Expr, exponent: Expr) -> Expr:
    """Raise a simplified base; (w²)³ = w⁶ for integer outer exponents only, so that √(w²) stays |w|."""
    if not isinstance(exponent, Number):
        return ONE if base == ONE else Power(base, exponent)
    value = exponent.value
    if value == 0:
        return ONE
    if value == 1:
        return base
    if isinstance(base, Number):
        exact = exact_power(base.value, value)
        if exact is not None:
            return Number(exact)
    elif value.denominator == 1:
        taken_apart = _integer_power(base, value)
        if taken_apart is not None:
            return taken_apart
    if value < 0:
        return divide(ONE, power(base, Number(-value)))
    return Call("sqrt", (base,)) if value == _HALF else Power(base, exponent)


def _integer_power(base: Expr, exponent: Fraction) -> Expr | None:
    even = exponent % 2 == 0
    match base:
        case Negate(operand):
            inner = power(operand, Number(exponent))
            return inner if even else negate(inner)
        case Power(inner, Number(first)):
            return power(inner, Number(first * exponent))
        case Call("sqrt", (radicand,)):
            return power(radicand, Number(exponent / 2))
        case Call("abs", (argument,)) if even:
            return power(argument, Number(exponent))
        case Add() if _all_negative(base):
            inner = power(negate(base), Number(exponent))
            return inner if even else negate(inner)
        case Multiply() | Divide():
            return _power_of_product(base, exponent)
    return None


def _power_of_product(base: Expr, exponent: Fraction) -> Expr | None:
    """(2w)² = 4·w² and (1/u)² = 1/u²; a product of several bases keeps its bracket."""
    coefficient, body = split_coefficient(base)
    scale = exact_power(coefficient, exponent)
    if scale is None:
        return None
    product = _Product()
    product.take(body, 1)
    if len(product.powers) == 1 and not product.above and not product.below:
        ((inner, first),) = product.powers.items()
        if coefficient != 1 or first < 0:
            return multiply((Number(scale), power(inner, Number(first * exponent))))
        return None
    if coefficient == 1:
        return None
    return multiply((Number(scale), power(body, Number(exponent))))


# ---------------------------------------------------------------------------- sizes and choices


def absolute(argument: Expr) -> Expr:
    """|u| of a simplified expression; what cannot be negative stays as it is."""
    negative, positive = sign_apart(argument)
    if negative:
        return absolute(positive)
    match argument:
        case Number(value):
            return Number(abs(value))
        case Call("abs" | "relu" | "exp" | "sqrt" | "sigmoid" | "softplus" | "cosh"):
            return argument
        case Power(_, Number(exponent)) if exponent % 2 == 0:
            return argument
    return Call("abs", (argument,))


def choose(condition: Compare, then: Expr, otherwise: Expr) -> Expr:
    """Choose between simplified branches; equal branches merge, a decided condition is decided."""
    if isinstance(then, Where) and then.condition == condition:
        then = then.then
    if isinstance(otherwise, Where) and otherwise.condition == condition:
        otherwise = otherwise.otherwise
    if then == otherwise:
        return then
    if isinstance(condition.left, Number) and isinstance(condition.right, Number):
        left, right = float(condition.left.value), float(condition.right.value)
        holds = {
            "<": left < right, "<=": left <= right, ">": left > right,
            ">=": left >= right, "==": left == right, "!=": left != right,
        }  # fmt: skip
        return then if holds[condition.operator] else otherwise
    return Where(condition, then, otherwise)
