"""Receipts: a sound one verifies, and whatever is changed in one is found."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from gdsim.lessons.course import Course
from gdsim.lessons.progress import Attempt, Progress
from gdsim.lessons.receipts import _hash, grades, receipt, transcript, verify
from gdsim.lessons.scaffold import scaffold
from gdsim.outcomes import InputError

NAME = "01-all-kinds"
ANSWERS = {
    "bet": "stay", "why": "slope", "how-steep": "6", "rule": "2w", "faster": "0.5",
    "the-way": "measure move judge",
}  # fmt: skip


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Course:
    folder = tmp_path_factory.mktemp("course")
    scaffold(folder, NAME)
    return Course(folder)


def done(learner: str = "Ada Lovelace") -> Progress:
    progress = Progress()
    record = progress.record(NAME)
    record.add(Attempt("how-steep", "9", False, 1))
    for step, answer in ANSWERS.items():
        record.add(Attempt(step, answer, step != "bet"))
    record.finished = True
    return progress


@pytest.fixture
def made(course: Course) -> dict[str, Any]:
    return receipt(course, done(), "Ada Lovelace", "wood-17")


def written(folder: Path, content: object) -> Path:
    file = folder / "ada.json"
    file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
    return file


def test_a_receipt_verifies_and_says_what_it_is_worth(
    course: Course, made: dict[str, Any], tmp_path: Path
) -> None:
    found = verify(course, written(tmp_path, made), "wood-17")
    assert found.sound
    assert found[1:8] == ("Ada Lovelace", "wood-17", 1, 1, 4, 1, 6)


def test_without_a_nonce_a_random_one_is_taken(course: Course) -> None:
    first, second = (receipt(course, done(), "Ada")["nonce"] for _ in range(2))
    assert first != second
    assert len(first) == 16


def test_another_nonce_is_found(course: Course, made: dict[str, Any], tmp_path: Path) -> None:
    found = verify(course, written(tmp_path, made), "stone-3")
    assert found.faults == ("its nonce is 'wood-17', not 'stone-3'",)


def test_any_changed_byte_of_the_file_is_found(course: Course, made: dict[str, Any], tmp_path: Path) -> None:
    text = json.dumps(made)
    file = tmp_path / "ada.json"
    missed = []
    for place in range(0, len(text), 3):
        changed = text[:place] + ("7" if text[place] != "7" else "8") + text[place + 1 :]
        file.write_text(changed, encoding="utf-8")
        try:
            sound = verify(course, file).sound
        except InputError:
            continue
        if sound:
            missed.append(changed)
    assert missed == []


def forged(made: dict[str, Any], change: Any) -> dict[str, Any]:
    """The receipt changed, with a hash that fits."""
    content = json.loads(json.dumps({key: value for key, value in made.items() if key != "hash"}))
    change(content["lessons"][NAME])
    return {**content, "hash": _hash(content)}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda one: one["attempts"][0].update(right=True), "the answer '9' is not right"),
        (lambda one: one["attempts"][-1].update(right=False), "the answer 'measure move judge' is not wrong"),
        (lambda one: one["attempts"].append({"step": "gone", "answer": "1", "right": True}),
         "no graded step gone"),
        (lambda one: one["attempts"].append({"step": "hook", "answer": "1", "right": True}),
         "no graded step hook"),
        (lambda one: one["attempts"].pop(), "is said to be finished, but the-way has no answer"),
        (lambda one: one.update(attempts=[]), "is said to be finished, but bet has no answer"),
        (lambda one: one.update(digest="00000000"), "has been changed since, or was another lesson"),
        (lambda one: one["attempts"][0].update(answer="((("), "the answer '(((' is not wrong"),
        (lambda one: one.update(right_at_once=6), "is said to be right at once 6 times, not 4"),
        (lambda one: one.update(right_later=5), "is said to be right later 5 times, not 1"),
    ],
)  # fmt: skip
def test_a_false_claim_is_found_though_the_hash_fits(
    course: Course, made: dict[str, Any], tmp_path: Path, change: Any, fault: str
) -> None:
    found = verify(course, written(tmp_path, forged(made, change)))
    assert fault in "; ".join(found.faults)


def test_a_lesson_of_another_course_is_found(course: Course, made: dict[str, Any], tmp_path: Path) -> None:
    content = {key: value for key, value in made.items() if key != "hash"}
    content["lessons"] = {"99-other": made["lessons"][NAME]}
    found = verify(course, written(tmp_path, {**content, "hash": _hash(content)}))
    assert found.faults == ("99-other is no lesson of this course",)


def test_a_lesson_skipped_through_is_no_fault_of_an_honest_learner(course: Course, tmp_path: Path) -> None:
    progress = done()
    progress.lessons[NAME].finished = False
    progress.lessons[NAME].attempts[2:] = []
    assert verify(course, written(tmp_path, receipt(course, progress, "Ada"))).sound


@pytest.mark.parametrize(
    "content",
    [{}, [], 1, None, {"receipt": 99}, {"receipt": 1, "learner": 5, "nonce": "", "lessons": {}},
     {"receipt": 1, "learner": "a", "nonce": "", "lessons": []},
     {"receipt": 1, "learner": "a", "nonce": "", "lessons": {"01-all-kinds": {"attempts": [{"x": 1}]}}},
     {"receipt": 1, "learner": "a", "nonce": "", "lessons": {"01-all-kinds": {
         "finished": True, "shown": [], "attempts": [{"step": "why", "answer": 5, "right": True}]}}}],
    ids=str,
)  # fmt: skip
def test_what_is_no_receipt_is_said_to_be_none(course: Course, tmp_path: Path, content: object) -> None:
    found = verify(course, written(tmp_path, content))
    assert (found.learner, found.lessons, found.faults) == ("", 0, ("this is no receipt of the tutorial",))


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", b"[" * 100_000, b'{"receipt": 1'])
def test_a_file_of_other_bytes_is_no_receipt(course: Course, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(content)
    assert verify(course, file).faults == ("this is no receipt of the tutorial",)


def test_a_receipt_that_is_not_there_is_named(course: Course, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file; expected a receipt that gdsim learn"):
        verify(course, tmp_path / "gone.json")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_grades_are_a_table_with_a_row_for_each_receipt(
    course: Course, made: dict[str, Any], tmp_path: Path
) -> None:
    table = rows(grades([verify(course, written(tmp_path, made))._replace(file=Path("b/ada.json"))] * 2))
    assert len(table) == 2
    assert table[0] == {
        "learner": "Ada Lovelace", "lessons": "1", "finished": "1", "right_at_once": "4", "right_later": "1",
        "graded": "6", "sound": "yes", "nonce": "wood-17", "file": "b/ada.json",
    }  # fmt: skip


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1", "\r=1", "|calc"])
def test_no_cell_is_a_formula_of_a_spreadsheet(course: Course, tmp_path: Path, name: str) -> None:
    made = receipt(course, done(), name, name)
    cells = next(
        csv.reader(io.StringIO(grades([verify(course, written(tmp_path, made))]).partition("\n")[2]))
    )
    assert cells[0] == cells[7] == "'" + name.replace("\r", "\n")


def test_a_name_with_commas_quotes_and_lines_stays_one_cell(course: Course, tmp_path: Path) -> None:
    name = 'O"Hara, Zoë\nMüller'
    made = receipt(course, done(), name)
    assert rows(grades([verify(course, written(tmp_path, made))]))[0]["learner"] == name


def test_the_transcript_shows_questions_answers_and_how_they_went(course: Course) -> None:
    text = transcript(course.lesson(NAME), course.catalogue(NAME), done().lessons[NAME])
    assert "How steep is w² at w = 3?" in text
    assert "- `9` — not right, 1 hints" in text
    assert "4 of 6 right at once, 1 later." in text
