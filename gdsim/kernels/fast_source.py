"""The source of one batch's loop: formulas, rule and derivative written into blocks of 64 lanes.

The text depends on the formulas and on what differs from run to run, not on numbers, so that one compiled
module serves every batch of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cached_property

from gdsim.batch import TAIL
from gdsim.expr.emit_numba import ANGLE_FUNCTIONS, VECTOR_FUNCTIONS
from gdsim.kernels import fast_blocks, vector_math
from gdsim.kernels.fast_sheet import LANES, Sheet
from gdsim.kernels.fast_step import Step, with_angles
from gdsim.kernels.plan import BURST, NEAR, Plan

NUMBERS = ("tolerance", "bound", "stop", "first", "last", "every")  # then the step's own
_COSTS = {**dict.fromkeys((*VECTOR_FUNCTIONS, *ANGLE_FUNCTIONS), 25), "gaussian": 150}
_WORD = re.compile(r"\w+")
_LONG = 8  # bursts in a long one
_CHEAP_STEP = 40  # operations of a step up to which a burst is written out in one loop

_HEAD = """\
import math
from math import sqrt
import numba
from numba import carray
from numba.types import CPointer, float64, int8, int64, void
from gdsim.kernels.fast_primitives import bits, claim, flag, fma, from_bits, get, lowest, put, select, wide

