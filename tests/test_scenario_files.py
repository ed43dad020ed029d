"""The shipped scenarios: each runs to what it expects, and what it expects is true.

The expected numbers are recomputed here by witnesses that share no code with gdsim: a loop in 40-digit
arithmetic over derivatives by SymPy, least squares by NumPy, and a fit by SciPy.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from shipped import executed, loaded
from tiers import later

from gdsim import scenario
from gdsim.losses import LOSSES
from gdsim.runs import check
from gdsim.scenario import Scenario

SHIPPED = scenario.shipped_scenarios()
ROOT = scenario.shipped("scenarios")
LOADED = {name: loaded(name) for name in SHIPPED}
FEW_STEPS = 120  # what the witness takes in the default suite; all of it before a release


LONG = ("iris-two-weights", "iris-minibatch", "rosenbrock-beyond-limit")  # thousands of steps each


@pytest.mark.parametrize("name", [later(name) if name in LONG else name for name in SHIPPED])
def test_every_shipped_scenario_does_what_it_expects(name: str) -> None:
    results = check(executed(name))
    assert results
    assert [f"{one.path}: expected {one.expected}, found {one.found}" for one in results if not one.met] == []


# ---- the files themselves


@pytest.mark.parametrize("name", [*SHIPPED])
def test_every_file_has_a_title_a_comment_a_domain_and_something_to_expect(name: str) -> None:
    lines = SHIPPED[name].read_text(encoding="utf-8").splitlines()
    comment = [line for line in lines[1:] if line.startswith("# ")]
    assert sum(map(len, comment)) > 60
    found = LOADED[name]
    assert found.title
    assert found.expect
    assert {"verdict", "status"} & {*found.expect}
    assert "domain:" in "\n".join(lines)


def test_names_are_unique_and_hyphenated() -> None:
    files = list(ROOT.rglob("*.y*ml"))
    assert len({path.stem for path in files}) == len(files)
    assert not [path.stem for path in files if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", path.stem)]


def test_titles_are_unique() -> None:
    titles = [found.title for found in LOADED.values()]
    assert sorted({*titles}) == sorted(titles)


def test_parabola_is_the_plain_first_one() -> None:
    first = LOADED["parabola"]
    assert first.loss.expression == "w**2"
    assert (first.initial_weight, first.learning_rate.initial) == ({"w": 10.0}, 0.2)


# ---- a witness in 40 digits

_NAMES: dict[str, Callable[..., Any]] = {
    "sigmoid": lambda x: 1 / (1 + sympy.exp(-x)),
    "softplus": lambda x: sympy.log(1 + sympy.exp(x)),
    "max": sympy.Max,
    "abs": sympy.Abs,
    "huber": lambda x: sympy.Piecewise(
        (x**2 / 2, sympy.Abs(x) <= 1), (sympy.Abs(x) - sympy.Rational(1, 2), True)
    ),
}


def gradients(found: Scenario) -> list[Callable[..., Any]]:
    """∂L/∂w of a formula without data, by SymPy, as mpmath functions."""
    symbols = {name: sympy.Symbol(name, real=True) for name in found.initial_weight}
    parameters = {key: sympy.nsimplify(repr(value)) for key, value in found.loss.parameters.items()}
    text = found.loss.expression.replace("^", "**")
    text = re.sub(r"(?<=\d)(?=[a-z(])", "*", text)
    text = re.sub(r"\d+\.\d*", lambda match: f"Rational('{match[0]}')", text)
    tree = sympy.sympify(text, locals={**symbols, **parameters, **_NAMES})
    order = [symbols[name] for name in found.initial_weight]
    # the derivative of |w| is sign(w), without the delta that SymPy adds at 0
    slopes = [sympy.diff(tree, symbol).replace(sympy.DiracDelta, lambda *_: sympy.S.Zero) for symbol in order]
    return [sympy.lambdify(order, slope, "mpmath") for slope in slopes]


def is_plain(found: Scenario) -> bool:
    """Whether the run is plain gradient descent on a formula without data."""
    return found.update_rule.name == "gradient_descent" and found.noise is None and found.data is None


def expected_weights(found: Scenario) -> dict[int, Mapping[str, Any]]:
    """The states that the file expects at given steps."""
    assert found.expect is not None
    states: dict[int, Mapping[str, Any]] = dict(found.expect.get("at", {}))  # type: ignore[call-overload]
    return {step: state for step, state in states.items() if "weight" in state}


PLAIN = {
    name: max(at) for name, found in LOADED.items() if is_plain(found) and (at := expected_weights(found))
}


def descend(name: str) -> None:
    """Compare every expected weight with a descent in 40 digits."""
    found = LOADED[name]
    slopes = gradients(found)
    states = expected_weights(found)
    with mpmath.workdps(40):
        rate = mpmath.mpf(found.learning_rate.initial)
        weight = [mpmath.mpf(value) for value in found.initial_weight.values()]
        for step in range(max(states) + 1):
            if step in states:
                tolerance = states[step]["tolerance"]
                for key, value in states[step]["weight"].items():
                    truth = weight[[*found.initial_weight].index(key)]
                    # the tolerance is the run's; what the file says must be true to a rounding of it
                    assert abs(value - truth) <= tolerance * max(1, abs(truth)) + 1e-15, (step, key, truth)
            weight = [w - rate * slope(*weight) for w, slope in zip(weight, slopes, strict=True)]


@pytest.mark.parametrize("name", [name for name, steps in PLAIN.items() if steps <= FEW_STEPS])
def test_expected_weights_are_those_of_a_descent_in_forty_digits(name: str) -> None:
    descend(name)


@pytest.mark.release
@pytest.mark.parametrize("name", [name for name, steps in PLAIN.items() if steps > FEW_STEPS])
def test_expected_weights_of_long_runs_are_those_of_a_descent_in_forty_digits(name: str) -> None:
    descend(name)


def test_most_scenarios_have_a_witness() -> None:
    assert len(PLAIN) > 20


@pytest.mark.parametrize(
    "name",
    [name for name, found in LOADED.items() if is_plain(found) and "cycle" in (found.expect or {})],
)
def test_expected_cycles_are_cycles_of_the_map_in_forty_digits(name: str) -> None:
    """One round of the descent from each value comes back to it; ten digits stand in the longest."""
    found = LOADED[name]
    assert found.expect is not None
    values = [*found.expect["cycle"]]  # type: ignore[index]
    (slope,) = gradients(found)
    with mpmath.workdps(40):
        rate = mpmath.mpf(found.learning_rate.initial)
        for value in values:
            weight = mpmath.mpf(value)
            seen = []
            for _ in values:
                seen.append(float(weight))
                weight -= rate * slope(weight)
            # one round multiplies the rounding of the value by the product of |1 − ηf″|, below 10⁴ here
            assert abs(weight - value) < 1e-11
            assert sorted(seen) == pytest.approx(sorted(values), abs=1e-11)


@pytest.mark.parametrize(
    "name",
    [
        name for name, found in LOADED.items()
        if is_plain(found) and (found.expect or {}).get("verdict") in ("minimum", "maximum", "saddle")
    ],
)  # fmt: skip
def test_expected_ends_are_zeros_of_the_derivative(name: str) -> None:
    """Newton in 40 digits from where the file says the run ends stays within its tolerance."""
    found = LOADED[name]
    final: Any = (found.expect or {}).get("final", {})
    if "weight" not in final or (found.expect or {}).get("status") != "CONVERGED":
        pytest.skip("the file states no end")
    slopes = gradients(found)
    start = [final["weight"][key] for key in found.initial_weight]
    with mpmath.workdps(40):
        if all(abs(slope(*map(mpmath.mpf, start))) < 1e-30 for slope in slopes):
            return
        root = mpmath.findroot(lambda *w: [slope(*w) for slope in slopes], start, tol=1e-50)
        assert max(abs(a - b) for a, b in zip(root, start, strict=True)) <= final["tolerance"]


# ---- real data


def columns(name: str) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    with (ROOT / "data" / name).open(newline="", encoding="utf-8") as stream:
        rows = [*csv.DictReader(stream)]
    return {key: np.array([float(row[key]) for row in rows]) for key in rows[0]}


def z_score(column: np.ndarray[Any, np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    return (column - column.mean()) / column.std()


def final_weight(name: str) -> dict[str, float]:
    run = executed(name)
    return dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))


@pytest.mark.parametrize(("name", "scaled"), [("engel-newton", False), ("engel-standardised", True)])
def test_linear_regression_equals_least_squares(name: str, scaled: bool) -> None:
    data = columns("engel.csv")
    income = z_score(data["income"]) if scaled else data["income"]
    design = np.column_stack([np.ones_like(income), income])
    (intercept, slope), *_ = np.linalg.lstsq(design, data["foodexp"], rcond=None)
    found = final_weight(name)
    # the raw problem has κ² ≈ (5.7e6): lstsq itself is sure to about κ·2⁻⁵² of 147 ≈ 2e-7
    assert found["intercept"] == pytest.approx(intercept, rel=1e-9)
    assert found["slope"] == pytest.approx(slope, rel=1e-9)


def test_the_raw_and_the_scaled_line_are_the_same_line() -> None:
    data = columns("engel.csv")
    raw, scaled = final_weight("engel-newton"), final_weight("engel-standardised")
    mean, deviation = data["income"].mean(), data["income"].std()
    assert scaled["slope"] / deviation == pytest.approx(raw["slope"], rel=1e-9)
    assert scaled["intercept"] - scaled["slope"] * mean / deviation == pytest.approx(
        raw["intercept"], rel=1e-9
    )


@pytest.mark.parametrize(
    ("name", "features"),
    [
        ("iris-one-weight", {"w": "petal_length"}),
        later("iris-two-weights", {"u": "petal_length", "v": "petal_width"}),
    ],
)
def test_logistic_regression_equals_a_fit_by_scipy(name: str, features: dict[str, str]) -> None:
    from scipy.optimize import minimize

    data = columns("iris-versicolor-virginica.csv")
    label = data["virginica"]
    design = np.column_stack([np.ones_like(label), *(z_score(data[column]) for column in features.values())])

    def loss(weight: Any) -> tuple[float, Any]:
        score = design @ weight
        chance = 1 / (1 + np.exp(-score))
        return float(np.mean(np.logaddexp(0, score) - label * score)), design.T @ (chance - label) / len(
            label
        )

    fit = minimize(loss, np.zeros(design.shape[1]), jac=True, method="BFGS", options={"gtol": 1e-10})
    found = final_weight(name)
    # both gradients are below 1e-8 and the least curvature is 0.0027: the weights agree to 2·1e-8/0.0027
    assert [found["b"], *(found[key] for key in features)] == pytest.approx(fit.x.tolist(), abs=8e-6)


def test_the_data_are_complete() -> None:
    engel, iris = columns("engel.csv"), columns("iris-versicolor-virginica.csv")
    assert (len(engel["income"]), len(iris["virginica"]), int(iris["virginica"].sum())) == (235, 100, 50)


def test_every_data_file_has_its_provenance() -> None:
    text = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    assert [file.name for file in ROOT.rglob("*.csv") if file.name not in text] == []


# ---- the page


PAGE = (Path(__file__).parent.parent / "docs" / "scenarios.md").read_text(encoding="utf-8")


def test_the_page_has_a_heading_for_every_folder() -> None:
    folders = {path.parent.name for path in SHIPPED.values()}
    assert {*re.findall(r"^`scenarios/([a-z-]+)/`", PAGE, re.MULTILINE)} == folders


def test_library_losses_are_used_by_name() -> None:
    assert {found.loss.name for found in LOADED.values()} >= {"rosenbrock", "himmelblau", "three_hump_camel"}
    assert {found.loss.name for found in LOADED.values()} <= {"", *LOSSES}
