"""Every example of CONTRIBUTING.md is performed as it stands there, on a copy of the tree.

A line that ends in a colon says where the block below it goes: "To `NAME` in `FILE`:" adds an entry to a
table, "In `FILE`, a new file:" writes one, "In `FILE`, above `WORDS`:" and "below" insert before or after the
line that begins with these words. Console blocks run in the copy and print what they show.
"""

from __future__ import annotations

import ast
import doctest
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from interpreters import environment

import gdsim

ROOT = Path(__file__).parent.parent
PACKAGE = Path(gdsim.__file__).parent
PAGE = ROOT / "CONTRIBUTING.md"
BLOCK = re.compile(
    r"(?:(?P<lead>[^\n]*):\n\n)?(?P<fence>```+)(?P<language>\w+)\n(?P<body>.*?)(?P=fence)\n", re.DOTALL
)
ENTRY = re.compile(r"To `(?P<table>\w+)` in `(?P<file>[^`]+)`[^`]*$")
NEW = re.compile(r"In `(?P<file>[^`]+)`, a new file$")
BESIDE = re.compile(r"In `(?P<file>[^`]+)`, (?P<side>above|below) (?P<tick>`+) ?(?P<words>.+?) ?(?P=tick)$")
MATCHING = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
#: what each example adds, by its heading
NAMES = {
    "A loss": "log_cosh", "An update rule": "soft_clip", "A derivative method": "lanczos",
    "A plot": "strides", "A lesson": "20-my-topic",
}  # fmt: skip


class Block(NamedTuple):
    """A block of the page: what the line before it says, its language and its text."""

    lead: str
    language: str
    body: str


def blocks(heading: str) -> list[Block]:
    """Return the blocks below a heading."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    found = [Block(m["lead"] or "", m["language"], m["body"]) for m in BLOCK.finditer(section)]
    assert len(found) == len(re.findall(r"^```\w+$", section, re.MULTILINE))
    return found


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the package with its tests and pages."""
    ignored = shutil.ignore_patterns("__pycache__", "benchmarks")
    for source in (PACKAGE, *(ROOT / name for name in ("tests", "docs", "scenarios", "configs", ".ci"))):
        shutil.copytree(source, tmp_path / source.name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "CITATION.cff"):
        shutil.copy(ROOT / name, tmp_path)
    return tmp_path


def apply(block: Block, tree: Path) -> bool:
    """Do to the tree what the line before the block says; tell whether it said something."""
    if entry := ENTRY.search(block.lead):
        file = tree / entry["file"]
        file.write_text(
            with_entry(file.read_text(encoding="utf-8"), entry["table"], block.body), encoding="utf-8"
        )
    elif new := NEW.search(block.lead):
        assert not (tree / new["file"]).exists()
        (tree / new["file"]).write_text(block.body, encoding="utf-8")
    elif beside := BESIDE.search(block.lead):
        file = tree / beside["file"]
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        (place,) = [number for number, line in enumerate(lines) if line.startswith(beside["words"])]
        lines.insert(place + (beside["side"] == "below"), block.body)
        file.write_text("".join(lines), encoding="utf-8")
    else:
        return False
    return True


def with_entry(source: str, table: str, entry: str) -> str:
    """Return a module with one more entry at the end of a dict, a tuple, or a dict made over a tuple.

    >>> with_entry("A = {1: 2}", "A", "3: 4,")
    'A = {1: 2,\\n3: 4,\\n}'
    """
    values = {
        target.id: node.value
        for node in ast.parse(source).body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    value = values[table]
    if isinstance(value, ast.DictComp):
        value = value.generators[0].iter
    assert isinstance(value, ast.Dict | ast.Tuple)
    last = (value.values if isinstance(value, ast.Dict) else value.elts)[-1]
    assert last.end_lineno is not None
    assert last.end_col_offset is not None
    lines = source.encode().splitlines(keepends=True)
    end = sum(map(len, lines[: last.end_lineno - 1])) + last.end_col_offset
    rest = source.encode()[end:].decode().lstrip().removeprefix(",").lstrip(" ").removeprefix("\n")
    return f"{source.encode()[:end].decode()},\n{entry.rstrip()}\n{rest}"


def commands(body: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with what it prints."""
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        line, _, expected = part.partition("\n")
        yield line, expected


def run(line: str, tree: Path) -> str:
    """Run a command in the copy, in a process of its own, and return what it prints."""
    line, _, target = line.partition(" > ")
    words = shlex.split(line)
    words = ["-m", "gdsim", *words[1:]] if words[0] == "gdsim" else words[1:]
    home = tree / "home"
    variables = environment(
        PYTHONPATH=os.pathsep.join([str(tree), str(tree / "tests")]), GDSIM_HOME=str(home), COLUMNS="160",
        PYTEST_ADDOPTS="-n0 -p no:cacheprovider -rA",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, *words], cwd=tree, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"$ {line}\n{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    if target:
        (tree / target).write_text(done.stdout, encoding="utf-8")
    return done.stdout


def test_every_section_of_the_page_is_performed() -> None:
    """One example for each of the tables that people add to, with the commands that show it."""
    headings = re.findall(r"^## (An? .+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert headings == [*NAMES]
    for heading in headings:
        assert any(block.language == "console" for block in blocks(heading))


def test_what_the_page_adds_is_listed(tree: Path) -> None:
    """All examples together, without the commands: each name is known afterwards."""
    for heading in NAMES:
        for block in blocks(heading):
            assert apply(block, tree) != (block.language == "console"), block.lead
    code = (
        "from gdsim.losses import LOSSES; from gdsim.update_rules import RULES;"
        "from gdsim.derivatives import METHODS; from gdsim.plots import PLOTS;"
        "print(*(list(table)[-1] for table in (LOSSES, RULES, METHODS, PLOTS)))"
    )
    assert run(f"python -c '{code}'", tree).split() == ["log_cosh", "soft_clip", "lanczos", "strides"]


@pytest.mark.integration
@pytest.mark.parametrize("heading", NAMES)
def test_an_example_works_from_the_command_line_and_is_tested_on_arrival(heading: str, tree: Path) -> None:
    name, tested = NAMES[heading], False
    for block in blocks(heading):
        if apply(block, tree):
            continue
        for line, expected in commands(block.body):
            printed = run(line, tree)
            if "pytest" in line:
                assert re.search(rf"^PASSED \S+\[.*{name}.*\]$", printed, re.MULTILINE), printed
                assert " skipped" not in printed.splitlines()[-1]
                tested = True
            elif expected.strip():
                matched = doctest.OutputChecker().check_output(expected, printed, MATCHING)
                assert matched, f"$ {line}\nexpected:\n{expected}\ngot:\n{printed}"
    assert tested


@pytest.mark.release
def test_with_all_examples_the_whole_default_suite_passes(tree: Path) -> None:
    """Apart from pages and counts nothing else has to be changed for a new entry."""
    for heading in NAMES:
        for block in blocks(heading):
            apply(block, tree)
    run("gdsim schema > scenarios/scenario.schema.json", tree)
    run("gdsim schema --deck > scenarios/deck.schema.json", tree)
    run("gdsim schema --lesson > gdsim/course/lesson.schema.json", tree)
    run("python docs/reference.py", tree)
    run("python -m pytest -q -n2 tests --deselect tests/test_contributing.py", tree)
