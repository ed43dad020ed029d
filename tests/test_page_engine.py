"""The page's engine takes the same steps as Python's, in every scenario and by every rule."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from itertools import count, product
from typing import Any

import numpy as np
import page_node
import pytest
from page_problems import problem, relative, simulated
from shipped import loaded

from gdsim import noise as noise_of_python
from gdsim import scenario
from gdsim.batch import Batch, Clip, Stopping, Trajectory
from gdsim.derivatives import derivative_method
from gdsim.expr.lower import lower
from gdsim.losses import Loss
from gdsim.noise import Noise
from gdsim.page.formulas import emitted
from gdsim.runs.composition import compose
from gdsim.schedules import schedule
from gdsim.simulation import simulate
from gdsim.update_rules import RULES, update_rule

pytestmark = page_node.NEEDS_NODE
SHIPPED = scenario.shipped_scenarios()
LIBRARY = {  # operations whose last bit is the library's affair
    "exp", "log", "log2", "log10", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh",
    "sigmoid", "softplus", "pow",
}  # fmt: skip
RAISING = {"adam", "adamw"}  # rules with powers in their formulas
RELATIVE = 1e-12
"""A rounding of 2⁻⁵³ in each of a few operations of a step, which a contracting map keeps a few times larger
at most; 10⁻¹² leaves room for a thousand of them."""
CERTAIN = 40
"""Steps after which a map that does not contract may have blown a last bit up beyond RELATIVE."""


def arithmetic(batch: Batch) -> bool:
    """Whether a run is made of IEEE operations alone, so that both sides must have the same bits."""
    loss = batch.loss
    assert loss.expression is not None
    program = lower([loss.expression, *loss.gradient, *(entry for row in loss.hessian for entry in row)])
    plain = not any(step.operation in LIBRARY for step in program.instructions)
    schedules = batch.schedule.schedule.name in ("constant", "inverse_time", "linear")
    solves = batch.rule.rule.needs_hessian and len(loss.weights) > 1
    noisy = batch.noise is not None and batch.noise.kind == "gaussian"
    exact = batch.derivative.name in ("analytic", "numeric")
    return plain and schedules and exact and not (solves or noisy or batch.rule.rule.name in RAISING)


def check(name: str, batch: Batch, page: dict[str, Any]) -> None:
    """The page's trajectory against Python's."""
    trajectory = simulate(replace(batch, record_every=1))
    assert page["status"] == trajectory.status[0].name, name
    assert page["steps"] == int(trajectory.steps[0]), name
    pairs = [(page[key], getattr(trajectory, full)) for key, full in RECORDS]
    if arithmetic(batch):
        for ours, expected in pairs:
            assert np.array_equal(ours, expected[..., 0], equal_nan=True), name
    else:
        last = len(page["weight"]) if page["status"] == "CONVERGED" else CERTAIN
        weight = trajectory.weight[:last, :, 0]
        largest = np.maximum.accumulate(np.abs(weight), axis=0)
        off = np.abs(page["weight"][:last] - weight) / np.maximum(largest, np.finfo(float).tiny)
        assert float(np.nanmax(off)) <= RELATIVE, name
    check_counts(name, batch, page, trajectory)


RECORDS = (
    ("weight", "weight"), ("gradient", "gradient"), ("loss", "loss"), ("rate", "learning_rate"),
)  # fmt: skip


def check_counts(name: str, batch: Batch, page: dict[str, Any], trajectory: Trajectory) -> None:
    flags = {int(step): tuple(words) for step, words in page["flags"].items()}
    assert flags == dict(trajectory.flags[0]), name
    assert page["evaluations"]["gradient"] == int(trajectory.gradient_evaluations[0]), name
    if batch.derivative.name in ("analytic", "numeric"):
        assert page["evaluations"]["loss"] == int(trajectory.loss_evaluations[0]), name


# ------------------------------------------------------------------------------- shipped scenarios


@cache
def of_the_page() -> dict[str, dict[str, Any]]:
    return simulated({name: compose(loaded(name)) for name in SHIPPED})


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_scenario_goes_as_in_python(name: str) -> None:
    batch = compose(loaded(name))
    if batch.derivative.name in ("torch", "scipy"):
        batch = replace(batch, derivative=derivative_method("analytic"))
        assert batch.loss.expression is not None
    check(name, batch, of_the_page()[name])


def test_most_shipped_scenarios_are_held_to_the_bit() -> None:
    assert sum(arithmetic(compose(loaded(name))) for name in SHIPPED) > len(SHIPPED) / 3


# ------------------------------------------------------------------------------------- every rule

LOSSES = {
    "parabola": (Loss.from_text("a*(w - 3)^2", parameters={"a": 1.0}), [10.0]),
    "double well": (Loss.from_text("w^4/4 - 2*w^2 + w/2"), [2.5]),
    "logistic": (Loss.from_text("log(1 + exp(-w)) + w^2/10"), [4.0]),
    "kink": (Loss.from_text("abs(w - 0.7) + huber(w, 2)"), [3.1]),
    "ravine": (Loss.from_text("x^2 + 10*y^2 + x*y"), [4.0, -1.0]),
    "three": (Loss.from_text("(u - 1)^2 + (v + u)^2 + 2*(s - v)^2 + u^4/9"), [1.5, -1.0, 0.3]),
    "data": (
        Loss.from_text(
            "mean((m*x + b - y)^2)",
            data={"x": [0.1, 0.7, 1.3, 2.2, 2.9], "y": [1.0, 1.9, 3.4, 5.6, 6.6]},
            weights=("m", "b"),
        ),
        [0.0, 0.5],
    ),
    "sum": (Loss.from_text("sum((m*x - 1)^2) + m^2", data={"x": [0.1, 0.5, -0.9, 0.4, 0.8, 0.3]}), [2.0]),
}
OPTIONS: dict[str, list[dict[str, Any]]] = {name: [{}] for name in RULES} | {
    "gradient_descent": [{}, {"weight_decay": 0.1}],
    "momentum": [{}, {"momentum": 0.5, "dampening": 0.3, "weight_decay": 0.01}, {"momentum": 0.0}],
    "nesterov": [{}, {"momentum": 0.6, "weight_decay": 0.02}],
    "adagrad": [{}, {"lr_decay": 0.1, "initial_accumulator_value": 0.5, "eps": 1e-6, "weight_decay": 0.1}],
    "rmsprop": [{}, {"alpha": 0.9, "momentum": 0.4, "centered": True, "weight_decay": 0.01}],
    "adam": [{}, {"betas": [0.8, 0.95], "amsgrad": True, "weight_decay": 0.01}],
    "adamw": [{}, {"weight_decay": 0.2, "amsgrad": True}],
}
SCHEDULES: list[dict[str, Any]] = [
    {},
    {"name": "step", "step_size": 7, "gamma": 0.5},
    {"name": "exponential", "gamma": 0.98},
    {"name": "inverse_time", "decay": 0.05, "warmup": 4},
    {"name": "linear", "start_factor": 0.25, "end_factor": 1.0, "total_iters": 11},
    {"name": "linear", "start_factor": 1.0, "end_factor": 0.5, "total_iters": 9, "warmup": 3},
    {"name": "cosine", "T_max": 25, "eta_min": 0.01},
    {"name": "cosine", "T_max": 25, "eta_min": 0.2},
]


def batch_of(loss: str, rate: float, rule: str = "gradient_descent", **more: Any) -> Batch:
    tree, start = LOSSES[loss]
    chosen = {
        "rule": update_rule(rule, **more.pop("options", {})),
        "schedule": schedule(**more.pop("schedule", {})),
        "derivative": derivative_method(**more.pop("derivative", {})),
        "stopping": Stopping(**{"max_steps": 120, **more.pop("stopping", {})}),
        **more,
    }
    return Batch(
        loss=tree,
        initial_weight=np.array(start)[:, None],
        learning_rate=np.array([rate]),
        run_key=np.zeros(1, dtype=np.int64),
        **chosen,
    )


def check_all(batches: Iterable[tuple[str, Batch]]) -> None:
    """Run all on both sides and compare."""
    number = count()
    named = {f"{name} #{next(number)}": batch for name, batch in batches}
    pages = simulated(named)
    for name, batch in named.items():
        check(name, batch, pages[name])


@pytest.mark.parametrize("rule", OPTIONS)
def test_a_rule_goes_as_in_python_on_every_loss(rule: str) -> None:
    rates = {"newton": 0.8, "sign_descent": 0.03}
    check_all(
        (f"{rule} {options} {loss}", batch_of(loss, rates.get(rule, 0.04), rule, options=options))
        for options, loss in product(OPTIONS[rule], LOSSES)
    )


def test_every_schedule_goes_as_in_python() -> None:
    check_all(
        (f"{chosen} {rule}", batch_of("parabola", 0.1, rule, schedule=chosen))
        for chosen, rule in product(SCHEDULES, ("gradient_descent", "momentum", "adam"))
    )


def test_clipped_gradients_are_those_of_python() -> None:
    check_all(
        (f"{kind} {bound} {loss}", batch_of(loss, 0.05, clip=Clip(kind, bound)))
        for kind, bound, loss in product(("norm", "value"), (0.5, 2.0), LOSSES)
    )


def test_a_line_search_backtracks_as_in_python() -> None:
    """Stopped before the loss falls by less than its rounding: from there on a last bit decides."""
    stopping = {"gradient_tolerance": 1e-5}
    check_all(
        (f"{loss} {rule}", batch_of(loss, rate, rule, line_search="armijo", stopping=stopping))
        for loss, rule, rate in product(LOSSES, ("gradient_descent", "momentum", "newton"), (0.1, 3.0))
    )


def test_runs_with_noise_go_as_in_python() -> None:
    def batches() -> Iterable[tuple[str, Batch]]:
        for seed in (0, 7, 2**40 + 3):
            given = {"seed": np.array([seed])}
            for loss in LOSSES:
                yield f"{loss} {seed}", batch_of(loss, 0.05, noise=Noise("gaussian", scale=0.1), **given)
            for loss, size in product(("data", "sum"), (1, 2, 4)):
                batch = Noise("minibatch", size=size)
                yield f"{loss} {size}", batch_of(loss, 0.05, noise=batch, **given)
                numeric = {"name": "numeric", "step": 1e-4}
                more = {"noise": batch, "derivative": numeric, **given}
                yield f"{loss} {size} numeric", batch_of(loss, 0.05, **more)

    check_all(batches())


@pytest.mark.parametrize(
    ("rate", "status"), [(0.2, "CONVERGED"), (1.0, "CYCLING"), (1.1, "DIVERGED"), (1e-17, "STALLED")]
)
def test_the_parabola_ends_as_physics_says(rate: float, status: str) -> None:
    batch = batch_of("parabola", rate, stopping={"max_steps": 1000})
    (page,) = simulated({"parabola": batch}).values()
    assert page["status"] == status
    check("parabola", batch, page)


def test_the_edges_of_stopping_are_those_of_python() -> None:
    """No step, one step, overflow, tolerance 0, records that need more room."""
    check_all(
        (f"{stopping} {rate}", batch_of(loss, rate, rule, stopping=stopping))
        for loss, rule, rate, stopping in [
            ("parabola", "gradient_descent", 0.1, {"max_steps": 0}),
            ("parabola", "momentum", 0.1, {"max_steps": 1}),
            ("parabola", "momentum", 0.5, {"max_steps": 5000, "gradient_tolerance": 0.0}),
            ("double well", "gradient_descent", 0.3, {"divergence_bound": 1e300}),
            ("double well", "gradient_descent", 0.12, {"max_steps": 3000, "gradient_tolerance": 0.0}),
            ("logistic", "gradient_descent", 20.0, {"max_steps": 900}),
            ("three", "gradient_descent", 0.35, {"max_steps": 2000, "gradient_tolerance": 0.0}),
        ]
    )


def test_long_cycles_of_rounding_are_seen_at_the_same_step() -> None:
    """They come back to a kept weight, and not to the one two steps ago."""
    found = {
        rate: batch_of("double well", rate, stopping={"max_steps": 3000, "gradient_tolerance": 0.0})
        for rate in (0.327, 0.333, 0.339, 0.34)
    }
    for batch in found.values():
        weight = simulate(batch).weight[:, 0, 0]
        assert weight[-1] != weight[-3]
        assert abs(weight[-1] - weight[-3]) < 1e-14
    check_all((f"rate {rate}", batch) for rate, batch in found.items())


@pytest.mark.parametrize(
    ("rate", "chosen", "status"),
    [
        (1.0, {"name": "step", "step_size": 50, "gamma": 0.5}, "CONVERGED"),  # a cycle that does not last
        (1.0, {"name": "cosine", "T_max": 25, "eta_min": 1.0}, "CYCLING"),  # a rate that never changes
        (1.0, {"name": "constant", "warmup": 2}, "CYCLING"),
        (0.1, {"name": "linear", "start_factor": 1e-17, "total_iters": 9}, "CONVERGED"),  # a rate that grows
        (1e-17, {"name": "exponential", "gamma": 0.9}, "STALLED"),
        (1e-17, {"name": "constant", "warmup": 9}, "STALLED"),
    ],
)
def test_a_run_is_at_rest_only_where_its_rate_lets_it_be(
    rate: float, chosen: dict[str, Any], status: str
) -> None:
    batch = batch_of("parabola", rate, schedule=chosen, stopping={"max_steps": 400})
    (page,) = simulated({"parabola": batch}).values()
    assert page["status"] == status
    check("parabola", batch, page)


# ------------------------------------------------------------------------------------ differences

SCHEMES = ("forward", "backward", "central", "five_point", "richardson")
PLACES = (0.0, 1e-8, -0.3, 0.7, 2.0, -40.0, 1e8)


def differences(
    loss: Loss, asked: Sequence[tuple[str, float | str]], without_bound: bool = False
) -> list[np.ndarray]:
    """For each scheme and step [gradient …, evaluations] of the page at each of PLACES."""
    script = """
