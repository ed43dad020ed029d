"""One program for many outputs: shared where equal, the same whatever stands beside, nothing superfluous."""

from __future__ import annotations

import math
import re
import struct
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_trees import ANY_FLOAT, ARGUMENTS, Kinds, Point, points, trees
from tiers import examples

from gdsim.expr import lower as lowering
from gdsim.expr.display import to_text
from gdsim.expr.emit_python import compile_function
from gdsim.expr.horner import nested
from gdsim.expr.lower import Program, lower, rational_exponent
from gdsim.expr.nodes import (
    Add,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Number,
    Power,
    Symbol,
    written_size,
)
from gdsim.expr.parse import parse

W = Symbol("w")
DATA = frozenset({"x", "y"})


def operations(*texts: str) -> Counter[str]:
    """How often each operation stands in the program of some formulas, leaves left out."""
    program = lower([parse(text, parameters=frozenset({"a"}), columns=DATA) for text in texts])
    leaves = ("symbol", "number", "constant")
    return Counter(step.operation for step in program.instructions if step.operation not in leaves)


# ---------------------------------------------------------------------------------------- Horner's form


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("w^2 + 1", "w^2 + 1"),
        ("3*w^3 + w", "(3*w^2 + 1)*w"),
        ("u*v*w^2 + 2*w + 1", "(u*v*w + 2)*w + 1"),
        ("w^5 - 2*w^2", "(w^3 - 2)*w^2"),
        ("w^2 + w + u + v", "(w + 1)*w + u + v"),
        ("w^2 + w^0.5", "w^2 + w^(1/2)"),
        ("w^2 + sin(w)", "w^2 + sin(w)"),
        ("w^2", "w^2"),
    ],
)
def test_powers_of_a_weight_are_nested(formula: str, expected: str) -> None:
    assert to_text(nested(parse(formula), "w")) == expected


# ---------------------------------------------------------------------------------------- sharing


def test_a_subexpression_common_to_two_outputs_is_computed_once() -> None:
    assert operations("exp(w^2)", "3*exp(w^2)") == {"mul": 2, "exp": 1}


def test_equal_outputs_have_one_place() -> None:
    first, second = lower([parse("w + 1"), parse("1 + w")]).outputs
    assert first == second


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("w^2", "w^4", "w^8"), {"mul": 3}),
        (("w^3", "w^6"), {"mul": 3}),  # u², u²·u, (u³)²
        (("sqrt(w)", "w^0.5", "w^(1/2)"), {"sqrt": 1}),
        (("w^1.5", "w^(3/2)"), {"sqrt": 1, "mul": 1}),
    ],
)
def test_powers_share_their_squares_and_roots(texts: tuple[str, ...], expected: dict[str, int]) -> None:
    assert operations(*texts) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (("-(-w)",), {}),
        (("w", "-w"), {"neg": 1}),
        (("a - w", "a + (-w)", "-w + a"), {"sub": 1}),
        (("a + w", "a - (-w)"), {"add": 1}),
        (("a*w", "(-a)*(-w)"), {"mul": 1}),
        (("a/w", "(-a)/(-w)"), {"div": 1}),
        (("abs(w)", "abs(-w)"), {"abs": 1}),
        (("w^2", "(-w)^2"), {"mul": 1}),
        (("-2*w",), {"mul": 1}),
    ],
)
def test_a_minus_costs_nothing_where_it_can_be_absorbed(
    texts: tuple[str, ...], expected: dict[str, int]
) -> None:
    assert operations(*texts) == expected


def test_minus_zero_stays_minus_zero() -> None:
    assert compile_function([parse("1/(-0)")], [])() == (float("-inf"),)


def test_cost_is_linear_in_shared_nodes() -> None:
    """u ← u·u + u written out has 2⁶⁰ leaves."""
    expr: Expr = W
    for _ in range(60):
        expr = Add((Multiply((expr, expr)), expr))
    assert len(lower([expr]).instructions) == 121


def test_equal_trees_of_shared_nodes_are_soon_found_equal() -> None:
    """Written out, each has 2⁶¹ − 1 nodes."""
    one: Expr = W
    other: Expr = Symbol("w")
    for _ in range(60):
        one, other = Add((one, one)), Add((other, other))
    assert one == other
    assert written_size(one) == 2**61 - 1
    assert one != Add((one, other))


# ----------------------------------------------------------------------------------------- powers


@pytest.mark.parametrize("exponent", range(-8, 9))
def test_small_integer_powers_are_products(exponent: int) -> None:
    found = operations(f"w^({exponent})")
    assert set(found) <= {"mul", "div"}
    squarings_and_products = max(0, abs(exponent).bit_length() + abs(exponent).bit_count() - 2)
    assert found["mul"] == squarings_and_products
    assert found["div"] == (exponent < 0)


@pytest.mark.parametrize("exponent", ["9", "-9", "0.3", "1/3", "-2/3", "a", "17/2", "1/0"])
def test_other_powers_stay_powers(exponent: str) -> None:
    assert operations(f"w^({exponent})")["pow"] == 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("3", Fraction(3)),
        ("-3", Fraction(-3)),
        ("1/3", Fraction(1, 3)),
        ("-(1/2)", Fraction(-1, 2)),
        ("(-1)/2", Fraction(-1, 2)),
        ("0.25", Fraction(1, 4)),
        ("w", None),
        ("1/0", None),
        ("1/w", None),
        ("pi", None),
    ],
)
def test_exponents_are_read_as_written(text: str, value: Fraction | None) -> None:
    assert rational_exponent(parse(text)) == value


