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

    from matplotlib.figure import Figure

    from gdsim.expr.differentiate import Derivation
    from gdsim.losses import Loss
    from gdsim.outcomes import Interval, Search
    from gdsim.plots import Look
    from gdsim.plots.film import Film
    from gdsim.runs import Run
    from gdsim.scenario import Scenario
    from gdsim.sweeps.execution import Choice
    from gdsim.sweeps.result import SweepResult
    from gdsim.sweeps.tuning import Tuned

__version__ = "1.0.0"

#: what is found on first use: types, and a function of a floor above this facade's
_TYPES = {
    "Batch": "gdsim.batch",
    "CriticalPoint": "gdsim.outcomes",
    "InputError": "gdsim.outcomes",
    "Loss": "gdsim.losses",
    "Run": "gdsim.runs",
    "Scenario": "gdsim.scenario",
    "Search": "gdsim.outcomes",
    "Status": "gdsim.outcomes",
    "SweepResult": "gdsim.sweeps.result",
    "Trajectory": "gdsim.batch",
    "Verdict": "gdsim.outcomes",
    "deck": "gdsim.slides.writing",
}

__all__ = ["critical_points", "derive", "run", "simulate", "sweep", "tune", *_TYPES]


def __getattr__(name: str) -> Any:
    if name not in _TYPES:
        raise AttributeError(f"module 'gdsim' has no attribute {name!r}")
    found = getattr(import_module(_TYPES[name]), name)
    if name == "Run":
        _bind_conveniences(found)
    if name == "SweepResult":
        _bind_sweep_plot(found)
    return found


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
        The keys of a scenario file, such as ``update_rule``, ``derivative``, ``stopping``, ``domain``,
        ``data``. Sequences may be arrays.

    Returns
    -------
    Run
        With ``verdict``, ``trajectory``, ``critical_points``, ``summary()``, ``plot()``, ``animate()``
        and ``save()``.

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
    from gdsim.runs import execute
    from gdsim.scenario import parse_mapping

    given = {"name": "run", "initial_weight": initial_weight, "learning_rate": learning_rate, **scenario}
    if isinstance(loss, str):
        return _with_conveniences(execute(parse_mapping({"loss": loss, **given})))
    return _with_conveniences(_simulate_function(loss, given))


def _simulate_function(function: Callable[..., float], given: Mapping[str, Any]) -> Run:
    """Run a Python function. A formula with the same weights stands in for it while the rest is checked."""
    from dataclasses import replace

    from gdsim.expr.functions import CONSTANTS, CONSTRUCTS, FUNCTIONS
    from gdsim.losses import Loss
    from gdsim.outcomes import Fault, InputError
    from gdsim.runs import compose, execute_batch
    from gdsim.scenario import parse_mapping

    loss = Loss.from_callable(function)
    if taken := [name for name in loss.weights if name in (*CONSTANTS, *FUNCTIONS, *CONSTRUCTS)]:
        message = f"the weight {taken[0]!r} is named like a constant or function of formulas"
        raise InputError(Fault(message, "another name", path="loss"))
    checked = parse_mapping({"derivative": "numeric", **given, "loss": " + ".join(loss.weights)})
    batch = replace(compose(checked), loss=loss)
    return execute_batch(batch, checked.domain, name=checked.name, title=checked.title)


