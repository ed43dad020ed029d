"""The fast engine against the NumPy engine: statuses, one-step maps, what must not depend on anything.

Both judge by the same rules and differ in the rounding of single operations (a product is fused with a sum,
the elementary functions are others). So single steps are compared to a few units in the last place, and whole
runs where the descent contracts; where it does not, the last bit decides.
"""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from agreement import ENDS, UNIT, close, one_step, same_bytes, same_statuses, spread
from batches import LINEAR_DATA, RULE_CHOICES, batch_of
from tiers import some

from gdsim.batch import Batch, Clip
from gdsim.derivatives import derivative_method
from gdsim.kernels import fast_lanes, machine_code
from gdsim.kernels.plan import Plan
from gdsim.losses import Loss
from gdsim.noise import Noise
from gdsim.outcomes import InputError, Status
from gdsim.schedules import schedule
from gdsim.simulation import simulate

pytest.importorskip("numba")
pytestmark = pytest.mark.usefixtures("compiled_once")

QUARTIC = "w^4 - 2w^2 + 0.3w"
STARTS = np.linspace(-1.9, 1.9, 150)


def quartic(*starts: float, rate: float | list[float] = 0.05, **more: object) -> Batch:
    """Gradient descents on the quartic: numbers differ, so that all of them share one compiled module."""
    return batch_of(QUARTIC, *starts, rate=rate, **more)  # type: ignore[arg-type]


# -- one compiled module, many numbers ----------------------------------------------------------------


@pytest.mark.parametrize("every", [1, 7, 16, 1000])
def test_contracting_runs_end_as_on_the_numpy_engine(every: int) -> None:
    """Here |1 − ηf″| ≤ 0.8 near the minima, so that an error is forgotten within a few steps."""
    batch = quartic(*STARTS, rate=list(np.geomspace(0.02, 0.06, 150)), max_steps=500, record_every=every)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    assert set(slow.status) == {Status.CONVERGED}
    # an error of u at the start grows by at most 1 + 4η a step while the run leaves the maximum
    close(fast, slow, 2000.0)


@pytest.mark.parametrize("max_steps", [0, 1, 7, 8, 9, 31, 32, 33, 40, 41])
def test_max_steps_is_the_number_of_steps_taken(max_steps: int) -> None:
    batch = quartic(*STARTS, rate=1e-4, max_steps=max_steps, record_every=5)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    assert set(fast.status) == {Status.MAX_STEPS}
    assert set(fast.steps.tolist()) == {max_steps}
    close(fast, slow)


@pytest.mark.parametrize("max_steps", [0, 10, 30, 31, 50])
def test_the_tail_of_a_short_run_is_nan_in_front_also_where_only_ends_are_asked_for(max_steps: int) -> None:
    batch = quartic(*STARTS, rate=1e-4, max_steps=max_steps)
    whole, ends = simulate(batch, "fast"), simulate(batch, "fast", ends_only=True)
    assert np.array_equal(whole.tail, ends.tail, equal_nan=True)
    assert np.isnan(whole.tail).sum() == whole.runs * max(0, 31 - max_steps)


def test_ends_alone_are_those_of_whole_trajectories() -> None:
    """Where only ends are asked for, the first steps are not judged one by one."""
    batch = quartic(*STARTS, rate=list(np.geomspace(0.001, 1.2, 150)), max_steps=500, record_every=501)
    whole, ends = simulate(batch, "fast"), simulate(batch, "fast", ends_only=True)
    assert len(set(whole.status)) > 3
    for name in ("status_code", "steps", *(name for name in ENDS if name not in ("anchor", "tail"))):
        assert np.array_equal(getattr(whole, name), getattr(ends, name), equal_nan=True), name
    late = whole.ended(Status.MAX_STEPS)
    assert np.array_equal(whole.tail[:, :, late], ends.tail[:, :, late], equal_nan=True)
    assert np.array_equal(whole.weight, ends.weight)
    assert np.isnan(ends.loss).all()


