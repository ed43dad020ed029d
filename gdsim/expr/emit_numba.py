"""Statements for one lane of a vectorised loop: the text that Numba compiles.

One statement for each instruction, with the names that it reads, so that a kernel can part them into
loops: what is computed lane by lane without a branch, what needs a look at the arguments (angles), what the
C library computes number by number, and what runs over the rows of the data.

A product that is added to something is fused with it (``fma``, rounded once), always, whatever else uses the
product: so an expression has the same bits alone and beside others, in vector code and in scalar code.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

from gdsim.expr.emit_python import literal
from gdsim.expr.lower import Instruction, Program
from gdsim.expr.nodes import Symbol

Kind = Literal["lane", "angle", "library", "sum", "block"]

VECTOR_FUNCTIONS = ("exp", "log", "sinh", "cosh", "tanh", "sigmoid", "softplus")
ANGLE_FUNCTIONS = ("sin", "cos", "tan")
LIBRARY_FUNCTIONS = {"asin": "math.asin", "acos": "math.acos", "atan": "math.atan", "log2": "math.log2",
                     "log10": "math.log10", "pow": "math.pow", "atan2": "math.atan2", "asinh": "math.asinh",
                     "log1p": "math.log1p"}  # fmt: skip


class Statement(NamedTuple):
    """``target = text``; ``reads`` are the names of variables in the text.

    ``kind``: ``lane`` (branch-free), ``angle`` (branch-free for small arguments), ``library`` (a scalar call
    of the C library), ``sum`` (the text is added to the target for each row), ``block`` (the text is a
    function for all lanes at once, the target several names, parted by spaces). ``function`` is what an angle
    or library statement calls. ``rowwise`` says that it stands inside the loop over the rows. ``rows`` is how
    many rows of the block a function for all lanes needs: what it reads, its targets, and what it likes.
    """

    target: str
    text: str
    reads: tuple[str, ...] = ()
    kind: Kind = "lane"
    rowwise: bool = False
    function: str = ""
    rows: int = 0


def statements(
    program: Program, names: Mapping[Symbol, str], prefix: str = "t"
) -> tuple[list[Statement], list[str]]:
    """Write a program as statements for one lane.

    Parameters
    ----------
    program
        What to compute.
    names
        The variable of each weight and parameter; for a column that of its number in the present row.
    prefix
        The first letters of the temporaries.

    Returns
    -------
    (statements, results)
        In order of computation, and for each output the text of its value: a name or a literal.

    Examples
    --------
    >>> from gdsim.expr.lower import lower
    >>> from gdsim.expr.parse import parse
    >>> written, results = statements(lower([parse("w^2 + sin(w)")]), {Symbol("w"): "w0"})
    >>> [(step.target, step.text) for step in written], results
    ([('t1', 'w0 * w0'), ('t2', 'sin(w0)'), ('t3', 'fma(w0, w0, t2)')], ['t3'])
    """
    text: list[str] = []
    written: list[Statement] = []
    for place, step in enumerate(program.instructions):
        if step.operation == "number":
            text.append(literal(step.payload))  # type: ignore[arg-type]
        elif step.operation == "constant":
            text.append(f"math.{step.payload}")
        elif step.operation == "rows":
            text.append("rows")
        elif isinstance(step.payload, Symbol):
            text.append(names[step.payload])
        else:
            target = f"{prefix}{place}"
            written += _written(program, place, target, text)
            text.append(target)
    return written, [text[place] for place in program.outputs]


def _written(program: Program, place: int, target: str, text: list[str]) -> list[Statement]:
    step = program.instructions[place]
    values = [text[operand] for operand in step.operands]
    name = step.operation
    if name in ("sum", "mean"):
        total = target if name == "sum" else f"{target}_sum"
        added = Statement(total, values[0], (*_names(values),), "sum", True)
        if name == "sum":
            return [added]
        return [added, Statement(target, f"{total} / rows", (total,))]
    rowwise = step.rowwise
    if name in ("add", "sub"):
        product = _fused(program, step, text)
        if product is not None:
            values, line = product
            return [Statement(target, line, _names(values), "lane", rowwise)]
    if name in ANGLE_FUNCTIONS:
        return [Statement(target, f"{name}({values[0]})", _names(values), "angle", rowwise, name)]
    if name in LIBRARY_FUNCTIONS:
        call = LIBRARY_FUNCTIONS[name]
        return [Statement(target, f"{call}({', '.join(values)})", _names(values), "library", rowwise, call)]
    return [Statement(target, _expression(step, values), _names(values), "lane", rowwise)]


def _names(values: list[str]) -> tuple[str, ...]:
    """The texts that are names, each once."""
    return tuple(dict.fromkeys(value for value in values if value.isidentifier()))


def _fused(program: Program, step: Instruction, text: list[str]) -> tuple[list[str], str] | None:
    """A sum or difference with a product as a fused multiply-add; None where neither operand is one."""
    for side, operand in enumerate(step.operands):
        inner = program.instructions[operand]
        if inner.operation != "mul" or inner.rowwise != step.rowwise:
            continue
        x, y = (text[place] for place in inner.operands)
        other = text[step.operands[1 - side]]
        if step.operation == "add":
            line = f"fma({x}, {y}, {other})"
        elif side == 0:
            line = f"fma({x}, {y}, -{other})"
        else:
            line = f"fma(-{x}, {y}, {other})"
        return [x, y, other], line
    return None


def _expression(step: Instruction, values: list[str]) -> str:
    operators = {"add": "+", "sub": "-", "mul": "*", "div": "/"}
    match step.operation, values:
        case (("add" | "sub" | "mul" | "div"), [a, b]):
            return f"{a} {operators[step.operation]} {b}"
        case "neg", [a]:
            return f"-{a}"
        case "where", [left, right, then, otherwise]:
            return f"select({left} {step.payload} {right}, {then}, {otherwise})"
        case "max", [a, b]:
            return f"select({a} != {a}, {a}, select({a} >= {b}, {a}, {b}))"
        case "min", [a, b]:
            return f"select({a} != {a}, {a}, select({a} <= {b}, {a}, {b}))"
        case "relu", [a]:
            return f"select({a} <= 0.0, 0.0, {a})"
        case "sign", [a]:
            return f"select({a} > 0.0, 1.0, select({a} < 0.0, -1.0, {a}))"
        case "floor", [a]:
            return f"float(math.floor({a}))"
        case "sqrt", [a]:
            return f"math.sqrt({a})"
    return f"{step.operation}({', '.join(values)})"
