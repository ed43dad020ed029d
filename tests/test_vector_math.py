"""The branch-free functions against 50-digit values; the text that Numba compiles runs here as Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from mpmath_values import CONTEXT
from tiers import later

from gdsim import noise
from gdsim.kernels import vector_math

INF, NAN = math.inf, math.nan
LARGEST = 4.0  # units in the last place: what the engine promises
#: what was measured, rounded up: a change that loses digits is seen
MEASURED = {
    "exp": 1.0, "log": 1.0, "sin": 2.0, "cos": 2.0, "tan": 3.3,
    "sinh": 2.1, "cosh": 1.5, "tanh": 2.6, "sigmoid": 2.2, "softplus": 2.5,
}  # fmt: skip
EACH = pytest.mark.parametrize("name", vector_math.FUNCTIONS)
SIZES = pytest.mark.parametrize("count", [40, later(2000)])


def points(name: str, count: int) -> list[float]:
    """All magnitudes, dense where the function bends; for angles near their zeros up to the largest one."""
    draw = np.random.Generator(np.random.Philox(5))
    sizes = 10.0 ** draw.uniform(-300, 300, count)
    parts = [sizes, -sizes, draw.uniform(-30, 30, 3 * count), draw.uniform(-2, 2, 3 * count)]
    parts += [draw.uniform(-745, 710, count), 1.0 + np.ldexp(draw.uniform(-1, 1, count), -20)]
    if name in vector_math.ANGLES:
        limit = vector_math.LARGEST_ANGLE
        parts += [draw.uniform(-limit, limit, count)]
        parts += [np.round(draw.uniform(-top, top, count)) * (np.pi / 2) for top in (10.0, 1e4, 6e8)]
    found = np.concatenate(parts)
    if name in vector_math.ANGLES:
        found = found[np.abs(found) <= vector_math.LARGEST_ANGLE]
    return [float(x) for x in (np.abs(found) if name == "log" else found)]


def exact(name: str, x: float) -> CONTEXT.mpf:
    with CONTEXT.workdps(60):
        value = CONTEXT.mpf(x)
        match name:
            case "sigmoid":
                return 1 / (1 + CONTEXT.exp(-max(value, -2000)))
            case "softplus":
                return value if value > 2000 else CONTEXT.log1p(CONTEXT.exp(max(value, -2000)))
            case "exp" | "sinh" | "cosh":
                return getattr(CONTEXT, name)(min(max(value, -2000), 2000))
        return getattr(CONTEXT, name)(value)


def error(computed: float, expected: CONTEXT.mpf) -> float:
    """Units in the last place of the expected value; none where it rounds to the infinity that was found."""
    if abs(expected) >= CONTEXT.mpf(2) ** 1024:
        return 0.0 if computed == math.copysign(INF, expected) else INF
    return float(abs(CONTEXT.mpf(computed) - expected) / CONTEXT.mpf(math.ulp(float(expected))))


@EACH
@SIZES
def test_is_right_to_a_few_units_in_the_last_place(name: str, count: int) -> None:
    function = getattr(vector_math, name)
    errors = {x: error(function(x), exact(name, x)) for x in points(name, count)}
    worst = max(errors, key=errors.__getitem__)
    assert errors[worst] <= MEASURED[name] <= LARGEST, (worst, errors[worst])


SPECIAL: dict[str, list[tuple[float, float]]] = {
    "exp": [
        (0.0, 1.0),
        (-0.0, 1.0),
        (INF, INF),
        (-INF, 0.0),
        (710.0, INF),
        (-745.0, 5e-324),
        (-746.0, 0.0),
        (5e-324, 1.0),
    ],
    "log": [
        (0.0, -INF),
        (-0.0, -INF),
        (INF, INF),
        (-INF, NAN),
        (-1.0, NAN),
        (1.0, 0.0),
        (5e-324, -744.4400719213812),
    ],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (5e-324, 5e-324), (2.0**-1030, 2.0**-1030)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (5e-324, 1.0)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-5e-324, -5e-324)],
    "sinh": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -INF), (1000.0, INF), (5e-324, 5e-324)],
    "cosh": [(0.0, 1.0), (INF, INF), (-INF, INF), (-1000.0, INF), (5e-324, 1.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (1e300, 1.0), (-5e-324, -5e-324)],
    "sigmoid": [(0.0, 0.5), (INF, 1.0), (-INF, 0.0), (1e300, 1.0), (-1e300, 0.0), (5e-324, 0.5)],
    "softplus": [(INF, INF), (-INF, 0.0), (1e300, 1e300), (-1e300, 0.0), (0.0, math.log(2.0))],
}


@EACH
def test_special_values(name: str) -> None:
    """Pairs, since a dictionary takes 0.0 and −0.0 for one key."""
    function = getattr(vector_math, name)
    assert math.isnan(function(NAN))
    for x, expected in SPECIAL[name]:
        found = function(x)
        assert found == expected or (math.isnan(found) and math.isnan(expected)), (x, found)
        assert expected != 0.0 or math.copysign(1.0, found) == math.copysign(1.0, expected), (x, found)


def test_noise_is_that_of_the_other_engines() -> None:
    """Equal words, and ±3 ulp from each of logarithm, root, cosine and products."""
    for seed, key, step, weight in [(0, 0, 0, 0), (1, 2, 3, 1), (2**40 + 5, 2**35 + 7, 10**6, 3)]:
        expected = float(noise.gaussian(seed, key, step, weight))
        low, high = key % 2**32, (key >> 31) // 2 * 2 % 2**32
        words = (seed % 2**32, seed >> 32, low, high)
        found = vector_math.gaussian(float(step), *map(float, words), weight)
        assert found == pytest.approx(expected, rel=16 * 2**-52)


def test_the_source_has_neither_types_nor_docstrings() -> None:
    text = "\n".join(vector_math.source({"tan"}))
    assert "def sine_of_reduced(r):" in text
    assert '"""' not in text
    assert "def log(" not in text


