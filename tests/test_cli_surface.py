"""What holds for every command: help, documentation, and no traceback whatever is typed."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from tiers import examples

from gdsim.cli import main


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def commands(
    group: click.Group = main, path: tuple[str, ...] = ()
) -> list[tuple[tuple[str, ...], click.Command]]:
    found: list[tuple[tuple[str, ...], click.Command]] = []
    context = click.Context(group)
    for name in group.list_commands(context):
        one = group.get_command(context, name)
        assert one is not None
        found += commands(one, (*path, name)) if isinstance(one, click.Group) else [((*path, name), one)]
    return found


COMMANDS = dict(commands())


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_and_option_says_what_it_does(path: tuple[str, ...]) -> None:
    one = COMMANDS[path]
    assert one.help
    assert one.get_short_help_str(64).endswith(".")
    assert "..." not in one.get_short_help_str(64)
    assert all(param.help for param in one.params if isinstance(param, click.Option))
    assert gdsim(*path, "--help").stdout.startswith(f"Usage: gdsim {' '.join(path)}")


DOCUMENTED = Path(__file__).parent.parent / "docs" / "commands.md"


def test_the_documentation_has_a_section_for_every_command_and_no_other() -> None:
    text = DOCUMENTED.read_text(encoding="utf-8")
    sections = re.findall(r"^## `gdsim ([^`]+)`$", text, flags=re.MULTILINE)
    assert sorted(sections) == sorted(" ".join(path) for path in COMMANDS)


WORDS = st.sampled_from([
    "run", "validate", "show", "check", "derive", "critical", "compare", "list", "runs", "diff", "continue",
    "init", "schema", "completion", "bash", "parabola", "relu-dead", "x^2", "-x^2", "x*y", "x=1,y=2", "--at",
    "--domain", "-2", "2", "1", "nan", "--json", "-S", "seed=1", "learning_rate=0", "--no-plot", "--fail-on",
    "plateau", "--", "-h", "--quiet", "=", "", "a.yaml", "folder", "--steps", "-1", "--along", "\x00", "☃",
    "mean(x)", "1/0",
])  # fmt: skip


@examples(150)
@given(st.lists(WORDS, min_size=1, max_size=6))
def test_no_words_bring_a_traceback(words: list[str]) -> None:
    before = Path.cwd()
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "folder").mkdir()
        os.chdir(folder)
        try:
            result = gdsim(*words)
        finally:
            os.chdir(before)
    assert result.exit_code in (0, 2, 3), result.output
    assert "internal error" not in result.output
    if "--json" in words and result.exit_code == 2:
        assert json.loads(result.stdout)["errors"]
