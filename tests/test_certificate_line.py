"""Certificates of one weight: genuine ones are accepted, and nothing false can be made to pass."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from flint import arb, ctx
from hypothesis import HealthCheck, given, settings
from random_trees import WEIGHTS, Kinds, trees

from gdsim.critical import Budget, find
from gdsim.critical.certificates import Refused, Verified, certify, verify
from gdsim.critical.certificates.document import compose, digest
from gdsim.critical.certificates.functions import ends_of
from gdsim.critical.written import around
from gdsim.expr.display import to_text
from gdsim.expr.nodes import Expr, symbols
from gdsim.losses import Loss

Document = dict[str, Any]
Change = Callable[[Document], None]
PI = math.pi
SMOOTH = "3w^4 - 4w^3"


@cache
def written_down(text: str, low: float, high: float, data: tuple[float, ...] = ()) -> str:
    loss = Loss.from_text(text, data={"x": list(data)} if data else {})
    domain = {"w": (low, high)}
    return json.dumps(certify(loss, domain, find(loss, domain)))


def genuine(text: str = SMOOTH, low: float = -1.2, high: float = 1.6) -> Document:
    document: Document = json.loads(written_down(text, low, high))
    return document


def verified(document: Document) -> Verified:
    """Check a document as a stranger would who made its digest agree."""
    return verify(json.dumps({**document, "sha256": digest(document)}))


def found(result: Verified) -> list[tuple[str, float, int | None]]:
    return [(p.kind, round(p.weight["w"], 9), p.multiplicity) for p in result.search.critical_points]


GENUINE: Sequence[tuple[str, float, float, str, list[tuple[str, float, int | None]]]] = [
    ("w^2", -1, 1, "one zero", [("minimum", 0, 1)]),
    (SMOOTH, -1.2, 1.6, "one zero", [("inflection", 0, 2), ("minimum", 1, 1)]),
    ("w^3", -1, 1, "one zero", [("inflection", 0, 2)]),
    ("1 - w^4", -1, 1, "one zero", [("maximum", 0, 3)]),
    ("cos(w)", -1, 4, "one zero", [("maximum", 0, 1), ("minimum", round(PI, 9), 1)]),
    ("exp(w) - e*w", 0, 2, "one zero", [("minimum", 1, 1)]),
    ("w*exp(-w)", 0, 5, "one zero", [("maximum", 1, 1)]),
    ("w^2/2", 0, 1, "one zero", [("minimum", 0, 1)]),
    ("sigmoid(w)", -5, 5, "gradient", []),
    ("1/w", -1, 2, "exact zero", []),
    ("exp(-1/w^2)", -1, 1, "exact zero", []),
    ("w^3/w", -1, 1, "exact zero", []),
    ("tan(w)", -2, 2, "exact zero", []),
    ("(cos(w) - 1)^2", -1, 1, "exact zero", [("minimum", 0, 3)]),
    ("abs(w - 0.5)", -1, 1, "switch", [("kink", 0.5, None)]),
    ("abs(w^2 - 2)", 0.5, 2, "switch", [("kink", round(math.sqrt(2), 9), None)]),
    ("w*abs(w)", -1, 1, "switch", [("inflection", 0, 1)]),
    ("abs(w)^3", -1, 1, "switch", [("minimum", 0, 2)]),
    ("(w^2)^(1/3)", -1, 1, "switch", [("kink", 0, None)]),
    ("max(w^2, 2 - w)", -1, 2, "switch", [("kink", 1, None)]),
    ("where(w < 0, w^2, w + 1)", -1, 1, "switch", []),
    ("where(w == 0, 0, w^2)", -1, 1, "switch", [("minimum", 0, 1)]),
    ("huber(w, -1)", -2, 2, "switch", [("kink", 0, None)]),
    ("relu(w)", -1, 1, "flat", [("flat", -0.5, None)]),
    ("relu(w)", 0, 1, "switch", [("flat", 0, None)]),
    ("relu(1/3 - w)^2", 0, 1 / 3, "switch", [("flat", 0.333333333, None)]),
    ("relu(w - 1) + relu(-w)", -1, 2, "switch", [("flat", 0.5, None)]),
    ("sign(w)", -1, 1, "switch", [("flat", -0.5, None), ("flat", 0.5, None)]),
    ("where(3w < 1, 1, 2)", 0, 1, "switch", [("flat", 0.166666667, None), ("flat", 0.666666667, None)]),
    ("where(w == 0, 5, w^2)", -1, 1, "switch", []),
    ("relu(-relu(w))", -1, 1, "flat", [("flat", 0, None)]),
    ("abs(w)/w", -1, 1, "flat", [("flat", -0.5, None), ("flat", 0.5, None)]),
    ("w*log(w)", -1, 2, "edge", [("minimum", round(1 / math.e, 9), 1)]),
    ("w^2.5", -0.5, 1.5, "edge", [("minimum", 0, None)]),
    ("sqrt(w)*(w - 3)", -1, 4, "edge", [("minimum", 1, 1)]),
    ("1e200*(w - 1)^2", 0, 2, "one zero", [("minimum", 1, 1)]),
    ("(w - 1e15)^2", 1e15 - 2, 1e15 + 2, "one zero", [("minimum", 1e15, 1)]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "low", "high", "test", "points"), GENUINE, ids=[g[0] for g in GENUINE])
def test_a_genuine_certificate_shows_all_points(
    text: str, low: float, high: float, test: str, points: list[tuple[str, float, int | None]]
) -> None:
    result = verify(written_down(text, low, high))
    assert found(result) == points
    assert result.search.complete
    assert result.boxes[test]


def test_a_certificate_of_data_holds_its_kinks() -> None:
    result = verify(written_down("mean(abs(w*x - 1)) + mean(log(1 + (w*x)^2))/9", -1, 2, (1.0, 2.0)))
    assert [point.kind for point in result.search.critical_points] == ["kink"]
    assert result.search.complete


def test_nowhere_is_shown_where_a_root_has_no_value() -> None:
    assert verified(forged("sqrt(w - 3)", -1, 1, [(None, "nowhere")])).boxes == {"nowhere": 1}


def test_what_the_checker_cannot_show_is_left_open() -> None:
    """A kink at which one side's formula has a removable gap."""
    result = verify(written_down("where(w <= 0, -w, sin(w)^2/w)", -1, 1))
    assert not result.search.complete
    assert result.boxes["left"]