def run(path: str | Path, *, overrides: str | Sequence[str] = (), preset: str | Path | None = None) -> Run:
    """Run a scenario file, or a shipped scenario by name; nothing is written.

    Parameters
    ----------
    path
        The file, or the name of a shipped scenario.
    overrides
        ``key=value`` each, as after ``-S``, or one of them.
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

    return _with_conveniences(execute(load(path, overrides=overrides, preset=preset)))


def sweep(
    scenario: str | Path | Mapping[str, Any],
    axes: Mapping[str, object] | None = None,
    *,
    overrides: str | Sequence[str] = (),
    engine: Choice = "auto",
    jobs: int | None = None,
    dask_address: str | None = None,
    out: str | Path | None = None,
) -> SweepResult:
    """Run a scenario many times, over any of its fields.

    Parameters
    ----------
    scenario
        A file, the name of a shipped scenario, or a mapping in the shape of a file.
    axes
        By dotted path a sequence, an array, or text as on the command line (``"log(0.001, 1, 200)"``); they
        stand beside, and in place of, those of the scenario's ``sweep``.
    overrides
        ``key=value`` each, as after ``-S``, or one of them.
    engine
        ``auto`` (by measured cost), ``numpy`` or ``fast``.
    jobs
        Threads of the fast engine, by default one for each core; processes of the numpy engine, by default
        none but this one. Processes start the program again, which must stand below
        ``if __name__ == "__main__":`` then.
    dask_address
        Of the scheduler of a Dask cluster, or ``local`` for ``jobs`` workers on this machine, which are
        processes too.
    out
        The folder below which the sweep is stored, chunk by chunk; called again it goes on where it was.
        None: nothing is written, and the results are in memory.

    Returns
    -------
    SweepResult
        ``columns`` by name, a row a run; ``grid(column)``, ``verdicts``, ``plot()``.

    Raises
    ------
    InputError
        With every fault of the scenario and the axes, for an unknown engine, and for a cluster that is not
        there.

    Examples
    --------
    >>> result = sweep("parabola", {"learning_rate": [0.1, 0.5, 1.1]})
    >>> result.columns["steps"].tolist(), result.verdicts
    ([96, 1, 89], {'minimum': 2, 'diverged': 1})
    """
    from gdsim.scenario.axes import with_values
    from gdsim.sweeps.execution import complete

    swept = with_values(_scenario(scenario, overrides), axes or {})
    finished = complete(swept, engine, out, jobs, dask_address)
    _bind_sweep_plot(type(finished))
    return finished


def tune(
    scenario: str | Path | Mapping[str, Any],
    *,
    overrides: str | Sequence[str] = (),
    out: str | Path | None = None,
) -> Tuned:
    """Find the learning rate with which a scenario settles in the fewest steps.

    Parameters
    ----------
    scenario, overrides, out
        As for :func:`sweep`.

    Returns
    -------
    Tuned
        ``learning_rate``, ``steps``, ``stability`` (the stretch of rates with which the run settles) and
        the ``result`` of the sweep over the rate.

    Raises
    ------
    InputError
        Where no rate lets the run settle.

    Examples
    --------
    >>> found = tune({"loss": "3w^2", "initial_weight": 1, "learning_rate": 0.01})
    >>> round(found.learning_rate, 3), round(found.stability.limits[0]["limit"], 4)
    (0.167, 0.3333)
    """
    from gdsim.sweeps.tuning import tune as tuned

    found = tuned(_scenario(scenario, overrides), out)
    _bind_sweep_plot(type(found.result))
    return found


def _scenario(given: str | Path | Mapping[str, Any], overrides: str | Sequence[str]) -> Scenario:
    from gdsim.scenario import load, parse_mapping

    if isinstance(given, Mapping):
        return parse_mapping(given, overrides=overrides)
    return load(given, overrides=overrides)


def critical_points(
    loss: str | Callable[..., float] | Loss,
    domain: Interval | Mapping[str, Interval] | None = None,
    **parameters: float,
) -> Search:
    """Find and classify the critical points of a loss in a domain.

    Parameters
    ----------
    loss
        A formula, the name of a library loss, a Python function, or a Loss.
    domain
        ``(low, high)`` for every weight, or an interval for each; where None, that of the library loss,
        else −10 to 10.
    **parameters
        Values of parameters that the formula names.

    Returns
    -------
    Search
        ``critical_points`` from left to right, and how far the search reaches.

    Raises
    ------
    InputError
        For a loss or a domain that is none, and for a parameter that the loss does not use.

    Examples
    --------
    >>> search = critical_points("x^3 - 3x", domain=(-2, 2))
    >>> [(point.kind, point.weight["x"]) for point in search.critical_points]
    [('maximum', -1.0), ('minimum', 1.0)]
    """
    from gdsim.critical import find
    from gdsim.expr.nodes import symbols
    from gdsim.losses import LOSSES, Loss, named_loss
    from gdsim.outcomes import Fault, InputError, nearest

    if isinstance(loss, str):
        found = (
            named_loss(loss, parameters) if loss in LOSSES else Loss.from_text(loss, parameters=parameters)
        )
    else:
        found = loss.with_parameters(parameters) if isinstance(loss, Loss) else Loss.from_callable(loss)
    used = symbols(found.expression, "parameter") if found.expression is not None else ()
    if unused := [name for name in parameters if name not in used]:
        near = nearest(unused[0], found.weights)
        expected = f"a name in the formula: {', '.join([*used, *found.weights])}"
        raise InputError(Fault(f"the loss does not use the parameter {unused[0]!r}", expected, near))
    bounds = dict.fromkeys(found.weights, (-10.0, 10.0)) | dict(found.domain)
    given = domain if isinstance(domain, Mapping) else {}
    if domain is not None and not isinstance(domain, Mapping):
        given = dict.fromkeys(found.weights, domain)
    for name, interval in given.items():
        if name not in bounds:
            near = nearest(str(name), found.weights)
            raise InputError(
                Fault(f"{name!r} is no weight", f"one of {', '.join(bounds)}", near, path="domain")
            )
        bounds[name] = _interval(interval)
    return find(found, bounds)


def _interval(given: Interval) -> Interval:
    """Return an interval of two finite floats, the lower first. Raises InputError."""
    from math import inf

    from gdsim.outcomes import Fault, InputError

    try:
        low, high = map(float, given)
    except (TypeError, ValueError, OverflowError):
        low, high = inf, inf
    if not -inf < low < high < inf:
        raise InputError(Fault(f"{given!r} is no interval", "(low, high), two numbers", path="domain"))
    return low, high


def derive(expression: str, weight: str | None = None) -> Derivation:
    """Differentiate a formula rule by rule.

    Parameters
    ----------
    expression
        The formula, or the name of a library loss.
    weight
        With respect to which; its only weight where there is one.

    Returns
    -------
    Derivation
        ``rule``, ``before``, ``after`` and the ``steps`` that led there, in the forms that gdsim computes
        with; ``textbook`` is the same as a student works it out. That is what ``print`` and a notebook show.

    Raises
    ------
    InputError
        For a formula that is none, or a weight that it has not.

    Examples
    --------
    >>> from gdsim.expr.display import to_text
    >>> to_text(derive("x^2 * exp(x)").after)
    '2*x*exp(x) + x^2*exp(x)'
    >>> print(derive("(x - 3)^2"))
    ((x − 3)²)′ = (u²)′·u′              chain with u = x − 3: f(u)′ = f′(u)·u′
        (u²)′ = 2·u^(2 − 1) = 2·u       power: (uⁿ)′ = n·uⁿ⁻¹
        u′ = x′ − (3)′ = 1 − 0 = 1      difference: (f − g)′ = f′ − g′
      = 2·(x − 3)·1 = 2·(x − 3)
    """
    from gdsim.expr.differentiate import differentiate
    from gdsim.losses import LOSSES, Loss, named_loss
    from gdsim.outcomes import Fault, InputError, nearest

    loss = named_loss(expression) if expression in LOSSES else Loss.from_text(expression)
    known = loss.weights
    if weight is None and len(known) > 1:
        raise InputError(Fault(f"the formula has the weights {', '.join(known)}", "weight=… to choose one"))
    if weight is not None and weight not in known:
        near = nearest(weight, known)
        raise InputError(Fault(f"the formula has no weight {weight!r}", f"one of {', '.join(known)}", near))
    assert loss.expression is not None
    return differentiate(loss.expression, weight or known[0])


def _with_conveniences(finished: Run) -> Run:
    _bind_conveniences(type(finished))
    return finished


def _bind_conveniences(run_type: Any) -> None:
    """Give runs ``plot()``, ``animate()`` and ``save()``: figures stand on a higher floor than runs."""
    if hasattr(run_type, "plot"):
        return

    def plot(self: Run, kind: str | None = None, **choices: Any) -> Figure:
        """Return a matplotlib Figure of one of the kinds of figures; the one that suits where None.

        ``look``, ``until`` and ``at`` are as for :func:`gdsim.plots.draw`.
        """
        from gdsim.plots import default_kinds, draw
        from gdsim.plots.shown import shown

        return shown(draw(self, kind or default_kinds(self)[0], **choices), choices.get("look"))

    def animate(
        self: Run,
        kind: str | None = None,
        file: str | Path = "film.gif",
        *,
        look: Look | None = None,
        at: Sequence[int] = (),
        **take: Any,
    ) -> Film:
        """Write a film, GIF, MP4 or WebM as its file's ending says; of the kind that suits where None.

        ``size``, ``fps``, ``seconds``, ``hold`` and ``steps`` are as for :class:`gdsim.plots.film.Take`.
        """
        from gdsim.plots import default_kinds
        from gdsim.plots.film import Take
        from gdsim.plots.film import animate as film

        return film(self, kind or default_kinds(self)[0], file, look=look, at=at, take=Take(**take))

    def save(self: Run, out: str | Path = "outputs", *, figures: bool = True) -> Path:
        """Write the run directory below ``out``, as ``gdsim run`` does, and return it."""
        from pathlib import Path

        from gdsim.plots import default_files
        from gdsim.runs import store

        return store.save(self, Path(out), default_files(self) if figures else None)

    run_type.plot, run_type.animate, run_type.save = plot, animate, save


def _bind_sweep_plot(result_type: Any) -> None:
    """Give results of sweeps ``plot()``."""
    if hasattr(result_type, "plot"):
        return

    def plot(self: SweepResult, kind: str | None = None, **choices: Any) -> Figure:
        """Return a matplotlib Figure: atlas, profile, bifurcation or ensemble; one that suits where None.

        ``by``, ``axes`` and ``fix`` are as for :func:`gdsim.plots.draw_sweep`.
        """
        from gdsim.plots import default_sweep_kinds, draw_sweep
        from gdsim.plots.shown import shown

        return shown(draw_sweep(self, kind or default_sweep_kinds(self)[0], **choices), choices.get("look"))

    result_type.plot = plot
