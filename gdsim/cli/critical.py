"""``gdsim critical``: the critical points, their certificate, and its check."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from gdsim.cli import NOT_MET
from gdsim.cli.options import ExpressionCommand, ScenarioArgument, domain_of, json_option, loss_or_scenario

if TYPE_CHECKING:
    from pathlib import Path

    from gdsim.critical import Budget
    from gdsim.critical.certificates import Verified
    from gdsim.losses import Loss
    from gdsim.outcomes import Interval, Search


@click.command(cls=ExpressionCommand)
@click.argument("expression", metavar="EXPR|FILE", type=ScenarioArgument(), required=False)
@click.option("--domain", "domains", multiple=True, metavar="A B",
              help="Where to look: --domain -2 2 for every weight, --domain x=-2,2 y=0,1 for each. "
              "Default: the scenario's or the named loss's domain, else -10 10.")  # fmt: skip
@click.option("--boxes", type=click.IntRange(min=1), default=200_000, metavar="N", show_default=True,
              help="The most boxes that the proof may look at.")  # fmt: skip
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), default=60.0, metavar="S",
              show_default=True, help="The longest that the proof may take.")  # fmt: skip
@click.option("--certificate", type=click.Path(dir_okay=False), metavar="FILE",
              help="Write the boxes of the proof there, as JSON.")  # fmt: skip
@click.option("--verify", type=click.Path(exists=True, dir_okay=False), metavar="FILE",
              help="Check a certificate again, without the search; exit code 3 if it is refused. "
              "With EXPR it must be about that loss and domain.")  # fmt: skip
@json_option
@click.pass_context
def critical(
    ctx: click.Context, expression: str | None, domains: tuple[str, ...], boxes: int, seconds: float,
    certificate: str | None, verify: str | None, as_json: bool,
) -> None:  # fmt: skip
    """Find all critical points and say, with proof, what each one is.

    What neither the boxes nor the seconds suffice for is listed as open. EXPR may begin with a minus.
    """
    from pathlib import Path

    if verify is not None:
        if certificate is not None:
            raise click.UsageError("--verify checks a certificate, --certificate writes one: not both")
        _verify(ctx, Path(verify), expression, domains, as_json)
        return
    if expression is None:
        raise click.MissingParameter(ctx=ctx, param=ctx.command.params[0])
    if certificate is not None and not Path(certificate).absolute().parent.is_dir():
        raise click.BadParameter(f"there is no folder {Path(certificate).parent}", param_hint="--certificate")
    from gdsim.cli.screen import counter
    from gdsim.critical import Budget, find

    loss, domain = _question(expression, domains)
    end = time.monotonic() + seconds
    with counter(ctx.obj["quiet"] or as_json, "boxes looked at, {} wait") as progress:
        budget = Budget(boxes, lambda: time.monotonic() > end, progress)
        search = find(loss, domain, budget=budget)
        written = None if certificate is None else _write(Path(certificate), loss, domain, search, budget)
    _print(search, as_json)
    if written is not None:
        click.echo(written, err=as_json)


def _question(expression: str, domains: tuple[str, ...]) -> tuple[Loss, dict[str, Interval]]:
    """The loss and the domain that the words of the command mean."""
    loss, scenario = loss_or_scenario(expression)
    bounds = dict.fromkeys(loss.weights, (-10.0, 10.0)) | dict(loss.domain)
    if scenario is not None:
        bounds |= scenario.domain
    return loss, bounds | domain_of(domains, loss.weights)


def _print(search: Search, as_json: bool) -> None:
    if as_json:
        from gdsim.cli.screen import print_json
        from gdsim.runs.run import critical_point_data, jsonable, search_data

        points = [critical_point_data(point) for point in search.critical_points]
        print_json(jsonable({"critical_points": points, "search": search_data(search)}))
        return
    from gdsim.cli.summary import critical_points

    click.echo("\n".join(critical_points(search)))


def _write(file: Path, loss: Loss, domain: dict[str, Interval], search: Search, budget: Budget) -> str:
    """Write a certificate, whole or not at all, and say what it shows."""
    from gdsim.critical.certificates import certify, written_out

    document = certify(loss, domain, search, budget)
    part = file.with_name(f".{file.name}.part")
    try:
        part.write_text(written_out(document), encoding="utf-8")
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    boxes, points = len(document["leaves"]), len(document["critical_points"])
    if document["complete"]:
        shows = "all of this is shown"
    else:
        left = sum(leaf["test"] == "left" for leaf in document["leaves"])
        shows = f"points shown: {points} of {len(search.critical_points)}; boxes left open: {left}"
    return f"  {file}: {boxes} box{'es' * (boxes != 1)}; {shows}"


def _verify(
    ctx: click.Context, file: Path, expression: str | None, domains: tuple[str, ...], as_json: bool
) -> None:
    from gdsim.critical.certificates import Refused, verify

    question = None if expression is None else _question(expression, domains)
    if question is None and domains:
        raise click.UsageError("--domain needs EXPR; a certificate names its own domain")
    try:
        found = verify(file.read_text(encoding="utf-8"))
        if question is not None:
            _compare(found, *question)
    except (Refused, UnicodeDecodeError) as error:
        reason = "it is no text in UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
        if as_json:
            from gdsim.cli.screen import print_json

            print_json({"verified": False, "reason": reason})
        click.echo(f"{file}: refused: {reason}", err=True)
        ctx.exit(NOT_MET)
    if as_json:
        _print_verified_json(found)
    else:
        _print_verified(file, found)


def _compare(found: Verified, loss: Loss, domain: dict[str, Interval]) -> None:
    """Refuse a certificate that is about another loss or domain than the one asked about."""
    from gdsim.critical.certificates import Refused
    from gdsim.critical.certificates.document import restated

    asked, about = restated(loss), found.loss
    same = (asked.expression, asked.parameters, asked.data) == (
        about.expression,
        about.parameters,
        about.data,
    )
    if not same or asked.weights != about.weights:
        raise Refused("it is about another loss")
    if dict(found.search.domain) != {name: tuple(map(float, ends)) for name, ends in domain.items()}:
        raise Refused("it is about another domain")


def _print_verified(file: Path, found: Verified) -> None:
    from gdsim.cli.screen import wrapped
    from gdsim.cli.summary import critical_points
    from gdsim.critical.certificates import TRUSTED
    from gdsim.expr.display import to_text

    assert found.loss.expression is not None
    values = "".join(f", {name} = {value:.12g}" for name, value in found.loss.parameters.items())
    tests = ", ".join(f"{count} {test}" for test, count in sorted(found.boxes.items()))
    lines = [f"{file}: verified", *wrapped(f"L = {to_text(found.loss.expression)}{values}", 2)]
    lines += [*critical_points(found.search), *wrapped(f"boxes tested again: {tests}", 2), "  this trusts"]
    lines += [line for what, rooms in TRUSTED for line in wrapped(f"{rooms}: {what}", 4)]
    click.echo("\n".join([*lines, "  and not the search that wrote the file"]))


def _print_verified_json(found: Verified) -> None:
    from gdsim.cli.screen import print_json
    from gdsim.critical.certificates import TRUSTED
    from gdsim.expr.display import to_text
    from gdsim.runs.run import critical_point_data, jsonable, search_data

    assert found.loss.expression is not None
    points = [critical_point_data(point) for point in found.search.critical_points]
    document = {
        "verified": True,
        "formula": to_text(found.loss.expression),
        "parameters": dict(found.loss.parameters),
        "critical_points": points,
        "search": search_data(found.search),
        "boxes": dict(found.boxes),
        "trusted": dict(TRUSTED),
    }
    print_json(jsonable(document))


COMMANDS = (critical,)
