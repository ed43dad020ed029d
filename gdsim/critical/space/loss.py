"""A loss of several weights over boxes: its derivatives, and where it may fail to be smooth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gdsim.critical.switches import switching_functions
from gdsim.critical.written import WrittenLoss
from gdsim.expr.emit_ball import Ball, BallFunction, Nowhere
from gdsim.expr.lower import rational_exponent
from gdsim.expr.nodes import (
    ONE,
    TWO,
    ZERO,
    Add,
    Call,
    Compare,
    Divide,
    Expr,
    Negate,
    Number,
    Power,
    Symbol,
    Where,
    substitute,
    symbols,
    walk,
)
from gdsim.expr.simplify import simplify

_MOST_SWITCHES = 2000  # over all data rows: beyond, a kink is taken to be everywhere


@dataclass(frozen=True, eq=False)
class BallLoss:
    """A loss with its derivatives over boxes.

    Attributes
    ----------
    gradient
        Restricted reading: to exclude zeros.
    slope
        Strict reading: to prove them.
    everything
        Strict reading: the loss, the gradient, the upper triangle of the Hessian row by row.
    somewhere
        The loss, by a reading that raises ``Nowhere`` where it is defined at no point; None where it has
        choices, of which one alone may be so.
    switches, jumps, edges
        The functions at whose zeros the loss may have a kink, a jump, a pole or the edge of its domain; may
        jump; may have a pole or an edge.
    """

    written: WrittenLoss
    gradient: BallFunction
    slope: BallFunction
    everything: BallFunction
    somewhere: BallFunction | None
    switches: Switches
    jumps: Switches
    edges: Switches

    @classmethod
    def of(cls, written: WrittenLoss) -> BallLoss:
        """Compile. Cost: some milliseconds."""
        weights, data = written.weights, written.data
        size = len(weights)
        upper = [written.hessian[i][j] for i in range(size) for j in range(i, size)]
        nodes = list(walk(written.expression))
        chooses = any(isinstance(node, Where) for node in nodes)
        return cls(
            written,
            BallFunction(written.gradient, weights, data, "restricted"),
            BallFunction(written.gradient, weights, data),
            BallFunction([written.expression, *written.gradient, *upper], weights, data),
            None if chooses else BallFunction([written.expression], weights, data, "nowhere"),
            Switches.of(written, switching_functions(written.expression)),
            Switches.of(written, [switch for node in nodes for switch in _jumps(node)]),
            Switches.of(written, [switch for node in nodes for switch in _edges(node)]),
        )

    @property
    def size(self) -> int:
        """The number of weights."""
        return len(self.written.weights)

    def is_nowhere(self, box: Sequence[Ball]) -> bool:
        """Whether the loss is proved to be defined at no point of the box."""
        if self.somewhere is None:
            return False
        try:
            self.somewhere(*box)
        except Nowhere:
            return True
        return False

    def value(self, box: Sequence[Ball]) -> Ball:
        """The loss over a box."""
        return self.everything(*box)[0]


@dataclass(frozen=True, eq=False)
class Switches:
    """Functions of the weights at whose zeros something happens to the loss; None stands for too many."""

    functions: BallFunction | None
    any: bool

    @classmethod
    def of(cls, written: WrittenLoss, switches: Sequence[Expr]) -> Switches:
        """Take functions that read the data once for each row."""
        found: dict[Expr, None] = {}
        rows = len(next(iter(written.data.values()), ()))
        for switch in switches:
            if not symbols(switch, "weight"):
                continue
            if not symbols(switch, "column"):
                found.setdefault(switch)
                continue
            if rows * len(switches) > _MOST_SWITCHES:
                return cls(None, True)
            for row in range(rows):
                at_row: dict[Expr, Expr] = {
                    Symbol(name, "column"): Number(column[row]) for name, column in written.data.items()
                }
                found.setdefault(substitute(switch, at_row))
        return cls(BallFunction(list(found), written.weights), bool(found))

    def may_vanish(self, box: Sequence[Ball]) -> bool:
        """Whether one of the functions is not proved to have one sign on the box."""
        if not self.any:
            return False
        if self.functions is None:
            return True
        return not all(value > 0 or value < 0 for value in self.functions(*box))


def _jumps(node: Expr) -> tuple[Expr, ...]:
    """The function at whose zeros a node may jump."""
    match node:
        case Call("sign", (argument,)):
            return (argument,)
        case Where(Compare(operator, left, right), then, otherwise):
            for weight, other in ((left, right), (right, left)):
                if isinstance(weight, Symbol) and operator not in ("==", "!="):
                    both = substitute(Add((then, Negate(otherwise))), {weight: other})
                    if simplify(both) == ZERO:
                        return ()
            return (Add((left, Negate(right))),)
    return ()


def _edges(node: Expr) -> tuple[Expr, ...]:
    """The function at whose zeros a node may have a pole, or its domain an edge."""
    match node:
        case Divide(_, denominator):
            return (denominator,)
        case Power(base, exponent):
            whole = rational_exponent(exponent)
            return () if whole is not None and whole.denominator == 1 and whole >= 0 else (base,)
        case Call("sqrt" | "log" | "log2" | "log10", (argument,)):
            return (argument,)
        case Call("asin" | "acos", (argument,)):
            return (Add((Power(argument, TWO), Negate(ONE))),)
        case Call("tan", (argument,)):
            return (Call("cos", (argument,)),)
    return ()
