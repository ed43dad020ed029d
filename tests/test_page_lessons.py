"""Lessons in the page: judged as in the terminal, of words that can do nothing, small, the same bytes."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import page_answers
import page_node
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from page_answers import Case, course_data
from random_trees import trees
from test_lessons_answers import WEIGHTS_ALONE
from tiers import later, some

from gdsim.expr.display import to_text
from gdsim.expr.nodes import Expr, symbols
from gdsim.expr.parse import parse
from gdsim.expr.simplify import simplify
from gdsim.lessons.course import Course
from gdsim.lessons.equivalence import likeness
from gdsim.lessons.progress import Attempt, Progress, Record
from gdsim.lessons.receipts import transcript, verify
from gdsim.lessons.session import Note, Session, _written
from gdsim.outcomes import InputError
from gdsim.page.lesson_data import PHRASES, Laboratories, lessons_data
from gdsim.page.lesson_pages import course_page, lesson_page
from gdsim.page.prose import prose

needs_node = page_node.NEEDS_NODE
NAMES = Course().names
FEW = ("01-nudges", "14-two-over-l")  # of which the default suite takes the answers

_SAID = """
import { judgeAnswer } from "./lesson/judge.js";
import { FormulaError } from "./engine/tokens.js";
function said(step, typed, runner) {
  try {
    const { right, phrase, part, misconception } = judgeAnswer(step, typed, runner);
    return { right, phrase, part, misconception };
  } catch (error) {
    if (!(error instanceof FormulaError)) throw error;
    return { phrase: "unread" };
  }
}
const steps = new Map((data.course?.lessons ?? []).flatMap(
  (lesson) => lesson.steps.map((step) => [lesson.name + "/" + step.name, step])));