import { emitted } from "./emitted.js";
import { differenceGradient } from "./engine/differences.js";
const { asked, places, parameters, columns } = data;
const loss = { ...emitted.losses.loss };
if (data.withoutBound) loss.rounding = undefined;
answer(asked.map(([scheme, step]) => places.map((place) => {
  const weight = loss.weights.map((_, number) => place + number), out = loss.weights.map(() => 0);
  const evaluations = differenceGradient(scheme, step, loss, weight, parameters, columns, out);
  return [...out, evaluations];
})));
"""
    given = {
        "asked": asked, "places": PLACES, "withoutBound": without_bound,
        "parameters": [*loss.parameters.values()], "columns": [*map(list, loss.data.values())],
    }  # fmt: skip
    found = page_node.run(script, given, emitted({"loss": loss}))
    return [np.array(values, dtype=np.float64) for values in found]


@pytest.mark.parametrize("loss", ["double well", "ravine", "data", "kink", "logistic"])
def test_differences_are_those_of_python(loss: str) -> None:
    tree, _ = LOSSES[loss]
    weight = np.array([[place + number for place in PLACES] for number in range(len(tree.weights))])
    asked: list[tuple[str, float | str]] = [*product(SCHEMES, ("auto", 1e-4))]
    if loss != "kink":  # Python refuses the complex step there
        asked += [("complex_step", "auto"), ("complex_step", 1e-20)]
    for (scheme, step), found in zip(asked, differences(tree, asked), strict=True):
        estimate = derivative_method("numeric", scheme=scheme, step=step).bind(tree)(weight, {}, None)
        gradient, expected = found[:, :-1].T, estimate.gradient
        assert found[:, -1].tolist() == estimate.evaluations.tolist()
        if scheme == "complex_step":
            assert relative(gradient, expected, 1e-3) <= RELATIVE
        elif loss != "logistic":
            assert np.array_equal(gradient, expected)
        elif estimate.error is not None:
            assert (np.abs(gradient - expected) <= 2.0 * estimate.error).all()
        else:
            assert relative(gradient, expected, 1.0) <= 1e-8  # a last bit of a loss of 10⁷, over 10⁻⁴


def test_without_a_bound_on_rounding_differences_are_those_of_a_python_function() -> None:
    """Also where it is nothing but rounding, and where a wide step skips a ripple."""

    def well(w: float) -> float:
        square = w * w
        return square * square / 4.0 - 2.0 * square + w / 2.0

    def noisy(w: float) -> float:
        return (w * w + 1e8) - 1e8

    def rippled(w: float) -> float:
        far = 4503599627370496.0 * 1.5  # adding it rounds to a multiple of 1
        ripple = 1000.0 * w - (1000.0 * w + far - far)
        return w + ripple * ripple

    formulas = {
        "w^4/4 - 2*w^2 + w/2": well,
        "(w^2 + 100000000) - 100000000": noisy,
        "w + (1000*w - (1000*w + 6755399441055744 - 6755399441055744))^2": rippled,
    }
    for text, function in formulas.items():
        loss = Loss.from_text(text)
        found = differences(loss, [(scheme, "auto") for scheme in SCHEMES], True)
        for scheme, values in zip(SCHEMES, found, strict=True):
            method = derivative_method("numeric", scheme=scheme)
            estimate = method.bind(Loss.from_callable(function))(np.array([PLACES]), {}, None)
            assert np.array_equal(values[:, 0], estimate.gradient[0]), (text, scheme)


# ------------------------------------------------------------------------------------------ noise

SEEDS = (0, 1, 2**31, 2**32 - 1, 2**32, 2**53 - 1, -1, -(2**40))


def test_random_words_are_those_of_python() -> None:
    generator = np.random.Generator(np.random.Philox(11))
    words = generator.integers(0, 2**32, (200, 6), dtype=np.uint64)
    words[0], words[1] = 0, 2**32 - 1
    script = """
