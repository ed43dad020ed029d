"""The progress file: whole or the old one, shared by several tutorials, never taken for something else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from gdsim.lessons.progress import Attempt, Progress
from gdsim.outcomes import InputError


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "progress.json"


def answered(progress: Progress, lesson: str, *answers: str) -> None:
    for answer in answers:
        progress.record(lesson).add(Attempt("a-step", answer, True))


def said(progress: Progress, lesson: str) -> list[str]:
    return [attempt.answer for attempt in progress.lessons[lesson].attempts]


def test_what_was_saved_is_read_again(file: Path) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "6", "ümläut ∂")
    progress.record("01-nudges").shown.append("a-step")
    progress.last = "01-nudges"
    progress.save()
    again = Progress(file)
    assert again.lessons == progress.lessons
    assert again.last == "01-nudges"


def test_the_file_can_be_read_by_people(file: Path) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "∂")
    progress.save()
    assert '"answer": "∂"' in file.read_text(encoding="utf-8")
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == 1


def test_nothing_but_the_file_and_its_lock_is_left_behind(file: Path) -> None:
    Progress(file).save()
    assert sorted(path.name for path in file.parent.iterdir()) == [".progress.json.lock", "progress.json"]


def test_two_tutorials_in_two_lessons_keep_both(file: Path) -> None:
    first, second = Progress(file), Progress(file)
    answered(first, "01-nudges", "1")
    first.save()
    answered(second, "02-slope", "2")
    second.save()
    assert sorted(Progress(file).lessons) == ["01-nudges", "02-slope"]
    first.save()
    assert sorted(first.lessons) == ["01-nudges", "02-slope"]


def test_two_tutorials_in_one_lesson_keep_the_answers_of_both(file: Path) -> None:
    first = Progress(file)
    answered(first, "01-nudges", "0")
    first.save()
    second = Progress(file)
    answered(first, "01-nudges", "1")
    answered(second, "01-nudges", "2")
    second.record("01-nudges").finished = True
    first.save()
    second.save()
    first.save()
    assert said(Progress(file), "01-nudges") == ["0", "1", "2"]
    assert Progress(file).lessons["01-nudges"].finished


def test_a_record_that_is_in_use_stays_the_same_object(file: Path) -> None:
    first, second = Progress(file), Progress(file)
    held = first.record("01-nudges")
    answered(second, "01-nudges", "2")
    second.save()
    answered(first, "01-nudges", "1")
    first.save()
    assert first.record("01-nudges") is held
    assert said(first, "01-nudges") == ["2", "1"]


def test_what_is_forgotten_does_not_come_back_from_another_tutorial(file: Path) -> None:
    first = Progress(file)
    answered(first, "01-nudges", "1")
    answered(first, "02-slope", "1")
    first.save()
    second = Progress(file)
    second.reset("01-nudges")
    answered(first, "02-slope", "2")
    first.save()
    assert [*Progress(file).lessons] == ["02-slope"]


def test_a_lesson_forgotten_elsewhere_begins_anew_with_what_is_answered_then(file: Path) -> None:
    first = Progress(file)
    answered(first, "01-nudges", "1")
    first.save()
    Progress(file).reset()
    answered(first, "01-nudges", "2")
    first.save()
    assert said(Progress(file), "01-nudges") == ["2"]


def test_one_lesson_is_forgotten_and_the_others_stay(file: Path) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "1")
    answered(progress, "02-slope", "1")
    progress.reset("01-nudges")
    assert [*Progress(file).lessons] == ["02-slope"]


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"version": 1}', '{"version": 1, "lessons": {"a": {"at": ""}}}', "\x00" * 100,
     '{"version": 1, "lessons": {"a": {"at": "", "finished": false, "attempts": [{"x": 1}]}}}',
     "[" * 100_000],
    ids=lambda text: ascii(text[:20]),
)  # fmt: skip
def test_a_broken_file_is_named_and_left_as_it_is(file: Path, text: str) -> None:
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="no progress of the tutorial") as caught:
        Progress(file)
    assert caught.value.faults[0].file == str(file)
    assert file.read_text(encoding="utf-8") == text


def test_a_file_that_breaks_meanwhile_is_not_written_over(file: Path) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "1")
    progress.save()
    file.write_text("torn", encoding="utf-8")
    with pytest.raises(InputError, match="move it away"):
        progress.save()
    assert file.read_text(encoding="utf-8") == "torn"


def test_another_version_is_named(file: Path) -> None:
    file.parent.mkdir()
    file.write_text('{"version": 99, "lessons": {}}', encoding="utf-8")
    with pytest.raises(InputError, match="version 99, not 1"):
        Progress(file)


def test_a_folder_in_its_place_is_named(file: Path) -> None:
    file.mkdir(parents=True)
    with pytest.raises(OSError, match=r"progress\.json"):
        Progress(file)


def test_a_disk_that_refuses_is_named_by_the_file_and_the_old_one_stays(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "1")
    progress.save()
    before = file.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answered(progress, "01-nudges", "2")
    with pytest.raises(OSError, match=r"No space left on device: '.*progress\.json'"):
        progress.save()
    assert file.read_bytes() == before
    assert sorted(path.name for path in file.parent.iterdir()) == [".progress.json.lock", "progress.json"]
    monkeypatch.undo()
    progress.save()
    assert said(Progress(file), "01-nudges") == ["1", "2"]


def test_a_save_that_failed_and_is_repeated_doubles_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Progress(file), Progress(file)
    answered(second, "01-nudges", "2")
    second.save()
    answered(first, "01-nudges", "1")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        first.save()
    monkeypatch.undo()
    first.save()
    assert said(Progress(file), "01-nudges") == ["2", "1"]


def test_a_clock_that_goes_backwards_changes_no_order(file: Path) -> None:
    progress = Progress(file)
    answered(progress, "01-nudges", "1", "2")
    progress.lessons["01-nudges"].attempts[1].when = "1970-01-01T00:00:00+00:00"
    progress.save()
    assert said(Progress(file), "01-nudges") == ["1", "2"]


def test_without_a_file_all_is_kept_in_memory() -> None:
    progress = Progress()
    answered(progress, "01-nudges", "1")
    progress.save()
    assert said(progress, "01-nudges") == ["1"]
