"""The floors of the architecture: each imports only from lower ones."""

from __future__ import annotations

from importlinter.cli import lint_imports


def test_every_module_stands_on_its_floor() -> None:
    assert lint_imports(no_cache=True) == 0
