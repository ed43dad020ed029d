"""The figures of a lesson as files beside the terminal."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from gdsim.cli import main
from gdsim.lessons.course import Course

TO_THE_FIGURE = "\n2\n\n\n"  # see-it is the fourth step of the first lesson


def learn(*words: str, typed: str = TO_THE_FIGURE) -> str:
    result = CliRunner().invoke(main, ["learn", "nudges", *words], prog_name="gdsim", input=typed)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDSIM_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("plain", [(), ("--plain",)], ids=["sketch", "plain"])
def test_a_figure_is_written_beside_and_its_path_said(tmp_path: Path, plain: tuple[str, ...]) -> None:
    said = learn("--figures", "pictures", *plain)
    assert f"The figure: {Path('pictures', '01-nudges', 'see-it.svg')}" in said
    assert "<svg" in (tmp_path / "pictures" / "01-nudges" / "see-it.svg").read_text(encoding="utf-8")


def test_nothing_is_written_to_a_pipe(tmp_path: Path) -> None:
    assert "The figure" not in learn()
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_folder_that_cannot_be_written_does_not_end_the_lesson(tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "01-nudges").write_text("a file stands where a folder is wanted")
    said = learn("--figures", "pictures", typed=TO_THE_FIGURE + "\n")
    assert "The figure could not be written" in said
    assert "Which way should the weight go?" in " ".join(said.split())


def test_a_figure_of_a_run_of_the_learner_is_the_one_last_shown(tmp_path: Path) -> None:
    before = [step.name for step in Course().lesson("02-slope-at-a-point").steps].index("walk")
    typed = "skip\n" * before + "initial_weight=3\ninitial_weight=4\n"
    said = CliRunner().invoke(
        main, ["learn", "slope-at-a-point", "--figures", "pictures"], prog_name="gdsim", input=typed
    )
    file = Path("pictures", "02-slope-at-a-point", "walk.svg")
    assert said.output.count(f"The figure: {file}") == 2
    assert "from w = 4" in file.read_text(encoding="utf-8")
