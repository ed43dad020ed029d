"""From a run to its slides: scenario, build-up, loss, weights, verdict, critical points, ruler, pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from gdsim.expr.display import to_latex, to_mathml, to_text
from gdsim.slides import charts, figures
from gdsim.slides.model import Formula, Line, Lines, Part, Picture, Slide, Table
from gdsim.slides.words import clean, evidence, exact, kind_name, near, place, short

if TYPE_CHECKING:
    from gdsim.runs import Run

_MOST_POINTS = 7  # rows of a table that is legible from the back row
_MOST_EVIDENCE = 6
_VERDICT_LINES = 12  # sentences and evidence together, of so many signs a line
_SENTENCE, _CELL = 70, 60
_MOST_RUNS = 11
_LEAST_RECORDS = 2  # a chart by step of a single point shows nothing
_LONGEST_FORMULA = 90  # signs; a longer one is text, which breaks into lines
_LONGEST_TEXT = 300  # signs; a still longer formula goes by its name


@dataclass(frozen=True)
class Entry:
    """One run of a lecture and how it is to be shown.

    Attributes
    ----------
    run
        The run.
    kinds
        The slides to show, by the names of ``PARTS`` or of kinds of figures; by default those that suit.
    steps
        The steps of the build-up; by default the first ones and the last.
    notes
        What the speaker says first.
    name
        Unique within the deck, for the files of figures.
    """

    run: Run
    kinds: tuple[str, ...] = ()
    steps: tuple[int, ...] = ()
    notes: str = ""
    title: str = ""
    name: str = "run"

    @property
    def heading(self) -> str:
        """The title of the run on slides."""
        return clean(self.title or self.run.title)


@dataclass(frozen=True)
class Words:
    """A slide of text alone."""

    title: str
    text: tuple[str, ...] = field(default=())
    notes: str = ""


def run_slides(entry: Entry) -> list[Slide]:
    """Return the slides of one run; the notes of the entry stand on the first of them."""
    slides: list[Slide] = []
    for kind in entry.kinds or default_kinds(entry.run):
        slides += PARTS[kind].slides(entry) if kind in PARTS else picture(entry, kind)
    if entry.notes and slides:
        slides[0] = replace(slides[0], notes=(clean(entry.notes), *slides[0].notes))
    return slides


def default_kinds(run: Run) -> tuple[str, ...]:
    """Return the kinds of slides that suit a run, in the order in which a lecturer shows them."""
    found = ["scenario", "steps", "loss", "weight"]
    found += [kind for kind in ("surface",) if figures.suits(run, kind)]
    return (*found, "verdict", "points", "ruler")


def all_kinds() -> tuple[str, ...]:
    """Return every kind of slide that a deck can ask for."""
    return tuple(dict.fromkeys([*PARTS, *figures.kinds()]))


def scenario(entry: Entry) -> list[Slide]:
    """Return the slide of what was asked: formula, learning rate, start, rule, stopping."""
    run = entry.run
    rows = _settings(run)
    parts: list[Part] = [*_formula(run), Table((), tuple(rows), "The settings of the run.")]
    notes = [f"{name}: {text}" for name, text in rows]
    return [Slide(entry.heading, tuple(parts), (*notes, *_origin(run)))]


def _formula(run: Run) -> list[Part]:
    tree = run.loss.expression
    if tree is not None and len(to_text(tree)) <= _LONGEST_FORMULA:
        mathml = to_mathml(tree).replace("><", "><mi>L</mi><mo>=</mo><", 1)
        return [Formula(f"L = {to_text(tree, unicode=True)}", f"L = {to_latex(tree)}", mathml)]
    if tree is not None and len(to_text(tree)) <= _LONGEST_TEXT:
        return [Lines((Line(f"L = {to_text(tree, unicode=True)}"),))]
    name = clean(run.loss.name) or "loss"
    return [Lines((Line(f"L = {name}({', '.join(run.loss.weights)})", "lead"),))]


def _settings(run: Run) -> list[tuple[str, str]]:
    batch, stopping = run.batch, run.batch.stopping
    schedule = batch.schedule.schedule.name
    rate = short(float(run.trajectory.learning_rate[0, 0]))
    options = ", ".join(
        f"{key} = {short(float(value))}" for key, value in batch.rule.options.items() if value
    )
    rule = batch.rule.rule.name.replace("_", " ")
    rows = [(name, short(value)) for name, value in run.loss.parameters.items()]
    rows += [
        ("learning rate η", rate + ("" if schedule == "constant" else f", schedule {schedule}")),
        ("start", _at(run, 0)),
        ("update rule", f"{rule} ({options})" if options else rule),
        ("derivative", batch.derivative.label),
        ("stops when", f"|slope| ≤ {short(stopping.gradient_tolerance)}, after {stopping.max_steps} steps, "
                       f"or beyond ±{short(stopping.divergence_bound)}"),
    ]  # fmt: skip
    if batch.noise is not None:
        rows.append(("noise", batch.noise.kind))
    return [(clean(name), clean(text)) for name, text in rows]


def _origin(run: Run) -> tuple[str, ...]:
    if run.scenario is None:
        return ()
    from gdsim.runs.store import directory_name

    return (f"Scenario {clean(directory_name(run.scenario))}.",)


def steps(entry: Entry) -> list[Slide]:
    """Return the build-up: one slide for each step, all with the same axes; none for many weights."""
    run = entry.run
    kind = "curve" if len(run.loss.weights) == 1 else "contour"
    if kind == "contour" and not figures.suits(run, kind):
        return []
    return [_step(entry, kind, record) for record in _records(entry)]


def _records(entry: Entry) -> list[int]:
    """The records of the build-up; a step beyond the end shows the end."""
    run = entry.run
    if entry.steps:
        return list(dict.fromkeys(charts.record_of(run, step) for step in sorted(entry.steps)))
    last = len(run.trajectory.step_index) - 1
    if len(run.loss.weights) == 1:
        inside = [record for record in range(last + 1) if charts.in_frame(run, record)]
        last = inside[-1] if inside else 0
    return sorted({0, min(1, last), min(2, last), last})


def _step(entry: Entry, kind: str, record: int) -> Slide:
    run, step = entry.run, int(entry.run.trajectory.step_index[record])
    name = f"{entry.name}-{kind}-{step:04d}"
    if kind == "curve":
        part: Part = charts.curve(run, step, name, "beside")
    else:
        part = Picture(run, kind, name, figures.alt_text(run, kind, step), step, "beside")
    title = f"{entry.heading}: {'start' if step == 0 else f'step {step}'}"
    return Slide(title, (part, Lines(tuple(_said(run, record)))), _numbers(run, record))


def _said(run: Run, record: int) -> list[Line]:
    """What stands beside a step: where, the slope, and which way to go."""
    trajectory, weights = run.trajectory, run.loss.weights
    step = int(trajectory.step_index[record])
    at = zip(weights, trajectory.weight[record, :, 0].tolist(), strict=True)
    words = [Line(f"{name} = {short(value)}", "lead") for name, value in at]
    gradient = trajectory.gradient[record, :, 0].tolist()
    if len(weights) == 1:
        words.append(Line(f"slope L′ = {short(gradient[0])}"))
    else:
        size = sum(value * value for value in gradient) ** 0.5
        words += [Line(f"loss {short(float(trajectory.loss[record, 0]))}"), Line(f"|slope| {short(size)}")]
    follows = record + 1 < len(trajectory.step_index) and trajectory.step_index[record + 1] == step + 1
    if step == int(trajectory.steps[0]):
        words.append(Line(f"The end: {kind_name(run.verdict.kind)}", "lead"))
    elif follows and len(weights) == 1:
        move = float(trajectory.weight[record + 1, 0, 0] - trajectory.weight[record, 0, 0])
        way = "right" if move > 0 else "left" if move < 0 else "nowhere"
        plain = run.batch.rule.rule.name == "gradient_descent" and run.batch.clip is None
        words.append(Line(f"step {'−η·L′ = ' if plain else ''}{short(move)}: {way}"))
    return words


def _numbers(run: Run, record: int) -> tuple[str, ...]:
    """A record in full precision, for the notes."""
    trajectory = run.trajectory
    weights = zip(run.loss.weights, trajectory.weight[record, :, 0], strict=True)
    gradients = zip(run.loss.weights, trajectory.gradient[record, :, 0], strict=True)
    step = int(trajectory.step_index[record])
    return (
        f"Step {step} of {int(trajectory.steps[0])}.",
        ", ".join(f"{name} = {exact(value)}" for name, value in weights),
        f"loss = {exact(trajectory.loss[record, 0])}",
        ", ".join(f"∂L/∂{name} = {exact(value)}" for name, value in gradients),
        f"learning rate = {exact(trajectory.learning_rate[record, 0])}",
        *(clean(flag) for flag in run.flags.get(step, ())),
    )


def _at(run: Run, record: int) -> str:
    return place(dict(zip(run.loss.weights, run.trajectory.weight[record, :, 0].tolist(), strict=True)))


def curve(entry: Entry) -> list[Slide]:
    """Return one slide with the curve and the whole path."""
    run = entry.run
    if len(run.loss.weights) != 1:
        return picture(entry, "curve")
    last = int(run.trajectory.step_index[-1])
    return [Slide(entry.heading, (charts.curve(run, last, f"{entry.name}-curve"),), _ends(run))]


def loss(entry: Entry) -> list[Slide]:
    """Return the slide with the loss against the step; none where fewer than two losses are finite."""
    chart = charts.loss_by_step(entry.run, f"{entry.name}-loss")
    if len(chart.series[0].x) < _LEAST_RECORDS:
        return []
    return [Slide(f"{entry.heading}: loss by step", (chart,), _ends(entry.run))]


def weight(entry: Entry) -> list[Slide]:
    """Return the slide with the weights against the step; none where no step was taken."""
    chart = charts.weight_by_step(entry.run, f"{entry.name}-weight")
    if len(chart.series[0].x) < _LEAST_RECORDS:
        return []
    return [Slide(f"{entry.heading}: weight by step", (chart,), _ends(entry.run))]


def _ends(run: Run) -> tuple[str, ...]:
    last = len(run.trajectory.step_index) - 1
    return (*_numbers(run, 0), *_numbers(run, last), clean(run.verdict.sentence))


def verdict(entry: Entry) -> list[Slide]:
    """Return the slide of what happened: sentence, evidence, remedy."""
    run = entry.run
    said = [Line(clean(run.verdict.sentence))]
    if run.verdict.remedy:
        said.append(Line(f"→ {clean(run.verdict.remedy)}", "lead"))
    rows = evidence(run)
    shown = _fitting(rows, _VERDICT_LINES - sum(-(-len(line.text) // _SENTENCE) for line in said))
    table = Table((), tuple(shown), "The evidence of the verdict.")
    notes = [f"{name}: {text}" for name, text in rows]
    title = f"{entry.heading}: {kind_name(run.verdict.kind)}"
    parts = (Lines(tuple(said)), *((table,) if shown else ()))
    return [Slide(title, parts, (*notes, *_numbers(run, len(run.trajectory.step_index) - 1)))]


def _fitting(rows: Sequence[tuple[str, str]], lines: int) -> list[tuple[str, str]]:
    """The rows of the evidence for which there is room; the notes hold all."""
    found = []
    for name, text in rows[:_MOST_EVIDENCE]:
        lines -= -(-len(text) // _CELL)
        if lines < 0:
            break
        found.append((name, text))
    return found


def points(entry: Entry) -> list[Slide]:
    """Return the slide with the critical points of the domain, those nearest to the end."""
    run = entry.run
    found = run.critical_points
    end = dict(zip(run.loss.weights, run.trajectory.final_weight[:, 0].tolist(), strict=True))
    shown = near(found, end, _MOST_POINTS)
    proof = "proved to be all" if run.search.complete else "not proved to be all"
    domain = " × ".join(f"[{short(low)}, {short(high)}]" for low, high in run.search.domain.values())
    count = f"{len(found) or 'No'} critical point{'s' * (len(found) != 1)}"
    words = [Line(f"{count} in {domain}, {proof}.")]
    if len(found) > len(shown):
        words.append(Line(f"The {len(shown)} nearest to the end of the run:", "quiet"))
    bent = "f″" if len(run.loss.weights) == 1 else "eigenvalues"
    rows = tuple(
        (
            kind_name(p.kind),
            place(p.weight),
            short(p.loss),
            ", ".join(map(short, p.curvature)) or "–",
            p.proof,
        )
        for p in shown
    )
    settled = run.verdict.settled_at
    marked = next((index for index, p in enumerate(shown) if dict(p.weight) == settled), None)
    parts: list[Part] = [Lines(tuple(words))]
    if rows:
        parts.append(Table(("kind", "where", "loss", bent, "proof"), rows, "The critical points.", marked))
    notes = [f"{p.kind} at {', '.join(f'{k} = {exact(v)}' for k, v in p.weight.items())}, "
             f"loss {exact(p.loss)}, {p.proof}" for p in shown] or [words[0].text]  # fmt: skip
    return [Slide(f"{entry.heading}: where L′ = 0", tuple(parts), tuple(notes))]


def ruler(entry: Entry) -> list[Slide]:
    """Return the slide with the learning rate against 1/L and 2/L; none where they say nothing."""
    run = entry.run
    measure = charts.scale(run)
    if measure is None:
        return []
    chart = charts.ruler(measure, f"{entry.name}-ruler")
    limit = "2/L" if measure.one is not None else "limit"
    one = () if measure.one is None else (f"1/L = {short(measure.one)}",)
    line = Line(",  ".join([f"η = {short(measure.rate)}", *one, f"{limit} = {short(measure.bound)}"]), "lead")
    words = run.ruler.sentence if run.ruler is not None else _standing(measure)
    notes = (f"η = {exact(measure.rate)}", f"{limit} = {exact(measure.bound)} {measure.where}", clean(words))
    parts = (Lines((line, Line(clean(words)))), chart)
    return [Slide(f"{entry.heading}: the learning rate", parts, notes)]


def _standing(measure: charts.Scale) -> str:
    rate, one, bound, where = measure
    limit = f"2/L = {short(bound)} {where}"
    if rate == bound:
        return f"η is exactly {limit}: a step there lands as far beyond as it was before."
    if rate > bound:
        return (
            f"η is above {limit}: a step there overshoots by more than the distance that it should correct."
        )
    if one is not None and rate > one:
        return f"η lies between 1/L and 2/L {where}: steps overshoot and still come closer."
    return f"η is below 1/L = {short(one or bound)} {where}: the run comes in from one side."


def picture(entry: Entry, kind: str) -> list[Slide]:
    """Return the slide with one figure. Raises InputError where it cannot show the run."""
    from gdsim.outcomes import Fault, InputError

    run = entry.run
    if not figures.suits(run, kind):
        message = f"{kind} cannot show {entry.heading}: it {figures.refusal(run, kind)}"
        fitting = [name for name in figures.kinds() if figures.suits(run, name)]
        raise InputError(Fault(message, f"one of {', '.join([*PARTS, *fitting])}", path="kinds"))
    part = Picture(run, kind, f"{entry.name}-{kind}", figures.alt_text(run, kind))
    return [Slide(entry.heading, (part,), _ends(run))]


def text_slide(words: Words) -> Slide:
    """Return a slide of text alone."""
    lines = Lines(tuple(Line(clean(line)) for line in words.text), bullets=len(words.text) > 1)
    return Slide(
        clean(words.title), (lines,) if words.text else (), (clean(words.notes),) * bool(words.notes)
    )


def comparison(entries: Sequence[Entry]) -> list[Slide]:
    """Return a slide that sets the runs of a lecture side by side, in tables of a legible size."""
    head = ("run", "η", "steps", "verdict")
    rows = [
        (e.heading, short(float(e.run.trajectory.learning_rate[0, 0])), str(int(e.run.trajectory.steps[0])),
         kind_name(e.run.verdict.kind))
        for e in entries
    ]  # fmt: skip
    notes = tuple(f"{e.heading}: {clean(e.run.verdict.sentence)}" for e in entries)
    alt = "The runs of this lecture side by side."
    size = -(-len(rows) // -(-len(rows) // _MOST_RUNS))  # as many on each slide
    return [
        Slide(
            "What became of each run", (Table(head, tuple(rows[at : at + size]), alt),), notes[at : at + size]
        )
        for at in range(0, len(rows), size)
    ]


@dataclass(frozen=True)
class PartOf:
    """A kind of slides: how they are made, and what they show."""

    slides: Callable[[Entry], list[Slide]]
    summary: str


PARTS: dict[str, PartOf] = {
    "scenario": PartOf(scenario, "the formula, and the settings as a table"),
    "steps": PartOf(steps, "the build-up: a slide for each step, on the same axes"),
    "curve": PartOf(curve, "the loss with the whole path"),
    "loss": PartOf(loss, "the loss against the step"),
    "weight": PartOf(weight, "every weight against the step"),
    "verdict": PartOf(verdict, "what happened, the evidence and the remedy"),
    "points": PartOf(points, "the critical points of the domain as a table"),
    "ruler": PartOf(ruler, "the learning rate against 1/L and 2/L"),
}