# -- one change ----------------------------------------------------------------------------------------


def on_point(**changes: Any) -> Change:
    return lambda document: document["critical_points"][0].update(changes)


def on_leaf(leaf: int, **changes: Any) -> Change:
    return lambda document: document["leaves"][leaf].update(changes)


def moved_end(by: float) -> Change:
    def change(document: Document) -> None:
        document["leaves"][0]["box"][1] += by
        document["leaves"][1]["box"][0] += by

    return change


def add_point(document: Document) -> None:
    extra = copy.deepcopy(document["critical_points"][-1])
    extra["weight"]["w"], extra["interval"]["w"] = 1.5, [1.5, 1.5]
    document["critical_points"].append(extra)


CHANGES: dict[str, Change] = {
    "a box removed": lambda d: d["leaves"].pop(1),
    "all boxes removed": lambda d: d["leaves"].clear(),
    "the last box removed": lambda d: d["leaves"].pop(),
    "a box shrunk": lambda d: d["leaves"][1]["box"].__setitem__(1, d["leaves"][1]["box"][1] - 1e-9),
    "the first box beyond the domain": lambda d: d["leaves"][0]["box"].__setitem__(0, -100.0),
    "the last box beyond the domain": lambda d: d["leaves"][-1]["box"].__setitem__(1, 100.0),
    "a box twice": lambda d: d["leaves"].insert(1, copy.deepcopy(d["leaves"][1])),
    "a box turned round": lambda d: d["leaves"][0]["box"].reverse(),
    "a box moved onto a zero": moved_end(1.2),
    "the boxes swapped": lambda d: d["leaves"].reverse(),
    "one zero called gradient": on_leaf(1, test="gradient"),
    "gradient called one zero": on_leaf(0, test="one zero"),
    "a box called flat": on_leaf(0, test="flat"),
    "a box called switch": on_leaf(1, test="switch"),
    "a box called edge": on_leaf(0, test="edge"),
    "a box called nowhere": on_leaf(0, test="nowhere"),
    "a box left in a complete certificate": on_leaf(0, test="left"),
    "an unknown test": on_leaf(0, test="trust me"),
    "a test that is no word": on_leaf(0, test=["gradient"]),
    "bits that are too few": on_leaf(0, bits=2),
    "bits that are true": on_leaf(0, bits=True),
    "another entry in a box": on_leaf(0, note="fine"),
    "a place that is not inside": on_leaf(1, test="exact zero", place="5"),
    "a place that is no constant": on_leaf(1, test="exact zero", place="w"),
    "a place that is a mean": on_leaf(1, test="exact zero", place="mean(0)"),
    "a place that is no number": on_leaf(1, test="exact zero", place="0/0"),
    "a place that is no text": on_leaf(1, test="exact zero", place=0),
    "a place beside the zero": on_leaf(1, test="exact zero", place="1e-30"),
    "a point removed": lambda d: d["critical_points"].pop(),
    "a point added": add_point,
    "a point twice": lambda d: d["critical_points"].append(copy.deepcopy(d["critical_points"][0])),
    "another kind": on_point(kind="minimum"),
    "a kind of several weights": on_point(kind="saddle"),
    "the kind flat": on_point(kind="flat"),
    "another order": on_point(multiplicity=1),
    "no order": on_point(multiplicity=None),
    "an order that is true": on_point(multiplicity=True),
    "another interval": on_point(weight={"w": 0.1}, interval={"w": [0.1, 0.1]}),
    "a wide interval": on_point(weight={"w": 0.01}, interval={"w": [-0.01, 0.01]}),
    "an interval turned round": on_point(interval={"w": [1e-20, -1e-20]}),
    "a weight beside its interval": on_point(weight={"w": 1e-9}),
    "another loss": on_point(loss=1e-9),
    "another curvature": on_point(curvature=[1e-3]),
    "two curvatures": on_point(curvature=[0.0, 0.0]),
    "on the boundary": on_point(boundary=True),
    "a loss that is a text": on_point(loss="0"),
    "a kind that is true": on_point(kind=True),
    "another formula": lambda d: d.update(formula="3*w^4 - 4*w^3 + w"),
    "a formula with a further point": lambda d: d.update(formula="3*w^4 - 4*w^3 - w^2"),
    "another domain": lambda d: d["domain"].update(w=[-1.2, 1.7]),
    "a domain turned round": lambda d: d["domain"].update(w=[1.6, -1.2]),
    "another weight": lambda d: d.update(weights=["v"]),
    "complete that is a word": lambda d: d.update(complete="true"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_certificate_is_refused(name: str) -> None:
    document = genuine()
    assert [leaf["test"] for leaf in document["leaves"]] == ["gradient", "one zero", "one zero"]
    CHANGES[name](document)
    with pytest.raises(Refused):
        verified(document)


def test_complete_cannot_be_claimed_of_an_open_box() -> None:
    document = genuine()
    document["leaves"][0]["test"], document["complete"] = "left", False
    assert not verified(document).search.complete
    document["complete"] = True
    with pytest.raises(Refused, match="nothing is shown"):
        verified(document)


def test_text_that_is_cut_off_is_refused() -> None:
    text = written_down(SMOOTH, -1.2, 1.6)
    for end in range(0, len(text), 29):
        with pytest.raises(Refused):
            verify(text[:end])


def test_text_that_is_edited_is_refused_by_its_old_digest() -> None:
    with pytest.raises(Refused, match="SHA-256"):
        verify(written_down(SMOOTH, -1.2, 1.6).replace('"complete": true', '"complete": false'))


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", '"0"', "true", "null", "[]"])
def test_an_end_of_a_box_must_be_a_number(value: str) -> None:
    document = genuine()
    document["leaves"][0]["box"][0] = "HERE"
    document["sha256"] = digest(json.loads(json.dumps(document).replace('"HERE"', value)))
    with pytest.raises(Refused):
        verify(json.dumps(document).replace('"HERE"', value))


# -- forged from nothing ---------------------------------------------------------------------------------


def forged(
    text: str,
    low: float,
    high: float,
    leaves: Sequence[tuple[Any, ...]],
    points: Sequence[Document] = (),
    factorings: Sequence[Document] = (),
    complete: bool = True,
) -> Document:
    """A document with boxes that end at (or at the domain's end: None), with test, place and bits."""
    first, last = around((low, high))
    document = compose(Loss.from_text(text), {"w": (low, high)}, [], complete, [], factorings)
    for end, test, *more in leaves:
        box = [first, last if end is None else end]
        leaf = {"box": box, "test": test, "bits": more[1] if len(more) > 1 else 128}
        document["leaves"].append({**leaf, "place": more[0]} if more and more[0] else leaf)
        first = box[1]
    document["critical_points"] = list(points)
    return document


def point(kind: str, w: float, loss: float, order: int | None = None, **more: Any) -> Document:
    return {
        "weight": {"w": w}, "loss": loss, "kind": kind, "curvature": [], "interval": {"w": [w, w]},
        "multiplicity": order, "boundary": False, **more,
    }  # fmt: skip


def flat(low: float, high: float, loss: float) -> Document:
    return point("flat", low + 0.25, loss, interval={"w": [low, high]}, curvature=[0.0], boundary=True)


ALL_FREE = [(None, "gradient")]
ONE_ZERO = [(None, "one zero")]
AT_ZERO = [(None, "switch", "0")]


@pytest.mark.parametrize(
    ("below", "factor"),
    [
        ("1/w", "2"),
        ("w^(-1)", "2"),
        ("sqrt(0 - 1)", "2*w*sqrt(0 - 1)"),
        ("log(0 - 1 - w^2)", "2*w*log(0 - 1 - w^2)"),
        ("asin(2 + w^2)", "2*w*asin(2 + w^2)"),
        ("exp(1/w)/(2*w)", "exp(1/w)"),
        ("0", "0"),
        ("1/0", "1"),
        ("tan(w + pi/2)", "2*w*tan(w + pi/2)"),
        ("1", "2"),
    ],
)
def test_a_factoring_undefined_where_the_loss_is_hides_no_zero(below: str, factor: str) -> None:
    """w² has the slope 2w; where the denominator is not defined, the factors say nothing of it."""
    factoring = {"denominator": below, "factors": [[factor, 1]]}
    with pytest.raises(Refused, match="f′ may have a zero"):
        verified(forged("w^2", -1, 1, ALL_FREE, factorings=[factoring]))


@pytest.mark.parametrize("factor", ["w*sign(w)", "abs(w)", "where(w < 0, w, 2*w)"])
def test_a_factor_with_a_switch_is_refused(factor: str) -> None:
    factoring = {"denominator": "1", "factors": [[factor, 1], ["2", 1]]}
    with pytest.raises(Refused, match="a switch"):
        verified(forged("w^2", -1, 1, ALL_FREE, factorings=[factoring]))


@pytest.mark.parametrize(
    "text", ["sqrt(9*(w - 0.1)^2)", "sqrt(4*w^2)", "sqrt(w^4 + w^2)", "(w^4 + w^2)^(1/3)"]
)
def test_the_kink_of_a_root_is_not_passed_over(text: str) -> None:
    """The derivative of 9(w − 0.1)/√(9(w − 0.1)²) simplifies to 0, though the function jumps."""
    for bits in (24, 600):
        with pytest.raises(Refused):
            verified(forged(text, -1, 1, [(None, "gradient", None, bits)]))


FORGED: dict[str, Document] = {
    "a minimum where only the simplified loss has a value": forged(
        "(sqrt(w)*sqrt(w) + 1)^2", -2, 1, ONE_ZERO, [point("minimum", -1.0, 1.0, 1)]
    ),
    "a minimum in a gap": forged("w^3/w", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 1)]),
    "a minimum of a loss that is nowhere defined": forged(
        "w^2 + 0*sqrt(w - 5)", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 1)]
    ),
    "a minimum where the condition is undefined": forged(
        "where(sqrt(w)*sqrt(w) > -1, (w + 0.5)^2, w)", -0.9, 1, ONE_ZERO, [point("minimum", -0.5, 0.0, 1)]
    ),
    "a flat piece across a gap": forged("0/w + 3", -1, 1, [(None, "flat")], [flat(-1, 1, 3.0)]),
    "two flat pieces as one": forged("sign(w)", -1, 1, [(None, "switch")], [flat(-1, 1, -1.0)]),
    "a flat piece into the unknown": forged(
        "relu(w)", -1, 1, [(-0.5, "flat"), (None, "left")], [flat(-1, 1, 0.0)], complete=False
    ),
    "a flat piece from the unknown": forged(
        "relu(-w)", -1, 1, [(0.5, "left"), (None, "flat")], [flat(-1, 1, 0.0)], complete=False
    ),
    "a flat piece to a later turn of its switch": forged(
        "relu(sin(w)) + relu(-w - 9)", -1, 1, [(-0.5, "flat"), (None, "switch")],
        [flat(-1, 2 * PI, 0.0)],
    ),
    "a minimum where the loss has another value": forged(
        "w^2 + sign(w)^2", -1, 1, AT_ZERO, [point("minimum", 0.0, 0.0, 1)]
    ),
    "a minimum where a third branch is taken": forged(
        "where(w < 0, w^2, where(w > 0, w^2, 5))", -1, 1, AT_ZERO, [point("minimum", 0.0, 5.0, 1)]
    ),
    "a minimum where an inequality holds at one place": forged(
        "where(abs(w) <= 0, 5, w^2)", -1, 1, AT_ZERO, [point("minimum", 0.0, 5.0, 1)]
    ),
    "a minimum where an equality holds": forged(
        "where(w == 0, 5, w^2)", -1, 1, AT_ZERO, [point("minimum", 0.0, 5.0, 1)]
    ),
    "a kink where the loss has no value": forged(
        "where(w < 0, -w, where(w > 0, w, sqrt(w - 1)))", -1, 1, AT_ZERO, [point("kink", 0.0, 0.0)]
    ),
    "a kink at another place": forged("abs(w)", -1, 1, [(None, "switch", "0.5")], [point("kink", 0.5, 0.5)]),
    "a kink passed over since one side has a gap there": forged(
        "where(w <= 0, -w, sin(w)^2/w)", -0.01, 0.01, AT_ZERO
    ),
    "a kink where there is a tiny jump": forged(
        "where(w < 0, -w, w + 1e-300)", -1, 1, [(None, "switch", None, 24)], [point("kink", 0.0, 0.0)]
    ),
    "a zero passed over before an edge": forged(
        "sqrt(w)*(w - 0.9)", -0.5, 0.8, [(None, "edge", "0")],
        factorings=[{"denominator": "2*sqrt(w)/(3*w - 0.9)", "factors": [["1", 1]]}],
    ),
    "a minimum where the branch not taken is undefined": forged(
        "max(w^2, sqrt(w - 5)*0 - 1)", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 1)]
    ),
    "a kink twice": forged(
        "abs(w)", -1, 1, [(0.0, "switch"), (None, "switch")], [point("kink", 0.0, 0.0)] * 2
    ),
    "a minimum twice": forged(
        "w^2", -1, 1, [(0.0, "one zero"), (None, "one zero")], [point("minimum", 0.0, 0.0, 1)] * 2
    ),
    "a flat piece of no length": forged(
        "sign(w)", -1, 1, [(0.0, "switch"), (None, "switch")],
        [flat(-1, 0, -1.0), point("flat", 0.0, 0.0), flat(0, 1, 1.0)],
    ),
    "a kink in a gradient box": forged("abs(w) + 2*w + 5*abs(w - 0.5)", -1, 1, ALL_FREE),
    "a kink where the switch only touches": forged(
        "max(w, w - (w - 0.5)^2)", -1, 1, [(None, "switch", "0.5")], [point("kink", 0.5, 0.5)]
    ),
    "a switch that touches twice": forged(
        "abs(w^2*(w - 0.5)^2) + w", -1, 1, [(None, "switch", "0.5")]
    ),
    "a minimum at an edge at which f′ is −2": forged(
        "acos(w)^2", 0.5, 1.5, [(None, "edge", "1", 600)], [point("minimum", 1.0, 0.0)],
        [{"denominator": "sqrt(1 - w^2)", "factors": [["-2", 1], ["acos(w)", 1]]}],
    ),
    "no minimum at an edge that has one": forged("w^2.5", -0.5, 1, [(None, "edge")]),
    "no minimum at an edge by a factoring": forged(
        "w^2.5", -0.5, 1, [(None, "edge", "0")],
        factorings=[{"denominator": "w^(-1.5)", "factors": [["2.5", 1]]}],
    ),
    "an edge minimum where the loss ends later": forged(
        "w^2.5 + 0*sqrt(w - 0.2)", -0.5, 1, [(None, "edge", "0")], [point("minimum", 0.0, 0.0)]
    ),
    "nowhere where a choice has a value": forged("where(w < 5, w^2, sqrt(-w))", -1, 1, [(None, "nowhere")]),
    "nowhere where there is one value": forged("log(w^2)", -1, 1, [(None, "nowhere")]),
    "one zero for three": forged("sin(w)", -4, 4, ONE_ZERO, [point("maximum", PI / 2, 1.0, 1)]),
    "a place close to a zero": forged(
        "(w^2 - 2)^2*(w - sqrt(2))^2", 1, 2, [(None, "exact zero", "sqrt(2) + 1e-300", 4096)],
        [point("minimum", math.sqrt(2), 0.0, 3)],
    ),
    "the exponent of a false factoring": forged(
        "w^4", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 5)],
        [{"denominator": "1", "factors": [["4", 1], ["w", 5]]}],
    ),
    "a point outside the domain": forged(
        "(w + 1e-17)^2", 0, 1, ONE_ZERO, [point("minimum", -1e-17, 0.0, 1, boundary=True)]
    ),
    "a flat piece left out": forged(
        "relu(w - 0.5)", 0, 1, [(0.375, "flat"), (0.75, "switch"), (None, "gradient")]
    ),
    "a flat piece of three doubles left out": forged(
        "relu(w - 1e-15)", 1e-15 - 6e-31, 1, [(None, "switch")]
    ),
    "an exponent of a half": forged(
        "w^4", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 3)],
        [{"denominator": "1", "factors": [["4", 1], ["w^2", 1.5]]}],
    ),
    "a denominator with the zero": forged(
        "w^4", -1, 1, ONE_ZERO, [point("minimum", 0.0, 0.0, 4)],
        [{"denominator": "w", "factors": [["4", 1], ["w", 4]]}],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_certificate_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        verified(FORGED[name])


def test_the_ends_of_a_ball_at_24_bits_lie_in_it() -> None:
    """Rounded outward they do not, and a sign read there may be another one than in the box."""
    with ctx.workprec(24):
        x = arb(1 + 2.0**-24).union(arb(1.5 - 2.0**-24))
        assert not x.contains(x.lower())
        assert all(x.contains(end) for end in ends_of(x))


# -- many changes ----------------------------------------------------------------------------------------

SUBJECTS = [
    (SMOOTH, -1.2, 1.6), ("abs(w - 0.5)", -1.0, 1.0), ("relu(w)", -1.0, 1.0), ("w^2.5", -0.5, 1.5),
    ("w*abs(w)", -1.0, 1.0), ("(cos(w) - 1)^2", -1.0, 1.0),
]  # fmt: skip
VALUES: list[Any] = [
    0, 1, -1, 0.5, 1e-9, 2, 3, 24, 600, True, False, None, "w", "0", "1", "minimum", "maximum", "inflection",
    "kink", "flat", "gradient", "one zero", "exact zero", "switch", "edge", "nowhere", "left", [], {}, [0.0],
]  # fmt: skip
IS_SETTLED = ("formula", "weights", "parameters", "data", "domain", "kind", "version", "sha256")


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a document at which something can be put."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [deeper for key, item in items if key not in IS_SETTLED for deeper in paths(item, (*path, key))]
    return [path, *inner] if path else inner


def mutated(document: Document, draw: random.Random) -> Document:
    document = copy.deepcopy(document)
    *outer, last = draw.choice(paths(document))
    holder = document
    for key in outer:
        holder = holder[key]
    old = holder[last]
    choice = draw.random()
    if isinstance(holder, list) and choice < 0.3:
        holder.pop(last) if choice < 0.15 else holder.insert(last, copy.deepcopy(old))
    elif isinstance(old, float) and choice < 0.8:
        holder[last] = draw.choice([old + 1e-12, old - 1e-3, -old, math.nextafter(old, 9), old * 2, old + 1])
    else:
        holder[last] = draw.choice(VALUES)
    return document


def claims(document: Document) -> dict[tuple[str, float], Mapping[str, Any]]:
    return {(p["kind"], round(p["weight"]["w"], 9)): p for p in document["critical_points"]}


def is_true(document: Document, original: Document) -> bool:
    """Whether what a document claims is among what the search proved, or is less."""
    real, told = claims(original), claims(document)
    for key, claimed in told.items():
        if key[0] != "flat" and key not in real:
            return False
        known = real.get(key) or next(p for p in real.values() if p["kind"] == "flat")
        close = all(
            math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-12)
            for a, b in [
                (claimed["loss"], known["loss"]),
                *zip(claimed["interval"]["w"], known["interval"]["w"], strict=True),
                *zip(claimed["curvature"], known["curvature"], strict=False),
            ]
        )
        if not close or claimed["multiplicity"] != known["multiplicity"]:
            return False
    return not document["complete"] or len(told) == len(real)


