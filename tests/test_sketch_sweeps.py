"""Sketches of sweeps: what stands where, what its signs mean, in lines that fit."""

from __future__ import annotations

import pytest

import gdsim
from gdsim.outcomes import VERDICT_KINDS
from gdsim.plots.sketch_sweeps import SIGNS, SKETCHES, sketch_sweep
from gdsim.sweeps.result import SweepResult


@pytest.fixture(scope="module")
def sweeps() -> dict[str, SweepResult]:
    grid = {"learning_rate": "lin(0.01,0.5,40)", "initial_weight": "lin(-2,2,30)"}
    rates = "lin(1.8,3.2,71)"
    return {
        "atlas": gdsim.sweep("quartic-atlas", grid, overrides="stopping.max_steps=500"),
        "bifurcation": gdsim.sweep("logistic-bifurcation", {"learning_rate": rates}),
        "profile": gdsim.sweep("parabola", {"learning_rate": "lin(0.02,1.2,60)"}),
    }


def rows(drawn: str) -> list[str]:
    """What stands inside the frame."""
    return [line.partition("│")[2] for line in drawn.splitlines() if "│" in line]


def test_every_verdict_has_a_sign_of_its_own_that_every_terminal_has() -> None:
    assert set(SIGNS) == set(VERDICT_KINDS)
    assert len({*SIGNS.values()}) == len(SIGNS)
    assert all(sign.isascii() and sign not in " |" for sign in SIGNS.values())


def test_a_cell_of_an_atlas_is_the_run_at_its_place(sweeps: dict[str, SweepResult]) -> None:
    result = sweeps["atlas"]
    kinds = result.grid("verdict").T[::-1]  # upwards the start, to the right the rate
    drawn = rows(sketch_sweep(result, "atlas", 40 + 12, 30))
    for row, line in enumerate(drawn):
        for column, sign in enumerate(line):
            assert sign in (SIGNS[VERDICT_KINDS[kinds[row, column]]], "|")


def test_an_atlas_marks_the_limits_and_says_what_its_signs_mean(sweeps: dict[str, SweepResult]) -> None:
    drawn = sketch_sweep(sweeps["atlas"], "atlas", 76, 12)
    assert all(line.count("|") == 2 for line in rows(drawn))
    for words in (". settled at a minimum", "# diverged", "o cycles", "| 2/L = 0.2255 at w = −1.036"):
        assert words in drawn
    assert "learning rate η, upwards start w" in drawn


def test_the_last_weights_part_at_the_limit_and_end_where_runs_are_lost(
    sweeps: dict[str, SweepResult],
) -> None:
    drawn = sketch_sweep(sweeps["bifurcation"], "bifurcation", 76, 16, plain=True)
    inside = [f"{line:<64}" for line in rows(drawn)]
    dots = [sum(line[column] == "." for line in inside) for column in range(64)]
    assert set(dots[:8]) == {1}
    assert set(dots[12:28]) <= {2, 3, 4}
    assert max(dots[40:54]) > 6
    assert inside[0].rstrip()[-8:] == 8 * "x"
    assert "x lost: the weight ran away   | 2/L = 2" in drawn


def test_the_profile_has_a_star_at_the_fewest_steps(sweeps: dict[str, SweepResult]) -> None:
    drawn = sketch_sweep(sweeps["profile"], "profile")
    assert sum(line.count("*") for line in rows(drawn)) == 1
    assert "* fewest: 1 at η = 0.5   no dot: it did not settle   | 2/L = 1" in drawn


def test_a_sweep_in_which_nothing_settles_is_sketched() -> None:
    result = gdsim.sweep("parabola", {"learning_rate": "lin(1.1,1.2,5)"})
    assert "no dot: it did not settle" in sketch_sweep(result, "profile")
    assert "x lost" in sketch_sweep(result, "bifurcation")


@pytest.mark.parametrize("columns", [40, 76, 100])
@pytest.mark.parametrize("plot", SKETCHES)
def test_no_line_is_wider_than_asked(sweeps: dict[str, SweepResult], plot: str, columns: int) -> None:
    lines = sketch_sweep(sweeps[plot], plot, columns, 10).splitlines()
    assert max(map(len, lines)) <= max(columns, 60)
    assert max(map(len, lines[:10])) <= columns


@pytest.mark.parametrize("plot", SKETCHES)
def test_plain_sketches_draw_with_ascii_inside_the_frame(sweeps: dict[str, SweepResult], plot: str) -> None:
    assert all(line.isascii() for line in rows(sketch_sweep(sweeps[plot], plot, plain=True)))
