"""How long a learner waits: for the judgement of a derivative, right or wrong, and for the next step.

Run by ``python tests/benchmarks/run.py learning.py``. Answers are judged in a warm process: each one has been
judged once before it is measured. Wrong answers are the results of every wrong rule that fits the formula.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator

from gdsim.expr.display import to_text
from gdsim.expr.parse import parse
from gdsim.lessons.answers import judge, solution
from gdsim.lessons.course import Course
from gdsim.lessons.misconceptions import wrong_answers
from gdsim.lessons.model import Differentiation, Lesson, Step

ROUNDS = 5
LIMIT = 0.1  # seconds, the median for a derivative


def derive_steps() -> Iterator[tuple[Lesson, Step]]:
    """Yield the steps of the course that ask for a derivative."""
    course = Course()
    for name in course.names:
        lesson = course.lesson(name)
        yield from ((lesson, step) for step in lesson.steps if isinstance(step.task, Differentiation))


def answers(lesson: Lesson, step: Step) -> Iterator[tuple[str, str]]:
    """Yield right and wrong answers to a step, by what they are."""
    assert isinstance(step.task, Differentiation)
    yield "right", str(solution(lesson, step))
    yield "wrong, no known rule", "98765"
    for name, formula in wrong_answers(parse(step.task.of), step.task.by):
        if name != "integrated":
            yield "wrong, a known rule", to_text(formula)


def median_time(action: Callable[[], object]) -> float:
    """Return the median of some rounds in seconds, after one that is not counted."""
    action()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        action()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def main() -> None:
    """Print a row for each kind of answer."""
    taken: dict[str, list[float]] = {}
    for lesson, step in derive_steps():
        for kind, answer in answers(lesson, step):
            took = median_time(lambda lesson=lesson, step=step, answer=answer: judge(lesson, step, answer))
            taken.setdefault(kind, []).append(took)
    print(f"{'judging a derivative':<24} {'answers':>8} {'median ms':>10} {'90 % ms':>8} {'most ms':>8}")
    everything = [one for times in taken.values() for one in times]
    for kind, times in [*taken.items(), ("all", everything)]:
        tenth = statistics.quantiles(times, n=10)[-1]
        print(
            f"{kind:<24} {len(times):>8} {1e3 * statistics.median(times):>10.1f} {1e3 * tenth:>8.1f} "
            f"{1e3 * max(times):>8.1f}"
        )
    met = statistics.median(everything) < LIMIT
    print(f"median below {1e3 * LIMIT:g} ms: {'yes' if met else 'no'}")


if __name__ == "__main__":
    main()