import { philox, philoxWords } from "./engine/noise.js";
answer(data.map((words) => { philox(...words); return [...philoxWords]; }));
"""
    found = page_node.run(script, words.tolist())
    columns = [words[:, place] for place in range(6)]
    expected = np.stack(noise_of_python.philox(tuple(columns[:4]), (columns[4], columns[5])))  # type: ignore[arg-type]
    assert np.array_equal(np.array(found, dtype=np.uint64), expected.T)


def test_gaussian_noise_is_that_of_python_to_a_few_units_in_the_last_place() -> None:
    asked = [(seed, step, weight) for seed in SEEDS for step in (0, 1, 999) for weight in (0, 3)]
    script = """
import { gaussianNoise } from "./engine/noise.js";
answer(data.map(([seed, step, weight]) => gaussianNoise(seed, step, weight)));
"""
    found = np.array(page_node.run(script, asked), dtype=np.float64)
    seed, step, weight = (np.array(column) for column in zip(*asked, strict=True))
    # log and cos are off by a last bit each, and so is the angle, of up to 2π
    assert relative(found, noise_of_python.gaussian(seed, 0, step, weight), 1e-2) <= 1e-13


def test_mini_batches_have_the_rows_of_python() -> None:
    asked = [(seed, step, 37, size) for seed in SEEDS for step in (0, 5) for size in (1, 8, 37)]
    script = """
