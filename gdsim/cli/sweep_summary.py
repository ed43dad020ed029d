"""What ``gdsim sweep`` and ``gdsim tune`` print: totals in words, the best run, where stability ends."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from gdsim.cli.screen import short, typed, width
from gdsim.cli.summary import COLOURS

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.scenario import Scenario
    from gdsim.sweeps.result import AxisValues, SweepResult
    from gdsim.sweeps.tuning import Tuned

_BAR = 24
_INDENT = 20
_MOST_BASINS = 12
_MOST_VALUES = 6  # of an axis that is written out


def sweep_summary(
    result: SweepResult, said: Mapping[str, Any], seconds: float, directory: Path, *, brief: bool
) -> str:
    """Return the summary of a finished sweep; where ``brief``, one line."""
    name = said["name"]
    if brief:
        counts = ", ".join(f"{kind} {count:,}" for kind, count in said["verdicts"].items())
        return f"{name}: {result.runs:,} runs: {counts}"
    lines = [f"{click.style('SWEEP', bold=True)}  {click.style(result.scenario.title or name, bold=True)}"]
    lines += _setting(result.scenario)
    lines += [line for axis in result.axes for line in _wrapped(axis.path, _axis_text(axis))]
    pace = f" in {seconds:.3g} s" if seconds > 0.05 else ""
    lines += [
        "",
        _row("runs", f"{result.runs:,}{pace}, {said['engine']} engine"),
        *_verdicts(said, result.runs),
    ]
    lines += _basins(said)
    if result.losses > 1:
        lines += ["", *_wrapped("losses", _losses(result))]
    lines += ["", *_best(said["best"]), *_stability(said["stability"])]
    lines += ["", *_wrapped("written", _files(directory))]
    return "\n".join(lines)


def tuned_summary(found: Tuned, scenario: Scenario, directory: Path, *, brief: bool) -> str:
    """Return what ``gdsim tune`` prints; where ``brief``, one line."""
    rate, steps = short(found.learning_rate), found.steps
    if brief:
        short_of = "" if found.reached else ", short of the tolerance"
        return f"{scenario.name}: learning_rate {rate}: {_steps(steps)}{short_of}"
    own = _own(scenario)
    badge = click.style("GOLDILOCKS", fg="green" if found.reached else "yellow", bold=True)
    how = f"{_steps(steps)} to the tolerance" if found.reached else f"the lowest loss after {_steps(steps)}"
    lines = [
        f"{badge}  learning rate {click.style(rate, bold=True)}: {how}",
        *([] if found.reached else ["  With no rate does the run reach the tolerance in so many steps."]),
        *_setting(scenario), "", *([_row("as it is", own)] if own else []),
    ]  # fmt: skip
    if found.stability is not None:
        lines += _stability({**found.stability._asdict(), "limits": list(found.stability.limits)})
    lines += [
        "",
        *_wrapped(
            "use it", f"gdsim run {typed(str(scenario.source or scenario.name))} -S learning_rate={rate}"
        ),
    ]
    lines += _wrapped("written", _files(directory))
    return "\n".join(lines)


def _own(scenario: Scenario) -> str:
    """How many steps the scenario's own rate takes, by the nearest rate of the profile."""
    from gdsim.runs.execution import execute

    run = execute(scenario)
    steps = int(run.trajectory.steps[0])
    rate = short(scenario.learning_rate.initial)
    kind = run.verdict.kind.replace("_", " ")
    return f"learning rate {rate}: {kind}, {run.status} after {_steps(steps)}"


def _steps(count: int) -> str:
    return f"{count:,} step{'s' * (count != 1)}"


def _row(label: str, text: str) -> str:
    return f"  {label:<{_INDENT - 2}}{'' if len(label) < _INDENT - 2 else '  '}{text}"


def _wrapped(label: str, text: str) -> list[str]:
    parts = textwrap.wrap(text, max(20, width() - _INDENT)) or [""]
    return [_row(label if place == 0 else "", part) for place, part in enumerate(parts)]


