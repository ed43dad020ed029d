"""What the page's parser and its dual numbers answer, and rigorous bounds on what they may answer.

``answers`` sends texts and losses through one process of node. ``Balls`` runs the page's own steps in ball
arithmetic: at 53 bits the radius bounds what rounding can do to them (each operation loses about as much
there as in double precision, and the radius grows with the conditioning); at 300 bits it shows that the steps
are the derivative and not merely near it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import page_node
from flint import arb, ctx

from gdsim.expr.emit_ball import NAMESPACES, BallFunction, ball
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
    substitute,
    walk,
)

SCRIPT = """
import { parseConstant, parseFormula } from "./engine/formula.js";
import { DualTape, dualDerivative, lossOf } from "./engine/jets.js";
import { formulaMathml, formulaText } from "./engine/typeset.js";

const ratio = (value) => value && `${value.above}/${value.below}`;
const shape = ({ kind, name, parts, value }) => [kind, name, ratio(value), ...parts.map(shape)];
const tried = (make) => {
  try {
    return make();
  } catch (error) {
    if (error.name !== "FormulaError") throw error;
    const { message, expected, suggestion, column, length } = error;
    return { message, expected, suggestion, column, length };
  }
};
const read = ({ text, parameters, columns, weights }) => tried(() => {
  const found = parseFormula(text, { parameters, columns, weights });
  const plain = formulaText(found.tree);
  const again = plain.length > 1000 ? found.tree : parseFormula(plain, { parameters, columns }).tree;
  const tree = shape(found.tree);
  return { tree, weights: found.weights, plain, again: shape(again), mathml: formulaMathml(found.tree) };
});
const tapes = ({ text, parameters, columns, weights }) => {
  const tape = new DualTape();
  const root = tape.place(parseFormula(text, { parameters, columns, weights }).tree);
  const first = weights.map((name) => tape.derivative(root, name));
  const second = first.flatMap((place, i) => weights.slice(i).map((name) => tape.derivative(place, name)));
  const listed = ({ operation, operands, name, value }) => [operation, operands, name, ratio(value)];
  return { outputs: [root, ...first, ...second], steps: tape.steps.map(listed) };
};
const evaluated = (request) => {
  const { text, parameters, columns, weights, points } = request;
  const loss = lossOf(text, parameters, columns, weights);
  const size = weights.length;
  return {
    ...tapes(request),
    points: points.map(([w, p, d]) => {
      const [gradient, hessian] = [new Array(size).fill(0), new Array(size * size).fill(0)];
      loss.hessian(w, p, d, hessian);
      loss.gradient(w, p, d, gradient);
      return { value: loss.value(w, p, d), gradient, hessian, dual: dualDerivative(loss, w, p, d) };
    }),
  };
};
answer({
  texts: data.texts.map(read),
  constants: data.constants.map((text) => tried(() => parseConstant(text))),
  losses: data.losses.map(evaluated),
});
"""


def answers(
    texts: Sequence[Mapping[str, Any]] = (),
    constants: Sequence[str] = (),
    losses: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What the page makes of formulas, constants and losses."""
    found: dict[str, Any] = page_node.run(
        SCRIPT, {"texts": list(texts), "constants": list(constants), "losses": list(losses)}
    )
    return found


