"""``gdsim learn`` as a learner meets it: in a pseudo-terminal, on a pipe, with every kind of mishap."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from gdsim.expr.display import to_text
from gdsim.expr.parse import parse
from gdsim.lessons.answers import judge
from gdsim.lessons.course import Course
from gdsim.lessons.misconceptions import wrong_answers
from gdsim.lessons.model import Choice, Differentiation, Order, Prediction, Quantity, Step, Trial, Tuning
from gdsim.lessons.progress import Progress, Record
from gdsim.lessons.receipts import verify
from gdsim.lessons.session import Session
from gdsim.outcomes import InputError

if os.name == "nt":
    pytest.skip("needs pseudo-terminals", allow_module_level=True)

from learner import PROMPT, Terminal

COURSE = Course()
CTRL_C, CTRL_D = b"\x03", b"\x04"


def piped(home: Path, *words: str, typed: str | bytes = "", **env: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "gdsim", *words],
        input=typed if isinstance(typed, bytes) else typed.encode(), capture_output=True, cwd=home,
        env={**os.environ, "GDSIM_HOME": str(home), "PYTHONUTF8": "1", "COLUMNS": "80", **env},
    )  # fmt: skip


def progress(home: Path) -> Progress:
    return Progress(home / "progress.json")


def wrong(session: Session) -> list[str]:
    """Wrong answers to a step: one that is just wrong, and each misconception that its formula allows."""
    lesson, step = session.lesson, session.step
    match step.task:
        case Choice(options, right):
            return [str(place) for place, name in enumerate(options, 1) if name not in right]
        case Quantity():
            return ["-98765.4321", "+"]
        case Differentiation(of, by):
            found = dict.fromkeys(to_text(formula) for _, formula in wrong_answers(parse(of), by))
            return ["98765", *(text for text in found if judged_wrong(session, text))]
        case Tuning():
            path = step.task.edit[0]
            return [f"{path}=1e-9"] if judged_wrong(session, f"{path}=1e-9") else ["nonsense=1"]
        case Order(items):
            return ["1", " ".join(str(place) for place in range(1, len(items) + 1))]
    assert lesson
    return []


def judged_wrong(session: Session, answer: str) -> bool:
    try:
        return judge(session.lesson, session.step, answer).right is False
    except InputError:
        return False


def answer_step(terminal: Terminal, session: Session) -> tuple[int, set[str]]:
    """Take a step: wrong answers and hints first, then the right one. Returns how many, what was named."""
    step, named, tried = session.step, set(), 0
    if isinstance(step.task, Prediction):
        assert "The run says" in terminal.type(guess(step))
    elif isinstance(step.task, Trial):
        assert "end at" in terminal.type("")
    elif step.graded:
        for answer in wrong(session):
            said = terminal.type(answer)
            assert "Right." not in said.split("\n", 1)[1] or not judged_wrong(session, answer), (
                step.name,
                said,
            )
            tried += 1
            named |= {key for key, text in misconceptions().items() if text[:30] in flat(said)}
        assert "Hint 1 of" in terminal.type("hint")
        said = terminal.type(session.written_solution())
        assert "✓" in said, (step.name, said)
    return tried, named


def guess(step: Step) -> str:
    assert isinstance(step.task, Prediction)
    return {"direction": "stay", "outcome": "1", "number": "0"}[step.task.ask]


def flat(text: str) -> str:
    return " ".join(text.split())


def misconceptions() -> dict[str, str]:
    phrases = COURSE.phrases()
    return {key: flat(text) for key, text in phrases.items() if key.startswith("misconception-")}


def take(name: str, home: Path) -> tuple[int, set[str]]:
    """Take a lesson in a terminal as the scripted learner does, leaving and resuming in the middle."""
    record = Record()
    session = Session(COURSE.lesson(name), COURSE.catalogue(name), COURSE.phrases(), record)
    terminal = Terminal("learn", name, home=home)
    terminal.read()
    tried, named = 0, set()
    for place, step in enumerate(session.lesson.steps):
        session.place = place
        session.show()
        if place == len(session.lesson.steps) // 2:
            terminal.type("quit")
            assert terminal.end() == 0
            terminal = Terminal("learn", name, home=home)
            assert f"{place + 1} of {len(session.lesson.steps)}" in terminal.read()
        more, seen = answer_step(terminal, session)
        tried, named = tried + more, named | seen
        said = terminal.type("")
        last = place == len(session.lesson.steps) - 1
        assert ("The lesson is finished" if last else f"{place + 2} of") in said, (step.name, said)
    terminal.type("quit")
    assert terminal.end() == 0
    assert progress(home).lessons[name].finished
    return tried, named


def test_a_lesson_is_taken_from_end_to_end_in_a_terminal(tmp_path: Path) -> None:
    tried, _ = take(COURSE.names[0], tmp_path)
    assert tried >= 4


@pytest.mark.integration
@pytest.mark.parametrize("name", COURSE.names[1:])
def test_every_lesson_is_taken_from_end_to_end_in_a_terminal(name: str, tmp_path: Path) -> None:
    tried, named = take(name, tmp_path)
    assert tried >= 4
    lesson = COURSE.lesson(name)
    kinds = {
        f"misconception-{found.misconception}"
        for step in lesson.steps
        if isinstance(step.task, Differentiation)
        for _, formula in wrong_answers(parse(step.task.of), step.task.by)
        if (found := judge(lesson, step, to_text(formula))).misconception
    }
    assert kinds <= named


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    made = Terminal("learn", "1", home=tmp_path)
    made.read()
    yield made
    made.kill()


def test_without_a_lesson_there_is_a_list_and_enter_goes_on_where_the_learner_is(tmp_path: Path) -> None:
    leaving = Terminal("learn", "3", home=tmp_path)
    leaving.read()
    leaving.type("quit")
    assert leaving.end() == 0
    terminal = Terminal("learn", home=tmp_path)
    said = terminal.read()
    assert "… 03  Zooming in" in said
    assert "1/" in said
    assert "lesson [03-zooming-in]" in said
    assert "1 of" in terminal.type("")
    terminal.kill()


def test_list_comes_back_to_the_lessons_and_unknown_names_are_answered(terminal: Terminal) -> None:
    assert "lesson [01-nudges]" in terminal.type("list")
    assert "did you mean zooming-in?" in flat(terminal.type("zooming-inn"))
    assert "1 of" in terminal.type("zooming-in")


def test_words_of_the_tutorial_may_be_in_capitals_or_behind_a_colon(terminal: Terminal) -> None:
    terminal.type("")
    assert "Hint 1 of 2" in terminal.type("HINT")
    assert "Hint 2 of 2" in terminal.type(":hint")
    assert "These words are commands" in flat(terminal.type("help"))


def test_a_word_that_is_nearly_a_command_is_answered_with_it(terminal: Terminal) -> None:
    terminal.type("")
    assert "If you meant the word hint" in flat(terminal.type("hnit"))


def test_a_command_runs_in_between_and_the_lesson_goes_on(terminal: Terminal) -> None:
    assert "L′ = 2·x" in terminal.type("run derive x^2")
    assert "2 of 13" in terminal.type("")


def test_a_command_runs_from_the_list_of_lessons_too(tmp_path: Path) -> None:
    terminal = Terminal("learn", home=tmp_path)
    terminal.read()
    said = terminal.type('run derive "w^2"')
    prompt = PROMPT.search(said)
    assert "L′ = 2·w" in said
    assert prompt is not None
    assert prompt["prompt"].startswith("lesson")
    terminal.kill()


def test_ctrl_c_keeps_everything_and_exits_with_130(tmp_path: Path) -> None:
    terminal = Terminal("learn", "1", home=tmp_path)
    terminal.read()
    terminal.type("")
    terminal.type("1")
    terminal.type("2")
    terminal.press(CTRL_C)
    assert terminal.end(again=CTRL_C) == 130
    assert [one.answer for one in progress(tmp_path).lessons["01-nudges"].attempts] == ["1", "2"]


def test_ctrl_d_leaves_and_keeps_everything(tmp_path: Path) -> None:
    terminal = Terminal("learn", "1", home=tmp_path)
    terminal.read()
    terminal.type("")
    terminal.press(CTRL_D)
    assert terminal.end() == 0
    assert progress(tmp_path).lessons["01-nudges"].at == "what-it-reads"


def test_a_long_line_and_signs_of_all_kinds_do_no_harm(terminal: Terminal) -> None:
    terminal.type("")
    assert "too long" in terminal.type("1" * 5000)
    assert "could not be read" in flat(terminal.type("字 ∂ \N{SNAKE}"))


@pytest.mark.parametrize(
    ("env", "styled"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)], ids=str
)
def test_colours_are_used_where_they_are_wanted(tmp_path: Path, env: dict[str, str], styled: bool) -> None:
    terminal = Terminal("learn", "1", home=tmp_path, env=env)
    terminal.read()
    terminal.kill()
    assert ("\x1b[1m" in terminal.said) is styled


@pytest.mark.parametrize("size", [(24, 80), (40, 120), (24, 60)], ids=str)
def test_no_line_is_wider_than_the_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    terminal = Terminal("learn", "1", home=tmp_path, size=size)
    said = terminal.read()
    for _ in range(4):
        said += terminal.type("skip")
    terminal.kill()
    assert max(map(len, said.splitlines())) <= size[1]


def test_plain_lines_have_no_drawing_and_no_marks(tmp_path: Path) -> None:
    done = piped(tmp_path, "learn", "1", "--plain", typed="\n2\n\n\n\nleft\n")
    said = done.stdout.decode()
    assert done.returncode == 0
    assert not any(sign in said for sign in "✓✗»│└⡀──\x1b")
    assert "Right." in said


def test_a_pipe_is_echoed_so_that_it_can_be_read_as_a_transcript(tmp_path: Path) -> None:
    said = piped(tmp_path, "learn", "1", typed="\n2\n").stdout.decode()
    assert "option » 2" in said
    assert "✓ Right." in said


def test_a_terminal_without_the_signs_shows_them_spelled(tmp_path: Path) -> None:
    skipping = "skip\n" * 30
    whole = piped(tmp_path, "learn", "13", "--plain", typed=skipping).stdout.decode()
    piped(tmp_path, "learn", "--reset")
    done = piped(
        tmp_path, "learn", "13", "--plain", typed=skipping, PYTHONUTF8="0", PYTHONIOENCODING="latin-1"
    )
    said = done.stdout.decode("latin-1")
    assert "The learning rate eta is how hard you hit." in flat(said)
    assert said.count("?") == whole.count("?")


def test_bytes_that_are_no_text_do_no_harm(tmp_path: Path) -> None:
    done = piped(tmp_path, "learn", "1", typed=b"\n\xff\xfe\x00\n2\n")
    assert done.returncode == 0
    assert progress(tmp_path).lessons["01-nudges"].solved("what-it-reads")


def test_an_empty_pipe_shows_the_first_step_and_ends(tmp_path: Path) -> None:
    done = piped(tmp_path, "learn", "1")
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_broken_progress_file_is_named_and_kept(tmp_path: Path) -> None:
    (tmp_path / "progress.json").write_text("{torn", encoding="utf-8")
    done = piped(tmp_path, "learn", "1")
    assert done.returncode == 2
    assert b"progress.json: this is no progress of the tutorial" in done.stderr
    assert (tmp_path / "progress.json").read_text(encoding="utf-8") == "{torn"


def test_where_nothing_can_be_written_the_lesson_goes_on_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = piped(tmp_path, "learn", "1", typed="\n2\n", GDSIM_HOME=str(tmp_path / "file" / "home"))
    assert done.returncode == 1
    assert b"not kept" in done.stderr
    assert b"progress.json" in done.stderr
    assert "✓ Right." in done.stdout.decode()


def finished_one(home: Path) -> None:
    piped(home, "learn", "1", typed="\n2\n")
    piped(home, "learn", "2", typed="\n")


def test_reset_asks_first_and_forgets_one_lesson(tmp_path: Path) -> None:
    finished_one(tmp_path)
    terminal = Terminal("learn", "1", "--reset", home=tmp_path)
    terminal.press(b"n\n")
    assert terminal.end() == 130
    assert len(progress(tmp_path).lessons) == 2
    terminal = Terminal("learn", "1", "--reset", home=tmp_path)
    terminal.press(b"y\n")
    assert terminal.end() == 0
    assert [*progress(tmp_path).lessons] == ["02-slope-at-a-point"]


def test_reset_forgets_all_lessons(tmp_path: Path) -> None:
    finished_one(tmp_path)
    assert piped(tmp_path, "learn", "--reset").stdout == b"forgotten: all lessons\n"
    assert progress(tmp_path).lessons == {}
    assert piped(tmp_path, "learn", "--reset").stdout == b"nothing to forget: all lessons\n"


def test_a_transcript_and_a_receipt_are_written_and_verified(tmp_path: Path) -> None:
    finished_one(tmp_path)
    done = piped(tmp_path, "learn", "--record", "ada", "--name", "Ada", "--nonce", "wood")
    assert done.stdout.decode().split() == ["ada.md", "ada.json"]
    assert "The needle shows 60 mph" in (tmp_path / "ada.md").read_text(encoding="utf-8")
    assert verify(COURSE, tmp_path / "ada.json", "wood").sound
    table = piped(tmp_path, "lessons", "verify", ".", "--nonce", "stone")
    assert table.returncode == 3
    assert b"no: this is no receipt of the tutorial,,progress.json" in table.stdout
    table = piped(tmp_path, "lessons", "verify", "ada.json", "--nonce", "stone")
    assert table.returncode == 3
    assert b"no: its nonce is 'wood', not 'stone'" in table.stdout


def test_a_class_is_graded_though_one_has_handed_in_something_else(tmp_path: Path) -> None:
    piped(tmp_path, "learn", "1", typed="\nrate\n")
    for name in ("ada", "bob"):
        piped(tmp_path, "learn", "--record", f"all/{name}/receipt", "--name", name)
    (tmp_path / "all" / "bob" / "essay.json").write_bytes(b"\x00")
    done = piped(tmp_path, "lessons", "verify", "all")
    rows = done.stdout.decode().splitlines()[1:]
    assert done.returncode == 3
    assert [row.split(",")[0] for row in rows] == ["ada", "", "bob"]
    assert rows[1] == ",0,0,0,0,0,no: this is no receipt of the tutorial,,bob/essay.json"


def test_a_folder_without_receipts_is_named(tmp_path: Path) -> None:
    done = piped(tmp_path, "lessons", "verify", ".")
    assert done.returncode == 2
    assert b"there is no receipt below this folder" in done.stderr


def test_before_the_first_answer_there_is_nothing_to_record(tmp_path: Path) -> None:
    done = piped(tmp_path, "learn", "--record", "ada")
    assert done.returncode == 2
    assert b"nothing has been answered yet" in done.stderr


def test_an_unknown_lesson_or_language_is_answered_with_the_nearest(tmp_path: Path) -> None:
    assert b"did you mean nudges?" in piped(tmp_path, "learn", "nudge").stderr
    assert b"there is no language 'xx'" in piped(tmp_path, "learn", "--language", "xx").stderr


SAVING = """
import sys
from pathlib import Path
from gdsim.lessons.progress import Attempt, Progress
progress = Progress(Path(sys.argv[1]))
record = progress.record("01-nudges")
print("go", flush=True)
while True:
    record.attempts.append(Attempt("a-step", "x" * 2000, True))
    del record.attempts[:-200]
    progress.record(f"{len(record.attempts):02}-lesson").at = "a"
    progress._known = {}
    progress.save()
"""


def killed_while_saving(file: Path, chance: random.Random) -> None:
    process = subprocess.Popen([sys.executable, "-c", SAVING, str(file)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(chance.uniform(0.0, 0.05))  # a moment is what is tested, not waited for
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("times", [2, pytest.param(100, marks=pytest.mark.integration)])
def test_killed_while_saving_the_file_is_whole(tmp_path: Path, times: int) -> None:
    file, chance = tmp_path / "progress.json", random.Random(6)
    Progress(file).save()
    for _ in range(times):
        killed_while_saving(file, chance)
        assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1
        Progress(file).reset()


def test_two_tutorials_at_once_keep_what_both_have_done(tmp_path: Path) -> None:
    first, second = (Terminal("learn", name, home=tmp_path) for name in ("1", "3"))
    for terminal in (first, second):
        terminal.read()
        terminal.type("")
    first.type("2")
    second.type("skip")
    first.type("quit")
    second.type("quit")
    assert (first.end(), second.end()) == (0, 0)
    kept = progress(tmp_path).lessons
    assert kept["01-nudges"].solved("what-it-reads")
    assert kept["03-zooming-in"].at