def mutate(seed: int, count: int) -> int:
    draw = random.Random(seed)
    refused = 0
    for turn in range(count):
        original = genuine(*SUBJECTS[turn % len(SUBJECTS)])
        document = mutated(original, draw)
        try:
            verified(document)
        except Refused:
            refused += 1
        else:
            assert is_true(document, original), json.dumps(document)
    return refused


def test_a_mutated_certificate_is_refused_or_claims_nothing_false() -> None:
    assert mutate(1, 150) > 90


@pytest.mark.release
def test_thousands_of_mutated_certificates_are_refused_or_claim_nothing_false() -> None:
    assert mutate(2, 6000) > 3600


# -- random formulas -------------------------------------------------------------------------------------


def check(tree: Expr) -> None:
    if not symbols(tree, "weight"):
        return
    loss, domain = Loss(weights=("w",), expression=tree), {"w": (-3.0, 3.0)}
    search = find(loss, domain, budget=Budget(boxes=300))
    shown = verify(json.dumps(certify(loss, domain, search))).search
    certified = [p for p in search.critical_points if p.proof == "certified"]
    assert all(p.kind in {q.kind for q in certified} for p in shown.critical_points), to_text(tree)
    assert search.complete or not shown.complete, to_text(tree)
    assert not shown.complete or len(shown.critical_points) == len(certified), to_text(tree)


ONE_WEIGHT = Kinds(reductions=False, leaves=WEIGHTS[:1])
RELAXED = settings(suppress_health_check=list(HealthCheck), deadline=None)


@given(tree=trees(ONE_WEIGHT, depth=2))
@settings(RELAXED, max_examples=5)
def test_the_certificate_of_a_random_formula_verifies(tree: Expr) -> None:
    check(tree)


@pytest.mark.release
@given(tree=trees(ONE_WEIGHT))
@settings(RELAXED, max_examples=300)
def test_the_certificates_of_random_formulas_verify(tree: Expr) -> None:
    check(tree)