@pytest.mark.parametrize(
    ("start", "rate", "more", "status", "steps"),
    [
        (np.nan, 0.05, {}, Status.NONFINITE, 0),
        (np.inf, 0.05, {}, Status.NONFINITE, 0),
        (1e9, 0.05, {}, Status.DIVERGED, 0),
        (1e5, 1e300, {}, Status.NONFINITE, 1),
        (5.0, 0.3, {"bound": 100.0}, Status.DIVERGED, 1),
        (0.9, 0.05, {"tolerance": 1e300}, Status.CONVERGED, 0),
        (0.9, 1e-30, {}, Status.STALLED, 0),
    ],
)
def test_the_end_is_exact(
    start: float, rate: float, more: dict[str, float], status: Status, steps: int
) -> None:
    batch = quartic(start, 0.5, start, rate=rate, max_steps=60, **more)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    assert (fast.status[0], fast.steps[0]) == (slow.status[0], slow.steps[0]) == (status, steps)
    assert fast.status == slow.status
    assert (fast.steps == slow.steps).all()


@pytest.mark.parametrize("rate", [0.25, 0.27])
def test_cycles_are_found(rate: float) -> None:
    """Stable cycles of two; rounding may make them longer, and decides at which step they close."""
    batch = quartic(*STARTS, rate=rate, max_steps=3000, tolerance=0.0, record_every=3000)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    final = np.isin(slow.status_code, [Status.CYCLING.code, Status.STALLED.code])
    assert final.mean() > 0.5
    agree = np.isin(fast.status_code, [Status.CYCLING.code, Status.STALLED.code]) == final
    assert agree.all()
    cycles = fast.status_code == Status.CYCLING.code
    a, b = fast.previous_weight[0, cycles], fast.final_weight[0, cycles]
    moved = a - rate * (4 * a**3 - 4 * a + 0.3)
    np.testing.assert_allclose(b, moved, rtol=0, atol=16 * UNIT)


def test_a_run_has_the_same_bytes_wherever_it_runs() -> None:
    """Alone, among others, in another order, on any number of threads, however much is recorded."""
    rates = list(np.geomspace(1e-3, 0.6, 150))  # converging, cycling, chaotic, diverging
    batch = quartic(*STARTS, rate=rates, max_steps=300, record_every=300)
    whole = fast_lanes.run(Plan(batch), threads=1)
    same_bytes(whole, fast_lanes.run(Plan(batch), threads=3))
    order = np.random.Generator(np.random.Philox(3)).permutation(150)
    mixed = fast_lanes.run(Plan(batch.take(order)), threads=1)
    for name in ("status_code", "steps", *ENDS):
        assert np.array_equal(getattr(mixed, name), getattr(whole, name)[..., order], equal_nan=True), name
    for run in (0, 75, 149):
        alone = fast_lanes.run(Plan(batch.take([run])), threads=1)
        for name in ("status_code", "steps", *ENDS):
            assert np.array_equal(getattr(alone, name), getattr(whole, name)[..., [run]], equal_nan=True), (
                name
            )
    often = fast_lanes.run(Plan(replace(batch, record_every=1)))
    same_bytes(whole, often, "status_code", "steps", *ENDS)
    assert np.array_equal(often.weight[300], np.where(whole.steps == 300, whole.final_weight, np.nan),
                          equal_nan=True)  # fmt: skip


@pytest.mark.parametrize("tolerance", [0.0, 1e-8])
def test_long_bursts_see_every_end_where_short_ones_see_it(tolerance: float) -> None:
    """With a record at every eighth step no burst is longer. Neighbours end alike: blocks are calm."""
    rates = list(np.geomspace(1e-3, 0.5, 600))  # creeping, settling, swinging with many periods, thrown out
    batch = batch_of(QUARTIC, *[0.7] * 600, rate=rates, max_steps=3000, tolerance=tolerance)
    long = fast_lanes.run(Plan(replace(batch, record_every=3000)))
    short = fast_lanes.run(Plan(replace(batch, record_every=8)))
    assert {*long.status} >= {Status.MAX_STEPS, Status.CYCLING, Status.DIVERGED}
    same_bytes(long, short, "status_code", "steps", *ENDS)


