"""``gdsim doctor`` and ``gdsim completion``."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from gdsim.cli.options import json_option

_EXTRAS = {"torch": "torch", "fast": "numba", "dask": "distributed", "pptx": "python-pptx", "video": "imageio-ffmpeg"}
_NEEDED = ("numpy", "scipy", "click", "pyyaml", "matplotlib", "rich")


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what is installed and whether everything that a run needs is in order."""
    import platform
    from importlib.metadata import PackageNotFoundError, version

    from gdsim import __version__
    from gdsim.scenario.library import shipped_scenarios

    def found(package: str) -> str | None:
        try:
            return version(package)
        except PackageNotFoundError:
            return None

    needed = {package: found(package) for package in _NEEDED}
    extras = {extra: found(package) for extra, package in _EXTRAS.items()}
    writable = os.access(Path("outputs") if Path("outputs").is_dir() else Path(), os.W_OK)
    count = len(shipped_scenarios())
    healthy = all(needed.values()) and writable and count > 0
    if as_json:
        document = {
            "gdsim": __version__, "python": platform.python_version(), "packages": needed, "extras": extras,
            "outputs_writable": writable, "shipped_scenarios": count, "healthy": healthy,
        }  # fmt: skip
        click.echo(json.dumps(document, indent=2))
    else:
        click.echo(f"gdsim {__version__} on Python {platform.python_version()}")
        for package, number in needed.items():
            click.echo(f"  {package:<12}{number or 'missing'}")
        for extra, number in extras.items():
            click.echo(f"  {extra:<12}{number or f'not installed; optional: pip install ' + repr(f'gdsim[{extra}]')}")
        click.echo(f"  {'outputs/':<12}{'writable' if writable else 'not writable here'}")
        click.echo(f"  {'scenarios':<12}{count} shipped")
        click.echo("everything is in order" if healthy else "something is missing, see above")
    if not healthy:
        ctx.exit(1)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell.

    For bash: eval "$(gdsim completion bash)" in ~/.bashrc; likewise zsh; for fish: gdsim completion fish | source.
    """
    from click.shell_completion import get_completion_class

    from gdsim.cli import main

    made = get_completion_class(shell)
    assert made is not None
    click.echo(made(main, {}, "gdsim", "_GDSIM_COMPLETE").source())


COMMANDS = (doctor, completion)
