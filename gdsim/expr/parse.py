"""From text to tree: caps first, then tokens, then Python's parser, then an allow-list.

No text of a user is ever evaluated. Every number of the text is replaced by its place in a list
before ``ast.parse`` sees it, so that decimals stay exact and no literal can be large.
"""

from __future__ import annotations

import ast
import keyword
import re
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import isfinite

from gdsim.expr.functions import CONSTANTS, CONSTRUCTS, FUNCTIONS
from gdsim.expr.nodes import (
    Add,
    Call,
    Compare,
    ComparisonOperator,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Reduce,
    ReductionKind,
    Symbol,
    Where,
    number,
    symbols,
    walk,
)
from gdsim.outcomes import Fault, InputError, nearest

LONGEST = 1000  # characters
MOST_NODES = 500
DEEPEST = 50

_TOKEN = re.compile(
    r"(?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<name>[^\W\d⁰¹²³⁴-⁹][^\W⁰¹²³⁴-⁹]*)"
    r"|(?P<superscript>[⁰¹²³⁴-⁹]+)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/^(),<>−·×÷])"
)
_SPELLING = {"^": "**", "−": "-", "·": "*", "×": "*", "÷": "/"}
_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
_HINTS = {
    "|": "abs(x) for an absolute value",
    "=": "an expression; a comparison stands only inside where(x > 0, a, b)",
    "&": "where(condition, a, b) with one comparison",
    "[": "round brackets",
    "{": "round brackets",
    "%": "a fraction such as 5/100",
    "√": "sqrt(x)",
    "!": "a product",
    "'": "a formula without quotes; the derivative is taken by gdsim",
    ".": "a number such as 0.5; names have no dots",
}
_COMPARISONS: dict[type[ast.cmpop], ComparisonOperator] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
}  # fmt: skip


def parse(
    text: str, *, parameters: frozenset[str] = frozenset(), columns: frozenset[str] = frozenset()
) -> Expr:
    """Parse a formula into a tree.

    Parameters
    ----------
    text
        The formula: at most 1,000 characters, 500 nodes, 50 levels.
    parameters, columns
        Names that are parameters of the loss or data columns. Constants and functions come first;
        every other name is a weight.

    Returns
    -------
    Expr
        The tree as written; decimals are exact rationals.

    Raises
    ------
    InputError
        With the column (from 1) in the text, what was expected, and the nearest valid name.

    Notes
    -----
    Cost: linear in the length of the text.

    Examples
    --------
    >>> parse("2x") == parse("2*x")
    True
    >>> parse("sine(x)")
    Traceback (most recent call last):
    gdsim.outcomes.InputError: 1: unknown function 'sine'; did you mean sin?
    """
    if not isinstance(text, str):
        raise InputError(Fault(f"a formula is text, not {type(text).__name__}", "an expression such as w**2"))
    if len(text) > LONGEST:
        raise InputError(Fault(f"the formula has {len(text)} characters", f"at most {LONGEST}"))
    source = _Source.read(text)
    tree = source.python_tree()
    expr = _Reader(source, parameters, columns).expression(tree, 1)
    _check_size(expr)
    return expr


def parse_constant(text: str) -> Fraction | float:
    """Evaluate a constant expression such as ``1/48`` or ``-7/sqrt(2)``.

    Returns
    -------
    Fraction or float
        Exact where only + − × ÷ and integer powers of rationals occur (and the result has fewer
        than 2,000 bits), else the nearest that double precision gives.

    Raises
    ------
    InputError
        Where the text is no constant expression or its value is not finite.

    Examples
    --------
    >>> parse_constant("1/48")
    Fraction(1, 48)
    >>> parse_constant("2*pi")
    6.283185307179586
    """
    expr = parse(text)
    if names := symbols(expr):
        raise InputError(Fault(f"{names[0]!r} is not a number", "a number or a constant expression such as 1/48"))
    exact = rational_value(expr)
    if exact is not None:
        return exact
    from gdsim.expr.emit_python import compile_function

    (value,) = compile_function([expr], [])()
    if not isfinite(value):
        raise InputError(Fault(f"{text!r} has the value {value}", "a finite number"))
    return value