import { minibatchRows } from "./engine/noise.js";
answer(data.map(([seed, step, rows, size]) => minibatchRows(seed, step, rows, size)));
"""
    for (seed, step, rows, size), found in zip(asked, page_node.run(script, asked), strict=True):
        expected = noise_of_python.minibatch_rows([seed], [0], step, rows, size)[:, 0]
        assert found == expected.tolist()


# ----------------------------------------------------------------------------------------- the rest


def test_a_lab_becomes_a_problem() -> None:
    script = """
import { emitted } from "./emitted.js";
import { problemOf, simulate } from "./engine/descent.js";
const { loss, ...problem } = problemOf(data, emitted);
answer([problem, loss.text, simulate({ loss, ...problem }, emitted).steps]);
"""
    tree, start = LOSSES["data"]
    lab = {
        "name": "line", "title": "", "loss": "line", "parameters": [], "start": start, "seed": 0,
        "data": {"y": tree.data["y"], "x": tree.data["x"]}, "domain": [[0, 1], [0, 1]],
        "rate": {"initial": 0.1, "schedule": "constant", "options": {}, "warmup": 0},
        "rule": {"name": "gradient_descent", "options": {}}, "derivative": {"method": "exact"},
        "stopping": {"maxSteps": 7, "tolerance": 0, "bound": 1e8},
        "noise": None, "clip": None, "lineSearch": False,
    }  # fmt: skip
    problem, text, steps = page_node.run(script, lab, emitted({"line": tree}))
    assert problem["data"] == [list(tree.data["x"]), list(tree.data["y"])]
    assert text == "mean((m*x + b - y)^2)"
    assert steps == 7


def test_linear_systems_are_solved_with_pivots() -> None:
    script = """
