"""What a command imports: start-up is part of the product."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
HEAVY = {"numpy", "scipy", "matplotlib", "pydantic", "yaml", "rich", "torch", "sympy"}

_PROGRAM = """
import sys
from gdsim.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    code = end.code
print("@", code, *sorted({name.split(".")[0] for name in sys.modules}), file=sys.stderr)
"""


def imported_by(*words: str, cwd: Path) -> set[str]:
    """Run a command in a fresh process and return the packages it imported."""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(cwd)}
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    mark, code, *modules = result.stderr.splitlines()[-1].split()
    assert (mark, code) == ("@", "0"), result.stderr
    return set(modules)


def test_importing_gdsim_imports_only_the_facade() -> None:
    program = "import sys, gdsim; print(*sorted(name for name in sys.modules if name.startswith('gdsim')))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["gdsim"]


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["--version"], ["completion", "bash"]])
def test_help_and_completion_import_nothing_heavy(words: list[str], tmp_path: Path) -> None:
    assert imported_by(*words, cwd=tmp_path) & HEAVY == set()


@pytest.mark.parametrize("name", ["parabola", "ravine-momentum", "iris-two-weights"])
def test_validating_imports_no_numeric_stack(name: str, tmp_path: Path) -> None:
    assert imported_by("validate", name, cwd=tmp_path) & (HEAVY - {"yaml"}) == set()


def test_a_run_without_figures_imports_numpy_and_nothing_heavier(tmp_path: Path) -> None:
    assert imported_by("run", "parabola", "--no-plot", cwd=tmp_path) & HEAVY == {"numpy", "yaml"}


def test_a_run_of_two_weights_does_without_scipy(tmp_path: Path) -> None:
    assert "scipy" not in imported_by("run", "ravine", "--no-plot", cwd=tmp_path)
