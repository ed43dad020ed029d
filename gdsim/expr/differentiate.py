"""The derivative of a tree, with the rule that was used at each node.

One pass from the leaves to the root gives for every node a ``Derivation``: the rule, the expression
before, its simplified derivative after, and the derivations of its parts as steps. The rules are listed
in ``derivative_rules.RULES``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from gdsim.expr.algebra import add, choose, common_factor, divide, multiply, negate, power, spread
from gdsim.expr.derivative_rules import FUNCTION_RULES
from gdsim.expr.nodes import (
    ONE,
    TWO,
    ZERO,
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
    number,
    symbols,
    walk,
)
from gdsim.expr.simplify import Simplifier, call, reduction

if TYPE_CHECKING:
    from gdsim.expr.step_lines import Line
    from gdsim.expr.step_move import Slope
    from gdsim.expr.textbook import Step

MOST_FACTORS_AT_ONCE = 4
_FAST_GROWING = frozenset({"exp", "sinh", "cosh"})


@dataclass(frozen=True, eq=False)
class Derivation:
    """How one expression was differentiated.

    Attributes
    ----------
    rule
        The name of the rule, a key of ``derivative_rules.RULES``.
    before
        The expression as written.
    variable
        With respect to which it was differentiated.
    after
        Its derivative, simplified.
    steps
        The derivations of the parts that the rule needed. The steps of the chain rule are two: the
        outer function of a new variable (``variable`` is then ``"u"`` or another free letter), and
        the inner expression, which that variable stands for.

    Notes
    -----
    These are the forms that gdsim computes with. ``textbook`` is the same derivative as a student writes it;
    that is what is printed, and what a notebook shows.
    """

    rule: str
    before: Expr
    variable: str
    after: Expr
    steps: tuple[Derivation, ...] = ()

    @property
    def textbook(self) -> Step:
        """The derivative worked out as a textbook does.

        >>> from gdsim.expr.parse import parse
        >>> differentiate(parse("x*x"), "x").textbook.rule
        'rewrite'
        """
        from gdsim.expr.textbook import textbook

        named = (
            node for node in walk(self.before) if isinstance(node, Symbol) and node.name == self.variable
        )
        return textbook(self.before, next(named, Symbol(self.variable)))

    def at(self, where: float | Mapping[str, float]) -> Slope:
        """Return the number at a point, and which way it moves the weight.

        Parameters
        ----------
        where
            A number, or one for each weight and parameter by name.

        Raises
        ------
        InputError
            Where a name has no number, or a number no name.

        Examples
        --------
        >>> from gdsim.expr.parse import parse
        >>> slope = differentiate(parse("x^2"), "x").at(3)
        >>> slope.value, slope.direction
        (6.0, 'left')
        >>> print(slope)
        L′ = 2·3
          = 6
        L′ > 0: the loss rises with x. Positive, so decrease x: the step goes left by η·6.
        """
        from gdsim.expr.step_move import slope_at

        return slope_at(self.before, self.after, self.textbook.result, self.variable, where)

    def __str__(self) -> str:
        """Write the derivation rule by rule.

        >>> from gdsim.expr.parse import parse
        >>> print(differentiate(parse("tanh(w)"), "w"))
        tanh(w)′ = 1 − tanh(w)²             hyperbolic tangent
          = 1/cosh(w)²                      the form gdsim computes with
        """
        from gdsim.expr.step_text import steps_text

        return steps_text(self._lines())

    def _repr_html_(self) -> str:
        """What a notebook shows."""
        from gdsim.expr.step_markup import steps_mathml

        return f'<div style="overflow-x: auto">{steps_mathml(self._lines())}</div>'

    def _repr_latex_(self) -> str:
        """What a notebook writes into a LaTeX document."""
        from gdsim.expr.step_markup import steps_latex

        return f"$$\n{steps_latex(self._lines(), 'aligned')}\n$$"

    def _lines(self) -> list[Line]:
        from gdsim.expr.step_lines import closing_lines, step_lines

        step = self.textbook
        _, *computed = closing_lines(step, Prime(self.before, self.variable), self.after)
        return [*step_lines(step), *computed]


def differentiate(expr: Expr, variable: str | Symbol) -> Derivation:
    """Differentiate and keep the rule used at each node.

    Parameters
    ----------
    expr
        Any expression.
    variable
        The name of a weight, or a symbol (a parameter or a data column, too).

    Returns
    -------
    Derivation
        ``after`` is ∂expr/∂variable, simplified.

    Notes
    -----
    At kinks: abs′(0) = sign(0) = relu′(0) = 0; at a tie max and min average; sign′ = 0.
    Cost: about linear in the number of distinct nodes; no recursion over the depth.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> found = differentiate(parse("(w - 3)^2"), "w")
    >>> found.rule, to_text(found.after)
    ('chain', '2*(w - 3)')
    >>> [(step.rule, to_text(step.before), to_text(step.after)) for step in found.steps]
    [('power', 'u^2', '2*u'), ('difference', 'w - 3', '1')]
    """
    return _Differentiator(expr, _symbol(variable), Simplifier()).derivation(expr)


@lru_cache(maxsize=256)
def derivative(expr: Expr, *variables: str | Symbol) -> Expr:
    """Return the partial derivative, simplified; several variables give higher and mixed orders.

    The last 256 are remembered: trees do not change.

    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> to_text(derivative(parse("w^3"), "w")), to_text(derivative(parse("w^3"), "w", "w"))
    ('3*w^2', '6*w')
    """
    simplifier = Simplifier()
    for variable in variables:
        expr = _Differentiator(expr, _symbol(variable), simplifier).derivation(expr).after
    return expr if variables else simplifier(expr)


def _symbol(variable: str | Symbol) -> Symbol:
    return variable if isinstance(variable, Symbol) else Symbol(variable)


def _free_letter(expr: Expr, variable: Symbol) -> Symbol:
    taken = {*symbols(expr), variable.name}
    letters = [*"uvzst", *(f"u{count}" for count in range(len(taken) + 1))]
    return Symbol(next(letter for letter in letters if letter not in taken))


class _Differentiator:
    """The derivations of all nodes of one expression with respect to one symbol."""

    def __init__(self, expr: Expr, variable: Symbol, simplifier: Simplifier) -> None:
        self.variable = variable
        self.simplified = simplifier
        self.letter = _free_letter(expr, variable)
        self.varying: set[Expr] = set()
        self.done: dict[Expr, Derivation] = {}

    def derivation(self, expr: Expr) -> Derivation:
        self.simplified(expr)  # one pass, so that every part is known below
        for node in walk(expr):
            if node == self.variable or any(child in self.varying for child in node.children):
                self.varying.add(node)
            if not isinstance(node, Compare):
                self.done[node] = self.node(node)
        return self.done[expr]

    def found(self, rule: str, before: Expr, after: Expr, *steps: Derivation) -> Derivation:
        return Derivation(rule, before, self.variable.name, self.simplified.keep(after), steps)

    def node(self, node: Expr) -> Derivation:
        if node == self.variable:
            return self.found("identity", node, ONE)
        if node not in self.varying:
            return self.found("constant", node, ZERO)
        match node:
            case Add(terms):
                return self.sum(node, terms)
            case Negate(operand):
                step = self.done[operand]
                return self.found("negation", node, negate(step.after), step)
            case Multiply(factors):
                return self.multiple(node, factors)
            case Divide(numerator, denominator):
                return self.quotient(node, numerator, denominator)
            case Power(base, exponent):
                return self.power(node, base, exponent)
            case Call(function, (argument,)):
                return self.function(node, function, argument)
            case Call("max" | "min", (first, second)):
                return self.extremum(node, first, second)
            case Call("huber", (argument, bound)):
                return self.huber(node, argument, bound)
            case Where(condition, then, otherwise):
                steps = self.done[then], self.done[otherwise]
                return self.found("choice", node, choose(condition, steps[0].after, steps[1].after), *steps)
            case Reduce(kind, body):
                step = self.done[body]
                return self.found("reduction", node, reduction(kind, step.after), step)
        raise AssertionError(f"unknown node {type(node).__name__}")

    def sum(self, node: Expr, terms: tuple[Expr, ...]) -> Derivation:
        after = add(self.done[term].after for term in terms)
        match terms:
            case (first, Negate(second)):
                return self.found("difference", node, after, self.done[first], self.done[second])
        return self.found("sum", node, after, *(self.done[term] for term in terms))

    def multiple(self, node: Expr, factors: tuple[Expr, ...]) -> Derivation:
        varying = [factor for factor in factors if factor in self.varying]
        constants = [self.simplified(factor) for factor in factors if factor not in self.varying]
        if not constants:
            return self.product(varying)
        step = self.product(varying)
        return self.found("constant multiple", node, spread(multiply(constants), step.after), step)

    def product(self, factors: Sequence[Expr]) -> Derivation:
        """The product rule for a few factors at once; longer products are split in halves.

        Writing n terms of n factors each would cost n² for the first derivative and n³ for the second.
        """
        if len(factors) == 1:
            return self.done[factors[0]]
        before = Multiply(tuple(factors))
        if len(factors) > MOST_FACTORS_AT_ONCE:
            half = len(factors) // 2
            steps = [self.product(factors[:half]), self.product(factors[half:])]
        else:
            steps = [self.done[factor] for factor in factors]
        values = [self.simplified(step.before) for step in steps]
        terms = [
            multiply((*values[:place], step.after, *values[place + 1 :])) for place, step in enumerate(steps)
        ]
        return self.found("product", before, add(terms), *steps)

    def quotient(self, node: Expr, numerator: Expr, denominator: Expr) -> Derivation:
        top, bottom = self.done[numerator], self.done[denominator]
        f, g = self.simplified(numerator), self.simplified(denominator)
        if denominator not in self.varying:
            return self.found("constant multiple", node, divide(top.after, g), top)
        second = multiply((divide(f, g), divide(bottom.after, g)))
        if numerator not in self.varying:
            return self.found("reciprocal", node, negate(second), bottom)
        one, two = multiply((top.after, g)), multiply((f, bottom.after))
        shared = common_factor(one, two, g)
        if _grows_fast(g) and not _has_exponential(shared):
            return self.found(
                "split quotient", node, add((divide(top.after, g), negate(second))), top, bottom
            )
        # with e⁻ʷ taken out, e⁻ʷ·(1 + e⁻ʷ) − e⁻ʷ·e⁻ʷ is e⁻ʷ·1, and nothing cancels
        difference = multiply((shared, add((divide(one, shared), negate(divide(two, shared))))))
        return self.found("quotient", node, divide(difference, power(g, TWO)), top, bottom)

    def power(self, node: Expr, base: Expr, exponent: Expr) -> Derivation:
        below, above = self.done[base], self.done[exponent]
        u, p = self.simplified(base), self.simplified(exponent)
        if above.after == ZERO:
            slope = multiply((p, power(u, add((p, number(-1))))))
            if base == self.variable:
                return self.found("power", node, slope)
            letter = self.letter
            outer_slope = multiply((p, power(letter, add((p, number(-1))))))
            outer = Derivation("power", Power(letter, exponent), letter.name, outer_slope)
            return self.found("chain", node, _chained(slope, below), outer, below)
        if below.after == ZERO:
            slope = multiply((power(u, p), _logarithm(u)))
            if exponent == self.variable:
                return self.found("exponential", node, slope)
            letter = self.letter
            outer_slope = multiply((power(u, letter), _logarithm(u)))
            outer = Derivation("exponential", Power(base, letter), letter.name, outer_slope)
            return self.found("chain", node, _chained(slope, above), outer, above)
        rate = add((multiply((above.after, call("log", u))), divide(multiply((p, below.after)), u)))
        return self.found("general power", node, multiply((power(u, p), rate)), below, above)

    def function(self, node: Expr, name: str, argument: Expr) -> Derivation:
        known = FUNCTION_RULES[name]
        slope = known.outer(self.simplified(argument), argument)
        if argument == self.variable:
            return self.found(known.rule, node, slope)
        letter, inner = self.letter, self.done[argument]
        outer = Derivation(known.rule, Call(name, (letter,)), letter.name, known.outer(letter, letter))
        return self.found("chain", node, _chained(slope, inner), outer, inner)

    def extremum(self, node: Call, first: Expr, second: Expr) -> Derivation:
        one, two = self.done[first], self.done[second]
        middle = divide(add((one.after, two.after)), TWO)
        wins, loses = (">", "<") if node.function == "max" else ("<", ">")
        second_branch = choose(Compare(loses, first, second), two.after, middle)  # type: ignore[arg-type]
        after = choose(Compare(wins, first, second), one.after, second_branch)  # type: ignore[arg-type]
        return self.found("maximum" if node.function == "max" else "minimum", node, after, one, two)

    def huber(self, node: Expr, argument: Expr, bound: Expr) -> Derivation:
        """x clipped to ±d, times x′; where d varies, too, (|x| − d)·d′ outside."""
        inner, edge = self.done[argument], self.done[bound]
        x, d = self.simplified(argument), self.simplified(bound)
        size, near = call("abs", x), Compare("<=", Call("abs", (argument,)), bound)
        if isinstance(d, Number) and d.value > 0:
            clipped = call("max", negate(d), call("min", x, d))
        else:
            clipped = choose(near, x, multiply((d, call("sign", x))))
        outside = choose(near, ZERO, add((size, negate(d))))
        after = add((multiply((clipped, inner.after)), multiply((outside, edge.after))))
        return self.found("huber", node, after, inner, edge)


def _chained(slope: Expr, inner: Derivation) -> Expr:
    """f′(u)·u′; 0 where u does not change, even where f′(u) is infinite, as for √(0·w)."""
    return ZERO if inner.after == ZERO else multiply((slope, inner.after))


def _grows_fast(expr: Expr) -> bool:
    """Tell whether squaring it would overflow early."""
    return any(isinstance(node, Call) and node.function in _FAST_GROWING for node in walk(expr))


def _has_exponential(product: Expr) -> bool:
    return any(isinstance(node, Call) and node.function == "exp" for node in (product, *product.children))


def _logarithm(base: Expr) -> Expr:
    """The factor log(a) of (aʷ)′; 1 for e, and 0 for a = 0, whose powers are constant for w > 0."""
    if base == Constant("e"):
        return ONE
    return ZERO if base == ZERO else call("log", base)