def request(
    text: str, parameters: Sequence[str] = (), columns: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    return {"text": text, "parameters": list(parameters), "columns": list(columns), **more}


def shape(expr: Expr) -> list[Any]:
    """A tree as lists, as the page gives it."""
    inside = [shape(child) for child in expr.children]
    match expr:
        case Number(value):
            return ["number", "", f"{value.numerator}/{value.denominator}"]
        case Constant(name):
            return ["constant", name, None]
        case Symbol(name, role):
            return [role, name, None]
        case Call(function, _):
            return ["call", function, None, *inside]
        case Compare(operator, _, _):
            return ["compare", operator, None, *inside]
        case Reduce(kind, _):
            return ["reduce", kind, None, *inside]
    kinds = {
        Add: "add",
        Multiply: "multiply",
        Divide: "divide",
        Power: "power",
        Negate: "negate",
        Where: "where",
    }
    return [kinds[type(expr)], "", None, *inside]


# ---------------------------------------------------------------------------------------- ball arithmetic

_STRICT = NAMESPACES["strict"]
_SAFE = (arb(10) ** -280, arb(10) ** 280)  # sizes at which no operation of two of them leaves the doubles


class Balls:
    """The steps of the page in ball arithmetic."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.outputs: list[int] = answer["outputs"]
        self.steps = answer["steps"]
        needed = set(self.outputs)
        for place in range(len(self.steps) - 1, -1, -1):
            if place in needed:
                needed.update(self.steps[place][1])
        self.order = sorted(needed)

    def __call__(
        self, values: Mapping[str, float], data: Mapping[str, Sequence[float]], bits: int
    ) -> tuple[list[Any], bool]:
        """(A ball for each output, whether whatever occurs on the way is of moderate size or undefined)."""
        with ctx.workprec(bits):
            rows = len(next(iter(data.values()), ()))
            self.moderate = True
            known: dict[int, Any] = {}
            per_row = [
                self._rowwise(values, {k: c[row] for k, c in data.items()}, known) for row in range(rows)
            ]
            self._run(values, {}, known, per_row, rows)
            return [known[place] for place in self.outputs], self.moderate

    def _rowwise(self, values: Any, row: Any, known: dict[int, Any]) -> dict[int, Any]:
        mine: dict[int, Any] = {}
        self._run(values, row, mine, [], 0)
        return mine

    def _run(self, values: Any, row: Any, known: dict[int, Any], per_row: Any, rows: int) -> None:
        for place in self.order:
            operation, operands, name, ratio = self.steps[place]
            if operation in ("sum", "mean"):
                if not rows:
                    continue
                total = sum((mine[operands[0]] for mine in per_row), arb(0))
                known[place] = total / rows if operation == "mean" else total
            elif operation == "rows":
                known[place] = arb(rows)
            elif operation == "column":
                if name not in row:
                    continue
                known[place] = arb(row[name])
            elif all(operand in known for operand in operands):
                known[place] = self._value(
                    operation, [known[operand] for operand in operands], name, ratio, values
                )
            else:
                continue
            size = abs(known[place])
            inside = bool((size > _SAFE[0] and size < _SAFE[1]) or size.is_zero() or size.is_nan())
            self.moderate = self.moderate and inside

    def _value(self, operation: str, inputs: list[Any], name: str, ratio: str | None, values: Any) -> Any:
        match operation, inputs:
            case "number", []:
                return ball(Fraction(str(ratio)))
            case "constant", []:
                return arb.pi() if name == "pi" else arb.const_e()
            case (("weight" | "parameter"), []):
                return arb(values[name])
            case "add", [a, b]:
                return a + b
            case "sub", [a, b]:
                return a - b
            case "mul", [a, b]:
                return a * b
            case "div", [a, b]:
                return a / b
            case "neg", [a]:
                return -a
            case "abs", [a]:
                return _STRICT["absolute"](a)
            case "max", [a, b]:
                return a.max(b)
            case "min", [a, b]:
                return a.min(b)
            case "pow", [a, b]:
                return _STRICT["general_power"](a, b)
            case "sech", [a]:
                return 1 / a.cosh()
            case "huber", [a, b]:
                size = _STRICT["absolute"](a)
                return _choice("<=", size, b, a * a / 2, b * (size - b / 2))
            case "where", [a, b, then, otherwise]:
                return _choice(name, a, b, then, otherwise)
        return _STRICT[operation](*inputs)


def _choice(operator: str, a: Any, b: Any, then: Any, otherwise: Any) -> Any:
    difference = a - b
    if difference.is_nan():
        return arb("nan")
    sure = {
        "<": (difference < 0, difference >= 0),
        "<=": (difference <= 0, difference > 0),
        ">": (difference > 0, difference <= 0),
        ">=": (difference >= 0, difference < 0),
        "==": (difference.is_zero(), difference > 0 or difference < 0),
        "!=": (difference > 0 or difference < 0, difference.is_zero()),
    }
    holds, fails = sure[operator]
    return _STRICT["where"](holds, fails, then, otherwise)


class Truth:
    """Python's own formulas in ball arithmetic, all symbols but columns taken as weights."""

    def __init__(
        self, outputs: Sequence[Expr], names: Sequence[str], columns: Mapping[str, Sequence[float]]
    ) -> None:
        data = {name: [Fraction(value) for value in column] for name, column in columns.items()}
        self.function = BallFunction([_all_weights(expr) for expr in outputs], names, data)

    def __call__(self, values: Sequence[float], bits: int) -> list[Any]:
        with ctx.workprec(bits):
            return list(self.function(*map(arb, values)))


def _all_weights(expr: Expr) -> Expr:
    parameters: dict[Expr, Expr] = {
        node: Symbol(node.name)
        for node in walk(expr)
        if isinstance(node, Symbol) and node.role == "parameter"
    }
    return substitute(expr, parameters)


def same_bits(computed: float, expected: float) -> bool:
    if math.isnan(expected):
        return math.isnan(computed)
    return computed == expected and math.copysign(1.0, computed) == math.copysign(1.0, expected)
