"""Ball arithmetic: enclosures of a formula over whole boxes, for proofs.

A ball is an interval ``mid ± rad`` of python-flint's ``arb``; every operation returns a ball that holds
each value which its operands can give. A number of the formula is an exact rational and becomes a ball at
the working precision, so that what is proved is true of the formula as it is written.

Where an operation is undefined somewhere on its operands the result is nan, which proves nothing. The
readings differ in that: the *strict* one returns nan as soon as any point of the box is outside the domain
of ``sqrt``, ``log`` or a power, so that a finite result shows the formula to be defined (and, but for
switches, smooth) on the whole box; the *closed* one drops such points, which are no points of the loss at
all, so that an edge that is no binary fraction has a value; the *restricted* one takes sin and the like of
what may be anything to be bounded, too, and serves to exclude zeros (both drop points at which a negative
base has a whole exponent that varies: beside them the power is undefined, so that there is no derivative).
The last, *nowhere*, is as the restricted one and raises :class:`Nowhere` where no point is left; it is for
formulas without choices, of which one branch may well be defined nowhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal, TypeAlias

from flint import arb, ctx, fmpq

from gdsim.expr.emit_python import generated_names
from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Expr, Symbol

Ball: TypeAlias = Any  # flint.arb; the library has no types that a checker can read here
Reading = Literal["strict", "closed", "restricted", "nowhere"]


class Nowhere(Exception):
    """A formula is defined at no point of a box."""


_NAN = arb("nan")
_ONE, _ZERO = arb(1), arb(0)
_BOTH_SIGNS = arb(0, 1)
_NARROW = arb(1) / 16
_LARGEST_EXPONENT = 2**62  # beyond it FLINT would need all digits: those of 2^(2^40) exhaust the memory


def ball(value: Fraction) -> Ball:
    """Return a ball around a rational at the working precision; exact where it is a short binary fraction.

    >>> ball(Fraction(1, 4)).is_exact(), ball(Fraction(1, 10)).is_exact()
    (True, False)
    """
    return arb(fmpq(value.numerator, value.denominator))


def sign(x: Ball) -> int:
    """The sign of every number in a ball, 0 where they have not one; a nan has none.

    >>> sign(arb(1)), sign(arb(0, 1)), sign(arb("nan"))
    (1, 0, 0)
    """
    return 1 if x > 0 else -1 if x < 0 else 0


def outward(low: Ball, high: Ball) -> tuple[float, float]:
    """The nearest doubles that hold two exact numbers between them.

    >>> with ctx.workprec(100):
    ...     outward(arb(0.5), arb(1) + arb(2) ** -60)
    (0.5, 1.0000000000000002)
    """
    first, last = float(low.mid()), float(high.mid())
    if arb(first) > low:
        first = math.nextafter(first, -math.inf)
    if arb(last) < high:
        last = math.nextafter(last, math.inf)
    return first + 0.0, last + 0.0


def square(x: Ball) -> Ball:
    """x², from end points where the ball holds zero: a product of two balls forgets that they are one."""
    product = x * x
    return product if product > 0 else arb(0).union(x.abs_upper() ** 2) if x.is_finite() else product


def power(x: Ball, exponent: int) -> Ball:
    """x to a whole power ≥ 2, from end points."""
    if exponent == 2:
        return square(x)
    if not x.is_finite():
        return _NAN
    if exponent % 2:
        return (x.lower() ** exponent).union(x.upper() ** exponent)
    largest, least = x.abs_upper() ** exponent, x.abs_lower() ** exponent
    return least.union(largest)


def _is_readable(exponent: Ball) -> bool:
    """Whether an exponent is one number, and so small that its digits may be written out."""
    return bool(exponent.is_exact() and abs(exponent) < _LARGEST_EXPONENT)


def _general_power(x: Ball, y: Ball, restricted: bool) -> Ball:
    """x^y on the real line: x > 0, or x ≥ 0 where y is sure to be positive, or a whole y."""
    whole = y.unique_fmpz() if _is_readable(y) else None
    if whole is not None:
        number = int(whole)
        if number >= 0:
            return _ONE if number == 0 else x if number == 1 else power(x, number)
        return _ONE / (x if number == -1 else power(x, -number))
    if x > 0:
        return x**y
    if restricted or x >= 0:
        x = x.nonnegative_part()
        if y > 0 and x.is_finite():
            top = x.upper()
            return _ZERO.union(top**y) if top > 0 else _ZERO
    return _NAN


def _fixed_power(power: Callable[[Ball, Ball], Ball]) -> Callable[[Ball, Ball], Ball]:
    """A power whose exponent is one number: it may be a whole one, though its ball does not tell."""

    def enclosed(x: Ball, y: Ball) -> Ball:
        if x > 0 or _is_readable(y) or not y.contains_integer():
            return power(x, y)
        if not (y > 0 and x.is_finite()):
            return _NAN
        top = (x.abs_upper() ** y).abs_upper()
        return top.union(-top)

    return enclosed


def _strict_power(x: Ball, y: Ball) -> Ball:
    return _general_power(x, y, False)


def _restricted_power(x: Ball, y: Ball) -> Ball:
    return _general_power(x, y, True)


def _strict_sqrt(x: Ball) -> Ball:
    return x.sqrt() if x >= 0 else _NAN


def _restricted_sqrt(x: Ball) -> Ball:
    return x.nonnegative_part().sqrt()


def _somewhere(function: Callable[[Ball], Ball], outside: Callable[[Ball], bool]) -> Callable[[Ball], Ball]:
    def checked(x: Ball) -> Ball:
        if outside(x):
            raise Nowhere
        return function(x)

    return checked


def _power_somewhere(x: Ball, y: Ball) -> Ball:
    if x < 0 and not y.contains_integer():
        raise Nowhere
    return _general_power(x, y, True)


def _sign(x: Ball) -> Ball:
    if x > 0:
        return _ONE
    if x < 0:
        return -_ONE
    return _ZERO if x.is_zero() else _NAN if x.is_nan() else _BOTH_SIGNS


def _absolute(x: Ball) -> Ball:
    return x if x >= 0 else -x if x <= 0 else _ZERO.union(x.abs_upper()) if x.is_finite() else _NAN


def _relu(x: Ball) -> Ball:
    return x if x >= 0 else _ZERO if x <= 0 else x.max(_ZERO)


def _where(holds: bool, fails: bool, then: Ball, otherwise: Ball) -> Ball:
    """The branch that is sure to be taken, else a ball that holds both."""
    return then if holds else otherwise if fails else then.union(otherwise)


def _monotone(function: Callable[[Ball], Ball]) -> Callable[[Ball], Ball]:
    """An increasing function: a wide ball from its end points, where a ball's own rule is loose or nan."""

    def enclosed(x: Ball) -> Ball:
        if x.rad() < _NARROW:
            return function(x)
        return function(x.lower()).union(function(x.upper())) if x.is_finite() else _NAN

    return enclosed