import { solveLinear } from "./engine/descent.js";
answer(data.map(([matrix, right]) => {
  const solution = Float64Array.from(right);
  solveLinear(Float64Array.from(matrix.flat()), solution);
  return solution;
}));
"""
    generator = np.random.Generator(np.random.Philox(5))
    systems = [(generator.normal(size=(n, n)), generator.normal(size=n)) for n in (1, 2, 3, 5, 8)]
    systems.append((np.array([[0.0, 1.0], [2.0, 0.0]]), np.array([3.0, 4.0])))
    found = page_node.run(script, [(matrix.tolist(), right.tolist()) for matrix, right in systems])
    for (matrix, right), solution in zip(systems, found, strict=True):
        size = np.linalg.cond(matrix)
        assert np.allclose(solution, np.linalg.solve(matrix, right), rtol=1e-14 * size, atol=1e-14 * size)
    singular, infinite = page_node.run(
        script, [([[1.0, 2.0], [2.0, 4.0]], [1.0, 1.0]), ([[1.0, float("inf")], [0.0, 1.0]], [1.0, 1.0])]
    )
    assert np.isnan([*singular, *infinite]).all()


def test_the_emitted_module_is_the_same_each_time_and_small() -> None:
    """Rules and schedules take the same room on every page."""
    first, again = emitted({}), emitted({})
    assert first == again
    assert len(first.encode()) < 9000


@pytest.mark.integration
def test_a_thousand_steps_take_less_than_two_milliseconds() -> None:
    script = """
import { emitted } from "./emitted.js";
import { simulate } from "./engine/descent.js";
const problem = { ...data, loss: emitted.losses[data.key] };
const times = Array.from({ length: 200 }, () => {
  const start = performance.now();
  const { steps } = simulate(problem, emitted);
  return steps === 1000 ? performance.now() - start : Infinity;
});
answer(times.sort((a, b) => a - b)[100]);
"""
    batch = batch_of("logistic", 1e-3, "adam", stopping={"max_steps": 1000})
    median = page_node.run(script, problem("logistic", batch), emitted({"logistic": batch.loss}))
    assert median < 2.0


def test_no_text_ends_the_script_that_it_stands_in() -> None:
    hostile = "</script><script>alert(1)</script><!--"
    source = emitted({hostile: Loss.from_text("where(w < 1, w^2, 2w - 1)")})
    assert "</" not in source
    assert "<!" not in source
    script = """
import { emitted } from "./emitted.js";
answer(Object.entries(emitted.losses).map(([key, loss]) => [key, loss.text]));
"""
    assert page_node.run(script, emitted=source) == [[hostile, "where(w < 1, w^2, 2*w - 1)"]]
