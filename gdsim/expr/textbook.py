r"""The derivative as a textbook works it out: which rule, the rule with its parts filled in, the result.

``differentiate`` chooses the forms that keep their digits; this chooses those that a student writes down:
x·x is x² first, 1/x³ is x⁻³, tanh′ is 1 − tanh², every quotient goes by the quotient rule. Both give the same
number, rounding aside.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from gdsim.expr.algebra import add, common_factor, divide, multiply, negate, power
from gdsim.expr.derivative_rules import FUNCTION_RULES, RULES, Rule
from gdsim.expr.multiply_out import shortest
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
from gdsim.expr.signs import decimal
from gdsim.expr.simplify import Simplifier, call

MOST_FACTORS_AT_ONCE = 4
_LETTERS = "uvstpqrz"
_AS_THEY_ARE = frozenset({"tanh"})

TEXTBOOK_RULES: dict[str, Rule] = {
    **{name: rule for name, rule in RULES.items() if name != "split quotient"},
    "sum of terms": Rule("(f + g + …)′ = f′ + g′ + …", r"(f + g + \dots)' = f' + g' + \dots"),
    "chain": Rule("f(□)′ = f′(□)·□′", r"\big(f(□)\big)' = f'(□)\,□'"),
    "constant divisor": Rule("(f/c)′ = f′/c", r"\left(\frac{f}{c}\right)' = \frac{f'}{c}"),
    "product of three": Rule("(f·g·h)′ = f′·g·h + f·g′·h + f·g·h′", r"(f g h)' = f' g h + f g' h + f g h'"),
    "product of four": Rule(
        "each factor in turn is differentiated, the others stay",
        r"(f g h k)' = f' g h k + f g' h k + f g h' k + f g h k'",
    ),
    "exponential": Rule("exp(□) = e^□ is its own derivative", r"(e^□)' = e^□"),
    "exponential to a base": Rule("(a^□)′ = a^□·log(a)", r"(a^□)' = a^□ \ln a"),
    "reduction": Rule(
        "row by row: mean(f)′ = mean(f′), sum(f)′ = sum(f′)", r"\Big(\sum_i f_i\Big)' = \sum_i f_i'"
    ),
    "general power": Rule(
        "fᵍ = e^(g·log(f)), so (fᵍ)′ = fᵍ·(g·log(f))′", r"f^g = e^{g \ln f},\quad (f^g)' = f^g\,(g \ln f)'"
    ),
    "inverse sine": Rule("asin(□)′ = 1/√(1 − □²)", r"(\arcsin □)' = \frac{1}{\sqrt{1 - □^2}}"),
    "inverse cosine": Rule("acos(□)′ = −1/√(1 − □²)", r"(\arccos □)' = -\frac{1}{\sqrt{1 - □^2}}"),
    "hyperbolic tangent": Rule("tanh(□)′ = 1 − tanh(□)²", r"(\tanh □)' = 1 - \tanh^2 □"),
    "sigmoid": Rule("σ(□)′ = σ(□)·(1 − σ(□))", r"\sigma(□)' = \sigma(□)\,(1 - \sigma(□))"),
    "huber": Rule(
        "huber(f, d)′ = f·f′ where |f| ≤ d, else d·sign(f)·f′",
        r"\operatorname{huber}(f, d)' = \begin{cases} f f' & |f| \le d \\ d \operatorname{sign}(f) f' &"
        r" |f| > d \end{cases}",
    ),
    "huber, d varying": RULES["huber"],
    "rewrite": Rule("the same in another form", r"\text{the same in another form}"),
}


@dataclass(frozen=True, eq=False)
class Step:
    """One rule applied to one formula.

    Attributes
    ----------
    rule
        Its name, a key of ``TEXTBOOK_RULES``.
    before
        The formula as written.
    variable
        With respect to which it is differentiated.
    filled
        The rule with the parts filled in; what is still to be differentiated is primed (``Prime``).
    worked
        The same with the derivatives of the parts in place of the primes.
    result
        That, tidied.
    parts
        How the parts were differentiated. Those of the chain rule are two, outer and inner function.
    letter
        For the chain rule the letter that stands for the inner function.
    held
        Other names that count as constants here.

    Notes
    -----
    A part that occurs several times in a formula is one object: the steps form a graph.
    """

    rule: str
    before: Expr
    variable: str
    filled: Expr
    worked: Expr
    result: Expr
    parts: tuple[Step, ...] = ()
    letter: str = ""
    held: tuple[str, ...] = ()

    @property
    def statement(self) -> str:
        """What the rule says, in terms of the variable here."""
        return TEXTBOOK_RULES[self.rule].statement(self.letter or self.variable)


def textbook(expr: Expr, variable: str | Symbol) -> Step:
    """Work out a derivative as a textbook does.

    Parameters
    ----------
    expr
        Any formula.
    variable
        The name of a weight, or a symbol.

    Returns
    -------
    Step
        The rule at the root; its ``result`` equals ``derivative(expr, variable)`` wherever both are finite.

    Notes
    -----
    Kinks are handled as in ``differentiate``. Cost: about linear in the number of distinct nodes.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> from gdsim.expr.parse import parse
    >>> step = textbook(parse("x^2 * exp(3x)"), "x")
    >>> step.rule, to_text(step.filled)
    ('product', "(x^2)'*exp(3*x) + x^2*exp(3*x)'")
    >>> to_text(step.worked)
    '2*x*exp(3*x) + x^2*3*exp(3*x)'
    >>> to_text(step.result)
    '2*x*exp(3*x) + 3*x^2*exp(3*x)'
    >>> chain = step.parts[1]
    >>> chain.rule, chain.letter, to_text(chain.filled), to_text(chain.worked)
    ('chain', 'u', "exp(u)'*u'", 'exp(3*x)*3')
    """
    symbol = variable if isinstance(variable, Symbol) else Symbol(variable)
    return _Textbook(expr, symbol).step(expr)


# ------------------------------------------------------------------------------- textbook forms


def _tanh_slope(u: Expr, _: Expr) -> Expr:
    return Add((ONE, Negate(power(call("tanh", u), TWO))))


def _sigmoid_slope(u: Expr, _: Expr) -> Expr:
    value = call("sigmoid", u)
    return multiply((value, add((ONE, negate(value)))))


def _asin_slope(u: Expr, _: Expr) -> Expr:
    return divide(ONE, call("sqrt", add((ONE, negate(power(u, TWO))))))


_SLOPES: dict[str, Callable[[Expr, Expr], Expr]] = {
    **{name: entry.outer for name, entry in FUNCTION_RULES.items()},
    "tanh": _tanh_slope,
    "sigmoid": _sigmoid_slope,
    "asin": _asin_slope,
    "acos": lambda u, written: negate(_asin_slope(u, written)),
}


# ------------------------------------------------------------------------------------ the steps


class _Textbook:
    """The steps of all parts of one formula with respect to one symbol."""

    def __init__(self, expr: Expr, variable: Symbol) -> None:
        self.variable = variable
        self.simplified = Simplifier(_AS_THEY_ARE)
        self.varying: dict[Expr, bool] = {}
        self.done: dict[Expr, Step] = {}
        self.inside = 0  # how many chain rules the current part stands in
        self.taken = {*symbols(expr), variable.name}

    def varies(self, expr: Expr) -> bool:
        known = self.varying
        for node in walk(expr, known):
            known[node] = node == self.variable or any(known[child] for child in node.children)
        return known[expr]

    def step(self, expr: Expr) -> Step:
        if expr not in self.done:
            self.done[expr] = self.node(expr)
        return self.done[expr]

    def prime(self, part: Expr) -> Expr:
        """Work a part out, and return it primed."""
        primed = Prime(part, self.variable.name)
        self.simplified.know(primed, self.step(part).result)
        return primed

    def made(
        self,
        rule: str,
        before: Expr,
        filled: Expr,
        parts: Iterable[Expr] = (),
        result: Expr | None = None,
        constants: Expr = ZERO,
    ) -> Step:
        """Fill the results of the parts into a formula in which they are primed, and tidy it."""
        steps = tuple(self.step(part) for part in dict.fromkeys(parts))
        results: dict[Expr, Expr] = {Prime(step.before, self.variable.name): step.result for step in steps}
        return Step(
            rule, before, self.variable.name, filled, _filled_in(filled, results),
            self.simplified(filled) if result is None else result, steps, held=symbols(constants),
        )  # fmt: skip

    def node(self, node: Expr) -> Step:
        if node == self.variable:
            return self.made("identity", node, ONE)
        if not self.varies(node):
            return self.made("constant", node, ZERO, constants=node)
        match node:
            case Add(terms):
                return self.sum(node, terms)
            case Negate(operand):
                return self.negated(node, operand)
            case Multiply((Negate(operand), *others)) if self.varies(operand):
                return self.negated(node, _product([operand, *others]))
            case Divide(Negate(operand), denominator) if self.varies(operand):
                return self.negated(node, Divide(operand, denominator))
            case Multiply(factors):
                return self.multiple(node, factors)
            case Divide(numerator, denominator):
                return self.quotient(node, numerator, denominator)
            case Power(base, exponent):
                return self.power(node, base, exponent)
            case Call(function, (argument,)):
                rule = FUNCTION_RULES[function].rule
                return self.applied(rule, node, argument, lambda u: Call(function, (u,)), _SLOPES[function])
            case Call("max" | "min", (first, second)):
                return self.extremum(node, first, second)
            case Call("huber", (argument, bound)):
                return self.huber(node, argument, bound)
            case Where(condition, then, otherwise):
                filled = Where(condition, self.prime(then), self.prime(otherwise))
                return self.made("choice", node, filled, [then, otherwise])
            case Reduce(kind, body):
                return self.made("reduction", node, Reduce(kind, self.prime(body)), [body])
        raise AssertionError(f"unknown node {type(node).__name__}")

    def negated(self, node: Expr, operand: Expr) -> Step:
        return self.made("negation", node, Negate(self.prime(operand)), [operand])

    def rewritten(self, node: Expr, other: Expr) -> Step:
        return self.made("rewrite", node, self.prime(other), [other])

    def sum(self, node: Expr, terms: tuple[Expr, ...]) -> Step:
        bare = [term.operand if isinstance(term, Negate) else term for term in terms]
        primed = [self.prime(term) for term in bare]
        signed = (Negate(p) if isinstance(t, Negate) else p for t, p in zip(terms, primed, strict=True))
        minus = [isinstance(term, Negate) for term in terms]
        two = {(False, True): "difference", (False, False): "sum"}
        rule = two.get((minus[0], minus[1]), "sum of terms") if len(minus) == 2 else "sum of terms"
        return self.made(rule, node, Add(tuple(signed)), bare)

    def multiple(self, node: Expr, factors: tuple[Expr, ...]) -> Step:
        factors = tuple(_flat(factors))
        varying = [factor for factor in factors if self.varies(factor)]
        first = factors.index(varying[0])
        constants = [(place, one) for place, one in enumerate(factors) if not self.varies(one)]
        before = [one for place, one in constants if place < first or not symbols(one)]
        behind = [one for place, one in constants if place > first and symbols(one)]
        if not before and not behind:
            return self.product(node, varying)
        inner = _product(varying)
        fixed = [self._fixed(part) for part in (before, behind) if part]
        primed = self.prime(inner)
        filled = _product([fixed[0], primed, *fixed[1:]] if before else [primed, *fixed])
        result = None
        if isinstance(fixed[0], Number) and not behind and isinstance(slope := self.step(inner).result, Add):
            result = add((multiply((fixed[0], term)) for term in slope.terms), _AS_THEY_ARE)
        return self.made("constant multiple", node, filled, [inner], result, _product(fixed))

    def _fixed(self, constants: Sequence[Expr]) -> Expr:
        """A product of constants as a coefficient; ones and zeros are shown as they were written."""
        tidy = self.simplified(_product(constants))
        return _product(constants) if tidy in (ZERO, ONE) else tidy

    def product(self, node: Expr, factors: Sequence[Expr]) -> Step:
        """The product rule; equal bases are joined first, many factors are taken in two halves."""
        bases = [factor.base if _plain_power(factor) else factor for factor in factors]  # type: ignore[attr-defined]
        if len(set(bases)) < len(bases):
            joined = self.simplified(_product(factors))
            if not (isinstance(joined, Multiply) and len(joined.factors) >= len(factors)):
                return self.rewritten(node, joined)
        if len(factors) > MOST_FACTORS_AT_ONCE:
            half = len(factors) // 2
            factors = [_product(factors[:half]), _product(factors[half:])]
        primed = [self.prime(factor) for factor in factors]
        terms = tuple(
            _product([*factors[:place], one, *factors[place + 1 :]]) for place, one in enumerate(primed)
        )
        rule = {3: "product of three", 4: "product of four"}.get(len(factors), "product")
        result = shortest(self.simplified(Add(terms)), self.variable)
        return self.made(rule, node, Add(terms), factors, result)

    def quotient(self, node: Expr, numerator: Expr, denominator: Expr) -> Step:
        if not self.varies(denominator):
            filled = Divide(self.prime(numerator), denominator)
            return self.made("constant divisor", node, filled, [numerator], constants=denominator)
        if not self.varies(numerator):
            return self.below(node, *self._factor_taken_out(numerator, denominator))
        filled = Divide(
            Add((
                _product([self.prime(numerator), denominator]),
                Negate(_product([numerator, self.prime(denominator)])),
            )),
            Power(denominator, TWO),
        )  # fmt: skip
        f, g = self.simplified(numerator), self.simplified(denominator)
        one = multiply((self.step(numerator).result, g))
        two = multiply((f, self.step(denominator).result))
        shared = common_factor(one, two, g)
        difference = add((divide(one, shared), negate(divide(two, shared))), _AS_THEY_ARE)
        result = divide(multiply((shared, shortest(difference, self.variable))), power(g, TWO))
        return self.made("quotient", node, filled, [numerator, denominator], result=result)

    def _factor_taken_out(self, numerator: Expr, denominator: Expr) -> tuple[Expr, Expr]:
        """c/(k·g) as (c/k)/g."""
        if not isinstance(denominator, Multiply):
            return numerator, denominator
        factors = tuple(_flat(denominator.factors))
        constants = [factor for factor in factors if not self.varies(factor)]
        if not constants:
            return numerator, denominator
        out = _coefficient(self.simplified(Divide(numerator, _product(constants))))
        return out, _product([factor for factor in factors if self.varies(factor)])

    def below(self, node: Expr, numerator: Expr, denominator: Expr) -> Step:
        """c/g: a power of one thing is brought above the line, anything else goes by the reciprocal rule."""
        base, exponent = denominator, self.simplified(ONE)
        if _plain_power(denominator):
            base, exponent = denominator.base, denominator.exponent  # type: ignore[attr-defined]
        elif isinstance(denominator, Call) and denominator.function == "sqrt":
            base, exponent = denominator.arguments[0], number("1/2")
        if base == self.variable or base != denominator:
            assert isinstance(exponent, Number)
            raised = Power(base, Number(-exponent.value))
            return self.rewritten(node, raised if numerator == ONE else Multiply((numerator, raised)))
        below = Power(denominator, TWO)
        if numerator == ONE:
            return self.made(
                "reciprocal", node, Negate(Divide(self.prime(denominator), below)), [denominator]
            )
        above = Negate(_product([numerator, self.prime(denominator)]))
        return self.made("reciprocal", node, Divide(above, below), [denominator], constants=numerator)

    def power(self, node: Expr, base: Expr, exponent: Expr) -> Step:
        u, p = self.simplified(base), self.simplified(exponent)
        if not self.varies(exponent):

            def slope(x: Expr, _: Expr) -> Expr:
                return Multiply((_coefficient(p), Power(x, Add((p, Negate(ONE))))))

            return self.applied("power", node, base, lambda x: Power(x, p), slope, exponent)
        if not self.varies(base):
            factor = ONE if u == Constant("e") else ZERO if u == ZERO else call("log", u)

            def growth(x: Expr, _: Expr) -> Expr:
                return Power(base, x) if factor == ONE else Multiply((Power(base, x), factor))

            rule = "exponential" if factor == ONE else "exponential to a base"
            return self.applied(rule, node, exponent, lambda x: Power(base, x), growth, base)
        logarithm = Multiply((exponent, Call("log", (base,))))
        return self.made("general power", node, _product([node, self.prime(logarithm)]), [logarithm])

    def applied(
        self,
        rule: str,
        node: Expr,
        argument: Expr,
        outer: Callable[[Expr], Expr],
        slope: Callable[[Expr, Expr], Expr],
        constants: Expr = ZERO,
    ) -> Step:
        """A function of the variable, or by the chain rule of something else."""
        held = symbols(constants)

        def direct(x: Symbol, before: Expr) -> Step:
            filled = slope(x, x)
            return Step(rule, before, x.name, filled, filled, self.simplified(filled), held=held)

        if argument == self.variable:
            return direct(self.variable, node)
        letter = self.letter()
        first = direct(letter, outer(letter))
        self.inside += 1
        inner = self.step(argument)
        self.inside -= 1
        primed = Prime(first.before, letter.name), Prime(letter, self.variable.name)
        u = self.simplified(argument)
        outer_slope = self.simplified(slope(u, argument))
        worked = _product([outer_slope, inner.result])
        tidy = ZERO if inner.result == ZERO else multiply((outer_slope, inner.result))
        return Step(
            "chain", node, self.variable.name, Multiply(primed), worked, tidy, (first, inner), letter.name
        )

    def letter(self) -> Symbol:
        free = [letter for letter in _LETTERS if letter not in self.taken]
        free += [f"u{place}" for place in range(1, 2 + self.inside) if f"u{place}" not in self.taken]
        return Symbol(free[min(self.inside, len(free) - 1)])

    def extremum(self, node: Call, first: Expr, second: Expr) -> Step:
        one, two = self.prime(first), self.prime(second)
        wins, loses = (">", "<") if node.function == "max" else ("<", ">")
        tie = Divide(Add((one, two)), TWO)
        behind = Where(Compare(loses, first, second), two, tie)  # type: ignore[arg-type]
        filled = Where(Compare(wins, first, second), one, behind)  # type: ignore[arg-type]
        return self.made("maximum" if node.function == "max" else "minimum", node, filled, [first, second])

    def huber(self, node: Expr, argument: Expr, bound: Expr) -> Step:
        near = Compare("<=", Call("abs", (argument,)), bound)
        inner, sign = self.prime(argument), Call("sign", (argument,))
        outside = [bound, sign, inner]
        filled: Expr = Where(
            near, _product([argument, inner]), _product([part for part in outside if part != ONE])
        )
        if not self.varies(bound):
            return self.made("huber", node, filled, [argument], constants=bound)
        edge = _product([Add((Call("abs", (argument,)), Negate(bound))), self.prime(bound)])
        filled = Where(near, filled.then, Add((filled.otherwise, edge)))  # type: ignore[attr-defined]
        return self.made("huber, d varying", node, filled, [argument, bound])


def _plain_power(expr: Expr) -> bool:
    return isinstance(expr, Power) and isinstance(expr.exponent, Number)


def _flat(factors: Iterable[Expr]) -> Iterable[Expr]:
    for factor in factors:
        if isinstance(factor, Multiply):
            yield from _flat(factor.factors)
        else:
            yield factor


def _product(factors: Sequence[Expr]) -> Expr:
    """A product as it is written down: none of one factor, products within it opened."""
    flat = tuple(_flat(factors))
    return flat[0] if len(flat) == 1 else Multiply(flat)


def _coefficient(value: Expr) -> Expr:
    """A number as it is written before a power: 1/2·√u and not √u/2."""
    if isinstance(value, Number) and value.value.denominator > 1 and not decimal(abs(value.value)):
        size = Divide(number(abs(value.value.numerator)), number(value.value.denominator))
        return Negate(size) if value.value < 0 else size
    return value


def _filled_in(expr: Expr, values: Mapping[Expr, Expr]) -> Expr:
    """Replace primed parts by their derivatives; products and sums within such are opened."""
    done: dict[Expr, Expr] = dict(values)
    for node in walk(expr, values):
        parts = tuple(done[child] for child in node.children)
        if parts == node.children:
            done[node] = node
        elif isinstance(node, Multiply):
            done[node] = _product(parts)
        elif isinstance(node, Add):
            done[node] = Add(
                tuple(inner for part in parts for inner in (part.terms if isinstance(part, Add) else (part,)))
            )
        else:
            done[node] = node.rebuild(parts)
    return done[expr]