def rational_value(expr: Expr, most_bits: int = 2000) -> Fraction | None:
    """Return the exact value of a constant rational expression, or None.

    >>> rational_value(parse("(1/3 + 1/6)^2"))
    Fraction(1, 4)
    """
    match expr:
        case Number(value):
            return value
        case Negate(operand):
            inner = rational_value(operand, most_bits)
            return None if inner is None else -inner
        case Add() | Multiply() | Divide() | Power():
            values = [rational_value(child, most_bits) for child in expr.children]
            if any(value is None for value in values):
                return None
            return _combine(expr, [value for value in values if value is not None], most_bits)
    return None


def _combine(expr: Expr, values: list[Fraction], most_bits: int) -> Fraction | None:
    result: Fraction = values[0]
    if isinstance(expr, Power):
        base, exponent = values
        if exponent.denominator != 1 or (base == 0 and exponent < 0):
            return None
        bits = max(base.numerator.bit_length(), base.denominator.bit_length()) * abs(exponent)
        return base ** int(exponent) if bits <= most_bits else None
    if isinstance(expr, Divide):
        return None if values[1] == 0 else values[0] / values[1]
    for value in values[1:]:
        result = result + value if isinstance(expr, Add) else result * value
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > most_bits:
        return None
    return result


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    place: int  # from 0, in the text as written


@dataclass(frozen=True)
class _Source:
    """The text as Python's parser gets it, and the way back to the columns of the original."""

    text: str
    python: str
    places: tuple[int, ...]  # for each character of ``python`` its place in ``text``
    numbers: tuple[Fraction, ...]

    @classmethod
    def read(cls, text: str) -> _Source:
        tokens = _tokens(text)
        pieces: list[str] = []
        places: list[int] = []
        numbers: list[Fraction] = []

        def put(piece: str, place: int) -> None:
            pieces.append(piece)
            places.extend([place] * len(piece))

        before: _Token | None = None
        for token in tokens:
            if before is not None:
                put("*" if _multiplies(before, token) else " ", token.place)
            if token.kind == "number":
                numbers.append(_literal(token))
                put(str(len(numbers) - 1), token.place)
            elif token.kind == "superscript":
                numbers.append(Fraction(token.text.translate(_SUPERSCRIPTS)))
                put(f"**{len(numbers) - 1}", token.place)
            else:
                put(_SPELLING.get(token.text, token.text), token.place)
            before = token
        return cls(text, "".join(pieces), tuple(places), tuple(numbers))

    def python_tree(self) -> ast.expr:
        try:
            return ast.parse(self.python, mode="eval").body
        except SyntaxError as error:
            at = min(max((error.offset or 1) - 1, 0), len(self.places) - 1)
            ended = (error.offset or 0) > len(self.python) or "EOF" in error.msg or "closed" in error.msg
            message = "the formula ends too early or a bracket is not closed" if ended else "this does not fit here"
            raise InputError(Fault(message, "an expression such as (w - 3)^2", column=self.places[at] + 1)) from None
        except (RecursionError, MemoryError, ValueError):
            raise InputError(Fault("the formula is nested too deeply", f"at most {DEEPEST} levels")) from None

    def column(self, node: ast.expr) -> int:
        """The column, from 1, at which a node stands in the text as written."""
        before = self.python.encode()[: node.col_offset].decode(errors="ignore")
        return self.places[min(len(before), len(self.places) - 1)] + 1


