"""What depends on the step alone, worked out once for all runs: powers of a decay, a schedule's cosine."""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdsim.expr.emit_numpy import NAMESPACE, statements
from gdsim.expr.emit_python import function_source, generated_names
from gdsim.expr.lower import Instruction, Program, without_dead
from gdsim.expr.nodes import Symbol

Array = NDArray[np.float64]

LONGEST = 1 << 22  # steps; beyond, every lane works it out for itself
_CHEAP = frozenset({"number", "constant", "symbol", "add", "sub", "mul", "neg", "abs", "max", "min", "where"})


class Tables(NamedTuple):
    """A program whose costly parts that every run shares are read from tables.

    ``program`` reads the symbols ``tables``; their values are the outputs of ``shared``.
    """

    program: Program
    tables: tuple[Symbol, ...]
    shared: Program


def tabulated(program: Program, shared: Set[str], prefix: str) -> Tables:
    """Part a program over parameters: what depends on ``shared`` names alone, and costs much, is tabulated.

    >>> from gdsim.expr.lower import lower
    >>> from gdsim.expr.parse import parse
    >>> rate = lower([parse("initial*gamma^k", parameters=frozenset(["initial", "gamma", "k"]))])
    >>> [step.operation for step in tabulated(rate, {"gamma", "k"}, "table").program.instructions]
    ['symbol', 'symbol', 'mul']
    """
    steps = program.instructions
    alike: list[bool] = []
    costly: list[bool] = []
    for step in steps:
        if isinstance(step.payload, Symbol):
            alike.append(step.payload.name in shared)
        else:
            alike.append(all(alike[operand] for operand in step.operands))
        costly.append(step.operation not in _CHEAP or any(costly[operand] for operand in step.operands))
    wanted = {place for place in program.outputs if alike[place] and costly[place]}
    for place, step in enumerate(steps):
        if not alike[place]:
            wanted |= {operand for operand in step.operands if alike[operand] and costly[operand]}
    order = tuple(sorted(wanted))
    symbols = tuple(Symbol(f"{prefix}{number}", "parameter") for number in range(len(order)))
    replaced = list(steps)
    for symbol, place in zip(symbols, order, strict=True):
        replaced[place] = Instruction("symbol", (), symbol)
    return Tables(without_dead(replaced, program.outputs), symbols, without_dead(steps, order))


def values(shared: Program, inputs: dict[str, Any], length: int) -> list[Array]:
    """Work out the tables; ``inputs`` gives a number, or one for each step, for each name."""
    symbols = list(dict.fromkeys(shared.symbols))
    names = generated_names(symbols)
    lines, results = statements(shared, names)
    namespace: dict[str, Any] = dict(NAMESPACE)
    exec(compile(function_source(names.values(), lines, results), "<gdsim tables>", "exec"), namespace)
    function: Callable[..., tuple[Array, ...]] = namespace["function"]
    with np.errstate(all="ignore"):
        found = function(*(np.float64(1.0) * inputs[symbol.name] for symbol in symbols))
    return [np.broadcast_to(value, (length,)).astype(np.float64) for value in found]
