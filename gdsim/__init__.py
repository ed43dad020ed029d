"""gdsim: a gradient-descent laboratory.

A lazy facade: importing it imports nothing else. Functions import what they need when they are called;
types are found on first use (PEP 562).

>>> import gdsim
>>> gdsim.simulate("(w - 3)^2", initial_weight=0, learning_rate=0.1).verdict.kind
'minimum'
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.expr.differentiate import Derivation
    from gdsim.losses import Loss
    from gdsim.outcomes import Interval, Search
    from gdsim.runs import Run

__version__ = "0.1.0"

_TYPES = {
    "Batch": "gdsim.batch",
    "CriticalPoint": "gdsim.outcomes",
    "InputError": "gdsim.outcomes",
    "Loss": "gdsim.losses",
    "Run": "gdsim.runs",
    "Scenario": "gdsim.scenario",
    "Search": "gdsim.outcomes",
    "Status": "gdsim.outcomes",
    "Trajectory": "gdsim.batch",
    "Verdict": "gdsim.outcomes",
}

__all__ = ["critical_points", "derive", "run", "simulate", *_TYPES]  # noqa: PLE0604


def __getattr__(name: str) -> Any:
    if name in _TYPES:
        return getattr(import_module(_TYPES[name]), name)
    raise AttributeError(f"module 'gdsim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "__version__"])


def simulate(
    loss: str | Callable[..., float],
    *,
    initial_weight: float | Mapping[str, float],
    learning_rate: float | Mapping[str, object],
    **scenario: Any,
) -> Run:
    """Run one descent from Python.

    Parameters
    ----------
    loss
        A formula, the name of a library loss, or a Python function of scalar weights (then with numeric
        derivatives unless ``derivative`` says otherwise).
    initial_weight, learning_rate, **scenario
        The keys of a scenario file, such as ``update_rule``, ``derivative``, ``stopping``, ``domain``, ``data``.

    Returns
    -------
    Run
        With ``verdict``, ``trajectory``, ``critical_points``, ``summary()`` and ``plot()``.

    Raises
    ------
    InputError
        With every fault of the input.

    Examples
    --------
    >>> run = simulate(lambda w: (w - 3) ** 2, initial_weight=0, learning_rate=0.1)
    >>> run.verdict.kind, round(run.critical_points[0].weight["w"], 6)
    ('minimum', 3.0)
    """
    from dataclasses import replace

    from gdsim.runs import execute, execute_batch
    from gdsim.runs.compose import compose
    from gdsim.scenario import parse_mapping

    given = {"initial_weight": initial_weight, "learning_rate": learning_rate, **scenario}
    if isinstance(loss, str):
        return _with_plot(execute(parse_mapping({"name": "run", "loss": loss, **given})))
    from gdsim.losses import Loss

    wrapped = Loss.from_callable(loss)
    # the formula only stands in for the function: it has the same weights, and everything else is checked with it
    stand_in = parse_mapping(
        {"name": wrapped.name.strip("<>") or "run", "derivative": "numeric", **given, "loss": " + ".join(wrapped.weights)}
    )
    batch = replace(compose(stand_in), loss=wrapped)
    return _with_plot(execute_batch(batch, stand_in.domain, name=stand_in.name, title=stand_in.title))


def run(
    path: str | Path, *, overrides: Sequence[str] = (), preset: str | Path | None = None
) -> Run:
    """Run a scenario file, or a shipped scenario by name; nothing is written.

    Parameters
    ----------
    path
        The file, or the name of a shipped scenario.
    overrides
        ``key=value`` each, as after ``-S``.
    preset
        A preset below the scenario.

    Raises
    ------
    InputError
        With every fault of the file as ``file:line:column``.

    Examples
    --------
    >>> run("parabola").status
    'CONVERGED'
    """
    from gdsim.runs import execute
    from gdsim.scenario import load

    return _with_plot(execute(load(path, overrides=overrides, preset=preset)))


def critical_points(
    loss: str | Callable[..., float] | Loss, domain: Interval | Mapping[str, Interval], **parameters: float
) -> Search:
    """Find and classify the critical points of a loss in a domain.

    Parameters
    ----------
    loss
        A formula, a Python function, or a Loss.
    domain
        ``(low, high)`` for one weight, else an interval for each weight.
    **parameters
        Values of parameters that the formula names.

    Examples
    --------
    >>> [(point.kind, point.weight["x"]) for point in critical_points("x^3 - 3x", domain=(-2, 2)).critical_points]
    [('maximum', -1.0), ('minimum', 1.0)]
    """
    from gdsim.critical import find
    from gdsim.losses import Loss

    if isinstance(loss, str):
        loss = Loss.from_text(loss, parameters=parameters)
    elif not isinstance(loss, Loss):
        loss = Loss.from_callable(loss)
    bounds = domain if isinstance(domain, Mapping) else dict.fromkeys(loss.weights, domain)
    return find(loss, bounds)


def derive(expression: str, weight: str | None = None) -> Derivation:
    """Differentiate a formula rule by rule.

    Parameters
    ----------
    expression
        The formula.
    weight
        With respect to which; its only weight where there is one.

    Returns
    -------
    Derivation
        ``rule``, ``before``, ``after`` and the ``steps`` that led there.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> to_text(derive("x^2 * exp(x)").after)
    '2*x*exp(x) + x^2*exp(x)'
    """
    from gdsim.expr.differentiate import differentiate
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.outcomes import Fault, InputError

    tree = parse(expression)
    names = symbols(tree, "weight")
    if weight is None and len(names) != 1:
        raise InputError(Fault(f"the formula has the weights {list(names)}", "weight=… to choose one"))
    return differentiate(tree, weight or names[0])


def _with_plot(finished: Run) -> Run:
    """Bind ``run.plot(kind)``: figures stand on a higher floor than runs."""
    from gdsim.runs import Run

    if not hasattr(Run, "plot"):

        def plot(self: Run, kind: str | None = None) -> Any:
            """Return a matplotlib Figure; the kind that suits the run where none is named."""
            from gdsim.plots import default_kinds, draw

            return draw(self, kind or default_kinds(self)[0])

        Run.plot = plot  # type: ignore[attr-defined]
    return finished
