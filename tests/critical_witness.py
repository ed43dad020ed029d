"""All critical points of a formula at 50 digits and more: an independent witness for `gdsim.critical`.

Nothing here comes from gdsim: the text is read by a reader of its own into SymPy, derivatives are SymPy's,
numbers are mpmath's. Along a line the formula is cut into smooth pieces (at zeros of what stands in an
absolute value, a maximum, a denominator, a logarithm, …). On each piece zeros are isolated as Rolle would:
between neighbouring zeros of g′ there is at most one of g, so the zeros of g‴, g″, g′ and g are found in
turn, each from the last and from a grid. A sign is taken from doubles only where extended precision
agrees, else from mpmath; a zero without a change of sign counts where |g| is below 10⁻⁵⁰ of its size
nearby at 100 digits.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations, pairwise, product

import mpmath
import numpy as np
import sympy
from mpmath import mp, mpf

DIGITS = 100
GRID = 6007
WINDOW = 25  # grid points over which a value is compared with its surroundings
DOUBT = 1e-9  # of the largest value in the window: a sign from doubles is not trusted below
ZERO = mpf(10) ** -50
NEAR_END = 1e-9


@dataclass(frozen=True)
class Place:
    """A critical point: kind, coordinates, and the order of the zero of f′ where f is smooth."""

    kind: str
    at: tuple[mpf, ...]
    multiplicity: int | None = None


# Reading


def read(formula: str) -> tuple[sympy.Expr, list[sympy.Symbol]]:
    """The formula as a SymPy expression with exact numbers, and its weights in order of appearance."""
    tokens = re.findall(r"\d+\.?\d*|[A-Za-z_]\w*|\*\*|[<>]=?|\S", formula)
    names: dict[str, object] = {
        "abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min, "sign": sympy.sign, "e": sympy.E,
        "pi": sympy.pi, "ln": sympy.log, "where": _where, "relu": lambda u: sympy.Max(u, 0),
        "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)), "softplus": lambda u: sympy.log(1 + sympy.exp(u)),
        "huber": _huber,
        "tan": lambda u: sympy.sin(u) / sympy.cos(u), "tanh": lambda u: 1 - 2 / (sympy.exp(2 * u) + 1),
    }  # fmt: skip
    functions = (
        sympy.sqrt, sympy.exp, sympy.log, sympy.sin, sympy.cos, sympy.asin, sympy.acos, sympy.atan,
        sympy.sinh, sympy.cosh,
    )  # fmt: skip
    names |= {function.__name__: function for function in functions}
    weights: list[sympy.Symbol] = []
    text, before = [], ""
    for token in tokens:
        number, name = token[0].isdigit(), token[0].isalpha()
        if (number or name or token == "(") and (before[:1].isdigit() or before == ")"):
            text.append("*")
        text.append("**" if token == "^" else f"Rational('{token}')" if number else token)
        if name and token not in names:
            names[token] = sympy.Symbol(token, real=True)
            weights.append(names[token])
        before = token
    return sympy.sympify("".join(text), locals=names), weights


def _where(condition: sympy.Basic, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((then, condition), (otherwise, True))


def _huber(u: sympy.Expr, bound: sympy.Expr = sympy.S.One) -> sympy.Expr:
    return _where(abs(u) <= bound, u**2 / 2, bound * (abs(u) - bound / 2))


# Zeros of a smooth function of one weight


class Smooth:
    """A smooth expression and its derivatives, in double, extended and high precision."""

    def __init__(self, expr: sympy.Expr, x: sympy.Symbol) -> None:
        self.expr, self.x = expr, x
        self._prime: Smooth | None = None
        self._fast: Callable | None = None
        self._exact: Callable | None = None

    @property
    def prime(self) -> Smooth:
        if self._prime is None:
            self._prime = Smooth(sympy.diff(self.expr, self.x), self.x)
        return self._prime

    def __call__(self, at: mpf) -> mpf:
        if self._exact is None:
            self._exact = sympy.lambdify(self.x, self.expr, "mpmath", cse=True)
        value = self._exact(mpf(at))
        return mpf(value.real) if isinstance(value, mpmath.mpc) else mpf(value)

    def sample(self, at: np.ndarray) -> np.ndarray:
        """Signs at doubles; by mpmath where doubles and extended precision do not settle them."""
        if self._fast is None:
            self._fast = sympy.lambdify(self.x, self.expr, "numpy", cse=True)
        with np.errstate(all="ignore"):
            try:
                short, long = (
                    np.broadcast_to(np.asarray(self._fast(at.astype(kind))), at.shape)
                    for kind in (np.float64, np.longdouble)
                )
            except (TypeError, AttributeError, OverflowError):  # a constant that no double holds
                short = long = np.full(at.shape, np.nan)
            size = np.abs(long)
            window = np.lib.stride_tricks.sliding_window_view(
                np.pad(size, WINDOW, mode="edge"), 2 * WINDOW + 1
            )
            certain = np.isfinite(size) & np.isfinite(short) & (size > 1e-280)
            certain &= (size > DOUBT * np.nanmax(window, axis=1)) & (size > 1e5 * np.abs(long - short))
        sign = np.where(certain, np.sign(long), 0).astype(int)
        for place in np.flatnonzero(~certain):
            sign[place] = int(mpmath.sign(self(mpf(float(at[place])))))
        return sign


def zeros(function: Smooth, low: mpf, high: mpf, depth: int = 3, grid: int = GRID) -> list[mpf]:
    """All zeros strictly between two ends, in ascending order; a multiple one counts once."""
    return [
        at if sharp else _sharpened(function, at) for at, sharp in _zeros(function, low, high, depth, grid)
    ]


def _sharpened(function: Smooth, bracket: tuple[mpf, mpf]) -> mpf:
    return _between(function, *bracket)


def _zeros(
    function: Smooth, low: mpf, high: mpf, depth: int, grid: int
) -> list[tuple[mpf | tuple[mpf, mpf], bool]]:
    """Zeros where they are known sharply, else brackets that hold one each."""
    if high - low <= 0 or function.expr.is_number:
        return []
    if function.expr.is_polynomial(function.x):
        return [(at, True) for at in _polynomial_zeros(function, low, high)]
    spread = (high - low) / grid
    nodes: list[tuple[mpf, int]] = []
    for mark, sharp in _zeros(function.prime, low, high, depth - 1, grid) if depth else []:
        at = mark if sharp else _roughly(function.prime, *mark)
        if at is None:
            at, sharp = _between(function.prime, *mark), True
        value = function(at)
        step = min(spread, (at - low) / 2, (high - at) / 2)
        size = max(abs(function(at - step)), abs(function(at + step)))
        if not sharp and (abs(value) < size / 1000 or step < spread):
            at = _between(function.prime, *mark)  # nearly a touch: the place is needed to all digits
            value = function(at)
        nodes.append((at, 0 if abs(value) <= ZERO * size else int(mpmath.sign(value))))
    steps = (np.arange(grid) + 0.5 + 0.3 * np.sin(np.arange(grid) * 1.7)) / grid
    points = np.unique(float(low) + float(high - low) * steps)
    points = points[(points > low) & (points < high)]
    nodes += [
        (mpf(at), sign) for at, sign in zip(points.tolist(), function.sample(points).tolist(), strict=True)
    ]
    found: list[tuple[mpf | tuple[mpf, mpf], bool]] = []
    last: tuple[mpf, int] | None = None
    for at, sign in sorted(nodes):
        if sign == 0:
            if not (found and found[-1][1] and at - found[-1][0] <= spread * mpf(10) ** -20):
                found.append((at, True))
            last = None
            continue
        if last is not None and last[1] != sign:
            found.append(((last[0], at), False))
        last = (at, sign)
    return found


def _polynomial_zeros(function: Smooth, low: mpf, high: mpf) -> list[mpf]:
    """By SymPy's exact isolation of the real roots of the square-free part."""
    poly = sympy.Poly(function.expr, function.x)
    if not all(coefficient.is_rational for coefficient in poly.coeffs()):
        poly = sympy.Poly(function.expr.evalf(DIGITS), function.x)
        roots = [root.real for root in mp.polyroots([mpf(c) for c in poly.all_coeffs()], 500, extraprec=2000)
                 if abs(root.imag) < mpf(10) ** -(DIGITS // 3)]  # fmt: skip
    else:
        square_free = sympy.quo(poly, sympy.gcd(poly, poly.diff()))
        prime = square_free.diff()
        roots = []
        for (left, right), _ in square_free.intervals(eps=sympy.Rational(1, 10**12)):
            root = (mpf(left.p) / left.q + mpf(right.p) / right.q) / 2
            for _ in range(7):  # simple zeros, known to 12 digits
                root -= _horner(square_free, root) / _horner(prime, root)
            nearest = mpmath.nint(root)
            roots.append(
                nearest if abs(root - nearest) < ZERO and square_free.eval(int(nearest)) == 0 else root
            )
    return sorted(root for root in roots if low < root < high)


def _horner(poly: sympy.Poly, at: mpf) -> mpf:
    return mp.polyval([mpf(c.p) / c.q for c in poly.all_coeffs()], at)


def _roughly(function: Smooth, left: mpf, right: mpf) -> mpf | None:
    """Newton's method inside a bracket to a millionth of its length, or None where it leaves it."""
    at = (left + right) / 2
    for _ in range(5):
        slope = function.prime(at)
        step = function(at) / slope if slope else right - left
        at -= step
        if not left < at < right:
            return None
        if abs(step) < (right - left) * mpf(10) ** -6:
            return at
    return None


def _between(function: Smooth, left: mpf, right: mpf) -> mpf:
    """The zero between two points of opposite sign: Newton's method, confirmed, or else halving."""
    sign = mpmath.sign(function(left))
    while right - left > mpf(10) ** (10 - DIGITS) * max(1, abs(left)):
        at = (left + right) / 2
        reach = (right - left) * mpf(10) ** -70
        for _ in range(12):
            slope = function.prime(at)
            if not slope or not left < at < right:
                break
            step = function(at) / slope
            at -= step
            if abs(step) < reach:
                sides = [mpmath.sign(function(at + side * reach)) for side in (-1, 1)]
                if left < at < right and sides[0] == sign == -sides[1]:
                    return at
                break
        for _ in range(6):
            at = (left + right) / 2
            value = mpmath.sign(function(at))
            if value == 0:
                return at
            left, right = (at, right) if value == sign else (left, at)
    return (left + right) / 2


def _distinct(found: list[mpf], spread: mpf) -> list[mpf]:
    result: list[mpf] = []
    for at in sorted(found):
        if not result or at - result[-1] > spread * mpf(10) ** -20:
            result.append(at)
    return result


# Pieces of a formula of one weight


@dataclass(frozen=True)
class Piece:
    """A stretch on which the formula is smooth; ``expr`` is None where it has no real value."""

    low: mpf
    high: mpf
    expr: sympy.Expr | None


_SWITCHING = (sympy.Abs, sympy.Max, sympy.Min, sympy.sign, sympy.Piecewise)


def pieces(expr: sympy.Expr, x: sympy.Symbol, low: mpf, high: mpf) -> Iterator[Piece]:
    """Cut the stretch where the formula changes its branch or is singular."""
    switching = next((node for node in sympy.postorder_traversal(expr) if isinstance(node, _SWITCHING)), None)
    functions = _tests(switching) if switching is not None else []
    if switching is None:
        for node in sympy.postorder_traversal(expr):
            if isinstance(node, sympy.Pow) and node.base.has(x):
                if not (node.exp.is_Integer and node.exp > 0):
                    functions.append(node.base)
            elif isinstance(node, sympy.log):
                functions.append(node.args[0])
            elif isinstance(node, sympy.asin | sympy.acos):
                functions += [node.args[0] - 1, node.args[0] + 1]
    cuts: list[mpf] = []
    for function in {function for function in functions if function.has(x)}:
        for part in pieces(function, x, low, high):
            cuts += [part.low, part.high]
            if part.expr is not None:
                cuts += zeros(Smooth(part.expr, x), part.low, part.high)
    cuts = _distinct([low, high, *cuts], high - low)
    for left, right in pairwise(cuts):
        middle = left + (right - left) * mpf("0.4871")
        if switching is not None:
            yield from pieces(expr.xreplace({switching: _branch(switching, x, middle)}), x, left, right)
        else:
            value = sympy.lambdify(x, expr, "mpmath")(middle)
            real = not isinstance(value, mpmath.mpc) or value.imag == 0
            yield Piece(left, right, expr if real and _defined(expr, x, middle) else None)


def _tests(node: sympy.Basic) -> list[sympy.Expr]:
    if isinstance(node, sympy.Abs | sympy.sign):
        return [node.args[0]]
    if isinstance(node, sympy.Max | sympy.Min):
        return [a - b for place, a in enumerate(node.args) for b in node.args[:place]]
    return [
        relation.lhs - relation.rhs
        for _, condition in node.args
        for relation in condition.atoms(sympy.core.relational.Relational)
    ]


def _branch(node: sympy.Basic, x: sympy.Symbol, at: mpf) -> sympy.Expr:
    def value(expr: sympy.Expr) -> mpf:
        return mpf(sympy.lambdify(x, expr, "mpmath")(at))

    if isinstance(node, sympy.Abs):
        return node.args[0] if value(node.args[0]) > 0 else -node.args[0]
    if isinstance(node, sympy.sign):
        return sympy.Integer(1 if value(node.args[0]) > 0 else -1)
    if isinstance(node, sympy.Max | sympy.Min):
        return (max if isinstance(node, sympy.Max) else min)(node.args, key=value)
    for expr, condition in node.args:
        if condition == True or bool(sympy.lambdify(x, condition, "mpmath")(at)):  # noqa: E712
            return expr
    raise ValueError(f"no branch of {node} holds at {at}")


def _defined(expr: sympy.Expr, x: sympy.Symbol, at: mpf) -> bool:
    """Whether every root and logarithm has a real value."""
    for node in sympy.preorder_traversal(expr):
        inner = node.args[0] if isinstance(node, sympy.log) else None
        if isinstance(node, sympy.Pow) and not node.exp.is_integer:
            inner = node.base
        if inner is not None and sympy.lambdify(x, inner, "mpmath")(at) <= 0:
            return False
    return True


# Critical points of one weight


def on_a_line(formula: str, domain: tuple[float, float], grid: int = GRID) -> list[Place]:
    """All critical points in a closed interval, in ascending order.

    The formula is looked at a thousandth beyond each end, so that a point on the end has two sides.
    """
    expr, (x,) = read(formula)
    return _line(expr, x, domain, grid)


def _line(expr: sympy.Expr, x: sympy.Symbol, domain: tuple[float, float], grid: int = GRID) -> list[Place]:
    with mp.workdps(DIGITS):
        low, high = (mpf(repr(end)) for end in domain)
        margin = (high - low) / 1000
        parts = _joined(list(pieces(expr, x, low - margin, high + margin)), x)
        found: list[Place] = []
        for place, part in enumerate(parts):
            if part.expr is None:
                continue
            slope = Smooth(sympy.diff(part.expr, x), x)
            if _vanishes(slope, part):
                inside = max(part.low, low), min(part.high, high)
                if inside[0] < inside[1]:
                    found.append(Place("flat", (sum(inside) / 2,)))
                continue
            roots = zeros(slope, part.low, part.high, grid=grid)
            for order, at in enumerate(roots):
                left = roots[order - 1] if order else part.low
                right = roots[order + 1] if order + 1 < len(roots) else part.high
                found.append(_stationary(slope, at, min(at - left, right - at)))
            if place + 1 < len(parts):
                found += _at_a_cut(part, parts[place + 1], x)
        for place, part in enumerate(parts[:-1]):
            if part.expr is None:
                found += _at_a_cut(part, parts[place + 1], x)
        found.sort(key=lambda point: point.at)
        kept = []
        for point in found:
            gap = min(abs(point.at[0] - low), abs(point.at[0] - high))
            if point.kind != "flat" and ZERO * (high - low) < gap < NEAR_END * (high - low):
                raise ValueError(f"{expr}: a point within 1e-9 of the end of {domain}: {point}")
            if gap <= ZERO * (high - low) or low < point.at[0] < high:
                kept.append(point)
        return kept


def _vanishes(slope: Smooth, part: Piece) -> bool:
    return slope.expr == 0 or all(
        abs(slope(part.low + (part.high - part.low) * mpf(k) / 17)) < ZERO for k in range(1, 17)
    )


def _joined(parts: list[Piece], x: sympy.Symbol) -> list[Piece]:
    """Neighbouring pieces of one formula, or of one constant, as one."""
    result: list[Piece] = []
    for part in parts:
        same = bool(result) and part.expr is not None and result[-1].expr is not None
        if same and _regular(part.expr, x, part.low) and sympy.expand(part.expr - result[-1].expr) == 0:
            result[-1] = Piece(result[-1].low, part.high, part.expr)
        else:
            result.append(part)
    return result


def _regular(expr: sympy.Expr, x: sympy.Symbol, at: mpf) -> bool:
    """Whether no denominator, root or logarithm is singular there."""
    for node in sympy.preorder_traversal(expr):
        inner = node.args[0] if isinstance(node, sympy.log) else None
        if isinstance(node, sympy.Pow) and not (node.exp.is_Integer and node.exp > 0):
            inner = node.base
        if inner is not None and inner.has(x):
            value = sympy.lambdify(x, inner, "mpmath")(at)
            if abs(value) < ZERO or value.real < 0:
                return False
        if isinstance(node, sympy.asin | sympy.acos):
            return False
    return True


def _stationary(slope: Smooth, at: mpf, room: mpf) -> Place:
    step = room * mpf(10) ** -6
    left, right = slope(at - step), slope(at + step)
    order = mpmath.log(abs(slope(at + 2 * step) / right), 2)
    multiplicity = int(mpmath.nint(order))
    if abs(order - multiplicity) > 0.01:
        raise ValueError(f"order {order} of the zero at {at}")
    return Place(_kind(left, right), (at,), multiplicity)


def _kind(left: mpf, right: mpf) -> str:
    if left * right > 0:
        return "inflection"
    return "minimum" if left < 0 else "maximum"


def _at_a_cut(before: Piece, after: Piece, x: sympy.Symbol) -> list[Place]:
    """What stands where two pieces meet."""
    at = before.high
    left, right = _side(before, x, at, -1), _side(after, x, at, 1)
    if left is None and right is None:
        return []
    if left is None or right is None:
        value, slope, approach = left or right
        if value is None or approach != "zero" or slope == 0:
            return []
        return [Place("minimum" if slope * (1 if left is None else -1) > 0 else "maximum", (at,))]
    if left[0] is None or right[0] is None or abs(left[0] - right[0]) > mpf(10) ** -12 * max(1, abs(left[0])):
        return []
    if left[2] == right[2] == "zero":
        return [] if left[1] == 0 or right[1] == 0 else [Place(_kind(left[1], right[1]), (at,))]
    if left[1] * right[1] > 0 or left[1] == 0 or right[1] == 0:
        return []
    if "zero" in (left[2], right[2]):
        raise ValueError(f"one slope is zero, the other not, at {at}: no convention")
    return [Place("kink", (at,))]


def _side(part: Piece, x: sympy.Symbol, at: mpf, side: int) -> tuple[mpf | None, mpf, str] | None:
    """Limit of the loss (None: it has none), slope nearby, and whether the slope tends to zero."""
    if part.expr is None:
        return None
    value, slope = Smooth(part.expr, x), Smooth(sympy.diff(part.expr, x), x)
    steps = [side * (part.high - part.low) * mpf(10) ** -power for power in (12, 18, 24)]
    values = [value(at + step) for step in steps]
    slopes = [slope(at + step) for step in steps]
    closer, close = abs(values[2] - values[1]), abs(values[1] - values[0])
    limit = values[2] if closer <= close / 2 else None
    if slopes[1] == 0 or slopes[2] == 0 or _vanishes(slope, part):
        return limit, mpf(0), "zero"
    return limit, slopes[2], "zero" if abs(slopes[2]) < abs(slopes[1]) / 2 else "not zero"


# Several weights


def in_a_box(formula: str, domain: tuple[tuple[float, float], ...]) -> list[Place]:
    """All critical points in a box, sorted: by structure where there is one, else by `by_newton`."""
    if len(domain) == 1:
        return on_a_line(formula, domain[0])
    expr, weights = read(formula)
    with mp.workdps(DIGITS):
        found = by_structure(expr, weights, domain)
        return sorted(by_newton(expr, weights, domain) if found is None else found, key=lambda p: p.at)


def by_structure(expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple) -> list[Place] | None:
    """A complete list for sums and products of functions of one weight and for what elimination solves."""
    for method in (_by_sum, _by_product, _by_elimination):
        found = method(expr, weights, domain)
        if found is not None:
            return found
    return None


def _by_sum(expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple) -> list[Place] | None:
    if any(sympy.expand(sympy.diff(expr, a, b)) != 0 for a, b in combinations(weights, 2)):
        return None
    middle = {
        x: sympy.Rational(repr((low + high) / 2)) for x, (low, high) in zip(weights, domain, strict=True)
    }
    lines = [
        _line(expr.subs({y: at for y, at in middle.items() if y != x}), x, ends)
        for x, ends in zip(weights, domain, strict=True)
    ]
    return [
        Place(_combined([part.kind for part in parts]), tuple(part.at[0] for part in parts))
        for parts in product(*lines)
    ]


def _combined(kinds: list[str]) -> str:
    if any(kind not in ("minimum", "maximum", "inflection") for kind in kinds):
        raise ValueError(f"no convention for {kinds}")
    return kinds[0] if len(set(kinds)) == 1 and kinds[0] != "inflection" else "saddle"


def _by_product(expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple) -> list[Place] | None:
    """Of g(x)·h(y): both slopes zero, or both factors."""
    if len(weights) != 2 or not expr.is_Mul or any(len(factor.free_symbols) > 1 for factor in expr.args):
        return None
    stationary, null = [], []
    for x, ends in zip(weights, domain, strict=True):
        factor = Smooth(sympy.Mul(*(part for part in expr.args if part.free_symbols <= {x})), x)
        low, high = (mpf(repr(end)) for end in ends)
        places = [(place, mpmath.sign(factor(place.at[0]))) for place in _line(factor.expr, x, ends)]
        stationary.append(places)
        null.append([at for at in zeros(factor, low, high) if abs(factor.prime(at)) > ZERO])
    swapped = {"minimum": "maximum", "maximum": "minimum"}
    found = [Place("saddle", (first, second)) for first in null[0] for second in null[1]]
    for (first, first_sign), (second, second_sign) in product(*stationary):
        kinds = [
            swapped.get(place.kind, place.kind) if sign < 0 else place.kind
            for place, sign in ((first, second_sign), (second, first_sign))
        ]
        found.append(Place(_combined(kinds), (first.at[0], second.at[0])))
    return found


def _by_elimination(expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple) -> list[Place] | None:
    """Solve ∂f = 0 for what stands in it linearly; then one equation, or two polynomials by a resultant."""
    equations = [sympy.expand(sympy.diff(expr, x)) for x in weights]
    solved: list[tuple[sympy.Symbol, sympy.Expr]] = []
    left = list(weights)
    while len(left) > 1:
        linear = ((e, x) for x in reversed(left) for e in equations if _is_linear(e, x))
        equation, x = next(linear, (None, None))
        if equation is None:
            break
        solution = sympy.expand(-equation.subs(x, 0) / sympy.diff(equation, x))
        solved.append((x, solution))
        equations = [sympy.expand(e.subs(x, solution)) for e in equations if e is not equation]
        left.remove(x)
    ends = dict(zip(weights, domain, strict=True))
    if len(left) == 1:
        low, high = (mpf(repr(end)) for end in ends[left[0]])
        margin = (high - low) / 1000
        roots = [{left[0]: at} for at in zeros(Smooth(equations[0], left[0]), low - margin, high + margin)]
    elif len(left) == 2 and all(equation.is_polynomial(*left) for equation in equations):
        roots = _common_zeros(equations, left)
        if roots is None:
            return None
    else:
        return None
    found = []
    for root in roots:
        for x, solution in reversed(solved):
            root[x] = mpf(sympy.lambdify(list(root), solution, "mpmath")(*root.values()))
        at = _sharp(expr, weights, tuple(root[x] for x in weights))
        if _inside(at, domain):
            found.append(Place(_inertia(expr, weights, at), at))
    return found


def _sharp(expr: sympy.Expr, weights: list[sympy.Symbol], at: tuple[mpf, ...]) -> tuple[mpf, ...]:
    """Newton's method once more where the Hessian is regular, for a double root is half as sharp."""
    gradient = [sympy.diff(expr, x) for x in weights]
    bends = [sympy.diff(part, x) for part in gradient for x in weights]
    lambdas = [sympy.lambdify(weights, part, "mpmath", cse=True) for part in (gradient, bends)]
    better = _polished(*lambdas, list(at))
    if better is None or max(abs(a - b) for a, b in zip(at, better, strict=True)) > mpf(10) ** -15:
        return at
    return better


def _is_linear(equation: sympy.Expr, x: sympy.Symbol) -> bool:
    factor = sympy.diff(equation, x)
    return factor != 0 and not factor.free_symbols


def _common_zeros(equations: list[sympy.Expr], pair: list[sympy.Symbol]) -> list[dict] | None:
    x, y = pair
    resultant = sympy.Poly(sympy.resultant(*equations, y), x)
    if resultant.is_zero or not all(coefficient.is_rational for coefficient in resultant.coeffs()):
        return None
    first = sympy.Poly(equations[0], y)
    size = sympy.lambdify(
        pair, sympy.Add(*(abs(term) for term in sympy.Add.make_args(equations[1]))), "mpmath"
    )
    second = sympy.lambdify(pair, equations[1], "mpmath")
    found = []
    for at in _polynomial_zeros(Smooth(resultant.as_expr(), x), mpf(-(10**6)), mpf(10**6)):
        if at == mpmath.nint(at):  # exactly, for roots may be multiple
            slice_ = Smooth(equations[0].subs(x, int(at)), y)
            roots = _polynomial_zeros(slice_, mpf(-(10**6)), mpf(10**6))
        else:
            coefficients = [mpf(sympy.lambdify(x, c, "mpmath")(at)) for c in first.all_coeffs()]
            while coefficients and abs(coefficients[0]) < ZERO:
                coefficients = coefficients[1:]
            every = mp.polyroots(coefficients, 300, extraprec=600)
            # a double root comes out split by the square root of the precision
            near = mpf(10) ** -30
            roots = _distinct([root.real for root in every if abs(root.imag) < near], mpf(1))
        small = mpf(10) ** -30
        found += [
            {x: at, y: other} for other in roots if abs(second(at, other)) < small * (1 + size(at, other))
        ]
    return found


def _inside(at: tuple[mpf, ...], domain: tuple) -> bool:
    for value, (low, high) in zip(at, domain, strict=True):
        gap = min(abs(value - mpf(repr(low))), abs(value - mpf(repr(high)))) / (high - low)
        if ZERO < gap < NEAR_END:
            raise ValueError(f"a point within 1e-9 of the boundary: {at}")
        if gap > ZERO and not low < value < high:
            return False
    return True


def _inertia(expr: sympy.Expr, weights: list[sympy.Symbol], at: tuple[mpf, ...]) -> str:
    hessian = sympy.lambdify(weights, sympy.hessian(expr, weights), "mpmath")(*at)
    values = mp.eigsy(mp.matrix(hessian), eigvals_only=True)
    largest = max(abs(value) for value in values)
    if min(abs(value) for value in values) > mpf(10) ** -25 * largest:
        return _combined(["minimum" if value > 0 else "maximum" for value in values])
    return _around(expr, weights, at)


def _around(expr: sympy.Expr, weights: list[sympy.Symbol], at: tuple[mpf, ...]) -> str:
    """The kind of a degenerate point: signs of f(p + r·u) − f(p) in 3,000 directions at three distances."""
    function = sympy.lambdify(weights, expr, "mpmath")
    draws = np.random.default_rng(1).normal(size=(3000, len(weights))).tolist()
    draws += [list(corner) for corner in product((-1, 0, 1), repeat=len(weights)) if any(corner)]
    here, signs = function(*at), set()
    for draw, reach in product(draws, (mpf(10) ** -1, mpf(10) ** -3, mpf(10) ** -8)):
        there = function(*(value + reach * mpf(part) for value, part in zip(at, draw, strict=True)))
        signs.add(int(mpmath.sign(there - here)) if abs(there - here) > mpf(10) ** -80 else 0)
    if {-1, 1} <= signs:
        return "saddle"
    if 0 in signs:
        raise ValueError(f"perhaps not isolated: {at}")
    return "minimum" if signs == {1} else "maximum"


STARTS = {2: 90, 3: 21, 4: 11}


def by_newton(
    expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple, starts: int | None = None
) -> list[Place]:
    """Newton's method for ∂f = 0 from a dense grid, then at 100 digits. Degenerate points escape it."""
    gradient = [sympy.diff(expr, x) for x in weights]
    hessian = [sympy.diff(part, x) for part in gradient for x in weights]
    slopes = sympy.lambdify(weights, gradient, "numpy", cse=True)
    bends = sympy.lambdify(weights, hessian, "numpy", cse=True)
    size, count = len(weights), starts or STARTS[len(weights)]
    low, high = np.array(domain, dtype=float).T
    axes = [
        a + (b - a) * (np.arange(count) + 0.5 + 0.2 * np.sin(np.arange(count))) / count for a, b in domain
    ]
    at = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")])
    reach = ((high - low) / 8)[:, None]
    with np.errstate(all="ignore"):
        for _ in range(60):
            slope = np.stack([np.broadcast_to(part, at.shape[1]) for part in slopes(*at)])
            bend = np.stack([np.broadcast_to(part, at.shape[1]) for part in bends(*at)])
            good = np.isfinite(slope).all(axis=0) & np.isfinite(bend).all(axis=0)
            at, slope, bend = at[:, good], slope[:, good], bend[:, good].reshape(size, size, -1)
            bend = np.moveaxis(bend, 2, 0) + 1e-14 * np.eye(size)
            step = np.clip(np.linalg.solve(bend, slope.T[:, :, None])[:, :, 0].T, -reach, reach)
            settled = (np.abs(step) < 1e-6 * (high - low)[:, None]).all(axis=0)
            at = at - step
            finite = np.isfinite(at).all(axis=0)
            at, settled = at[:, finite], settled[finite]
    at = at[:, settled]
    margin = 1e-6 * (high - low)
    at = at[:, (np.abs(at.T - (low + high) / 2) < (high - low) / 2 + margin).all(axis=1)]
    rough = {tuple(np.round((point - low) / (high - low), 7)): point for point in at.T}
    exact_slopes = sympy.lambdify(weights, gradient, "mpmath", cse=True)
    exact_bends = sympy.lambdify(weights, hessian, "mpmath", cse=True)
    found: list[tuple[mpf, ...]] = []
    with mp.workdps(DIGITS):
        for start in rough.values():
            if any(max(abs(start - np.array(p, dtype=float)) / (high - low)) < 1e-8 for p in found):
                continue
            point = _polished(exact_slopes, exact_bends, [mpf(float(value)) for value in start])
            if (
                point is None
                or max(abs(point[k] - start[k]) / (high[k] - low[k]) for k in range(size)) > 1e-4
            ):
                continue
            if _inside(point, domain) and all(
                max(abs(a - b) for a, b in zip(point, other, strict=True)) > mpf(10) ** -20 for other in found
            ):
                found.append(point)
        return [Place(_inertia(expr, weights, point), point) for point in found]


def _polished(slopes: Callable, bends: Callable, at: list[mpf]) -> tuple[mpf, ...] | None:
    for _ in range(12):
        slope, bend = mp.matrix(slopes(*at)), bends(*at)
        matrix = mp.matrix(len(at))
        for place, value in enumerate(bend):
            matrix[place // len(at), place % len(at)] = value
        try:
            step = mp.lu_solve(matrix, slope)
        except ZeroDivisionError:
            return None
        at = [value - step[place] for place, value in enumerate(at)]
        if mp.norm(step) < mpf(10) ** -60:
            return tuple(at)
    return None


def turns(expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple) -> int:
    """How often ∂f turns round on the way round the domain: minima + maxima − saddles inside (Poincaré–Hopf).

    The path is halved until no step turns by more than a quarter of a right angle, at 30 digits.
    """
    with mp.workdps(30):
        slopes = sympy.lambdify(weights, [sympy.diff(expr, x) for x in weights], "mpmath", cse=True)
        (a, b), (c, d) = [[mpf(repr(end)) for end in ends] for ends in domain]
        corners = [(a, c), (b, c), (b, d), (a, d), (a, c)]

        def direction(side: int, part: mpf) -> mpmath.mpc:
            (x, y), (u, v) = corners[side], corners[side + 1]
            value = mpmath.mpc(*slopes(x + part * (u - x), y + part * (v - y)))
            if abs(value) < mpf(10) ** -20:
                raise ValueError("a zero of the gradient on the boundary")
            return value

        total = mpf(0)
        for side in range(4):
            marks = [mpf(k) / 64 for k in range(65)]
            stack = [(p, q, direction(side, p), direction(side, q)) for p, q in pairwise(marks)]
            while stack:
                p, q, first, last = stack.pop()
                middle = direction(side, (p + q) / 2)
                parts = [mpmath.arg(middle / first), mpmath.arg(last / middle)]
                if max(abs(part) for part in parts) < mp.pi / 8:
                    total += sum(parts)
                else:
                    stack += [(p, (p + q) / 2, first, middle), ((p + q) / 2, q, middle, last)]
        result = total / (2 * mp.pi)
        if abs(result - mpmath.nint(result)) > mpf(10) ** -9:
            raise ValueError(f"{result} turns")
        return int(mpmath.nint(result))


# A proof that a list is complete


class Boxes:
    """Intervals as arrays of ends; every result is widened by several units in the last place."""

    def __init__(self, low: np.ndarray, high: np.ndarray) -> None:
        self.low, self.high = low, high

    @property
    def size(self) -> np.ndarray:
        return np.maximum(np.abs(self.low), np.abs(self.high))

    def _wide(self, low: np.ndarray, high: np.ndarray, size: np.ndarray) -> Boxes:
        slack = 4e-15 * size + 1e-300
        return Boxes(low - slack, high + slack)

    def __add__(self, other: object) -> Boxes:
        other = _boxes(other)
        return self._wide(self.low + other.low, self.high + other.high, self.size + other.size)

    def __neg__(self) -> Boxes:
        return Boxes(-self.high, -self.low)

    def __sub__(self, other: object) -> Boxes:
        return self + -_boxes(other)

    def __rsub__(self, other: object) -> Boxes:
        return -self + other

    def __mul__(self, other: object) -> Boxes:
        other = _boxes(other)
        ends = np.stack(
            np.broadcast_arrays(
                self.low * other.low, self.low * other.high, self.high * other.low, self.high * other.high
            )
        )
        return self._wide(ends.min(axis=0), ends.max(axis=0), self.size * other.size)

    def __pow__(self, exponent: float) -> Boxes:
        if exponent != int(exponent):
            return _monotone(self, lambda ends: ends**exponent)
        if exponent < 0:
            power = self ** (-exponent)
            pole = (power.low <= 0) & (power.high >= 0)
            low, high = np.where(pole, -np.inf, 1 / power.high), np.where(pole, np.inf, 1 / power.low)
            return self._wide(low, high, np.maximum(abs(low), abs(high)))
        ends = np.sort(np.stack([self.low**exponent, self.high**exponent]), axis=0)
        inside = (self.low < 0) & (self.high > 0) & (exponent % 2 == 0)
        return self._wide(np.where(inside, 0, ends[0]), ends[1], self.size**exponent)

    def __truediv__(self, other: object) -> Boxes:
        return self * _boxes(other) ** -1

    def __rtruediv__(self, other: object) -> Boxes:
        return _boxes(other) * self**-1

    __radd__, __rmul__ = __add__, __mul__


def _boxes(value: object) -> Boxes:
    return value if isinstance(value, Boxes) else Boxes(np.float64(value), np.float64(value))


def _monotone(x: object, function: Callable) -> Boxes:
    x = _boxes(x)
    low, high = function(x.low), function(x.high)
    return x._wide(low, high, np.maximum(np.abs(low), np.abs(high)))


def _cosine(x: object) -> Boxes:
    x = _boxes(x)
    ends = np.sort(np.stack([np.cos(x.low), np.cos(x.high)]), axis=0)
    crest = np.floor(x.high / (2 * np.pi) + 1e-12) >= x.low / (2 * np.pi) - 1e-12
    trough = np.floor(x.high / (2 * np.pi) - 0.5 + 1e-12) >= x.low / (2 * np.pi) - 0.5 - 1e-12
    return x._wide(np.where(trough, -1, ends[0]), np.where(crest, 1, ends[1]), 1 + x.size)


ENCLOSING = {
    "exp": lambda x: _monotone(x, np.exp), "log": lambda x: _monotone(x, np.log),
    "sqrt": lambda x: _monotone(x, np.sqrt), "atan": lambda x: _monotone(x, np.arctan),
    "cos": _cosine, "sin": lambda x: _cosine(_boxes(x) - Boxes(np.float64(np.pi / 2), np.float64(np.pi / 2))),
    "pi": Boxes(np.float64(np.pi), np.float64(np.pi)), "E": Boxes(np.float64(np.e), np.float64(np.e)),
}  # fmt: skip


@np.errstate(all="ignore")
def proves_complete(
    expr: sympy.Expr, weights: list[sympy.Symbol], domain: tuple, places: list[Place], most: int = 400_000
) -> bool:
    """Whether interval arithmetic shows that a smooth loss has no other regular critical point in the box.

    A box goes when a component of ∂f, enclosed through its mean value, is never zero, or when it lies in
    the neighbourhood of a listed point where I − H(p)⁻¹·H is less than 1 throughout, so that ∂f has one zero
    there at most. Else it is halved. False when ``most`` boxes do not settle it. Trusted: that NumPy's
    elementary functions are within a few units in the last place.
    """
    size = len(weights)
    gradient = [sympy.diff(expr, x) for x in weights]
    hessian = [sympy.diff(part, x) for part in gradient for x in weights]
    slopes, bends = (sympy.lambdify(weights, part, [ENCLOSING], cse=True) for part in (gradient, hessian))

    def enclosed(function: Callable, low: np.ndarray, high: np.ndarray) -> Boxes:
        parts = [_boxes(part) for part in function(*(Boxes(low[k], high[k]) for k in range(size)))]
        return Boxes(*(np.stack([np.broadcast_to(getattr(p, end), low.shape[1]) for p in parts])
                       for end in ("low", "high")))  # fmt: skip

    ends = np.array(domain, dtype=float).T[:, :, None]
    width = ends[1] - ends[0]
    centres = np.array([[float(value) for value in place.at] for place in places]).reshape(-1, size).T
    reaches = np.zeros(centres.shape[1])
    for part in 0.2 * 0.7 ** np.arange(40):  # the widest neighbourhood that works for each point
        bend = enclosed(bends, centres - part * width, centres + part * width)
        middle = enclosed(bends, centres, centres)
        inverse = np.linalg.inv(np.moveaxis(((middle.low + middle.high) / 2).reshape(size, size, -1), 2, 0))
        centre = ((bend.low + bend.high) / 2).reshape(size, size, -1)
        radius = ((bend.high - bend.low) / 2).reshape(size, size, -1)
        off = np.abs(np.eye(size)[:, :, None] - np.einsum("nij,jkn->ikn", inverse, centre))
        off += np.einsum("nij,jkn->ikn", np.abs(inverse), radius)
        scale = width[:, 0]
        good = ((off * scale[None, :, None]).sum(axis=1) / scale[:, None] < 0.99).all(axis=0)
        reaches = np.where(good & (reaches == 0), part, reaches)
    low, high, handled = ends[0], ends[1], 0
    while low.size:
        handled += low.shape[1]
        if handled > most:
            return False
        middle = (low + high) / 2
        radius = (high - low) / 2 * (1 + 1e-12)
        bend, slope = enclosed(bends, low, high), enclosed(slopes, middle, middle)
        spread = (bend.size.reshape(size, size, -1) * radius[None]).sum(axis=1) * (1 + 1e-12)
        plain = enclosed(slopes, low, high)
        never = (slope.low > spread) | (slope.high < -spread) | (plain.low > 0) | (plain.high < 0)
        distance = np.maximum(
            np.abs(low[:, :, None] - centres[:, None]), np.abs(high[:, :, None] - centres[:, None])
        )
        near = (distance < (reaches * width)[:, None, :]).all(axis=0).any(axis=1)
        kept = ~(never.any(axis=0) | near)
        low, high, radius, middle = low[:, kept], high[:, kept], radius[:, kept], middle[:, kept]
        if low.size:
            parts = radius / width
            steep = (bend.size.reshape(size, size, -1)[:, :, kept]).max(axis=0) * radius
            even = parts.min(axis=0) * 16 > parts.max(axis=0)
            longest = np.where(
                even & np.isfinite(steep).all(axis=0), steep.argmax(axis=0), parts.argmax(axis=0)
            )
            cut = np.arange(size)[:, None] == longest
            low, high = (
                np.concatenate([low, np.where(cut, middle, low)], axis=1),
                np.concatenate([np.where(cut, middle, high), high], axis=1),
            )
    return True


def count(places: list[Place]) -> dict[str, int]:
    return dict(Counter(place.kind for place in places))
