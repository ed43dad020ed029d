"""Wrong rules of differentiation, as data: what a learner gets who believes one of them.

A mistake is a rule that is used in place of the right one: at one place of the formula, or at all of them.
A wrong answer that equals such a result tells which rule was believed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple

from gdsim.expr.algebra import add, divide, multiply, negate, power
from gdsim.expr.derivative_rules import FUNCTION_RULES
from gdsim.expr.differentiate import derivative
from gdsim.expr.nodes import (
    ONE,
    TWO,
    ZERO,
    Add,
    Call,
    Constant,
    Divide,
    Expr,
    Multiply,
    Negate,
    Power,
    Symbol,
    number,
    symbols,
    walk,
)
from gdsim.expr.simplify import call, simplify
from gdsim.lessons.equivalence import likeness

_MOST_PLACES = 24


class Slopes(NamedTuple):
    """A node and what the rules need: the derivatives of its children as the learner found them."""

    node: Expr
    children: tuple[Expr, ...]
    variable: Symbol


Rule = Callable[[Slopes], Expr | None]


class Mistake(NamedTuple):
    """A wrong rule: what it gives at a node or for a whole formula, and what was believed.

    Attributes
    ----------
    summary
        What was believed, for the reference page; what a learner is told stands in the phrases.
    rule
        Slopes of a node → the wrong derivative of that node, or None where the mistake does not fit.
    variant
        Another rule of the same belief, which is tried after the first.
    whole
        A formula and its derivative → the wrong answer.
    """

    summary: str
    rule: Rule = lambda slopes: None
    variant: Rule | None = None
    whole: Callable[[Expr, Expr], Expr] | None = None


def recognised(answer: Expr, formula: Expr, variable: str) -> str | None:
    """Return the mistake that leads to an answer, or None.

    Parameters
    ----------
    answer
        A wrong answer.
    formula, variable
        What was to be differentiated, and by which weight.

    Notes
    -----
    Cost: some milliseconds for each place of the formula at which a mistake can be made.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> recognised(parse("cos(3x)"), parse("sin(3x)"), "x"), recognised(parse("x^3/3"), parse("x^2"), "x")
    ('inner-derivative-forgotten', 'integrated')
    """
    right = derivative(formula, variable)
    names = list(dict.fromkeys([*symbols(formula), *symbols(answer)]))
    for name, wrong in wrong_answers(formula, variable):
        if (
            likeness(answer, wrong, names) in ("proved", "agree")
            and likeness(wrong, right, names) == "differ"
        ):
            return name
    if _same(derivative(answer, variable), formula, names) and not _same(answer, right, names):
        return "integrated"
    return None


def _same(first: Expr, second: Expr, names: list[str]) -> bool:
    return likeness(first, second, names) in ("proved", "agree")


def wrong_answers(formula: Expr, variable: str) -> Iterator[tuple[str, Expr]]:
    """Yield every mistake that can be made with a formula, and what it gives."""
    symbol = Symbol(variable)
    for name, mistake in MISTAKES.items():
        if mistake.whole is not None:
            yield name, mistake.whole(formula, derivative(formula, variable))
        for rule in (mistake.rule, mistake.variant):
            if rule is not None:
                yield from ((name, wrong) for wrong in _wrong_by(rule, formula, symbol))


def _wrong_by(rule: Rule, formula: Expr, variable: Symbol) -> Iterator[Expr]:
    """Yield what a wrong rule gives at all places where it fits, and at each of them alone."""
    places = [node for node in walk(formula) if _fits(rule, node, variable)][:_MOST_PLACES]
    if places:
        yield simplify(_differentiated(formula, variable, rule, set(places)))
    if len(places) > 1:
        for place in places:
            yield simplify(_differentiated(formula, variable, rule, {place}))


def _differentiated(formula: Expr, variable: Symbol, rule: Rule, places: set[Expr]) -> Expr:
    """Differentiate with a wrong rule at some places and the right ones elsewhere."""
    done: dict[Expr, Expr] = {}
    for node in walk(formula):
        slopes = Slopes(node, tuple(done.get(child, ZERO) for child in node.children), variable)
        wrong = rule(slopes) if node in places else None
        done[node] = _right(slopes) if wrong is None else wrong
    return done[formula]


def _right(slopes: Slopes) -> Expr:
    """The right rule for a node, on the derivatives that the learner has found for its parts."""
    node, children = slopes.node, slopes.children
    if node == slopes.variable:
        return ONE
    if slopes.variable.name not in symbols(node):
        return add(children) if any(child != ZERO for child in children) else ZERO
    match node:
        case Add():
            return add(children)
        case Negate():
            return negate(children[0])
        case Multiply(factors):
            return add(
                multiply((*factors[:place], slope, *factors[place + 1 :]))
                for place, slope in enumerate(children)
            )
        case Divide(top, bottom):
            upper = add((multiply((children[0], bottom)), negate(multiply((top, children[1])))))
            return divide(upper, power(bottom, TWO))
        case Power(base, exponent) if slopes.variable.name not in symbols(exponent):
            return multiply((exponent, power(base, add((exponent, number(-1)))), children[0]))
        case Power(base, exponent) if slopes.variable.name not in symbols(base):
            return multiply((node, _log(base), children[1]))
        case Call(name, (argument,)):
            return multiply((FUNCTION_RULES[name].outer(argument, argument), children[0]))
    return derivative(node, slopes.variable.name)


def _log(base: Expr) -> Expr:
    return ONE if base == Constant("e") else call("log", base)


def _fits(rule: Rule, node: Expr, variable: Symbol) -> bool:
    """Whether a mistake can be made at a node: a wrong rule says something, and not what is right."""
    slopes = Slopes(node, tuple(derivative(child, variable.name) for child in node.children), variable)
    wrong = rule(slopes)
    return wrong is not None and simplify(wrong) != simplify(_right(slopes))


def _depends(expr: Expr, slopes: Slopes) -> bool:
    return slopes.variable.name in symbols(expr)


def _inner_forgotten(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Call(name, (argument,)) if _depends(argument, slopes):
            return FUNCTION_RULES[name].outer(argument, argument)
        case Power(base, exponent) if _depends(base, slopes) and not _depends(exponent, slopes):
            return multiply((exponent, power(base, add((exponent, number(-1))))))
        case Power(base, exponent) if _depends(exponent, slopes) and not _depends(base, slopes):
            return multiply((slopes.node, _log(base)))
    return None


def _outer_at_inner_slope(slopes: Slopes) -> Expr | None:
    """f′(u′) in place of f′(u)·u′."""
    match slopes.node:
        case Call(name, (argument,)) if _depends(argument, slopes) and argument != slopes.variable:
            return FUNCTION_RULES[name].outer(slopes.children[0], slopes.children[0])
    return None


def _product_of_slopes(slopes: Slopes) -> Expr | None:
    if isinstance(slopes.node, Multiply):
        varying = [factor for factor in slopes.node.children if _depends(factor, slopes)]
        if len(varying) > 1:
            fixed = [factor for factor in slopes.node.children if not _depends(factor, slopes)]
            moved = [
                s for f, s in zip(slopes.node.children, slopes.children, strict=True) if _depends(f, slopes)
            ]
            return multiply((*fixed, *moved))
    return None


def _quotient_of_slopes(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Divide(_, bottom) if _depends(bottom, slopes):
            return divide(*slopes.children)
    return None


def _quotient_not_squared(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Divide(top, bottom) if _depends(bottom, slopes):
            upper = add((multiply((slopes.children[0], bottom)), negate(multiply((top, slopes.children[1])))))
            return divide(upper, bottom)
    return None


def _quotient_turned(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Divide(top, bottom) if _depends(bottom, slopes) and _depends(top, slopes):
            lower = add((multiply((top, slopes.children[1])), negate(multiply((slopes.children[0], bottom)))))
            return divide(lower, power(bottom, TWO))
    return None


def _quotient_added(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Divide(top, bottom) if _depends(bottom, slopes) and _depends(top, slopes):
            upper = add((multiply((slopes.children[0], bottom)), multiply((top, slopes.children[1]))))
            return divide(upper, power(bottom, TWO))
    return None


def _power_kept(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Power(base, exponent) if _depends(base, slopes) and not _depends(exponent, slopes):
            return multiply((exponent, slopes.node, slopes.children[0]))
    return None


def _power_kept_in_lines_too(slopes: Slopes) -> Expr | None:
    """(xⁿ)′ = n·xⁿ for n = 1, too: (c·x)′ = c·x."""
    match slopes.node:
        case Multiply(factors) if [f for f in factors if _depends(f, slopes)] == [slopes.variable]:
            return slopes.node
    return _power_kept(slopes)


def _factor_forgotten(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Power(base, exponent) if _depends(base, slopes) and not _depends(exponent, slopes):
            return multiply((power(base, add((exponent, number(-1)))), slopes.children[0]))
    return None


def _exponential_as_power(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Power(base, exponent) if _depends(exponent, slopes) and not _depends(base, slopes):
            return multiply((exponent, power(base, add((exponent, number(-1)))), slopes.children[1]))
        case Call("exp", (argument,)) if _depends(argument, slopes):
            return multiply((argument, call("exp", add((argument, number(-1)))), slopes.children[0]))
    return None


def _exponential_as_power_alone(slopes: Slopes) -> Expr | None:
    """(eᵘ)′ = u·eᵘ⁻¹, and no u′."""
    match slopes.node:
        case Power(base, exponent) if _depends(exponent, slopes) and not _depends(base, slopes):
            return multiply((exponent, power(base, add((exponent, number(-1))))))
        case Call("exp", (argument,)) if _depends(argument, slopes):
            return multiply((argument, call("exp", add((argument, number(-1))))))
    return None


def _constant_kept(slopes: Slopes) -> Expr | None:
    """c′ = c for a term that does not depend on the weight."""
    if isinstance(slopes.node, Add):
        terms = zip(slopes.node.children, slopes.children, strict=True)
        kept = [slope if _depends(term, slopes) else term for term, slope in terms]
        return add(kept)
    return None


def _constant_varies(slopes: Slopes) -> Expr | None:
    """c′ = 1, as if every constant were the weight; c·f is then a product of two functions."""
    match slopes.node:
        case Add(terms):
            pairs = zip(terms, slopes.children, strict=True)
            return add([slope if _depends(term, slopes) else ONE for term, slope in pairs])
        case Multiply(factors) if any(not _depends(factor, slopes) for factor in factors):
            moved = [
                slope if _depends(factor, slopes) else ONE
                for factor, slope in zip(factors, slopes.children, strict=True)
            ]
            return add(
                multiply((*factors[:place], slope, *factors[place + 1 :]))
                for place, slope in enumerate(moved)
            )
    return None


def _by_every_weight(formula: Expr, slope: Expr) -> Expr:
    """The slopes by all weights added up, as if the others changed, too."""
    return add(derivative(formula, name) for name in symbols(formula))


def _constant_factor_lost(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Multiply(factors):
            varying = [place for place, factor in enumerate(factors) if _depends(factor, slopes)]
            if len(varying) == 1 and len(factors) > 1:
                return slopes.children[varying[0]]
    return None


_TURNED: Mapping[str, Callable[[Expr], Expr]] = {
    "sin": lambda u: negate(call("cos", u)),
    "cos": lambda u: call("sin", u),
    "cosh": lambda u: negate(call("sinh", u)),
}


def _sign_of_trigonometric(slopes: Slopes) -> Expr | None:
    match slopes.node:
        case Call(name, (argument,)) if name in _TURNED and _depends(argument, slopes):
            return multiply((_TURNED[name](argument), slopes.children[0]))
    return None


def _function_of_its_own(slopes: Slopes) -> Expr | None:
    """f′ = f for a function other than exp, as in log′ = log."""
    match slopes.node:
        case Call(name, (argument,)) if name != "exp" and _depends(argument, slopes):
            return multiply((slopes.node, slopes.children[0]))
    return None


def _root_as_power(slopes: Slopes) -> Expr | None:
    """√u′ = ½·√u: the exponent ½ came down and was not lowered."""
    match slopes.node:
        case Call("sqrt", (argument,)) if _depends(argument, slopes):
            return multiply((number(Fraction(1, 2)), slopes.node, slopes.children[0]))
    return None


#: the mistakes in the order in which they are looked for; a more telling one comes first. An integral is
#: recognised by its own derivative, so that it need not be found.
MISTAKES: dict[str, Mistake] = {
    "function-itself": Mistake("f in place of f′", whole=lambda formula, slope: formula),
    "inner-derivative-forgotten": Mistake("f(u)′ = f′(u): u′ is missing", _inner_forgotten),
    "inner-derivative-inside": Mistake("f(u)′ = f′(u′)", _outer_at_inner_slope),
    "product-of-derivatives": Mistake("(f·g)′ = f′·g′", _product_of_slopes),
    "quotient-of-derivatives": Mistake("(f/g)′ = f′/g′", _quotient_of_slopes),
    "quotient-denominator-not-squared": Mistake("(f/g)′ = (f′·g − f·g′)/g", _quotient_not_squared),
    "quotient-turned-round": Mistake("(f/g)′ = (f·g′ − f′·g)/g²", _quotient_turned),
    "quotient-added": Mistake("(f/g)′ = (f′·g + f·g′)/g²", _quotient_added),
    "power-not-reduced": Mistake("(xⁿ)′ = n·xⁿ", _power_kept, _power_kept_in_lines_too),
    "exponent-not-in-front": Mistake("(xⁿ)′ = xⁿ⁻¹", _factor_forgotten),
    "exponential-as-power": Mistake("(eˣ)′ = x·eˣ⁻¹", _exponential_as_power, _exponential_as_power_alone),
    "constant-kept": Mistake("(f + c)′ = f′ + c", _constant_kept),
    "constant-as-variable": Mistake("c′ = 1", _constant_varies, whole=_by_every_weight),
    "constant-factor-lost": Mistake("(c·f)′ = f′", _constant_factor_lost),
    "trigonometric-sign": Mistake("cos′ = sin, sin′ = −cos", _sign_of_trigonometric),
    "root-not-reduced": Mistake("√x′ = ½·√x", _root_as_power),
    "function-as-its-own-derivative": Mistake("log′ = log and the like", _function_of_its_own),
    "sign-flipped": Mistake("−f′ in place of f′", whole=lambda formula, slope: negate(slope)),
    "integrated": Mistake("an integral of f in place of f′"),
}
