"""The immutable expression tree.

A formula is built from exact rationals, the constants pi and e, symbols, sums, products,
quotients, powers, functions, one-comparison choices and reductions over data rows. The tree keeps
what was written: ``a - b`` is ``Add((a, Negate(b)))``, ``a*(b*c)`` stays nested.

Nodes compare and hash by structure; the hash is computed once. Trees are shared freely, never
changed.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from fractions import Fraction
from typing import Literal, NoReturn, dataclass_transform

Role = Literal["weight", "parameter", "column"]
ComparisonOperator = Literal["<", "<=", ">", ">=", "==", "!="]
ReductionKind = Literal["mean", "sum"]


_set = object.__setattr__  # a node's own constructor and hash write; nothing else can


@dataclass_transform(eq_default=False, frozen_default=True)
class Expr:
    """A node of the tree. Every node is one of the final classes below.

    These are written out: to have ``dataclasses`` make them costs 4 % of a short run.
    """

    __slots__ = ("_hash",)
    __match_args__: tuple[str, ...] = ()

    _hash: int

    @property
    def children(self) -> tuple[Expr, ...]:
        """The sub-expressions, left to right."""
        return ()

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        """Return the same node over other children."""
        return self

    def _label(self) -> tuple[object, ...]:
        """What the node states beside its children."""
        return ()

    def __eq__(self, other: object) -> bool:
        """Compare by structure; parts that are shared are compared once."""
        if self is other:
            return True
        if type(self) is not type(other):
            return NotImplemented
        if not self.children:  # most of those that are compared
            return hash(self) == hash(other) and self._label() == other._label()
        pairs: list[tuple[Expr, Expr]] = [(self, other)]
        seen = set()
        for one, two in pairs:
            if one is two:
                continue
            if type(one) is not type(two) or hash(one) != hash(two) or one._label() != two._label():
                return False
            pair = (id(one), id(two))
            if pair not in seen:
                seen.add(pair)
                mine, theirs = one.children, two.children
                if len(mine) != len(theirs):
                    return False
                pairs.extend(zip(mine, theirs, strict=True))
        return True

    def __hash__(self) -> int:
        try:
            return self._hash
        except AttributeError:
            value = hash((type(self).__name__, *self._label(), *self.children))
            _set(self, "_hash", value)
            return value

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a node of the tree cannot be changed: {name}")

    def __reduce__(self) -> tuple[type[Expr], tuple[object, ...]]:
        return type(self), tuple(getattr(self, name) for name in self.__match_args__)

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__match_args__)
        return f"{type(self).__name__}({fields})"


class Number(Expr):
    """An exact rational; a decimal in a formula is exactly the decimal that was written."""

    __slots__ = __match_args__ = ("value",)

    value: Fraction

    def __init__(self, value: Fraction) -> None:
        _set(self, "value", value)

    def _label(self) -> tuple[object, ...]:
        return (self.value,)


class Constant(Expr):
    """``pi`` or ``e``, kept by name so that every back-end rounds it by itself."""

    __slots__ = __match_args__ = ("name",)

    name: Literal["pi", "e"]

    def __init__(self, name: Literal["pi", "e"]) -> None:
        _set(self, "name", name)

    def _label(self) -> tuple[object, ...]:
        return (self.name,)


class Symbol(Expr):
    """A weight, a parameter of the loss, or a data column."""

    __slots__ = __match_args__ = ("name", "role")

    name: str
    role: Role

    def __init__(self, name: str, role: Role = "weight") -> None:
        _set(self, "name", name)
        _set(self, "role", role)

    def _label(self) -> tuple[object, ...]:
        return (self.name, self.role)


class Add(Expr):
    """A sum of two or more terms, added left to right."""

    __slots__ = __match_args__ = ("terms",)

    terms: tuple[Expr, ...]

    def __init__(self, terms: tuple[Expr, ...]) -> None:
        _set(self, "terms", terms)

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.terms

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Add(children)


class Multiply(Expr):
    """A product of two or more factors, multiplied left to right."""

    __slots__ = __match_args__ = ("factors",)

    factors: tuple[Expr, ...]

    def __init__(self, factors: tuple[Expr, ...]) -> None:
        _set(self, "factors", factors)

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.factors

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Multiply(children)


class Divide(Expr):
    """A quotient."""

    __slots__ = __match_args__ = ("numerator", "denominator")

    numerator: Expr
    denominator: Expr

    def __init__(self, numerator: Expr, denominator: Expr) -> None:
        _set(self, "numerator", numerator)
        _set(self, "denominator", denominator)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.numerator, self.denominator)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Divide(*children)


class Power(Expr):
    """A power; neither base nor exponent need be constant."""

    __slots__ = __match_args__ = ("base", "exponent")

    base: Expr
    exponent: Expr

    def __init__(self, base: Expr, exponent: Expr) -> None:
        _set(self, "base", base)
        _set(self, "exponent", exponent)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.base, self.exponent)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Power(*children)


class Negate(Expr):
    """Unary minus."""

    __slots__ = __match_args__ = ("operand",)

    operand: Expr

    def __init__(self, operand: Expr) -> None:
        _set(self, "operand", operand)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.operand,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Negate(*children)


class Call(Expr):
    """A function from the list in ``functions.FUNCTIONS`` applied to its arguments."""

    __slots__ = __match_args__ = ("function", "arguments")

    function: str
    arguments: tuple[Expr, ...]

    def __init__(self, function: str, arguments: tuple[Expr, ...]) -> None:
        _set(self, "function", function)
        _set(self, "arguments", arguments)

    @property
    def children(self) -> tuple[Expr, ...]:
        return self.arguments

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Call(self.function, children)

    def _label(self) -> tuple[object, ...]:
        return (self.function,)


class Compare(Expr):
    """One comparison; it stands only as the condition of a ``Where``."""

    __slots__ = __match_args__ = ("operator", "left", "right")

    operator: ComparisonOperator
    left: Expr
    right: Expr

    def __init__(self, operator: ComparisonOperator, left: Expr, right: Expr) -> None:
        _set(self, "operator", operator)
        _set(self, "left", left)
        _set(self, "right", right)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Compare(self.operator, *children)

    def _label(self) -> tuple[object, ...]:
        return (self.operator,)


class Where(Expr):
    """``where(condition, then, otherwise)``; the branch not taken never poisons the result."""

    __slots__ = __match_args__ = ("condition", "then", "otherwise")

    condition: Compare
    then: Expr
    otherwise: Expr

    def __init__(self, condition: Compare, then: Expr, otherwise: Expr) -> None:
        _set(self, "condition", condition)
        _set(self, "then", then)
        _set(self, "otherwise", otherwise)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.condition, self.then, self.otherwise)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        condition, then, otherwise = children
        assert isinstance(condition, Compare)
        return Where(condition, then, otherwise)


class Reduce(Expr):
    """``mean(body)`` or ``sum(body)`` over the rows of the data. Reductions do not nest."""

    __slots__ = __match_args__ = ("kind", "body")

    kind: ReductionKind
    body: Expr

    def __init__(self, kind: ReductionKind, body: Expr) -> None:
        _set(self, "kind", kind)
        _set(self, "body", body)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.body,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Reduce(self.kind, *children)

    def _label(self) -> tuple[object, ...]:
        return (self.kind,)


class Prime(Expr):
    """The derivative of a formula by a variable, not yet worked out: (x²)′. It stands in derivations only."""

    __slots__ = __match_args__ = ("operand", "variable")

    operand: Expr
    variable: str

    def __init__(self, operand: Expr, variable: str) -> None:
        _set(self, "operand", operand)
        _set(self, "variable", variable)

    @property
    def children(self) -> tuple[Expr, ...]:
        return (self.operand,)

    def rebuild(self, children: tuple[Expr, ...]) -> Expr:
        return Prime(children[0], self.variable)

    def _label(self) -> tuple[object, ...]:
        return (self.variable,)


ZERO = Number(Fraction(0))
ONE = Number(Fraction(1))
TWO = Number(Fraction(2))


def number(value: int | Fraction | str) -> Number:
    """Return the exact rational as a node.

    >>> number("0.1").value
    Fraction(1, 10)
    """
    return Number(Fraction(value))


def walk(expr: Expr, known: Container[Expr] = ()) -> Iterator[Expr]:
    """Yield every distinct node once, children before parents; nothing that is ``known`` is entered.

    Cost: linear in the distinct nodes that are not known.
    """
    seen: set[Expr] = set()
    stack: list[tuple[Expr, bool]] = [(expr, False)]
    while stack:
        node, expanded = stack.pop()
        if node in seen or node in known:
            continue
        if expanded:
            seen.add(node)
            yield node
        else:
            stack.append((node, True))
            stack.extend((child, False) for child in reversed(node.children))


def written_size(expr: Expr) -> int:
    """Return the nodes of a formula as it is written, shared ones each time. Cost: linear in distinct nodes.

    >>> square = Multiply((Symbol("w"), Symbol("w")))
    >>> written_size(Add((square, square)))
    7
    """
    sizes: dict[Expr, int] = {}
    for node in walk(expr):
        sizes[node] = 1 + sum(sizes[child] for child in node.children)
    return sizes[expr]


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
