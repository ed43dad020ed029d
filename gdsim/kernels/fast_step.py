"""One step of one lane as statements: gradient, noise, clipping, learning rate, rule, move."""

from __future__ import annotations

from collections.abc import Hashable
from functools import cached_property

from gdsim.derivatives.complex_program import complex_program
from gdsim.derivatives.finite_differences import SCHEMES
from gdsim.expr.emit_numba import Statement, statements
from gdsim.expr.horner import nested
from gdsim.expr.lower import lower
from gdsim.expr.nodes import ONE, Add, Compare, Divide, Expr, Multiply, Symbol, Where, substitute
from gdsim.kernels.descent import TINY
from gdsim.kernels.fast_differences import STEP, Differences
from gdsim.kernels.fast_tables import LONGEST, Tables, tabulated
from gdsim.kernels.plan import Plan

BY_ELIMINATION = 4  # weights up to which Newton's system is solved in a lane


def line(target: str, text: str, *reads: str) -> Statement:
    """Return a branch-free statement."""
    return Statement(target, text, reads)


def with_angles(group: list[Statement], angles: list[str]) -> list[Statement]:
    """Note the size of each angle, so that a large one can be looked for at the end."""
    result: list[Statement] = []
    for step in group:
        result.append(step)
        if step.kind == "angle" and not step.rowwise:
            argument = step.text[len(step.function) + 1 : -1]
            size = f"{step.target}_size"
            angles.append(size)
            result.append(Statement(size, f"abs({argument})", step.reads))
    return result


def kind_of(plan: Plan) -> tuple[Hashable, ...]:
    """Return all that the source of a plan depends on: plans of one kind share it, whatever their numbers."""
    batch = plan.batch
    return (
        batch.loss.expression, batch.loss.arguments, tuple(batch.parameters), tuple(sorted(batch.options)),
        batch.rule.rule.name, plan.rule_outputs, batch.schedule.schedule.name, bool(batch.schedule.warmup),
        batch.derivative.name, batch.derivative.options.get("scheme"),
        batch.derivative.options.get("step") == "auto",
        batch.noise and batch.noise.kind, batch.clip and batch.clip.kind, batch.stopping.max_steps <= LONGEST,
        plan.judges_stall, plan.judges_cycle, plan.rates.constant, plan.divergence_lasts, plan.loss_may_fail,
        plan.gradient_may_fail, plan.zero_gradient_stays,
    )  # fmt: skip


