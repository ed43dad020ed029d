"""Proofs that can be checked again without the search that found them.

A certificate lists boxes that cover the domain, each with a test that shows what is in it. :func:`verify`
makes every test again. It shares with the search the tree and its evaluation in balls, and nothing else: but
for the two writers, no module here imports anything of the rooms that search.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gdsim.critical.budget import Budget
from gdsim.critical.certificates.document import Certificate, Refused, compose, read, restated, written_out
from gdsim.critical.written import WrittenLoss
from gdsim.losses import Loss
from gdsim.outcomes import CriticalPoint, Interval, Search

__all__ = ["TRUSTED", "Refused", "Verified", "certify", "verify", "written_out"]

TRUSTED = (
    (
        "reads, differentiates and simplifies the formula",
        "gdsim/expr, gdsim/critical/written.py, switches.py",
    ),
    ("evaluates it over balls", "gdsim/expr/emit_ball.py, python-flint (FLINT)"),
    ("makes the tests again", "gdsim/critical/certificates (without the two writers)"),
    ("runs all this", "Python with its json, hashlib and fractions"),
)


_MOST_ENTRIES = 12


@dataclass(frozen=True)
class Verified:
    """A certificate that passed.

    Attributes
    ----------
    loss
        What it is about.
    search
        Its domain and its critical points; ``complete`` if they are all.
    boxes
        How many boxes passed each test.
    """

    loss: Loss
    search: Search
    boxes: Counter[str]


def certify(
    loss: Loss, domain: Mapping[str, Interval], search: Search, budget: Budget | None = None
) -> dict[str, Any]:
    """Return a certificate of what a search found, as data for JSON.

    Parameters
    ----------
    loss
        A formula.
    domain
        For each weight a closed interval.
    search
        What :func:`gdsim.critical.find` returned for them.
    budget
        Bounds on the work of finding the boxes (several weights are searched again for them).

    Returns
    -------
    dict
        The document. It claims what its own boxes show, which may be less than the search proved.

    Notes
    -----
    Cost: for one weight 20 to 100 ms, and 2 to 5 ms for each point; for several about a search and a check.

    Examples
    --------
    >>> from gdsim.critical import find
    >>> loss, domain = Loss.from_text("3w^4 - 4w^3"), {"w": (-1.2, 1.6)}
    >>> document = certify(loss, domain, find(loss, domain))
    >>> [leaf["test"] for leaf in document["leaves"]], document["complete"]
    (['gradient', 'one zero', 'one zero'], True)
    """
    loss, budget = restated(loss), budget or Budget()
    ends = {name: (float(domain[name][0]), float(domain[name][1])) for name in loss.weights}
    if len(loss.weights) == 1:
        from gdsim.critical.certificates.line_writer import prove

        (interval,) = ends.values()
        points, complete, leaves, factorings = prove(WrittenLoss.of(loss), interval, search, budget)
        return compose(loss, ends, points, complete, leaves, factorings)
    from gdsim.critical.certificates import space_writer

    found, leaves = space_writer.leaves(loss, ends, budget)
    return compose(loss, ends, found.critical_points, found.complete, leaves)


def verify(text: str) -> Verified:
    """Make every test of a certificate again.

    Parameters
    ----------
    text
        A JSON document as :func:`certify` makes it.

    Returns
    -------
    Verified
        What is proved by it.

    Raises
    ------
    Refused
        For a document that is cut off, edited or malformed, and for one that does not prove what it claims.

    Notes
    -----
    Cost: 0.2 to 1 ms for each box, and some milliseconds to compile each formula.

    Examples
    --------
    >>> import json
    >>> from gdsim.critical import find
    >>> loss, domain = Loss.from_text("w^2"), {"w": (-1.0, 1.0)}
    >>> found = verify(json.dumps(certify(loss, domain, find(loss, domain))))
    >>> found.search.complete, dict(found.boxes)
    (True, {'gradient': 1, 'one zero': 1})
    """
    certificate = read(text)
    boxes = _check(certificate)
    return Verified(certificate.loss, _search(certificate), boxes)


def _check(certificate: Certificate) -> Counter[str]:
    points, leaves = certificate.points, certificate.leaves
    if len(certificate.loss.weights) == 1:
        from gdsim.critical.certificates import line_checker

        (domain,) = certificate.domain.values()
        return line_checker.check(
            certificate.written, domain, points, certificate.complete, leaves, certificate.factorings
        )
    from gdsim.critical.certificates import space_checker

    if certificate.factorings:
        raise Refused("a certificate of several weights has no factorings")
    return space_checker.check(
        certificate.written, list(certificate.domain.values()), points, certificate.complete, leaves
    )


def _search(certificate: Certificate) -> Search:
    return Search(
        certificate.domain,
        tuple(
            CriticalPoint(
                point["weight"],
                point["loss"],
                point["kind"],
                "certified",
                tuple(point["curvature"]),
                {name: tuple(ends) for name, ends in point["interval"].items()},
                point["multiplicity"],
                point["boundary"],
            )
            for point in certificate.points
        ),
        certificate.complete,
        _open(certificate),
    )


def _open(certificate: Certificate) -> tuple[Mapping[str, object], ...]:
    """The boxes about which nothing is shown; neighbours of one weight as one, very many as their hull."""
    names = certificate.loss.weights
    boxes = [leaf["box"] for leaf in certificate.leaves if leaf["test"] == "left"]
    if len(names) == 1:
        stretches: list[list[float]] = []
        for low, high in boxes:
            if stretches and stretches[-1][1] == low:
                stretches[-1][1] = high
            else:
                stretches.append([low, high])
        boxes = [[[low], [high]] for low, high in stretches]
    if len(boxes) > _MOST_ENTRIES:
        lows, highs = zip(*boxes, strict=True)
        boxes = [
            [
                [min(ends) for ends in zip(*lows, strict=True)],
                [max(ends) for ends in zip(*highs, strict=True)],
            ]
        ]
    return tuple(
        {
            "interval": dict(zip(names, zip(low, high, strict=True), strict=True)),
            "reason": "nothing is shown here",
        }
        for low, high in boxes
    )
