"""The colours of styles, verdicts and basins can be told apart: by anybody, and in grey print."""

from __future__ import annotations

from itertools import combinations, pairwise

import numpy as np
import pytest
from colour_difference import SIGHT, contrast, difference, lab
from matplotlib.colors import to_hex

from gdsim.outcomes import VERDICT_KINDS
from gdsim.plots.look import BASINS, LOST, STYLES, UNSETTLED, VERDICTS, Colours, Look, colours
from gdsim.plots.sweeps.legend import ink_on
from gdsim.plots.sweeps.raster import rgb


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [  # table 1 of Sharma, Wu and Dalal (2005): pairs 1, 7, 14, 17, 19, 25 and 34
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, -0.0010, 2.4900), (50, 0.0011, -2.4900), 4.7461),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
        ((50, 2.5, 0), (56, -27, -3), 31.9030),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_colour_difference_is_that_of_the_published_pairs(
    one: tuple, other: tuple, expected: float
) -> None:
    assert difference(np.array(one, float), np.array(other, float)) == pytest.approx(expected, abs=1e-4)


def test_every_kind_of_verdict_has_a_colour_and_words() -> None:
    assert tuple(VERDICTS) == VERDICT_KINDS
    assert len({words for _, words in VERDICTS.values()}) == len(VERDICT_KINDS)


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_kinds_of_verdict_differ_in_every_kind_of_sight(sight: str) -> None:
    colours = [lab(colour, sight) for colour, _ in VERDICTS.values()]
    assert min(difference(a, b) for a, b in combinations(colours, 2)) >= 14


def test_kinds_of_verdict_stay_apart_in_grey() -> None:
    lightness = [lab(colour)[0] for colour, _ in VERDICTS.values()]
    assert min(abs(a - b) for a, b in combinations(lightness, 2)) >= 6
    assert min(abs(a - b) for a, b in pairwise(lightness)) >= 12


def test_kinds_that_share_most_pictures_stay_apart_in_the_grey_of_printers() -> None:
    often = ("minimum", "maximum", "cycle", "diverged", "still_moving", "no_minimum")
    grey = sorted(np.dot((0.299, 0.587, 0.114), rgb(VERDICTS[kind][0])) / 255 for kind in often)
    assert np.diff(grey).min() >= 0.10


@pytest.mark.parametrize("sight", SIGHT)
def test_any_two_basins_differ_in_every_kind_of_sight(sight: str) -> None:
    colours = [lab(colour, sight) for colour in (*BASINS, UNSETTLED, LOST)]
    assert min(difference(a, b) for a, b in combinations(colours, 2)) >= 16


def test_neighbouring_basins_stay_apart_in_grey() -> None:
    lightness = [lab(colour)[0] for colour in (*BASINS, BASINS[0])]
    assert min(abs(a - b) for a, b in pairwise(lightness)) >= 15


def of_style(style: str) -> Colours:
    with Look(style).applied():
        return colours()


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("style", STYLES)
def test_any_two_colours_of_a_style_differ_in_every_kind_of_sight(style: str, sight: str) -> None:
    found = of_style(style)
    seen = [lab(colour, sight) for colour in (*found.series, found.end)]
    assert min(difference(a, b) for a, b in combinations(seen, 2)) >= 16


def test_the_colours_of_print_differ_in_grey() -> None:
    found = of_style("print")
    lightness = sorted(lab(colour)[0] for colour in (*found.series, found.end))
    assert np.diff(lightness).min() >= 7


@pytest.mark.parametrize("style", STYLES)
def test_lines_and_marks_stand_out_from_the_ground(style: str) -> None:
    found = of_style(style)
    assert min(contrast(colour, found.ground) for colour in found.series) >= 3
    assert contrast(found.end, found.ink if style != "slides-dark" else found.ground) >= 3  # its outline


@pytest.mark.parametrize("style", STYLES)
def test_text_stands_out_from_the_ground(style: str) -> None:
    sheet = Look(style).sheet()
    for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
        assert contrast(to_hex(sheet[key]), of_style(style).ground) >= 4.5, key


def test_letters_stand_out_from_every_colour_of_a_map() -> None:
    for colour in (*(colour for colour, _ in VERDICTS.values()), *BASINS, UNSETTLED, LOST):
        ink = {"white": "#ffffff"}.get(ink_on(colour), ink_on(colour))
        assert contrast(ink, colour) >= 3, colour  # bold and large