const stepOfCase = ([lesson, step]) => steps.get(lesson + "/" + step);
"""
_JUDGED = _SAID + "answer(data.cases.map((one) => said(stepOfCase(one), one[2], null)));"
_TUNED = """
import { labRunner } from "./lesson/runs.js";
import { emitted } from "./emitted.js";
const runner = labRunner(data.course, emitted);
answer(data.cases.map((one) => said(stepOfCase(one), one[2], runner)));
"""


def different(kinds: Collection[str], lessons: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """The answers to which page and terminal say different things."""
    cases = list(page_answers.cases(kinds, lessons))
    assert cases
    course, labs = page_answers.course_data(lessons)
    data: dict[str, Any] = {"course": course, "cases": [case[:3] for case in cases]}
    if "tune" in kinds:
        losses, made = page_answers.laboratories(labs)
        data["course"] = {**course, "labs": made}
        found = page_node.run(_SAID + _TUNED, data, page_answers.emitted(losses))
    else:
        found = page_node.run(_JUDGED, data)
    return unequal(cases, found)


def unequal(cases: list[Case], found: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(*case, mine) for case, mine in zip(cases, found, strict=True) if mine != case.said]


@needs_node
@pytest.mark.parametrize("lessons", some([FEW, NAMES], FEW))
def test_choices_orders_numbers_and_predictions_are_judged_as_in_the_terminal(
    lessons: tuple[str, ...],
) -> None:
    assert different(("predict", "choice", "number", "order"), lessons) == []


@needs_node
@pytest.mark.parametrize("lesson", some([name for name in NAMES if name != "01-nudges"], FEW[1]))
def test_derivatives_are_judged_as_in_the_terminal(lesson: str) -> None:
    if any(step.kind == "derive" for step in Course().lesson(lesson).steps):
        assert different(("derive",), (lesson,)) == []


@needs_node
@pytest.mark.parametrize("lessons", some([FEW[1:], NAMES], FEW[1:]))
def test_tuned_runs_reach_the_goal_as_in_the_terminal(lessons: tuple[str, ...]) -> None:
    assert different(("tune",), lessons) == []


@needs_node
def test_every_wrong_rule_is_recognised() -> None:
    cases = page_answers.wrong_rules()
    script = _SAID + "answer(data.cases.map((one) => said(one.step, one.answer, null)));"
    found = page_node.run(script, {"cases": cases})
    assert [one["misconception"] for one in found] == [case["misconception"] for case in cases]


@needs_node
@pytest.mark.integration
def test_every_graded_step_passes_on_its_solution_and_fails_on_nothing() -> None:
    course, _ = page_answers.course_data(NAMES)
    steps = [(lesson["name"], step) for lesson in course["lessons"] for step in lesson["steps"]]
    asked = []
    for name, step in steps:
        if "written" in step and step["kind"] != "tune":
            right = " ".join(step["right"]) if step["kind"] == "order" else step["written"]
            asked += [(name, step["name"], right), (name, step["name"], "")]
    assert len(asked) > 250
    found = page_node.run(_JUDGED, {"course": course, "cases": asked})
    assert {one["right"] for one in found[::2]} == {True}
    assert {(one["right"], one["phrase"]) for one in found[1::2]} == {(False, "empty")}


ALIKE = """
import { likenessOf, readFormula } from "./lesson/likeness.js";
const valueOf = (text) => readFormula(text).value;
answer(data.map(([first, second, names]) => likenessOf(valueOf(first), valueOf(second), names)));
"""


@needs_node
def test_formulas_are_alike_where_the_terminal_finds_them_alike() -> None:
    cases = [
        ("2x", "x + x"), ("1 - tanh(5x)^2", "1/cosh(5x)^2"), ("exp(2x)", "exp(x)^2"),
        ("asin(3x)", "asin(x*3)"), ("sin(x)^2 + cos(x)^2", "1"), ("(x + 1)^9", "(x + 1)^8*x + (x + 1)^8"),
        ("sqrt(x^2)", "abs(x)"), ("2x", "2x + 1e-3"), ("x", "abs(x)"), ("1/x", "log(x)"),
        ("sqrt(x)", "sqrt(-x)"), ("5", "x*0 + 6"), ("log(-1 - x^2)", "log(-2 - x^2)"),
        ("exp(-x^2)", "exp(-x^2)*(1 + 1e-6)"), ("x*y", "y*x"), ("x/y", "y/x"),
    ]  # fmt: skip
    names = [symbols(parse(f"({first}) + ({second})")) for first, second in cases]
    theirs = [likeness(parse(first), parse(second)) for first, second in cases]
    mine = page_node.run(ALIKE, [[*case, known] for case, known in zip(cases, names, strict=True)])
    assert mine == ["agree" if found == "proved" else found for found in theirs]


@needs_node
@pytest.mark.integration
@settings(max_examples=40)
@given(st.lists(trees(WEIGHTS_ALONE, 2), min_size=20, max_size=20))
def test_a_formula_is_never_taken_for_another_than_itself_simplified(formulas: list[Expr]) -> None:
    cases = [[to_text(one), to_text(simplify(one)), symbols(one)] for one in formulas if symbols(one)]
    assert "differ" not in page_node.run(ALIKE, cases)


@needs_node
def test_what_cannot_be_read_says_where_and_what_was_expected() -> None:
    course, _ = page_answers.course_data(FEW)
    script = """
    import { judgeAnswer } from "./lesson/judge.js";
    const step = data.lessons[1].steps.find((one) => one.kind === "derive");
    const number = data.lessons.flatMap((lesson) => lesson.steps).find((one) => one.kind === "number");
    const typed = [[step, "2*w +* 3"], [step, "2y"], [number, "0,4"]];
    const faults = typed.map(([one, text]) => {
      try { return judgeAnswer(one, text); } catch ({ column, sentence }) { return [column, sentence]; }
    });
    answer(faults);
    """
    (column, _), (_, sentence), (_, comma) = page_node.run(script, course)
    assert column == 6
    assert "does not occur" in sentence
    assert comma == "a comma stands in this number; expected a point; did you mean 0.4?"


@needs_node
def test_numbers_are_said_with_six_digits_as_in_the_terminal() -> None:
    numbers = [
        0.1,
        1 / 3,
        -2.5,
        1e-7,
        123456.7,
        1234567.0,
        1e22,
        -1e-5,
        0.0001,
        100000.0,
        999999.5,
        5.0,
        float("inf"),
    ]
    script = 'import { shortFact } from "./lesson/session.js"; answer(data.map(shortFact));'
    assert page_node.run(script, numbers) == [_written(str(number)) for number in numbers]


# -- a lesson from begin to end ----------------------------------------------------------------------------

_SESSION = """
import {
  answeredBefore, goBack, goForward, lessonSession, nextHint, seeSolution, sayPhrase, skipStep, stepAtHand,
  takeAnswer,
} from "./lesson/session.js";
import { emptyRecord, isGraded } from "./lesson/record.js";
import { FormulaError } from "./engine/tokens.js";
function taken(lesson, moves) {
  const session = lessonSession(lesson, emptyRecord());
  const seen = [];
  for (const [word, typed] of moves) {
    if (session.place >= lesson.steps.length) break;
    let note = null;
    if (word === "back") goBack(session);
    else if (word === "skip") note = skipStep(session);
    else if (word === "leave") { if (stepAtHand(session).kind === "run") note = skipStep(session); }
    else if (word === "hint") nextHint(session);
    else if (word === "next") { if (session.passed) note = goForward(session); }
    else if (!isGraded(stepAtHand(session))) { /* nothing is asked */ }
    else if (word === "solution" && stepAtHand(session).kind !== "predict") seeSolution(session);
    else if (word === "answer" && stepAtHand(session).kind !== "tune") {
      try { takeAnswer(session, typed, null); }
      catch (error) { if (!(error instanceof FormulaError)) throw error; }
    }
    const over = session.place >= lesson.steps.length;
    seen.push([session.place, over || session.passed, note ? sayPhrase(data.phrases, note) : "",
      over || !answeredBefore(session) ? "" : sayPhrase(data.phrases, answeredBefore(session))]);
  }
  return { seen, record: session.record };
}
answer(data.games.map(([name, moves]) => taken(data.lessons.find((one) => one.name === name), moves)));
"""


def games(count: int, names: tuple[str, ...]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield lessons with what somebody does in them, in the end to the end."""
    course, _ = page_answers.course_data(names)
    chance = random.Random(14)
    lessons = {lesson["name"]: lesson for lesson in course["lessons"]}
    for number, name in enumerate(chance.choices([*lessons], k=count)):
        likely = [step["written"] for step in lessons[name]["steps"] if "written" in step]
        words = chance.choices(
            ["back", "skip", "hint", "solution", "next", "answer"], [1, number % 2, 2, 1, 6, 8], k=50
        )
        moves = [
            (word, chance.choice([*likely, "1", "2", "3", "1 2", "0", "2x", "left", "oops"]))
            for word in words
        ]
        ending = [("solution", ""), ("next", ""), ("answer", "1"), ("next", ""), ("leave", "")]
        yield name, moves + ending * 30


