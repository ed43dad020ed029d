"""What the generated lane code is built from: single machine instructions that Numba has no name for.

Only generated modules import this one, and with it Numba. Every function is exact or correctly rounded by
IEEE 754, so that the vector code for eight lanes and the scalar code for one give the same bits.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

_DOUBLE, _WORD = ir.DoubleType(), ir.IntType(64)


@intrinsic  # type: ignore[untyped-decorator]
def fma(typing: Any, x: Any, y: Any, z: Any) -> Any:
    """x·y + z, rounded once."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.fma(*arguments)

    return types.float64(types.float64, types.float64, types.float64), build


@intrinsic  # type: ignore[untyped-decorator]
def select(typing: Any, condition: Any, then: Any, otherwise: Any) -> Any:
    """The second operand where the condition holds, else the third; both are computed."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.select(*arguments)

    return types.float64(types.boolean, types.float64, types.float64), build


@intrinsic  # type: ignore[untyped-decorator]
def bits(typing: Any, x: Any) -> Any:
    """The 64 bits of a double as a whole number."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _WORD)

    return types.int64(types.float64), build


@intrinsic  # type: ignore[untyped-decorator]
def from_bits(typing: Any, word: Any) -> Any:
    """The double that has these 64 bits."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _DOUBLE)

    return types.float64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def flag(typing: Any, condition: Any, place: Any) -> Any:
    """A word with the one bit at this place set where the condition holds, else 0."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.shl(builder.zext(arguments[0], _WORD), arguments[1])

    return types.int64(types.boolean, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def lowest(typing: Any, word: Any) -> Any:
    """The place of the lowest bit that is set."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def claim(typing: Any, counter: Any, amount: Any) -> Any:
    """Add to the first number of an array as no other thread does at this moment; return what it was."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, arguments[0])
        return builder.atomic_rmw("add", array.data, arguments[1], "monotonic")

    return types.int64(counter, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def get(typing: Any, array: Any, place: Any) -> Any:
    """The number at a place of an array that is known to have it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        return builder.load(builder.gep(data, [arguments[1]], inbounds=True))

    return array.dtype(array, types.int64), build


@intrinsic  # type: ignore[untyped-decorator]
def put(typing: Any, array: Any, place: Any, value: Any) -> Any:
    """Store a number at a place of an array that is known to have it."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
        builder.store(arguments[2], builder.gep(data, [arguments[1]], inbounds=True))
        return context.get_dummy_value()

    return types.void(array, types.int64, array.dtype), build


@intrinsic  # type: ignore[untyped-decorator]
def wide(typing: Any) -> Any:
    """Let the compiler use the widest vectors there are in the function in which this stands."""

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return types.void(), build