def _softplus(x: Ball) -> Ball:
    """log(1 + eˣ), as x + log(1 + e⁻ˣ) for large x, where eˣ alone would overflow a ball's exponent."""
    return x + (-x).exp().log1p() if x > 1 else x.exp().log1p()


_COMPARISONS: dict[str, tuple[str, str]] = {  # how a condition is sure to hold, and to fail
    "<": ("{a} < {b}", "{a} >= {b}"),
    "<=": ("{a} <= {b}", "{a} > {b}"),
    ">": ("{a} > {b}", "{a} <= {b}"),
    ">=": ("{a} >= {b}", "{a} < {b}"),
    "==": ("({a} - {b}).is_zero()", "({a} < {b} or {a} > {b})"),
    "!=": ("({a} < {b} or {a} > {b})", "({a} - {b}).is_zero()"),
}

_SHARED: dict[str, Any] = {
    "square": square, "power": power, "sign": _sign, "absolute": _absolute, "relu": _relu,
    "where": _where, "ONE": _ONE,
    "sin": arb.sin, "cos": arb.cos, "tan": arb.tan, "cosh": arb.cosh, "acos": arb.acos,
    "exp": _monotone(arb.exp), "sinh": _monotone(arb.sinh), "tanh": _monotone(arb.tanh),
    "atan": _monotone(arb.atan), "asin": _monotone(arb.asin), "log": _monotone(arb.log),
    "log2": _monotone(lambda x: x.log() / arb.const_log2()),
    "log10": _monotone(lambda x: x.log() / arb.const_log10()),
    "sigmoid": _monotone(lambda x: (_ONE + (x / 2).tanh()) / 2), "softplus": _monotone(_softplus),
}  # fmt: skip