def in_the_terminal(name: str, moves: list[tuple[str, str]]) -> tuple[list[list[Any]], Record]:
    """What a session of the terminal does with the same moves."""
    course = Course()
    lesson, record = course.lesson(name), Record()
    session = Session(lesson, course.catalogue(name), course.phrases(), record)
    session.begin()
    seen = []
    for word, typed in moves:
        if session.over:
            break
        said = ""
        skipped = word == "skip" or (word == "leave" and session.step.kind == "run")
        if skipped or (word == "next" and session.passed):
            blocks = session.skip() if skipped else session.forward()
            notes = [block.text for block in blocks if isinstance(block, Note)]
            said = notes[0] if notes and (session.over or "The end is reached" in notes[0]) else ""
        elif word in ("back", "hint"):
            getattr(session, word)()
        elif word == "solution" and session.step.graded and session.step.kind != "predict":
            session.solution()
        elif word == "answer" and session.step.graded and session.step.kind != "tune" and typed.strip():
            session.answer(typed)
        stands = [] if session.over else session._answered() if _done(session) else []
        seen.append(
            [session.place, session.over or session.passed, said, "".join(note.text for note in stands)]
        )
    return seen, record


def _done(session: Session) -> bool:
    passed = session.passed
    blocks = session._answered()
    session.passed = passed
    return bool(blocks)


