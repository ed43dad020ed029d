"""Every console block of the README and the docs runs and prints what it shows; every table is the code's.

A block begins with ``console`` and holds commands after ``$ ``; what follows is the output, where
``...`` stands for anything. A command may end in ``# exit N``. A block of another language that is
preceded by ``<!-- file: NAME -->`` is written to the working directory first. ``< NAME`` types a file in.
"""

from __future__ import annotations

import doctest
import re
import shlex
from pathlib import Path

import pytest
import reference
from click.testing import CliRunner

from gdsim.cli import main
from gdsim.scenario.document import read_document

ROOT = Path(__file__).parent.parent
AGAIN = "write the tables anew: python docs/reference.py"
PAGES = [ROOT / "README.md", *reference.pages()]
BLOCK = re.compile(r"(?:<!-- file: (?P<file>\S+) -->\n)?```(?P<language>\w+)\n(?P<body>.*?)```", re.DOTALL)
MATCHING = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def commands(body: str) -> list[tuple[str, int, str]]:
    """Split a console block into (command, exit code, expected output)."""
    found = []
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, output = part.partition("\n")
        line, _, code = line.partition("# exit ")
        found.append((line.strip(), int(code or 0), output))
    return found


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_console_blocks_run(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GDSIM_HOME", str(tmp_path / "home"))
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["file"]:
            target = tmp_path / block["file"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block["body"], encoding="utf-8")
        if block["language"] != "console":
            continue
        for line, code, expected in commands(block["body"]):
            words = shlex.split(line)
            if words[:1] != ["gdsim"]:
                continue
            typed = ""
            if words[-2] == "<":
                typed = (tmp_path / words[-1]).read_text(encoding="utf-8")
                words = words[:-2]
            result = CliRunner().invoke(main, words[1:], prog_name="gdsim", input=typed)
            assert result.exit_code == code, f"$ {line}\n{result.output}"
            if expected.strip():
                matched = doctest.OutputChecker().check_output(expected, result.output, MATCHING)
                assert matched, f"$ {line}\nexpected:\n{expected}\ngot:\n{result.output}"


def test_every_console_line_can_be_pasted_into_a_shell() -> None:
    """What a shell would take for itself stands in quotes: brackets, *, ? and ;."""
    for page in [*PAGES, ROOT / "CONTRIBUTING.md"]:
        for line in re.findall(r"^\$ (.*?)(?:# exit.*)?$", page.read_text(encoding="utf-8"), re.MULTILINE):
            bare = re.sub(r"'[^']*'|\"[^\"]*\"", "", line)
            assert not set("()[]{}*?;!~`$'\"") & set(bare), f"{page.name}: {line}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_yaml_blocks_are_read_by_the_loader(page: Path, tmp_path: Path) -> None:
    for block in BLOCK.finditer(page.read_text(encoding="utf-8")):
        if block["language"] == "yaml":
            (file := tmp_path / "block.yaml").write_text(block["body"], encoding="utf-8")
            read_document(file)


@pytest.mark.parametrize("page", reference.pages(), ids=lambda page: page.name)
def test_the_tables_of_a_page_are_those_of_the_code(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert text == reference.fresh(text), AGAIN


def test_everything_that_has_a_table_stands_on_one_page() -> None:
    assert reference.misplaced() == [], AGAIN


def test_a_page_that_has_drifted_is_brought_back() -> None:
    page = reference.DOCS / "schedules.md"
    text = page.read_text(encoding="utf-8")
    assert reference.fresh(text.replace("η = initial\n", "η = final\n")) == text
