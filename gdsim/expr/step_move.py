"""The end of a derivation: the number at a point, and which way it moves the weight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite, isinf, isnan
from typing import TYPE_CHECKING, Any

from gdsim.expr.emit_python import compile_function
from gdsim.expr.nodes import Expr, Symbol, symbols, walk
from gdsim.expr.step_lines import Line, slope_name
from gdsim.expr.step_numbers import number_lines
from gdsim.expr.step_text import steps_text
from gdsim.outcomes import Fault, InputError

if TYPE_CHECKING:
    from gdsim.expr.one_sided import Break


@dataclass(frozen=True)
class Slope:
    """A derivative at a point, and what gradient descent does about it.

    Attributes
    ----------
    weight
        By which weight.
    value
        The number.
    direction
        ``left``, ``right`` or ``stay``: against the slope; None where no step can be taken.
    sentence
        The same in words.
    lines
        The numbers filled in, line by line.
    """

    weight: str
    value: float
    direction: str | None
    sentence: str
    lines: tuple[Line, ...]

    def __str__(self) -> str:
        """Write the numbers and the way."""
        return f"{steps_text(self.lines)}\n{self.sentence}"


def slope_at(before: Expr, after: Expr, shown: Expr, weight: str, where: Any) -> Slope:
    """Return the derivative of an expression at a point.

    Parameters
    ----------
    before, after, shown
        The expression, its derivative, and the form of that in which the numbers are filled in.
    weight
        By which weight.
    where
        A number, or one for each weight and parameter by name.

    Raises
    ------
    InputError
        Where a name has no number, or a number no name.
    """
    from gdsim.expr.one_sided import break_at

    names = {node.name: node for node in walk(before) if isinstance(node, Symbol)}
    values = {names[name]: value for name, value in _numbers(where, [*names]).items()}
    loss, slope = compile_function([before, after], [*values])(*values.values())
    several = len(symbols(before, "weight")) > 1
    lines = number_lines(shown, slope_name(weight, several), slope, values, {})
    there = break_at(before, names.get(weight, Symbol(weight)), values)
    said = move(f"∂L/∂{weight}" if several else "L′", weight, slope, loss, there)
    return Slope(weight, slope, direction(slope, loss), " ".join(said), tuple(lines))


def _numbers(where: Any, names: list[str]) -> dict[str, float]:
    """Return a number for each name. Raises InputError."""
    given = where if isinstance(where, Mapping) else dict.fromkeys(names, where) if len(names) == 1 else {}
    try:
        found = {name: float(given[name]) for name in names}
    except (TypeError, ValueError, LookupError, OverflowError):
        found = {}
    if len(found) < len(names) or len(given) > len(names):
        expected = f"a number for each of {', '.join(names)}"
        raise InputError(Fault(f"{where!r} does not say where", expected, path="at"))
    return found


def direction(slope: float, loss: float) -> str | None:
    """Return the way to move, against the slope; there is none where slope or loss is not finite."""
    if not isfinite(slope) or not isfinite(loss):
        return None
    return "left" if slope > 0 else "right" if slope < 0 else "stay"


def move(mark: str, name: str, slope: float, loss: float, there: Break | None = None) -> tuple[str, ...]:
    """Say which way a weight is moved, and why.

    Parameters
    ----------
    mark
        What the slope is called.
    name
        The weight.
    slope, loss
        The numbers at the point.
    there
        The kink or the jump at the point, where there is one.

    Examples
    --------
    >>> move("L′", "w", -2.0, 1.0)
    ('L′ < 0: the loss falls with w.', 'Negative, so increase w: the step goes right by η·2.')
    >>> move("L′", "w", -1.0, float("nan"))
    ('L is not a number here: nothing tells which way to move w.',)
    >>> from gdsim.expr.one_sided import Break
    >>> for sentence in move("L′", "w", 0.0, 0.0, Break(-1.0, 1.0, jump=False)):
    ...     print(sentence)
    L has a kink here: L′ is −1 on the left, 1 on the right.
    There is no derivative; by agreement 0 is taken.
    It is 0, so no step is taken.
    """
    if isnan(loss) or isnan(slope):
        lost = "L" if isnan(loss) else mark
        return (f"{lost} is not a number here: nothing tells which way to move {name}.",)
    if isinf(loss) or isinf(slope):
        lost = "L" if isinf(loss) else mark
        return (f"{lost} is infinite here, or too large for a number: no step can be taken.",)
    if slope > 0:
        why = f"{mark} > 0: the loss rises with {name}."
        step = f"Positive, so decrease {name}: the step goes left by η·{slope:.6g}."
    elif slope < 0:
        why = f"{mark} < 0: the loss falls with {name}."
        step = f"Negative, so increase {name}: the step goes right by η·{-slope:.6g}."
    else:
        why = f"{mark} = 0: flat in {name}, so no step is taken."
        step = "Where every slope is 0, the point is critical: a minimum, a maximum or a saddle."
    if there is None:
        return why, step
    return *_broken(mark, slope, there), step if slope else "It is 0, so no step is taken."


def _broken(mark: str, slope: float, there: Break) -> tuple[str, str]:
    """Say that there is no derivative, and which number takes its place."""
    left, right, taken = (f"{side + 0.0:.6g}".replace("-", "−") for side in (there.left, there.right, slope))
    kink = f"L has a kink here: {mark} is {left} on the left, {right} on the right."
    said = "L jumps here." if there.jump else kink
    return said, f"There is no derivative; by agreement {taken} is taken."
