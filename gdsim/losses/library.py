"""The losses that people know by name: formula, domain, critical points, and where they come from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gdsim.losses.loss import Loss
from gdsim.outcomes import CriticalKind, Fault, InputError, Interval, nearest


@dataclass(frozen=True)
class KnownPoint:
    """A critical point known without gdsim.

    Attributes
    ----------
    kind
        What it is.
    weight
        For each weight a constant expression: exact, in closed form, or to 25 digits. It may hold
        parameters of the loss, and ``t`` (between 0 and 1) where the points form a line.
    """

    kind: CriticalKind
    weight: Mapping[str, str]

    def values(self, parameters: Mapping[str, float] | None = None, t: float = 0.5) -> dict[str, float]:
        """Return the coordinates as floats.

        >>> KnownPoint("minimum", {"x": "a", "y": "a^2"}).values({"a": 3.0})
        {'x': 3.0, 'y': 9.0}
        """
        from gdsim.expr.emit_python import compile_function
        from gdsim.expr.nodes import Symbol
        from gdsim.expr.parse import parse

        given = {**(parameters or {}), "t": t}
        trees = [parse(text, parameters=frozenset(given)) for text in self.weight.values()]
        found = compile_function(trees, [Symbol(name, "parameter") for name in given])(*given.values())
        return dict(zip(self.weight, found, strict=True))


@dataclass(frozen=True)
class NamedLoss:
    """One entry of the library.

    Attributes
    ----------
    formula
        Its text; names that are not parameters are weights.
    summary
        What it shows, in a few words.
    domain
        Where it is usually looked at.
    points
        Its known critical points.
    complete
        Whether these are all of them within the domain.
    parameters
        Default values.
    reference
        Where the loss or its critical points are published; empty for textbook curves.
    """

    formula: str
    summary: str
    domain: Mapping[str, Interval]
    points: tuple[KnownPoint, ...] = ()
    complete: bool = True
    parameters: Mapping[str, float] = field(default_factory=dict)
    reference: str = ""


def named_loss(name: str, parameters: Mapping[str, float] | None = None) -> Loss:
    """Return a loss of the library.

    Raises
    ------
    InputError
        For an unknown name (with the nearest one) or parameter.

    Examples
    --------
    >>> named_loss("rosenbrock", {"b": 10}).parameters
    {'a': 1.0, 'b': 10.0}
    """
    entry = LOSSES.get(name)
    if entry is None:
        raise InputError(
            Fault(f"unknown loss {name!r}", "a formula or a name of the library", nearest(name, [*LOSSES]))
        )
    loss = Loss.from_text(entry.formula, parameters=entry.parameters, weights=tuple(entry.domain))
    loss = replace(loss, domain=entry.domain, name=name, reference=entry.reference)
    return loss.with_parameters(parameters) if parameters else loss


def _minimum(**weight: str) -> KnownPoint:
    return KnownPoint("minimum", weight)


def _maximum(**weight: str) -> KnownPoint:
    return KnownPoint("maximum", weight)


def _saddle(**weight: str) -> KnownPoint:
    return KnownPoint("saddle", weight)


def _mirrored(kind: CriticalKind, x: str, y: str) -> tuple[KnownPoint, KnownPoint]:
    """A point and its mirror image in the origin."""
    turned = {name: text[1:] if text.startswith("-") else f"-{text}" for name, text in (("x", x), ("y", y))}
    return KnownPoint(kind, {"x": x, "y": y}), KnownPoint(kind, turned)


def _square(half_width: float) -> dict[str, Interval]:
    return {"x": (-half_width, half_width), "y": (-half_width, half_width)}


_LOGISTIC_MAP = (
    "R. M. May, Simple mathematical models with very complicated dynamics, Nature 261 (1976) 459, "
    "doi:10.1038/261459a0"
)
_FORRESTER = (
    "A. Forrester, A. Sóbester, A. Keane, Engineering Design via Surrogate Modelling (2008), app. A.1"
)
_DIXON_SZEGO = "L. C. W. Dixon, G. P. Szegő (eds.), Towards Global Optimisation 2 (1978)"
_JAMIL_YANG = (
    "M. Jamil, X.-S. Yang, A literature survey of benchmark functions for global optimisation "
    "problems, IJMMNO 4 (2013) 150, "
    "doi:10.1504/IJMMNO.2013.055204"
)
_MORE = (
    "J. J. Moré, B. S. Garbow, K. E. Hillstrom, Testing unconstrained optimization software, ACM TOMS "
    "7 (1981) 17, doi:10.1145/355934.355936"
)

LOSSES: dict[str, NamedLoss] = {
    # One weight
    "parabola": NamedLoss(
        "a*(w - c)^2", "the first lesson: w_k = c + (1 − 2aη)^k (w_0 − c)", {"w": (-12, 12)},
        (_minimum(w="c"),), parameters={"a": 1.0, "c": 0.0},
    ),
    "quartic": NamedLoss("w^4", "a flat bottom: f″(0) = 0", {"w": (-2.5, 2.5)}, (_minimum(w="0"),)),
    "cubic": NamedLoss(
        "w^3", "f′ = 0 is not a minimum", {"w": (-1.5, 1.5)}, (KnownPoint("inflection", {"w": "0"}),)
    ),
    "shelf": NamedLoss(
        "3w^4 - 4w^3", "stuck at a flat inflection", {"w": (-1.2, 1.6)},
        (KnownPoint("inflection", {"w": "0"}), _minimum(w="1")),
    ),
    "double_well": NamedLoss(
        "(w^2 - 1)^2", "two minima, and balance on the maximum between them", {"w": (-1.8, 1.8)},
        (_minimum(w="-1"), _maximum(w="0"), _minimum(w="1")),
    ),
    "tilted_double_well": NamedLoss(
        "3w^4 - 4w^3 - 12w^2", "a local and a global minimum; the learning rate picks the basin",
        {"w": (-2.3, 3)},
        (_minimum(w="-1"), _maximum(w="0"), _minimum(w="2")),
    ),
    "logistic_map": NamedLoss(
        "w^3/3 - w^2/2", "gradient descent is the logistic map with r = 1 + η", {"w": (-0.5, 1.5)},
        (_maximum(w="0"), _minimum(w="1")), reference=_LOGISTIC_MAP,
    ),
    "plateau": NamedLoss(
        "tanh(w)^2", "a small gradient far from the minimum", {"w": (-5, 5)}, (_minimum(w="0"),)
    ),
    "saturated_neuron": NamedLoss(
        "sigmoid(w)^2/2", "a slope that dies out; no critical point", {"w": (-12, 12)}
    ),
    "logistic_loss": NamedLoss(
        "softplus(-w)", "separable data: the weight grows for ever; no critical point", {"w": (-2, 10)}
    ),
    "absolute_value": NamedLoss(
        "abs(w)", "a kink: no derivative at the minimum", {"w": (-1.5, 1.5)},
        (KnownPoint("kink", {"w": "0"}),),
    ),
    "three_halves": NamedLoss(
        "abs(w)^1.5", "infinite curvature: no constant learning rate works", {"w": (-1.2, 1.2)},
        (_minimum(w="0"),)
    ),
    "huber": NamedLoss(
        "huber(w, delta)", "equal steps far away, halving near by", {"w": (-11, 11)}, (_minimum(w="0"),),
        parameters={"delta": 1.0},
        reference="P. J. Huber, Robust estimation of a location parameter, Ann. Math. Stat. 35 (1964) 73, "
        "doi:10.1214/aoms/1177703732",
    ),
    "dead_relu": NamedLoss(
        "(relu(w) - 1)^2", "a neuron that was thrown to the flat side stays there", {"w": (-1, 3)},
        (KnownPoint("flat", {"w": "-t"}), KnownPoint("kink", {"w": "0"}), _minimum(w="1")),
    ),
    "cosh": NamedLoss("cosh(w)", "a cliff: 2/L is local", {"w": (-11, 11)}, (_minimum(w="0"),)),
    "rippled_parabola": NamedLoss(
        "w^2 + 0.1*sin(50w)", "79 critical points: the derivative is local, the slope of the bowl is not it",
        {"w": (-3, 3)},
        (_minimum(w="-0.03116658737799940109281334"), _maximum(w="0.03166928761329685456277168")),
        complete=False,
    ),
    "forrester": NamedLoss(
        "(6w - 2)^2*sin(12w - 4)", "minima, maximum and an inflection at exactly 1/3", {"w": (0, 1)},
        (
            _minimum(w="0.1425891893247163029315488"), KnownPoint("inflection", {"w": "1/3"}),
            _maximum(w="0.5240774773419503637351178"), _minimum(w="0.7572487578418558700469474"),
        ),
        reference=_FORRESTER,
    ),
    "gramacy_lee": NamedLoss(
        "sin(10pi*w)/(2w) + (w - 1)^4", "many minima, the deepest on the left", {"w": (0.5, 2.5)},
        (_minimum(w="0.5485634445276051840686304"),), complete=False,
        reference="R. B. Gramacy, H. K. H. Lee, Cases for the nugget in modeling computer experiments, "
        "Stat. Comput. 22 (2012) 713, "
        "doi:10.1007/s11222-010-9224-x",
    ),
    "rastrigin": NamedLoss(
        "10 + w^2 - 10cos(2pi*w)", "a minimum beside every integer", {"w": (-5.12, 5.12)}, (_minimum(w="0"),),
        complete=False, reference=_JAMIL_YANG,
    ),
    # Two weights
    "bowl": NamedLoss("x^2 + y^2", "as round as a bowl: κ = 1", _square(3), (_minimum(x="0", y="0"),)),
    "ravine": NamedLoss(
        "a*x^2 + b*y^2", "κ = b/a: the best η is 1/(a + b), the rate (κ − 1)/(κ + 1)", _square(6),
        (_minimum(x="0", y="0"),), parameters={"a": 0.1, "b": 2.0},
    ),
    "rotated_ravine": NamedLoss(
        "1.05x^2 - 1.9x*y + 1.05y^2", "the ravine turned by 45°: rates for each coordinate no longer help",
        _square(6),
        (_minimum(x="0", y="0"),),
    ),
    "valley": NamedLoss(
        "(x + y)^2", "a line of minima", _square(3), (KnownPoint("flat", {"x": "t", "y": "-t"}),)
    ),
    "saddle": NamedLoss("x^2 - y^2", "a saddle; unbounded below", _square(2), (_saddle(x="0", y="0"),)),
    "saddle_between_wells": NamedLoss(
        "x^2 + (y^2 - 1)^2", "a saddle, then recovery", _square(2),
        (_minimum(x="0", y="-1"), _saddle(x="0", y="0"), _minimum(x="0", y="1")),
    ),
    "monkey_saddle": NamedLoss(
        "x^3 - 3x*y^2", "the Hessian is zero: the second-derivative test is silent", _square(1.5),
        (_saddle(x="0", y="0"),),
        reference="D. Hilbert, S. Cohn-Vossen, Anschauliche Geometrie (1932), chapter IV",
    ),
    "rosenbrock": NamedLoss(
        "(a - x)^2 + b*(y - x^2)^2", "a long curved valley", {"x": (-2, 2), "y": (-1, 3)},
        (_minimum(x="a", y="a^2"),), parameters={"a": 1.0, "b": 100.0},
        reference="H. H. Rosenbrock, An automatic method for finding the greatest or least value of a "
        "function, "
        "Comput. J. 3 (1960) 175, doi:10.1093/comjnl/3.3.175",
    ),
    "himmelblau": NamedLoss(
        "(x^2 + y - 11)^2 + (x + y^2 - 7)^2", "four minima of equal depth, four saddles, one maximum",
        _square(5),
        (
            _minimum(x="3", y="2"),
            _minimum(x="-2.805118086952744853053572", y="3.131312518250572965804301"),
            _minimum(x="-3.779310253377746891890766", y="-3.283185991286169412266001"),
            _minimum(x="3.584428340330491744944338", y="-1.8481265269644035535383"),
            _maximum(x="-0.2708445906673476130393362", y="-0.9230385564799814631328242"),
            _saddle(x="3.385154183607020937999301", y="0.0738518798377492877191874"),
            _saddle(x="0.08667750455539635182302564", y="2.884254701174776113062951"),
            _saddle(x="-3.073025750764389610472527", y="-0.08135304428796751155305688"),
            _saddle(x="-0.1279613467306800663104637", y="-1.953714980244576426096257"),
        ),
        reference="D. M. Himmelblau, Applied Nonlinear Programming (1972)",
    ),
    "three_hump_camel": NamedLoss(
        "2x^2 - 1.05x^4 + x^6/6 + x*y + y^2", "five critical points in closed form", _square(3),
        (
            _minimum(x="0", y="0"),
            *_mirrored("minimum", "sqrt(2.1 + sqrt(0.91))", "-sqrt(2.1 + sqrt(0.91))/2"),
            *_mirrored("saddle", "sqrt(2.1 - sqrt(0.91))", "-sqrt(2.1 - sqrt(0.91))/2"),
        ),
        reference=_JAMIL_YANG,
    ),
    "six_hump_camel": NamedLoss(
        "(4 - 2.1x^2 + x^4/3)*x^2 + x*y + (-4 + 4y^2)*y^2", "six minima in three pairs", {"x": (-3, 3),
        "y": (-2, 2)},
        (
            _saddle(x="0", y="0"),
            *_mirrored("minimum", "0.08984201310031806242249056", "-0.7126564030207396333972658"),
            *_mirrored("minimum", "1.703606714969980848770904", "-0.7960835686726251190257004"),
            *_mirrored("minimum", "1.607104752920197229762004", "0.5686514548841313713934047"),
            *_mirrored("maximum", "1.230229876516652626613397", "0.162334584458994970010548"),
            *_mirrored("saddle", "1.109205336804786447415316", "-0.7682680925095398417843075"),
            *_mirrored("saddle", "1.296070267167109183287253", "0.605084388038658496809621"),
            *_mirrored("saddle", "1.638067984189778563799713", "0.228674069044394069953398"),
        ),
        reference=_DIXON_SZEGO,
    ),
    "beale": NamedLoss(
        "(1.5 - x + x*y)^2 + (2.25 - x + x*y^2)^2 + (2.625 - x + x*y^3)^2", "a flat floor with sharp corners",
        _square(4.5),
        (
            _minimum(x="3", y="1/2"), _saddle(x="0", y="1"),
            _saddle(x="0.1005379373241583592727892", y="-2.644513585023124968855423"),
        ),
        reference=_MORE,
    ),
    "booth": NamedLoss(
        "(x + 2y - 7)^2 + (2x + y - 5)^2", "a plain quadratic away from the origin", _square(10),
        (_minimum(x="1", y="3"),), reference=_JAMIL_YANG,
    ),
    "matyas": NamedLoss(
        "0.26*(x^2 + y^2) - 0.48x*y", "a quadratic with κ = 25", _square(10), (_minimum(x="0", y="0"),),
        reference=_JAMIL_YANG,
    ),
    "mccormick": NamedLoss(
        # The two equations give cos(x + y) = −1/2 and x − y = 1.
        "sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1", "a sine wave along a trough", {"x": (-1.5, 4), "y": (-3,
        4)},
        (
            _minimum(x="1/2 - pi/3", y="-1/2 - pi/3"), _saddle(x="1/2 + pi/3", y="-1/2 + pi/3"),
            _minimum(x="1/2 + 2pi/3", y="-1/2 + 2pi/3"),
        ),
        reference=_JAMIL_YANG,
    ),
    "styblinski_tang": NamedLoss(
        "(x^4 - 16x^2 + 5x)/2 + (y^4 - 16y^2 + 5y)/2", "four minima, one of them global", _square(5),
        tuple(
            KnownPoint(
                "maximum" if first == second == 1 else "saddle" if 1 in (first, second) else "minimum",
                {"x": roots[first], "y": roots[second]},
            )
            for roots in [
                ("-2.903534027771177095118918", "0.1567312567803401026658643", "2.746802770990836992453053")
            ]
            for first in range(3)
            for second in range(3)
        ),
        reference="M. A. Styblinski, T.-S. Tang, Experiments in nonconvex optimization, Neural Networks 3 "
        "(1990) 467, "
        "doi:10.1016/0893-6080(90)90029-K",
    ),
    "freudenstein_roth": NamedLoss(
        "(x - 13 + ((5 - y)*y - 2)*y)^2 + (x - 29 + ((y + 1)*y - 14)*y)^2",
        "a local minimum that catches Newton's method",
        {"x": (-10, 30), "y": (-4, 6)},
        (
            _minimum(x="5", y="4"), _minimum(x="(53 - 4sqrt(22))/3", y="(2 - sqrt(22))/3"),
            _saddle(x="(53 + 4sqrt(22))/3", y="(2 + sqrt(22))/3"),
        ),
        reference=_MORE,
    ),
    "goldstein_price": NamedLoss(
        "(1 + (x + y + 1)^2*(19 - 14x + 3x^2 - 14y + 6x*y + 3y^2))"
        "*(30 + (2x - 3y)^2*(18 - 32x + 12x^2 + 48y - 36x*y + 27y^2))",
        "four minima of very different depth (3, 30, 84, 840)", _square(2),
        (
            _minimum(x="0", y="-1"), _minimum(x="-3/5", y="-2/5"), _minimum(x="9/5", y="1/5"),
            _minimum(x="6/5", y="4/5"), _maximum(x="4/5", y="1/5"), _saddle(x="-2/5", y="-3/5"),
            _saddle(x="3/5", y="2/5"), _saddle(x="6/5", y="-1/5"), _saddle(x="7/5", y="3/5"),
        ),
        reference="A. A. Goldstein, J. F. Price, On descent from local minima, Math. Comp. 25 (1971) 569, "
        "doi:10.1090/S0025-5718-1971-0312365-X",
    ),
    "branin": NamedLoss(
        "(y - 5.1x^2/(4pi^2) + 5x/pi - 6)^2 + 10*(1 - 1/(8pi))*cos(x) + 10",
        "three minima of equal depth, 5/(4π)",
        {"x": (-5, 10), "y": (0, 15)},
        # At x = kπ, k odd, both squares' derivative and sin x vanish.
        (_minimum(x="-pi", y="12.275"), _minimum(x="pi", y="2.275"), _minimum(x="3pi", y="2.475")),
        complete=False, reference=_DIXON_SZEGO,
    ),
    "bohachevsky": NamedLoss(
        "x^2 + 2y^2 - 0.3cos(3pi*x) - 0.4cos(4pi*y) + 0.7", "a bowl with dents", _square(2),
        (_minimum(x="0", y="0"),),
        complete=False,
        reference="I. O. Bohachevsky, M. E. Johnson, M. L. Stein, Generalized simulated annealing, "
        "Technometrics 28 "
        "(1986) 209, doi:10.1080/00401706.1986.10488128",
    ),
    "rastrigin_2d": NamedLoss(
        "20 + x^2 + y^2 - 10cos(2pi*x) - 10cos(2pi*y)", "a minimum beside every pair of integers",
        _square(5.12),
        (_minimum(x="0", y="0"),), complete=False, reference=_JAMIL_YANG,
    ),
    "easom": NamedLoss(
        "-cos(x)*cos(y)*exp(-(x - pi)^2 - (y - pi)^2)", "a needle in a plateau", {"x": (-2, 8), "y": (-2, 8)},
        (_minimum(x="pi", y="pi"),), complete=False, reference=_JAMIL_YANG,
    ),
    "ackley": NamedLoss(
        "-20exp(-0.2sqrt((x^2 + y^2)/2)) - exp((cos(2pi*x) + cos(2pi*y))/2) + 20 + e",
        "a rippled funnel; its tip is a kink", _square(5), (KnownPoint("kink", {"x": "0", "y": "0"}),),
        complete=False,
        reference="D. H. Ackley, A Connectionist Machine for Genetic Hillclimbing (1987), "
        "doi:10.1007/978-1-4613-1997-9",
    ),
}  # fmt: skip
