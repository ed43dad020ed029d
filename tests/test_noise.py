"""Noise: the generator's published vectors, its statistics, and that it is a pure function."""

from __future__ import annotations

import math

import numpy as np
import pytest
from batches import ENGINES, LINEAR_DATA, batch_of

from gdsim.losses import Loss
from gdsim.noise import Noise, gaussian, minibatch_rows, philox
from gdsim.outcomes import InputError
from gdsim.simulation import simulate

# J. K. Salmon et al., Random123, known answers of philox4x32 with 10 rounds: counter, key, result
KNOWN_ANSWERS = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000", "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff", "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0", "d16cfe09 94fdcceb 5001e420 24126ea1"),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN_ANSWERS)
def test_philox_gives_the_known_answers(counter, key, answer):
    def words(text: str) -> tuple[int, ...]:
        return tuple(int(word, 16) for word in text.split())

    assert tuple(int(word) for word in philox(words(counter), words(key))) == words(answer)


def test_one_number_does_not_depend_on_its_company():
    steps = np.arange(300)
    together = gaussian(7, 3, steps, 1)
    alone = [float(gaussian(7, 3, step, 1)) for step in steps]
    backwards = gaussian(np.full(300, 7), np.full(300, 3), steps[::-1], np.ones(300, dtype=int))[::-1]
    assert together.tolist() == alone == backwards.tolist()


def test_seed_run_step_and_weight_each_matter():
    values = [
        float(gaussian(*place))
        for place in ((0, 0, 0, 0), (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1))
    ]
    assert len({*values}) == 5


@pytest.mark.parametrize("place", [(-1, 0), (2**63 - 1, 0), (0, 2**32), (0, 2**62), (2**32, 0)])
def test_large_seeds_and_keys_have_streams_of_their_own(place):
    seed, key = place
    other = gaussian(seed & 0xFFFFFFFF, key & 0xFFFFFFFF, np.arange(4), 0)
    values = gaussian(seed, key, np.arange(4), 0)
    assert np.isfinite(values).all()
    assert not np.array_equal(values, other)


def test_gaussian_numbers_are_standard_normal():
    """100,000 numbers: four standard errors of four moments and of the lag-1 product."""
    count = 100_000
    values = gaussian(0, np.arange(100)[:, None], np.arange(1000), 0).ravel()
    assert abs(values.mean()) < 4 / math.sqrt(count)
    assert abs(values.var() - 1) < 4 * math.sqrt(2 / count)
    assert abs((values**3).mean()) < 4 * math.sqrt(15 / count)
    assert abs((values**4).mean() - 3) < 4 * math.sqrt(96 / count)
    assert abs((values[1:] * values[:-1]).mean()) < 4 / math.sqrt(count)


def test_weights_and_runs_are_uncorrelated():
    count = 20_000
    first = gaussian(0, 0, np.arange(count), 0)
    for other in (
        gaussian(0, 0, np.arange(count), 1),
        gaussian(0, 1, np.arange(count), 0),
        gaussian(1, 0, np.arange(count), 0),
    ):
        assert abs((first * other).mean()) < 4 / math.sqrt(count)


def test_rows_are_drawn_without_replacement_and_in_order():
    rows = minibatch_rows(np.zeros(50, dtype=int), np.arange(50), 4, rows=20, size=7)
    assert rows.shape == (7, 50)
    assert (np.diff(rows, axis=0) > 0).all()
    assert rows.min() >= 0
    assert rows.max() < 20


def test_every_row_is_drawn_equally_often():
    """40,000 draws of 3 rows in 10: each row 12,000 times, within four standard deviations."""
    rows = minibatch_rows(np.zeros(40_000, dtype=int), np.arange(40_000), 0, rows=10, size=3)
    counts = np.bincount(rows.ravel(), minlength=10)
    assert np.abs(counts - 12_000).max() < 4 * math.sqrt(40_000 * 0.3 * 0.7)


def test_a_batch_larger_than_the_data_is_refused():
    loss = Loss.from_text("mean((a*x - y)^2)", data=LINEAR_DATA)
    with pytest.raises(InputError, match="12 rows"):
        simulate(batch_of(loss, 0.0, noise=Noise("minibatch", size=13)))


def test_minibatches_need_data():
    with pytest.raises(InputError, match="data"):
        simulate(batch_of("w^2", 1.0, noise=Noise("minibatch", size=1)))


@pytest.mark.parametrize("engine", ENGINES)
def test_a_batch_of_all_rows_is_no_noise(engine):
    """The rows are added in the same order, so that not a bit differs."""
    loss = Loss.from_text("mean((a*x^2 + b - y)^2) + sum(0.01*x*a)", data=LINEAR_DATA)
    whole = simulate(batch_of(loss, (0.0, 0.0), rate=0.2, max_steps=40), engine)
    drawn = simulate(
        batch_of(loss, (0.0, 0.0), rate=0.2, max_steps=40, noise=Noise("minibatch", size=12)), engine
    )
    # the analytic gradient of a mini-batch is evaluated by the array back-end in both engines
    assert drawn.weight == pytest.approx(whole.weight, rel=1e-13, abs=1e-15)


def test_a_minibatch_gradient_is_unbiased():
    """The mean over 4,000 runs, within four standard errors of it."""
    loss = Loss.from_text("mean((a*x^2 - y)^2) + sum(0.01*x*a^2)", data=LINEAR_DATA)
    starts = [1.5] * 4000
    noisy = simulate(batch_of(loss, *starts, max_steps=0, noise=Noise("minibatch", size=3))).gradient[0, 0]
    true = simulate(batch_of(loss, 1.5, max_steps=0)).gradient[0, 0, 0]
    assert abs(noisy.mean() - true) < 4 * noisy.std() / math.sqrt(4000)
    assert noisy.std() > 0.01 * abs(true)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_gradient_logged_is_the_one_used(engine):
    batch = batch_of("w^2", 1.0, rate=0.1, max_steps=20, noise=Noise("gaussian", scale=0.5))
    trajectory = simulate(batch, engine)
    w, g = trajectory.weight[:, 0, 0], trajectory.gradient[:, 0, 0]
    assert np.diff(w) == pytest.approx(-0.1 * g[:-1], rel=1e-13, abs=1e-15)
    expected = 2 * w + 0.5 * gaussian(0, 0, np.arange(21), 0)
    assert g == pytest.approx(expected, rel=1e-14, abs=1e-15)


def test_noise_has_the_same_bytes_on_both_engines():
    """On a constant slope the weight adds up the noise alone."""
    batch = batch_of("1*w", 0.0, rate=0.125, max_steps=700, noise=Noise("gaussian", scale=0.3))
    assert simulate(batch, "python").weight.tobytes() == simulate(batch, "numpy").weight.tobytes()


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("gaussian", {"scale": -1.0}), ("gaussian", {"scale": math.nan}), ("gaussian", {"scale": math.inf}),
        ("minibatch", {"size": 0}), ("uniform", {}),
    ],
)  # fmt: skip
def test_bad_noise_is_refused(kind, options):
    with pytest.raises(InputError):
        Noise(kind, **options)