inlined = numba.njit(forceinline=True, error_model="numpy")
plain = numba.njit(error_model="numpy")
numbers_at, words_at, bytes_at = CPointer(float64), CPointer(int64), CPointer(int8)
"""


class Source:
    """The generated module of a plan, and of every plan of its kind.

    Attributes
    ----------
    moving
        The rows that make up a run, in order: weights, the weights one and two steps ago, state, and so on.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.step = plan, Step(plan)
        self.weights, self.states = self.step.weights, self.step.states
        self.memory = [f"s{place}_{w}" for place in self.states for w in self.weights]
        self.changing = [*self._each("wab"), *self.memory]
        if plan.judges_cycle:
            self.changing += [*self._each("c"), "turn"]
        self.changing.append("k")
        fixed = [*self.step.lanes]
        if plan.judges_stall and not plan.rates.constant:
            fixed += ["rises", "changes"]
        self.moving = [*self.changing, *fixed, "due", "run"]
        self.tracks_distance = not plan.divergence_lasts
        self.analytic = plan.batch.derivative.name == "analytic"
        self.with_loss = plan.loss_may_fail
        self.guarded = not self.analytic or plan.gradient_may_fail or plan.batch.noise is not None
        self.ended = [*self._each("g"), "loss", "rate"]  # what is kept of the last record besides
        self.rows_of_burst = 0
        self.long = 0  # the steps of a long burst, where there are any
        self.rows_of_ward = 0

    def _remembered(self) -> list[str]:
        """What is kept of a burst's start, to be replayed from.

        The weight two steps before is not: a cycle that it shows is judged in the ward (``treat``). Nan
        stands for it, from the first row behind those that move.
        """
        return [*self._each("wa"), *self.memory, *self._cycle_names()]

    def _each(self, letters: str) -> list[str]:
        return [f"{letter}{w}" for letter in letters for w in self.weights]

    @cached_property
    def text(self) -> str:
        """The module."""
        differences = self.step.differences
        lines = [] if differences is None else differences.lines(self._prologue)
        lines += [*self._burst(), *self._judge()]
        words = set(_WORD.findall("\n".join(lines)))
        needed = words & {*vector_math.FUNCTIONS, *vector_math.OTHERS}
        places = {name: row for row, name in enumerate(self.moving)}
        old = {name: len(self.moving) + 1 + row for row, name in enumerate(self._remembered())}
        old |= dict.fromkeys(self._each("b"), len(self.moving))
        replay = tuple(old.get(name, places[name]) for name in self.moving)
        constants = {
            "LANES": LANES, "BURST": BURST, "LONG": self.long or BURST,
            "WEIGHTS": len(self.weights), "MOVING": len(self.moving),
            "RUN": places["run"], "STEP": places["k"], "DUE": places["due"], "TURN": places.get("turn", -1),
            "ANCHOR": places.get("c0", -1),
            "STATUS": self.ward["status"], "REPLAY": replay,
        }  # fmt: skip
        return "\n".join(
            [
                _HEAD,
                *(f"{name} = {value!r}" for name, value in constants.items()),
                *vector_math.source(needed),
                "",
                *lines,
                *fast_blocks.source(),
                "",
            ]
        )

    def _prologue(self, lines: list[str]) -> list[str]:
        """The numbers that all runs share, as variables."""
        words = set(_WORD.findall("\n".join(lines)))
        named = [f"{name} = get(numbers, {place})" for place, name in enumerate(NUMBERS)]
        named += [
            f"{name} = get(numbers, {place})" for place, name in enumerate(self.step.numbers, len(NUMBERS))
        ]
        return [
            "columns, row_count, tables, table_length = lists",
            "rows = float(row_count)",
            *(text for text in named if text.partition(" ")[0] in words),
        ]

    # -- the burst ----------------------------------------------------------------------------------

    def _burst(self) -> list[str]:
        """Write ``burst(block, numbers, lists, length) -> (old, new, room)``, of 8 or, if cheap, 64 steps.

        Two words with a bit for each lane: those that may have ended within the steps, and those that must be
        looked at after them; and the bits of how many steps the next burst may take at most.
        """
        places = {name: row for row, name in enumerate(self.moving)}
        old = {f"old_{name}": len(self.moving) + 1 + row for row, name in enumerate(self._remembered())}
        watched = [name for name, used in self._watched().items() if used]
        free = len(self.moving) + 1 + len(old)
        inputs = {**places, **{name: free + row for row, name in enumerate(watched)}}
        sheet = Sheet("block", inputs, free + len(watched), exact_angles=False)
        angles: list[str] = []
        for group in [*self.step.gradient(self.with_loss), self.step.rate(), *self.step.moves()]:
            sheet.add(with_angles(group, angles))
        step, needs = self._step_lines(angles)
        begin = self._begin(old, places)
        cheap = sheet.single and self._cost(sheet.body()) <= _CHEAP_STEP
        self.long = _LONG * BURST if cheap and self._stays_calm else 0
        if cheap:
            body = self._in_registers([*sheet.body(), *step], begin, inputs, watched)
        else:
            body = self._through_memory(sheet, (step, needs), begin, inputs, watched)
        body = [
            "old = 0",
            "new = 0",
            f"room = {'bits(math.inf)' if self.long else 0}",
            *body,
            "return old, new, room",
        ]
        self.rows_of_burst = sheet.free
        head = "burst(block, numbers, lists, length)"
        return _function("plain", head, ["wide()", *self._prologue(body), *body])

    @property
    def _stays_calm(self) -> bool:
        """Whether a step depends on the weight alone, so that what is seen late was there all the while."""
        return self.plan.batch.rule.rule.memoryless and not self.step.counts_steps

    def _in_registers(
        self, step: list[str], begin: list[str], inputs: dict[str, int], watched: list[str]
    ) -> list[str]:
        """A burst of cheap steps: one for every lane, then the next, only the last two together.

        All eight in one go would be one long chain of operations that wait for each other, and more than a
        processor looks ahead. How many eights there are is not known to the compiler, which would write them
        out one after the other, more than a processor keeps decoded.
        """
        counting = ["k"] if self.step.counts_steps else []
        between = [*self._each("w"), *self.memory, *watched, *counting]
        if not self.plan.batch.rule.rule.memoryless:
            between += self._each("a")
        fixed = [name for name in self.moving[len(self.changing) : -2] if name not in ("rises", "changes")]
        steps = [*step, *step]  # the last two: they leave the weights one and two steps ago behind
        zeros = [f"{name} = {value}" for name, value in self._zeros().items() if name in watched]
        last = [] if counting else ["k = k + length"]
        turn = ["turn"] if self.long and self.plan.judges_cycle else []
        finals = [*self._each("wab"), *self.memory, "k"]

        def loop(reads: list[str], lines: list[str], writes: list[str], end: list[str]) -> list[str]:
            return [
                f"for i in range({LANES}):",
                *self._load(reads, inputs),
                *(f"    {line}" for line in lines),
                *(f"    put(block, {LANES * inputs[name]} + i, {name})" for name in writes),
                *(f"    {line}" for line in end),
            ]

        again = [f"    {line}" for line in loop([*between, *fixed], step, between, [])]
        eighths: list[str] = []
        if self._cycle_names():  # a weight that comes back is looked for at every eighth step
            back = " & ".join(f"(w{w} == c{w})" for w in self.weights)
            eighths = loop([*self._each("w"), *self._cycle_names()], [f"old |= flag({back}, i)"], [], [])
        eights = [
            f"for _ in range(length // {BURST} - 1):",
            f"    for _ in range({BURST - 1}):",
            *(f"    {line}" for line in again),
            *(f"    {line}" for line in eighths),
            *again,
        ]
        return [
            *loop(self.moving[:-2], [*begin, *zeros, *step], between, []),
            *(eights if self.long else []),
            f"for _ in range({BURST - 3}):",
            *again,
            *loop(
                [*between, *fixed, *self._cycle_names(), *turn, *(["k"] if not counting else []), "due"],
                [*steps, *last], finals, self._end(),
            ),
        ]  # fmt: skip

    def _through_memory(
        self,
        sheet: Sheet,
        step: tuple[list[str], list[str]],
        begin: list[str],
        inputs: dict[str, int],
        watched: list[str],
    ) -> list[str]:
        """A burst of costly steps, one after the other for the whole block."""
        stored = [name for name in (*self.changing, *watched) if name != "turn" and name[0] != "c"]
        if not self.step.counts_steps:
            stored.remove("k")
        kept = [f"put(block, {LANES * inputs[name]} + i, {name})" for name in stored]
        loop = sheet.render([*step[0], *kept], [*step[1], *stored])
        zeros = {name: value for name, value in self._zeros().items() if name in watched}
        more = [] if self.step.counts_steps else ["k"]
        return [
            f"for i in range({LANES}):",
            *self._load([*self.changing, *(["changes"] if "changes" in inputs else [])], inputs),
            *(f"    {line}" for line in begin),
            *(f"    put(block, {LANES * inputs[name]} + i, {value})" for name, value in zeros.items()),
            f"for _ in range({BURST}):",
            *(f"    {line}" for line in loop),
            f"for i in range({LANES}):",
            *self._load([*self._each("wab"), *self._cycle_names(), "k", "due", *watched], inputs),
            *(f"    {line} = {line} + {BURST}.0" for line in more),
            *(f"    put(block, {LANES * inputs[name]} + i, {name})" for name in more),
            *(f"    {line}" for line in self._end()),
        ]

    def _cycle_names(self) -> list[str]:
        return self._each("c") if self.plan.judges_cycle else []

    def _load(self, names: Iterable[str], places: dict[str, int]) -> list[str]:
        return [f"    {name} = get(block, {LANES * places[name]} + i)" for name in names]

    def _cost(self, body: list[str]) -> int:
        text = "\n".join(body)
        return len(body) + sum(cost * text.count(f"{name}(") for name, cost in _COSTS.items())

    def _watched(self) -> dict[str, bool]:
        """What is noted at every step of a burst: least gradient, largest weight, what is not finite."""
        angles = any(
            f"{name}(" in step.text
            for group in [*self.step.gradient(self.with_loss), *self.step.moves(), self.step.rate()]
            for step in group
            for name in ANGLE_FUNCTIONS
            if not step.rowwise
        )
        return {
            "near": not self.plan.zero_gradient_stays,
            "distance": self.tracks_distance,
            "guard": self.guarded or self.with_loss,
            "angle": angles,
        }

    def _zeros(self) -> dict[str, str]:
        return {"near": "math.inf", "distance": "0.0", "guard": "0.0", "angle": "0.0"}

    def _begin(self, old: dict[str, int], places: dict[str, int]) -> list[str]:
        """Remember where the lane was; at a power of two, keep its weight to know a cycle by."""
        lines = [f"put(block, {LANES * row} + i, {name[4:]})" for name, row in old.items()]
        if self.plan.judges_cycle:
            steady = "changes" in places
            for w in self.weights:
                kept = f"select(k >= changes, w{w}, math.nan)" if steady else f"w{w}"
                lines.append(f"c{w} = select(k == turn, {kept}, c{w})")
                lines.append(f"put(block, {LANES * places[f'c{w}']} + i, c{w})")
            lines.append(f"put(block, {LANES * places['turn']} + i, select(k == turn, 2.0 * turn, turn))")
        return lines

    def _step_lines(self, angles: list[str]) -> tuple[list[str], list[str]]:
        """What a step notes and changes, and the variables that this reads."""
        watched = self._watched()
        lines: list[str] = []
        needs = [*self._each("wag"), *self._each("n"), *self.memory, *angles]
        needs += [f"m{name[1:]}" for name in self.memory]
        if watched["near"]:
            sizes = [f"abs(g{w})" for w in self.weights]
            if not self.plan.batch.rule.rule.memoryless:
                sizes += [f"abs(w{w} - a{w})" for w in self.weights]
            lines += _extreme("size", sizes, ">")
            lines.append("near = select(size < near, size, near)")
            needs.append("near")
        if watched["distance"]:
            lines += _extreme("reach", [f"abs(w{w})" for w in self.weights], ">")
            lines.append("distance = select(distance > reach, distance, reach)")
            needs.append("distance")
        if watched["guard"]:
            loss = ["loss"] if self.with_loss else []
            for name in [*(self._each("g") if self.guarded else []), *loss]:
                lines.append(f"guard = fma(0.0, {name}, guard)")
            needs += ["guard", *loss]
        if watched["angle"]:
            needs.append("angle")
            lines += [f"angle = select({name} > angle, {name}, angle)" for name in angles]
        lines += [f"b{w} = a{w}" for w in self.weights]
        lines += [f"a{w} = w{w}" for w in self.weights]
        lines += [f"w{w} = n{w}" for w in self.weights]
        lines += [f"{name} = m{name[1:]}" for name in self.memory]
        if self.step.counts_steps:
            lines.append("k = k + 1.0")
            needs.append("k")
        return lines, needs

    def _end(self) -> list[str]:
        """Which lanes may have ended in the burst, and which must be judged from here on."""
        watched = self._watched()
        inside = " & ".join(f"(abs(w{w}) <= bound)" for w in self.weights)
        lines = [f"inside = {inside}"]
        if watched["distance"]:
            may = ["(distance > bound)", *(f"(w{w} - w{w} != 0.0)" for w in self.weights)]
        else:
            may = ["(not inside)"]
        if watched["near"]:
            may.append("(near <= tolerance)")
        if watched["guard"]:
            may.append("(guard != 0.0)")
        if watched["angle"]:
            may.append("(angle > LARGEST_ANGLE)")
        if self.plan.judges_stall:
            for letter in "ab":
                may.append("(" + " & ".join(f"(w{w} == {letter}{w})" for w in self.weights) + ")")
        lines.append(f"may = {' | '.join(may)}")
        after = [f"(k + {BURST}.0 > due)", "(not inside)"]
        if self.plan.judges_cycle:
            after.append(f"({_again(self.weights)})")
        lines.append(f"after = {' | '.join(after)}")
        lines += ["old |= flag(may, i)", "new |= flag(after, i)"]
        if self.long:
            lines.append("ahead = due")
            if self.plan.judges_cycle:  # an anchor is kept at the start of a burst
                lines.append("beyond = select(k == turn, 2.0 * turn, turn)")
                lines.append("ahead = select(beyond < due, beyond, due)")
            lines.append("room = min(room, bits(ahead - k))")
        return lines

    # -- judging ------------------------------------------------------------------------------------

    @cached_property
    def ward(self) -> dict[str, int]:
        """The rows of the ward: a run, and what is known of its last record."""
        names = [*self.moving, *self.ended, "status", "until", "mark", "record_step", *self._each("u")]
        return {name: row for row, name in enumerate(names)}

    def _judge(self) -> list[str]:
        """Write ``judge(block, waiting, numbers, lists, tail, record)``, which takes eight judged steps."""
        rows = self.ward
        # the last record's numbers have rows of their own; the step's are new at every step
        inputs = {f"last_{name}" if name in self.ended else name: row for name, row in rows.items()}
        sheet = Sheet("block", inputs, len(rows), exact_angles=True)
        for group in [*self.step.gradient(with_loss=True), self.step.rate(), *self.step.moves()]:
            sheet.add(group)
        lines = self._verdict()
        lines += [f"last_{name} = select(lives, {name}, last_{name})" for name in self.ended]
        lines += [f"u{w} = w{w}" for w in self.weights]
        lines += ["record_step = k", "marked = lives & (k == mark)"]
        lines += [
            "wanted |= flag(marked | (lives & (k > late)), i)",
            "mark = select(marked, mark + every, mark)",
        ]
        if self.plan.judges_cycle:
            steady = "changes" in rows
            lines.append("hit = goes & (k == turn)")
            for w in self.weights:
                kept = f"select(k >= changes, w{w}, math.nan)" if steady else f"w{w}"
                lines.append(f"c{w} = select(hit, {kept}, c{w})")
            lines.append("turn = select(hit, 2.0 * turn, turn)")
        for w in self.weights:
            lines += [f"b{w} = select(goes, a{w}, b{w})", f"a{w} = select(goes, w{w}, a{w})"]
            lines.append(f"w{w} = select(goes, n{w}, w{w})")
        lines += [f"{name} = select(goes, m{name[1:]}, {name})" for name in self.memory]
        lines.append("k = select(goes, k + 1.0, k)")
        lines.append("going |= flag(goes, 0)")
        stored = [*self.changing, "status", "mark", "record_step", *self._each("u")]
        stored += [f"last_{name}" for name in self.ended]
        needs = [*stored, *self.ended, "until", *self._each("n"), *(f"m{name[1:]}" for name in self.memory)]
        if "rises" in rows:
            needs += ["rises", "changes"]
        puts = [f"put(block, {LANES * sheet.rows[name]} + i, {name})" for name in stored]
        loop = sheet.render([*lines, *puts], needs)
        self.rows_of_ward = sheet.free
        body = [
            f"late = stop - {TAIL}.0 if tail.size > 0 else math.inf",
            f"for i in range({LANES}):",
            *self._load(["k"], rows),
            f"    put(block, {LANES * rows['status']} + i, -1.0 if i < waiting else 9.0)",
            f"    put(block, {LANES * rows['until']} + i, float(int(k) // {BURST} * {BURST} + {BURST}))",
            f"    put(block, {LANES * rows['mark']} + i, -1.0)",
            "if record.size > 0:",  # the next step that is recorded
            f"    for i in range({LANES}):",
            *(f"    {line}" for line in self._load(["k"], rows)),
            f"        put(block, {LANES * rows['mark']} + i, math.ceil(k / every) * every)",
            f"for _ in range({BURST}):",
            "    going = wanted = 0",
            *(f"    {line}" for line in loop),
            *(f"    {line}" for line in self._written()),
            "    if going == 0:",
            "        break",
        ]
        heads = self._prologue(body)
        return _function(
            "plain", "judge(block, waiting, numbers, lists, tail, record)", ["wide()", *heads, *body]
        )

    def _verdict(self) -> list[str]:
        """``status``: the place of the status in ``Status``, or −1; ``lives``, ``goes`` before the step."""
        finite = " & ".join(f"({name} - {name} == 0.0)" for name in (*self._each("wg"), "loss"))
        inside = " & ".join(f"(abs(w{w}) <= bound)" for w in self.weights)
        small = [f"(abs(g{w}) <= tolerance)" for w in self.weights]
        if not self.plan.batch.rule.rule.memoryless:
            small += [f"(abs(w{w} - a{w}) <= tolerance)" for w in self.weights]
        lines = ["code = select(k >= stop, 5.0, -1.0)"]
        steady = not self.plan.rates.constant
        if self.plan.judges_cycle:
            back = " & ".join(f"(w{w} == b{w})" for w in self.weights)
            eighth = f"({1 / BURST} * k + MAGIC) - MAGIC == {1 / BURST} * k"
            lines.append(f"cycles = ({back}) | (({eighth}) & {_again(self.weights)})")
            constant = "(k >= changes) & cycles" if steady else "cycles"
            lines.append(f"code = select({constant}, 4.0, code)")
        if self.plan.judges_stall:
            stays = " & ".join(f"(n{w} == w{w})" for w in self.weights)
            lines.append(f"code = select({'(k >= rises) & ' if steady else ''}{stays}, 3.0, code)")
        return [
            *lines,
            f"code = select({' & '.join(small)}, 2.0, code)",
            f"code = select({inside}, code, 1.0)",
            f"code = select({finite}, code, 0.0)",
            "lives = (status < 0.0) & (k < until)",
            "goes = lives & (code < 0.0)",
            "status = select(lives, code, status)",
        ]

    def _written(self) -> list[str]:
        """Put the record just judged into the tail and the records, where they are wanted."""
        rows, size = self.ward, len(self.weights)

        def at(name: str) -> str:
            return f"get(block, {LANES * rows[name]} + i)"

        values = [*self._each("u"), *self._each("g"), "loss", "rate"]
        return [
            "while wanted != 0:",
            "    i = lowest(wanted)",
            "    wanted &= wanted - 1",
            f"    run, number = int({at('run')}), int({at('record_step')})",
            f"    if tail.size > 0 and number > stop - {TAIL}:",
            *(
                f"        tail[number - int(stop) + {TAIL - 1}, {w}, run] = {at(f'u{w}')}"
                for w in range(size)
            ),
            "    if record.size > 0 and number % int(every) == 0:",
            "        place = number // int(every) + (-int(first)) // int(every)",
            *(f"        record[place, {n}, run] = {at(name)}" for n, name in enumerate(values)),
        ]


def _extreme(target: str, values: list[str], sign: str) -> list[str]:
    """The largest of several values; nan where the last one is."""
    lines = [f"{target} = {values[0]}"]
    for place, value in enumerate(values[1:]):
        other = f"next{place}"
        lines += [f"{other} = {value}", f"{target} = select({target} {sign} {other}, {target}, {other})"]
    return lines


def _again(weights: range) -> str:
    """Whether the weights are where they were at the anchor, and nearly so two steps ago."""
    tests = []
    for w in weights:
        larger = f"select(abs(w{w}) > abs(a{w}), abs(w{w}), abs(a{w}))"
        tests += [f"(w{w} == c{w})", f"(abs(w{w} - b{w}) <= {NEAR!r} * {larger})"]
    return " & ".join(tests)


def _function(decorator: str, head: str, body: list[str]) -> list[str]:
    return ["", f"@{decorator}", f"def {head}:", *(f"    {text}" for text in body)]
