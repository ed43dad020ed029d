"""A certificate as a document: what is claimed, and the boxes that show it.

Numbers are doubles and stand for their exact binary values; the numbers of the formula, its parameters and
its data stand for the decimals as they are written.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from gdsim.critical.written import WrittenLoss
from gdsim.expr.display import to_text
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, InputError, Interval

KIND = "gdsim certificate"
VERSION = 1
_KEYS = ("kind", "version", "formula", "weights", "parameters", "data", "domain", "complete",
         "critical_points", "factorings", "leaves", "sha256")  # fmt: skip
_POINT_KEYS = {"weight", "loss", "kind", "curvature", "interval", "multiplicity", "boundary"}


class Refused(Exception):
    """A certificate that does not prove what it claims; the message says why."""


@dataclass(frozen=True, eq=False)
class Certificate:
    """What stands in a certificate, read but not yet believed.

    Attributes
    ----------
    loss, domain
        What it is about.
    complete
        Whether it claims that its points are all there are.
    points
        The claimed critical points, each with ``weight``, ``loss``, ``kind``, ``curvature``, ``interval``,
        ``multiplicity`` and ``boundary``.
    factorings
        Products that slopes are claimed to be (one weight).
    leaves
        The boxes, each with its test.
    """

    loss: Loss
    domain: Mapping[str, Interval]
    complete: bool
    points: tuple[Mapping[str, Any], ...]
    factorings: tuple[Mapping[str, Any], ...]
    leaves: tuple[Mapping[str, Any], ...]

    @property
    def written(self) -> WrittenLoss:
        """The loss as a theorem speaks of it."""
        return WrittenLoss.of(self.loss)


def restated(loss: Loss) -> Loss:
    """The loss as it is read back from a certificate: its printed formula has the same value everywhere.

    >>> restated(Loss.from_text("a*w**2", parameters={"a": 2})).expression == Loss.from_text(
    ...     "a*w^2", parameters={"a": 2}).expression
    True
    """
    assert loss.expression is not None
    return Loss.from_text(
        to_text(loss.expression),
        parameters=loss.parameters,
        data={name: list(map(float, column)) for name, column in loss.data.items()},
        weights=loss.weights,
    )


def compose(
    loss: Loss,
    domain: Mapping[str, Interval],
    points: Sequence[CriticalPoint],
    complete: bool,
    leaves: Sequence[Mapping[str, Any]],
    factorings: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """Put a certificate together; points without proof have no place in it."""
    assert loss.expression is not None
    document = {
        "kind": KIND,
        "version": VERSION,
        "formula": to_text(loss.expression),
        "weights": list(loss.weights),
        "parameters": dict(loss.parameters),
        "data": {name: list(map(float, column)) for name, column in loss.data.items()},
        "domain": {name: list(domain[name]) for name in loss.weights},
        "complete": complete,
        "critical_points": [_point(point) for point in points if point.proof == "certified"],
        "factorings": list(factorings),
        "leaves": list(leaves),
    }
    return {**document, "sha256": digest(document)}


def _point(point: CriticalPoint) -> dict[str, Any]:
    return {
        "weight": dict(point.weight),
        "loss": point.loss,
        "kind": point.kind,
        "curvature": list(point.curvature),
        "interval": {name: list(ends) for name, ends in point.interval.items()},
        "multiplicity": point.multiplicity,
        "boundary": point.boundary,
    }


def written_out(document: Mapping[str, Any]) -> str:
    """The document as JSON, each point, product and box on a line of its own.

    >>> print(written_out({"kind": "gdsim certificate", "leaves": [{"bits": 53}, {"bits": 128}]}), end="")
    {
    "kind": "gdsim certificate",
    "leaves": [
     {"bits": 53},
     {"bits": 128}
    ]
    }
    """
    lines = []
    for key, value in document.items():
        text = json.dumps(value, allow_nan=False)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            text = "[\n " + ",\n ".join(json.dumps(item, allow_nan=False) for item in value) + "\n]"
        lines.append(f"{json.dumps(key)}: {text}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of everything in a document but itself: it shows an accident, not a forgery."""
    rest = {key: value for key, value in document.items() if key != "sha256"}
    return hashlib.sha256(json.dumps(rest, sort_keys=True).encode()).hexdigest()