def _setting(scenario: Scenario) -> list[str]:
    formula = f"L = {' '.join(scenario.loss.expression.split())}"
    rule = scenario.update_rule.name.replace("_", " ")
    return [f"  {line}" for line in textwrap.wrap(f"{formula}   {rule}", width() - 2)]


def _axis_text(axis: AxisValues) -> str:
    def text(value: Any) -> str:
        return value if isinstance(value, str) else short(value)

    if len(axis.values) <= _MOST_VALUES:
        return ", ".join(map(text, axis.values))
    spread = ", evenly in the logarithm" if axis.logarithmic else ""
    return f"{text(axis.values[0])} … {text(axis.values[-1])}, {len(axis.values):,} values{spread}"


def _verdicts(said: Mapping[str, Any], runs: int) -> list[str]:
    """A line for each kind of verdict: how many, which share, a bar."""
    lines = []
    longest = max(len(kind) for kind in said["verdicts"])
    for kind, count in sorted(said["verdicts"].items(), key=lambda item: -item[1]):
        share = count / runs
        bar = click.style("█" * max(1, round(_BAR * share)), fg=COLOURS[kind])
        label = {"inflection": "inflection (saddle)"}.get(kind, kind.replace("_", " "))
        lines.append(f"    {label:<{max(longest, 12)}} {count:>12,} {100 * share:6.1f} %  {bar}")
    return lines


def _basins(said: Mapping[str, Any]) -> list[str]:
    """Where the runs came to rest."""
    reached = [basin for basin in said["basins"] if basin["runs"]]
    lines = []
    for place, basin in enumerate(reached[:_MOST_BASINS]):
        where = ", ".join(f"{name} = {short(value)}" for name, value in basin["weight"].items())
        kind = {"inflection": "inflection (saddle)"}.get(basin["kind"], basin["kind"])
        proof = "" if basin["proof"] == "certified" else f", {basin['proof']}"
        lines.append(
            _row("reached" if place == 0 else "", f"{kind} at {where}: {basin['runs']:,} runs{proof}")
        )
    if len(reached) > _MOST_BASINS:
        lines.append(_row("", f"… and {len(reached) - _MOST_BASINS} more (sweep.json lists them all)"))
    return ["", *lines] if lines else []


def _losses(result: SweepResult) -> str:
    """How many losses there were, and how their critical points were found."""
    how = "with proof" if result.proof == "certified" else "numerically, since they are more than a thousand"
    return f"{result.losses:,}; the critical points of each were sought {how}"


def _best(best: Mapping[str, Any] | None) -> list[str]:
    if best is None:
        return [_row("best run", "none: no loss is finite")]
    values = ", ".join(
        f"{path} = {short(value) if isinstance(value, int | float) else value}"
        for path, value in best["values"].items()
    )
    where = ", ".join(f"{name} = {short(value)}" for name, value in best["weight"].items())
    kind = best["verdict"].replace("_", " ")
    return _wrapped(
        "best run", f"{values}: {kind} at {where}, loss {short(best['loss'])}, {_steps(best['steps'])}"
    )


def _stability(where: Mapping[str, Any] | None) -> list[str]:
    if where is None:
        return []
    lowest, largest = short(where["lowest"], 4), short(where["largest"], 4)
    text = f"every run settles with learning rates from {lowest} to {largest}"
    if where["first_unstable"] is not None:
        text += f", no longer with {short(where['first_unstable'], 4)}"
    limits = sorted({short(limit["limit"], 4) for limit in where["limits"]})
    if limits:
        factor = short(where["limits"][0]["limit"] * where["limits"][0]["curvature"], 4)  # 2 but for momentum
        text += f"; theory says up to {factor}/L = {' or '.join(limits)} near the minima reached"
    return _wrapped("stable", text)


def _files(directory: Path) -> str:
    names = [
        path.relative_to(directory).as_posix() for path in sorted(directory.rglob("*")) if path.is_file()
    ]
    shown = [name for name in names if not name.startswith(("chunks/", "."))]
    shown.sort(key=lambda name: ("/" in name, name))
    return f"{directory}/ {', '.join(shown)}"
