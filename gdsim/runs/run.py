"""A finished run and its summary."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from typing import Any

from gdsim.batch import Batch, Trajectory
from gdsim.losses import Loss
from gdsim.markup import coordinates, paragraph
from gdsim.outcomes import CriticalPoint, Search, Status, Verdict, points_table
from gdsim.scenario import Scenario
from gdsim.verdicts import Ruler, crossings


@dataclass(frozen=True, eq=False)
class Run:
    """One run: what was asked, what happened, and what it means.

    Attributes
    ----------
    name, title
        For files and for figures.
    scenario
        What was asked; None where the run was started from Python with a function as loss.
    batch, trajectory
        The batch of one and its records.
    search
        The critical points in the domain, and how far the search reaches.
    verdict, ruler
        What happened and why; the learning-rate ruler, or None.
    """

    name: str
    title: str
    scenario: Scenario | None
    batch: Batch
    trajectory: Trajectory
    search: Search
    verdict: Verdict
    ruler: Ruler | None

    def __getattr__(self, name: str) -> Any:
        """Find ``plot``, ``animate`` and ``save``, which the facade gives: figures are on a higher floor."""
        if name in ("plot", "animate", "save"):
            import_module("gdsim").Run  # noqa: B018 (the facade binds them on first use)
            return getattr(self, name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    @property
    def loss(self) -> Loss:
        """The loss."""
        return self.batch.loss

    @property
    def status(self) -> str:
        """Why the run stopped."""
        return str(self.trajectory.status[0])

    @property
    def critical_points(self) -> tuple[CriticalPoint, ...]:
        """The critical points in the domain, from left to right."""
        return self.search.critical_points

    @cached_property
    def flags(self) -> Mapping[int, tuple[str, ...]]:
        """For each step the flags on its row: crossings, clipping, backtracking, and how the run ended."""
        found: dict[int, tuple[str, ...]] = {}
        end = {int(self.trajectory.steps[0]): self._end_flags()}
        for source in (crossings(self.trajectory, self.search), self.trajectory.flags[0], end):
            for step, words in source.items():
                if words:
                    found[step] = (*found.get(step, ()), *words)
        return found

    def _end_flags(self) -> tuple[str, ...]:
        """What stands on the last row: the critical point where the run came to rest, or how it was lost."""
        at = self.verdict.settled_at
        if at is not None:
            kind = {"inflection": "inflection (saddle)"}.get(self.verdict.kind, self.verdict.kind)
            how = "approaching" if self.status == Status.MAX_STEPS else "settled on"
            return (f"{how} {kind} at {coordinates(at)}",)
        lost = {Status.DIVERGED: "out of bounds", Status.NONFINITE: "not finite", Status.CYCLING: "cycling"}
        return (lost[Status(self.status)],) if self.status in lost else ()

    def summary(self) -> dict[str, Any]:
        """Return the summary as plain data, in the shape of ``summary.json``; numbers may be inf or nan."""
        end = self.trajectory
        weights = self.loss.weights
        return {
            "name": self.name,
            "status": self.status,
            "steps": int(end.steps[0]),
            "verdict": {
                "kind": self.verdict.kind,
                "sentence": self.verdict.sentence,
                "evidence": dict(self.verdict.evidence),
                "remedy": self.verdict.remedy,
            },
            "initial": _state(weights, end.weight[0], end.loss[0], end.gradient[0]),
            "final": _state(weights, end.final_weight, end.final_loss, end.final_gradient),
            "evaluations": {
                "loss": int(end.loss_evaluations[0]),
                "gradient": int(end.gradient_evaluations[0]),
            },
            "critical_points": [critical_point_data(point) for point in self.search.critical_points],
            "search": search_data(self.search),
            "ruler": None if self.ruler is None else self.ruler.summary(),
        }

    def renamed(self, **changes: Any) -> Run:
        """Return the run with other attributes."""
        return replace(self, **changes)

    def __repr__(self) -> str:
        """What Python's prompt shows: in one line how it ended."""
        steps = int(self.trajectory.steps[0])
        return (
            f"<Run {self.name!r}: {self.verdict.kind}, {self.status} after {steps} step{'s' * (steps != 1)}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: verdict, numbers, critical points."""
        steps = int(self.trajectory.steps[0])
        return (
            paragraph(self.title or self.name)
            + self.verdict._repr_html_()
            + paragraph(f"{self.status} after {steps} step{'s' * (steps != 1)}.")
            + points_table(self.search.critical_points)
        )


def critical_point_data(point: CriticalPoint) -> dict[str, Any]:
    """Return a critical point as plain data."""
    return {
        "weight": dict(point.weight),
        "loss": point.loss,
        "kind": point.kind,
        "proof": point.proof,
        "curvature": list(point.curvature),
        "interval": {name: list(ends) for name, ends in point.interval.items()},
        "multiplicity": point.multiplicity,
        "boundary": point.boundary,
    }


def search_data(search: Search) -> dict[str, Any]:
    """Return the reach of a search as plain data."""
    return {
        "domain": {name: list(ends) for name, ends in search.domain.items()},
        "complete": search.complete,
        "unresolved": [_plain(stretch) for stretch in search.unresolved],
        "singular": [_plain(stretch) for stretch in search.singular],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value


def _state(weights: tuple[str, ...], weight: Any, loss: Any, gradient: Any) -> dict[str, Any]:
    def by_name(values: Any) -> dict[str, float]:
        return {name: float(value) for name, value in zip(weights, values[:, 0], strict=True)}

    return {"weight": by_name(weight), "loss": float(loss[0]), "gradient": by_name(gradient)}


def jsonable(value: Any) -> Any:
    """Return plain data with numbers that are not finite as the strings "nan", "inf" and "-inf".

    >>> jsonable({"loss": [float("inf"), 1.0]})
    {'loss': ['inf', 1.0]}
    """
    if isinstance(value, float) and not math.isfinite(value):
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    if isinstance(value, Mapping):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(item) for item in value]
    if hasattr(value, "item"):  # a NumPy scalar
        return jsonable(value.item())
    return value
