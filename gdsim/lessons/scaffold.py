"""A new lesson to begin with: one step of each kind, and it passes the check."""

from __future__ import annotations

import re
from pathlib import Path

from gdsim.lessons.catalogue import FILE as TEXTS
from gdsim.lessons.course import FIRST_LANGUAGE
from gdsim.lessons.reading import FILE
from gdsim.lessons.schema import FILE as SCHEMA
from gdsim.lessons.schema import schema_text
from gdsim.outcomes import Fault, InputError

_NAME = re.compile(r"\d\d-[a-z0-9]+(-[a-z0-9]+)*\Z")

_LESSON = """\
# yaml-language-server: $schema=../lesson.schema.json
lesson: 1
minutes: 10
values:
  slope: {derivative: "w^2", at: 3}
  loss: {expression: "w^2", at: 3}
  end: {scenario: parabola, field: final.weight.w}
steps:
  - {name: hook, kind: text}
  - {name: look, kind: figure, scenario: parabola, plot: curve, at: [0]}
  - {name: bet, kind: predict, scenario: parabola, ask: direction}
  - {name: try-it, kind: run, scenario: parabola, edit: [learning_rate], plot: curve}
  - {name: why, kind: choice, options: [slope, size], right: [slope]}
  - {name: how-steep, kind: number, answer: slope, tolerance: {absolute: 0.01}, mistakes: {the-loss: loss}}
  - {name: rule, kind: derive, of: "w^2"}
  - name: faster
    kind: tune
    scenario: parabola
    edit: [learning_rate]
    goal: {verdict: minimum, within: 5}
    solution: {learning_rate: 0.5}
  - {name: the-way, kind: order, items: [measure, move, judge]}
  - {name: summary, kind: text}
"""

_TEXTS = """\
# Title of the lesson

What it is about, in one sentence.

## hook

Something that makes a learner curious. A number that gdsim computes is quoted: the run ends at
w = {{ end:.1g }}.

## look

The curve is the loss, the mark the weight, the line the tangent there.

## bet

Which way will the first step go?

### reveal

To the left: the slope is positive there, so the loss falls to the left.

## try-it

Run it. Then change the learning rate and run it again.

### reveal

A larger learning rate takes larger steps.

## why

What decided the direction of the step?

### option slope

The sign of the slope.

### option size

The size of the loss.

### feedback slope

Yes: where the loss rises with w, w has to go down.

### feedback size

The size says how bad it is, not which way is better.

### hint 1

Think of a point to the left of the minimum, with the same loss.

### hint 2

There the step goes the other way, though the loss is the same.

### solution

The sign of the slope.

## how-steep

How steep is w² at w = 3?

### mistake the-loss

That is the loss at w = 3. How fast does it change?

### hint 1

The derivative of w² is 2w.

### hint 2

Put w = 3 into 2w.

### solution

2·3 = {{ slope:.3g }}.

## rule

Differentiate w².

### hint 1

The exponent comes down in front.

### hint 2

And it becomes one smaller.

### solution

By the power rule.

## faster

Find a learning rate with which the run settles in at most five steps.

### hint 1

Each step multiplies the weight by 1 − 2η.

### hint 2

What makes 1 − 2η equal to 0?

### solution

With 1 − 2η = 0 the first step lands on the minimum.

## the-way

Put one step of gradient descent in order.

### item measure

Measure the slope.

### item move

Move the weight against it.

### item judge

Look whether it is small enough to stop.

### hint 1

Nothing can be done before the slope is known.

### hint 2

The judging comes last.

### solution

Measure, move, judge; and again.

## summary

- One thing that was learnt.
- Another.
"""


def scaffold(course: Path, name: str) -> list[Path]:
    """Write a new lesson and return its files; beside it the schema for editors, where there is none yet.

    Raises
    ------
    InputError
        For a name that is none, or a folder that is there already.
    """
    if not _NAME.match(name):
        raise InputError(Fault(f"{name!r} is no name for a lesson", "two digits and words: 20-my-topic"))
    folder = course / name
    if folder.exists():
        raise InputError(Fault("this lesson is there already", "another name", file=str(folder)))
    files = {folder / FILE: _LESSON, folder / FIRST_LANGUAGE / TEXTS: _TEXTS}
    if not (course / SCHEMA).exists():
        files[course / SCHEMA] = schema_text()
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return [*files]
