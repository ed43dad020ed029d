"""Formulas whose derivations are checked against SymPy, and SymPy's own reading of them."""

from __future__ import annotations

import sympy

# A function of x, with an argument inside its domain at every point of POINTS.
INNER = {
    "sqrt": "x^2 + 1", "log": "2*x + 3", "log2": "x^2 + 2", "log10": "x + 5", "asin": "x/4", "acos": "x/5",
    "tan": "x/6", "exp": "x/3", "sinh": "x/2", "cosh": "-x", "abs": "x - 5", "sign": "x - 7",
    "relu": "2*x - 1", "softplus": "1 - x", "sigmoid": "3*x", "tanh": "5*x",
}  # fmt: skip
FUNCTIONS = (
    "sqrt", "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", 
    "tanh", "abs", "sign", "relu", "sigmoid", "softplus",
)  # fmt: skip
TEMPLATES = (
    "F", "x*F", "F/x", "x/(F + 3)", "F^2", "(F - 4)^3", "F*F*x", "3*F - x^2", "F*cos(x)", "sqrt(F^2 + 1)",
    "1/(F^2 + 1)^2", "F/4", "-F", "y*F + y^2", "exp(-F^2)", "tanh(F)", "x^3*F*sin(x)", "2^F",
)  # fmt: skip
OTHERS = (
    "7*x", "x*x", "x*x*x", "x^2/x^5", "1/x", "1/x^3", "5/x^2", "3/sqrt(x)", "2/sqrt(x^2 + 1)",
    "1/(x^2 + 1)^3", "x^-2", "x^(1/2)", "x^(2/3)", "x^x", "x^(x^2)", "(x^2 + 1)^x", "2^x", "2^(x^2)",
    "e^(3*x)", "e^x*x", "pi^x", "x^pi", "x^y", "y^x", "(x*y)^2", "x*y*sin(x*y)", "exp(x)/x", "x/exp(x)",
    "tanh(x)/x", "sin(x)/x", "exp(x)/(1 + exp(x))", "1/(1 + exp(-x))", "(2*x + 1)/(3*x - 1)",
    "(x^2 - 1)/(x + 1)^2", "x/sqrt(x^2 + 1)", "max(x, 3)", "max(x, 3 - x)", "min(x^2, 2*x + 5)",
    "max(x, 2, x^2)", "huber(x)", "huber(x - 3)", "huber(3*x, 2)", "huber(5, x)", "huber(x, x + 1)",
    "where(x > 0, x^2, -x)", "where(x < 1, sin(x), x^3)", "x*where(x^2 > 2, x, 1)", "sin(sin(sin(x)))",
    "exp(exp(x/3))", "log(log(x + 4))", "sqrt(1 + sqrt(1 + x^2))", "((x^2 + 1)^2 + 1)^2",
    "atan(exp(-x^2))", "x*(x + 1)*(x + 2)", "x*(x + 1)*(x + 2)*(x + 3)",
    "x*(x + 1)*(x + 2)*(x + 3)*(x + 4)*(x + 5)", "x + x^2 + x^3 + x^4 + x^5 + sin(x) + cos(x)",
    "-(x - y)^2", "-(-(-x))", "x - (2 - (3 - x))", "3*(x + 2)*4", "x/2/3", "0*x", "x^0", "x^1", "1^x",
    "sin(x)^2 + cos(x)^2", "sin(x)/cos(x)", "cosh(x)^2 - sinh(x)^2", "sinh(x)/cosh(x)", "sqrt(x)*sqrt(x)",
    "exp(x)*exp(x)", "abs(x)*abs(x)", "abs(x)*sign(x)", "sqrt(x^2)", "x*tanh(x) - x", "tanh(x)^2*tanh(x)",
    "(1 - y)^2 + 100*(x - y^2)^2", "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "(x*2 + y*3)/(x - 10)",
    "sigmoid(x)*(1 - sigmoid(x))", "log(1 + exp(-x))", "x^2*exp(3*x)", "exp(-x)*sin(5*x)", "x*log(x)",
)  # fmt: skip
FORMULAS = tuple(
    dict.fromkeys([
        *(
            template.replace("F", f"{name}({INNER.get(name, '2*x - 1')})")
            for name in FUNCTIONS
            for template in TEMPLATES
        ),
        *OTHERS,
    ])
)  # fmt: skip
POINTS = (
    {"x": sympy.Rational(7, 10), "y": sympy.Rational(3, 2)},
    {"x": sympy.Rational(9, 4), "y": sympy.Rational(5, 3)},
)


def _where(condition: sympy.Basic, then: sympy.Expr, otherwise: sympy.Expr) -> sympy.Expr:
    return sympy.Piecewise((then, condition), (otherwise, True))


def _huber(u: sympy.Expr, d: sympy.Expr = sympy.S.One) -> sympy.Expr:
    return _where(sympy.Abs(u) <= d, u**2 / 2, d * (sympy.Abs(u) - d / 2))


_WORDS = {
    **{name: sympy.Symbol(name, real=True) for name in "xy"},
    "e": sympy.E, "abs": sympy.Abs, "max": sympy.Max, "min": sympy.Min, "where": _where, "huber": _huber,
    "relu": lambda u: _where(u > 0, u, 0), "sigmoid": lambda u: 1 / (1 + sympy.exp(-u)),
    "softplus": lambda u: sympy.log(1 + sympy.exp(u)), "log2": lambda u: sympy.log(u) / sympy.log(2),
    "log10": lambda u: sympy.log(u) / sympy.log(10),
}  # fmt: skip


def slopes(formula: str) -> list[sympy.Float]:
    """SymPy's derivative by x at each of POINTS, to 40 digits."""
    x = _WORDS["x"]
    slope = sympy.diff(sympy.sympify(formula.replace("^", "**"), locals=_WORDS, rational=True), x)
    return [slope.subs({_WORDS[name]: value for name, value in at.items()}).evalf(40) for at in POINTS]
