"""What a learner reads is what was written: code keeps its lines, and a zero has no sign."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from gdsim.cli import main
from gdsim.lessons.course import Course
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