@pytest.mark.integration
@EACH
def test_compiled_vector_code_has_the_bits_of_the_python_text(name: str) -> None:
    numba = pytest.importorskip("numba")
    from gdsim.kernels import fast_primitives

    space = {"math": math, "inlined": numba.njit(forceinline=True, error_model="numpy")}
    space |= {key: getattr(fast_primitives, key) for key in ("bits", "fma", "from_bits", "select")}
    exec("\n".join(vector_math.source({name})), space)
    lane = space[name]

    @numba.njit(error_model="numpy")
    def lanes(values, out):
        for place in range(64):
            out[place] = lane(values[place])

    given = np.resize([*points(name, 40), *(x for x, _ in SPECIAL[name]), NAN], (-(-600 // 64) * 64,)).astype(
        float
    )
    found = np.empty_like(given)
    for first in range(0, given.size, 64):
        lanes(given[first : first + 64], found[first : first + 64])
    expected = np.array([getattr(vector_math, name)(float(x)) for x in given])
    assert np.array_equal(found, expected, equal_nan=True)
    assert np.array_equal(np.signbit(found[expected == 0]), np.signbit(expected[expected == 0]))


@pytest.mark.parametrize("scale", [1.0, 1e-300, 2.0**-1060, 1e300])
def test_the_power_of_two_and_the_spacing_are_those_of_numpy(scale: float) -> None:
    for x in (scale * np.geomspace(1.0, 100.0, 200)).tolist():
        assert vector_math.power_of_two(x) == np.exp2(np.round(np.log2(x)))
        assert vector_math.spacing(x) == np.spacing(x)
    assert math.isnan(vector_math.power_of_two(math.nan))
    assert vector_math.power_of_two(math.inf) == math.inf


def test_a_length_is_right_to_two_units_and_overflows_only_where_it_is_too_large() -> None:
    random = np.random.Generator(np.random.Philox(5))
    for x, y in (random.standard_normal((500, 2)) * 10.0 ** random.integers(-300, 300, (500, 1))).tolist():
        assert abs(vector_math.hypot(x, y) - math.hypot(x, y)) <= 2.0**-51 * math.hypot(x, y)
    for x in (0.0, 1.0, math.inf, math.nan):
        for y in (0.0, -math.inf, math.nan):
            assert vector_math.hypot(x, y) == math.hypot(x, y) or math.isnan(x + y)
