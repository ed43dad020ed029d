"""Certificates of several weights: genuine ones are accepted, and nothing false can be made to pass."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache
from typing import Any

import pytest
from tiers import later

from gdsim.critical.budget import Budget
from gdsim.critical.certificates.document import Refused, compose, digest, read, restated
from gdsim.critical.certificates.space_checker import check
from gdsim.critical.certificates.space_cover import TooTangled, uncovered
from gdsim.critical.certificates.space_scaling import scaled_kind
from gdsim.critical.certificates.space_writer import leaves
from gdsim.critical.space.search import certify
from gdsim.critical.written import WrittenLoss
from gdsim.losses import Loss

Document = dict[str, Any]
Change = Callable[[Document], None]

HIMMELBLAU = "(x^2 + y - 11)^2 + (x + y^2 - 7)^2"
RASTRIGIN = "20 + x^2 - 10cos(2*pi*x) + y^2 - 10cos(2*pi*y)"
THREE_HUMPS = "2x^2 - 1.05x^4 + x^6/6 + x*y + y^2"
CAMEL = "(4 - 2.1x^2 + x^4/3)x^2 + x*y + (-4 + 4y^2)y^2"
STYBLINSKI_TANG = " + ".join(f"({w}^4 - 16{w}^2 + 5{w})/2" for w in "abc")
TWO_WELLS = "(x^2 - 1)^2 + y^2"


@cache
def written_down(text: str, low: float, high: float, boxes: int = 20_000) -> str:
    loss = restated(Loss.from_text(text))
    domain = dict.fromkeys(loss.weights, (low, high))
    found, shown = leaves(loss, domain, Budget(boxes=boxes))
    return json.dumps(compose(loss, domain, found.critical_points, found.complete, shown))


def genuine(text: str = TWO_WELLS, low: float = -2, high: float = 2.5) -> Document:
    return json.loads(written_down(text, low, high))


def verify(document: Document) -> Counter[str]:
    """Read and check a document as a stranger would who made its digest agree."""
    certificate = read(json.dumps({**document, "sha256": digest(document)}))
    domain = [certificate.domain[name] for name in certificate.loss.weights]
    return check(certificate.written, domain, certificate.points, certificate.complete, certificate.leaves)


@pytest.mark.parametrize(
    ("text", "low", "high", "kinds"),
    [
        (TWO_WELLS, -2, 2.5, {"minimum": 2, "saddle": 1}),
        (HIMMELBLAU, -5, 5, {"minimum": 4, "maximum": 1, "saddle": 4}),
        (RASTRIGIN, -1.3, 1.3, {"minimum": 9, "maximum": 4, "saddle": 12}),
        (THREE_HUMPS, -3, 3, {"minimum": 3, "saddle": 2}),
        (CAMEL, -3, 3, {"minimum": 6, "maximum": 2, "saddle": 7}),
        later(STYBLINSKI_TANG, -5, 5, {"minimum": 8, "maximum": 1, "saddle": 18}),
        ("x^2 + y^2 + z^2", -1, 2, {"minimum": 1}),
        ("((x - 0.3)^2 - 1e-8^2)^2 + (y - x/3)^2", -2, 2, {"minimum": 2, "saddle": 1}),
        ("log(x) + x + y", -1, 2, {}),
        ("1/x + x + y^2 - 3y + y*x", 0.1, 3, {"minimum": 1}),
        ("abs(x - 1) + (x + 1)^2 + (y^2 - 1)^2", -2, 2.5, {"minimum": 2, "saddle": 1}),
        ("huber(x - y/3, 0.5) + (x + y - 0.1)^2", -2, 2, {"minimum": 1}),
        ("x^2*y/3 + y^2 + x + abs(x*(x - y)) + 3y", 0.5, 2, {}),
        ("where(x < 0, x^2, 2x^2) + y^2 + 3y", -1, 1, {}),
        ("x^2 + y^2", 0, 1, {"minimum": 1}),
        ("x^3 - 3x*y^2", -2, 2.5, {"saddle": 1}),
        ("(x - 0.1)^4 + (y - 1/3)^6", -2, 2.5, {"minimum": 1}),
        ("x^2 + y^2 - z^4", -2, 2.5, {"saddle": 1}),
        ("-x^4 - y^4", -2, 2.5, {"maximum": 1}),
    ],
)
def test_a_genuine_certificate_of_everything_is_accepted(
    text: str, low: float, high: float, kinds: Mapping[str, int]
) -> None:
    document = genuine(text, low, high)
    counts = verify(document)
    assert document["complete"]
    assert "left" not in counts
    assert sum(counts.values()) == len(document["leaves"])
    assert Counter(point["kind"] for point in document["critical_points"]) == kinds
    assert all(point["boundary"] == (low == 0) for point in document["critical_points"])


@pytest.mark.parametrize(
    ("text", "low", "high", "points"),
    [
        ("sqrt(x - 1) + x^2 - 4x + y^2", -1, 3, 2),
        ("abs(x) + (y^2 - 1)^2", -1, 1.3, 0),
        ("where(x < 0, x + 1, x) + y^2 + 3y", -1, 1, 0),
        ("3 + 0x*y", -1, 1, 0),
        ("x^2 + y^4 + y^5", -0.5, 0.7, 0),
    ],
)
def test_a_certificate_of_less_is_accepted_but_not_as_complete(
    text: str, low: float, high: float, points: int
) -> None:
    document = genuine(text, low, high)
    assert verify(document)["left"] > 0
    assert not document["complete"]
    assert len(document["critical_points"]) == points
    with pytest.raises(Refused, match="may hold unlisted"):
        verify({**document, "complete": True})


def test_a_certificate_of_a_search_whose_budget_ended_is_accepted_but_not_as_complete() -> None:
    document = json.loads(written_down(RASTRIGIN, -5.12, 5.12, 500))
    assert verify(document)["left"] > 0
    assert not document["complete"]
    with pytest.raises(Refused, match="may hold unlisted"):
        verify({**document, "complete": True})


def test_boxes_with_an_edge_of_where_the_loss_is_defined_are_counted() -> None:
    assert verify(genuine("x^1.5 + y", -1, 2)) == {"edge": 1}
    assert verify(genuine("1/x + x + y^2 - 3y + y*x", 0.1, 3))["edge"] == 0


def test_a_certificate_over_data_is_accepted() -> None:
    data = {"x": [0.0, 1.0, 2.0], "y": [0.1, 1.0, 5.0]}
    for text, complete in (("mean((a*x + b - y)^2)", True), ("mean(abs(a*x + b - y))", False)):
        loss = restated(Loss.from_text(text, data=data))
        domain = {"a": (-1.0, 4.0), "b": (-1.0, 1.0)}
        found, shown = leaves(loss, domain, Budget(boxes=2000))
        assert found.complete == complete
        verify(compose(loss, domain, found.critical_points, found.complete, shown))


def test_every_box_of_a_search_is_closed_again_by_the_test_that_closed_it() -> None:
    for text in (HIMMELBLAU, CAMEL):
        found, shown = leaves(Loss.from_text(text), dict.fromkeys("xy", (-4.0, 4.5)))
        assert found.complete
        assert all(leaf["test"] != "left" and leaf["bits"] in (53, 128) for leaf in shown)


# -- forgeries -------------------------------------------------------------------------------------------


def krawczyk(document: Document) -> list[Document]:
    return [leaf for leaf in document["leaves"] if leaf["test"] == "krawczyk"]


def ends(point: Document) -> list[list[float]]:
    return list(point["interval"].values())


def add_a_point(document: Document) -> None:
    point = copy.deepcopy(document["critical_points"][0])
    point["weight"] = {name: value + 0.1 for name, value in point["weight"].items()}
    point["interval"] = {name: [value, value] for name, value in point["weight"].items()}
    document["critical_points"].append(point)


def list_a_point_twice(document: Document) -> None:
    point = copy.deepcopy(document["critical_points"][0])
    ends(point)[0][1] += 1e-12
    document["critical_points"].append(point)


def join_two_points(document: Document) -> None:
    first, second, *_ = document["critical_points"]
    document["critical_points"].remove(second)
    for name, (low, high) in first["interval"].items():
        other = second["interval"][name]
        first["interval"][name] = [min(low, other[0]), max(high, other[1])]


def shift_a_point(document: Document) -> None:
    point = document["critical_points"][0]
    point["weight"] = {name: value + 1e-9 for name, value in point["weight"].items()}
    point["interval"] = {name: [a + 1e-9, b + 1e-9] for name, (a, b) in point["interval"].items()}


def prove_another_point_twice(document: Document) -> None:
    first, second, *_ = krawczyk(document)
    first["inflated"] = second["inflated"]


def prove_in_a_box_of_two_zeros(document: Document) -> None:
    for leaf in krawczyk(document):
        leaf["inflated"] = [[-2.2, -2.2], [2.7, 2.7]]


def shrink_every_box(document: Document) -> None:
    for leaf in document["leaves"]:
        low, high = leaf["box"]
        leaf["box"] = [low, [(a + 3 * b) / 4 for a, b in zip(low, high, strict=True)]]


def shrink_a_box(document: Document) -> None:
    document["leaves"][0]["box"][0][0] += 1e-15


def deny_zeros(document: Document) -> None:
    for leaf in krawczyk(document):
        leaf["test"] = "gradient"
        del leaf["inflated"]


def move_a_box(document: Document) -> None:
    low, high = document["leaves"][3]["box"]
    document["leaves"][3]["box"] = [[a + 1e-3 for a in low], [b + 1e-3 for b in high]]


def set_point(key: str, value: object) -> Change:
    return lambda document: document["critical_points"][0].update({key: value})


def set_leaf(key: str, value: object, test: str = "krawczyk") -> Change:
    def change(document: Document) -> None:
        next(leaf for leaf in document["leaves"] if leaf["test"] == test)[key] = value

    return change


def set_corner(value: object, test: str = "gradient") -> Change:
    def change(document: Document) -> None:
        next(leaf for leaf in document["leaves"] if leaf["test"] == test)["box"][0][0] = value

    return change


FORGERIES: dict[str, tuple[Change, str]] = {
    "a leaf is removed": (lambda d: d["leaves"].pop(5), "no leaf covers"),
    "all leaves are removed": (lambda d: d["leaves"].clear(), "no leaf covers"),
    "a leaf is shrunk by a few ulp": (shrink_a_box, "no leaf covers"),
    "every leaf is shrunk": (shrink_every_box, "no leaf covers"),
    "a box is moved": (move_a_box, "no leaf covers|not closed"),
    "the domain is larger": (lambda d: d["domain"].update(x=[-2, 3]), "no leaf covers"),
    "a test is another, with the same evidence": (set_leaf("test", "gradient"), "exactly the entries"),
    "a zero is said to be none, by the gradient": (deny_zeros, "not closed"),
    "a zero is said to be none": (set_leaf("test", "no zero"), "not closed"),
    "a zero is said to be none, by its slope": (set_leaf("test", "mean value"), "not closed"),
    "a box is said to be nowhere": (set_leaf("test", "nowhere", "gradient"), "not closed"),
    "a box is said to be flat": (set_leaf("test", "flat", "gradient"), "not closed"),
    "a leaf is left": (set_leaf("test", "left", "gradient"), "may hold unlisted"),
    "a test is unknown": (set_leaf("test", "faith"), "no known test"),
    "a test is no word": (set_leaf("test", ["gradient"]), "no known test"),
    "a point is removed": (lambda d: d["critical_points"].pop(0), "not claimed"),
    "a point is removed and complete is false": (
        lambda d: d.update(complete=False) or d["critical_points"].pop(0), "not claimed"),
    "all points are removed": (lambda d: d["critical_points"].clear(), "not claimed"),
    "a point is added": (add_a_point, "no leaf shows critical point 3"),
    "a point is listed twice": (list_a_point_twice, "claimed twice"),
    "two points are joined": (join_two_points, "may hold more than one"),
    "a point is shifted": (shift_a_point, "not claimed"),
    "a minimum is said to be a saddle": (set_point("kind", "saddle"), "not shown to be a saddle"),
    "a minimum is said to be a maximum": (set_point("kind", "maximum"), "not shown to be a maximum"),
    "a kind is unknown": (set_point("kind", "pass"), "not shown to be a pass"),
    "a multiplicity is another": (set_point("multiplicity", 2), "multiplicity"),
    "a multiplicity is withheld": (set_point("multiplicity", None), "multiplicity"),
    "a loss is another": (set_point("loss", 1e-9), "the loss at"),
    "curvatures are others": (set_point("curvature", [2.0, 8.1]), "curvatures"),
    "curvatures are missing": (set_point("curvature", []), "curvatures"),
    "a point is said to lie on the boundary": (set_point("boundary", True), "boundary"),
    "another point is proved twice": (prove_another_point_twice, "not inside"),
    "a zero is said to be the only one of three": (prove_in_a_box_of_two_zeros, "not closed"),
    "the formula is another's": (lambda d: d.update(formula="(x^2 - 1.0001)^2 + y^2"), "."),
    "the formula has a kink": (lambda d: d.update(formula="(x^2 - 1)^2 + y^2 + abs(x - 1)/1000"), "."),
    "a corner is a string": (set_corner("-2"), "no number"),
    "a corner is true": (set_corner(True), "no number"),
    "a corner is null": (set_corner(None), "no number"),
    "a corner is infinite": (set_corner(float("inf")), "no number|not finite"),
    "a corner is not a number": (set_corner(float("nan")), "no number"),
    "a corner is no double": (set_corner(2**60 + 1), "no double"),
    "a corner is too large": (set_corner(10**400), "too large"),
    "a box is empty": (set_corner(1e9), "is empty"),
    "a box has one corner": (set_leaf("box", [[0.0, 0.0]]), "two corners"),
    "a box has three weights": (set_leaf("box", [[0.0] * 3, [1.0] * 3]), "2 coordinates"),
    "a box is missing": (lambda d: d["leaves"][0].pop("box"), "exactly the entries"),
    "a leaf says more": (set_leaf("note", "trust me"), "exactly the entries"),
    "bits are few": (set_leaf("bits", 2), "the bits of"),
    "bits are very many": (set_leaf("bits", 10**9), "the bits of"),
    "bits are true": (set_leaf("bits", True), "the bits of"),
    "bits are a float": (set_leaf("bits", 53.0), "the bits of"),
    "an inflated box is null": (set_leaf("inflated", None), "two corners"),
    "an inflated box is smaller than the box": (
        set_leaf("inflated", [[0.99, -0.01], [1.01, 0.01]]), "not inside|not closed"),
    "a loss is a string": (set_point("loss", "0"), "no number"),
    "a boundary is a number": (set_point("boundary", 0), "neither true nor false"),
}  # fmt: skip


@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_certificate_is_refused(name: str) -> None:
    change, reason = FORGERIES[name]
    document = genuine()
    change(document)
    with pytest.raises(Refused, match=reason):
        verify(document)


@pytest.mark.parametrize(
    ("text", "key", "value", "reason"),
    [
        ("x^4 + y^4", "place", ["1/100", "0"], "not closed"),
        ("x^4 + y^4", "scaling", ["1/4", "1/3"], "not closed"),
        ("x^4 + y^4", "scaling", ["1/4", "-1/4"], "not closed"),
        ("x^4 + y^4", "inflated", [[-1.0, -1.0], [1.0, 0.0]], "not closed"),
        ("x^4 + y^4", "place", [0, 0], "rationals"),
        ("x^4 + y^4", "place", ["0", "1/0"], "rationals"),
        ("x^4 + y^4", "place", ["0"], "2 numbers"),
        ("x^4 + y^4", "scaling", ["nan", "1/4"], "rationals"),
    ],
)
def test_a_forged_degenerate_point_is_refused(text: str, key: str, value: object, reason: str) -> None:
    document = genuine(text)
    set_leaf(key, value, "scaled")(document)
    with pytest.raises(Refused, match=reason):
        verify(document)


@pytest.mark.parametrize("other", ["x^4 + y^4 + x^5", "x^4 - x^2*y^2/2", "x^4 + y^4 + x", "exp(x^4) + y^4"])
def test_evidence_of_a_degenerate_point_is_no_evidence_for_another_loss(other: str) -> None:
    document = genuine("x^4 + y^4")
    with pytest.raises(Refused):
        verify({**document, "formula": other})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("x^4 + y^4", "minimum"), ("-x^4 - y^4", "maximum"), ("x^4 - y^4", "saddle"), ("x^3*y", ""),
        ("x^4 - x^2*y^2/2 + y^4/16", ""), ("x^4 + x^2*y^2", ""), ("(x^4 + y^4)/3", "minimum"),
        ("x^4 + y^4 + 7", "minimum"), ("x^4/y + y^4", ""), ("x^4 + y^5", ""), ("7 + 0x*y", ""),
    ],
)  # fmt: skip
def test_the_kind_of_the_only_zero_is_read_off_a_frame(text: str, kind: str) -> None:
    written = WrittenLoss.of(Loss.from_text(text))
    place, quarter = (Fraction(0),) * 2, (Fraction(1, 4),) * 2
    assert scaled_kind(written, place, quarter, ((-1.0, -1.5), (2.0, 1.0))) == kind


# -- what must hold whatever is changed ------------------------------------------------------------------


def numbers(document: Document) -> list[tuple[Any, Any]]:
    """Where the numbers of boxes and points are."""
    found: list[tuple[Any, Any]] = []
    for leaf in document["leaves"]:
        for box in (leaf["box"], leaf.get("inflated", [])):
            found += [(corner, place) for corner in box for place in range(len(corner))]
    for point in document["critical_points"]:
        found += [(pair, place) for pair in ends(point) for place in (0, 1)]
        found += [(point["weight"], name) for name in point["weight"]]
        found += [(point, "loss"), (point["curvature"], 0)]
    return found


def mutate(document: Document, rng: random.Random) -> None:
    """Change one thing, as by accident or by intent."""
    leaf, point = rng.choice(document["leaves"]), rng.choice(document["critical_points"])
    match rng.randrange(8):
        case 0 | 1 | 2:
            holder, key = rng.choice(numbers(document))
            holder[key] = rng.choice(
                [-holder[key], holder[key] + rng.choice([-1, 1]) * 10.0 ** rng.randrange(-16, 1), 0.0, 1.0]
            )
        case 3:
            leaf["test"] = rng.choice(["gradient", "mean value", "no zero", "krawczyk", "flat", "nowhere"])
            if leaf["test"] in ("mean value", "no zero", "krawczyk"):
                leaf.setdefault("inflated", leaf["box"])
            else:
                leaf.pop("inflated", None)
        case 4:
            point["kind"] = rng.choice(["minimum", "maximum", "saddle"])
        case 5:
            document["critical_points"].remove(point)
        case 6:
            document["leaves"].remove(leaf)
        case 7:
            other = rng.choice(document["critical_points"])
            key = rng.choice(["interval", "weight", "curvature", "boundary"])
            point[key] = other[key]


def is_true(document: Document, truth: Document) -> bool:
    """Whether each claimed point is one of the true ones, and all are there if that is said."""
    points, true = document["critical_points"], truth["critical_points"]
    matched = [
        next((place for place, other in enumerate(true) if agrees(point, other)), None) for point in points
    ]
    return None not in matched and len(set(matched)) == len(points) == len(true)


def agrees(point: Document, other: Document) -> bool:
    around = all(a <= c and d <= b for (a, b), (c, d) in zip(ends(point), ends(other), strict=True)) or ends(
        point
    ) == ends(other)
    near = all(abs(point["weight"][w] - other["weight"][w]) <= 1e-15 for w in other["weight"])
    return around and near and point["kind"] == other["kind"] and abs(point["loss"] - other["loss"]) <= 2e-12


@pytest.mark.parametrize("text", [later(TWO_WELLS), "x^3 - 3x + y^2 + x*y/5"])
def test_whatever_is_changed_is_refused_or_leaves_what_is_true(text: str) -> None:
    rng = random.Random(text)
    truth = genuine(text)
    refused = 0
    for _ in range(100):
        document = genuine(text)
        for _ in range(rng.choice([1, 1, 2])):
            mutate(document, rng)
        try:
            verify(document)
        except Refused:
            refused += 1
        else:
            assert is_true(document, truth)
    assert refused > 50


# -- covers ----------------------------------------------------------------------------------------------


def tiles(count: int) -> list[tuple[tuple[float, ...], tuple[float, ...]]]:
    return [((i, j), (i + 1.0, j + 1.0)) for i in map(float, range(count)) for j in map(float, range(count))]


def test_a_cover_of_tiles_has_no_gap_until_one_is_taken() -> None:
    whole, all_ = ((0.0, 0.0), (12.0, 12.0)), tiles(12)
    assert uncovered(whole, all_) is None
    for place, tile in enumerate(all_):
        assert uncovered(whole, all_[:place] + all_[place + 1 :]) == tile


def test_a_pinwheel_that_no_straight_cut_parts_is_a_cover() -> None:
    pinwheel = [((0.0, 0.0), (2.0, 1.0)), ((2.0, 0.0), (3.0, 2.0)), ((1.0, 2.0), (3.0, 3.0)),
                ((0.0, 1.0), (1.0, 3.0)), ((1.0, 1.0), (2.0, 2.0))]  # fmt: skip
    whole = ((0.0, 0.0), (3.0, 3.0))
    assert uncovered(whole, pinwheel) is None
    assert uncovered(whole, pinwheel[:4]) == pinwheel[4]


def test_a_cover_that_takes_too_long_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gdsim.critical.certificates.space_cover._WORK", 0.01)
    with pytest.raises(TooTangled):
        uncovered(((0.0, 0.0), (12.0, 12.0)), tiles(12))


# -- what was found in the search by writing the checker --------------------------------------------------


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("huber(x, y) + 2x^2 + 5*(y + 1.5)^2", -2, -1), ("huber(x, -1) + 2x^2 + y^2", -1, 1)],
)
def test_hubers_kink_at_zero_where_its_threshold_is_negative_is_not_overlooked(
    text: str, low: float, high: float
) -> None:
    found = certify(Loss.from_text(text), {"x": (-1, 1), "y": (low, high)})
    assert not found.complete
    assert any("kink" in str(item["reason"]) for item in found.unresolved)
    assert Counter(point.kind for point in found.critical_points) == {"minimum": 2}
