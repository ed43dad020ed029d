"""The steps of a textbook derivation line by line, in the order in which a teacher writes them.

A line is what every rendering prints: equal formulas, how deep they stand, and the rule beside them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from gdsim.expr.derivative_rules import Rule
from gdsim.expr.display import shown, to_text
from gdsim.expr.nodes import Add, Divide, Expr, Multiply, Prime, Symbol, written_size
from gdsim.expr.textbook import TEXTBOOK_RULES, Step

_MOST_PARTS_COMPUTED = 60
_TRIVIAL = frozenset({"identity", "constant"})


@dataclass(frozen=True)
class Line:
    """A line of a derivation.

    Attributes
    ----------
    depth
        How many rules it stands in.
    formulas
        What is written with = between; ``ELLIPSIS`` stands for a formula that is too long.
    continues
        Whether it begins with =, as it goes on from a line above.
    rule, variable
        The name of the rule, or another remark, beside it ("" for none) and the variable of its statement.
    inner
        For the chain rule the letter and the inner function, for which it stands.
    held
        Names that count as constants in this line.
    again
        Whether it states what was worked out above.
    """

    depth: int
    formulas: tuple[Expr, ...]
    continues: bool = False
    rule: str = ""
    variable: str = ""
    inner: tuple[Symbol, Expr] | None = None
    held: tuple[str, ...] = ()
    again: bool = False

    @property
    def note(self) -> str:
        """What is said behind the rule."""
        return "as above" if self.again else f"{', '.join(self.held)} held constant" if self.held else ""

    @property
    def statement(self) -> Rule | None:
        """The rule that is stated beside the line, if any; a rewriting shows what it does by itself."""
        return None if self.again or self.rule == "rewrite" else TEXTBOOK_RULES.get(self.rule)


def step_lines(step: Step, head: Expr | None = None) -> list[Line]:
    """Return a derivation line by line.

    Parameters
    ----------
    step
        The step at the root.
    head
        What the first line begins with; the primed formula where None.

    Notes
    -----
    A part that occurs again is stated with its result only. Cost: linear in the text that is written.

    Examples
    --------
    >>> from gdsim.expr.parse import parse
    >>> from gdsim.expr.textbook import textbook
    >>> for line in step_lines(textbook(parse("x^2*sin(x)"), "x")):
    ...     print("  " * line.depth + " = ".join(map(to_text, line.formulas)), line.rule)
    (x^2*sin(x))' = (x^2)'*sin(x) + x^2*sin(x)' product
      (x^2)' = 2*x^(2 - 1) = 2*x power
      sin(x)' = cos(x) sine
    2*x*sin(x) + x^2*cos(x)
    """
    return list(_Lines().of(step, 0, head))


def slope_name(weight: str, several: bool = False) -> Expr:
    """Return what the derivative of a loss is called: L′, or ∂L/∂w where there are several weights.

    >>> to_text(slope_name("w"), unicode=True), to_text(slope_name("w", several=True))
    ('L′', '∂L/∂w')
    """
    return Divide(Symbol("∂L"), Symbol(f"∂{weight}")) if several else Prime(Symbol("L"), weight)


def closing_lines(step: Step, head: Expr, computed: Expr) -> list[Line]:
    """Return the derivative in one line, and the form that is computed with where that is another.

    >>> from gdsim.expr.differentiate import derivative
    >>> from gdsim.expr.parse import parse
    >>> from gdsim.expr.textbook import textbook
    >>> tanh = parse("tanh(w)")
    >>> closing = closing_lines(textbook(tanh, "w"), slope_name("w"), derivative(tanh, "w"))
    >>> [" = ".join(map(to_text, line.formulas)) for line in closing]
    ["L' = 1 - tanh(w)^2", '1/cosh(w)^2']
    """
    own = _Lines()
    found = [Line(0, own.distinct((head, step.result)))]
    if written_size(computed) <= _MOST_PARTS_COMPUTED and _unordered(computed) != _unordered(step.result):
        found.append(Line(0, (computed,), continues=True, rule="the form gdsim computes with"))
    return found


def _unordered(expr: Expr) -> Expr:
    """Order terms and factors, so that 2·x·y is as 2·y·x."""
    children = [_unordered(child) for child in expr.children]
    if isinstance(expr, Add | Multiply):
        children.sort(key=repr)
    return expr.rebuild(tuple(children))


def walk_steps(step: Step) -> Iterator[tuple[Step, int, bool]]:
    """Yield every step with its depth, parts behind their rule; the third tells whether it came before.

    The parts of one that came before are not repeated.
    """
    seen: set[int] = set()
    stack = [(step, 0)]
    while stack:
        current, depth = stack.pop()
        again = id(current) in seen
        seen.add(id(current))
        yield current, depth, again
        if not again:
            stack.extend((part, depth + 1) for part in reversed(current.parts))


class _Lines:
    def __init__(self) -> None:
        self.seen: set[int] = set()

    def of(self, step: Step, depth: int, head: Expr | None, continues: bool = False) -> Iterator[Line]:
        """``continues``: the head is written in the line above already."""
        begin = () if continues else (head or Prime(step.before, step.variable),)
        simple = all(part.rule in _TRIVIAL for part in step.parts) and not step.letter
        line = Line(depth, begin, continues, step.rule, step.variable, held=_held(step, simple))
        if id(step) in self.seen and not simple:
            yield replace(line, formulas=self.distinct((*begin, step.result)), again=True)
            return
        self.seen.add(id(step))
        if simple:
            yield replace(line, formulas=self.distinct((*begin, step.filled, step.worked, step.result)))
            return
        if step.rule == "rewrite":
            yield replace(line, formulas=self.distinct((*begin, step.filled)))
            yield from self.of(step.parts[0], depth, None, True)
            return
        if step.letter:
            outer, inner = step.parts
            letter = Symbol(step.letter)
            yield replace(
                line, formulas=self.distinct((*begin, step.filled)), variable=step.letter,
                inner=(letter, inner.before),
            )  # fmt: skip
            yield from self.of(outer, depth + 1, None)
            yield from self.of(inner, depth + 1, Prime(letter, step.variable))
        else:
            yield replace(line, formulas=self.distinct((*begin, step.filled)))
            for part in step.parts:
                yield from self.of(part, depth + 1, None)
        yield Line(depth, self.distinct((step.worked, step.result)), continues=True)

    def distinct(self, formulas: Sequence[Expr]) -> tuple[Expr, ...]:
        """Leave out what would be written as the formula before it, and what is too long to be read."""
        found: list[Expr] = []
        texts: list[str] = []
        for formula in formulas:
            written = shown(formula)
            text = to_text(written)
            if text not in texts[-1:]:
                found.append(written)
                texts.append(text)
        return tuple(found)


def _held(step: Step, simple: bool) -> tuple[str, ...]:
    """Which names count as constants in this line; in a simple one those of its parts, too."""
    trivial = [part for part in step.parts if simple and part.rule == "constant"]
    return tuple(dict.fromkeys(name for part in (step, *trivial) for name in part.held))
