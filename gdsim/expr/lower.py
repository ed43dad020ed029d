"""From trees to one straight-line program, each common subexpression computed once.

This is the one place from which source for any back-end is emitted: Python, NumPy, PyTorch, Numba,
JavaScript and ball arithmetic. The vocabulary of operations:

=====================  =========================================================================
``number``             a rational, in ``payload``
``constant``           ``pi`` or ``e``, in ``payload``
``symbol``             a weight, parameter or column, in ``payload``
``add sub mul div``    two operands; ``neg`` one
``pow``                general power; small integer and half-integer powers are lowered to products
                       and square roots
functions              ``sqrt exp log log2 log10 sin cos tan asin acos atan sinh cosh tanh abs sign
                       relu sigmoid softplus`` with one operand, ``max min`` with two
``where``              operands left, right, then, otherwise; the comparison in ``payload``
``sum mean``           over the rows of one row-wise operand
``rows``               the number of rows
=====================  =========================================================================

A new back-end is one function from ``Program`` to source: walk the instructions in order, write one
statement or sub-expression for each operation of the table, and give the texts at ``outputs``. What differs
from row to row is marked ``rowwise``; everything else stands outside the loop over the rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from gdsim.expr.nodes import (
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
    walk,
)

LARGEST_UNROLLED_POWER = 8
_TAKES_SIGNS = frozenset({"neg", "abs", "mul", "div", "add", "sub"})


class Instruction(NamedTuple):
    """One operation; operands are places of earlier instructions.

    ``rowwise`` says that its value differs from data row to data row.
    """

    operation: str
    operands: tuple[int, ...] = ()
    payload: object = None
    rowwise: bool = False


class Program(NamedTuple):
    """Instructions in order of computation, and the places of the results."""

    instructions: tuple[Instruction, ...]
    outputs: tuple[int, ...]

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """The symbols that the program reads."""
        return tuple(step.payload for step in self.instructions if isinstance(step.payload, Symbol))

    @property
    def reads_rows(self) -> bool:
        """Whether the number of data rows is needed."""
        return any(step.operation in ("rows", "sum", "mean") for step in self.instructions)

    def uses(self) -> list[int]:
        """How often each value is read, as an operand or as a result."""
        counts = [0] * len(self.instructions)
        for step in self.instructions:
            for operand in step.operands:
                counts[operand] += 1
        for output in self.outputs:
            counts[output] += 1
        return counts


def lower(outputs: Sequence[Expr]) -> Program:
    """Lower expressions to one program.

    Common subexpressions are shared over all outputs, so that a loss costs little beside its gradient;
    x and −x share what they are made of. Powers with integer exponents up to 8 become repeated squarings
    (which share their squares) and x^½, x^1½ … become square roots; other powers stay ``pow``.

    Notes
    -----
    An expression gets the same operations whatever stands beside it, and every rewriting of signs is
    exact in IEEE arithmetic. Its value has therefore the same bits alone and among other outputs.
    Cost: linear in the number of distinct nodes.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> [step.operation for step in lower([parse("w^4"), parse("w^2")]).instructions]
    ['symbol', 'mul', 'mul']
    """
    builder = Builder()
    places = [builder.place(expr) for expr in outputs]
    return without_dead(builder.instructions, places)


class Builder:
    """Instructions as they come, none twice."""

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.known: dict[tuple[str, tuple[int, ...], object], int] = {}
        self.places: dict[Expr, int] = {}

    def emit(self, operation: str, *operands: int, payload: object = None) -> int:
        """Return the place of an operation on the values at these places."""
        if operation in _TAKES_SIGNS:
            rewritten = self.without_signs(operation, operands)
            if rewritten is not None:
                return rewritten
        if operation in ("add", "mul"):
            operands = tuple(sorted(operands))  # both commute exactly in IEEE arithmetic
        key = (operation, operands, payload)
        if key not in self.known:
            rowwise = isinstance(payload, Symbol) and payload.role == "column"
            if operation not in ("sum", "mean"):
                rowwise = rowwise or any(self.instructions[operand].rowwise for operand in operands)
            self.known[key] = len(self.instructions)
            self.instructions.append(Instruction(operation, operands, payload, rowwise))
        return self.known[key]

    def without_signs(self, operation: str, operands: tuple[int, ...]) -> int | None:
        """Absorb a minus where that costs nothing and changes no bit; None where there is none to absorb."""
        inner = [self.negated(operand) for operand in operands]
        match operation, inner:
            case "neg", [x] if x is not None:
                return x
            case "neg", [None]:
                value = self.instructions[operands[0]].payload
                if isinstance(value, Fraction) and value != 0:  # −0.0 is not 0.0
                    return self.number(-value)
            case "abs", [x] if x is not None:
                return self.emit("abs", x)
            case (("mul" | "div"), [x, y]) if x is not None and y is not None:
                return self.emit(operation, x, y)
            case "add", [_, y] if y is not None:
                return self.emit("sub", operands[0], y)
            case "add", [x, None] if x is not None:
                return self.emit("sub", operands[1], x)
            case "sub", [_, y] if y is not None:
                return self.emit("add", operands[0], y)
        return None

    def negated(self, place: int) -> int | None:
        """The place of x where −x stands."""
        step = self.instructions[place]
        return step.operands[0] if step.operation == "neg" else None

    def place(self, expr: Expr) -> int:
        for node in walk(expr):
            if node not in self.places and not isinstance(node, Compare):
                self.places[node] = self.node(node)
        return self.places[expr]

    def node(self, node: Expr) -> int:
        places = self.places
        match node:
            case Number(value):
                return self.emit("number", payload=value)
            case Constant(name):
                return self.emit("constant", payload=name)
            case Symbol():
                return self.emit("symbol", payload=node)
            case Negate(operand):
                return self.emit("neg", places[operand])
            case Add(terms):
                total = places[terms[0]]
                for term in terms[1:]:
                    total = self.emit("add", total, places[term])
                return total
            case Multiply(factors):
                product = places[factors[0]]
                for factor in factors[1:]:
                    product = self.emit("mul", product, places[factor])
                return product
            case Divide(numerator, denominator):
                return self.emit("div", places[numerator], places[denominator])
            case Power(base, exponent):
                return self.power(places[base], exponent)
            case Where(condition, then, otherwise):
                return self.emit(
                    "where",
                    places[condition.left], places[condition.right], places[then], places[otherwise],
                    payload=condition.operator,
                )  # fmt: skip
            case Call("huber", (argument, bound)):
                return self.huber(places[argument], places[bound])
            case Call(function, arguments):
                return self.emit(function, *(places[argument] for argument in arguments))
            case Reduce(kind, body):
                return self.reduction(kind, places[body])
        raise AssertionError(f"unknown node {type(node).__name__}")

    def number(self, value: Fraction | int) -> int:
        return self.emit("number", payload=Fraction(value))

    def power(self, base: int, exponent: Expr) -> int:
        value = rational_exponent(exponent)
        if value is None:
            return self.emit("pow", base, self.places[exponent])
        if abs(value) > LARGEST_UNROLLED_POWER or value.denominator > 2:
            return self.emit("pow", base, self.number(value))
        whole, half = divmod(abs(value.numerator), value.denominator)
        result = self.integer_power(base, whole) if whole else None
        if half:
            root = self.emit("sqrt", base)
            result = root if result is None else self.emit("mul", result, root)
        if result is None:
            return self.number(1)  # x^0 is 1 everywhere, as in IEEE pow
        return self.emit("div", self.number(1), result) if value < 0 else result

    def integer_power(self, base: int, exponent: int) -> int:
        if exponent == 1:
            return base
        half = self.integer_power(base, exponent // 2)
        square = self.emit("mul", half, half)
        return self.emit("mul", square, base) if exponent % 2 else square

    def huber(self, argument: int, bound: int) -> int:
        """x²/2 for |x| ≤ d, else d(|x| − d/2)."""
        size = self.emit("abs", argument)
        half = self.number(Fraction(1, 2))
        inside = self.emit("mul", half, self.emit("mul", argument, argument))
        outside = self.emit("mul", bound, self.emit("sub", size, self.emit("mul", half, bound)))
        return self.emit("where", size, bound, inside, outside, payload="<=")

    def reduction(self, kind: str, body: int) -> int:
        if self.instructions[body].rowwise:
            return self.emit(kind, body)
        return body if kind == "mean" else self.emit("mul", body, self.emit("rows"))


def rational_exponent(exponent: Expr) -> Fraction | None:
    """Return the value of an exponent such as 3, −1/2 or 2/3, None where it is none.

    >>> from gdsim.expr.parse import parse
    >>> rational_exponent(parse("-1/2"))
    Fraction(-1, 2)
    """
    match exponent:
        case Number(value):
            return value
        case Negate(operand):
            inner = rational_exponent(operand)
            return None if inner is None else -inner
        case Divide(numerator, denominator):
            above, below = rational_exponent(numerator), rational_exponent(denominator)
            return None if above is None or not below else above / below
    return None


def without_dead(instructions: Sequence[Instruction], outputs: Sequence[int]) -> Program:
    """Drop what no output needs and renumber."""
    needed = set(outputs)
    for place in range(len(instructions) - 1, -1, -1):
        if place in needed:
            needed.update(instructions[place].operands)
    order = sorted(needed)
    renumbered = {place: new for new, place in enumerate(order)}
    kept = tuple(
        instructions[place]._replace(
            operands=tuple(renumbered[operand] for operand in instructions[place].operands)
        )
        for place in order
    )
    return Program(kept, tuple(renumbered[place] for place in outputs))
