"""A lesson as a Jupyter notebook (format 4.5): texts, runs through ``import gdsim``, checked exercises.

The format is JSON of a few keys, so that no library is needed to write it; the tests validate it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from gdsim.lessons.course import FIRST_LANGUAGE
from gdsim.lessons.markdown import Page, details, overrides, scenario_path
from gdsim.lessons.model import (
    Choice,
    Differentiation,
    Experiment,
    Order,
    Picture,
    Prediction,
    Step,
    Trial,
    Tuning,
)
from gdsim.lessons.values import scenario_of

_LONGEST_ID = 64


def notebook(page: Page, course: str = "", language: str = FIRST_LANGUAGE) -> str:
    """Return a lesson as the text of a notebook.

    Parameters
    ----------
    page
        The lesson with its words.
    course
        The folder of a course other than the shipped one, seen from the notebook.
    language
        In which the exercises answer.
    """
    cells = [_cell("title", "markdown", f"# {page.texts.title}\n\n{page.texts.summary}")]
    cells.append(_cell("begin", "code", _begin(page, course, language)))
    for number, step in enumerate(page.lesson.steps, 1):
        for part, (kind, text) in enumerate(_step(page, number, step)):
            cells.append(_cell(f"{number:02d}-{part}-{step.name}", kind, text))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    made = {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _cell(name: str, kind: str, text: str) -> dict[str, Any]:
    """Return a cell; its id is made of what it is, so that the same lesson gives the same bytes."""
    cell: dict[str, Any] = {"cell_type": kind, "id": name[:_LONGEST_ID], "metadata": {}}
    if kind == "code":
        cell |= {"execution_count": None, "outputs": []}
    return cell | {"source": text.splitlines(keepends=True)}


def _begin(page: Page, course: str, language: str) -> str:
    further = f", course={course!r}" * bool(course) + f", language={language!r}" * (
        language != FIRST_LANGUAGE
    )
    return (
        "%matplotlib inline\nimport gdsim\nfrom gdsim.lessons.practice import Practice\n\n"
        f"practice = Practice({page.lesson.name!r}{further})"
    )


def _step(page: Page, number: int, step: Step) -> Iterator[tuple[str, str]]:
    """Yield the cells of a step, as kind and text."""
    yield "markdown", "\n\n".join([f"## {page.heading(number, step)}", *page.question(step)])
    match step.task:
        case Picture(experiment, plot, axes=axes) if axes:
            yield "code", f"{_sweep(page, experiment, axes)}\nresult.plot({plot!r})"
        case Picture(experiment, plot, at, until):
            yield "code", f"{_run(page, experiment)}\n{_plot(plot, at, until)}"
        case Trial(experiment, edit, plot):
            yield "code", f"{_run(page, experiment, edit)}\nrun"
            if plot:
                yield "code", _plot(plot)
            yield "markdown", details(page.phrases["export-reveal"], page.part(step, "reveal"))
    if not step.graded:
        return
    yield "code", f"answer = {_unanswered(step)}\npractice.check({step.name!r}, answer)"
    if isinstance(step.task, Prediction):
        yield "code", f"{_run(page, step.task.experiment)}\nrun"
        if step.task.plot:
            yield "code", _plot(step.task.plot)
    yield "markdown", "\n\n".join(_answers(page, step))


def _answers(page: Page, step: Step) -> Iterator[str]:
    hints = page.texts.parts(step.name, "hint")
    for number, hint in enumerate(hints, 1):
        title = page.phrases["hint"].format(number=number, count=len(hints))
        yield details(title, page.part(step, hint))
    yield details(page.phrases["export-solution"], page.solution(step, runs=False))


def _unanswered(step: Step) -> str:
    """Return an empty answer, and in a comment how one is written."""
    match step.task:
        case Tuning(edit=edit):
            return "{}  # such as {" + ", ".join(f'"{path}": …' for path in edit) + "}"
        case Differentiation(of):
            return f'""  # the derivative of {of}'
        case Choice(right=right) if len(right) > 1:
            return "[]  # the numbers of all that are right"
        case Order():
            return "[]  # the numbers in the right order"
    return '""'


def _run(page: Page, experiment: Experiment, edit: tuple[str, ...] = ()) -> str:
    """Return the line that does a run, with every value that may be changed as it stands."""
    settings = {path: value for path in edit if (value := _present(page, experiment, path)) is not None}
    given = overrides(experiment, settings)
    name = scenario_path(page.lesson, experiment)
    if not given:
        return f"run = gdsim.run({name!r})"
    lines = "".join(f"    {override!r},\n" for override in given)
    return f"run = gdsim.run({name!r}, overrides=[\n{lines}])"


def _sweep(page: Page, experiment: Experiment, axes: Mapping[str, str]) -> str:
    """Return the lines that do a sweep."""
    lines = "".join(f"    {path!r}: {values!r},\n" for path, values in axes.items())
    given = overrides(experiment)
    further = f", overrides={given!r}" * bool(given)
    return f"result = gdsim.sweep({scenario_path(page.lesson, experiment)!r}, {{\n{lines}}}{further})"


def _present(page: Page, experiment: Experiment, path: str) -> object:
    """Return the value of a scenario at a dotted path in its shortest form; None where it has none."""
    from gdsim.scenario.write import as_data

    found: Any = as_data(scenario_of(page.lesson, experiment))
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    if isinstance(found, Mapping) and found.get("schedule") == "constant" and not found.get("warmup"):
        return found["initial"]
    return next(iter(found.values())) if isinstance(found, Mapping) and len(found) == 1 else found


def _plot(plot: str, at: tuple[int, ...] = (), until: int | None = None) -> str:
    further = f", at={[*at]!r}" * bool(at) + f", until={until}" * (until is not None)
    return f"run.plot({plot!r}{further})"
