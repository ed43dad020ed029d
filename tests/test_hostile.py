"""Every attack of the corpus is refused in a sentence, at once, in little memory, and leaves nothing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from click.testing import CliRunner
from hostile import CASES, Case, lay_out
from tiers import later

from gdsim.cli import main

MOST_SECONDS, MOST_BYTES = 1.0, 300 << 20
#: what takes a while to be read in another process is answered within this one, and in full in the next tier
_SLOW = ("megabytes", "terabyte", "all-wrong", "long-row", "one-long-line", "deeper", "many-", "zeros")
_EXPECTATION = re.compile(
    r"expected|did you mean|at most|more than|cannot|no such|is no|not |is a file|too |only |in a circle"
)


class Answer(NamedTuple):
    """What a command said and cost."""

    code: int
    out: str
    err: str
    seconds: float
    peak: int


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    inside = tmp_path / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    return inside


def ids(name: str) -> str:
    """A name in ASCII and of bounded length, as a test's name."""
    return name.encode("ascii", "backslashreplace").decode()[:60]


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def check(case: Case, code: int, said: str, folder: Path) -> None:
    assert "Traceback" not in said
    assert "internal error" not in said
    assert {path.name for path in folder.parent.iterdir()} == {"inside"}  # nothing beside the folder
    if case.fine:
        assert code == 0, said[:300]
        return
    assert code == 2, said[:300]
    assert listing(folder) == set(case.files)  # and nothing in it
    assert _EXPECTATION.search(said), said[:300]
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said)  # no control sign reaches the terminal


@pytest.mark.parametrize(
    "name", [later(name) if any(word in name for word in _SLOW) else name for name in CASES], ids=ids
)
def test_every_attack_is_refused_and_leaves_nothing(folder: Path, name: str) -> None:
    case = CASES[name]
    lay_out(case, folder)
    result = CliRunner().invoke(main, [*case.command], env={"GDSIM_HOME": str(folder.parent)})
    check(case, result.exit_code, result.stderr if result.exit_code else result.output, folder)


#: run by a small process, as the peak of a process counts what its parent held when it was begun
_MEASURED = """
import os, subprocess, sys
with open("../out", "wb") as out, open("../err", "wb") as err:
    process = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=out, stderr=err)
    _, status, usage = os.wait4(process.pid, 0)
print(os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime, usage.ru_maxrss << 10)
"""


def answered(case: Case, folder: Path) -> Answer:
    """Run a case as a process of its own; its seconds are the processor's, whatever else the machine does."""
    command = [sys.executable, "-c", _MEASURED, sys.executable, "-m", "gdsim", *case.command]
    said = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout.split()
    texts = []
    for name in ("out", "err"):
        texts.append((folder.parent / name).read_bytes().decode(errors="replace"))
        (folder.parent / name).unlink()
    return Answer(int(said[0]), *texts, float(said[1]), int(said[2]))


@pytest.mark.release
@pytest.mark.parametrize("name", CASES, ids=ids)
def test_every_attack_is_answered_in_a_second_and_300_mib(folder: Path, name: str) -> None:
    case = CASES[name]
    lay_out(case, folder)
    answer = answered(case, folder)
    check(case, answer.code, answer.err if answer.code else answer.out, folder)
    assert answer.peak <= MOST_BYTES
    if not case.fine:
        assert answer.seconds <= MOST_SECONDS


def test_the_corpus_has_at_least_three_hundred_attacks() -> None:
    assert sum(not case.fine for case in CASES.values()) >= 300
