"""Elementary functions without a branch, so that a compiler computes several lanes at once.

Each function here is written in operations of IEEE 754 that are rounded once (+, −, ×, ÷, √, the fused
multiply-add) and in integer operations on the bits of a double. Nothing in it depends on the neighbours, and
vector and scalar code give the same bits. The generated source of the fast engine takes the text of these
functions (:func:`source`); as Python they run too, slowly, with the stand-ins below.

Method: the argument is reduced with a constant in two or three parts (W. J. Cody and W. Waite, Software
Manual for the Elementary Functions, 1980; with fused multiply-adds the first difference is exact: J.-M.
Muller, Elementary Functions, 3rd ed. 2016, §11.2, doi:10.1007/978-1-4899-7983-4), then a polynomial found by
Remez' exchange for the relative error stands for the function, then the reduction is undone. The measured
errors stand in docs/backends.md and are asserted against 50-digit values in the tests.
"""

from __future__ import annotations

import ast
import math
import struct
from fractions import Fraction
from functools import cache
from math import sqrt
from pathlib import Path

MAGIC = 6755399441055744.0  # 1.5·2^52: a sum with it is rounded to a whole number, held in its last bits
MAGIC_BITS = 4843621399236968448
LARGEST_ANGLE = 1073741824.0  # 2^30: beyond it sin, cos and tan are left to the C library


def fma(x: float, y: float, z: float) -> float:
    """x·y + z rounded once: the stand-in for the machine's instruction.

    >>> fma(0.1, 10.0, -1.0)
    5.551115123125783e-17
    """
    if not all(map(math.isfinite, (x, y, z))):
        return x * y + z
    exact = Fraction(x) * Fraction(y) + Fraction(z)
    try:
        return float(exact) if exact else x * y + z
    except OverflowError:
        return math.copysign(math.inf, exact)


def select(condition: bool, then: float, otherwise: float) -> float:
    """``then`` where the condition holds, else ``otherwise``."""
    return then if condition else otherwise


def bits(x: float) -> int:
    """The 64 bits of a double as a whole number.

    >>> hex(bits(1.0))
    '0x3ff0000000000000'
    """
    word: int = struct.unpack("<q", struct.pack("<d", x))[0]
    return word


def from_bits(word: int) -> float:
    """The double with these 64 bits; what stands above them is dropped."""
    word &= 0xFFFFFFFFFFFFFFFF
    value: float = struct.unpack("<d", struct.pack("<Q", word))[0]
    return value


# -- exponentials ---------------------------------------------------------------------------------


def exp_of_reduced(r: float) -> float:
    """e^r for |r| ≤ log(2)/2, a polynomial of degree 11 in pairs and fours, so that few wait for others.

    Source: G. Estrin, Organization of computer systems (1960), doi:10.1145/1460361.1460365.
    """
    z = r * r
    four = z * z
    low = fma(
        fma(r, 0.00833333333349556, 0.041666666666529184), z, fma(r, 0.1666666666666641, 0.5000000000000011)
    )
    high = fma(
        fma(r, 2.7557587256957847e-06, 2.480149276170725e-05), z,
        fma(r, 0.00019841269504878626, 0.0013888888943923625),
    )  # fmt: skip
    high = fma(fma(r, 2.4999988775310957e-08, 2.7630379039924463e-07), four, high)
    return 1.0 + fma(z, fma(high, four, low), r)


def scaled_exp(x: float, halvings: int) -> float:
    """exp(x)/2^halvings: e^x = 2^k·e^r with |r| ≤ log(2)/2, for every x; cost about 25 operations.

    >>> scaled_exp(0.0, 1), scaled_exp(710.0, 1) < math.inf
    (0.5, True)
    """
    y = select(x < 711.0, x, 711.0)
    y = select(y > -747.0, y, -747.0)
    t = fma(y, 1.4426950408889634, MAGIC)
    k = t - MAGIC
    r = fma(-k, 0.6931471805599453, y)
    r = fma(-k, 2.3190468138462996e-17, r)
    p = exp_of_reduced(r)
    n = bits(t) - MAGIC_BITS - halvings
    first = n >> 1  # two factors, since 2^n itself may be too large or too small for a double
    value = (p * from_bits((first + 1023) << 52)) * from_bits((n - first + 1023) << 52)
    return select(x == x, value, x)


def falling_exp(x: float) -> float:
    """2^60·e^x for x ≤ 0, a double also where e^x is subnormal; cost about 20 operations.

    >>> falling_exp(-1.0) * 2.0**-60, falling_exp(-math.inf) * 2.0**-60
    (0.36787944117144233, 0.0)
    """
    y = select(x < -747.0, -747.0, x)  # nan stays, and makes all of this nan
    t = fma(y, 1.4426950408889634, MAGIC)
    k = t - MAGIC
    r = fma(-k, 0.6931471805599453, y)
    r = fma(-k, 2.3190468138462996e-17, r)
    return exp_of_reduced(r) * from_bits((bits(t) - MAGIC_BITS + 1083) << 52)


