"""What a learner reads is what was written: code keeps its lines, a zero has no sign, German is whole."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from gdsim.cli import main
from gdsim.lessons.check import check_course
from gdsim.lessons.course import SHIPPED, Course
from gdsim.lessons.values import filled


def test_a_zero_that_was_reached_from_below_is_said_without_a_sign() -> None:
    lesson = Course().lesson("08-pitfalls")
    assert filled(lesson, "{{ top-slope:.3g }} {{ top-gradient }} {{ slope:.3g }}") == "0 0 −6"


def test_code_in_a_lesson_keeps_its_lines(tmp_path: Path) -> None:
    skips = "skip\n" * len(Course().lesson("10-exactly-by-machine").steps)
    said = CliRunner().invoke(
        main, ["learn", "10", "--plain"], input=skips, env={"GDSIM_HOME": str(tmp_path)}
    )
    assert said.exit_code == 0, said.output
    lines = said.output.splitlines()
    first = lines.index("    x = torch.tensor(3.0, requires_grad=True)")
    assert [line.strip() for line in lines[first + 1 : first + 4]] == ["y = x**2", "y.backward()", "x.grad"]


@pytest.mark.parametrize(
    ("written", "instead", "said"),
    [
        ("Hinweis {number} von {count}", "Hinweis {number}", "puts in other words"),
        ("right: Richtig.", "rihgt: Richtig.", "no text for the phrase right"),
    ],
)
def test_a_phrase_that_is_not_translated_is_found(
    tmp_path: Path, written: str, instead: str, said: str
) -> None:
    for part in ("01-nudges", "phrases"):
        shutil.copytree(SHIPPED / part, tmp_path / part)
    assert check_course(Course(tmp_path))[0] == []
    german = tmp_path / "phrases" / "de.yaml"
    text = german.read_text(encoding="utf-8")
    assert text.count(written) == 1
    german.write_text(text.replace(written, instead), encoding="utf-8")
    assert said in " ".join(str(finding) for finding in check_course(Course(tmp_path))[0])


def test_lesson_one_is_taken_in_german(tmp_path: Path) -> None:
    said = CliRunner().invoke(
        main, ["learn", "1", "--plain", "--language", "de"], input="\n3\nhint\n2\n",
        env={"GDSIM_HOME": str(tmp_path)},
    )  # fmt: skip
    assert said.exit_code == 0, said.output
    for words in ("Ein Stups und was er bewirkt", "1 von 13", "Nicht ganz.", "Hinweis 1 von 2", "Richtig."):
        assert words in said.output
