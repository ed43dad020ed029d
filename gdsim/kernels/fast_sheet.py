"""Statements for one lane, parted into loops over the 64 lanes of a block.

All numbers of a block stand in one array, a row of 64 lanes for each variable that outlives a loop. Rows lie
at fixed distances, so that the compiler sees without a test at run time that they do not overlap. A loop
holds what can be computed lane by lane; it ends before a value that needs a look at all lanes: a large angle,
a function of the C library, a sum over the rows of the data.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gdsim.expr.emit_numba import Statement

LANES = 64
_PRODUCT = re.compile(r"\w+ \* \w+")


class Sheet:
    """Statements in order, and the rows of the block that they begin with.

    Parameters
    ----------
    block
        The name of the array.
    inputs
        The row of each variable that is there at the beginning.
    first_free
        The first row that may be used for what outlives a loop.
    exact_angles
        Whether large angles are looked for and left to the C library; else the loop is not broken.
    """

    def __init__(self, block: str, inputs: Mapping[str, int], first_free: int, exact_angles: bool) -> None:
        self.block, self.inputs, self.free = block, dict(inputs), first_free
        self.exact_angles = exact_angles
        self.rows = dict(inputs)  # of every variable that has one
        self.level = dict.fromkeys(inputs, 0)
        self.loops: dict[int, list[Statement]] = {}
        self.after: dict[int, list[Statement]] = {}  # angles and library calls, on their own
        self.groups: dict[int, list[list[Statement]]] = {}  # statements over the rows of the data
        self.loop_of: dict[str, int] = dict.fromkeys(inputs, -1)

    def add(self, statements: Iterable[Statement]) -> None:
        """Append the statements of one formula; those over rows become one loop over the data."""
        statements = list(statements)
        group = [statement for statement in statements if statement.rowwise]
        inside = {statement.target for statement in group}
        outer = [name for statement in group for name in statement.reads if name not in inside]
        pending = [statement for statement in statements if not statement.rowwise]
        sums = {statement.target for statement in group if statement.kind == "sum"}
        late = set(sums)
        for statement in pending:  # what needs a sum comes after the loop over the data
            if any(name in late for name in statement.reads):
                late.add(statement.target)
        for statement in pending:
            if statement.target not in late:
                self._place(statement)
        if group:
            level = max((self.level[name] for name in outer if name in self.level), default=0)
            self.groups.setdefault(level, []).append(group)
            for name in outer:
                self._keep(name)
            for name in sums:
                self.level[name], self.loop_of[name] = level + 1, -1
                self._row(name)
        for statement in pending:
            if statement.target in late:
                self._place(statement)

    def _place(self, statement: Statement) -> None:
        reads = [name for name in statement.reads if name in self.level]
        level = max((self.level[name] for name in reads), default=0)
        alone = statement.kind in ("library", "block") or (statement.kind == "angle" and self.exact_angles)
        for name in reads:
            if alone or self.loop_of[name] != level:
                self._keep(name)
        if alone:
            self.after.setdefault(level, []).append(statement)
            first = self.free + (len(statement.reads) if statement.kind == "block" else 0)
            targets = statement.target.split()
            self.rows |= {name: first + place for place, name in enumerate(targets)}
            self.free += max(statement.rows, 1)
            for name in targets:
                self.level[name], self.loop_of[name] = level + 1, -1
        else:
            self.loops.setdefault(level, []).append(statement)
            self.level[statement.target], self.loop_of[statement.target] = level, level

    def _keep(self, name: str) -> None:
        """Give a variable a row, so that other loops can read it."""
        if name in self.level and name not in self.rows:
            self._row(name)

    def _row(self, name: str) -> None:
        self.rows[name] = self.free
        self.free += 1

    @property
    def single(self) -> bool:
        """Whether everything is one loop over the lanes."""
        return not self.after and not self.groups and set(self.loops) <= {0}

    def last_level(self) -> int:
        """The level of the last loop."""
        return max([0, *self.level.values()])

    def body(self) -> list[str]:
        """The statements of a single loop, without loads and stores."""
        assert self.single
        return [f"{step.target} = {step.text}" for step in self.loops.get(0, [])]

    def render(self, last: Sequence[str], needs: Iterable[str]) -> list[str]:
        """Write all loops.

        Parameters
        ----------
        last
            Lines for the end of the last loop; they may use what ``needs`` names, and ``i``, the lane.
        """
        end = self.last_level()
        needs = list(needs)
        for name in needs:
            if self.loop_of.get(name, end) != end:
                self._keep(name)
        lines: list[str] = []
        for level in range(end + 1):
            lines += self._loop(level, last if level == end else [], needs if level == end else [])
            for statement in self.after.get(level, []):
                lines += self._alone(statement)
            for group in self.groups.get(level, []):
                lines += self._over_rows(group)
        return lines

    def _load(self, names: Iterable[str]) -> list[str]:
        return [
            f"    {name} = get({self.block}, {LANES * self.rows[name]} + i)"
            for name in dict.fromkeys(names)
            if name in self.rows
        ]

    def _store(self, name: str) -> str:
        return f"    put({self.block}, {LANES * self.rows[name]} + i, {name})"

    def _loop(self, level: int, last: Sequence[str], needs: Sequence[str]) -> list[str]:
        steps = self.loops.get(level, [])
        made = {step.target for step in steps}
        reads = [name for step in steps for name in step.reads]
        lines = self._load(name for name in (*reads, *needs) if name not in made)
        for step in steps:
            lines.append(f"    {step.target} = {step.text}")
            if step.target in self.rows:
                lines.append(self._store(step.target))
        for group in self.groups.get(level, []):
            for step in group:
                if step.kind == "sum":
                    lines.append(f"    put({self.block}, {LANES * self.rows[step.target]} + i, 0.0)")
        lines += [f"    {line}" for line in last]
        return [f"for i in range({LANES}):", *lines] if lines else []

    def _alone(self, statement: Statement) -> list[str]:
        """What is no loop of lanes side by side: a call of the C library, a function for all lanes."""
        loads = self._load(statement.reads)
        row = LANES * self.rows[statement.target.split()[0]]
        if statement.kind == "block":
            first = row - LANES * len(statement.reads)
            puts = [
                f"    put({self.block}, {first + LANES * place} + i, {name})"
                for place, name in enumerate(statement.reads)
            ]
            call = f"{statement.text}({self.block}[{first}:], numbers, lists)"
            return [f"for i in range({LANES}):", *loads, *puts, call]
        if statement.kind == "library":
            call = f"    put({self.block}, {row} + i, {statement.text})"
            return [f"for i in range({LANES}):", *loads, call]
        argument = statement.text[len(statement.function) + 1 : -1]
        return [
            "far = 0",
            f"for i in range({LANES}):",
            *loads,
            f"    far |= flag(abs({argument}) > LARGEST_ANGLE, 0)",
            f"    put({self.block}, {row} + i, {statement.text})",
            "if far != 0:",
            f"    for i in range({LANES}):",
            *(f"    {line}" for line in loads),
            f"        if abs({argument}) > LARGEST_ANGLE:",
            f"            put({self.block}, {row} + i, math.{statement.function}({argument}))",
        ]

    def _over_rows(self, group: list[Statement]) -> list[str]:
        inside = {step.target for step in group}
        columns = sorted({name for step in group for name in step.reads if name.startswith("row_")})
        outer = {name for step in group for name in step.reads if name not in inside and name in self.rows}
        inner = Sheet(self.block, {name: self.rows[name] for name in outer}, self.free, exact_angles=True)
        sums = [step for step in group if step.kind == "sum"]
        inner.add(step._replace(rowwise=False) for step in group if step.kind != "sum")
        last: list[str] = []
        products = {step.target: step.text.split(" * ") for step in group if _PRODUCT.fullmatch(step.text)}
        for step in sums:
            place = f"{LANES * self.rows[step.target]} + i"
            so_far = f"get({self.block}, {place})"
            more = f"{so_far} + {step.text}"
            if step.text in products:  # the product and the sum are rounded together
                more = f"fma({', '.join(products[step.text])}, {so_far})"
            last.append(f"put({self.block}, {place}, {more})")
        reads = [name for step in sums for name in step.reads]
        reads += [name for step in sums for name in products.get(step.text, [])]
        body = inner.render(last, reads)
        self.free = inner.free
        heads = [f"{name} = get(columns, {name[4:]} * row_count + row)" for name in columns]
        return ["for row in range(row_count):", *(f"    {line}" for line in (*heads, *body))]
