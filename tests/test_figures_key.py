"""What a scenario states of its figures: checked at its place, and drawn so."""

from __future__ import annotations

from pathlib import Path

import pytest
import sweep_examples as examples
from click.testing import CliRunner
from shipped import executed

from gdsim.cli import main
from gdsim.outcomes import InputError
from gdsim.plots import FORMATS, PLOTS, SWEEP_PLOTS, Look, default_files, default_sweep_files, read_stamp
from gdsim.plots.files import wish_of
from gdsim.runs import execute
from gdsim.runs.store import digest
from gdsim.scenario import dump, load, origins, parse_mapping
from gdsim.scenario.figures import FORMATS as FORMAT_NAMES
from gdsim.scenario.figures import KINDS, SIZES, STYLES, SWEEP_KINDS, TEXT_SIZES, inches

PLAIN = {"loss": "w^2", "initial_weight": 1, "learning_rate": 0.4}


def stating(**figures: object) -> dict[str, object]:
    return {**PLAIN, "figures": figures}


def test_the_names_that_scenarios_know_are_those_that_are_drawn() -> None:
    assert {*KINDS} == {*PLOTS}
    coloured = {f"{kind}:{by}" for kind, plot in SWEEP_PLOTS.items() for by in plot.by if by}
    assert {*SWEEP_KINDS} == {*SWEEP_PLOTS} | coloured
    assert FORMAT_NAMES == FORMATS


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [*SIZES, "8x4.5"])
def test_every_style_is_taken_with_every_size_that_holds_its_text(style: str, size: str) -> None:
    text = Look(style).sheet()["font.size"] / 72
    if inches(size)[0] < 28 * text or inches(size)[1] < 18 * text:
        with pytest.raises(InputError, match=r"at least \d+\.\dx"):
            parse_mapping(stating(style=style, size=size))
    else:
        look = wish_of(parse_mapping(stating(style=style, size=size))).look
        assert (look.style, look.size) == (style, size)


@pytest.mark.parametrize("style", STYLES)
def test_the_text_of_a_style_is_as_large_as_scenarios_know(style: str) -> None:
    assert TEXT_SIZES[style] == Look(style).sheet()["font.size"]


@pytest.mark.parametrize(
    ("figures", "path", "message"),
    [
        ({"style": "slides-drak"}, "figures.style", "did you mean slides-dark"),
        ({"size": "4:4"}, "figures.size", "did you mean 4:3"),
        ({"size": "200x4"}, "figures.size", "1 to 60 inches"),
        ({"kinds": ["curve", "conture"]}, "figures.kinds", "did you mean contour"),
        ({"kinds": ["atlas:stepz"]}, "figures.kinds", "did you mean atlas:steps"),
        ({"kinds": []}, "figures.kinds", "0 entries"),
        ({"formats": ["jpg"]}, "figures.formats", "one of svg, pdf, png"),
        ({"caption": "no"}, "figures.caption", "true or false"),
        ({"stile": "paper"}, "figures.stile", "did you mean style"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(figures: dict[str, object], path: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        parse_mapping(stating(**figures))
    assert caught.value.faults[0].path.startswith(path)


def test_a_scenario_without_the_key_stays_as_it_was() -> None:
    assert "figures" not in dump(parse_mapping(PLAIN))
    assert digest(parse_mapping(PLAIN)) == digest(parse_mapping({**PLAIN, "figures": {}}))


def test_the_resolved_scenario_keeps_it_and_says_where_from() -> None:
    scenario = load("parabola", preset="print")
    assert scenario.figures == {"style": "print"}
    assert "figures: {style: print}" in dump(scenario)
    assert "print.yaml" in origins(scenario)["figures.style"]
    assert load("parabola", preset="lecture").figures == {"style": "slides"}


def test_a_run_is_drawn_as_its_scenario_states() -> None:
    run = execute(parse_mapping(stating(style="paper", kinds=["contour", "convergence"], formats=["png"])))
    ((name, content),) = default_files(run).items()
    facts = read_stamp(content) or {}
    assert name == "convergence-paper.png"
    assert (facts["kind"], facts["style"]) == ("convergence", "paper")


def test_where_no_kind_suits_the_usual_ones_are_drawn() -> None:
    run = execute(parse_mapping(stating(kinds=["contour", "atlas"])))
    assert [*default_files(run)] == [*default_files(executed("parabola"))]


def test_a_sweep_is_drawn_as_its_scenario_states() -> None:
    stated = stating(style="print", kinds=["curve", "profile", "atlas"], caption=False)
    result = examples.swept(stated, {"learning_rate": (0.1, 0.2, 0.4)})
    ((name, content),) = default_sweep_files(result).items()
    assert name == "profile-print.svg"
    assert (read_stamp(content) or {})["caption"] == "no"


def test_options_of_plot_win_over_the_scenario(tmp_path: Path) -> None:
    file = tmp_path / "stated.yaml"
    file.write_text(dump(parse_mapping(stating(style="print", size="square", kinds=["curve"]))))
    call = CliRunner().invoke
    assert call(main, ["run", str(file), "--out", str(tmp_path), "--no-plot"]).exit_code == 0
    (folder,) = [path for path in tmp_path.iterdir() if path.is_dir()]
    for options, name in (
        ([], "curve-print-square.svg"),
        (["--size", "a4"], "curve-print-a4.svg"),
        (["--style", "paper"], "curve-paper.svg"),
        (["--kind", "convergence", "--format", "png"], "convergence-print-square.png"),
    ):
        result = call(main, ["plot", str(folder), *options])
        assert Path(result.output.strip()).name == name, result.output