@pytest.mark.parametrize("first", [1, 8, 50, 99])
def test_a_run_that_is_stopped_and_resumed_has_the_same_bytes(first: int) -> None:
    rates = list(np.geomspace(1e-3, 0.6, 150))
    batch = quartic(*STARTS, rate=rates, max_steps=100, record_every=3)
    short = simulate(replace(batch, stopping=replace(batch.stopping, max_steps=first)), "fast")
    same_bytes(simulate(batch, "fast", start=short), simulate(batch, "fast"))


def test_several_callers_at_once_do_no_harm() -> None:
    plan = Plan(quartic(*STARTS, rate=list(np.geomspace(1e-3, 0.6, 150)), max_steps=300))
    alone = fast_lanes.ends(plan, threads=1)
    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(lambda threads: fast_lanes.ends(plan, threads=threads), [1, 2, 3, 2]):
            assert np.array_equal(found.weight, alone.weight, equal_nan=True)
            assert np.array_equal(found.steps, alone.steps)


def test_ends_are_those_of_the_trajectory() -> None:
    rates = list(np.geomspace(1e-3, 0.6, 150))
    plan = Plan(quartic(*STARTS, rate=rates, max_steps=100, record_every=100))
    ends, trajectory = fast_lanes.ends(plan, tail=True), fast_lanes.run(plan)
    assert np.array_equal(ends.status_code, trajectory.status_code)
    assert np.array_equal(ends.steps, trajectory.steps)
    assert np.array_equal(ends.weight, trajectory.final_weight, equal_nan=True)
    assert np.array_equal(ends.loss, trajectory.final_loss, equal_nan=True)
    assert np.array_equal(ends.tail, trajectory.tail, equal_nan=True)
    assert fast_lanes.ends(plan).tail.size == 0


def test_parameters_without_values_of_their_own_are_numbers_of_the_call(monkeypatch) -> None:
    """Another number does not compile again: the module is the same."""
    sources = set()
    found = machine_code.loop
    monkeypatch.setattr(machine_code, "loop", lambda text: sources.add(text) or found(text))
    for rate, steps, tolerance in [(0.01, 50, 1e-8), (0.02, 60, 1e-6)]:
        fast_lanes.ends(Plan(quartic(*STARTS, rate=rate, max_steps=steps, tolerance=tolerance)))
    assert len(sources) == 1


# -- every rule, schedule, derivative, function ---------------------------------------------------------

LOSSES = (
    "w^2 - 0.2*cos(2*pi*w)", "0.5*w^2 + cos(w) + exp(-w^2)", "abs(w)", "log(w + 3)^2", "1/(w + 3) + w",
    "where(w > 0, w^2, 2*w^2)", "tanh(w)^2", "asin(w/2)^2", "exp(w) - w", "0*w + 7", "sqrt(w)",
    "softplus(w) - 0.5*w", "w^2.5", "tan(w/3)^2", "cosh(w)", "log10(w + 3)^2 + log2(w + 4)", "sinh(w)^2",
    "huber(w)", "relu(w)^2 + relu(-w)", "max(w, -w)^3", "u^2 + 3*v^2 - u*v", "atan(w)^2 + acos(w/2)",
    "sigmoid(w) - 0.3*w", "w^0.3", "1e-13*sin(1e12*w) + w^2", "min(w^2, 1) + w^2", "(w^2)^(1/3)",
)  # fmt: skip
SCHEDULES = {
    "step": schedule("step", step_size=5, gamma=0.7),
    "exponential": schedule("exponential", gamma=0.97),
    "inverse_time": schedule("inverse_time", decay=0.1),
    "linear": schedule("linear", total_iters=20, end_factor=0.5),
    "cosine": schedule("cosine", T_max=25, eta_min=0.01),
    "warmup": schedule("constant", warmup=9),
    "cosine after warmup": schedule("cosine", T_max=20, warmup=7),
}