def exp(x: float) -> float:
    """e to the power x, for every x: inf above 709.78, subnormal and 0 below −708.4.

    >>> exp(1.0), exp(-1000.0), exp(1000.0)
    (2.7182818284590455, 0.0, inf)
    """
    return scaled_exp(x, 0)


def expm1(x: float) -> float:
    """e^x − 1 without cancellation: 2^k·(e^r − 1) + (2^k − 1); cost about 25 operations.

    >>> expm1(1e-10)
    1.00000000005e-10
    """
    y = select(x < 710.0, x, 710.0)
    y = select(y > -40.0, y, -40.0)
    t = fma(y, 1.4426950408889634, MAGIC)
    k = t - MAGIC
    r = fma(-k, 0.6931471805599453, y)
    r = fma(-k, 2.3190468138462996e-17, r)
    p = fma(r, 2.0875327164187673e-09, 2.5109081680868528e-08)
    p = fma(p, r, 2.7557402939307684e-07)
    p = fma(p, r, 2.7557244103396475e-06)
    p = fma(p, r, 2.4801587171856118e-05)
    p = fma(p, r, 0.00019841269886208715)
    p = fma(p, r, 0.0013888888888962882)
    p = fma(p, r, 0.008333333333321606)
    p = fma(p, r, 0.041666666666666505)
    p = fma(p, r, 0.16666666666666677)
    p = fma(p, r, 0.5)
    p = fma(r * r, p, r)
    half = from_bits((bits(t) - MAGIC_BITS + 1022) << 52)  # 2^(k−1), a double where 2^k is not
    value = 2.0 * fma(half, p, half - 0.5)
    value = select(abs(x) < 1e-17, x, value)
    return select(x == x, value, x)


def sinh(x: float) -> float:
    """(e^x − e^−x)/2, from e^x − 1 below 1; cost about 60 operations.

    >>> sinh(-1e-20), sinh(710.0) < math.inf
    (-1e-20, True)
    """
    size = abs(x)
    less = expm1(size)
    grown = scaled_exp(size, 1)
    value = select(size < 1.0, 0.5 * (less + less / (less + 1.0)), grown - 0.25 / grown)
    return select(x < 0.0, -value, select(x == 0.0, x, value))


def cosh(x: float) -> float:
    """(e^x + e^−x)/2; cost about 30 operations.

    >>> cosh(0.0)
    1.0
    """
    grown = scaled_exp(abs(x), 1)
    return grown + 0.25 / grown


def tanh(x: float) -> float:
    """(e^2x − 1)/(e^2x + 1), from e^2x − 1; cost about 30 operations.

    >>> tanh(-1000.0), tanh(1e-300)
    (-1.0, 1e-300)
    """
    y = 2.0 * x
    less = expm1(select(y > 50.0, 50.0, y))
    return less / (less + 2.0)


def sigmoid(x: float) -> float:
    """1/(1 + e^−x) as 2^−60/(2^−60 + 2^−60·e^−x), which overflows nowhere; cost about 20 operations.

    >>> sigmoid(0.0), sigmoid(-800.0) == 0.0
    (0.5, True)
    """
    y = select(x > 667.0, 667.0, x)
    y = select(y < -747.0, -747.0, y)
    t = fma(y, -1.4426950408889634, 6755399441056707.0)  # the last bits hold the exponent of 2^(k − 60)
    k = t - 6755399441056707.0
    r = fma(-k, 0.6931471805599453, -y)
    r = fma(-k, 2.3190468138462996e-17, r)
    grown = fma(exp_of_reduced(r), from_bits(bits(t) << 52), 8.673617379884035e-19)
    return 8.673617379884035e-19 / grown


# -- logarithms -----------------------------------------------------------------------------------


