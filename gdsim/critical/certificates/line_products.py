"""The products that a certificate says a slope is, and where they may stand for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gdsim.critical.certificates.document import Refused
from gdsim.critical.certificates.functions import Function
from gdsim.critical.certificates.identity import is_product
from gdsim.critical.certificates.switching import divisors, edges, has_switches
from gdsim.expr.emit_ball import Ball, sign
from gdsim.expr.nodes import ONE, Expr, symbols
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify
from gdsim.outcomes import InputError

_HIGHEST_EXPONENT = 64


@dataclass(frozen=True, eq=False)
class Product:
    """D and φ with slope · D = Π φᵉ wherever all of them are defined."""

    below: Function
    factors: tuple[tuple[Function, int], ...]

    @property
    def trees(self) -> list[Expr]:
        """D and every φ."""
        return [self.below.tree, *(phi.tree for phi, _ in self.factors)]


class Products:
    """The factorings of a certificate.

    Parameters
    ----------
    entries
        Each ``{"denominator": formula, "factors": [[formula, exponent], …]}``.
    weight
        The one symbol they may have.
    function
        Makes a tree a function of balls.
    """

    def __init__(
        self, entries: Sequence[Mapping[str, Any]], weight: str, function: Callable[[Expr], Function]
    ) -> None:
        self.weight, self.function = weight, function
        self._entries = [self._read(entry, place) for place, entry in enumerate(entries)]
        self._true: dict[Expr, list[Product]] = {}

    def _read(self, entry: Mapping[str, Any], place: int) -> tuple[Expr, list[tuple[Expr, int]]]:
        try:
            factors = [(simplify(parse(text)), exponent) for text, exponent in entry["factors"]]
            below = simplify(parse(entry["denominator"]))
        except (InputError, KeyError, TypeError, ValueError, AttributeError):
            raise Refused(f"factoring {place} cannot be read") from None
        trees = [below, *(tree for tree, _ in factors)]
        if any(set(symbols(tree)) - {self.weight} or has_switches(tree) for tree in trees):
            raise Refused(f"factoring {place} has another weight, or a switch")
        if not all(type(e) is int and 1 <= e <= _HIGHEST_EXPONENT for _, e in factors):
            raise Refused(f"factoring {place} has an exponent that is none")
        return below, factors

    def of(self, slope: Expr, formula: Expr, x: Ball) -> Product:
        """The first product that is the slope on a box; the slope itself, if none is.

        A product says nothing where one of its parts is not defined; so each must be defined wherever the
        formula is whose slope it is.
        """
        true = self._true.get(slope)
        if true is None:
            true = self._true[slope] = [
                Product(self.function(below), tuple((self.function(tree), e) for tree, e in factors))
                for below, factors in self._entries
                if is_product(slope, below, factors)
            ]
        if true:
            known = {*edges(formula), *edges(slope)}, set(divisors(formula))
            for product in true:
                if all(self._is_defined(tree, *known, x) for tree in product.trees):
                    return product
        return Product(self.function(ONE), ((self.function(slope), 1),))

    def _is_defined(self, tree: Expr, known_edges: set[Expr], known_divisors: set[Expr], x: Ball) -> bool:
        """Whether a tree is defined on the part of a box where the formula with these edges is."""
        return all(
            u in known_edges or (not symbols(u, "column") and sign(self.function(u).over(x)) > 0)
            for u in edges(tree)
        ) and all(
            u in known_divisors or (not symbols(u, "column") and self.function(u).is_free(x))
            for u in divisors(tree)
        )
