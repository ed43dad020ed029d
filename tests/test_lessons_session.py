"""A lesson being taken, as a pure object: what each kind of step says, and what each word does."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsim.lessons.answers import judge
from gdsim.lessons.course import Course
from gdsim.lessons.model import GRADED, Prediction, Trial
from gdsim.lessons.progress import Record
from gdsim.lessons.scaffold import scaffold
from gdsim.lessons.session import Block, Heading, Items, Note, Outcome, Prose, Session, Shown, is_open, score


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    """A course of one lesson, which has a step of each kind."""
    folder = tmp_path_factory.mktemp("course")
    scaffold(folder, "01-all-kinds")
    return Course(folder)


@pytest.fixture
def session(course: Course) -> Session:
    return begun(course, Record())


def begun(course: Course, record: Record) -> Session:
    name = course.names[0]
    made = Session(course.lesson(name), course.catalogue(name), course.phrases(), record)
    made.begin()
    return made


def at(session: Session, step: str) -> Session:
    """The session at a step."""
    session.place = [one.name for one in session.lesson.steps].index(step)
    session.show()
    return session


def said(blocks: list[Block]) -> str:
    return "\n".join(block.text for block in blocks if isinstance(block, Heading | Prose | Note))


def tones(blocks: list[Block]) -> list[str]:
    return [block.tone for block in blocks if isinstance(block, Note)]


def through(session: Session) -> list[Block]:
    """Answer every step rightly."""
    blocks: list[Block] = []
    while not session.over:
        task = session.step.task
        if isinstance(task, Prediction):
            session.answer("stay")
        elif session.step.graded:
            session.answer(session.written_solution())
        elif isinstance(task, Trial):
            session.answer("")
        blocks = session.answer("")
    return blocks


def test_a_lesson_begins_with_its_title_its_summary_and_the_words_for_any_time(course: Course) -> None:
    made = Session(
        course.lesson("01-all-kinds"), course.catalogue("01-all-kinds"), course.phrases(), Record()
    )
    blocks = made.begin()
    assert blocks[0] == Heading("Title of the lesson")
    assert "What it is about" in said(blocks)
    assert "hint · solution · skip" in said(blocks)


def test_each_step_says_where_it_stands(session: Session) -> None:
    assert session.show()[0] == Heading("1 of 10 · Title of the lesson", 2)


def test_values_in_prose_are_filled_in(session: Session) -> None:
    assert "{{" not in said(session.show())


@pytest.mark.parametrize(
    ("step", "prompt"),
    [
        ("hook", "Press Enter"), ("look", "Press Enter"), ("bet", "left, right or stay"),
        ("try-it", "learning_rate"), ("why", "option"), ("how-steep", "number"), ("rule", "derivative"),
        ("faster", "learning_rate"), ("the-way", "order"),
    ],
)  # fmt: skip
def test_the_prompt_says_what_is_wanted(session: Session, step: str, prompt: str) -> None:
    assert at(session, step).prompt() == prompt


def test_a_text_goes_on_with_enter_and_keeps_no_answer(session: Session) -> None:
    session.answer("")
    assert session.step.name == "look"
    assert session.record.attempts == []


def test_what_is_typed_where_nothing_is_asked_does_not_go_on(session: Session) -> None:
    assert "Nothing is asked" in said(session.answer("42"))
    assert session.step.name == "hook"


def test_a_figure_is_shown_with_the_steps_to_look_at(session: Session) -> None:
    at(session, "look")
    shown = next(block for block in session.show() if isinstance(block, Shown))
    assert (shown.plot, shown.at) == ("curve", (0,))


@pytest.mark.parametrize(("answer", "right"), [("left", True), ("right", False), ("stay", False)])
def test_a_prediction_is_revealed_whatever_it_was(session: Session, answer: str, right: bool) -> None:
    blocks = at(session, "bet").answer(answer)
    assert any(isinstance(block, Outcome) for block in blocks)
    assert "To the left: the slope is positive" in said(blocks)
    assert "The run says left" in said(blocks)
    assert session.record.of("bet")[0].right is right
    assert session.prompt() == "Press Enter"


def test_what_is_said_to_a_prediction_stands_below_the_run(session: Session) -> None:
    kinds = [type(block) for block in at(session, "bet").answer("left")]
    assert kinds == [Outcome, Note, Prose]


def test_a_prediction_has_no_solution_to_look_at(session: Session) -> None:
    assert "Guess" in said(at(session, "bet").solution())
    assert session.record.shown == []


def test_a_trial_runs_as_it_is_with_enter_and_goes_on_with_the_next(session: Session) -> None:
    blocks = at(session, "try-it").answer("")
    assert any(isinstance(block, Shown) for block in blocks)
    assert "takes larger steps" in said(blocks)
    session.answer("")
    assert session.step.name == "why"


def test_a_trial_runs_again_with_other_values(session: Session) -> None:
    first, second = at(session, "try-it").answer("0.5"), session.answer("learning_rate=1.1")
    verdicts = [block.run.verdict.kind for block in [*first, *second] if isinstance(block, Outcome)]
    assert verdicts == ["minimum", "diverged"]


def test_a_trial_says_what_its_values_are(session: Session) -> None:
    at(session, "try-it")
    assert "Now learning_rate=0.2." in said(session.show())


def test_a_trial_that_cannot_run_says_why_and_waits(session: Session) -> None:
    assert "could not be read" in said(at(session, "try-it").answer("lerning_rate=3"))
    assert session.prompt() == "learning_rate"


def test_a_choice_gives_feedback_for_the_option(session: Session) -> None:
    blocks = at(session, "why").answer("2")
    assert tones(blocks)[0] == "wrong"
    assert "The size says how bad it is" in said(blocks)
    assert tones(session.answer("slope"))[0] == "right"


def test_options_are_listed_with_their_texts(session: Session) -> None:
    items = next(block for block in at(session, "why").show() if isinstance(block, Items))
    assert items.texts == ("The sign of the slope.", "The size of the loss.")


def test_a_known_mistake_is_answered(session: Session) -> None:
    assert "That is the loss at w = 3" in said(at(session, "how-steep").answer("9"))


def test_a_misconception_is_named_and_kept(session: Session) -> None:
    blocks = at(session, "rule").answer("2w^2")
    assert "it must also become one smaller" in said(blocks)
    assert session.record.of("rule")[0].misconception == "power-not-reduced"


def test_tuning_says_what_is_missing_below_the_run(session: Session) -> None:
    blocks = at(session, "faster").answer("0.1")
    assert "but after" in said(blocks)
    assert [type(block) for block in blocks] == [Outcome, Note]
    assert "Reached: minimum. Steps: 1." in said(session.answer("0.5"))


def test_an_order_is_never_shown_in_order_and_the_same_each_time(session: Session) -> None:
    at(session, "the-way")
    assert session.shuffled() == session.shuffled() != session.step.task.items  # type: ignore[union-attr]


def test_the_numbers_of_an_order_are_those_shown(session: Session) -> None:
    at(session, "the-way")
    typed = " ".join(str(session.shuffled().index(name) + 1) for name in ("measure", "move", "judge"))
    assert tones(session.answer(typed))[0] == "right"
    assert session.record.of("the-way")[0].answer == "measure move judge"


def test_what_is_said_about_an_unreadable_order_does_not_tell_it(session: Session) -> None:
    assert "judge, measure, move" in said(at(session, "the-way").answer("x y z"))


@pytest.mark.parametrize("answer", ["foo", "help me", "2w +", "2x", "=", "9" * 900, "∂", "\x1b[A", "1/0"])
@pytest.mark.parametrize("step", ["bet", "why", "how-steep", "rule", "faster", "the-way"])
def test_what_cannot_be_read_is_no_failed_attempt_or_wrong_but_never_a_crash(
    session: Session, step: str, answer: str
) -> None:
    blocks = at(session, step).answer(answer)
    assert tones(blocks)
    assert all(attempt.answer == answer for attempt in session.record.attempts)


def test_the_place_of_a_fault_is_counted_in_signs(session: Session) -> None:
    assert "(at sign 6)" in said(at(session, "rule").answer("help me"))


def test_an_empty_answer_asks_again_and_counts_nothing(session: Session) -> None:
    assert "no answer yet" in said(at(session, "how-steep").answer("  "))
    assert session.record.attempts == []


def test_a_very_long_answer_is_refused_before_it_is_read(session: Session) -> None:
    assert "too long" in said(at(session, "how-steep").answer("1+" * 1_000_000 + "1"))
    assert session.record.attempts == []


def test_hints_come_one_after_the_other_and_then_end(session: Session) -> None:
    at(session, "how-steep")
    assert ["Hint 1 of 2" in said(session.hint()), "Hint 2 of 2" in said(session.hint())] == [True, True]
    assert "no further hint" in said(session.hint())
    session.answer("6")
    assert session.record.of("how-steep")[0].hints == 2


def test_where_there_are_no_hints_it_is_said(session: Session) -> None:
    assert "no hints for this step" in said(session.hint())


def test_help_is_offered_after_two_wrong_answers(session: Session) -> None:
    at(session, "how-steep")
    assert "You may ask for a hint" not in said(session.answer("1"))
    assert "You may ask for a hint" in said(session.answer("2"))


def test_answers_that_could_not_be_read_are_not_counted_as_wrong(session: Session) -> None:
    at(session, "how-steep")
    session.answer("foo")
    session.answer("bar")
    assert "You may ask for a hint" not in said(session.answer("1"))


def test_the_solution_is_noted_and_enter_goes_on(session: Session) -> None:
    assert "Solution: 6" in said(at(session, "how-steep").solution())
    assert session.record.shown == ["how-steep"]
    session.answer("")
    assert session.step.name == "rule"


def test_a_solution_after_the_right_answer_takes_nothing_away(session: Session) -> None:
    at(session, "how-steep").answer("6")
    session.solution()
    assert session.record.shown == []


def test_every_written_solution_is_right_when_it_is_typed(session: Session) -> None:
    for step in session.lesson.steps:
        if step.graded and not isinstance(step.task, Prediction):
            at(session, step.name)
            assert tones(session.answer(session.written_solution()))[0] == "right", step.name


def test_a_text_has_nothing_to_solve(session: Session) -> None:
    assert "nothing to solve" in said(session.solution())


def test_skip_goes_on_and_is_noted(session: Session) -> None:
    at(session, "why").skip()
    assert session.step.name == "how-steep"
    assert session.record.skipped == ["why"]


def test_back_goes_to_the_step_before_and_not_beyond_the_first(session: Session) -> None:
    at(session, "look").back()
    assert session.step.name == "hook"
    assert "first step" in said(session.back())


def test_a_step_that_was_answered_says_so_and_enter_goes_on(session: Session) -> None:
    at(session, "how-steep").answer("2*3")
    assert "Your answer was 2*3." in said(session.show())
    session.answer("")
    assert session.step.name == "rule"


def test_an_answer_once_right_stays_done_after_a_wrong_one(session: Session) -> None:
    at(session, "how-steep").answer("6")
    session.answer("7")
    assert session.prompt() == "Press Enter"


def test_a_lesson_is_resumed_where_it_was_left(course: Course) -> None:
    record = Record()
    at(begun(course, record), "rule")
    assert begun(course, record).step.name == "rule"


def test_a_step_that_is_no_longer_there_begins_the_lesson_anew(course: Course) -> None:
    assert begun(course, Record(at="gone")).step.name == "hook"


def test_right_answers_finish_the_lesson_and_are_counted(session: Session) -> None:
    blocks = through(session)
    assert session.record.finished
    assert "Of 6 answers 5 were right at once, 0 later." in said(blocks)  # the prediction was wrong


def test_a_wrong_answer_first_counts_as_later(session: Session) -> None:
    at(session, "how-steep").answer("7")
    session.answer("6")
    assert score(session.lesson, session.record) == (0, 1, 6)


def test_a_lesson_without_answers_is_not_finished(session: Session) -> None:
    blocks: list[Block] = []
    for _ in range(40):
        blocks = session.skip()
        if session.over:
            break
    assert "not finished; steps without an answer: 3, 5, 6, 7, 8, 9" in said(blocks)
    assert not session.record.finished


def test_the_end_leads_to_what_was_left_out_and_then_finishes(session: Session) -> None:
    at(session, "bet").answer("left")
    for step in ("why", "rule", "faster", "the-way"):
        at(session, step).answer(session.written_solution())
    blocks = at(session, "summary").answer("")
    assert "no answer yet: 6" in said(blocks)
    assert session.step.name == "how-steep"
    session.answer("6")
    assert "finished" in said(session.answer(""))
    assert session.record.finished


def test_an_unfinished_lesson_is_resumed_at_what_was_left_out(course: Course) -> None:
    record = Record()
    made = begun(course, record)
    while not made.over:
        made.skip()
    assert begun(course, record).step.name == "bet"


def test_a_finished_lesson_is_looked_at_again_with_its_answers(course: Course) -> None:
    record = Record()
    through(begun(course, record))
    made = Session(course.lesson("01-all-kinds"), course.catalogue("01-all-kinds"), course.phrases(), record)
    assert "looking at it again" in said(made.begin())
    for _ in made.lesson.steps:
        made.answer("")
        if isinstance(made.step.task, Trial) if not made.over else False:
            made.answer("")
    assert made.over
    assert record.finished


def test_a_look_at_a_finished_lesson_changes_no_count(course: Course) -> None:
    record = Record()
    through(begun(course, record))
    before = score(course.lesson("01-all-kinds"), record)
    made = at(begun(course, record), "how-steep")
    made.answer("7")
    made.solution()
    assert score(made.lesson, record) == before


def test_open_is_what_has_neither_a_right_answer_nor_a_look_at_the_solution(session: Session) -> None:
    at(session, "how-steep").answer("7")
    assert is_open(session.step, session.record)
    session.solution()
    assert not is_open(session.step, session.record)
    assert not is_open(session.lesson.steps[0], session.record)


@pytest.mark.parametrize("name", [Course().names[0], *(
    pytest.param(name, marks=pytest.mark.integration) for name in Course().names[1:]
)])  # fmt: skip
def test_every_step_of_the_course_says_its_solution_as_it_may_be_typed(name: str) -> None:
    shipped = Course()
    made = Session(shipped.lesson(name), shipped.catalogue(name), shipped.phrases(), Record())
    for place, step in enumerate(made.lesson.steps):
        made.place = place
        made.show()
        if isinstance(step.task, GRADED) and not isinstance(step.task, Prediction):
            typed = made._named(made.written_solution())
            assert judge(made.lesson, step, typed).right, step.name


def test_the_words_of_the_tutorial_are_all_there() -> None:
    """Every phrase that the code asks for is in the catalogue."""
    import re

    import gdsim

    package = Path(gdsim.__file__).parent
    code = "".join(
        file.read_text(encoding="utf-8")
        for file in [
            *package.glob("lessons/*.py"),
            *package.glob("cli/lesson_*.py"),
            *package.glob("page/*.py"),
        ]
    )
    asked = set(re.findall(r'(?:say|note|_prose|phrases)[\(\[]"([a-z-]+)"', code))
    assert asked - {"reveal", "solution"} <= set(Course().phrases())