def _clipped(function: Callable[[Ball], Ball]) -> Callable[[Ball], Ball]:
    """A monotone function on [−1, 1], of the numbers of a ball that lie there."""

    def enclosed(x: Ball) -> Ball:
        if x.is_nan() or x > 1 or x < -1 or (x >= -1 and x <= 1):
            return function(x)
        return function(x.lower().max(-_ONE)).union(function(x.upper().min(_ONE)))

    return enclosed


def _bounded(function: Callable[[Ball], Ball], values: Ball) -> Callable[[Ball], Ball]:
    """A function of bounded values, at points of which nothing is known."""

    def enclosed(x: Ball) -> Ball:
        return function(x) if x.is_finite() else values

    return enclosed


_NEGATIVE: Callable[[Ball], bool] = lambda x: x < 0  # noqa: E731
_CLOSED = {
    **_SHARED, "sqrt": _restricted_sqrt, "general_power": _restricted_power,
    "fixed_power": _fixed_power(_restricted_power), "asin": _clipped(arb.asin), "acos": _clipped(arb.acos),
}  # fmt: skip
_RESTRICTED = {
    **_CLOSED,
    **{name: _bounded(_SHARED[name], _BOTH_SIGNS) for name in ("sin", "cos", "tanh")},
    "sigmoid": _bounded(_SHARED["sigmoid"], _ZERO.union(_ONE)), "atan": _bounded(_SHARED["atan"], arb(0, 2)),
}  # fmt: skip
NAMESPACES: dict[Reading, dict[str, Any]] = {
    "strict": {
        **_SHARED,
        "sqrt": _strict_sqrt,
        "general_power": _strict_power,
        "fixed_power": _strict_power,
    },
    "closed": _CLOSED,
    "restricted": _RESTRICTED,
    "nowhere": {
        **_RESTRICTED,
        "general_power": _power_somewhere,
        "fixed_power": _fixed_power(_power_somewhere),
        **{name: _somewhere(_RESTRICTED[name], _NEGATIVE) for name in ("sqrt", "log", "log2", "log10")},
        **{name: _somewhere(_RESTRICTED[name], lambda x: x > 1 or x < -1) for name in ("asin", "acos")},
    },
}


class BallFunction:
    """A formula, or several, as a function of balls.

    Parameters
    ----------
    outputs
        The expressions; parameters must have been put in, symbols are weights and columns.
    weights
        The order of the arguments.
    data
        Columns of exact values.
    reading
        ``"strict"``, ``"restricted"``, ``"closed"`` or ``"nowhere"``, see above.

    Notes
    -----
    Cost: about 30 µs for each distinct node to compile, once; some 0.3 µs for each operation of a call.
    Precision is python-flint's ``ctx.prec``, which is one for the whole process: no threads.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> function = BallFunction([parse("w^2 - 0.1")], ["w"])
    >>> (value,) = function(arb(0, 1))
    >>> bool(value >= arb("-0.2")), bool(value.contains(arb("0.9")))
    (True, True)
    """

    def __init__(
        self,
        outputs: Sequence[Expr],
        weights: Sequence[str],
        data: Mapping[str, Sequence[Fraction]] | None = None,
        reading: Reading = "strict",
    ) -> None:
        self.program = lower(outputs)
        data = data or {}
        names = generated_names(
            [*(Symbol(name) for name in weights), *(Symbol(name, "column") for name in data)]
        )
        columns = [names[Symbol(name, "column")] for name in data]
        writer = _Writer(self.program, names, columns)
        lines, results = writer.write()
        self._numbers = writer.numbers
        self._data = list(data.values())
        self._made: dict[int, tuple[list[Ball], list[list[Ball]]]] = {}
        heads = [*(names[Symbol(name)] for name in weights), "numbers", "columns"]
        body = [*writer.unpacking(), *lines, f"return ({''.join(f'{result}, ' for result in results)})"]
        source = "\n".join([f"def function({', '.join(heads)}):", *(f"    {line}" for line in body)])
        namespace = dict(NAMESPACES[reading])
        exec(compile(source, "<gdsim balls>", "exec"), namespace)
        self._function: Callable[..., tuple[Ball, ...]] = namespace["function"]

    def __call__(self, *balls: Ball) -> tuple[Ball, ...]:
        """Return a ball for each output, at the working precision."""
        made = self._made.get(ctx.prec)
        if made is None:
            made = self._made[ctx.prec] = self._make()
        return self._function(*balls, *made)

    def _make(self) -> tuple[list[Ball], list[list[Ball]]]:
        """The numbers and the data at the working precision."""
        numbers = [
            ball(value) if isinstance(value, Fraction) else arb.pi() if value == "pi" else arb.const_e()
            for value in self._numbers
        ]
        return numbers, [[ball(value) for value in column] for column in self._data]