def test_the_exponent_of_a_power_is_one_number_rounded_once() -> None:
    program = lower([parse("w^(1/3)")])
    assert [step.payload for step in program.instructions] == [W, Fraction(1, 3), None]


# ------------------------------------------------------------------------------------------- rows


def test_what_does_not_depend_on_the_row_is_not_rowwise() -> None:
    program = lower([parse("mean((exp(w)*x - y)^2) + w", columns=DATA)])
    rowwise = [step.operation for step in program.instructions if step.rowwise]
    assert sorted(rowwise) == ["mul", "mul", "sub", "symbol", "symbol"]


def test_the_mean_of_an_invariant_is_the_invariant() -> None:
    assert operations("mean(exp(w))") == {"exp": 1}


def test_the_sum_of_an_invariant_is_a_product_with_the_rows() -> None:
    assert operations("sum(exp(w))") == {"exp": 1, "rows": 1, "mul": 1}


def test_a_program_says_whether_it_reads_rows() -> None:
    assert lower([parse("sum(w)", columns=DATA)]).reads_rows
    assert not lower([parse("mean(w)", columns=DATA)]).reads_rows


# ------------------------------------------------------------------------------- the whole program


def test_symbols_are_listed_in_the_order_of_reading() -> None:
    program = lower([parse("w*sum(x*a)", parameters=frozenset({"a"}), columns=DATA)])
    assert program.symbols == (W, Symbol("x", "column"), Symbol("a", "parameter"))


def test_what_no_output_needs_is_left_out() -> None:
    assert operations("w^(2 + 0*0)")["add"] == 1
    assert operations("w^(-(6/4))") == {"mul": 1, "sqrt": 1, "div": 1}  # the division 6/4 is gone


def documented() -> set[str]:
    """The operations in the table of the module's docstring."""
    table = (lowering.__doc__ or "").split("=\n")[1:-1]
    names: set[str] = set()
    for group in re.findall(r"``([a-z0-9\s]+)``", "".join(table)):
        names |= set(group.split())
    return names


@given(st.lists(trees(), min_size=1, max_size=3))
@examples(100)
def test_a_program_reads_only_what_came_before_and_uses_the_documented_operations(
    outputs: list[Expr],
) -> None:
    program = lower(outputs)
    known = documented()
    for place, step in enumerate(program.instructions):
        assert all(operand < place for operand in step.operands)
        assert step.operation in known
    assert len({(step.operation, step.operands, str(step.payload)) for step in program.instructions}) == len(
        program.instructions
    )
    assert all(uses > 0 for uses in program.uses())


def bits(value: float) -> bytes:
    return b"nan" if value != value else struct.pack("<d", value)


@given(st.lists(trees(), min_size=2, max_size=4), points(ANY_FLOAT))
@examples(150)
def test_a_value_has_the_same_bits_alone_and_beside_others(outputs: list[Expr], point: Point) -> None:
    """The kernels compute a loss now alone, now beside its gradient, and replay the one with the other."""
    together = compile_function(outputs, ARGUMENTS)(*point.arguments)
    alone = [compile_function([output], ARGUMENTS)(*point.arguments)[0] for output in outputs]
    assert list(map(bits, together)) == list(map(bits, alone))


def _interpret(program: Program, w: Fraction) -> list[Fraction]:
    arithmetic: dict[str, Callable[..., Fraction]] = {
        "add": lambda a, b: a + b,
        "sub": lambda a, b: a - b,
        "mul": lambda a, b: a * b,
        "div": lambda a, b: a / b,
        "neg": lambda a: -a,
    }
    values: list[Fraction] = []
    for step in program.instructions:
        if step.operation == "symbol":
            values.append(w)
        elif step.operation == "constant":
            values.append(_exact(Constant(step.payload), w))  # type: ignore[arg-type]
        elif isinstance(step.payload, Fraction):
            values.append(step.payload)
        else:
            values.append(arithmetic[step.operation](*(values[place] for place in step.operands)))
    return [values[place] for place in program.outputs]


def _exact(expr: Expr, w: Fraction) -> Fraction:
    """The tree's value by the definition of its nodes."""
    match expr:
        case Number(value):
            return value
        case Constant(name):
            return {"pi": Fraction(22, 7), "e": Fraction(19, 7)}[name]
        case Symbol():
            return w
        case Negate(operand):
            return -_exact(operand, w)
        case Divide(numerator, denominator):
            return _exact(numerator, w) / _exact(denominator, w)
        case Add(terms):
            return sum((_exact(term, w) for term in terms), Fraction(0))
        case Multiply(factors):
            return math.prod((_exact(factor, w) for factor in factors), start=Fraction(1))
    raise TypeError(expr)


RATIONAL = Kinds(functions=(), choices=False, powers=False, reductions=False, leaves=(W,))


@given(trees(RATIONAL, 4), st.fractions(-5, 5, max_denominator=9))
@examples(150)
def test_a_program_has_the_value_of_its_tree_in_exact_arithmetic(expr: Expr, w: Fraction) -> None:
    try:
        expected = _exact(expr, w)
    except ZeroDivisionError:
        with pytest.raises(ZeroDivisionError):
            _interpret(lower([expr]), w)
    else:
        assert _interpret(lower([expr]), w) == [expected]


@pytest.mark.parametrize("exponent", range(-8, 9))
def test_unrolled_powers_are_the_power_in_exact_arithmetic(exponent: int) -> None:
    program = lower([Power(W, Number(Fraction(exponent)))])
    assert _interpret(program, Fraction(-3, 7)) == [Fraction(-3, 7) ** exponent]
