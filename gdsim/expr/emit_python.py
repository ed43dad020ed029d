"""Python source for single runs: plain floats and the ``math`` module.

Two dialects with the same bits. ``fast`` writes Python's operators and ``math`` functions, which raise
where IEEE arithmetic gives an infinity or a nan; ``safe`` calls functions that never raise. A kernel
runs fast and replays in safe the one step that raised.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, Literal

from gdsim.expr.lower import Instruction, Program, lower
from gdsim.expr.nodes import Expr, Symbol

Dialect = Literal["fast", "safe"]

_DEEPEST_INLINE = 12
_ATOMS_ONLY = frozenset({"max", "min", "relu", "sign", "abs"})  # their text repeats an operand
_MATH = (
    "sqrt",
    "exp",
    "log",
    "log2",
    "log10",
    "sin",
    "cos",
    "tan",
    "asin",
    "acos",
    "atan",
    "sinh",
    "cosh",
    "tanh",
)


def sigmoid(x: float) -> float:
    """1/(1 + exp(−x)) without overflow on either side; never raises."""
    if x >= 0.0:
        return 1.0 / (1.0 + math.exp(-x))
    small = math.exp(x)
    return small / (1.0 + small)


def softplus(x: float) -> float:
    """log(1 + exp(x)) without overflow; never raises."""
    return (x if not x <= 0.0 else 0.0) + math.log1p(math.exp(-abs(x)))


def divide(a: float, b: float) -> float:
    """IEEE division: x/0 is an infinity of the right sign, 0/0 is nan."""
    if b != 0.0 or b != b:
        return a / b
    if a == 0.0 or a != a:
        return math.nan
    return math.copysign(math.inf, a) * math.copysign(1.0, b)


def power(a: float, b: float) -> float:
    """IEEE pow on the real line: overflow gives an infinity, a root of a negative number nan."""
    try:
        return math.pow(a, b)
    except OverflowError:
        negative = a < 0.0 and b % 2.0 == 1.0
        return -math.inf if negative else math.inf
    except ValueError:
        if a == 0.0 and b < 0.0:
            return math.copysign(math.inf, a) if b % 2.0 == 1.0 else math.inf
        return math.nan


def _guarded(function: Callable[[float], float], name: str) -> Callable[[float], float]:
    def safe(x: float) -> float:
        try:
            return function(x)
        except OverflowError:
            return -math.inf if name == "sinh" and x < 0.0 else math.inf
        except ValueError:
            return -math.inf if x == 0.0 and name in ("log", "log2", "log10") else math.nan

    safe.__name__ = name
    return safe


_SHARED: dict[str, object] = {
    "sigmoid": sigmoid,
    "softplus": softplus,
    "inf": math.inf,
    "pi": math.pi,
    "e": math.e,
}
FAST_NAMESPACE: dict[str, object] = {
    **_SHARED, **{name: getattr(math, name) for name in _MATH}, "power": math.pow,
}  # fmt: skip
SAFE_NAMESPACE: dict[str, object] = {
    **_SHARED, **{name: _guarded(getattr(math, name), name) for name in _MATH},
    "power": power, "divide": divide,
}  # fmt: skip
NAMESPACES: dict[Dialect, dict[str, object]] = {"fast": FAST_NAMESPACE, "safe": SAFE_NAMESPACE}


def statements(
    program: Program, names: Mapping[Symbol, str], dialect: Dialect = "safe", prefix: str = "t"
) -> tuple[list[str], list[str]]:
    """Write a program as flat Python statements.

    Parameters
    ----------
    program
        What to compute.
    names
        For each weight and parameter the variable that holds it, for each column the variable that
        holds its sequence. Where ``program.reads_rows``, the variable ``rows`` holds the number of rows
        as a float.
    dialect
        ``"fast"`` or ``"safe"``.
    prefix
        The first letters of the temporaries.

    Returns
    -------
    (lines, results)
        Source lines without indentation, and for each output the text of its value.
    """
    return _Writer(program, names, dialect, prefix).write()


class _Writer:
    def __init__(self, program: Program, names: Mapping[Symbol, str], dialect: Dialect, prefix: str) -> None:
        self.program, self.names, self.dialect, self.prefix = program, names, dialect, prefix
        self.text: dict[int, str] = {}
        self.depth: dict[int, int] = {}
        self.uses = program.uses()
        steps = program.instructions
        self.atom_uses = {place for step in steps if step.operation in _ATOMS_ONLY for place in step.operands}
        self.crossing = {
            operand
            for step in steps
            if step.rowwise
            for operand in step.operands
            if not steps[operand].rowwise
        }

    def write(self) -> tuple[list[str], list[str]]:
        steps = self.program.instructions
        late = self._depends_on_reduction()
        before: list[str] = []
        within: list[str] = []
        after: list[str] = []
        for place, step in enumerate(steps):
            target = within if step.rowwise else after if late[place] else before
            self._write(place, step, target)
        reductions = [place for place, step in enumerate(steps) if step.operation in ("sum", "mean")]
        loop = self._loop(within, reductions) if reductions else []
        return [*before, *loop, *after], [self.text[place] for place in self.program.outputs]

    def _depends_on_reduction(self) -> list[bool]:
        late: list[bool] = []
        for step in self.program.instructions:
            late.append(step.operation in ("sum", "mean") or any(late[operand] for operand in step.operands))
        return late

    def _loop(self, within: list[str], reductions: list[int]) -> list[str]:
        columns = [self.names[symbol] for symbol in self.program.symbols if symbol.role == "column"]
        heads = ", ".join(f"row_{name}" for name in columns)
        rows = columns[0] if len(columns) == 1 else f"zip({', '.join(columns)})"
        lines = [f"{self.prefix}{place} = 0.0" for place in reductions]
        lines.append(f"for {heads} in {rows}:")
        lines += [f"    {line}" for line in within]
        for place in reductions:
            (body,) = self.program.instructions[place].operands
            lines.append(f"    {self.prefix}{place} += {self.text[body]}")
        for place in reductions:
            if self.program.instructions[place].operation == "mean":
                mean = self._quotient(f"{self.prefix}{place}", "rows", certain=False)
                lines.append(f"{self.prefix}{place} = {mean}")
        return lines

    def _write(self, place: int, step: Instruction, target: list[str]) -> None:
        operation = step.operation
        if operation == "number":
            self.text[place], self.depth[place] = literal(step.payload), 0  # type: ignore[arg-type]
        elif operation == "constant":
            self.text[place], self.depth[place] = str(step.payload), 0
        elif operation == "rows":
            self.text[place], self.depth[place] = "rows", 0
        elif isinstance(step.payload, Symbol):
            name = self.names[step.payload]
            self.text[place] = f"row_{name}" if step.rowwise else name
            self.depth[place] = 0
        elif operation in ("sum", "mean"):
            self.text[place], self.depth[place] = f"{self.prefix}{place}", 0
        else:
            source = self._expression(step)
            depth = 1 + max(self.depth[operand] for operand in step.operands)
            alone = self.uses[place] == 1 and place not in self.atom_uses and place not in self.crossing
            if alone and depth < _DEEPEST_INLINE and place not in self.program.outputs:
                self.text[place], self.depth[place] = source, depth
            else:
                name = f"{self.prefix}{place}"
                target.append(f"{name} = {source}")
                self.text[place], self.depth[place] = name, 0

    def _expression(self, step: Instruction) -> str:
        values = [self.text[operand] for operand in step.operands]
        match step.operation, values:
            case "add", [a, b]:
                return f"({a} + {b})"
            case "sub", [a, b]:
                return f"({a} - {b})"
            case "mul", [a, b]:
                return f"({a} * {b})"
            case "div", [a, b]:
                return self._quotient(a, b, certain=self._is_nonzero_number(step.operands[1]))
            case "neg", [a]:
                return f"(-{a})"
            case "pow", [a, b]:
                return f"power({a}, {b})"
            case "where", [left, right, then, otherwise]:
                return f"({then} if {left} {step.payload} {right} else {otherwise})"
            case "max", [a, b]:
                return f"({a} if {a} >= {b} or {a} != {a} else {b})"
            case "min", [a, b]:
                return f"({a} if {a} <= {b} or {a} != {a} else {b})"
            case "relu", [a]:
                return f"({a} if not {a} <= 0.0 else 0.0)"
            case "abs", [a]:
                return f"({a} if {a} > 0.0 else 0.0 - {a})"  # the difference makes 0.0 of −0.0
            case "sign", [a]:
                return f"(1.0 if {a} > 0.0 else -1.0 if {a} < 0.0 else {a})"
        return f"{step.operation}({', '.join(values)})"

    def _quotient(self, above: str, below: str, certain: bool) -> str:
        """Write a division; ``certain`` says that the divisor cannot be 0."""
        return (
            f"divide({above}, {below})" if self.dialect == "safe" and not certain else f"({above} / {below})"
        )

    def _is_nonzero_number(self, place: int) -> bool:
        payload = self.program.instructions[place].payload
        return isinstance(payload, Fraction) and literal(payload) not in ("0.0", "(-0.0)")


def literal(value: Fraction) -> str:
    """Return the nearest double of a rational as source text.

    >>> literal(Fraction(1, 10)), literal(Fraction(-3))
    ('0.1', '(-3.0)')
    """
    try:
        text = repr(float(value))
    except OverflowError:
        text = "inf" if value > 0 else "-inf"
    return f"({text})" if text.startswith("-") else text


def generated_names(arguments: Sequence[Symbol]) -> dict[Symbol, str]:
    """Return a variable name of our own for each symbol; no name of a user reaches generated source.

    >>> list(generated_names([Symbol("exp"), Symbol("a", "parameter"), Symbol("x", "column")]).values())
    ['w0', 'p1', 'c2']
    """
    return {symbol: f"{symbol.role[0]}{place}" for place, symbol in enumerate(arguments)}


def function_source(parameters: Iterable[str], lines: Sequence[str], results: Sequence[str]) -> str:
    """Wrap statements into the text of ``function``, which returns a tuple.

    >>> print(function_source(["w0"], ["t1 = w0 + 1.0"], ["t1"]))
    def function(w0):
        t1 = w0 + 1.0
        return (t1,)
    """
    values = "".join(f"{result}, " for result in results).removesuffix(" ")
    body = [f"    {line}" for line in [*lines, f"return ({values})"]]
    return "\n".join([f"def function({', '.join(parameters)}):", *body])


def compile_function(
    outputs: Sequence[Expr], arguments: Sequence[Symbol], dialect: Dialect = "safe"
) -> Callable[..., tuple[float, ...]]:
    """Compile expressions to one Python function of floats (columns: sequences of floats).

    Returns
    -------
    callable
        ``function(*arguments) -> (value, …)``, one value for each output. In the safe dialect it never
        raises; in the fast one it may raise OverflowError, ZeroDivisionError or ValueError where the
        safe one gives inf or nan.

    Notes
    -----
    Cost: about 20 µs for each node to compile; the function itself runs at the speed of the same formula
    written by hand.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> compile_function([parse("w^2"), parse("1/w")], [Symbol("w")])(0.0)
    (0.0, inf)
    """
    program = lower(outputs)
    names = generated_names(arguments)
    lines, results = statements(program, names, dialect)
    if program.reads_rows:
        columns = [names[symbol] for symbol in arguments if symbol.role == "column"]
        lines.insert(0, f"rows = float(len({columns[0]}))")
    source = function_source(names.values(), lines, results)
    namespace: dict[str, Any] = dict(NAMESPACES[dialect])
    exec(compile(source, "<gdsim formula>", "exec"), namespace)
    function: Callable[..., tuple[float, ...]] = namespace["function"]
    return function
