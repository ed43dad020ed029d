r"""The rules of differentiation, as plain data: their names, their statements, and f′ for each function.

Every f′ is written so that it neither cancels nor overflows where f does not: tanh′ = 1/cosh² and
not 1 − tanh², which loses every digit at x = 20.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from gdsim.expr.algebra import add, divide, multiply, negate, power
from gdsim.expr.nodes import ONE, TWO, ZERO, Compare, Expr, Where, number
from gdsim.expr.simplify import call


class Rule(NamedTuple):
    """What a rule of differentiation says, as text and as LaTeX; □ stands for the variable."""

    text: str
    latex: str

    def statement(self, variable: str) -> str:
        """Return what the rule says, in terms of a variable.

        >>> RULES["power"].statement("w")
        '(wⁿ)′ = n·wⁿ⁻¹'
        """
        return self.text.replace("□", variable)

    def latex_statement(self, variable: str) -> str:
        """Return what the rule says as LaTeX; the variable is given as LaTeX, too."""
        return self.latex.replace("□", variable)


class FunctionRule(NamedTuple):
    """The derivative of a function of one argument.

    ``outer(argument, written)`` returns f′ at the simplified argument; ``written`` is the argument as it
    stands in the formula, for comparisons.
    """

    rule: str
    outer: Callable[[Expr, Expr], Expr]


def _one_over(expr: Expr) -> Expr:
    return divide(ONE, expr)


def _root_of_one_minus_square(u: Expr) -> Expr:
    """√((1 − u)(1 + u)): 1 − u² would lose the digits of u near ±1."""
    return call("sqrt", multiply((add((ONE, negate(u))), add((ONE, u)))))


def _sigmoid_slope(u: Expr) -> Expr:
    half = divide(u, TWO)
    return _one_over(multiply((number(4), power(call("cosh", half), TWO))))


FUNCTION_RULES: dict[str, FunctionRule] = {
    "sqrt": FunctionRule("square root", lambda u, _: _one_over(multiply((TWO, call("sqrt", u))))),
    "exp": FunctionRule("exponential", lambda u, _: call("exp", u)),
    "log": FunctionRule("logarithm", lambda u, _: _one_over(u)),
    "log2": FunctionRule("logarithm to a base", lambda u, _: _one_over(multiply((u, call("log", TWO))))),
    "log10": FunctionRule(
        "logarithm to a base", lambda u, _: _one_over(multiply((u, call("log", number(10)))))
    ),
    "sin": FunctionRule("sine", lambda u, _: call("cos", u)),
    "cos": FunctionRule("cosine", lambda u, _: negate(call("sin", u))),
    "tan": FunctionRule("tangent", lambda u, _: _one_over(power(call("cos", u), TWO))),
    "asin": FunctionRule("inverse sine", lambda u, _: _one_over(_root_of_one_minus_square(u))),
    "acos": FunctionRule("inverse cosine", lambda u, _: negate(_one_over(_root_of_one_minus_square(u)))),
    "atan": FunctionRule("inverse tangent", lambda u, _: _one_over(add((ONE, power(u, TWO))))),
    "sinh": FunctionRule("hyperbolic sine", lambda u, _: call("cosh", u)),
    "cosh": FunctionRule("hyperbolic cosine", lambda u, _: call("sinh", u)),
    "tanh": FunctionRule("hyperbolic tangent", lambda u, _: _one_over(power(call("cosh", u), TWO))),
    "abs": FunctionRule("absolute value", lambda u, _: call("sign", u)),
    "sign": FunctionRule("sign", lambda u, _: ZERO),
    "relu": FunctionRule("rectifier", lambda u, written: Where(Compare(">", written, ZERO), ONE, ZERO)),
    "sigmoid": FunctionRule("sigmoid", lambda u, _: _sigmoid_slope(u)),
    "softplus": FunctionRule("softplus", lambda u, _: call("sigmoid", u)),
}

RULES: dict[str, Rule] = {
    "constant": Rule("c′ = 0", r"c' = 0"),
    "identity": Rule("□′ = 1", r"□' = 1"),
    "constant multiple": Rule("(c·f)′ = c·f′", r"(c\,f)' = c\,f'"),
    "negation": Rule("(−f)′ = −f′", r"(-f)' = -f'"),
    "sum": Rule("(f + g)′ = f′ + g′", r"(f + g)' = f' + g'"),
    "difference": Rule("(f − g)′ = f′ − g′", r"(f - g)' = f' - g'"),
    "product": Rule("(f·g)′ = f′·g + f·g′", r"(f g)' = f' g + f g'"),
    "reciprocal": Rule("(c/g)′ = −c·g′/g²", r"\left(\frac{c}{g}\right)' = -\frac{c\,g'}{g^2}"),
    "quotient": Rule("(f/g)′ = (f′·g − f·g′)/g²", r"\left(\frac{f}{g}\right)' = \frac{f' g - f g'}{g^2}"),
    "split quotient": Rule(
        "(f/g)′ = f′/g − f·g′/g²", r"\left(\frac{f}{g}\right)' = \frac{f'}{g} - \frac{f g'}{g^2}"
    ),
    "power": Rule("(□ⁿ)′ = n·□ⁿ⁻¹", r"(□^n)' = n\,□^{n-1}"),
    "chain": Rule("f(u)′ = f′(u)·u′", r"\big(f(u)\big)' = f'(u)\,u'"),
    "exponential": Rule("(e^□)′ = e^□ and (a^□)′ = a^□·log(a)", r"(e^□)' = e^□,\quad (a^□)' = a^□ \ln a"),
    "general power": Rule(
        "(fᵍ)′ = fᵍ·(g′·log(f) + g·f′/f)", r"(f^g)' = f^g \left(g' \ln f + g\,\frac{f'}{f}\right)"
    ),
    "square root": Rule("√□′ = 1/(2·√□)", r"\sqrt{□}' = \frac{1}{2\sqrt{□}}"),
    "logarithm": Rule("log(□)′ = 1/□", r"(\ln □)' = \frac{1}{□}"),
    "logarithm to a base": Rule("logₐ(□)′ = 1/(□·log(a))", r"(\log_a □)' = \frac{1}{□ \ln a}"),
    "sine": Rule("sin(□)′ = cos(□)", r"(\sin □)' = \cos □"),
    "cosine": Rule("cos(□)′ = −sin(□)", r"(\cos □)' = -\sin □"),
    "tangent": Rule("tan(□)′ = 1/cos(□)²", r"(\tan □)' = \frac{1}{\cos^2 □}"),
    "inverse sine": Rule(
        "asin(□)′ = 1/√((1 − □)·(1 + □))", r"(\arcsin □)' = \frac{1}{\sqrt{(1 - □)(1 + □)}}"
    ),
    "inverse cosine": Rule(
        "acos(□)′ = −1/√((1 − □)·(1 + □))", r"(\arccos □)' = -\frac{1}{\sqrt{(1 - □)(1 + □)}}"
    ),
    "inverse tangent": Rule("atan(□)′ = 1/(1 + □²)", r"(\arctan □)' = \frac{1}{1 + □^2}"),
    "hyperbolic sine": Rule("sinh(□)′ = cosh(□)", r"(\sinh □)' = \cosh □"),
    "hyperbolic cosine": Rule("cosh(□)′ = sinh(□)", r"(\cosh □)' = \sinh □"),
    "hyperbolic tangent": Rule("tanh(□)′ = 1/cosh(□)²", r"(\tanh □)' = \frac{1}{\cosh^2 □}"),
    "sigmoid": Rule("σ(□)′ = 1/(4·cosh(□/2)²)", r"\sigma(□)' = \frac{1}{4 \cosh^2(□/2)}"),
    "softplus": Rule("softplus(□)′ = σ(□)", r"\operatorname{softplus}(□)' = \sigma(□)"),
    "absolute value": Rule("|□|′ = sign(□), 0 at □ = 0", r"|□|' = \operatorname{sign} □"),
    "sign": Rule("sign(□)′ = 0", r"(\operatorname{sign} □)' = 0"),
    "rectifier": Rule(
        "relu(□)′ = 1 for □ > 0, else 0",
        r"\operatorname{relu}(□)' = \begin{cases} 1 & □ > 0 \\ 0 & □ \le 0 \end{cases}",
    ),
    "maximum": Rule(
        "max(f, g)′ = f′ where f > g, g′ where f < g, (f′ + g′)/2 where f = g",
        r"\max(f, g)' = \begin{cases} f' & f > g \\ g' & f < g \\ \tfrac12 (f' + g') & f = g \end{cases}",
    ),
    "minimum": Rule(
        "min(f, g)′ = f′ where f < g, g′ where f > g, (f′ + g′)/2 where f = g",
        r"\min(f, g)' = \begin{cases} f' & f < g \\ g' & f > g \\ \tfrac12 (f' + g') & f = g \end{cases}",
    ),
    "huber": Rule(
        "huber(f, d)′ = f·f′ where |f| ≤ d, else d·sign(f)·f′ + (|f| − d)·d′",
        r"\operatorname{huber}(f, d)' = \begin{cases} f f' & |f| \le d \\"
        r" d \operatorname{sign}(f) f' + (|f| - d)\,d' & |f| > d \end{cases}",
    ),
    "choice": Rule(
        "where(c, f, g)′ = where(c, f′, g′)",
        r"\begin{cases} f & c \\ g & \text{else} \end{cases}{}' = \begin{cases} f' & c \\ g' & \text{else}"
        r" \end{cases}",
    ),
    "reduction": Rule(
        "mean(f)′ = mean(f′) and sum(f)′ = sum(f′)",
        r"\Big(\sum_i f_i\Big)' = \sum_i f_i'",
    ),
}