def log(x: float) -> float:
    """The natural logarithm: x = 2^e·(1 + f), log(1 + f) from s = f/(2 + f); cost about 35 operations.

    >>> log(1.0), log(0.0), log(math.e)
    (0.0, -inf, 1.0)
    """
    tiny = x < 2.2250738585072014e-308
    scaled = select(tiny, x * 18014398509481984.0, x)  # subnormal: 2^54 makes it normal
    word = bits(scaled) - 4604544271217802189  # the bits of √½
    e = from_bits(MAGIC_BITS + (word >> 52)) - MAGIC
    e = select(tiny, e - 54.0, e)
    f = from_bits((word & 4503599627370495) + 4604544271217802189) - 1.0
    s = f / (2.0 + f)
    z = s * s
    p = fma(z, 0.1479594996943041, 0.1531405064296214)
    p = fma(p, z, 0.18183564317587508)
    p = fma(p, z, 0.22222198573451618)
    p = fma(p, z, 0.28571428742383914)
    p = fma(p, z, 0.39999999999414704)
    p = fma(p, z, 0.6666666666666734)
    half = 0.5 * f * f
    rest = half - fma(s, fma(z, p, half), e * 2.3190468138462996e-17)
    value = fma(e, 0.6931471805599453, f - rest)
    value = select(x < math.inf, value, x)  # inf and nan
    value = select(x == 0.0, -math.inf, value)
    return select(x < 0.0, math.nan, value)


def softplus(x: float) -> float:
    """log(1 + e^x) = max(x, 0) + log1p(e^−|x|), with log1p(u) = 2·artanh(u/(2 + u)); about 40 operations.

    >>> softplus(0.0) == math.log(2.0), softplus(1000.0)
    (True, 1000.0)
    """
    u = falling_exp(-abs(x)) * 8.673617379884035e-19
    s = u / (2.0 + u)
    z = s * s
    p = fma(z, 0.1646765564631168, 0.06994235521013122)
    p = fma(p, z, 0.10972569434209364)
    p = fma(p, z, 0.11715950350095017)
    p = fma(p, z, 0.13336805840909569)
    p = fma(p, z, 0.1538445193133415)
    p = fma(p, z, 0.18181823202933145)
    p = fma(p, z, 0.22222222125470764)
    p = fma(p, z, 0.28571428572510016)
    p = fma(p, z, 0.3999999999999398)
    p = fma(p, z, 0.6666666666666667)
    return select(x > 0.0, x, 0.0) + fma(s * z, p, 2.0 * s)


# -- angles ---------------------------------------------------------------------------------------


def sine_of_reduced(r: float) -> float:
    """sin(r) for |r| ≤ π/2, an odd polynomial of degree 17."""
    z = r * r
    p = fma(z, 2.721084434032425e-15, -7.642983060215164e-13)
    p = fma(p, z, 1.6058939388709893e-10)
    p = fma(p, z, -2.5052106866630427e-08)
    p = fma(p, z, 2.7557319211071427e-06)
    p = fma(p, z, -0.00019841269841208844)
    p = fma(p, z, 0.008333333333333193)
    p = fma(p, z, -0.16666666666666666)
    return r * fma(p, z, 1.0)


def sin(x: float) -> float:
    """The sine for |x| ≤ 2^30, reduced by multiples of π; cost about 20 operations.

    >>> sin(0.5) == math.sin(0.5), sin(-0.0)
    (True, -0.0)
    """
    t = fma(x, 0.3183098861837907, MAGIC)
    k = t - MAGIC
    r = fma(-k, 3.141592653589793, x)
    r = fma(-k, 1.224646799147353e-16, r)
    r = fma(-k, 2.165713347843828e-32, r)
    return sine_of_reduced(from_bits(bits(r) ^ (bits(t) << 63)))  # minus where k is odd


def cos(x: float) -> float:
    """The cosine for |x| ≤ 2^30, reduced by odd multiples of π/2; cost about 20 operations.

    >>> cos(0.0), abs(cos(math.pi / 2) - 6.123233995736766e-17) < 1e-31
    (1.0, True)
    """
    t = fma(x, 0.3183098861837907, -0.5) + MAGIC
    k = (t - MAGIC) + 0.5
    r = fma(-k, 3.141592653589793, x)
    r = fma(-k, 1.224646799147353e-16, r)
    r = fma(-k, 2.165713347843828e-32, r)
    return sine_of_reduced(from_bits(bits(r) ^ ((bits(t) + 1) << 63)))  # minus where k is even


def tan(x: float) -> float:
    """The tangent for |x| ≤ 2^30, sine over cosine; cost about 45 operations.

    >>> tan(0.0)
    0.0
    """
    return sin(x) / cos(x)


# -- noise ------------------------------------------------------------------------------------------


