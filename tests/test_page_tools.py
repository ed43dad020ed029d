"""What tsc and eslint say of the page's modules.

They run where the packages of gdsim/page/js/package.json are installed: in ``node_modules`` there (``npm
install`` puts them there; git ignores them) or in the folder named by ``GDSIM_NODE_MODULES``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import page_node
import pytest

MODULES = Path(os.environ.get("GDSIM_NODE_MODULES", page_node.JS / "node_modules"))
pytestmark = [
    page_node.NEEDS_NODE,
    pytest.mark.integration,
    pytest.mark.skipif(not MODULES.is_dir(), reason="the packages of gdsim/page/js are not installed"),
]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The modules with the packages beside them."""
    copy = tmp_path / "js"
    shutil.copytree(page_node.JS, copy, ignore=shutil.ignore_patterns("node_modules"))
    (copy / "node_modules").symlink_to(MODULES.resolve(), target_is_directory=True)
    return copy


def said(folder: Path, *command: str) -> str:
    """What a tool complains of; nothing where all is well."""
    tool, *arguments = command
    done = subprocess.run(
        ["node", str(MODULES / tool), *arguments], cwd=folder, capture_output=True, encoding="utf-8"
    )
    return done.stdout + done.stderr if done.returncode else ""


def test_the_types_of_the_modules_fit_together(folder: Path) -> None:
    assert said(folder, "typescript/bin/tsc", "-p", ".") == ""


def test_the_modules_keep_the_rules_of_the_linter(folder: Path) -> None:
    assert said(folder, "eslint/bin/eslint.js", ".") == ""


def test_a_wrong_type_is_seen(folder: Path) -> None:
    """Else the first test would say nothing."""
    wrong = 'import { sigmoid } from "./engine/arithmetic.js";\nexport const wrong = sigmoid("x");\n'
    (folder / "wrong.js").write_text(wrong, encoding="utf-8")
    assert "not assignable" in said(folder, "typescript/bin/tsc", "-p", ".")


def test_markup_from_data_is_refused(folder: Path) -> None:
    wrong = "/** @param {any} box */\nexport function wrong(box) { box.innerHTML = box.title; }\n"
    (folder / "wrong.js").write_text(wrong, encoding="utf-8")
    assert "innerHTML" in said(folder, "eslint/bin/eslint.js", ".")