@needs_node
@pytest.mark.parametrize(("count", "names"), [(6, FEW), later(40, NAMES)])
def test_a_lesson_goes_on_as_in_the_terminal(count: int, names: tuple[str, ...]) -> None:
    played = list(games(count, names))
    course, _ = page_answers.course_data(names)
    found = page_node.run(_SESSION, {**course, "games": played})
    finished = 0
    for (name, moves), mine in zip(played, found, strict=True):
        seen, record = in_the_terminal(name, moves)
        assert mine["seen"] == seen, name
        for attempt in (*mine["record"]["attempts"], *(vars(one) for one in record.attempts)):
            attempt["when"] = ""
        assert mine["record"] == json.loads(json.dumps(record, default=vars)), name
        finished += record.finished
    assert finished > count / 4


# -- what is handed in -------------------------------------------------------------------------------------


def some_record() -> Record:
    record = Record(at="", shown=["sign"], skipped=["sizes"])
    for step, answer, right in [
        ("what-it-reads", "1", False), ("what-it-reads", "2", True), ("bet", "left", True),
        ("your-nudge", "2.1^2 - 2^2", False), ("sizes", "flat gentle steep", True),
    ]:  # fmt: skip
        record.attempts.append(Attempt(step, answer, right, 1, "", "2026-01-02T03:04:05+00:00"))
    return record


@needs_node
def test_the_receipt_of_the_page_is_sound_in_the_terminal(tmp_path: Path) -> None:
    course, _ = page_answers.course_data(FEW)
    script = """
    import { lessonReceipt } from "./lesson/receipt.js";
    answer(lessonReceipt([[data.lesson, data.record]], 'Ada "Łovelace" \\u2028 \\\\ <b>', "tulip"));
    """
    record = json.loads(json.dumps(some_record(), default=vars))
    file = tmp_path / "ada.json"
    file.write_text(
        page_node.run(script, {"lesson": course["lessons"][0], "record": record}), encoding="utf-8"
    )
    checked = verify(Course(), file, "tulip")
    assert checked.faults == ()
    assert (checked.right_at_once, checked.right_later, checked.graded) == (2, 1, 6)
    file.write_text(file.read_text(encoding="utf-8").replace('"2.1^2 - 2^2"', '"2.1"'), encoding="utf-8")
    assert "it was changed after it was made" in verify(Course(), file, "tulip").faults


@needs_node
def test_the_transcript_has_what_that_of_the_terminal_has() -> None:
    course, _ = page_answers.course_data(FEW)
    script = """
    import { lessonTranscript } from "./lesson/receipt.js";
    answer(lessonTranscript(data.lesson, data.record));
    """
    record = some_record()
    data = {"lesson": course["lessons"][0], "record": json.loads(json.dumps(record, default=vars))}
    mine = page_node.run(script, data).splitlines()
    theirs = transcript(Course().lesson("01-nudges"), Course().catalogue("01-nudges"), record).splitlines()
    assert [line for line in mine if line[:1] in ("#", "-")] == [
        line for line in theirs if line[:1] in ("#", "-")
    ]
    assert mine[-1] == theirs[-1]


@needs_node
def test_what_was_kept_is_read_whatever_it_is() -> None:
    script = """
    import { loadRecord, lessonStorage, saveRecord } from "./lesson/progress.js";
    const kept = (text) => loadRecord({ getItem: () => text }, { name: "a", digest: "b" });
    const denied = { get localStorage() { throw new Error("denied"); } };
    answer({
      read: ["", "null", "[]", "3", '"x"', "{", data].map(kept),
      denied: lessonStorage(denied), absent: lessonStorage({}),
      full: saveRecord({ setItem() { throw new Error("full"); } }, { name: "a", digest: "b" }, {}),
    });
    """
    found = page_node.run(script, '{"at":1,"attempts":[1,{"step":"a","answer":"b","right":true}]}')
    assert all(record["at"] == "" and record["finished"] is False for record in found["read"])
    assert [len(record["attempts"]) for record in found["read"]] == [0, 0, 0, 0, 0, 0, 1]
    assert (found["denied"], found["absent"], found["full"]) == (None, None, False)