def gaussian(
    step: float, seed_low: float, seed_high: float, key_low: float, key_high: float, weight: int
) -> float:
    """A standard normal number, that of :func:`gdsim.noise.gaussian` but for rounding.

    Seed and run key come in their two halves of 32 bits, as numbers; cost about 200 operations.

    >>> from gdsim import noise
    >>> abs(gaussian(7.0, 3.0, 0.0, 1.0, 0.0, 2) - float(noise.gaussian(3, 1, 7, 2))) < 1e-14
    True
    """
    low = 4294967295
    a, b, c, d = int(step), weight, int(key_low), int(key_high)
    first, second = int(seed_low), int(seed_high)
    for _ in range(10):
        one = a * 3528531795
        two = c * 3449720151
        a, b, c, d = (
            ((two >> 32) & low) ^ b ^ first, two & low, ((one >> 32) & low) ^ d ^ second, one & low
        )  # fmt: skip
        first = (first + 2654435769) & low
        second = (second + 3144134277) & low
    u = ((a >> 5) * 67108864 + (b >> 6)) * 1.1102230246251565e-16
    v = ((c >> 5) * 67108864 + (d >> 6)) * 1.1102230246251565e-16
    return sqrt(-2.0 * log(1.0 - u)) * cos(6.283185307179586 * v)


# -- lengths --------------------------------------------------------------------------------------


def hypot(x: float, y: float) -> float:
    """√(x² + y²) to 2 ulp, without overflow on the way; inf where either is infinite.

    >>> hypot(3.0, 4.0), hypot(1e300, 0.0), hypot(0.0, 0.0)
    (5.0, 1e+300, 0.0)
    """
    large = select(abs(x) > abs(y), abs(x), abs(y))
    ratio = select(abs(x) > abs(y), abs(y), abs(x)) / select(large == 0.0, 1.0, large)
    value = large * sqrt(fma(ratio, ratio, 1.0))
    value = select(x == x, select(y == y, value, y), x)
    return select((abs(x) == math.inf) | (abs(y) == math.inf), math.inf, value)


# -- exact in their last bit ------------------------------------------------------------------------


def spacing(x: float) -> float:
    """The distance from x ≥ 0 to the next larger double; nan for inf.

    >>> spacing(1.0), spacing(0.0)
    (2.220446049250313e-16, 5e-324)
    """
    return from_bits(bits(x) + 1) - x


def power_of_two(x: float) -> float:
    """The power of two nearest to x ≥ 0 in its logarithm: x = 2^e·(1 + f) with √½ ≤ 1 + f < √2 gives 2^e.

    >>> power_of_two(0.7), power_of_two(0.71), power_of_two(0.0), power_of_two(5e-324)
    (0.5, 1.0, 0.0, 5e-324)
    """
    tiny = x < 2.2250738585072014e-308
    scaled = select(tiny, x * 18014398509481984.0, x)  # subnormal: 2^54 makes it normal
    e = (bits(scaled) - 4604544271217802189) >> 52  # the bits of √½
    value = from_bits((e + 1023) << 52) * select(tiny, 5.551115123125783e-17, 1.0)
    return select(x == x, value, x)


# -- the text for generated source ----------------------------------------------------------------

FUNCTIONS = ("exp", "log", "sin", "cos", "tan", "sinh", "cosh", "tanh", "sigmoid", "softplus")
OTHERS = ("gaussian", "hypot", "spacing", "power_of_two")
_PARTS = ("exp_of_reduced", "scaled_exp", "falling_exp", "expm1", "sine_of_reduced")
ANGLES = ("sin", "cos", "tan")  # right up to LARGEST_ANGLE


def source(names: set[str]) -> list[str]:
    """Return the lines of these functions and of those that they call, callees first.

    >>> [line for line in source({"exp"}) if line.startswith("def ")]
    ['def exp_of_reduced(r):', 'def scaled_exp(x, halvings):', 'def exp(x):']
    """
    known, constants = _definitions()
    needed: set[str] = set()
    open_ = [*names]
    while open_:
        name = open_.pop()
        if name in known and name not in needed:
            needed.add(name)
            open_ += [node.id for node in ast.walk(known[name]) if isinstance(node, ast.Name)]
    lines = [f"{name} = {value!r}" for name, value in constants.items()]
    for name, definition in known.items():
        if name in needed:
            lines += ["", "@inlined", *ast.unparse(definition).splitlines()]
    return lines


@cache
def _definitions() -> tuple[dict[str, ast.FunctionDef], dict[str, float]]:
    """The functions of this module in order, without docstrings and types, and its numbers."""
    known: dict[str, ast.FunctionDef] = {}
    for node in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name in (*FUNCTIONS, *OTHERS, *_PARTS):
            node.body, node.returns = node.body[1:], None
            for argument in node.args.args:
                argument.annotation = None
            known[node.name] = node
    return known, {"MAGIC": MAGIC, "MAGIC_BITS": MAGIC_BITS, "LARGEST_ANGLE": LARGEST_ANGLE}


__all__ = [
    *FUNCTIONS,
    "ANGLES",
    "FUNCTIONS",
    "OTHERS",
    "LARGEST_ANGLE",
    "bits",
    "fma",
    "from_bits",
    "select",
    "source",
]
