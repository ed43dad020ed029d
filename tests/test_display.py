"""What is printed means the tree: the text parses back, LaTeX renders, MathML is well formed."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from fractions import Fraction

import matplotlib
import mpmath
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.mathtext import MathTextParser
from mpmath_values import value
from tiers import examples

from gdsim.expr.display import to_latex, to_mathml, to_text
from gdsim.expr.functions import FUNCTIONS
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
)
from gdsim.expr.parse import parse
from gdsim.expr.signs import decimal, without_sign
from gdsim.losses import LOSSES

COLUMNS = frozenset({"c"})
PARAMETERS = frozenset({"alpha"})


def reparsed(expr: Expr, unicode: bool) -> Expr:
    return parse(to_text(expr, unicode=unicode), parameters=PARAMETERS, columns=COLUMNS)


# --- random trees ---------------------------------------------------------------------------------

_RATIONALS = st.fractions(min_value=-50, max_value=50, max_denominator=40) | st.sampled_from(
    [
        Fraction(1, 10**8),
        Fraction(-3, 10**9),
        Fraction(10**20),
        Fraction(1, 2),
        Fraction(-5, 4),
        Fraction(125, 10),
    ]
)
_LEAVES = (
    st.builds(Number, _RATIONALS)
    | st.sampled_from([Constant("pi"), Constant("e")])
    | st.sampled_from([Symbol("w"), Symbol("w_1"), Symbol("x2"), Symbol("alpha", "parameter")])
)


def _grow(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    several = st.lists(inner, min_size=2, max_size=3).map(tuple)
    compare = st.builds(Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner)
    one = st.sampled_from(
        [
            name
            for name, function in FUNCTIONS.items()
            if function.arguments == (1, 1) and not function.canonical
        ]
    )
    two = st.sampled_from(["max", "min", "huber"])
    return (
        st.builds(Add, several)
        | st.builds(Multiply, several)
        | st.builds(Divide, inner, inner)
        | st.builds(Power, inner, inner | st.integers(-3, 4).map(lambda n: Number(Fraction(n))))
        | st.builds(Negate, inner)
        | st.builds(lambda name, x: Call(name, (x,)), one, inner)
        | st.builds(lambda name, x, y: Call(name, (x, y)), two, inner, inner)
        | st.builds(Where, compare, inner, inner)
    )


TREES = st.recursive(_LEAVES, _grow, max_leaves=8)


def _rational_value(expr: Expr, w: Fraction) -> Fraction:
    """Exact arithmetic of our own over the four operations, negation and small integer powers."""
    match expr:
        case Number(number):
            return number
        case Symbol():
            return w
        case Negate(operand):
            return -_rational_value(operand, w)
        case Add(terms):
            return sum((_rational_value(term, w) for term in terms), Fraction(0))
        case Multiply(factors):
            product = Fraction(1)
            for factor in factors:
                product *= _rational_value(factor, w)
            return product
        case Divide(numerator, denominator):
            return _rational_value(numerator, w) / _rational_value(denominator, w)
        case Power(base, exponent):
            return _rational_value(base, w) ** int(_rational_value(exponent, w))
    raise TypeError(expr)


_RATIONAL_TREES = st.recursive(
    st.builds(Number, _RATIONALS) | st.just(Symbol("w")),
    lambda inner: (
        st.builds(Add, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Multiply, st.lists(inner, min_size=2, max_size=3).map(tuple))
        | st.builds(Divide, inner, inner)
        | st.builds(Negate, inner)
        | st.builds(Power, inner, st.integers(-2, 3).map(lambda n: Number(Fraction(n))))
    ),
    max_leaves=10,
)


@given(_RATIONAL_TREES, st.fractions(min_value=-3, max_value=3, max_denominator=7), st.booleans())
@examples(120)
def test_printed_arithmetic_has_exactly_the_same_value(expr: Expr, w: Fraction, unicode: bool) -> None:
    try:
        before = _rational_value(expr, w)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            _rational_value(reparsed(expr, unicode), w)
        return
    assert _rational_value(reparsed(expr, unicode), w) == before


@given(TREES, st.booleans())
@examples(120)
def test_printed_tree_has_the_same_value_at_fifty_digits(expr: Expr, unicode: bool) -> None:
    at = {"w": "0.7", "w_1": "-1.3", "x2": "2.1", "alpha": "0.4"}
    before, after = value(expr, at), value(reparsed(expr, unicode), at)
    # 50 digits each; regrouping a fraction's 1/q costs a few units of the last one, amplified at most by
    # the size of the parts, which are below 1e20 wherever the value is of order one.
    assert (mpmath.isnan(before) and mpmath.isnan(after)) or mpmath.almosteq(before, after, 1e-25, 1e-25)


@given(TREES)
@examples(80)
def test_printing_what_was_printed_changes_nothing(expr: Expr) -> None:
    text = to_text(expr)
    assert to_text(reparsed(expr, unicode=False)) == text
    assert to_text(reparsed(expr, unicode=True)) == text


@given(TREES)
@examples(60)
def test_mathml_of_any_tree_is_well_formed(expr: Expr) -> None:
    root = ElementTree.fromstring(to_mathml(expr))
    assert root.tag == "{http://www.w3.org/1998/Math/MathML}math"
    arity = {"mfrac": 2, "msup": 2, "msub": 2, "munderover": 3}
    for element in root.iter():
        name = element.tag.partition("}")[2]
        assert len(element) == arity.get(name, len(element))


@given(TREES)
@examples(60)
def test_latex_of_any_tree_has_matching_braces_and_delimiters(expr: Expr) -> None:
    text = to_latex(expr)
    plain = text.replace(r"\{", "").replace(r"\}", "")
    assert plain.count("{") == plain.count("}")
    assert text.count(r"\left") == text.count(r"\right") + text.count(r"\leftarrow")
    assert text.count(r"\begin") == text.count(r"\end")


# --- the forms that people expect -----------------------------------------------------------------

TEXTS = {
    "(w-3)**2": ("(w - 3)^2", "(w − 3)²"),
    "w + (-2)*x": ("w - 2*x", "w − 2·x"),
    "2x": ("2*x", "2·x"),
    "-(a + b)": ("-(a + b)", "−(a + b)"),
    "-(a*b)": ("-a*b", "−a·b"),
    "a - (b - c)": ("a - (b - c)", "a − (b − c)"),
    "a - -b": ("a - (-b)", "a − (−b)"),
    "a/(b*c)": ("a/(b*c)", "a/(b·c)"),
    "a/b*c": ("a/b*c", "a/b·c"),
    "a*(b/c)": ("a*(b/c)", "a·(b/c)"),
    "(-2)^2": ("(-2)^2", "(−2)²"),
    "-2^2": ("-2^2", "−2²"),
    "(x^y)^z": ("(x^y)^z", "(x^y)^z"),
    "x^y^z": ("x^y^z", "x^y^z"),
    "2^x^2": ("2^x^2", "2^(x²)"),
    "x^-1": ("x^(-1)", "x⁻¹"),
    "x^(1/2)": ("x^(1/2)", "x^(1/2)"),
    "0.1x": ("0.1*x", "0.1·x"),
    "0.5x": ("x/2", "x/2"),
    "1.5x": ("3*x/2", "3·x/2"),
    "1e-8": ("1e-8", "1e-8"),
    "1e300": ("1e300", "1e300"),
    "100": ("100", "100"),
    "2*pi*x": ("2*pi*x", "2·π·x"),
    "ln(x)": ("log(x)", "log(x)"),
    "huber(x)": ("huber(x)", "huber(x)"),
    "huber(x, d)": ("huber(x, d)", "huber(x, d)"),
    "max(a, max(b, c))": ("max(a, max(b, c))", "max(a, max(b, c))"),
    "max(a, b, c)": ("max(a, b, c)", "max(a, b, c)"),
    "where(x<=0, 1, -x)": ("where(x <= 0, 1, -x)", "where(x ≤ 0, 1, −x)"),
}


@pytest.mark.parametrize("written", TEXTS)
def test_text_is_what_one_would_write(written: str) -> None:
    plain, pretty = TEXTS[written]
    assert to_text(parse(written)) == plain
    assert to_text(parse(written), unicode=True) == pretty


LATEX = {
    "w^2": "w^{2}",
    "w/2": r"\frac{w}{2}",
    "sqrt(w)": r"\sqrt{w}",
    "abs(w)": r"\left|w\right|",
    "(w - 3)^2": "(w - 3)^{2}",
    "(w/2)^2": r"\left(\frac{w}{2}\right)^{2}",
    "exp(x)": "e^{x}",
    "exp(-x^2)": "e^{-x^{2}}",
    "exp(sin(x))": r"\exp(\sin(x))",
    "sigmoid(x)": r"\sigma(x)",
    "max(a, b)": r"\max(a, b)",
    "sin(x)^2": r"\sin^{2}(x)",
    "log(x)^2": r"\ln(x)^{2}",
    "log10(x)": r"\log_{10}(x)",
    "asin(x)": r"\arcsin(x)",
    "relu(x)": r"\operatorname{relu}(x)",
    "2*3": r"2 \cdot 3",
    "2x": "2 x",
    "x*2^y": r"x \cdot 2^{y}",
    "1e-8x": "10^{-8} x",
    "2.5e-8x": r"2.5 \times 10^{-8} x",
    "alpha*w_1": r"\alpha w_{1}",
    "lambda*w12": r"\lambda w_{12}",
    "x_min": r"x_{\mathrm{min}}",
    "learning_rate*g": r"\mathrm{learning\_rate} \, g",
    "θ^2": r"\theta^{2}",
    "2*pi": r"2 \pi",
    "x^(2/3)": "x^{2/3}",
    "-x/y": r"-\frac{x}{y}",
    "where(x <= 0, x, 1)": r"\begin{cases} x & x \leq 0 \\ 1 & \text{otherwise} \end{cases}",
    "where(x<0, 1, where(x>0, 2, y))": (
        r"\begin{cases} 1 & x < 0 \\ 2 & x > 0 \\ y & \text{otherwise} \end{cases}"
    ),
}


@pytest.mark.parametrize("written", LATEX)
def test_latex_is_what_a_textbook_prints(written: str) -> None:
    assert to_latex(parse(written)) == LATEX[written]


def test_mean_is_a_sum_over_rows_with_letters_that_are_free() -> None:
    columns = frozenset("xy")
    assert to_latex(parse("mean((w*x - y)^2)", columns=columns)) == (
        r"\frac{1}{n}\sum_{i=1}^{n} (w x_{i} - y_{i})^{2}"
    )
    assert to_latex(parse("n*sum(i + x)", columns=columns)) == r"n \sum_{j=1}^{m} (i + x_{j})"
    assert to_text(parse("mean((w*x-y)^2)", columns=columns)) == "mean((w*x - y)^2)"


def test_sum_over_rows_stands_in_brackets_where_a_factor_follows() -> None:
    tree = Multiply((Reduce("sum", Symbol("c", "column")), Symbol("w")))
    assert to_latex(tree) == r"\left(\sum_{i=1}^{n} c_{i}\right) w"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_matplotlib_draws_every_function(name: str) -> None:
    arguments = ", ".join(["x_1/2", "alpha", "3"][: max(FUNCTIONS[name].arguments[0], 1)])
    draw(to_latex(parse(f"2 + {name}({arguments})^2"), mathtext=True))


@pytest.mark.parametrize(
    "written",
    ["where(x != 0, 1/x, where(x > 1, learning_rate, 2))", "1e-9*x^(2/3)", "2*max(x, y, Omega)", "e^(-x)/θ"],
)
def test_matplotlib_draws_what_needs_care(written: str) -> None:
    draw(to_latex(parse(written), mathtext=True))


@pytest.mark.parametrize("value", ["-3", "-1", "-1/2", "0", "1/2", "1", "3"])
def test_the_sign_of_a_number_is_taken_from_it(value: str) -> None:
    number = Fraction(value)
    assert without_sign(Number(number)) == (number < 0, Number(abs(number)))


def test_a_number_of_more_than_twenty_digits_is_no_decimal() -> None:
    assert decimal(Fraction(3**40, 10**20)) == "0.12157665459056928801"
    assert decimal(Fraction(3**42, 10**20)) == ""  # it has 21 digits


@pytest.mark.parametrize(
    ("written", "latex"),
    [
        ("exp(x^2/2)", r"e^{\frac{x^{2}}{2}}"),
        ("exp((x/2)^2/3)", r"\exp\left(\frac{\left(\frac{x}{2}\right)^{2}}{3}\right)"),
    ],
)
def test_e_takes_an_exponent_that_is_not_too_tall(written: str, latex: str) -> None:
    assert to_latex(parse(written)) == latex


@pytest.mark.parametrize("name", ["sin", "cos", "tan", "sinh", "cosh", "tanh"])
def test_a_power_stands_behind_the_name_of_the_function(name: str) -> None:
    assert to_latex(parse(f"{name}(w)^2")) == rf"\{name}^{{2}}(w)"


MATHML = {
    "sqrt(w/2) + w_1^2": "<mrow><msqrt><mfrac><mi>w</mi><mn>2</mn></mfrac></msqrt><mo>+</mo>"
    "<msup><msub><mi>w</mi><mn>1</mn></msub><mn>2</mn></msup></mrow>",
    "where(w > 0, 1, 0)": "<mrow><mo>{</mo><mtable>"
    "<mtr><mtd><mn>1</mn></mtd><mtd><mrow><mi>w</mi><mo>&gt;</mo><mn>0</mn></mrow></mtd></mtr>"
    "<mtr><mtd><mn>0</mn></mtd><mtd><mtext>otherwise</mtext></mtd></mtr></mtable></mrow>",
    "mean(x)": "<mrow><mfrac><mn>1</mn><mi>n</mi></mfrac>"
    "<munderover><mo>∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>"
    "<msub><mi>x</mi><mi>i</mi></msub></mrow>",
}


@pytest.mark.parametrize(("written", "inside"), MATHML.items())
def test_mathml_in_full(written: str, inside: str) -> None:
    start = '<math xmlns="http://www.w3.org/1998/Math/MathML">'
    assert to_mathml(parse(written, columns=frozenset("x"))) == f"{start}{inside}</math>"


def test_a_choice_is_one_row_where_matplotlib_draws_and_a_table_elsewhere() -> None:
    tree = parse("where(w > 1, 3, where(w > 0, 2, w))")
    assert to_latex(tree, mathtext=True) == (
        r"\left\{3\ \mathrm{if}\ w > 1,\ 2\ \mathrm{if}\ w > 0,\ \mathrm{else}\ w\right\}"
    )
    assert to_latex(tree) == (r"\begin{cases} 3 & w > 1 \\ 2 & w > 0 \\ w & \text{otherwise} \end{cases}")


def test_matplotlib_draws_a_mean() -> None:
    draw(to_latex(parse("mean((w*x1 - y)^2)", columns=frozenset({"x1", "y"})), mathtext=True))


def test_bars_are_a_group_that_matplotlib_draws_as_high_as_a_letter() -> None:
    assert to_latex(parse("abs(w - 1)"), mathtext=True) == "{|w - 1|}"
    assert to_latex(parse("abs(w/2)"), mathtext=True) == r"{\left|\dfrac{w}{2}\right|}"


def draw(latex: str) -> None:
    with matplotlib.rc_context({"savefig.dpi": 50}):
        width = MathTextParser("path").parse(f"${latex}$").width
    assert width > 0


@pytest.mark.parametrize("name", LOSSES)
def test_every_named_loss_is_printed_in_all_forms(name: str) -> None:
    entry = LOSSES[name]
    tree = parse(entry.formula, parameters=frozenset(entry.parameters))
    for unicode in (False, True):
        again = parse(to_text(tree, unicode=unicode), parameters=frozenset(entry.parameters))
        assert to_text(again) == to_text(tree)
    ElementTree.fromstring(to_mathml(tree))
    draw(to_latex(tree, mathtext=True))


@given(st.fractions(min_value=0, max_value=10**18))
def test_decimal_is_exact_or_not_given(number: Fraction) -> None:
    text = decimal(number)
    assert not text or Fraction(text) == number


@given(st.integers(0, 10**25), st.integers(-30, 30))
def test_decimal_of_a_decimal_is_exact_or_not_given(digits: int, exponent: int) -> None:
    number = Fraction(digits) * Fraction(10) ** exponent
    text = decimal(number)
    assert not text or Fraction(text) == number


@given(TREES)
def test_sign_and_rest_make_the_whole(expr: Expr) -> None:
    at = {"w": "0.7", "w_1": "-1.3", "x2": "2.1", "alpha": "0.4"}
    negative, rest = without_sign(expr)
    whole, part = value(expr, at), value(rest, at)
    assert (mpmath.isnan(whole) and mpmath.isnan(part)) or whole == (-part if negative else part)


def test_what_is_still_to_be_differentiated_is_primed() -> None:
    primed = Multiply(
        (Symbol("x"), Prime(parse("sin(x)"), "x"), Prime(parse("x^2"), "x"), Prime(Symbol("x"), "x"))
    )
    assert to_text(primed) == "x*sin(x)'*(x^2)'*x'"
    assert to_text(primed, unicode=True) == "x·sin(x)′·(x²)′·x′"
    assert to_latex(primed) == r"x (\sin(x))' (x^{2})' x'"
    assert to_mathml(Prime(Symbol("x"), "x")).endswith("<msup><mi>x</mi><mo>′</mo></msup></math>")
