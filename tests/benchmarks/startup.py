"""Start-up of whole processes, each against the imports it cannot do without."""

from __future__ import annotations

import tempfile
from pathlib import Path

from timing import paired, python, report

PAIRS = 21
_PROOF = 0.06  # seconds that a run may take for the proof of its critical points, beside the ratio
GDSIM = ("-c", "from gdsim.cli import main; main()")  # what the console script does

_BARE_FIGURES = """
import io, numpy as np, matplotlib
from matplotlib.figure import Figure
from matplotlib.backends.backend_agg import FigureCanvasAgg
from gdsim.plots import Look
w = 10 * 0.6 ** np.arange(43)
x = np.linspace(-12, 12, 1201)
with Look().applied():
    curve = Figure()
    axes = curve.add_subplot()
    axes.plot(x, x**2, label="loss L(w)")
    axes.plot([0], [0], "v", markersize=13, label="minimum")
    axes.set_xlim(-12, 12); axes.set_ylim(-11, 161)
    moves = [(a, b) for a, b in zip(w[:-1], w[1:]) if np.hypot((a - b) / 24, (a * a - b * b) / 172) > 0.012]
    for a, b in moves:
        axes.annotate("", xy=(b, b * b), xytext=(a, a * a),
                      arrowprops={"arrowstyle": "-|>", "shrinkA": 4, "shrinkB": 4, "mutation_scale": 13})
    axes.plot(w, w**2, "o", label="steps")
    axes.plot(w[:1], w[:1]**2, "o", markersize=13, label="start")
    for k in range(len(moves) + 1):
        axes.annotate(str(k), (w[k], w[k]**2), xytext=(0, 10), textcoords="offset points", ha="center",
                      bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.8})
    axes.set_xlabel("weight w"); axes.set_ylabel("loss")
    axes.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=4, frameon=False)
    curve.suptitle("A healthy decay  —  minimum · 42 steps", x=0.012, ha="left")
    curve.supxlabel("$L = w^{2}$    η = 0.2    start w = 10    gradient descent", x=0.012, ha="left")
    convergence = Figure()
    left, right = convergence.subplots(1, 2)
    left.semilogy(w**2, "o-", label="run")
    left.semilogy(w**2, "--", label="theory: × 0.36 a step")
    right.semilogy(2 * w, "o-")
    right.axhline(1e-8, linestyle=":", label="tolerance 1×10⁻⁸")
    for axes in (left, right):
        axes.set_xlabel("step"); axes.set_ylabel("loss"); axes.legend()
    convergence.suptitle("A healthy decay  —  minimum · 42 steps", x=0.012, ha="left")
    convergence.supxlabel("$L = w^{2}$    η = 0.2    start w = 10    gradient descent", x=0.012, ha="left")
    for figure in (curve, convergence):
        FigureCanvasAgg(figure)
        figure.savefig(io.BytesIO(), format="svg", metadata={"Date": None})
"""


def main() -> None:
    """Print the start-up ratios."""
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "bare.py"
        script.write_text(_BARE_FIGURES, encoding="utf-8")
        out = str(Path(folder) / "outputs")
        rows = [
            ("gdsim --help over import click", [*GDSIM, "--help"], ["-c", "import click"], 1.6),
            (
                "gdsim validate over import click, yaml, pydantic",
                [*GDSIM, "validate", "parabola"],
                ["-c", "import click, yaml, pydantic"],
                1.6,
            ),
            (
                "gdsim run --no-plot over import click, yaml, pydantic, numpy",
                [*GDSIM, "run", "parabola", "--no-plot", "--out", out],
                ["-c", "import click, yaml, pydantic, numpy"],
                1.5,
            ),
            (
                "gdsim page over import click, yaml, pydantic, numpy, scipy.differentiate",
                [*GDSIM, "page", "parabola", "-o", str(Path(folder) / "page.html")],
                ["-c", "import click, yaml, pydantic, numpy, scipy.differentiate"],
                1.6,
            ),
            (
                "gdsim run with figures over a bare matplotlib script",
                [*GDSIM, "run", "parabola", "--out", out],
                [str(script)],
                1.4,
            ),
        ]
        for name, ours, reference, limit in rows:
            seconds, others, ratio = paired(python(*ours), python(*reference), PAIRS)
            proof = _PROOF / others if name.startswith(("gdsim run", "gdsim page")) else 0.0
            report(name, seconds, others, ratio, limit + proof)


if __name__ == "__main__":
    main()