# -- words -------------------------------------------------------------------------------------------------


def test_words_of_a_lesson_are_markup_that_can_do_nothing() -> None:
    hostile = "<script>a</script> <img src=x onerror=b> [go](javascript:c) ![see](https://d.e/f.png)"
    hostile += " `<i>`\n\n<b>bold</b>"
    made = prose(hostile)
    nodes = [*ElementTree.fromstring(f"<div>{made}</div>").iter()]
    assert {node.tag for node in nodes} == {"div", "p", "code", "a"}
    assert [node.attrib for node in nodes if node.attrib] == [{"href": "https://d.e/f.png"}]
    assert 'href="https://gdsim' in prose("[a](https://gdsim.example)")
    assert "style" not in prose("| a |\n| :-: |\n| b |")


@pytest.mark.parametrize(("names", "least"), [(FEW, 100), later(NAMES, 1000)])
def test_all_prose_of_the_course_is_well_formed(names: tuple[str, ...], least: int) -> None:
    texts = [*markup(page_answers.course_data(names)[0]["lessons"])]
    assert len(texts) > least
    for text in texts:
        ElementTree.fromstring(f"<div>{text}</div>")
        assert "{{" not in text


def markup(data: Any) -> Iterator[str]:
    """Yield all texts that stand for markup."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("prose", "summary"):
                yield value
            elif key in ("hints",):
                yield from value
            elif key == "texts":
                yield from value.values()
            elif key == "items":
                yield from (text for _, text in value)
            else:
                yield from markup(value)
    elif isinstance(data, list):
        for value in data:
            yield from markup(value)


def test_a_command_of_the_tutorial_is_that_of_a_shell_on_a_page() -> None:
    data, _ = course_data(("16-basins",))
    assert "<code>gdsim critical &quot;3w^4 - 4w^3 - 12w^2&quot;</code>" in str(data)


def test_every_phrase_that_the_page_says_is_there_in_both_languages() -> None:
    script = "".join(
        file.read_text(encoding="utf-8") for file in sorted((page_node.JS / "lesson").glob("*.js"))
    )
    used = set(re.findall(r'"(page-[a-z-]*[a-z])"', script)) | {"page-left", "page-right", "page-stay"}
    english, german = (Course().phrases(language) for language in ("en", "de"))
    assert used == {key for key in english if key.startswith("page-")}
    assert [key for key in sorted(used) if english[key] == german[key]] == []
    assert set(PHRASES) <= set(english)


def test_a_language_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="there is no language"):
        lessons_data(Course(), ["01-nudges"], "xx", Laboratories())
    german = lessons_data(Course(), ["01-nudges"], "de", Laboratories())
    assert german["lessons"][0]["title"] == "Ein Stups und was er bewirkt"
    assert german["phrases"]["page-check"] == "Prüfen"


# -- the page ----------------------------------------------------------------------------------------------


def test_a_lesson_is_one_small_file_with_the_same_bytes_each_time() -> None:
    page = lesson_page("two-over-l")
    assert page == lesson_page("14")
    assert len(page.encode()) < 300_000
    assert not re.findall(r'(?:src|href)="?(?:https?:)?//', page)


@pytest.mark.integration
def test_the_whole_course_is_one_file() -> None:
    page = course_page()
    assert page == course_page()
    assert len(page.encode()) < 1_500_000


@pytest.mark.integration
@pytest.mark.parametrize("name", NAMES)
def test_every_lesson_is_small(name: str) -> None:
    assert len(lesson_page(name).encode()) < 300_000


def test_progress_of_the_page_has_the_shape_of_that_of_the_terminal() -> None:
    record = Progress().record("01-nudges")
    assert [*vars(record)] == ["at", "finished", "attempts", "shown", "skipped"]