class Step:
    """The formulas of a plan, and where each of their numbers comes from.

    Attributes
    ----------
    lanes
        Names of variables that every run has its own number for.
    numbers
        Names of variables that are the same number for all runs.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan, self.batch = plan, plan.batch
        self.loss = plan.batch.loss
        self.weights = range(len(self.loss.weights))
        self.states = range(len(self.batch.rule.rule.state))
        self.steps_are_tabled = self.batch.stopping.max_steps <= LONGEST
        self.lanes: list[str] = ["rate0"]
        self.numbers: list[str] = []
        self.names: dict[Symbol, str] = {}
        for place, name in enumerate(self.loss.weights):
            self.names[Symbol(name)] = f"w{place}"
        for place, name in enumerate(self.loss.parameters):
            self.names[Symbol(name, "parameter")] = self._number(f"p{place}", name in self.batch.parameters)
        for place, name in enumerate(self.loss.data):
            self.names[Symbol(name, "column")] = f"row_{place}"
        swept = plan.options("update_rule")
        self.options = {
            name: self._number(f"o{place}", name in swept)
            for place, name in enumerate(self.batch.rule.rule.options)
        }
        swept = plan.options("learning_rate")
        self.rate_options = {
            name: self._number(f"q{place}", name in swept)
            for place, name in enumerate((*self.batch.schedule.schedule.options, "warmup"))
        }
        noise = self.batch.noise
        if noise is not None:
            self._number("scale", "scale" in plan.options("noise"))
            self.lanes += ["seed_low", "seed_high", "key_low", "key_high"]
        if self.batch.clip is not None:
            self.numbers.append("clip")
        self.scheme = str(self.batch.derivative.options.get("scheme", ""))
        self.automatic = self.batch.derivative.options.get("step") == "auto"
        if self.scheme in SCHEMES and not self.automatic:
            self.numbers += [*self.shifts().values(), *self.widths().values()]
        elif self.scheme == "complex_step" or (self.scheme and not self.automatic):
            self.numbers.append(STEP)

    def _number(self, name: str, for_each_run: bool) -> str:
        (self.lanes if for_each_run else self.numbers).append(name)
        return name

    # -- gradient -----------------------------------------------------------------------------------

    @property
    def counts_steps(self) -> bool:
        """Whether a step reads its own number."""
        reads = {symbol.name for symbol in self.rule.program.symbols} | {
            symbol.name for symbol in self.rule.shared.symbols
        }
        return "step_number" in reads or not self.plan.rates.constant or self.batch.noise is not None

    def gradient(self, with_loss: bool) -> list[list[Statement]]:
        """Groups of statements for ``g0`` …, the gradient that the rule uses, and ``loss`` where wanted."""
        if self.batch.derivative.name == "analytic":
            groups = self._analytic(with_loss)
        elif self.scheme == "complex_step" or self.differences is not None:
            own = self._complex_step() if self.differences is None else [[self.differences.call]]
            groups = [*self._hessian(), *own, *([self._loss_at("t", "loss", {})] if with_loss else [])]
        else:
            groups = self._fixed_differences(with_loss)
        noise: list[Statement] = []
        if self.batch.noise is not None:
            for w in self.weights:
                inputs = ("k", "seed_low", "seed_high", "key_low", "key_high")
                noise.append(line(f"normal{w}", f"gaussian({', '.join(inputs)}, {w})", *inputs))
                noise.append(line(f"y{w}", f"fma(scale, normal{w}, d{w})", "scale", f"normal{w}", f"d{w}"))
        else:
            noise += [line(f"y{w}", f"d{w}", f"d{w}") for w in self.weights]
        return [*groups, noise, self._clipped()]

    def _analytic(self, with_loss: bool) -> list[list[Statement]]:
        assert self.loss.expression is not None
        outputs = [
            nested(slope, name) for slope, name in zip(self.loss.gradient, self.loss.weights, strict=True)
        ]
        if self.batch.rule.rule.needs_hessian:
            outputs += [entry for row in self.loss.hessian for entry in row]
        if with_loss:
            outputs.append(self.loss.expression)
        written, results = statements(lower(outputs), self.names)
        size = len(self.weights)
        written += [_copy(f"d{w}", results[w]) for w in self.weights]
        if self.batch.rule.rule.needs_hessian:
            places = range(size * size)
            written += [_copy(f"h{n}", results[size + n]) for n in places]
        if with_loss:
            written.append(_copy("loss", results[-1]))
        return [written]

    @cached_property
    def differences(self) -> Differences | None:
        """The functions for a scheme that looks at its own error, None for others."""
        if self.scheme != "richardson" and not (self.automatic and self.scheme in SCHEMES):
            return None
        lanes = [f"w{w}" for w in self.weights]
        lanes += [name for name in self.names.values() if name in self.lanes]
        return Differences(self.loss, self.scheme, not self.automatic, self.names, lanes)

    def _complex_step(self) -> list[list[Statement]]:
        names = {**self.names, Symbol("step", "parameter"): STEP}
        groups = []
        for w, name in enumerate(self.loss.weights):
            written, (slope,) = statements(complex_program(self.loss, name), names, f"t{w}_")
            groups.append([*written, _copy(f"d{w}", slope)])
        return groups

    def _offsets(self) -> tuple[int, ...]:
        return SCHEMES[self.scheme].offsets

    def shifts(self) -> dict[int, str]:
        """By how much a weight is moved for each offset."""
        return {offset: f"move{place}" for place, offset in enumerate(self._offsets()) if offset}

    def widths(self) -> dict[tuple[int, int], str]:
        """What each difference is divided by."""
        return {pair: f"width{place}" for place, pair in enumerate(SCHEMES[self.scheme].slopes)}

    def _loss_at(self, prefix: str, target: str, moved: dict[Symbol, str]) -> list[Statement]:
        assert self.loss.expression is not None
        program = lower([self.loss.expression])
        written, results = statements(program, {**self.names, **moved}, prefix)
        return [*written, _copy(target, results[0])]

    def _hessian(self) -> list[list[Statement]]:
        if not self.batch.rule.rule.needs_hessian:
            return []
        entries = [entry for row in self.loss.hessian for entry in row]
        written, results = statements(lower(entries), self.names, "j")
        return [[*written, *(_copy(f"h{n}", text) for n, text in enumerate(results))]]

    def _fixed_differences(self, with_loss: bool) -> list[list[Statement]]:
        groups = self._hessian()
        if with_loss or 0 in self._offsets():
            groups.append(self._loss_at("t", "loss", {}))
        for w, name in enumerate(self.loss.weights):
            found = {0: "loss"}
            for place, (offset, move) in enumerate(self.shifts().items()):
                shifted = f"x{w}_{place}"
                groups.append([line(shifted, f"w{w} + {move}", f"w{w}", move)])
                found[offset] = f"f{w}_{place}"
                groups.append(self._loss_at(f"t{w}_{place}_", found[offset], {Symbol(name): shifted}))
            slopes = [
                (f"v{w}_{n}", f"({found[up]} - {found[low]}) / {width}", found[up], found[low], width)
                for n, ((up, low), width) in enumerate(self.widths().items())
            ]
            last = [line(target, text, *reads) for target, text, *reads in slopes]
            mixed = f"v{w}_0" if len(slopes) == 1 else f"fma(4.0, v{w}_0, -v{w}_1) / 3.0"
            groups.append([*last, line(f"d{w}", mixed, *(target for target, *_ in slopes))])
        return groups

    def _clipped(self) -> list[Statement]:
        clip = self.batch.clip
        if clip is None:
            return [line(f"g{w}", f"y{w}", f"y{w}") for w in self.weights]
        if clip.kind == "value":
            return [
                line(f"g{w}", f"select(y{w} > clip, clip, select(y{w} < -clip, -clip, y{w}))", f"y{w}")
                for w in self.weights
            ]
        lines = [line("largest0", f"{TINY!r}")]
        for w in self.weights:
            larger = f"select(abs(y{w}) > largest{w}, abs(y{w}), largest{w})"
            nan = f"select(y{w} == y{w}, {larger}, y{w})"
            lines.append(line(f"largest{w + 1}", nan, f"y{w}", f"largest{w}"))
        largest = f"largest{len(self.weights)}"
        for w in self.weights:
            lines.append(line(f"part{w}", f"y{w} / {largest}", f"y{w}", largest))
            square = f"part{w} * part{w}" if w == 0 else f"fma(part{w}, part{w}, square{w - 1})"
            lines.append(line(f"square{w}", square, f"part{w}", *([f"square{w - 1}"] if w else [])))
        root = f"square{len(self.weights) - 1}"
        lines.append(line("factor", f"clip / fma({largest}, math.sqrt({root}), 1e-6)", largest, root))
        lines.append(line("factor1", "select(factor > 1.0, 1.0, factor)", "factor"))
        return lines + [line(f"g{w}", f"y{w} * factor1", f"y{w}", "factor1") for w in self.weights]

    # -- rate and rule ------------------------------------------------------------------------------

    @cached_property
    def schedule(self) -> Tables:
        """The learning rate as a program; ``step_now`` is k, ``after`` counts from the end of the warm-up."""
        initial, now, warmup = (Symbol(name, "parameter") for name in ("initial", "step_now", "warmup"))
        step, after = Symbol("step_number", "parameter"), Symbol("after", "parameter")
        formula = substitute(self.batch.schedule.schedule.expression, {step: after})
        climb = Multiply((initial, Divide(Add((now, ONE)), Add((warmup, ONE)))))
        if self.rate_options["warmup"] in self.lanes or self.batch.schedule.warmup:
            formula = Where(Compare("<", now, warmup), climb, formula)
        return self._tabulated([formula], self._alike(self.rate_options, after=True), "rate_table")

    def _alike(self, options: dict[str, str], after: bool = False) -> set[str]:
        """The names that have the same value in every run at the same step."""
        alike = {name for name, variable in options.items() if variable not in self.lanes}
        if not after:
            return alike | {"step_number"}
        alike.add("step_now")
        if "warmup" in alike:
            alike.add("after")
            if "step_size" in alike:
                alike.add("period_number")
        return alike

    def _tabulated(self, outputs: list[Expr], alike: set[str], prefix: str) -> Tables:
        program = lower(outputs)
        return tabulated(program, alike if self.steps_are_tabled else frozenset(), prefix)

    @cached_property
    def rule(self) -> Tables:
        """The rule for one weight: its new state, and last the weight after the step."""
        *state, step = self.plan.rule_outputs
        moved = Add((Symbol("weight", "parameter"), step))
        return self._tabulated([*state, moved], self._alike(self.options), "rule_table")

    @property
    def table_names(self) -> list[str]:
        """All tables, in order."""
        return [symbol.name for symbol in (*self.schedule.tables, *self.rule.tables)]

    def _look_up(self, tables: Tables) -> list[Statement]:
        everything = self.table_names
        place = "int(select(k < stop, k, stop))"
        return [
            line(name, f"get(tables, {everything.index(name)} * table_length + {place})", "k")
            for name in (symbol.name for symbol in tables.tables)
        ]

    def rate(self) -> list[Statement]:
        """Statements for ``rate``."""
        if self.plan.rates.constant:
            return [line("rate", "rate0", "rate0")]
        warmup = self.rate_options["warmup"]
        lines = [*self._look_up(self.schedule)]
        names = {Symbol(name, "parameter"): text for name, text in self.rate_options.items()}
        names |= {Symbol("initial", "parameter"): "rate0", Symbol("step_now", "parameter"): "k"}
        names |= {Symbol("after", "parameter"): "after", Symbol("period_number", "parameter"): "period"}
        names |= {symbol: symbol.name for symbol in self.schedule.tables}
        reads = {symbol.name for symbol in self.schedule.program.symbols}
        if reads & {"after", "period_number"}:
            lines.append(line("after", f"k - {warmup}", "k", warmup))
        if "period_number" in reads:
            size = self.rate_options["step_size"]
            lines.append(line("period", f"float(math.floor(after / {size}))", "after", size))
        written, (result,) = statements(self.schedule.program, names, "e")
        return [*lines, *written, _copy("rate", result)]

    def moves(self) -> list[list[Statement]]:
        """Statements for ``n0`` …, the weights after the step, and for the new state ``m0_0`` …"""
        groups = [self._look_up(self.rule)]
        if any(symbol.name == "step_number" for symbol in self.rule.program.symbols):
            groups.append([line("number", "k + 1.0", "k")])
        if self.batch.rule.rule.needs_hessian:
            groups.append(self._newton())
        shared = {Symbol(name, "parameter"): text for name, text in self.options.items()}
        shared |= {Symbol("learning_rate", "parameter"): "rate", Symbol("step_number", "parameter"): "number"}
        shared |= {symbol: symbol.name for symbol in self.rule.tables}
        for w in self.weights:
            own = {"weight": f"w{w}", "gradient": f"g{w}", "newton_step": f"z{w}"}
            own |= {name: f"s{place}_{w}" for place, name in enumerate(self.batch.rule.rule.state)}
            names = {**shared, **{Symbol(name, "parameter"): text for name, text in own.items()}}
            written, results = statements(self.rule.program, names, f"r{w}_")
            targets = [*(f"m{place}_{w}" for place in self.states), f"n{w}"]
            copies = [_copy(target, text) for target, text in zip(targets, results, strict=True)]
            groups.append([*written, *copies])
        return groups

    def _newton(self) -> list[Statement]:
        """Solve H·z = g by elimination with partial pivoting; nan where a pivot is zero or H not finite."""
        size = len(self.weights)
        if size == 1:
            return [line("z0", "g0 / h0", "g0", "h0")]
        lines: list[Statement] = []
        now = {(i, j): f"h{size * i + j}" for i in range(size) for j in range(size)}
        now |= {(i, size): f"g{i}" for i in range(size)}
        count = 0

        def put(text: str, *reads: str) -> str:
            nonlocal count
            count += 1
            lines.append(line(f"b_{count}", text, *reads))
            return f"b_{count}"

        for c in range(size):
            for i in range(c + 1, size):  # the larger pivot comes up
                a, b = now[c, c], now[i, c]
                for j in range(size, c - 1, -1):
                    x, y = now[c, j], now[i, j]
                    now[c, j] = put(f"select(abs({b}) > abs({a}), {y}, {x})", a, b, x, y)
                    now[i, j] = put(f"select(abs({b}) > abs({a}), {x}, {y})", a, b, x, y)
            for i in range(c + 1, size):
                factor = put(f"{now[i, c]} / {now[c, c]}", now[i, c], now[c, c])
                for j in range(c + 1, size + 1):
                    now[i, j] = put(f"fma(-{factor}, {now[c, j]}, {now[i, j]})", factor, now[c, j], now[i, j])
        solution: dict[int, str] = {}
        for i in range(size - 1, -1, -1):
            total = now[i, size]
            for j in range(i + 1, size):
                total = put(f"fma(-{now[i, j]}, {solution[j]}, {total})", now[i, j], solution[j], total)
            solution[i] = put(f"{total} / {now[i, i]}", total, now[i, i])
        pivots = [now[i, i] for i in range(size)]
        wrong = " | ".join(f"({name} == 0.0)" for name in pivots)
        entries = [f"h{n}" for n in range(size * size)]
        finite = " & ".join(f"({name} - {name} == 0.0)" for name in entries)
        for i in range(size):
            text = f"select({finite}, select({wrong}, math.nan, {solution[i]}), math.nan)"
            lines.append(line(f"z{i}", text, *pivots, *entries, solution[i]))
        return lines


def _copy(target: str, text: str) -> Statement:
    """``target = text``; a literal becomes a number of its own."""
    if text.isidentifier():
        return Statement(target, text, (text,))
    return Statement(target, f"1.0 * {text}")