def _tokens(text: str) -> list[_Token]:
    found: list[_Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            sign = text[place]
            raise InputError(
                Fault(f"unexpected {sign!r}", _HINTS.get(sign, "numbers, names, + - * / ^ ( ) ,"), column=place + 1)
            )
        kind = str(match.lastgroup)
        if kind == "name":
            _check_name(match.group(), place)
        found.append(_Token(kind, match.group(), place))
        place = match.end()
    if not found:
        raise InputError(Fault("the formula is empty", "an expression such as w**2", column=1))
    for first, second in pairwise(found):
        if first.kind in ("name", "number") and second.kind == "number":
            raise InputError(_side_by_side(first, second))
        if first.kind == "name" and second.kind == "name":
            raise InputError(_side_by_side(first, second))
    return found


def _check_name(name: str, place: int) -> None:
    if keyword.iskeyword(name):
        hint = "where(condition, a, b)" if name in ("if", "else", "and", "or", "not", "in", "is") else "another name"
        raise InputError(Fault(f"{name!r} cannot be used in a formula", hint, column=place + 1))
    if name.startswith("_"):
        raise InputError(Fault(f"{name!r} cannot be a name", "a name that begins with a letter", column=place + 1))


def _side_by_side(first: _Token, second: _Token) -> Fault:
    if first.text in FUNCTIONS:
        expected = f"brackets: {first.text}({second.text})"
    else:
        expected = f"an operator between them, such as {first.text}*{second.text}"
    return Fault(f"{first.text!r} and {second.text!r} stand side by side", expected, column=second.place + 1)


def _multiplies(before: _Token, token: _Token) -> bool:
    """Tell whether juxtaposition means a product: 2x, 2(x+1), (a)(b), (a)x, x²y."""
    ends_value = before.kind in ("number", "superscript") or before.text == ")"
    return ends_value and (token.kind in ("name", "number") or token.text == "(")


def _literal(token: _Token) -> Fraction:
    value = float(token.text)
    if not isfinite(value) or (value == 0.0 and re.search(r"[1-9]", re.split("[eE]", token.text)[0])):
        raise InputError(
            Fault(f"the number {token.text} cannot be held in double precision", "a smaller exponent",
                  column=token.place + 1)
        )  # fmt: skip
    return Fraction(token.text)


@dataclass(frozen=True)
class _Reader:
    """The allow-list: each kind of Python node that may stand in a formula has its method."""

    source: _Source
    parameters: frozenset[str]
    columns: frozenset[str]
    reducing: bool = False

    def fault(self, node: ast.expr, message: str, expected: str = "", suggestion: str = "") -> InputError:
        return InputError(Fault(message, expected, suggestion, column=self.source.column(node)))

    def expression(self, node: ast.expr, depth: int) -> Expr:
        if depth > DEEPEST:
            raise self.fault(node, "the formula is nested too deeply", f"at most {DEEPEST} levels")
        match node:
            case ast.Constant():
                return Number(self.source.numbers[int(str(node.value))])
            case ast.Name():
                return self.name(node)
            case ast.UnaryOp(op=ast.USub()):
                return Negate(self.expression(node.operand, depth + 1))
            case ast.UnaryOp(op=ast.UAdd()):
                return self.expression(node.operand, depth + 1)
            case ast.BinOp(op=ast.Pow()):
                return Power(self.expression(node.left, depth + 1), self.expression(node.right, depth + 1))
            case ast.BinOp(op=ast.Add() | ast.Sub() | ast.Mult() | ast.Div()):
                return self.chain(node, depth)
            case ast.Call():
                return self.call(node, depth)
            case ast.Compare():
                raise self.fault(node, "a comparison stands here", "a comparison only inside where(x > 0, a, b)")
            case ast.Tuple():
                raise self.fault(node, "a comma stands here", "one expression")
        raise self.fault(node, "this is not part of a formula", "numbers, names, + - * / ^ and functions")

    def chain(self, node: ast.BinOp, depth: int) -> Expr:
        """Read a + b - c … or a * b / c … from left to right without recursion down the spine."""
        same = (ast.Add, ast.Sub) if isinstance(node.op, ast.Add | ast.Sub) else (ast.Mult, ast.Div)
        spine: list[tuple[ast.operator, ast.expr]] = []
        left: ast.expr = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, same):
            spine.append((left.op, left.right))
            left = left.left
        parts: list[Expr] = [self.expression(left, depth + 1)]
        for operator, right in reversed(spine):
            value = self.expression(right, depth + 1)
            if isinstance(operator, ast.Div):
                whole = parts[0] if len(parts) == 1 else Multiply(tuple(parts))
                parts = [Divide(whole, value)]
            else:
                parts.append(Negate(value) if isinstance(operator, ast.Sub) else value)
        if len(parts) == 1:
            return parts[0]
        return Add(tuple(parts)) if same[0] is ast.Add else Multiply(tuple(parts))

    def name(self, node: ast.Name) -> Expr:
        name = node.id
        if name in CONSTANTS:
            return Constant(name)  # type: ignore[arg-type]
        if name == "π":
            return Constant("pi")
        if name in FUNCTIONS or name in CONSTRUCTS:
            raise self.fault(node, f"{name} is a function", f"brackets right behind it: {name}(x)")
        if name in self.parameters:
            return Symbol(name, "parameter")
        if name in self.columns:
            if not self.reducing:
                raise self.fault(
                    node, f"the data column {name!r} stands outside a reduction", f"mean(… {name} …) or sum(… {name} …)"
                )
            return Symbol(name, "column")
        return Symbol(name)

    def call(self, node: ast.Call, depth: int) -> Expr:
        if not isinstance(node.func, ast.Name):
            raise self.fault(node, "brackets stand behind something that is not a function", "a product with *")
        name = node.func.id
        if node.keywords or any(isinstance(argument, ast.Starred) for argument in node.args):
            raise self.fault(node, f"{name} takes plain arguments only", f"{name}(x)")
        known = FUNCTIONS.get(name) or CONSTRUCTS.get(name)
        if known is None:
            raise self.unknown_function(node, name)
        least, most = known.arguments
        if len(node.args) < least or (most is not None and len(node.args) > most):
            raise self.fault(node, f"{name} got {_count(len(node.args))}", _arity(name, least, most))
        if name == "where":
            return self.where(node, depth)
        if name in ("mean", "sum"):
            return self.reduction(node, name, depth)  # type: ignore[arg-type]
        arguments = [self.expression(argument, depth + 1) for argument in node.args]
        if name == "huber" and len(arguments) == 1:
            arguments.append(number(1))
        if name in ("max", "min"):
            result = arguments[0]
            for argument in arguments[1:]:
                result = Call(name, (result, argument))
            return result
        return Call(known.canonical or name, tuple(arguments))

    def unknown_function(self, node: ast.Call, name: str) -> InputError:
        if name in CONSTANTS or name in self.parameters or name in self.columns or len(name) == 1:
            return self.fault(node, f"{name!r} is not a function", f"a product: {name}*(…)")
        return self.fault(
            node, f"unknown function {name!r}", suggestion=nearest(name, [*FUNCTIONS, *CONSTRUCTS])
        )

    def where(self, node: ast.Call, depth: int) -> Expr:
        condition, then, otherwise = node.args
        if not isinstance(condition, ast.Compare) or len(condition.ops) != 1:
            raise self.fault(condition, "where needs one comparison first", "where(x > 0, a, b)")
        operator = _COMPARISONS.get(type(condition.ops[0]))
        if operator is None:
            raise self.fault(condition, "this is not a comparison", "one of < <= > >= == !=")
        return Where(
            Compare(
                operator,
                self.expression(condition.left, depth + 2),
                self.expression(condition.comparators[0], depth + 2),
            ),
            self.expression(then, depth + 1),
            self.expression(otherwise, depth + 1),
        )

    def reduction(self, node: ast.Call, kind: ReductionKind, depth: int) -> Expr:
        if self.reducing:
            raise self.fault(node, f"{kind} stands inside another reduction", "one mean or sum at a time")
        if not self.columns:
            raise self.fault(node, f"{kind} needs data, and there is none", "a data: block with columns")
        inside = _Reader(self.source, self.parameters, self.columns, reducing=True)
        return Reduce(kind, inside.expression(node.args[0], depth + 1))


def _count(arguments: int) -> str:
    return "1 argument" if arguments == 1 else f"{arguments} arguments"


def _arity(name: str, least: int, most: int | None) -> str:
    if name == "log":
        return "log(x), log2(x) or log10(x)"
    if name == "where":
        return "where(x > 0, a, b)"
    if most is None:
        return f"at least {_count(least)}"
    return _count(least) if least == most else f"{least} to {_count(most)}"


def _check_size(expr: Expr) -> None:
    """Count the nodes as written (a shared one each time) and the levels, without recursion."""
    size: dict[Expr, int] = {}
    depth: dict[Expr, int] = {}
    for node in walk(expr):
        size[node] = 1 + sum(size[child] for child in node.children)
        depth[node] = 1 + max((depth[child] for child in node.children), default=0)
    if size[expr] > MOST_NODES:
        raise InputError(Fault(f"the formula has {size[expr]} parts", f"at most {MOST_NODES}"))
    if depth[expr] > DEEPEST:
        raise InputError(Fault("the formula is nested too deeply", f"at most {DEEPEST} levels"))
