"""``gdsim doctor`` and ``gdsim completion``."""

from __future__ import annotations

import os

import click

from gdsim.cli import FAULT
from gdsim.cli.options import json_option

_EXTRAS = {
    "torch": "torch", "fast": "numba", "dask": "distributed", "parquet": "pyarrow",
    "pptx": "python-pptx", "video": "imageio-ffmpeg",
}  # fmt: skip
_NEEDED = ("numpy", "scipy", "click", "pyyaml", "matplotlib", "rich", "markdown-it-py", "python-flint")


@click.command()
@json_option
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Say what is installed and whether it is in order.

    Exits with 1 where something that a run needs is missing.
    """
    import platform

    from gdsim import __version__
    from gdsim.cli.screen import print_json
    from gdsim.scenario.library import shipped_scenarios

    needed = {package: _version(package) for package in _NEEDED}
    extras = {extra: _version(package) for extra, package in _EXTRAS.items()}
    writable = os.access("outputs" if os.path.isdir("outputs") else ".", os.W_OK)
    count = len(shipped_scenarios())
    healthy = all(needed.values()) and writable and count > 0
    if as_json:
        document = {
            "gdsim": __version__, "python": platform.python_version(), "packages": needed, "extras": extras,
            "outputs_writable": writable, "shipped_scenarios": count, "healthy": healthy,
        }  # fmt: skip
        print_json(document)
    else:
        click.echo(f"gdsim {__version__} on Python {platform.python_version()}")
        for package, number in needed.items():
            click.echo(f"  {package:<16}{number or 'missing: pip install ' + package}")
        for extra, number in extras.items():
            absent = f"not installed; optional: pip install 'gdsim[{extra}]'"
            click.echo(f"  {extra:<16}{number or absent}")
        click.echo(f"  {'outputs/':<16}{'writable' if writable else 'not writable here: use --out'}")
        click.echo(f"  {'scenarios':<16}{count} shipped")
        click.echo("everything is in order" if healthy else "something is missing, see above")
    if not healthy:
        ctx.exit(FAULT)


def _version(package: str) -> str | None:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(package)
    except PackageNotFoundError:
        return None


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish", "powershell"]))
@json_option
def completion(shell: str, as_json: bool) -> None:
    """Print the completion script of a shell.

    bash and zsh: eval "$(gdsim completion bash)" in ~/.bashrc, or zsh in ~/.zshrc.
    fish: gdsim completion fish | source
    """
    from click.shell_completion import get_completion_class

    import gdsim.cli.shells  # noqa: F401  # knows bash, zsh and fish better than click
    from gdsim.cli import main
    from gdsim.outcomes import Fault, InputError

    made = get_completion_class(shell)
    if made is None:
        raise InputError(Fault(f"the installed click knows no completion for {shell}", "a newer click"))
    script = made(main, {}, "gdsim", "_GDSIM_COMPLETE").source()
    if as_json:
        from gdsim.cli.screen import print_json

        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)


COMMANDS = (doctor, completion)
