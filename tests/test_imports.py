"""What each command imports: nothing heavy that it does not need."""

from __future__ import annotations

from pathlib import Path

import pytest
from interpreters import python

HEAVY = {"numpy", "scipy", "matplotlib", "pydantic", "yaml", "rich", "torch", "sympy", "mpmath"}
#: what --help may import beyond click and the parts of the standard library that click itself imports
_COMMANDS = (
    "analysis",
    "critical",
    "decks",
    "deriving",
    "figures",
    "learning",
    "films",
    "options",
    "pages",
    "running",
    "saved",
    "scenarios",
    "sweeping",
    "system",
)
HELP = {"gdsim", "gdsim.cli"} | {f"gdsim.cli.{name}" for name in _COMMANDS}
#: modules of the standard library that writing help costs; none of them is slow
CHEAP = {
    "__future__", "_bz2", "_colorize", "_compression", "_locale", "_lzma", "bz2", "click._textwrap",
    "fnmatch", "gc", "locale", "lzma", "math", "shutil", "textwrap", "zlib",
}  # fmt: skip


def modules(code: str, *words: str, folder: Path | None = None) -> set[str]:
    """What is imported once the code has run, given words as its arguments."""
    script = f"import sys\n{code}\nprint('MODULES', *sorted(sys.modules), file=sys.stderr)\n"
    done = python("-c", script, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return set(done.stderr.rpartition("MODULES")[2].split())


def command(*words: str, folder: Path | None = None) -> set[str]:
    code = "from gdsim.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass"
    return modules(code, *words, folder=folder)


def roots(names: set[str]) -> set[str]:
    return {name.partition(".")[0] for name in names}


def test_importing_gdsim_imports_nothing_else_of_weight() -> None:
    assert {name for name in modules("import gdsim") if name.startswith("gdsim")} == {"gdsim"}
    assert not roots(modules("import gdsim")) & (HEAVY | {"click"})


@pytest.mark.parametrize("words", [("--help",), ("run", "--help")])
def test_help_imports_only_what_is_on_the_list(words: tuple[str, ...]) -> None:
    assert command(*words) - modules("import click") <= HELP | CHEAP


@pytest.mark.parametrize(
    ("words", "forbidden"),
    [
        (("validate", "engel-standardised"), {"numpy", "scipy", "matplotlib", "rich", "torch"}),
        (("show", "parabola"), {"numpy", "scipy", "matplotlib", "rich", "torch"}),
        (("list",), {"numpy", "scipy", "matplotlib", "torch"}),
        (("derive", "x^2", "--at", "3"), {"scipy", "matplotlib", "rich", "torch"}),
        (("run", "parabola", "--no-plot"), {"scipy", "matplotlib", "rich", "torch"}),
        (("check", "parabola"), {"scipy", "matplotlib", "torch"}),
        (("doctor",), {"numpy", "scipy", "matplotlib", "rich", "torch"}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_command_imports_only_what_it_needs(
    words: tuple[str, ...], forbidden: set[str], tmp_path: Path
) -> None:
    assert not roots(command(*words, folder=tmp_path)) & forbidden


def test_completion_of_names_imports_no_numeric_stack() -> None:
    code = (
        "import os\n"
        "os.environ |= dict(_GDSIM_COMPLETE='bash_complete', COMP_WORDS='gdsim run para', COMP_CWORD='2')\n"
        "from gdsim.cli import main\ntry:\n    main([])\nexcept SystemExit:\n    pass"
    )
    assert not roots(modules(code)) & (HEAVY - {"yaml"})
