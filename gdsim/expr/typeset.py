"""Formulas as a textbook sets them: one layout of boxes, written as LaTeX or as MathML.

The layout decides on brackets, fractions and signs once; the two writers only spell its boxes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

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
    Prime,
    Reduce,
    Symbol,
    Where,
    symbols,
    walk,
)
from gdsim.expr.signs import decimal, without_sign

_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ",
    "epsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ",
    "iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π", "rho": "ρ",
    "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ",
    "Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω",
}  # fmt: skip
_GREEK_NAMES = {letter: name for name, letter in _GREEK.items()}
_NAMED = {
    "log": "ln", "asin": "arcsin", "acos": "arccos", "atan": "arctan", "sigmoid": "σ",
}  # fmt: skip
_POWER_BEHIND_NAME = frozenset({"sin", "cos", "tan", "sinh", "cosh", "tanh"})
_LATEX_FUNCTIONS = _POWER_BEHIND_NAME | {"ln", "log", "exp", "arcsin", "arccos", "arctan", "max", "min"}
_LATEX_SIGNS = {"·": r"\cdot", "×": r"\times", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq", "−": "-"}
_LATEX_NAMES = {"∂": r"\partial ", "…": r"\dots"}
_COMPARISONS = {"<=": "≤", ">=": "≥", "!=": "≠", "==": "="}
_LONGEST_EXPONENT = 12  # nodes in the argument of exp up to which e with an exponent is readable

# How tightly a box binds, loosest first.
_SUM, _SIGNED, _PRODUCT, _TALL, _ATOM = range(5)


@dataclass(frozen=True)
class Box:
    """A piece of layout: its kind, its text (for leaves) and the boxes inside."""

    kind: str
    text: str = ""
    parts: tuple[Box, ...] = ()


def to_latex(expr: Expr, mathtext: bool = False) -> str:
    r"""Write a tree as LaTeX, without dollar signs.

    Parameters
    ----------
    expr
        The tree.
    mathtext
        Keep to what Matplotlib's own renderer understands and draws legibly: a choice is set in one line,
        fractions are as large as what stands beside them.

    Returns
    -------
    str
        LaTeX for mathematics mode; ``where`` needs the package amsmath unless ``mathtext`` is set.

    Notes
    -----
    Cost: linear in the size of the tree.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> print(to_latex(parse("sqrt(w)/2 + exp(-w1^2)")))
    \frac{\sqrt{w}}{2} + e^{-w_{1}^{2}}
    """
    return _latex(_Layout(expr).box(expr), mathtext)


def to_mathml(expr: Expr) -> str:
    """Write a tree as presentation MathML: one ``<math>`` element, well-formed XML.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> print(to_mathml(parse("w^2")))
    <math xmlns="http://www.w3.org/1998/Math/MathML"><msup><mi>w</mi><mn>2</mn></msup></math>
    """
    inside = _mathml(_Layout(expr).box(expr))
    return f'<math xmlns="http://www.w3.org/1998/Math/MathML">{inside}</math>'


def _row(*parts: Box) -> Box:
    return parts[0] if len(parts) == 1 else Box("row", parts=parts)


def _operator(sign: str) -> Box:
    return Box("operator", sign)


def _brackets(inside: Box) -> Box:
    return Box("brackets", parts=(inside,))


_MINUS = Box("minus", "−")  # a sign, not an operation: it takes no space


class _Layout:
    """From tree to boxes."""

    def __init__(self, whole: Expr) -> None:
        taken = set(symbols(whole))
        self.index = next(letter for letter in ("i", "j", "k", "row") if letter not in taken)
        self.rows = next(letter for letter in ("n", "m", "N", "rows") if letter not in taken)

    def box(self, expr: Expr) -> Box:
        return self.level(expr)[0]

    def least(self, expr: Expr, needed: int) -> Box:
        box, level = self.level(expr)
        return box if level >= needed else _brackets(box)

    def level(self, expr: Expr) -> tuple[Box, int]:
        negative, rest = without_sign(expr)
        if negative:
            return _row(_MINUS, self.least(rest, _PRODUCT)), _SIGNED
        match expr:
            case Number():
                return self.number(expr)
            case Constant(name):
                return Box("name", "π" if name == "pi" else name), _ATOM
            case Symbol(name, role):
                return _name(name, self.index if role == "column" else ""), _ATOM
            case Add():
                return self.sum(expr), _SUM
            case Multiply():
                return self.product(expr), _PRODUCT
            case Divide(numerator, denominator):
                return Box("fraction", parts=(self.box(numerator), self.box(denominator))), _TALL
            case Power():
                return self.power(expr), _TALL
            case Call():
                return self.call(expr)
            case Compare(operator, left, right):
                return _row(
                    self.box(left), _operator(_COMPARISONS.get(operator, operator)), self.box(right)
                ), _SUM
            case Where():
                return self.cases(expr), _SUM
            case Reduce(kind, body):
                return self.reduction(kind, body), _PRODUCT
            case Prime(operand):
                box = self.box(operand)
                inside = box if isinstance(operand, Symbol) or box.kind == "bars" else _brackets(box)
                return Box("prime", parts=(inside,)), _ATOM
        raise AssertionError(f"no layout for {type(expr).__name__}")

    def number(self, expr: Number) -> tuple[Box, int]:
        text = decimal(expr.value)
        if not text:
            above, below = expr.value.numerator, expr.value.denominator
            return Box("fraction", parts=(Box("number", str(above)), Box("number", str(below)))), _TALL
        if "e" not in text:
            return Box("number", text), _ATOM
        digits, exponent = text.split("e")
        raised = Box("number", exponent.lstrip("-"))
        if exponent.startswith("-"):
            raised = _row(_MINUS, raised)
        power = Box("power", parts=(Box("number", "10"), raised))
        if digits != "1":
            power = _row(Box("number", digits), _operator("×"), power)
        return power, _TALL

    def sum(self, expr: Add) -> Box:
        first, *others = expr.terms
        parts = [self.box(first) if not isinstance(first, Where) else _brackets(self.box(first))]
        for term in others:
            negative, rest = without_sign(term)
            parts += [_operator("−" if negative else "+"), self.least(rest, _PRODUCT)]
        return _row(*parts)

    def product(self, expr: Multiply) -> Box:
        factors = _flat(expr)
        parts: list[Box] = []
        for place, factor in enumerate(factors):
            last = place == len(factors) - 1
            part = self.least(factor, _PRODUCT if isinstance(factor, Reduce) and last else _TALL)
            if parts:
                parts.append(_operator("·") if _begins_with_digit(part) else _times(parts[-1], part))
            parts.append(part)
        return _row(*parts)

    def power(self, expr: Power) -> Box:
        base, exponent = expr.base, self.exponent(expr.exponent)
        if (
            isinstance(base, Call)
            and base.function in _POWER_BEHIND_NAME
            and _is_small_integer(expr.exponent)
        ):
            name = Box("power", parts=(Box("function", base.function), exponent))
            return _row(name, _brackets(self.box(base.arguments[0])))
        return Box("power", parts=(self.least(base, _ATOM), exponent))

    def exponent(self, expr: Expr) -> Box:
        """Set a simple quotient in an exponent on one line: x^{1/2}."""
        negative, size = without_sign(expr)
        if isinstance(size, Number) and not decimal(size.value):
            line = [
                Box("number", str(size.value.numerator)),
                Box("slash"),
                Box("number", str(size.value.denominator)),
            ]
        elif isinstance(size, Divide) and all(self.level(part)[1] == _ATOM for part in size.children):
            line = [self.box(size.numerator), Box("slash"), self.box(size.denominator)]
        else:
            return self.box(expr)
        return _row(*([_MINUS] if negative else []), *line)

    def call(self, expr: Call) -> tuple[Box, int]:
        name, arguments = expr.function, list(expr.arguments)
        if name == "sqrt":
            return Box("root", parts=(self.box(arguments[0]),)), _TALL
        if name == "abs":
            return Box("bars", parts=(self.box(arguments[0]),)), _ATOM
        if name == "exp" and _fits_exponent(arguments[0]):
            return Box("power", parts=(Box("name", "e"), self.exponent(arguments[0]))), _TALL
        if name in ("log2", "log10"):
            head = Box("subscript", parts=(Box("function", "log"), Box("number", name[3:])))
        elif name == "huber":
            head = Box("subscript", parts=(Box("function", "huber"), self.box(arguments.pop())))
        else:
            head = Box("function", _NAMED.get(name, name))
        if name in ("max", "min"):
            while isinstance(arguments[0], Call) and arguments[0].function == name:
                arguments[:1] = arguments[0].arguments
        inside: list[Box] = []
        for argument in arguments:
            inside += [*([_operator(",")] if inside else []), self.box(argument)]
        return _row(head, _brackets(_row(*inside))), _ATOM

    def cases(self, expr: Where) -> Box:
        """Set a choice between a choice and a choice … as one brace with many rows."""
        parts: list[Box] = []
        rest: Expr = expr
        while isinstance(rest, Where):
            parts += [self.box(rest.then), self.box(rest.condition)]
            rest = rest.otherwise
        return Box("cases", parts=(*parts, self.box(rest)))

    def reduction(self, kind: str, body: Expr) -> Box:
        inside = self.least(body, _PRODUCT)
        sigma = Box("sigma", parts=(Box("name", self.index), _name(self.rows)))
        if kind == "sum":
            return _row(sigma, inside)
        share = Box("fraction", parts=(Box("number", "1"), _name(self.rows)))
        return _row(share, sigma, inside)


def _flat(expr: Multiply) -> list[Expr]:
    """The factors of a product, those of products within it in their place."""
    found: list[Expr] = []
    for factor in expr.factors:
        found += _flat(factor) if isinstance(factor, Multiply) else [factor]
    return found


def _fits_exponent(expr: Expr) -> bool:
    nodes = list(walk(expr))
    plain = (Number, Constant, Symbol, Add, Multiply, Divide, Negate, Power)
    deep = sum(isinstance(node, Divide | Power) for node in nodes)
    return all(isinstance(node, plain) for node in nodes) and deep <= 2 and len(nodes) <= _LONGEST_EXPONENT


def _is_small_integer(expr: Expr) -> bool:
    return isinstance(expr, Number) and expr.value.denominator == 1 and 1 < expr.value < 10


def _begins_with_digit(box: Box) -> bool:
    """Whether a reader would run the box together with a factor before it."""
    if box.kind in ("row", "power"):
        return bool(box.parts) and _begins_with_digit(box.parts[0])
    if box.kind == "fraction":
        return all(map(_begins_with_digit, box.parts))
    return box.kind == "number"


def _times(left: Box, right: Box) -> Box:
    """An invisible product; a thin space keeps a name of several letters apart from its neighbours."""
    return Box("times", "wide" if any(_has_word(box) for box in (left, right)) else "")


def _has_word(box: Box) -> bool:
    if box.kind == "name":
        return len(box.text) > 1
    return box.kind in ("power", "subscript") and _has_word(box.parts[0])


def _is_tall(box: Box) -> bool:
    return box.kind in ("fraction", "cases", "sigma") or any(map(_is_tall, box.parts))


def _name(name: str, index: str = "") -> Box:
    """Set a name: Greek letters by their names, trailing digits or what follows ``_`` as a subscript."""
    if name[0].isdigit():
        return Box("number", name)
    if name.startswith("∂"):
        return _row(Box("name", "∂"), _name(name[1:]))
    match = re.fullmatch(r"(?P<head>[^\W\d_]+?)(?:(?P<digits>\d+)|_(?P<tail>\w+))", name)
    head, below = (match["head"], match["digits"] or match["tail"]) if match else (name, "")
    if below and not below.isdigit() and len(head) > 1 and head not in _GREEK:
        head, below = name, ""
    base = Box("name", _GREEK.get(head, head))
    small = [_digits_or_word(below)] if below else []
    if index:
        small += [*([_operator(",")] if small else []), Box("name", index)]
    return Box("subscript", parts=(base, _row(*small))) if small else base


def _digits_or_word(text: str) -> Box:
    return Box("number", text) if text.isdigit() else Box("name", _GREEK.get(text, text))


def _latex(box: Box, mathtext: bool) -> str:
    inside = [_latex(part, mathtext) for part in box.parts]
    match box.kind:
        case "row":
            return "".join(inside).strip()
        case "name":
            return _latex_name(box.text)
        case "number":
            return box.text
        case "operator":
            sign = _LATEX_SIGNS.get(box.text, box.text)
            return ", " if sign == "," else f" {sign} "
        case "times":
            return r" \, " if box.text else " "
        case "slash":
            return "/"
        case "minus":
            return "-"
        case "function":
            if box.text == "σ":
                return r"\sigma"
            return f"\\{box.text}" if box.text in _LATEX_FUNCTIONS else rf"\operatorname{{{box.text}}}"
        case "fraction":
            return rf"\{'dfrac' if mathtext else 'frac'}{{{inside[0]}}}{{{inside[1]}}}"
        case "power":
            return f"{inside[0]}^{{{inside[1]}}}"
        case "subscript":
            return f"{inside[0]}_{{{inside[1]}}}"
        case "prime":
            return f"{inside[0]}'"
        case "root":
            return rf"\sqrt{{{inside[0]}}}"
        case "brackets":
            return rf"\left({inside[0]}\right)" if _is_tall(box) else f"({inside[0]})"
        case "bars":
            return _latex_bars(inside[0], _is_tall(box), mathtext)
        case "sigma":
            sign = rf"\sum_{{{inside[0]}=1}}^{{{inside[1]}}} "
            return rf"\,{sign}" if mathtext else sign  # apart from the fraction before it
        case "cases":
            return _latex_cases(inside, mathtext)
    raise AssertionError(f"no LaTeX for a {box.kind} box")


def _latex_bars(inside: str, tall: bool, mathtext: bool) -> str:
    if not mathtext:
        return rf"\left|{inside}\right|"
    return (
        rf"{{\left|{inside}\right|}}" if tall else f"{{|{inside}|}}"
    )  # Matplotlib's \left| may be too short


def _latex_cases(inside: list[str], mathtext: bool) -> str:
    *choices, otherwise = inside
    rows = list(zip(choices[::2], choices[1::2], strict=True))
    if mathtext:
        line = r",\ ".join(rf"{then}\ \mathrm{{if}}\ {condition}" for then, condition in rows)
        return rf"\left\{{{line},\ \mathrm{{else}}\ {otherwise}\right\}}"
    lines = r" \\ ".join(f"{then} & {condition}" for then, condition in rows)
    return rf"\begin{{cases}} {lines} \\ {otherwise} & \text{{otherwise}} \end{{cases}}"


def _latex_name(name: str) -> str:
    if name in _GREEK_NAMES:
        return f"\\{_GREEK_NAMES[name]}"
    if name in _LATEX_NAMES:
        return _LATEX_NAMES[name]
    if len(name) == 1:
        return name
    return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"


_MATHML_ELEMENTS = {
    "row": "mrow", "name": "mi", "function": "mi", "number": "mn", "operator": "mo", "fraction": "mfrac",
    "power": "msup", "subscript": "msub", "root": "msqrt",
}  # fmt: skip


def _mathml(box: Box) -> str:
    inside = "".join(_mathml(part) for part in box.parts)
    match box.kind:
        case "times":
            return "<mo>&#x2062;</mo>"  # invisible times: a screen reader says it
        case "minus":
            return '<mo form="prefix">−</mo>'
        case "slash":
            return "<mo>/</mo>"
        case "prime":
            return f"<msup>{inside}<mo>′</mo></msup>"
        case "brackets":
            return f"<mrow><mo>(</mo>{inside}<mo>)</mo></mrow>"
        case "bars":
            return f"<mrow><mo>|</mo>{inside}<mo>|</mo></mrow>"
        case "sigma":
            index, rows = map(_mathml, box.parts)
            return f"<munderover><mo>∑</mo><mrow>{index}<mo>=</mo><mn>1</mn></mrow>{rows}</munderover>"
        case "cases":
            cells = [f"<mtd>{_mathml(part)}</mtd>" for part in box.parts] + [
                "<mtd><mtext>otherwise</mtext></mtd>"
            ]
            rows = "".join(
                f"<mtr>{then}{when}</mtr>" for then, when in zip(cells[::2], cells[1::2], strict=True)
            )
            return f"<mrow><mo>{{</mo><mtable>{rows}</mtable></mrow>"
    element = _MATHML_ELEMENTS[box.kind]
    return f"<{element}>{_escaped(box.text) if box.text else inside}</{element}>"


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
