"""Axes and the runs they make: what the command line may write; every run is that of `gdsim run`."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gdsim.outcomes import InputError
from gdsim.runs import execute
from gdsim.scenario import Scenario, load, parse_mapping
from gdsim.scenario.axes import axes_of, variant, with_axes, written_axis
from gdsim.sweeps.design import Design
from gdsim.sweeps.result import KINDS, STATUSES
from gdsim.sweeps.work import Worker, kept

WELL = {"loss": "(w^2 - a)^2", "initial_weight": 0.5, "learning_rate": 0.1}


def design(*axes: str, **changes: object) -> Design:
    """The design of a small scenario with these axes."""
    loss = {"loss": {"expression": "(w^2 - a)^2", "parameters": {"a": 1}}}
    return Design.of(with_axes(parse_mapping({**WELL, **loss, **changes}), axes))


def columns(made: Design) -> dict[str, np.ndarray]:
    """All runs of a design, computed at once."""
    return Worker(made).compute(np.arange(made.runs))


# ---- what the command line writes


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("learning_rate=0.1,0.2", (0.1, 0.2)),
        ("learning_rate=1/48,-7/sqrt(2)+10", (1 / 48, 10 - 7 / 2**0.5)),
        ("learning_rate=lin(0,1,5)", (0.0, 0.25, 0.5, 0.75, 1.0)),
        ("learning_rate=log(0.01,1,3)", (0.01, 0.1, 1.0)),
        ("learning_rate=lin(0.3,0.9,1)", (0.3,)),
    ],
)
def test_an_axis_of_numbers_holds_these_values(text: str, values: tuple[float, ...]) -> None:
    (axis,) = axes_of(
        with_axes(parse_mapping({"loss": "w^2", **{k: WELL[k] for k in WELL if k != "loss"}}), [text])
    )
    assert axis.values == pytest.approx(values, rel=1e-15)


def test_both_ends_of_a_logarithmic_axis_are_exact() -> None:
    (axis,) = axes_of(with_axes(load("parabola"), ["learning_rate=log(1/3,0.7,200)"]))
    assert (axis.values[0], axis.values[-1]) == (1 / 3, 0.7)


def test_commas_within_brackets_do_not_part_values() -> None:
    assert written_axis("loss=w^2,max(w,0)")[1] == {"values": ["w^2", "max(w,0)"]}


def test_an_axis_of_the_command_line_takes_the_place_of_the_files() -> None:
    base = parse_mapping({**WELL, "loss": "w^2", "sweep": {"parameters": {"seed": {"values": [1, 2]}}}})
    found = axes_of(with_axes(base, ["seed=3", "learning_rate=0.1"]))
    assert [(axis.path, axis.values) for axis in found] == [("seed", (3,)), ("learning_rate", (0.1,))]


@pytest.mark.parametrize(
    ("axes", "words"),
    [
        (["learning_rate"], "is no axis"),
        (["learning_rate=log(0.1,1)"], "three numbers"),
        (["learning_rate=log(0,1,5)"], "cannot begin at zero"),
        (["learning_rate=1,,2"], "a value is missing"),
        (["learning_rate=0.1,-0.2"], "out of range"),
        (["learning_rate=0.1,high"], "high"),
        (["leaning_rate=1,2"], "did you mean learning_rate"),
        (["update_rule=momentun"], "did you mean momentum"),
        (["update_rule.momentum=0.1,0.9"], "no option 'momentum'"),
        (["seed=0,0.5"], "whole number"),
        (["initial_weight.x=1"], "no weight 'x'"),
        (["loss.parameters.b=1"], "does not use the parameter 'b'"),
        (["seed=1", "seed=2"], "given twice; expected all its values in one"),
        (["loss=a*x^2,a*w^2"], "are not those of the scenario"),
        ([], "no axes"),
    ],
)
def test_a_wrong_axis_is_refused_in_words(axes: list[str], words: str) -> None:
    with pytest.raises(InputError, match=words):
        design(*axes)


def test_a_wrong_axis_is_named_with_the_text_that_gave_it() -> None:
    with pytest.raises(InputError) as caught:
        design("learning_rate=lin(-1,1,5)")
    assert caught.value.faults[0].file == "learning_rate=lin(-1,1,5)"


# ---- which runs there are


def test_the_last_axis_of_a_grid_runs_fastest() -> None:
    made = design("learning_rate=0.1,0.2", "initial_weight=1,2,3")
    assert made.shape == (2, 3)
    assert made.values(0, np.arange(6)).tolist() == [0.1, 0.1, 0.1, 0.2, 0.2, 0.2]
    assert made.values(1, np.arange(6)).tolist() == [1, 2, 3, 1, 2, 3]


def test_zip_takes_the_axes_side_by_side() -> None:
    axes = {"learning_rate": {"values": [0.1, 0.2]}, "initial_weight": {"values": [1, 2]}}
    made = design(sweep={"method": "zip", "parameters": axes})
    assert [made.values(axis, np.arange(2)).tolist() for axis in (0, 1)] == [[0.1, 0.2], [1, 2]]


def test_zip_of_unequal_lengths_is_refused() -> None:
    axes = {"learning_rate": {"values": [0.1, 0.2]}, "initial_weight": {"values": [1]}}
    with pytest.raises(InputError, match="learning_rate 2, initial_weight 1"):
        design(sweep={"method": "zip", "parameters": axes})


def random(runs: int, **axis: object) -> Design:
    """A random design over the learning rate."""
    return design(sweep={"method": "random", "runs": runs, "parameters": {"learning_rate": axis}})


def test_more_random_runs_keep_the_earlier_ones() -> None:
    few, many = (random(runs, min=0.01, max=1, distribution="log_uniform") for runs in (10, 1000))
    assert few.values(0, np.arange(10)).tolist() == many.values(0, np.arange(10)).tolist()


def test_another_seed_draws_other_runs() -> None:
    axis = {"learning_rate": {"min": 0, "max": 1}}
    one, other = (
        design(seed=seed, sweep={"method": "random", "runs": 3, "parameters": axis}) for seed in (0, 1)
    )
    assert one.values(0, np.arange(3)).tolist() != other.values(0, np.arange(3)).tolist()


RUNS = 20_000
BAND = 5.0 / RUNS**0.5  # five standard deviations of the mean; that of the deviation is smaller


@pytest.mark.parametrize(
    ("axis", "mean", "deviation"),
    [
        ({"min": 1, "max": 3}, 2.0, 2 / 12**0.5),
        ({"mean": 3, "deviation": 2, "distribution": "normal"}, 3.0, 2.0),
        ({"min": 1, "max": 6, "distribution": "int_uniform"}, 3.5, (35 / 12) ** 0.5),
        # log-uniform on [a, b]: mean (b − a)/ln(b/a), mean square (b² − a²)/(2 ln(b/a))
        (
            {"min": 1, "max": np.e, "distribution": "log_uniform"},
            np.e - 1, ((np.e**2 - 1) / 2 - (np.e - 1) ** 2) ** 0.5,
        ),
    ],
)  # fmt: skip
def test_a_distribution_has_its_mean_and_its_deviation(
    axis: dict[str, object], mean: float, deviation: float
) -> None:
    values = random(RUNS, **axis).values(0, np.arange(RUNS))
    assert abs(values.mean() - mean) <= BAND * deviation
    assert abs(values.std() - deviation) <= BAND * deviation


def test_whole_random_numbers_reach_both_ends() -> None:
    values = random(1000, min=1, max=6, distribution="int_uniform").values(0, np.arange(1000))
    assert set(values.tolist()) == {1, 2, 3, 4, 5, 6}


# ---- what comes of them

NOISY = {"noise": {"kind": "gaussian", "scale": 0.01}, "stopping": {"max_steps": 60}}
FALLING = {"schedule": "exponential", "initial": 0.1, "gamma": 0.5}
CASES = {
    "learning rate and start": (["learning_rate=0.01,0.1,0.6", "initial_weight=-1.5,0,0.3"], {}),
    "a parameter": (["loss.parameters.a=0.5,2", "initial_weight=0.3,1"], {}),
    "rules": (["update_rule=gradient_descent,adam,momentum", "learning_rate=0.01,0.1"], {}),
    "an option of a rule": (["update_rule.momentum=0.5,0.9"], {"update_rule": "momentum"}),
    "one of a pair": (["update_rule.beta2=0.9,0.999"], {"update_rule": "adam"}),
    "derivatives": (["derivative=analytic,numeric", "initial_weight=0.3,2"], {}),
    "the step of a derivative": (["derivative.step=1e-5,1e-2"], {"derivative": {"method": "numeric"}}),
    "a schedule": (["learning_rate.gamma=0.9,0.99"], {"learning_rate": FALLING}),
    "seeds and noise": (["seed=0,1,7", "noise.scale=0.01,0.1"], NOISY),
    "stopping": (["stopping.max_steps=0,1,30"], {}),
    "losses": (["loss=w^2,w^4,abs(w)", "learning_rate=0.1,1"], {"loss": "w^2"}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_run_of_a_sweep_is_the_run_of_the_same_scenario(name: str) -> None:
    axes, changes = CASES[name]
    made = design(*axes, **changes)
    found = columns(made)
    for run in range(made.runs):
        values = {
            axis.path: made.values(place, np.array([run]))[0].item() for place, axis in enumerate(made.axes)
        }
        alone = execute(variant(made.scenario, values), "numpy")
        assert STATUSES[found["status"][run]] == alone.status
        assert KINDS[found["verdict"][run]] == alone.verdict.kind
        assert found["steps"][run] == alone.trajectory.steps[0]
        assert found["w"][run].tobytes() == alone.trajectory.final_weight[0, 0].tobytes()
        assert found["loss"][run].tobytes() == alone.trajectory.final_loss[0].tobytes()
        assert found["gradient_w"][run].tobytes() == alone.trajectory.final_gradient[0, 0].tobytes()


@given(st.integers(1, 23))
def test_rows_do_not_depend_on_the_size_of_a_piece(size: int) -> None:
    made = design(
        "update_rule=gradient_descent,momentum", "learning_rate=lin(0.05,0.7,4)", "initial_weight=-2,0.1,1"
    )
    worker, whole = Worker(made), columns(made)
    pieces = [worker.compute(np.arange(first, min(first + size, 24))) for first in range(0, 24, size)]
    for name, column in whole.items():
        assert np.concatenate([piece[name] for piece in pieces]).tobytes() == column.tobytes()


def test_verdicts_do_not_depend_on_whether_tails_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    made = design("seed=lin(0,9,10)", "noise.scale=0,0.01", "learning_rate=0.01,0.3", **NOISY)
    with_tails = columns(made)
    monkeypatch.setattr("gdsim.sweeps.work.MOST_WITH_TAIL", 0)
    without = columns(made)
    assert "tail" not in without
    assert all(with_tails[name].tobytes() == column.tobytes() for name, column in without.items())


def test_a_basin_is_the_place_of_the_point_that_was_reached() -> None:
    made = design("initial_weight=-2,0,3", "learning_rate=0.01")
    points = Worker(made).common_points()
    assert [points[place].weight["w"] for place in columns(made)["basin"]] == [-1.0, 0.0, 1.0]


def test_a_run_that_rests_nowhere_has_no_basin() -> None:
    assert columns(design("learning_rate=5,7"))["basin"].tolist() == [-1, -1]


def test_the_domain_reaches_round_every_start() -> None:
    made = design("initial_weight=lin(-30,30,1000)")
    assert made.domain(0) == {"w": (-330.0, 330.0)}


def test_a_stated_domain_stays() -> None:
    assert design("initial_weight=-30,30", domain=[-2, 2]).domain(0) == {"w": (-2.0, 2.0)}


def test_distinct_losses_are_counted() -> None:
    assert design("loss.parameters.a=lin(1,2,30)", "learning_rate=0.1,0.2").losses == 30
    assert design("loss.parameters.a=1,2", "update_rule=adam,momentum").losses == 2
    assert design("loss=w^2,w^4", loss="w^2").losses == 2


def test_a_run_that_diverges_with_a_falling_loss_has_no_minimum() -> None:
    made = design("learning_rate=0.5,1", loss="-w^2")
    assert Counter(KINDS[code] for code in columns(made)["verdict"]) == {"no_minimum": 2}


def test_whole_trajectories_are_kept_where_record_is_stated() -> None:
    made = design("learning_rate=0.1,0.2", record={"every": 5}, stopping={"max_steps": 20})
    found = columns(made)
    assert found["record_weight"].shape == (2, 5, 1)
    alone = execute(variant(made.scenario, {"learning_rate": 0.2}), "numpy").trajectory
    assert found["record_weight"][1, :, 0].tolist() == alone.weight[:, 0, 0].tolist()
    assert found["record_loss"][1].tolist() == alone.loss[:, 0].tolist()


def test_a_row_takes_as_many_bytes_as_was_said() -> None:
    made = design("learning_rate=0.1,0.2", record={"every": 5}, stopping={"max_steps": 20})
    said = kept(made).bytes_per_run(1)
    assert sum(column.nbytes for column in columns(made).values()) == 2 * said


def test_a_scenario_survives_its_axes(tmp_path: object) -> None:
    base = load("parabola")
    with_axes(base, ["learning_rate=0.1,0.2"])
    assert isinstance(base, Scenario)
    assert base.sweep is None