def read(text: str) -> Certificate:
    """Read a certificate.

    Raises
    ------
    Refused
        For text that is cut off, changed since it was written, or no certificate.

    Examples
    --------
    >>> read("{")
    Traceback (most recent call last):
    gdsim.critical.certificates.document.Refused: it is no whole JSON document: ... line 1, column 2
    """
    try:
        document = json.loads(text, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise Refused(
            f"it is no whole JSON document: {error.msg} at line {error.lineno}, column {error.colno}"
        ) from None
    except RecursionError:
        raise Refused("it is nested too deeply") from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise Refused(f'it is no certificate: "kind" is not "{KIND}"')
    if document.get("version") != VERSION or isinstance(document.get("version"), bool):
        raise Refused(f"its version is {document.get('version')!r}; this program reads version {VERSION}")
    if set(document) != set(_KEYS):
        odd = sorted(set(document) ^ set(_KEYS))
        raise Refused(f"it lacks, or should not have, {', '.join(odd)}")
    if document["sha256"] != digest(document):
        raise Refused("it was changed after it was written: its SHA-256 does not agree")
    return _read(document)


def _no_number(name: str) -> None:
    raise Refused(f"{name} is no number")


def _read(document: Mapping[str, Any]) -> Certificate:
    for key in ("critical_points", "factorings", "leaves", "weights"):
        if not isinstance(document[key], list):
            raise Refused(f"{key} is no list")
    for key in ("critical_points", "factorings", "leaves"):
        if not all(isinstance(item, dict) for item in document[key]):
            raise Refused(f"an entry of {key} is no mapping")
    if not isinstance(document["complete"], bool):
        raise Refused("complete is neither true nor false")
    try:
        loss = Loss.from_text(
            document["formula"],
            parameters=document["parameters"],
            data=document["data"],
            weights=document["weights"],
        )
    except InputError as error:
        raise Refused(f"its loss cannot be read: {error}") from None
    except (TypeError, ValueError, AttributeError):
        raise Refused("its loss cannot be read: a name, a parameter or the data is not of its type") from None
    domain = _intervals(document["domain"], loss.weights, "domain")
    for place, point in enumerate(document["critical_points"]):
        _check_point(point, loss.weights, f"critical point {place}")
    return Certificate(
        loss,
        domain,
        document["complete"],
        tuple(document["critical_points"]),
        tuple(document["factorings"]),
        tuple(document["leaves"]),
    )


def real(value: object, what: str) -> float:
    """A finite number of a document, as a double.

    >>> real(1, "low")
    1.0
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Refused(f"{what} is no number")
    try:
        number = float(value)
    except OverflowError:
        raise Refused(f"{what} is too large") from None
    if not isfinite(number) or number != value:
        raise Refused(f"{what} is not finite, or no double")
    return number


def _intervals(value: object, weights: Sequence[str], what: str) -> dict[str, Interval]:
    if not isinstance(value, dict) or set(value) != set(weights):
        raise Refused(f"{what} does not name each weight once")
    found: dict[str, Interval] = {}
    for name in weights:
        ends = value[name]
        if not isinstance(ends, list) or len(ends) != 2:
            raise Refused(f"{what} of {name} is no pair of numbers")
        low, high = real(ends[0], f"{what} of {name}"), real(ends[1], f"{what} of {name}")
        if not (low < high if what == "domain" else low <= high):
            raise Refused(f"{what} of {name} is no interval")
        found[name] = (low, high)
    return found


def _check_point(point: Mapping[str, Any], weights: Sequence[str], what: str) -> None:
    if set(point) != _POINT_KEYS:
        raise Refused(f"{what} has not exactly the entries {', '.join(sorted(_POINT_KEYS))}")
    if not isinstance(point["weight"], dict) or set(point["weight"]) != set(weights):
        raise Refused(f"{what} does not give each weight once")
    interval = _intervals(point["interval"], weights, f"interval of {what}")
    for name in weights:
        low, high = interval[name]
        if not low <= real(point["weight"][name], f"{name} of {what}") <= high:
            raise Refused(f"{what} does not lie in its interval")
    real(point["loss"], f"the loss at {what}")
    if not isinstance(point["curvature"], list):
        raise Refused(f"the curvature of {what} is no list")
    for value in point["curvature"]:
        real(value, f"a curvature of {what}")
    order = point["multiplicity"]
    if isinstance(order, bool) or not (order is None or (isinstance(order, int) and 1 <= order <= 100)):
        raise Refused(f"the multiplicity of {what} is no order")
    if not isinstance(point["boundary"], bool):
        raise Refused(f"boundary of {what} is neither true nor false")
    if not isinstance(point["kind"], str):
        raise Refused(f"the kind of {what} is no word")
