"""Differences that look at their own error, for a block of 64 lanes: functions of the generated source.

Such a scheme takes the loss at eight to fifty points for each weight, too many to be written out one beside
the other. So a loop goes over the points, and a function gives the loss and the bound on its rounding there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

from gdsim.derivatives.difference_program import difference_program
from gdsim.expr.emit_numba import Statement, statements
from gdsim.expr.lower import Program
from gdsim.expr.nodes import Symbol
from gdsim.kernels.fast_sheet import LANES, Sheet
from gdsim.losses import Loss

STEP = "difference_step"  # the variable of a step that is given
_COPY = f"""
@plain
def copy(field, target, source):
    for i in range({LANES}):
        put(field, target * {LANES} + i, get(field, source * {LANES} + i))"""


class Differences:
    """The gradient of a block, by the call of one function.

    It works in rows of its own, in this order: ``inputs``, the gradient, the points (the weight itself is the
    last), the losses there, their bounds, one loss and its bound, and what loops leave for others.

    Parameters
    ----------
    loss, scheme, given_step
        As for :func:`gdsim.derivatives.difference_program.difference_program`.
    names
        The variable of each symbol of the loss.
    inputs
        Those of them that differ from lane to lane, the weights first.
    """

    def __init__(
        self, loss: Loss, scheme: str, given_step: bool, names: Mapping[Symbol, str], inputs: Sequence[str]
    ) -> None:
        self.program = difference_program(loss, scheme, given_step)
        self.names, self.inputs, self.weights = names, tuple(inputs), len(loss.weights)
        self.count = len(self.program.points.outputs) + 1
        self.gradient = len(self.inputs)
        self.points = self.gradient + self.weights
        self.found, self.noise = self.points + self.count, self.points + 2 * self.count
        self.value = self.points + 3 * self.count

    @property
    def call(self) -> Statement:
        """The statement that leaves ``d0`` … behind."""
        targets = " ".join(f"d{w}" for w in range(self.weights))
        return Statement(targets, "differences", self.inputs, "block", rows=self._written[1])

    def lines(self, prologue: Callable[[list[str]], list[str]]) -> list[str]:
        """Return the functions; ``prologue`` gives the lines that fetch the numbers which a text reads."""
        result = _COPY.splitlines()
        for name, body in self._written[0].items():
            head = f"def {name}(field, numbers, lists):"
            result += ["", "@plain", head, *(f"    {line}" for line in ("wide()", *prologue(body), *body))]
        return result

    @cached_property
    def _written(self) -> tuple[dict[str, list[str]], int]:
        """The bodies of the functions, and how many rows these use."""
        inputs = {name: row for row, name in enumerate(self.inputs)}
        value, most = self._loops(self.program.value, self.names, inputs, [self.value, self.value + 1])

        known = {f"found{place}": self.found + place for place in range(self.count - 1)}
        known |= {f"noise{place}": self.noise + place for place in range(self.count)}
        known |= {"center": self.found - 1, "here": self.noise - 1}
        names = {Symbol(name, "parameter"): name for name in known} | {Symbol("step", "parameter"): STEP}
        places = list(range(self.points, self.found - 1))
        points, rows = self._loops(self.program.points, names, known, places)
        slope, more = self._loops(self.program.slope, names, known, [self.value])
        body = [
            f"copy(field, {self.found - 1}, w)",
            *points,
            f"for place in range({self.count}):",
            f"    copy(field, w, {self.points} + place)",
            "    loss_and_bound(field, numbers, lists)",
            f"    copy(field, {self.found} + place, {self.value})",
            f"    copy(field, {self.noise} + place, {self.value + 1})",
            *slope,
            f"copy(field, {self.gradient} + w, {self.value})",
        ]
        over_weights = [f"for w in range({self.weights}):", *(f"    {line}" for line in body)]
        return {"loss_and_bound": value, "differences": over_weights}, max(most, rows, more)

    def _loops(
        self, program: Program, names: Mapping[Symbol, str], inputs: Mapping[str, int], targets: Sequence[int]
    ) -> tuple[list[str], int]:
        """A program as loops over the lanes that leave its outputs in some rows; the rows they use."""
        sheet = Sheet("field", inputs, self.value + 2, exact_angles=True)
        written, results = statements(program, names)
        sheet.add(written)
        kept = [f"put(field, {LANES * row} + i, {text})" for row, text in zip(targets, results, strict=True)]
        return sheet.render(kept, [text for text in results if text.isidentifier()]), sheet.free
