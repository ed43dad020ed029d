"""``gdsim plot``: figures of saved runs, build-ups, and the check that they still are what the run gives."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from PIL import Image

from gdsim.cli import main
from gdsim.plots import read_stamp


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a saved run without figures."""
    assert gdsim("run", "double-well", "--no-plot", "--out", str(tmp_path)).exit_code == 0
    return next(tmp_path.iterdir())


def test_every_format_is_written_and_stamped_with_the_scenario(folder: Path) -> None:
    result = gdsim("plot", str(folder), "--kind", "curve", "--format", "svg,pdf,png")
    files = [Path(line) for line in result.stdout.split()]
    assert [file.name for file in files] == ["curve.svg", "curve.pdf", "curve.png"]
    for file in files:
        stamp = read_stamp(file.read_bytes())
        assert stamp is not None
        assert stamp["scenario"] == folder.name
        assert stamp["kind"] == "curve"
        assert stamp["style"] == "slides"


def test_slides_are_thirteen_inches_wide(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve", "--format", "png")
    with Image.open(folder / "figures" / "curve.png") as picture:
        assert picture.size == (1919, 1080)  # 13.333 × 7.5 in at 144 dpi


def test_style_and_size_stand_in_the_name(folder: Path) -> None:
    result = gdsim("plot", str(folder), "--kind", "curve", "--style", "paper", "--size", "4:3")
    assert Path(result.stdout.strip()).name == "curve-paper-4x3.svg"


def test_an_svg_says_what_it_shows_to_a_screen_reader(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve")
    text = (folder / "figures" / "curve.svg").read_text(encoding="utf-8")
    assert '<svg role="img"' in text
    assert "<title>Two valleys" in text
    assert "minimum at w = −1; maximum at w = 0; minimum at w = 1.</desc>" in text


def test_text_stays_text_on_request(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve", "--live-text")
    assert ">weight w</text>" in (folder / "figures" / "curve.svg").read_text(encoding="utf-8")


def test_a_build_up_is_one_figure_for_each_step(folder: Path) -> None:
    result = gdsim("plot", str(folder), "--kind", "curve", "--steps", "0,1,5,10")
    names = [Path(line).name for line in result.stdout.split()]
    assert names == [f"curve-step-{step}.svg" for step in ("00", "01", "05", "10")]


def test_the_caption_can_be_left_out(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve", "--live-text", "--no-caption")
    assert "gradient descent</text>" not in (folder / "figures" / "curve.svg").read_text(encoding="utf-8")


def test_figures_just_drawn_are_sound(folder: Path) -> None:
    words = ("--kind", "curve", "--format", "svg,png,pdf", "--style", "print", "--steps", "3", "--at", "1")
    gdsim("plot", str(folder), *words)
    result = gdsim("plot", str(folder), "--check")
    assert result.exit_code == 0
    assert result.stdout == "3 figures, all sound\n"


def test_a_figure_that_was_changed_is_named(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve")
    file = folder / "figures" / "curve.svg"
    file.write_bytes(file.read_bytes().replace(b"#176dcc", b"#176dcd"))
    result = gdsim("plot", str(folder), "--check")
    assert result.exit_code == 3
    assert "curve.svg: it is no longer what its run gives" in result.stdout
    document = json.loads(gdsim("plot", str(folder), "--check", "--json").stdout)
    assert document["sound"] is False


def test_a_figure_of_another_run_is_named(folder: Path) -> None:
    gdsim("plot", str(folder), "--kind", "curve")
    file = folder / "figures" / "curve.svg"
    file.write_bytes(file.read_bytes().replace(folder.name.encode(), b"double-well-00000000"))
    result = gdsim("plot", str(folder), "--check")
    assert result.exit_code == 3
    assert "which is not beside" in result.stdout


def test_figures_of_a_sweep_are_drawn_again_from_its_folder(tmp_path: Path) -> None:
    words = ("double-well", "learning_rate=lin(0.01,0.3,12)", "--no-plot", "--out", str(tmp_path))
    assert gdsim("sweep", *words).exit_code == 0
    folder = next(tmp_path.iterdir())
    result = gdsim("plot", str(folder), "--format", "png", "--style", "paper")
    names = [Path(line).name for line in result.stdout.split()]
    assert names == ["profile-paper.png", "bifurcation-paper.png"]
    assert gdsim("plot", str(folder), "--check").stdout == "2 figures, all sound\n"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kind", "curv"), "did you mean curve"),
        (("--kind", "contour"), "shows 2 weight(s), this run has 1"),
        (("--kind", "atlas"), "atlas shows a sweep, not a run; expected curve | "),
        (("--style", "slide"), "did you mean slides"),
        (("--size", "3:4"), "WIDTHxHEIGHT in inches"),
        (("--size", "100x2"), "from 1 to 60 inches"),
        (("--format", "svg,gif"), "svg | pdf | png"),
        (("--steps", "0,x"), "'x' is no step"),
        (("--at", "77"), "a recorded step, 0 to 15"),
        (("--check",), "holds no figures"),
    ],
)
def test_wrong_words_say_what_was_expected(folder: Path, words: tuple[str, ...], message: str) -> None:
    result = gdsim("plot", str(folder), *words)
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_folder_that_is_no_run_says_so(tmp_path: Path) -> None:
    result = gdsim("plot", str(tmp_path))
    assert result.exit_code == 2
    assert "is not a run directory" in result.stderr
