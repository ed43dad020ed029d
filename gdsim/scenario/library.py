"""Where scenarios and presets lie: those that travel with gdsim, and those that an argument names."""

from __future__ import annotations

from pathlib import Path

from gdsim.outcomes import Fault, InputError, nearest

_PACKAGE = Path(__file__).parent.parent
_SUFFIXES = (".yaml", ".yml")
#: a file below a folder is a scenario when its root has one of these keys, else it is of another kind
_TELLING = ("loss", "initial_weight", "learning_rate", "extends")
_DECK = "deck.yaml"  # what a deck is called among the shipped scenarios


def shipped(kind: str) -> Path:
    """Return the folder of the shipped ``scenarios`` or ``configs``, in a wheel or in a checkout.

    >>> shipped("configs").name
    'configs'
    """
    for folder in (_PACKAGE / "shipped" / kind, _PACKAGE.parent / kind):
        if folder.is_dir():
            return folder
    raise InputError(
        Fault(f"this installation of gdsim has no {kind}", "a complete installation: pip install gdsim")
    )


def shipped_scenarios() -> dict[str, Path]:
    """Return the shipped scenarios by name, sorted by folder and name."""
    return {path.stem: path for path in _below(shipped("scenarios")) if path.name != _DECK}


def presets() -> dict[str, Path]:
    """Return the shipped presets by name."""
    return {path.stem: path for path in sorted(shipped("configs").iterdir()) if path.suffix in _SUFFIXES}


def find(argument: str | Path) -> list[Path]:
    """Return the scenario files that an argument means: a file, a folder (with all below), or a shipped name.

    Raises
    ------
    InputError
        Where there is no such thing, with the nearest shipped name.

    Examples
    --------
    >>> [path.name for path in find("parabola")]
    ['parabola.yaml']
    """
    path = Path(argument)
    if path.is_dir():
        found = [file for file in _below(path) if _is_scenario(file)]
        if not found:
            raise InputError(
                Fault("there is no scenario below this folder", "files that end in .yaml", file=str(path))
            )
        return found
    if path.suffix in _SUFFIXES or path.is_file():
        if not path.is_file():
            raise InputError(Fault("there is no such file", suggestion=_near(path.stem), file=str(path)))
        return [path]
    known = shipped_scenarios()
    if str(argument) in known:
        return [known[str(argument)]]
    raise InputError(
        Fault(
            f"{str(argument)!r} is neither a file nor a shipped scenario",
            "gdsim list shows them",
            _near(str(argument)),
        )
    )


def find_preset(argument: str | Path) -> Path:
    """Return the file of a preset, given by path or by the name of a shipped one. Raises InputError."""
    path = Path(argument)
    if path.is_file():
        return path
    known = presets()
    if str(argument) in known:
        return known[str(argument)]
    near = nearest(str(argument), [*known])
    raise InputError(
        Fault(f"there is no preset {str(argument)!r}", f"a file, or one of {', '.join(known)}", near)
    )


def _near(name: str) -> str:
    return nearest(name, [*shipped_scenarios()])


def _below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def _is_scenario(path: Path) -> bool:
    """Tell scenarios from decks and lessons; an unreadable file is kept, so that its fault is told."""
    from gdsim.scenario.document import read_document

    try:
        root = read_document(path).data
    except InputError:
        return True
    return any(key in root for key in _TELLING)
