"""The pages about lessons: examples that are read, links that lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gdsim.lessons.course import SHIPPED, Course
from gdsim.lessons.misconceptions import MISTAKES
from gdsim.lessons.reading import read_lesson

DOCS = Path(__file__).parent.parent / "docs"
PAGES = ["lessons.md", "writing-lessons.md"]


def text(page: str) -> str:
    return (DOCS / page).read_text(encoding="utf-8")


def test_every_word_that_is_a_command_is_explained() -> None:
    explained = {
        word.split()[0] for word in re.findall(r"^\| `([^`]+)` \|", text("lessons.md"), re.MULTILINE)
    }
    said = re.findall(r"^(\w+)(?: …)? {2,}", Course(SHIPPED).phrases()["help"], re.MULTILINE)
    assert {"hint", "solution", "quit"} < {*said} <= explained


def test_every_misconception_has_a_phrase() -> None:
    phrases = Course(SHIPPED).phrases()
    assert {f"misconception-{name}" for name in MISTAKES} == {
        name for name in phrases if name.startswith("misconception-")
    }


def test_the_lesson_of_the_page_is_read(tmp_path: Path) -> None:
    block = re.search(
        r"<!-- file: example/01-a-step/lesson.yaml -->\n```yaml\n(.*?)```",
        text("writing-lessons.md"),
        re.DOTALL,
    )
    assert block is not None
    (tmp_path / "lesson.yaml").write_text(block[1], encoding="utf-8")
    assert [step.kind for step in read_lesson(tmp_path).steps] == [
        "text", "predict", "number", "derive", "choice",
    ]  # fmt: skip


@pytest.mark.parametrize("page", [*PAGES, "commands.md"])
def test_links_lead_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text(page)):
        if "://" in target:
            continue
        name, _, anchor = target.partition("#")
        linked = text(name or page)
        heads = re.findall(r"^#+ (.+)$", linked, re.MULTILINE)
        slugs = {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}
        assert not anchor or anchor in slugs, target
