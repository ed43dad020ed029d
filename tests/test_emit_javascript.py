"""The JavaScript back-end against the Python one, at 50 digits, and by definition; one node for each test."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from fractions import Fraction

import page_node
import pytest
from hypothesis import given, settings
from random_trees import (
    ANY_FLOAT,
    ARGUMENTS,
    BINARY,
    COLUMN_NAMES,
    COLUMNS,
    EVERYTHING,
    SCALAR,
    UNARY,
    Kinds,
    Point,
    points,
    trees,
)
from running_error import Unbounded, agrees, bounded
from test_emit import (
    COMPOSED,
    EXACT,
    SPECIAL,
    SPECIAL_FORMULAS,
    SPECIAL_OF_TWO,
    arguments_of,
    error_in_ulps,
    real,
    same,
    special_tree,
)
from tiers import examples

from gdsim.expr import emit_python
from gdsim.expr.emit_javascript import RUNTIME, function_body, number, statements
from gdsim.expr.lower import lower
from gdsim.expr.nodes import Call, Constant, Expr, Number, Symbol
from gdsim.expr.parse import parse

pytestmark = page_node.NEEDS_NODE
INF, NAN = math.inf, math.nan
W, V = Symbol("w"), Symbol("v")
Case = tuple[Expr, Sequence[Symbol], Sequence[object]]
"""A formula, its arguments, and their values."""

ULPS = 2.0  # V8 has fdlibm's functions, which claim an error below 1 ulp, and pow, log2, log10 of its own
ARITHMETIC = Kinds(functions=("abs", "sign", "relu", "max", "min", "huber", "sqrt"), free_exponents=False)


def source(expr: Expr, symbols: Sequence[Symbol]) -> str:
    names = {symbol: f"a[{place}]" for place, symbol in enumerate(symbols)}
    body, (value,) = function_body([expr], names)
    return f"(a) => {{{body}return {value};}}"


def by_node(cases: Sequence[Case]) -> list[float]:
    """Each formula at its values."""
    functions = list(dict.fromkeys(source(expr, symbols) for expr, symbols, _ in cases))
    place = {text: number for number, text in enumerate(functions)}
    script = (
        f'import {{ {", ".join(RUNTIME)} }} from "./engine/arithmetic.js";\n'
        f"const functions = [{','.join(functions)}];\n"
        "answer(data.map(([place, values]) => functions[place](values)));"
    )
    asked = [[place[source(expr, symbols)], list(values)] for expr, symbols, values in cases]
    return [float(value) for value in page_node.run(script, asked)]


def by_python(case: Case) -> float:
    expr, symbols, values = case
    return emit_python.compile_function([expr], symbols)(*values)[0]


def bits(value: float) -> bytes:
    return b"nan" if value != value else struct.pack("<d", value)


def drawn(kinds: Kinds, values: object, count: settings, depth: int = 3) -> list[tuple[Expr, Point]]:
    """Random formulas with random values for their symbols."""
    found: list[tuple[Expr, Point]] = []

    @given(trees(kinds, depth), values)  # type: ignore[arg-type]
    @count
    def collect(expr: Expr, point: Point) -> None:
        found.append((expr, point))

    collect()
    return found


def cases_of(found: Sequence[tuple[Expr, Point]]) -> list[Case]:
    return [(expr, ARGUMENTS, point.arguments) for expr, point in found]


# ---------------------------------------------------------------------------------------- digits


def test_every_function_is_right_to_a_few_units_in_the_last_place() -> None:
    asked = [(function, float(x)) for function in UNARY for x in arguments_of(function)]
    computed = by_node([(Call(function, (W,)), [W], [x]) for function, x in asked])
    for (function, x), y in zip(asked, computed, strict=True):
        bound = EXACT.get(function, 0.5 if function == "sqrt" else ULPS + COMPOSED.get(function, 0.0))
        error = error_in_ulps(y, real(function, x))
        assert error <= bound, f"{function}({x!r}) = {y!r}: {error} ulp"


def test_special_values_of_functions() -> None:
    asked = [(function, x, y) for function in UNARY for x, y in [*SPECIAL[function], (NAN, NAN)]]
    computed = by_node([(Call(function, (W,)), [W], [x]) for function, x, _ in asked])
    for (function, x, expected), y in zip(asked, computed, strict=True):
        assert same(y, expected), (function, x, y, expected)


def test_special_values_of_functions_of_two_arguments() -> None:
    asked = [(function, *values) for function in BINARY for values in SPECIAL_OF_TWO[function]]
    computed = by_node([(Call(function, (W, V)), [W, V], [x, y]) for function, x, y, _ in asked])
    for (function, x, y, expected), value in zip(asked, computed, strict=True):
        assert same(value, expected), (function, x, y, value, expected)


def test_special_values_of_operations() -> None:
    computed = by_node([(special_tree(text), [W, V], [w, v]) for text, w, v, _ in SPECIAL_FORMULAS])
    for (text, w, v, expected), value in zip(SPECIAL_FORMULAS, computed, strict=True):
        assert same(value, expected), (text, w, v, value, expected)


def test_powers_of_one_are_one_whatever_the_exponent() -> None:
    """IEEE 754 says so; Math.pow alone gives NaN."""
    values = [(1.0, NAN), (1.0, INF), (1.0, -INF), (-1.0, INF), (-1.0, -INF)]
    cases: list[Case] = [(parse("w^v"), [W, V], pair) for pair in values]
    assert by_node(cases) == [1.0] * 5
    assert [by_python(case) for case in cases] == [1.0] * 5


# --------------------------------------------------------------------------------- random formulas


def test_random_formulas_are_within_the_running_error_bound() -> None:
    found = drawn(EVERYTHING, points(), examples(400))
    computed = by_node(cases_of(found))
    for (expr, point), value in zip(found, computed, strict=True):
        try:
            expected = bounded(expr, point.names, point.rows)
        except Unbounded:
            continue
        assert math.isfinite(value)
        assert agrees(value, expected), (expr, point, value, expected)


def test_arithmetic_has_the_bits_of_python() -> None:
    """Sums, products, quotients, roots, small powers, choices, sums over rows, at any doubles."""
    found = [
        (expr, point)
        for expr, point in drawn(ARITHMETIC, points(ANY_FLOAT), examples(600), 4)
        if all(step.operation != "pow" for step in lower([expr]).instructions)
    ]
    cases = cases_of(found)
    for case, value in zip(cases, by_node(cases), strict=True):
        assert bits(value) == bits(by_python(case)), case


def test_javascript_and_python_agree_on_what_is_not_finite() -> None:
    """One operation at any doubles (deeper, a rounding may tip the balance)."""
    cases = cases_of(drawn(SCALAR, points(ANY_FLOAT), examples(800), 1))
    for case, value in zip(cases, by_node(cases), strict=True):
        expected = by_python(case)
        if not (math.isfinite(value) and math.isfinite(expected)):
            assert bits(value) == bits(expected), case


def test_rows_are_added_one_after_the_other_from_zero() -> None:
    """1 + 2⁻⁵³ + 2⁻⁵³ is 1 from the left and 1 + 2⁻⁵² from the right; a sum of −0 is 0."""
    total = parse("sum(x)", columns=COLUMN_NAMES)
    column = [COLUMNS[0]]
    computed = by_node([(total, column, [[1.0, 2.0**-53, 2.0**-53]]), (total, column, [[-0.0, -0.0]])])
    assert list(map(bits, computed)) == [bits(1.0), bits(0.0)]


def test_a_choice_is_not_poisoned_by_the_branch_not_taken() -> None:
    cases: list[Case] = [
        (parse("where(w > 0, log(w), w)"), [W], [-2.0]),
        (parse("w*where(v > 0, 1/v, 0)"), [W, V], [3.0, 0.0]),
    ]
    assert by_node(cases) == [-2.0, 0.0]


# ------------------------------------------------------------------------------------------ source


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction("0.1"), "0.1"),
        (Fraction(1, 3), "0.3333333333333333"),
        (Fraction(10**400 + 1, 3 * 10**400), "0.3333333333333333"),
        (Fraction(-3), "(-3)"),
        (Fraction(-1, 2), "(-0.5)"),
        (Fraction(10) ** 400, "Infinity"),
        (-(Fraction(10) ** 400), "(-Infinity)"),
        (Fraction(1, 10**400), "0"),
        (Fraction(2**53 + 1), "9007199254740992"),
        (Fraction(10) ** 22, "1e+22"),
    ],
)
def test_rationals_are_rounded_once(value: Fraction, text: str) -> None:
    assert number(value) == text


def test_constants_are_the_nearest_doubles() -> None:
    assert by_node([(Constant("pi"), [W], [0.0]), (Constant("e"), [W], [0.0])]) == [math.pi, math.e]


def test_two_minus_signs_never_meet() -> None:
    """``a--b`` would be a syntax error, and ``-1**2`` another one."""
    formulas = ["w - (-3)", "w - (-v)", "-(-w) - -v", "(-3)^2 - (-3)", "-w^2 - (-w)*(-v)", "w + -1*v - -2"]
    cases: list[Case] = [(parse(text), [W, V], [1.5, -2.5]) for text in formulas]
    cases += [(Number(Fraction(-3)), [W], [0.0])]
    assert by_node(cases) == [by_python(case) for case in cases]


@pytest.mark.parametrize("name", ["eval", "constructor", "a b", "Math", "t1", "rows", "power", "</script>"])
def test_no_name_of_a_user_reaches_generated_source(name: str) -> None:
    sources = [source(Call("exp", (Symbol(text),)), [Symbol(text)]) for text in ("w", name)]
    assert sources[0] == sources[1]


def test_a_long_sum_is_cut_into_statements() -> None:
    expr = parse(" + ".join(["w"] + [f"{n}*w*v" for n in range(2, 90)]))
    lines, _ = statements(lower([expr]), {W: "w", V: "v"})
    assert len(lines) > 1
    case: Case = (expr, [W, V], [0.1, 0.7])
    assert by_node([case]) == [by_python(case)]


def test_sums_over_a_mini_batch_are_scaled_and_means_are_not() -> None:
    names = {W: "w", COLUMNS[0]: "d"}
    body, _ = function_body([parse("sum(w*x) + mean(x)", columns=COLUMN_NAMES)], names, row_scale="scale")
    assert body.count("*=scale") == 1
    assert body.count("/=rows") == 1
