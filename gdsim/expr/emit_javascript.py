"""JavaScript source for the page: doubles and the ``Math`` object.

The operations and their order are those of :mod:`gdsim.expr.emit_python`, so that polynomials have the same
bits; the engines' own ``exp``, ``sin`` … may differ from the C library's in the last place. JavaScript never
raises on numbers, so that there is one dialect.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple

from gdsim.expr.emit_python import literal
from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Expr, Symbol

RUNTIME = ("power", "sigmoid", "softplus")
"""What the source calls beside ``Math``: functions of gdsim/page/js/engine/arithmetic.js."""

_MATH = (
    "sqrt", "exp", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh",
    "cosh", "tanh", "abs", "sign",
)  # fmt: skip
_CONSTANTS = {"pi": "Math.PI", "e": "Math.E", "inf": "Infinity", "nan": "NaN"}
_COMPARISONS = {"==": "===", "!=": "!=="}
_REPEATS_OPERAND = frozenset({"max", "min", "relu"})
_DEEPEST_INLINE = 40
_SUM, _PRODUCT, _ATOM = 1, 2, 3  # how tightly the text of a value holds together


class _Text(NamedTuple):
    """The text of a value, its precedence and how deeply it is nested."""

    source: str
    binds: int = _ATOM
    depth: int = 0


def statements(
    program: Program, names: Mapping[Symbol, str], prefix: str = "t", row_scale: str = ""
) -> tuple[list[str], list[str]]:
    """Write a program as flat JavaScript statements.

    Parameters
    ----------
    program
        What to compute.
    names
        For each weight and parameter the text that reads it, for each column the text of its array. Where
        ``program.reads_rows``, the variable ``rows`` holds the number of rows.
    prefix
        The first letters of the temporaries.
    row_scale
        The variable that a ``sum`` is multiplied with: rows of the data over rows of the mini-batch.

    Returns
    -------
    (lines, results)
        Source lines without indentation, and for each output the text of its value.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> statements(lower([parse("(w - 1)^2/w")]), {Symbol("w"): "w"})
    (['const t2=w-1;', 'const t4=t2*t2/w;'], ['t4'])
    """
    return _Writer(program, names, prefix, row_scale).write()


class _Writer:
    def __init__(self, program: Program, names: Mapping[Symbol, str], prefix: str, row_scale: str) -> None:
        self.program, self.names, self.prefix, self.row_scale = program, names, prefix, row_scale
        self.text: list[_Text] = []
        self.uses = program.uses()
        steps = program.instructions
        self.kept = set(program.outputs)  # values that get a name
        self.kept |= {
            place for step in steps if step.operation in _REPEATS_OPERAND for place in step.operands
        }
        self.kept |= {
            operand
            for step in steps
            if step.rowwise
            for operand in step.operands
            if not steps[operand].rowwise
        }

    def write(self) -> tuple[list[str], list[str]]:
        before: list[str] = []
        within: list[str] = []
        after: list[str] = []
        late: list[bool] = []
        for place, step in enumerate(self.program.instructions):
            reduction = step.operation in ("sum", "mean")
            late.append(reduction or any(late[operand] for operand in step.operands))
            self._write(place, step, within if step.rowwise else after if late[place] else before)
        loop = self._loop(within)
        return [*before, *loop, *after], [self.text[place].source for place in self.program.outputs]

    def _loop(self, within: list[str]) -> list[str]:
        steps = self.program.instructions
        reductions = [place for place, step in enumerate(steps) if step.operation in ("sum", "mean")]
        if not reductions:
            return []
        totals = ",".join(f"{self.prefix}{place}=0" for place in reductions)
        lines = [f"let {totals};", "for(let i=0;i<rows;i++){", *within]
        lines += [
            f"{self.prefix}{place}+={self.text[steps[place].operands[0]].source};" for place in reductions
        ]
        lines.append("}")
        for place in reductions:
            if steps[place].operation == "mean":
                lines.append(f"{self.prefix}{place}/=rows;")
            elif self.row_scale:
                lines.append(f"{self.prefix}{place}*={self.row_scale};")
        return lines

    def _write(self, place: int, step: Instruction, target: list[str]) -> None:
        if step.operation in ("sum", "mean"):
            self.text.append(_Text(f"{self.prefix}{place}"))
            return
        text = self._leaf(step)
        if text is not None and (not step.rowwise or self.uses[place] == 1):
            self.text.append(text)
            return
        text = text or self._operation(step)
        if place in self.kept or self.uses[place] > 1 or text.depth >= _DEEPEST_INLINE:
            name = f"{self.prefix}{place}"
            target.append(f"const {name}={_bare(text.source)};")
            text = _Text(name)
        self.text.append(text)

    def _leaf(self, step: Instruction) -> _Text | None:
        """The text of what is no operation."""
        if step.operation == "number":
            return _Text(number(step.payload))  # type: ignore[arg-type]
        if step.operation == "constant":
            return _Text(_CONSTANTS[str(step.payload)])
        if step.operation == "rows":
            return _Text(f"rows*{self.row_scale}", _PRODUCT) if self.row_scale else _Text("rows")
        if isinstance(step.payload, Symbol):
            name = self.names[step.payload]
            return _Text(f"{name}[i]" if step.rowwise else name)
        return None

    def _operation(self, step: Instruction) -> _Text:
        operands = [self.text[operand] for operand in step.operands]
        depth = 1 + max(operand.depth for operand in operands)
        match step.operation, operands:
            case "add", [a, b] if b.source.startswith("(-") and self._is_number(step.operands[1]):
                return _Text(f"{_held(a, _SUM)}-{b.source[2:-1]}", _SUM, depth)
            case "add", [a, b]:
                return _Text(f"{_held(a, _SUM)}+{_held(b, _PRODUCT)}", _SUM, depth)
            case "sub", [a, b]:
                return _Text(f"{_held(a, _SUM)}-{_held(b, _PRODUCT)}", _SUM, depth)
            case "mul", [a, b]:
                return _Text(f"{_held(a, _PRODUCT)}*{_held(b, _ATOM)}", _PRODUCT, depth)
            case "div", [a, b]:
                return _Text(f"{_held(a, _PRODUCT)}/{_held(b, _ATOM)}", _PRODUCT, depth)
            case "neg", [a]:
                return _Text(f"(-{_held(a, _ATOM)})", _ATOM, depth)
        return _Text(self._call(step, [operand.source for operand in operands]), _ATOM, depth)

    def _is_number(self, place: int) -> bool:
        return self.program.instructions[place].operation == "number"

    def _call(self, step: Instruction, values: list[str]) -> str:
        match step.operation, values:
            case "where", [left, right, then, otherwise]:
                comparison = _COMPARISONS.get(str(step.payload), str(step.payload))
                return f"({left}{comparison}{right}?{_bare(then)}:{_bare(otherwise)})"
            case "max", [a, b]:
                return f"({a}>={b}||{a}!=={a}?{a}:{b})"
            case "min", [a, b]:
                return f"({a}<={b}||{a}!=={a}?{a}:{b})"
            case "relu", [a]:
                return f"({a}<=0?0:{a})"
        name = {"pow": "power"}.get(step.operation, step.operation)
        arguments = ",".join(map(_bare, values))
        return f"Math.{name}({arguments})" if name in _MATH else f"{name}({arguments})"


def _held(text: _Text, binds: int) -> str:
    """A text as an operand that must hold together at least so tightly."""
    return text.source if text.binds >= binds else f"({text.source})"


def _bare(source: str) -> str:
    """A text without one pair of parentheses around all of it."""
    if not source.startswith("("):
        return source
    open_ = 0
    for place, sign in enumerate(source):
        open_ += (sign == "(") - (sign == ")")
        if not open_:
            return source[1:-1] if place == len(source) - 1 else source
    return source


def number(value: Fraction | float) -> str:
    """Return the nearest double as source text, negative ones in parentheses.

    >>> number(Fraction(1, 10)), number(Fraction(-3)), number(Fraction(10) ** 400)
    ('0.1', '(-3)', 'Infinity')
    """
    text = literal(Fraction(value)).replace("inf", "Infinity")
    return text.replace(".0)", ")").removesuffix(".0")


def function_body(
    outputs: Sequence[Expr], names: Mapping[Symbol, str], row_scale: str = ""
) -> tuple[str, list[str]]:
    """Write expressions as the body of a function, without its last statement.

    Parameters
    ----------
    outputs
        What to compute, with shared subexpressions computed once.
    names
        What reads each symbol, as for :func:`statements`.
    row_scale
        As for :func:`statements`; it is written only where something is summed over rows.

    Returns
    -------
    (body, results)
        The text of the statements, and the text of each value. Cost: linear in the number of nodes.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> names = {Symbol("w"): "w[0]", Symbol("x", "column"): "d[0]"}
    >>> body, results = function_body([parse("mean(w - x)", columns={"x"})], names)
    >>> body
    'const rows=d[0].length;let t3=0;for(let i=0;i<rows;i++){t3+=w[0]-d[0][i];}t3/=rows;'
    >>> results
    ['t3']
    """
    return program_body(lower(outputs), names, row_scale)


def program_body(program: Program, names: Mapping[Symbol, str], row_scale: str = "") -> tuple[str, list[str]]:
    """Write a lowered program; as :func:`function_body`."""
    lines, results = statements(program, names, row_scale=row_scale)
    if program.reads_rows:
        column = next(text for symbol, text in names.items() if symbol.role == "column")
        lines.insert(0, f"const rows={column}.length;")
    return "".join(lines), results
