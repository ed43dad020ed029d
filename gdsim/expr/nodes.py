"""The immutable expression tree.

A formula is built from exact rationals, the constants pi and e, symbols, sums, products,
quotients, powers, functions, one-comparison choices and reductions over data rows. The tree keeps
what was written: ``a - b`` is ``Add((a, Negate(b)))``, ``a*(b*c)`` stays nested.

Nodes compare and hash by structure; the hash is computed once. Trees are shared freely, never
changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

Role = Literal["weight", "parameter", "column"]
ComparisonOperator = Literal["<", "<=", ">", ">=", "==", "!="]
ReductionKind = Literal["mean", "sum"]


class Expr:
    """A node of the tree. Every node is one of the final classes below."""

    __slots__ = ("_hash",)

    _hash: int

    @property
    def children(self) -> tuple[Expr, ...]:
        """The sub-expressions, left to right."""
        return ()

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        """Return the same node over other children."""
        return self

    def _key(self) -> tuple[object, ...]:
        raise AssertionError("every final node states its key")

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        return hash(self) == hash(other) and self._key() == other._key()

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            value = hash((type(self).__name__, *self._key()))
            object.__setattr__(self, "_hash", value)
            return value


@dataclass(frozen=True, eq=False, slots=True)
class Number(Expr):
    """An exact rational; a decimal in a formula is exactly the decimal that was written."""

    value: Fraction

    def _key(self) -> tuple[object, ...]:
        return (self.value,)


@dataclass(frozen=True, eq=False, slots=True)
class Constant(Expr):
    """``pi`` or ``e``, kept by name so that every back-end rounds it by itself."""

    name: Literal["pi", "e"]

    def _key(self) -> tuple[object, ...]:
        return (self.name,)


@dataclass(frozen=True, eq=False, slots=True)
class Symbol(Expr):
    """A weight, a parameter of the loss, or a data column."""

    name: str
    role: Role = "weight"

    def _key(self) -> tuple[object, ...]:
        return (self.name, self.role)


@dataclass(frozen=True, eq=False, slots=True)
class Add(Expr):
    """A sum of two or more terms, added left to right."""

    terms: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.terms

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Add(children)

    def _key(self) -> tuple[object, ...]:
        return self.terms


@dataclass(frozen=True, eq=False, slots=True)
class Multiply(Expr):
    """A product of two or more factors, multiplied left to right."""

    factors: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.factors

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Multiply(children)

    def _key(self) -> tuple[object, ...]:
        return self.factors


@dataclass(frozen=True, eq=False, slots=True)
class Divide(Expr):
    """A quotient."""

    numerator: Expr
    denominator: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.numerator, self.denominator)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Divide(*children)

    def _key(self) -> tuple[object, ...]:
        return (self.numerator, self.denominator)


@dataclass(frozen=True, eq=False, slots=True)
class Power(Expr):
    """A power; neither base nor exponent need be constant."""

    base: Expr
    exponent: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Power(*children)

    def _key(self) -> tuple[object, ...]:
        return (self.base, self.exponent)


@dataclass(frozen=True, eq=False, slots=True)
class Negate(Expr):
    """Unary minus."""

    operand: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.operand,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Negate(*children)

    def _key(self) -> tuple[object, ...]:
        return (self.operand,)


@dataclass(frozen=True, eq=False, slots=True)
class Call(Expr):
    """A function from the list in ``functions.FUNCTIONS`` applied to its arguments."""

    function: str
    arguments: tuple[Expr, ...]

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.arguments

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Call(self.function, children)

    def _key(self) -> tuple[object, ...]:
        return (self.function, *self.arguments)


@dataclass(frozen=True, eq=False, slots=True)
class Compare(Expr):
    """One comparison; it stands only as the condition of a ``Where``."""

    operator: ComparisonOperator
    left: Expr
    right: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Compare(self.operator, *children)

    def _key(self) -> tuple[object, ...]:
        return (self.operator, self.left, self.right)


@dataclass(frozen=True, eq=False, slots=True)
class Where(Expr):
    """``where(condition, then, otherwise)``; the branch not taken never poisons the result."""

    condition: Compare
    then: Expr
    otherwise: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.condition, self.then, self.otherwise)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        condition, then, otherwise = children
        assert isinstance(condition, Compare)
        return Where(condition, then, otherwise)

    def _key(self) -> tuple[object, ...]:
        return (self.condition, self.then, self.otherwise)


@dataclass(frozen=True, eq=False, slots=True)
class Reduce(Expr):
    """``mean(body)`` or ``sum(body)`` over the rows of the data. Reductions do not nest."""

    kind: ReductionKind
    body: Expr

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Reduce(self.kind, *children)

    def _key(self) -> tuple[object, ...]:
        return (self.kind, self.body)


ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))
TWO = Number(Fraction(2))


def number(value: int | Fraction | str) -> Number:
    """Return the exact rational as a node.

    >>> number("0.1").value
    Fraction(1, 10)
    """
    return Number(Fraction(value))


def walk(expr: Expr) -> Iterator[Expr]:
    """Yield every distinct node once, children before parents. Cost: linear in distinct nodes."""
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(expr, False)]
    while stack:
        node, expanded = stack.pop()
        if node in seen:
            continue
        if expanded:
            seen.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))


def symbols(expr: Expr, role: Role | None = None) -> tuple[str, ...]:
    """Return the names of the symbols (of one role), in order of first appearance.

    >>> symbols(Add((Symbol("w"), Symbol("a", "parameter"), Symbol("w"))), "weight")
    ('w',)
    """
    names: dict[str, None] = {}
    for node in walk(expr):
        if isinstance(node, Symbol) and (role is None or node.role == role):
            names.setdefault(node.name)
    return tuple(names)


def contains_weight(expr: Expr, name: str) -> bool:
    """Tell whether the weight of that name occurs in the expression."""
    target = Symbol(name)
    return any(node == target for node in walk(expr))


def substitute(expr: Expr, values: dict[Expr, Expr]) -> Expr:
    """Return the expression with each key replaced by its value. Cost: linear in distinct nodes."""
    done: dict[Expr, Expr] = {}
    for node in walk(expr):
        if node in values:
            done[node] = values[node]
        elif node.children:
            done[node] = node.rebuild(tuple(done[child] for child in node.children))
        else:
            done[node] = node
    return done[expr]
