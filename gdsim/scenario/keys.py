"""Every key of a scenario file: shape, meaning, default and example. The law of the format, as one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gdsim.outcomes import CRITICAL_KINDS, VERDICT_KINDS, Status
from gdsim.scenario.shapes import (
    Anything,
    Choice,
    Either,
    Flag,
    Group,
    Key,
    Many,
    Number,
    OptionSchema,
    Table,
    Text,
)

LARGEST_SEED = 2**63 - 1
MOST_STEPS = 10**12

_NUMBER = Number()
_POSITIVE = Number(0, above=True)
_NOT_NEGATIVE = Number(0)
_COUNT = Number(1, whole=True)
LONGEST_AXIS = 10_000_000  # values on a grid
_BY_WEIGHT = Either(Table(_NUMBER, "a number, or a mapping of weights to numbers"), _NUMBER)
_INTERVAL = Many(_NUMBER, 2, 2, "a list of two numbers, the lower one first")
_COLUMN = {"type": "array", "items": {"type": "number"}, "minItems": 1}


def _rules() -> tuple[str, ...]:
    from gdsim.update_rules import RULES

    return tuple(RULES)


def _schedules() -> tuple[str, ...]:
    from gdsim.schedules import SCHEDULES

    return tuple(SCHEDULES)


def _methods() -> tuple[str, ...]:
    from gdsim.derivatives import METHODS

    return tuple(METHODS)


def _losses() -> tuple[str, ...]:
    from gdsim.losses import LOSSES

    return tuple(LOSSES)


def _number_options(
    options: Mapping[str, Any], pairs: Mapping[str, tuple[str, ...]]
) -> dict[str, OptionSchema]:
    """The numeric options of a rule or schedule, with lists such as betas in place of their parts."""
    parts = {name for names in pairs.values() for name in names}
    found = {}
    for key, option in options.items():
        if key not in parts:
            schema: dict[str, Any] = {"type": "integer" if option.whole else "number"}
            if option.flag:
                schema = {"type": "boolean"}
            elif option.least > float("-inf"):
                schema["exclusiveMinimum" if option.open_below else "minimum"] = option.least
            if not option.flag and option.most < float("inf"):
                schema["exclusiveMaximum" if option.open_above else "maximum"] = option.most
            default = bool(option.default) if option.flag else option.default
            words = "true or false" if option.flag else option.range
            found[key] = OptionSchema(schema, option.summary, default, words)
    for key, names in pairs.items():
        schema = {
            "type": "array",
            "items": {"type": "number"},
            "minItems": len(names),
            "maxItems": len(names),
        }
        summary = "; ".join(f"{name}: {options[name].summary}" for name in names)
        found[key] = OptionSchema(
            schema, summary, [options[name].default for name in names], f"a list of {len(names)} numbers"
        )
    return found


def _rule_options() -> dict[str, dict[str, OptionSchema]]:
    from gdsim.update_rules import RULES

    return {name: _number_options(rule.options, rule.pairs) for name, rule in RULES.items()}


def _schedule_options() -> dict[str, dict[str, OptionSchema]]:
    from gdsim.schedules import SCHEDULES

    return {name: _number_options(entry.options, {}) for name, entry in SCHEDULES.items()}


def _method_options() -> dict[str, dict[str, OptionSchema]]:
    from gdsim.derivatives import METHODS

    found: dict[str, dict[str, OptionSchema]] = {}
    for name, entry in METHODS.items():
        found[name] = {}
        for key, option in entry.options.items():
            word: dict[str, Any] = {"enum": list(option.choices)}
            schema = (
                {"anyOf": [word, {"type": "number", "exclusiveMinimum": 0}]}
                if option.positive_number
                else word
            )
            found[name][key] = OptionSchema(schema, option.summary, option.default, option.expected)
    return found


LOSS = Group(
    {
        "expression": Key(Text("a formula"), "the formula; names left over are weights", example="a*w**2"),
        "name": Key(Choice("loss of the library", _losses), "a loss of the library", example="rosenbrock"),
        "parameters": Key(Table(_NUMBER), "numbers that the formula names", {}, {"a": 3}),
    },
    "a formula, a name of the library, or {expression: …} or {name: …}",
    shorthand="expression",
)

DATA_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "file": {
                    "type": "string",
                    "description": "a CSV file with a header row, relative to this file",
                },
                "standardise": {
                    "type": "array",
                    "items": {"type": "string"},
                    "description": "columns turned into (x − mean)/standard deviation",
                },
            },
            "required": ["file"],
            "additionalProperties": False,
        },
        {
            "type": "object",
            "properties": {"standardise": {"type": "array", "items": {"type": "string"}}, "file": False},
            "additionalProperties": _COLUMN,
        },
    ]
}

LEARNING_RATE = Group(
    {
        "schedule": Key(
            Choice("schedule", _schedules), "how the rate changes with the step", "constant", "cosine"
        ),
        "initial": Key(_NOT_NEGATIVE, "the learning rate η₀", example=0.1, required=True),
        "warmup": Key(Number(0, MOST_STEPS, whole=True), "steps over which the rate climbs to η₀", 0, 10),
    },
    "a number, or {schedule: …, initial: …}",
    shorthand="initial",
    discriminator="schedule",
    options=_schedule_options,
)

UPDATE_RULE = Group(
    {
        "name": Key(Choice("update rule", _rules), "the rule", "gradient_descent", "momentum"),
    },
    "the name of an update rule, or {name: …} with its options",
    shorthand="name",
    discriminator="name",
    options=_rule_options,
)

DERIVATIVE = Group(
    {
        "method": Key(Choice("derivative method", _methods), "the method", "analytic", "numeric"),
    },
    "the name of a derivative method, or {method: …} with its options",
    shorthand="method",
    discriminator="method",
    options=_method_options,
)

STOPPING = Group(
    {
        "max_steps": Key(Number(0, MOST_STEPS, whole=True), "the largest number of steps", 1000, 100),
        "gradient_tolerance": Key(
            _NOT_NEGATIVE, "the run has converged when every |∂L/∂w| is at most this", 1e-8, 1e-8
        ),
        "divergence_bound": Key(_POSITIVE, "the run has diverged when a |weight| exceeds this", 1e8, 1e8),
    },
    "a mapping such as {max_steps: 100}",
)

NOISE = Group(
    {
        "kind": Key(
            Choice("kind of noise", lambda: ("gaussian", "minibatch")),
            "gaussian: a random number is added to each gradient; minibatch: the gradient of a few rows",
            example="gaussian",
            required=True,
        ),
        "scale": Key(_NOT_NEGATIVE, "standard deviation of gaussian noise", example=0.01),
        "size": Key(_COUNT, "rows in a mini-batch", example=16),
    },
    "{kind: gaussian, scale: …} or {kind: minibatch, size: …}",
    discriminator="kind",
)

CLIP = Group(
    {
        "norm": Key(_POSITIVE, "the gradient is shortened to this length", example=1),
        "value": Key(_POSITIVE, "each component of the gradient is cut off at this size", example=1),
    },
    "{norm: …} or {value: …}",
)

RECORD = Group({"every": Key(_COUNT, "keep every so-many-th step; the last one always", 1, 10)}, "{every: …}")

AXIS = Group(
    {
        "values": Key(
            Many(Anything({}), 1, None, "a list of values"), "the values themselves", example=[0.01, 0.1, 1]
        ),
        "min": Key(_NUMBER, "the least value", example=0.001),
        "max": Key(_NUMBER, "the greatest value", example=1),
        "num": Key(Number(1, LONGEST_AXIS, whole=True), "how many values on a grid", example=200),
        "mean": Key(_NUMBER, "the mean of a normal distribution", example=0),
        "deviation": Key(_POSITIVE, "the standard deviation of a normal distribution", example=1),
        "distribution": Key(
            Choice("distribution", lambda: ("uniform", "log_uniform", "normal", "int_uniform")),
            "how the values are spread between min and max",
            "uniform",
            "log_uniform",
        ),
    },
    "{values: […]} or {min: …, max: …, num: …}",
)

SWEEP = Group(
    {
        "method": Key(
            Choice("sweep method", lambda: ("grid", "random", "zip")),
            "grid: every combination; zip: the axes side by side; random: drawn at random",
            "grid",
            "grid",
        ),
        "runs": Key(_COUNT, "how many runs are drawn; for method: random", example=1000),
        "parameters": Key(
            Table(AXIS, "a mapping of axes such as learning_rate or initial_weight.x"),
            "the axes, by dotted path",
            example={"learning_rate": {"values": [0.01, 0.1, 1]}},
            required=True,
        ),
    },
    "a mapping with parameters: {axis: …}",
)

_STATE = Group(
    {
        "weight": Key(_BY_WEIGHT, "the weights", example={"w": 1}),
        "gradient": Key(_BY_WEIGHT, "the derivatives ∂L/∂w", example={"w": 0}),
        "loss": Key(_NUMBER, "the loss", example=0),
        "tolerance": Key(_NOT_NEGATIVE, "how far off each number may be", 1e-6, 1e-6),
    },
    "{weight: {w: …}, tolerance: …}",
)

EXPECT = Group(
    {
        "verdict": Key(Choice("verdict", lambda: VERDICT_KINDS), "what kind of end", example="minimum"),
        "status": Key(
            Choice("status", lambda: tuple(map(str, Status))), "why the run stopped", example="CONVERGED"
        ),
        "steps": Key(Number(0, whole=True), "how many steps were taken", example=15),
        "final": Key(_STATE, "where the run ended", example={"weight": {"w": 1}, "tolerance": 1e-6}),
        "at": Key(
            Table(_STATE, "a mapping of steps to states", whole_keys=True),
            "where the run was at a step",
            example={10: {"weight": {"w": 0.97}, "tolerance": 0.01}},
        ),
        "cycle": Key(
            Many(_NUMBER, 1, None, "a list of weights"), "the values that repeat", example=[0.7313, 1.1395]
        ),
        "critical_points": Key(
            Table(Number(0, whole=True), f"a mapping of kinds ({', '.join(CRITICAL_KINDS)}) to counts"),
            "how many critical points of each kind lie in the domain",
            example={"minimum": 2, "maximum": 1},
        ),
    },
    "a mapping such as {verdict: minimum}",
)


def _kinds() -> tuple[str, ...]:
    from gdsim.scenario.figures import KINDS, SWEEP_KINDS

    return (*KINDS, *SWEEP_KINDS)


def _formats() -> tuple[str, ...]:
    from gdsim.scenario.figures import FORMATS

    return FORMATS


def _styles() -> tuple[str, ...]:
    from gdsim.scenario.figures import STYLES

    return tuple(STYLES)


FIGURES = Group(
    {
        "style": Key(Choice("style", _styles), "how figures are dressed; default: slides", example="paper"),
        "size": Key(
            Text("16:9, 4:3, … or WIDTHxHEIGHT in inches"),
            "how large figures are; default: as the style has it",
            example="4:3",
        ),
        "kinds": Key(
            Many(Choice("kind of figure", _kinds), 1, None, "a list of kinds of figures"),
            "which figures are drawn, those for sweeps by gdsim sweep; default: those that suit",
            example=["curve", "atlas:steps"],
        ),
        "formats": Key(
            Many(Choice("format", _formats), 1, None, "a list of formats"),
            "as which files; default: svg",
            example=["svg", "pdf"],
        ),
        "caption": Key(Flag(), "whether loss, learning rate and start stand below", example=False),
    },
    "a mapping such as {style: slides-dark, size: 4:3}",
)

SCENARIO = Group(
    {
        "schema": Key(Number(1, 1, whole=True), "the version of the format", 1, 1),
        "name": Key(Text(), "names the run and its folder; default: the file's stem", example="double-well"),
        "title": Key(Text(), "a title for figures", example="Balanced on a maximum"),
        "extends": Key(
            Text("a path"), "a file to start from, relative to this one", example="../configs/lecture.yaml"
        ),
        "loss": Key(LOSS, "what is minimised", example="(w**2 - 1)**2", required=True),
        "data": Key(
            Anything(DATA_SCHEMA),
            "columns for mean(…) and sum(…) in the loss",
            example={"file": "points.csv"},
        ),
        "initial_weight": Key(_BY_WEIGHT, "where the run starts", example=0.5, required=True),
        "learning_rate": Key(LEARNING_RATE, "the size of a step, η", example=0.1, required=True),
        "update_rule": Key(UPDATE_RULE, "how a gradient becomes a step", "gradient_descent", "momentum"),
        "derivative": Key(DERIVATIVE, "how ∂L/∂w is found", "analytic", "analytic"),
        "stopping": Key(STOPPING, "when the run ends", {}, {"max_steps": 100}),
        "clip": Key(CLIP, "gradient clipping", example={"norm": 1}),
        "line_search": Key(
            Choice("line search", lambda: ("armijo",)),
            "backtracking: halve the step until the loss falls enough",
            example="armijo",
        ),
        "domain": Key(
            Either(Table(_INTERVAL, "[lower, upper], or a mapping of weights to such pairs"), _INTERVAL),
            "where critical points are sought and figures drawn; default: start ± 10·max(1, |start|)",
            example=[-2, 2],
        ),
        "noise": Key(NOISE, "random gradients", example={"kind": "gaussian", "scale": 0.01}),
        "record": Key(RECORD, "which steps are kept", {"every": 1}, {"every": 1}),
        "seed": Key(Number(0, LARGEST_SEED, whole=True), "the seed of the noise", 0, 0),
        "sweep": Key(
            SWEEP,
            "the axes of gdsim sweep",
            example={"parameters": {"learning_rate": {"values": [0.01, 0.1, 1]}}},
        ),
        "figures": Key(FIGURES, "how figures are drawn", example={"style": "paper", "formats": ["pdf"]}),
        "expect": Key(EXPECT, "what gdsim check asserts", example={"verdict": "minimum"}),
    },
    "a mapping",
)