@pytest.mark.integration
@pytest.mark.parametrize("name", RULE_CHOICES)
def test_every_rule(name: str) -> None:
    batch = batch_of(QUARTIC, *STARTS, rate=0.01, rule=RULE_CHOICES[name], max_steps=300, record_every=300)
    one_step(batch, 64.0)
    same_statuses(batch)


@pytest.mark.parametrize("loss", some(LOSSES, "0.5*w^2 + cos(w) + exp(-w^2)"))
def test_every_function(loss: str) -> None:
    """Derivatives here have values of up to 10³ and are sums of a few terms: 64 units of max(1, value)."""
    batch = batch_of(loss, *spread(loss), rate=0.02, max_steps=200, record_every=200)
    one_step(batch, 64.0)
    same_statuses(batch)


@pytest.mark.integration
@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule(name: str) -> None:
    batch = batch_of(QUARTIC, *STARTS, rate=0.05, rates=SCHEDULES[name], max_steps=60)
    close(simulate(batch, "fast"), simulate(batch, "numpy"), 5000.0)


@pytest.mark.integration
@pytest.mark.parametrize(
    "loss",
    ["mean((a + b*x - y)^2)", "mean(softplus(a + b*x) - y*(a + b*x))", "sum((sin(a*x) - y)^2) + a^2/10"],
)
def test_losses_over_data(loss: str) -> None:
    data = Loss.from_text(loss, data=LINEAR_DATA)
    batch = batch_of(data, *spread(data), rate=0.02, max_steps=100, record_every=100)
    one_step(batch, 256.0)
    same_statuses(batch)


@pytest.mark.integration
@pytest.mark.parametrize("loss", [QUARTIC, "(u^2 - 1)^2 + v^2 + u*v", "u^4 + v^4 + z^2 + u*v*z - u", "u^2*v"])
def test_newton(loss: str) -> None:
    """The solution of H·s = g loses up to cond(H) digits; no start is near a singular one."""
    batch = batch_of(loss, *spread(loss), rate=0.5, rule="newton", max_steps=60, record_every=60)
    one_step(batch, 1e5)
    same_statuses(batch)


@pytest.mark.integration
@pytest.mark.parametrize("clip", [Clip("norm", 0.5), Clip("value", 0.3)], ids=lambda clip: clip.kind)
def test_clipping(clip: Clip) -> None:
    loss = "(u^2 - 1)^2 + v^2 + u*v"
    batch = batch_of(loss, *spread(loss), rate=0.02, clip=clip, max_steps=200, record_every=200)
    one_step(batch, 64.0)
    same_statuses(batch)


@pytest.mark.integration
def test_noise_belongs_to_the_run() -> None:
    loss = "(u^2 - 1)^2 + v^2 + u*v"
    starts = spread(loss)
    batch = batch_of(loss, *starts, rate=0.02, noise=Noise("gaussian", scale=0.1), max_steps=40,
                     seed=np.arange(len(starts)) // 2)  # fmt: skip
    close(simulate(batch, "fast"), simulate(batch, "numpy"), 5000.0)
    some_runs = batch.take([5, 60, 7])
    mixed, whole = simulate(some_runs, "fast"), simulate(batch, "fast")
    assert np.array_equal(mixed.final_weight, whole.final_weight[:, [5, 60, 7]])


@pytest.mark.integration
@pytest.mark.parametrize(
    ("rule", "options"),
    [
        ("momentum", {"update_rule.momentum": (0.0, 0.95)}),
        ("adam", {"update_rule.beta1": (0.0, 0.95)}),
        ("adagrad", {"update_rule.initial_accumulator_value": (0.0, 1.0)}),
        ("gradient_descent", {"learning_rate.gamma": (0.5, 0.99), "learning_rate.warmup": (0.0, 9.0)}),
    ],
)
def test_options_of_single_runs(rule: str, options: dict[str, tuple[float, float]]) -> None:
    values = {path: np.round(np.linspace(*ends, 150), 0 if "warmup" in path else 6)
              for path, ends in options.items()}  # fmt: skip
    rates = schedule("step", step_size=5, gamma=0.7) if "learning_rate.gamma" in options else None
    batch = batch_of(QUARTIC, *STARTS, rate=0.02, rule=rule, rates=rates, options=values, max_steps=60)
    # Adam divides the gradient by its own size: its relative error counts, which is large near a maximum
    units = 1e6 if rule == "adam" else 5000.0
    close(simulate(batch, "fast"), simulate(batch, "numpy"), units)


# -- what it cannot do ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"derivative": "scipy"}, "scipy"),
        ({"line_search": "armijo"}, "line search"),
    ],
)
def test_what_it_cannot_do_is_said_with_a_remedy(more: dict[str, object], reason: str) -> None:
    batch = quartic(0.5, 1.0, **more)
    assert reason in fast_lanes.supports(Plan(batch))
    with pytest.raises(InputError, match=f"{reason}.*the numpy engine"):
        simulate(batch, "fast")


