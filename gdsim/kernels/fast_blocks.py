"""The loop over blocks of 64 lanes: refill, step without looking, judge the few that may have ended.

A *block* of lanes takes eight steps at a time, up to 64 where the last ones went by without an event. Lanes
that may have ended on the way move, as they were before these steps, to the *ward*, a second block whose
steps are judged one by one when it is full; those that went on come back through a queue. A lane that is free
takes the next run. So judging costs little, no lane is idle while there are runs, and an end is exact.

The functions of this module are text for the generated source (``source``), where ``burst``, ``judge`` and
the names in capitals are defined; they are not called from here.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path
from typing import Any

LANES = 64
BURST: int
LONG: int  # steps of a burst at most
WEIGHTS: int  # rows of weights, of weights one step ago, and two steps ago come first
ANCHOR: int  # the first row of the weight at the last anchor, −1 where there is none
TURN: int  # the row of the next anchor, −1 where there is none
MOVING: int  # rows that make up a run
RUN: int  # the row that holds its place in the batch
STEP: int  # its step
DUE: int  # where the next burst must not go beyond
STATUS: int
REPLAY: tuple[int, ...]  # where each row was before the burst
burst: Any
judge: Any
get: Any
put: Any
lowest: Any
from_bits: Any
claim: Any
wide: Any
carray: Any


def load(block: Any, lane: int, run: int, given: Any, rows_from: Any, fill: Any) -> None:
    """Begin a run."""
    for row in range(MOVING):
        source = rows_from[row]
        put(block, row * LANES + lane, given[source, run] if source >= 0 else fill[row])
    put(block, RUN * LANES + lane, float(run))


def next_due(k: float, last: float, every: float) -> float:
    """The step that a burst must not go beyond: the end, or the next record."""
    if every == 0.0:
        return last
    return min(last, float(-(-int(k) // int(every)) * int(every)))


def treat(ward: Any, waiting: int, queue: Any, back: int, numbers: Any, lists: Any, ends: Any) -> Any:
    """Judge up to eight steps of the runs in the ward; return how many stay, and how many queue."""
    status, steps, out, rows_out, tail, record = ends
    judge(ward, waiting, numbers, lists, tail, record)
    kept = 0
    for lane in range(waiting):
        code = get(ward, STATUS * LANES + lane)
        k = get(ward, STEP * LANES + lane)
        if code >= 0.0:
            run = int(get(ward, RUN * LANES + lane))
            status[run] = int(code)
            steps[run] = int(k)
            for place in range(rows_out.size):
                out[place, run] = get(ward, rows_out[place] * LANES + lane)
            continue
        due = next_due(k, get(numbers, 4), get(numbers, 5))
        put(ward, DUE * LANES + lane, due)
        rests = True  # a burst would forget w two steps ago, and look for the anchor only at its end: where
        returns = ANCHOR >= 0  # the next record may be a cycle by either, it is judged here
        for w in range(WEIGHTS):
            here = get(ward, w * LANES + lane)
            rests &= here == get(ward, (2 * WEIGHTS + w) * LANES + lane)
            returns &= here == get(ward, (max(ANCHOR, 0) + w) * LANES + lane)
        if rests or returns or k + BURST > due:
            for row in range(MOVING):
                put(ward, row * LANES + kept, get(ward, row * LANES + lane))
            kept += 1
        else:
            for row in range(MOVING):
                put(queue, row * 4 * LANES + back, get(ward, row * LANES + lane))
            back += 1
    return kept, back


def hand_over(block: Any, lane: int, ward: Any, place: int, replayed: int, length: int) -> None:
    """Put a lane into the ward: as it is, or as it was before the burst of so many steps."""
    for row in range(MOVING):
        source = REPLAY[row] if replayed else row
        put(ward, row * LANES + place, get(block, source * LANES + lane))
    if replayed:
        k = get(block, STEP * LANES + lane) - length
        put(ward, STEP * LANES + place, k)
        if TURN >= 0 and get(block, TURN * LANES + lane) == 2.0 * k:
            put(ward, TURN * LANES + place, k)  # the anchor is to be set once more


def drive(blocks: Any, counter: Any, starts: Any, numbers: Any, lists: Any, ends: Any) -> None:
    """Run what is left of a batch, together with other threads that count on the same counter."""
    wide()
    block, ward, queue = blocks
    given, rows_from, fill = starts
    runs = ends[0].size
    k0 = get(numbers, 3)
    due = next_due(k0, get(numbers, 4), get(numbers, 5))
    judged_first = k0 + BURST > due or int(k0) % BURST != 0
    idle = -1  # a bit for each lane
    length = BURST
    waiting = back = run = end = runs - runs  # no literal 0: Numba would compile everything for it once more
    while True:
        while idle != 0:
            if back == 0:
                if run == end:
                    if run == runs:
                        break
                    run = claim(counter, LANES)
                    end = min(run + LANES, runs)
                    if run >= runs:
                        run = end = runs
                        break
                if judged_first:
                    load(ward, waiting, run, given, rows_from, fill)
                    waiting, run = waiting + 1, run + 1
                    while waiting == LANES:
                        waiting, back = treat(ward, waiting, queue, back, numbers, lists, ends)
                    continue
            lane = lowest(idle)
            idle &= idle - 1
            if back > 0:
                back -= 1
                for row in range(MOVING):
                    put(block, row * LANES + lane, get(queue, row * 4 * LANES + back))
            else:
                load(block, lane, run, given, rows_from, fill)
                put(block, DUE * LANES + lane, due)
                run += 1
        if idle == -1:
            if waiting == 0:
                break
            waiting, back = treat(ward, waiting, queue, back, numbers, lists, ends)
            continue
        taken = length
        old, new, room = burst(block, numbers, lists, taken)
        old &= ~idle
        left = (old | new) & ~idle
        length = BURST
        if left == 0:  # nothing happened, and no lane begins anew: until the next thing that is known to
            length = max(BURST, int(min(from_bits(room), float(LONG))) // BURST * BURST)
        idle |= left
        while left != 0:
            lane = lowest(left)
            left &= left - 1
            hand_over(block, lane, ward, waiting, (old >> lane) & 1, taken)
            waiting += 1
            while waiting == LANES:  # all of them may have to stay
                waiting, back = treat(ward, waiting, queue, back, numbers, lists, ends)


def entry(
    block: Any, ward: Any, queue: Any, counter: Any, given: Any, rows_from: Any, fill: Any, numbers: Any,
    columns: Any, tables: Any, status: Any, steps: Any, out: Any, rows_out: Any, tail: Any, record: Any,
    sizes: Any,
) -> None:  # fmt: skip
    """Drive, with addresses of arrays; ``sizes``: of each in turn, then the rows of data, of tables."""
    n = carray(sizes, 24)
    blocks = carray(block, n[0]), carray(ward, n[1]), carray(queue, n[2])
    starts = carray(given, (n[4], n[5])), carray(rows_from, n[6]), carray(fill, n[7])
    lists = carray(columns, n[9]), n[22], carray(tables, n[10]), n[23]
    ends = (
        carray(status, n[11]), carray(steps, n[12]), carray(out, (n[13], n[14])), carray(rows_out, n[15]),
        carray(tail, (n[16], n[17], n[18])), carray(record, (n[19], n[20], n[21])),
    )  # fmt: skip
    drive(blocks, carray(counter, n[3]), starts, carray(numbers, n[8]), lists, ends)


FUNCTIONS = ("load", "next_due", "treat", "hand_over", "drive", "entry")

_AT = {
    **dict.fromkeys(("counter", "rows_from", "steps", "rows_out", "sizes"), "words_at"),
    "status": "bytes_at",
}  # the rest are numbers


@cache
def source() -> tuple[str, ...]:
    """Return the lines of the functions above, without docstrings and types."""
    lines: list[str] = []
    for node in ast.parse(Path(__file__).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name in FUNCTIONS:
            node.body, node.returns = node.body[1:], None
            for argument in node.args.args:
                argument.annotation = None
            kinds = [_AT.get(argument.arg, "numbers_at") for argument in node.args.args]
            entry_point = f'@numba.cfunc(void({", ".join(kinds)}), error_model="numpy")'
            decorator = {"entry": entry_point, "hand_over": "@inlined"}.get(node.name, "@plain")
            lines += ["", decorator, *ast.unparse(node).splitlines()]
    return tuple(lines)
