"""Every key of ``lesson.yaml``: shape, meaning and example. The law of the format, as one table."""

from __future__ import annotations

from gdsim.outcomes import VERDICT_KINDS
from gdsim.scenario.shapes import Anything, Choice, Either, Group, Key, Many, Number, Shape, Table, Text

SCHEMA = 1  # the version that ``lesson:`` states

_NAME = Text("a name of small letters, digits and hyphens")
_NAMES = Many(_NAME, 1, None, "a list of names, at least one")
_COUNT = Number(0, whole=True)
_VERDICT = Choice("verdict", lambda: VERDICT_KINDS)
_VERDICTS = Many(_VERDICT, 1, None, "a list of verdicts")
_ONE_VERDICT: dict[str, object] = {"enum": list(VERDICT_KINDS)}
_SETTINGS = Anything({"type": "object"}, "a mapping such as {learning_rate: 0.5}")
_POINT = Either(Table(Number()), Number())


def _kinds() -> tuple[str, ...]:
    from gdsim.lessons.model import KINDS

    return tuple(KINDS)


def _plots() -> tuple[str, ...]:
    from gdsim.plots.kinds import PLOTS

    return tuple(PLOTS)


def _all_plots() -> tuple[str, ...]:
    from gdsim.lessons.sweeps import AXES

    return (*_plots(), *AXES)


_PLOT = Choice("kind of figure", _plots)
_AXIS = Text("values of an axis")

TOLERANCE = Group(
    {
        "absolute": Key(Number(0), "how far off a number may be", None, 0.01),
        "relative": Key(Number(0, 1), "the same in parts of the right number", None, 0.05),
    },
    "absolute: or relative:",
)

GOAL = Group(
    {
        "verdict": Key(
            Anything({"anyOf": [_ONE_VERDICT, {"type": "array", "items": _ONE_VERDICT, "minItems": 1}]}),
            "the verdict, or a list of them", None, "minimum", True,
        ),
        "within": Key(Number(0, whole=True), "in at most so many steps", None, 20),
        "weight": Key(_POINT, "near this weight", None, {"w": 1}),
        "tolerance": Key(Number(0), "how near", 1e-3, 1e-3),
    },
    "verdict:, within:, weight:, tolerance:",
)  # fmt: skip

VALUE = Group(
    {
        "expression": Key(Text("a formula"), "a constant, or a formula with at:", None, "2/8"),
        "derivative": Key(Text("a formula"), "its derivative: with at: a number", None, "x^2"),
        "formula": Key(Text("a formula"), "a formula, typeset", None, "x^2 + 1"),
        "by": Key(Text("a weight"), "the weight to differentiate by, where there are several", None, "x"),
        "at": Key(_POINT, "the point", None, 3),
        "method": Key(
            Either(Anything({"type": "object"}), Text("a method")),
            "how: a derivative as in a scenario", "analytic", {"method": "numeric", "scheme": "forward"},
        ),
        "scenario": Key(Text("a scenario"), "a run, of which field: is taken", None, "parabola"),
        "settings": Key(_SETTINGS, "values that replace those of the scenario", None, {"learning_rate": 0.1}),
        "field": Key(Text("a path"), "a field of the run's summary", None, "final.weight.w"),
    },
    "expression:, derivative:, formula: or scenario:",
)  # fmt: skip

_EXPERIMENT = {
    "scenario": Key(Text("a scenario"), "a file beside the lesson, or a shipped one", None, "parabola", True),
    "settings": Key(_SETTINGS, "values that replace those of the scenario", None, {"learning_rate": 0.1}),
    "plot": Key(_PLOT, "the figure that shows the run", None, "curve"),
}  # fmt: skip
_EDIT = Key(_NAMES, "the values that the learner may change, by dotted path", None, ["learning_rate"])

#: the keys of each kind of step, beside ``name`` and ``kind``
STEPS: dict[str, dict[str, Key]] = {
    "text": {},
    "figure": _EXPERIMENT
    | {
        "plot": Key(
            Choice("kind of figure", _all_plots), "the figure that shows the run, or with axes: the sweep",
            "curve", "curve",
        ),
        "axes": Key(
            Table(_AXIS, "a mapping of paths to values"),
            "what differs among the runs of a sweep of at most 20 000, as `gdsim sweep` takes it",
            None, {"learning_rate": "lin(0.01,0.5,80)"},
        ),
        "at": Key(Many(_COUNT), "steps to look at closely", None, [0]),
        "until": Key(_COUNT, "the last step shown", None, 3),
    },
    "run": _EXPERIMENT | {"edit": _EDIT},
    "predict": _EXPERIMENT
    | {
        "ask": Key(Choice("question", lambda: ("direction", "outcome", "number")), "what to say before",
                   None, "direction", True),
        "field": Key(Text("a path"), "ask: number: the field of the summary", None, "final.weight.w"),
        "among": Key(_VERDICTS, "ask: outcome: the verdicts to choose from", None, ["minimum", "diverged"]),
        "tolerance": Key(TOLERANCE, "ask: number: how near is right", {"relative": 0.1}, {"relative": 0.1}),
    },
    "choice": {
        "options": Key(_NAMES, "the options, by name", None, ["left", "right"], True),
        "right": Key(_NAMES, "those that are right", None, ["left"], True),
    },
    "number": {
        "answer": Key(Text("a value"), "the name of the value that is right", None, "slope", True),
        "tolerance": Key(TOLERANCE, "how near is right", {"relative": 0.01}, {"absolute": 0.001}),
        "mistakes": Key(Table(Text("a value"), "a mapping of mistakes to values"),
                        "known wrong numbers: name of the mistake → name of its value", None,
                        {"forgot-the-two": "half"}),
    },
    "derive": {
        "of": Key(Text("a formula"), "what to differentiate", None, "x^2", True),
        "by": Key(Text("a weight"), "by which weight, where there are several", None, "x"),
    },
    "tune": _EXPERIMENT
    | {
        "edit": Key(_NAMES, "the values that the learner changes", None, ["learning_rate"], True),
        "goal": Key(GOAL, "what the run has to reach", None, {"verdict": "minimum", "within": 10}, True),
        "solution": Key(_SETTINGS, "values that reach it", None, {"learning_rate": 0.5}, True),
    },
    "order": {"items": Key(_NAMES, "the items in the right order", None, ["predict", "step", "judge"], True)},
}  # fmt: skip


def step_shape(kind: str) -> Group:
    """Return the shape of a step of a kind."""
    keys = {
        "name": Key(_NAME, "the heading of its texts", None, "guess", True),
        "kind": Key(Choice("kind of step", _kinds), "what is to be done", None, kind, True),
    }
    return Group(keys | STEPS[kind], f"the keys of a step of kind {kind}")


_STEP: Shape = Anything({"type": "object"})  # its shape depends on its kind

LESSON = Group(
    {
        "lesson": Key(Number(SCHEMA, SCHEMA, whole=True), "the version of this format", None, SCHEMA, True),
        "minutes": Key(Number(1, 60, whole=True), "about how long it takes", None, 10, True),
        "needs": Key(Many(_NAME, 0, None, "a list of lessons"), "the lessons before it", [], ["01-slope"]),
        "values": Key(Table(Either(VALUE, Number()), "a mapping of names to values"),
                      "what the prose quotes as {{ name }}", {}, {"slope": {"derivative": "x^2", "at": 3}}),
        "steps": Key(Many(_STEP, 1, None, "a list of steps"), "what is done, in order", None,
                     [{"name": "hook", "kind": "text"}], True),
    },
    "lesson:, minutes:, steps: and perhaps needs:, values:",
)  # fmt: skip
