"""Results show themselves in a notebook: every text escaped, nothing from elsewhere, at home in any theme."""

from __future__ import annotations

import base64
import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from interpreters import environment
from matplotlib.figure import Figure

import gdsim
from gdsim.derivatives.comparison import compare_at
from gdsim.losses import Loss
from gdsim.outcomes import Verdict
from gdsim.plots import Look
from gdsim.runs import compose
from gdsim.scenario import parse_mapping
from gdsim.simulation import simulate

EVIL = "<script>alert(1)</script> & \"'"
#: how each kind of result is made in a cell, and words that must be seen
CELLS: dict[str, tuple[str, str]] = {
    "run": ("gdsim.run('double-well')", "settled on a minimum"),
    "verdict": ("gdsim.run('double-well').verdict", "settled on a minimum"),
    "ruler": ("gdsim.run('double-well').ruler", "2/L"),
    "trajectory": ("gdsim.run('double-well').trajectory", "gradient w"),
    "long trajectory": ("gdsim.run('parabola-too-slow').trajectory", "records in the middle are left out"),
    "scenario": ("gdsim.run('double-well').scenario", "initial_weight"),
    "points": ("gdsim.critical_points('x^3 - 3x', domain=(-2, 2))", "2 critical points"),
    "no point": ("gdsim.critical_points('exp(x)', domain=(-2, 2))", "no critical points"),
    "open search": ("gdsim.critical_points('abs(x) + 1/(x - 1)', domain=(-2, 2))", "singular"),
    "point": ("gdsim.critical_points('x^3').critical_points[0]", "inflection (saddle)"),
    "derivation": ("gdsim.derive('x^2*exp(3x)')", "<math"),
    "sweep": ("gdsim.sweep('parabola', {'learning_rate': 'log(0.01, 2, 9)'})", "9 runs"),
    "records": ("gdsim.sweep('parabola', {'learning_rate': 'log(0.01, 2, 9)'}).columns['steps']", ""),
    "tuned": ("gdsim.tune('parabola')", "Learning rate 0.5"),
    "comparison": ("compare_at(Loss.from_text('w^2'), {'w': 3.0})", "numeric forward, step 1e-05"),
}


@cache
def made(name: str) -> Any:
    return eval(CELLS[name][0], {"gdsim": gdsim, "compare_at": compare_at, "Loss": Loss})


SHOWN = [name for name in CELLS if name != "records"]


@pytest.mark.parametrize("name", SHOWN)
def test_every_result_shows_itself(name: str) -> None:
    html = made(name)._repr_html_()
    assert CELLS[name][1] in html
    ET.fromstring(f"<div>{html}</div>")


@pytest.mark.parametrize("name", SHOWN)
def test_nothing_comes_from_elsewhere_and_no_theme_is_assumed(name: str) -> None:
    html = made(name)._repr_html_().replace('xmlns="http://www.w3.org/1998/Math/MathML"', "")
    assert not re.search(r"<script|<link|<style|https?:|src=|href=|url\(|color|background|on\w+=", html)


def test_words_of_a_user_are_escaped() -> None:
    run = gdsim.simulate("w^2", initial_weight=1, learning_rate=0.1, title=EVIL)
    for shown in (run, run.scenario, Verdict("minimum", EVIL, remedy=EVIL)):
        html = shown._repr_html_()
        assert "&lt;script&gt;" in html
        assert "<script" not in html
        ET.fromstring(f"<div>{html}</div>")


def test_a_loss_shows_its_formula_and_a_function_has_none() -> None:
    assert Loss.from_text("w^2/2")._repr_latex_() == r"$L(w) = \frac{w^{2}}{2}$"
    assert Loss.from_callable(lambda w: w)._repr_latex_() is None


def test_several_trajectories_show_how_many_ended_in_which_way() -> None:
    mapping = {"loss": "w^2", "initial_weight": 1, "learning_rate": 0.1}
    batch = compose(parse_mapping(mapping))
    together = replace(batch, initial_weight=np.array([[1.0, 2.0]]), learning_rate=np.array([0.1, 1.5]))
    html = simulate(together)._repr_html_()
    assert "<td>CONVERGED</td><td>1</td>" in html
    assert "<td>DIVERGED</td><td>1</td>" in html


@pytest.mark.parametrize("style", ["slides", "paper"])
def test_a_figure_shows_itself_sharp_and_no_wider_than_a_page(style: str) -> None:
    figure = gdsim.run("double-well").plot(look=Look(style))
    assert isinstance(figure, Figure)
    content, size = figure._repr_png_()
    width, height = (int.from_bytes(content[place : place + 4], "big") for place in (16, 20))
    assert size["width"] == (720 if style == "slides" else pytest.approx(96 * 3.35))
    assert width >= 2 * size["width"]
    assert width / height == pytest.approx(size["width"] / size["height"], rel=0.01)
    assert figure._repr_png_()[0] == content


def test_a_figure_of_a_sweep_shows_itself_too() -> None:
    result = gdsim.sweep("parabola", {"learning_rate": "log(0.01, 2, 9)"})
    assert result.plot()._repr_png_()[0].startswith(b"\x89PNG")


def test_a_film_is_in_the_page_unless_it_is_large(tmp_path: Path) -> None:
    film = gdsim.run("double-well").animate(
        "curve", tmp_path / "a & b.gif", size="480p", seconds=1, fps=2, hold=0.5
    )
    html = film._repr_html_()
    assert "a &amp; b.gif" in html
    data = re.search(r"data:image/gif;base64,([^\"]+)", html)
    assert data is not None
    assert base64.b64decode(data[1]) == film.file.read_bytes()
    assert "data:" not in film._replace(bytes=10**9)._repr_html_()


@pytest.mark.integration
def test_a_real_kernel_shows_every_result(tmp_path: Path) -> None:
    """What Jupyter receives: HTML or a picture for each, never the bare text of a Python object."""
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    first = "import gdsim\nfrom gdsim.losses import Loss\nfrom gdsim.derivatives.comparison import compare_at"
    pictures = [
        "gdsim.run('double-well').plot()",
        "gdsim.sweep('parabola', {'learning_rate': [0.1, 1]}).plot()",
    ]
    book = nbformat.v4.new_notebook()
    sources = [first, *(CELLS[name][0] for name in SHOWN), *pictures, "Loss.from_text('w^2')"]
    book.cells = [nbformat.v4.new_code_cell(source) for source in sources]
    variables = {"JUPYTER_RUNTIME_DIR": str(tmp_path), "IPYTHONDIR": str(tmp_path)}
    script = (
        "import sys, nbformat, nbclient\n"
        "book = nbformat.read(sys.argv[1], 4)\n"
        "nbclient.NotebookClient(book, timeout=300, kernel_name='python3').execute()\n"
        "nbformat.write(book, sys.argv[1])\n"
    )
    path = tmp_path / "book.ipynb"
    nbformat.write(book, path)
    done = subprocess.run(
        [sys.executable, "-c", script, str(path)], env=environment(**variables), cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    cells = nbformat.read(path, 4).cells[1:]
    for name, cell in zip([*SHOWN, "picture", "picture", "formula"], cells, strict=True):
        (output,) = cell.outputs
        wanted = {"picture": "image/png", "formula": "text/latex"}.get(name, "text/html")
        assert wanted in output.data, cell.source
        if name == "picture":
            assert output.metadata["image/png"]["width"] == 720
        elif name != "formula":
            assert CELLS[name][1] in output.data["text/html"]
    assert nbclient
