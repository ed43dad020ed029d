"""The tabulator in real shells: scenarios, options, kinds of figures, lessons, files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from interpreters import command, environment
from shells import START, completed, missing

TYPED = {
    "a command": ("gdsim vali", ["validate"]),
    "a scenario": ("gdsim run parabola-ov", ["run", "parabola-overshoot"]),
    "an option": ("gdsim run x --no-p", ["run", "x", "--no-plot"]),
    "a kind of figure": ("gdsim plot x --kind conv", ["plot", "x", "--kind", "convergence"]),
    "a value in the option's word": ("gdsim plot x --kind=conv", ["plot", "x", "--kind=convergence"]),
    "a value with a colon": ("gdsim sweep x --figure atlas:lo", ["sweep", "x", "--figure", "atlas:loss"]),
    "a style": ("gdsim plot x --style slides-d", ["plot", "x", "--style", "slides-dark"]),
    "a verdict": ("gdsim run --fail-on pla", ["run", "--fail-on", "plateau"]),
    "a lesson": ("gdsim learn nud", ["learn", "01-nudges"]),
    "a file with a blank": ("gdsim run my", ["run", "my own.yaml"]),
    "a folder in the option's word": ("gdsim run x --out=ru", ["run", "x", "--out=runs here"]),
    "a file to write": ("gdsim deck x -o my", ["deck", "x", "-o", "my own.yaml"]),
    "a size": ("gdsim plot x --size two", ["plot", "x", "--size", "two-column"]),
    "in quotes": ('gdsim run "parabola-ov', ["run", "parabola-overshoot"]),
    "nothing fits": ("gdsim plot x --kind qu", ["plot", "x", "--kind", "qu"]),
}


@pytest.mark.integration
@pytest.mark.parametrize("what", TYPED)
@pytest.mark.parametrize("shell", START)
def test_a_real_shell_completes(shell: str, what: str, tmp_path: Path) -> None:
    if missing(shell):
        pytest.skip(f"no {shell} here")
    binary = tmp_path / "bin" / "gdsim"
    binary.parent.mkdir()
    binary.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gdsim "$@"\n', encoding="utf-8")
    binary.chmod(0o755)
    work = tmp_path / "work"
    work.mkdir()
    (work / "my own.yaml").touch()
    (work / "runs here").mkdir()
    variables = environment(HOME=str(tmp_path), GDSIM_HOME=str(tmp_path))
    variables["PATH"] = f"{binary.parent}:{variables['PATH']}"
    line, expected = TYPED[what]
    words = completed(shell, line, variables, work)
    assert [word.removesuffix("/") for word in words] == ["gdsim", *expected]


def answered(shell: str, line: str, **more: str) -> list[str]:
    word = line.split(" ")[-1]
    asked = {
        "bash": {"COMP_WORDS": line},
        "zsh": {"COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)},
        "fish": {"COMP_WORDS": line, "COMP_CWORD": word},
    }[shell]
    done = command(env=environment(_GDSIM_COMPLETE=f"{shell}_complete", **asked, **more))
    return done.stdout.split()


@pytest.mark.parametrize(
    ("shell", "line", "expected"),
    [
        ("bash", "gdsim plot x --kind=conv", ["plain,convergence"]),
        ("bash", "gdsim sweep x --figure atlas:lo", ["plain,loss"]),
        ("bash", "gdsim plot x --kind conv", ["plain,convergence"]),
        ("zsh", "gdsim plot x --kind=conv", ["plain", "--kind=convergence", "_"]),
        ("fish", "gdsim plot x --kind=conv", ["plain,--kind=convergence"]),
    ],
)
def test_each_shell_is_told_what_replaces_its_word(shell: str, line: str, expected: list[str]) -> None:
    assert answered(shell, line) == expected


def test_bash_that_breaks_no_words_at_colons_gets_the_whole_word() -> None:
    assert answered("bash", "gdsim sweep x --figure atlas:lo", COMP_BREAKS=" =") == ["plain,atlas:loss"]