class _Writer:
    """One statement for each instruction; what differs from row to row in a loop over the rows."""

    def __init__(self, program: Program, names: Mapping[Symbol, str], columns: Sequence[str]) -> None:
        self.program, self.names, self.columns = program, names, columns
        self.numbers: list[Fraction | str] = []
        self.text: list[str] = []
        self.fixed: list[bool] = []  # whether a value is one number whatever the weights and the row
        self.powers: dict[int, tuple[int, int]] = {}  # place: (place of the base, exponent)

    def unpacking(self) -> list[str]:
        """Statements that give the numbers their names."""
        return [f"n{place} = numbers[{place}]" for place in range(len(self.numbers))]

    def write(self) -> tuple[list[str], list[str]]:
        before: list[str] = []
        within: list[str] = []
        after: list[str] = []
        late: list[bool] = []
        steps = self.program.instructions
        for place, step in enumerate(steps):
            reduces = step.operation in ("sum", "mean")
            late.append(reduces or any(late[operand] for operand in step.operands))
            source = self._source(place, step)
            if source is None:
                continue
            target = within if step.rowwise else after if late[place] else before
            target.append(f"t{place} = {source}")
        reductions = [place for place, step in enumerate(steps) if step.operation in ("sum", "mean")]
        loop: list[str] = []
        if reductions:
            loop = [f"t{place} = 0 * ONE" for place in reductions]
            loop.append(f"for {', '.join(f'row_{c}' for c in self.columns)}, in zip(*columns):")
            loop += [f"    {line}" for line in within]
            loop += [f"    t{place} += {self.text[steps[place].operands[0]]}" for place in reductions]
            loop += [
                f"t{place} = t{place} / len(columns[0])"
                for place in reductions
                if steps[place].operation == "mean"
            ]
        return [*before, *loop, *after], [self.text[place] for place in self.program.outputs]

    def _source(self, place: int, step: Instruction) -> str | None:
        """The right side of a statement, or None where the value has a name already."""
        payload = step.payload
        self.fixed.append(
            not isinstance(payload, Symbol) and all(self.fixed[operand] for operand in step.operands)
        )
        name: str | None = None
        if step.operation in ("number", "constant"):
            name = f"n{len(self.numbers)}"
            self.numbers.append(payload)  # type: ignore[arg-type]
        elif isinstance(payload, Symbol):
            name = f"row_{self.names[payload]}" if step.rowwise else self.names[payload]
        self.text.append(name if name is not None else f"t{place}")
        if name is not None or step.operation in ("sum", "mean"):
            return None
        return self._expression(place, step)

    def _expression(self, place: int, step: Instruction) -> str:
        values = [self.text[operand] for operand in step.operands]
        match step.operation, values:
            case "rows", []:
                return "len(columns[0]) * ONE"
            case "add", [a, b]:
                return f"{a} + {b}"
            case "sub", [a, b]:
                return f"{a} - {b}"
            case "mul", [a, b]:
                return self._product(place, step.operands, a, b)
            case "div", [a, b]:
                return f"{a} / {b}"
            case "neg", [a]:
                return f"-{a}"
            case "abs", [a]:
                return f"absolute({a})"
            case "max", [a, b]:
                return f"{a}.max({b})"
            case "min", [a, b]:
                return f"{a}.min({b})"
            case "pow", [a, b]:
                return f"{'fixed' if self.fixed[step.operands[1]] else 'general'}_power({a}, {b})"
            case "where", [left, right, then, otherwise]:
                holds, fails = (text.format(a=left, b=right) for text in _COMPARISONS[str(step.payload)])
                return f"where({holds}, {fails}, {then}, {otherwise})"
        return f"{step.operation}({', '.join(values)})"

    def _product(self, place: int, operands: tuple[int, ...], a: str, b: str) -> str:
        """A product of powers of one base is a power, which is tighter over a wide ball."""
        (first, m), (second, n) = (self.powers.get(operand, (operand, 1)) for operand in operands)
        if first != second:
            return f"{a} * {b}"
        self.powers[place] = (first, m + n)
        return f"power({self.text[first]}, {m + n})"
