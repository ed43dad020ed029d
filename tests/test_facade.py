"""``import gdsim``: the same laboratory from Python."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

import gdsim
import gdsim.runs
from gdsim.expr.display import to_text
from gdsim.outcomes import InputError
from gdsim.sweeps.execution import Choice


def refused(call: object, *words: object, **options: object) -> str:
    with pytest.raises(InputError) as caught:
        call(*words, **options)  # type: ignore[operator]
    return str(caught.value)


# ---- simulate


def test_a_run_from_python_is_the_run_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "run.yaml"
    path.write_text("loss: (w^2 - 1)^2\ninitial_weight: 1/2\nlearning_rate: 0.1\n", encoding="utf-8")
    one = gdsim.simulate("(w^2 - 1)^2", initial_weight=0.5, learning_rate=0.1)
    other = gdsim.run(path)
    assert one.summary() == other.summary()


@pytest.mark.parametrize("given", [None, "3", [1.0], 1j])
def test_a_function_that_returns_no_number_is_refused(given: object) -> None:
    def loss(w: float) -> Any:
        return given

    expected = "which is no number; expected a function that returns a number"
    for derivative in ("numeric", "scipy"):
        assert expected in refused(
            gdsim.simulate, loss, initial_weight=1, learning_rate=0.1, derivative=derivative
        )
    assert expected in refused(gdsim.critical_points, loss)


def test_a_function_may_return_whole_numbers_and_raise_arithmetic_errors() -> None:
    assert gdsim.simulate(lambda w: 3, initial_weight=1, learning_rate=0.1).verdict.kind == "flat"
    assert gdsim.simulate(lambda w: 10**400, initial_weight=1, learning_rate=0.1).status == "NONFINITE"
    assert gdsim.simulate(lambda w: 1 / (w - w), initial_weight=1, learning_rate=0.1).status == "NONFINITE"


def test_one_override_needs_no_list() -> None:
    assert gdsim.run("parabola", overrides="learning_rate=1.1").verdict.kind == "diverged"
    swept = gdsim.sweep(
        {"loss": "w^2", "initial_weight": 1}, {"learning_rate": [2]}, overrides="learning_rate=1"
    )
    assert swept.runs == 1


def test_a_run_has_what_the_contract_names() -> None:
    run = gdsim.simulate("(w**2 - 1)**2", initial_weight=0.5, learning_rate=0.1)
    assert run.verdict.kind == "minimum"
    assert run.trajectory.weight.shape[1:] == (1, 1)
    assert [point.kind for point in run.critical_points] == ["minimum", "maximum", "minimum"]
    assert run.summary()["status"] == "CONVERGED"
    assert isinstance(run.plot(), Figure)
    assert isinstance(run.plot("convergence"), Figure)


def test_a_python_function_is_a_loss() -> None:
    run = gdsim.simulate(lambda w: (w - 3) ** 2, initial_weight=0, learning_rate=0.25)
    assert run.status == "CONVERGED"
    # w_k − 3 = −3·(1 − 2η)^k, to the error of a central difference
    expected = 3 - 3 * 0.5**run.trajectory.step_index
    np.testing.assert_allclose(run.trajectory.weight[:, 0, 0], expected, atol=1e-7)
    assert run.trajectory.loss_evaluations[0] > run.trajectory.gradient_evaluations[0]
    assert run.scenario is None
    assert isinstance(run.plot(), Figure)


def test_a_function_of_two_weights_runs_as_its_formula_does() -> None:
    def valley(x: float, y: float) -> float:
        return (1 - x) ** 2 + 5 * (y - x**2) ** 2

    settings = {"initial_weight": {"x": -0.5, "y": 0.5}, "learning_rate": 0.02, "stopping": {"max_steps": 50}}
    one = gdsim.simulate(valley, **settings)
    other = gdsim.simulate("(1 - x)^2 + 5*(y - x^2)^2", **settings)
    np.testing.assert_allclose(one.trajectory.weight, other.trajectory.weight, atol=1e-7)


def test_columns_may_be_arrays_and_numbers_numpys() -> None:
    x = np.array([1.0, 2.0, 3.0])
    run = gdsim.simulate(
        "mean((w*x - y)^2)",
        initial_weight=np.float64(0),
        learning_rate=np.float32(0.125),
        data={"x": x, "y": 2 * x},
    )
    assert run.trajectory.final_weight[0, 0] == pytest.approx(2, abs=1e-8)


def test_a_library_loss_goes_by_its_name() -> None:
    run = gdsim.simulate("rosenbrock", initial_weight={"x": 1, "y": 1}, learning_rate=1e-3)
    assert (run.status, run.verdict.kind, int(run.trajectory.steps[0])) == ("CONVERGED", "minimum", 0)


@pytest.mark.parametrize(
    ("loss", "options", "words"),
    [
        ("w^2 +", {}, "loss"),
        ("sine(w)", {}, "did you mean sin"),
        ("2", {}, "no weight"),
        ("x*y", {}, "2 weights"),
        ("w^2", {"learning_rat": 0.1}, "did you mean learning_rate"),
        ("w^2", {"learning_rate": "fast"}, "learning_rate"),
        ("w^2", {"initial_weight": math.nan}, "initial_weight"),
        ("w^2", {"update_rule": "momentun"}, "did you mean momentum"),
        ("w^2", {"stopping": {"max_steps": -1}}, "stopping.max_steps"),
        ("mean((w - x)^2)", {"data": {"x": [1, math.nan]}}, "data.x"),
        ("abs(w)", {"derivative": {"method": "numeric", "scheme": "complex_step"}}, "not analytic"),
        (lambda: 0.0, {}, "fixed number of weights"),
        (lambda *w: 0.0, {}, "fixed number of weights"),
        (lambda w, v: w + v, {}, "2 weights"),
        (lambda w: w, {"derivative": "analytic"}, "function"),
        (lambda w: w, {"derivative": "torch"}, "function"),
        (lambda w: w, {"update_rule": "newton"}, "function"),
        (lambda step: step, {}, "column of the log"),
        (lambda e, w: e * w, {"initial_weight": {"w": 1}}, "'e' is named like a constant"),
        (lambda where: where, {}, "'where' is named like"),
        (3.0, {}, "Python function"),
    ],
)
def test_wrong_input_is_named(loss: object, options: dict[str, object], words: str) -> None:
    plain = {"initial_weight": 1, "learning_rate": 0.1}
    assert words in refused(gdsim.simulate, loss, **{**plain, **options})


def test_an_error_inside_a_function_is_its_own() -> None:
    def broken(w: float) -> float:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        gdsim.simulate(broken, initial_weight=1, learning_rate=0.1)


# ---- run


def test_run_takes_overrides_and_presets_and_writes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = gdsim.run("parabola", overrides=["learning_rate=1.1"])
    assert run.status == "DIVERGED"
    assert list(tmp_path.iterdir()) == []


def test_a_run_saves_itself_with_its_figures(tmp_path: Path) -> None:
    run = gdsim.run("parabola")
    directory = run.save(tmp_path)
    assert sorted(path.name for path in (directory / "figures").iterdir()) == ["convergence.svg", "curve.svg"]
    assert run.save(tmp_path / "plain", figures=False).name == directory.name
    assert not (tmp_path / "plain" / directory.name / "figures").exists()


def test_a_plot_that_does_not_suit_is_refused() -> None:
    assert "contour" in refused(gdsim.run("parabola").plot, "contour")
    assert "curve" in refused(gdsim.run("parabola").plot, "curvy")


def test_a_notebook_sees_verdict_and_points_with_nothing_unescaped() -> None:
    run = gdsim.simulate("(w - 3)^2", initial_weight=0, learning_rate=0.1, title="a < b", name="x & y")
    html = run._repr_html_()
    assert "<strong>minimum</strong>" in html
    assert "<td>w = 3</td>" in html
    assert "CONVERGED" in html
    assert "a < b" not in html


# ---- critical_points


def test_critical_points_of_text_function_and_loss_agree() -> None:
    def function(x: float) -> float:
        return x**3 - 3 * x

    for loss in ("x^3 - 3x", function, gdsim.Loss.from_text("x^3 - 3x")):
        found = gdsim.critical_points(loss, domain=(-2, 2)).critical_points
        assert [point.kind for point in found] == ["maximum", "minimum"]
        np.testing.assert_allclose([point.weight["x"] for point in found], [-1, 1], atol=1e-6)


def test_parameters_and_several_weights() -> None:
    search = gdsim.critical_points("a*(x - 1)^2 + y^2", {"x": (-2, 2), "y": (-1, 1)}, a=3)
    (point,) = search.critical_points
    assert point.kind == "minimum"
    assert point.curvature == pytest.approx((2, 6))


def test_a_library_loss_brings_its_domain() -> None:
    found = gdsim.critical_points("himmelblau")
    assert dict(found.domain) == dict(gdsim.critical_points("himmelblau", found.domain).domain)
    assert len(found.critical_points) == 9


def test_without_a_domain_ten_to_either_side_is_searched() -> None:
    assert gdsim.critical_points("x^2").domain == {"x": (-10.0, 10.0)}


@pytest.mark.parametrize(
    ("loss", "domain", "words"),
    [
        ("x^2", (2, -2), "no interval"),
        ("x^2", (1, 1), "no interval"),
        ("x^2", (0, math.inf), "no interval"),
        ("x^2", (math.nan, 1), "no interval"),
        ("x^2", (1, 2, 3), "no interval"),
        ("x^2", ("a", "b"), "no interval"),
        ("x^2", {"y": (0, 1)}, "'y' is no weight"),
        ("x^2 +", (0, 1), "the formula ends"),
        ("7", (0, 1), "no weight"),
    ],
)
def test_a_domain_that_is_none_is_refused(loss: str, domain: object, words: str) -> None:
    assert words in refused(gdsim.critical_points, loss, domain)


# ---- derive


def test_derive_gives_the_rule_at_each_node() -> None:
    found = gdsim.derive("x^2 * exp(x)")
    assert found.rule == "product"
    assert [step.rule for step in found.steps] == ["power", "exponential"]
    assert to_text(gdsim.derive("x*y^2", "y").after) == "2*x*y"


def test_derive_needs_to_know_the_weight() -> None:
    assert "x, y" in refused(gdsim.derive, "x*y")
    assert "no weight 'z'" in refused(gdsim.derive, "x*y", "z")
    assert "no weight" in refused(gdsim.derive, "2 + 2")


# ---- the names


@pytest.mark.parametrize("name", gdsim.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    assert getattr(gdsim, name).__doc__
    assert name in dir(gdsim)


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sweeep'"):
        gdsim.sweeep  # noqa: B018


def test_the_type_of_a_run_can_plot_before_any_run() -> None:
    assert callable(gdsim.Run.plot)
    assert callable(gdsim.Run.save)


def test_a_run_that_did_not_come_through_the_facade_can_plot_too() -> None:
    lines = ["from gdsim.runs import execute", "from gdsim.scenario import load"]
    lines += ["print(execute(load('parabola')).plot)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)], capture_output=True, text=True, check=True
    )
    assert "bound method" in done.stdout


def test_a_run_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match="'Run' object has no attribute 'plott'"):
        gdsim.run("parabola").plott  # noqa: B018


def test_no_module_has_the_name_of_a_public_function_beside_it() -> None:
    folder = Path(gdsim.__file__).parent
    assert not {path.stem for path in folder.iterdir()} & {"critical_points", "derive", "run", "simulate"}
    exported = set(gdsim.runs.__all__) - {"Expectation", "Run"}
    assert not {path.stem for path in (folder / "runs").iterdir()} & exported


def test_a_derivation_goes_on_to_the_number_and_the_way() -> None:
    slope = gdsim.derive("rosenbrock", "x").at({"x": 1, "y": 2, "a": 1, "b": 100})
    assert (slope.weight, slope.value, slope.direction) == ("x", -400.0, "right")
    assert str(slope).startswith("∂L/∂x = −2·(1 − 1) − 4·100·1·(2 − 1²)")
    flat = gdsim.derive("x^2").at(0)
    assert (flat.value, flat.direction) == (0.0, "stay")


@pytest.mark.parametrize("formula", ["log(x)", "sqrt(x)"])
def test_where_the_loss_is_no_number_nothing_tells_the_way(formula: str) -> None:
    slope = gdsim.derive(formula).at(-1)
    assert slope.direction is None
    assert slope.sentence == "L is not a number here: nothing tells which way to move x."


@pytest.mark.parametrize("where", [3, {"x": 1}, {"x": "a", "y": 1}, {"x": 1, "y": 2, "z": 3}, None])
def test_a_point_of_a_derivation_has_a_number_for_each_name(where: object) -> None:
    assert "expected a number for each of x, y" in refused(gdsim.derive("x*y", "x").at, where)


@pytest.mark.parametrize(
    ("loss", "parameters", "words"),
    [
        ("a*w^2", {"a": "fast"}, "loss.parameters: the parameter 'a' is 'fast', no number"),
        ("rosenbrock", {"b": None}, "loss.parameters: the parameter 'b' is None, no number"),
        ("a*w^2", {"a": 1, "b": 2}, "'b'; expected a name in the formula: a, w"),
        (lambda w: w**2, {"b": 2}, "the loss does not use the parameter 'b'; expected"),
    ],
)
def test_a_parameter_that_does_not_fit_is_refused(loss: Any, parameters: dict[str, Any], words: str) -> None:
    assert words in refused(gdsim.critical_points, loss, **parameters)


def test_a_domain_may_be_an_array() -> None:
    search = gdsim.critical_points("x^3 - 3x", np.array([-2.0, 2.0]))
    assert dict(search.domain) == {"x": (-2.0, 2.0)}


@pytest.mark.parametrize("domain", [np.array([]), (), (0, 10**400), (1, 2, 3), "ab", 5])
def test_a_domain_that_is_no_interval_is_refused(domain: Any) -> None:
    assert "is no interval" in refused(gdsim.critical_points, "x^2", domain)


def test_parameters_reach_a_loss_that_has_them() -> None:
    loss = gdsim.Loss.from_text("a*x^2 + x", parameters={"a": 1})
    assert gdsim.critical_points(loss, a=5).critical_points[0].weight == {"x": -0.1}


# ---- sweeps


def test_a_sweep_from_python_is_the_sweep_of_the_file(tmp_path: Path) -> None:
    axes = {"learning_rate": [0.1, 0.2], "initial_weight": "lin(-1, 1, 3)"}
    here = gdsim.sweep("double-well", axes)
    stored = gdsim.sweep("double-well", axes, out=tmp_path)
    assert here.directory is None
    assert stored.directory is not None
    assert all(here.columns[name].tobytes() == stored.columns[name].tobytes() for name in here.columns)


@pytest.mark.parametrize("engine", ["fast", "numpy"])
def test_jobs_change_nothing_of_a_sweep(engine: Choice) -> None:
    axes = {"learning_rate": "lin(0.01, 0.2, 50)", "initial_weight": "lin(-1, 1, 60)"}
    alone, together = (gdsim.sweep("double-well", axes, engine=engine, jobs=jobs) for jobs in (1, 2))
    assert together.engine == engine
    assert all(alone.columns[name].tobytes() == together.columns[name].tobytes() for name in alone.columns)


def test_how_a_sweep_is_to_run_is_checked() -> None:
    axes = {"learning_rate": [0.1]}
    message = "engine: unknown engine 'fsat'; expected one of auto, numpy, fast; did you mean fast?"
    assert refused(gdsim.sweep, "parabola", axes, engine="fsat") == message
    for jobs in (0, True, 1.5):
        assert f"jobs: {jobs} is no number of jobs" in refused(gdsim.sweep, "parabola", axes, jobs=jobs)


def test_a_sweep_plots_and_shows_itself() -> None:
    result = gdsim.sweep("double-well", {"learning_rate": np.linspace(0.05, 0.4, 6)})
    assert isinstance(result.plot(), Figure)
    assert isinstance(result.plot("bifurcation"), Figure)
    assert "<strong>6 runs</strong> over learning_rate (6 values)" in result._repr_html_()


def test_tuning_from_python_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert gdsim.tune({"loss": "w^2", "initial_weight": 1, "learning_rate": 0.1}).learning_rate == 0.5
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        ({"learning_rate": 0.1}, "is no axis"),
        ({"learning_rate": []}, "0 entries"),
        ({"learning_rate": [0.1, "fast"]}, "fast"),
        ({"leaning_rate": [0.1]}, "did you mean learning_rate"),
    ],
)
def test_a_wrong_axis_from_python_is_refused(axes: dict[str, object], words: str) -> None:
    assert words in refused(gdsim.sweep, "double-well", axes)


def test_an_unknown_engine_of_a_sweep_is_refused() -> None:
    said = refused(gdsim.sweep, "double-well", {"learning_rate": [0.1]}, engine="fst")
    assert said == "engine: unknown engine 'fst'; expected one of auto, numpy, fast; did you mean fast?"
