"""What the tests of scenario files share: writing a file and catching its faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from gdsim import scenario
from gdsim.outcomes import Fault, InputError

PLAIN = {"loss": "w**2", "initial_weight": 3, "learning_rate": 0.1}


def write(folder: Path, text: str, name: str = "case.yaml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def faults(folder: Path, text: str, **options: object) -> list[Fault]:
    """The faults of a file, which must have some."""
    path = write(folder, text)
    with pytest.raises(InputError) as caught:
        scenario.load(path, **options)  # type: ignore[arg-type]
    return list(caught.value.faults)


def mapping_faults(**changes: object) -> list[Fault]:
    with pytest.raises(InputError) as caught:
        scenario.parse_mapping({**PLAIN, **changes})
    return list(caught.value.faults)