def test_a_python_function_is_refused() -> None:
    batch = batch_of(
        Loss.from_callable(lambda w: w * w), 1.0, derivative=derivative_method("numeric", step=1e-3)
    )
    assert "Python function" in fast_lanes.supports(Plan(batch))


# -- the cache --------------------------------------------------------------------------------------

_PROCESS = """
import sys
from batches import batch_of
from gdsim.kernels import fast_lanes
from gdsim.kernels.plan import Plan
ends = fast_lanes.ends(Plan(batch_of("w^4 - 2w^2 + 0.3w", 0.5, 1.0, max_steps=20)))
print("numba" in sys.modules, ends.weight.tobytes().hex())
"""


def process(folder: Path) -> tuple[bool, str]:
    """Whether a fresh process compiles, for which it imports Numba, and the bytes it found."""
    here = str(Path(__file__).parent)
    path = os.pathsep.join([here, str(Path(here).parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "GDSIM_CACHE_DIR": str(folder), "PYTHONPATH": path}
    words = [sys.executable, "-c", _PROCESS]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, check=True)
    compiled, found = done.stdout.split()
    return compiled == "True", found


@pytest.mark.integration
def test_a_second_process_compiles_nothing_and_a_damaged_file_is_made_anew(tmp_path: Path) -> None:
    compiled, first = process(tmp_path)
    assert compiled
    assert process(tmp_path) == (False, first)
    (file,) = (tmp_path / "fast").iterdir()
    whole = file.read_bytes()
    file.write_bytes(whole[:-100])
    assert process(tmp_path) == (True, first)
    file.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert process(tmp_path) == (True, first)
    assert process(tmp_path) == (False, first)


@pytest.mark.integration
def test_without_a_folder_to_write_to_every_process_compiles(tmp_path: Path) -> None:
    blocked = tmp_path / "a file"
    blocked.write_text("not a folder")
    assert process(blocked)[0]


@pytest.mark.integration
def test_what_cannot_run_without_numba_is_compiled_in_every_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GDSIM_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(machine_code, "_OF_C", frozenset())
    machine_code.loop.cache_clear()
    batch = batch_of("w^2 + asin(w/3)", 0.5, 1.0, max_steps=20)
    alone = fast_lanes.ends(Plan(batch))
    assert not [*tmp_path.rglob("*.o")]
    monkeypatch.undo()
    machine_code.loop.cache_clear()
    assert np.array_equal(alone.weight, fast_lanes.ends(Plan(batch)).weight)


def test_importing_the_engine_does_not_import_numba() -> None:
    code = "import sys, gdsim.kernels.fast_lanes; print('numba' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_large_angles_are_exact_in_every_lane() -> None:
    """Beyond 2³⁰ the C library computes the sine, for the lanes concerned and for no other."""
    batch = batch_of("sin(1e9*w)", *np.linspace(-5.0, 5.0, 130), rate=1e-12, max_steps=20)
    fast, slow = simulate(batch, "fast"), simulate(batch, "numpy")
    assert fast.status == slow.status
    np.testing.assert_allclose(fast.gradient[0], slow.gradient[0], rtol=1e-6)  # of slopes of 10⁹, near zeros
