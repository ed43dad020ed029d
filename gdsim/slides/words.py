"""Words and numbers on slides: short, with true signs, and free of what no format can carry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from gdsim.outcomes import CRITICAL_KINDS, CriticalPoint
from gdsim.plots import text

if TYPE_CHECKING:
    from gdsim.runs import Run

__all__ = ["clean", "evidence", "exact", "kind_name", "near", "numbers", "place", "short"]

_LONGEST = 2000  # characters of one text; more is no slide
_EVIDENCE = {
    "at": "curvature taken at", "around": "around", "two_over_curvature": "2/L", "one_over_curvature": "1/L",
    "curvature": "curvature L", "rate": "moves by, a step", "limit_at": "limit taken at", "bound": "bound",
    "limit_curvature": "curvature L there", "limit_two_over_curvature": "2/L there", "lower": "lower at",
    "learning_rate": "learning rate η", "nearest": "nearest point",
}  # fmt: skip


def clean(text: object) -> str:
    r"""Return text on one line without signs that no slide can carry: control signs, lone surrogates.

    >>> clean("Two\n  lines\x00")
    'Two lines'
    """
    signs = "".join(sign if sign.isprintable() else " " if sign.isspace() else "" for sign in str(text))
    kept = " ".join(signs.split())
    return kept if len(kept) <= _LONGEST else f"{kept[: _LONGEST - 1]}…"


def place(weight: Mapping[str, Any]) -> str:
    """Return a place: ``w = 1``, or ``x = 1, y = −2``.

    >>> place({"x": 1.0, "y": -2.0})
    'x = 1, y = −2'
    """
    return ", ".join(
        f"{name} from {short(value[0])} to {short(value[1])}"
        if isinstance(value, list | tuple)
        else f"{name} = {_value(value)}"
        for name, value in weight.items()
    )


def short(value: float) -> str:
    """Return a number with four significant digits and true signs; zero has none.

    >>> short(-0.0), short(-0.25)
    ('0', '−0.25')
    """
    return text.short(float(value) + 0.0)


def exact(value: float) -> str:
    """Return a number that reads back to the same bits, for the notes.

    >>> exact(0.1)
    '0.1'
    """
    return repr(float(value))


def kind_name(kind: str) -> str:
    """Return a kind of point or verdict in words.

    >>> kind_name("still_moving"), kind_name("inflection")
    ('still moving', 'inflection (saddle)')
    """
    return {"inflection": "inflection (saddle)", "nonfinite": "no longer finite"}.get(
        kind, kind.replace("_", " ")
    )


def numbers(values: tuple[float, ...]) -> str:
    """Return some numbers, parted by commas.

    >>> numbers((1.0, -2.5))
    '1, −2.5'
    """
    return ", ".join(map(short, values))


def evidence(run: Run) -> list[tuple[str, str]]:
    """Return the evidence of a verdict as rows of a name and a text."""
    found = dict(run.verdict.evidence)
    if "step" in found:  # the step where it happened, which is the last
        found.pop("steps", None)
    names = _EVIDENCE | ({"at": kind_name(run.verdict.kind)} if run.verdict.kind in CRITICAL_KINDS else {})
    rows = [(names.get(key, key.replace("_", " ")), _value(value)) for key, value in found.items()]
    return [(name, words) for name, words in rows if words]


def _value(value: Any) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return str(value)
        case float():
            return short(value)
        case str():
            return {"inf": "∞", "-inf": "−∞", "nan": "not a number"}.get(value, clean(value))
        case Mapping() if set(value) <= {"at", "kind", "loss"} and "at" in value:
            kind = f"{kind_name(str(value['kind']))} at " if "kind" in value else ""
            return f"{kind}{place(value['at'])}"
        case Mapping():
            return place(value)
        case list() | tuple():
            return ", ".join(_value(item) for item in value[:6]) + (", …" if len(value) > 6 else "")
    return clean(value)


def near(points: tuple[CriticalPoint, ...], weight: Mapping[str, float], most: int) -> list[CriticalPoint]:
    """Return at most so many points, those nearest to a weight, in the order of the list."""

    def distance(index: int) -> float:
        return sum((points[index].weight[name] - value) ** 2 for name, value in weight.items())

    finite = all(abs(value) < 1e150 for value in weight.values())
    order = sorted(range(len(points)), key=distance) if finite else range(len(points))
    return [points[index] for index in sorted(order[:most])]
