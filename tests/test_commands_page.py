"""docs/commands.md names every command and every option, and only those."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from gdsim.cli import main

PAGE = (Path(__file__).parent.parent / "docs" / "commands.md").read_text(encoding="utf-8")


def commands(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    if isinstance(command, click.Group):
        for word, below in command.commands.items():
            yield from commands(below, f"{name} {word}")
    else:
        yield name, command


COMMANDS = dict(commands(main, "gdsim"))
OPTIONS = {
    option for command in COMMANDS.values() for parameter in command.params for option in parameter.opts
}


def section(name: str) -> str:
    """The part of the page about a command; those of a group share one."""
    head = " ".join(name.split()[:2])
    return PAGE.split(f"\n## {head}\n", 1)[1].split("\n## ", 1)[0]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"`{name}" in section(name)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_documented(name: str) -> None:
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert any(f"`{option}" in section(name) for option in parameter.opts), parameter.opts


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_has_help(name: str) -> None:
    assert COMMANDS[name].help
    for parameter in COMMANDS[name].params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name


def test_the_page_names_no_option_that_does_not_exist() -> None:
    known = OPTIONS | {"--help", "--quiet", "--no-color", "--version"}
    assert set(re.findall(r"`(--[a-z-]+)", PAGE)) <= known
