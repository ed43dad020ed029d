"""What fuzzing found worth keeping is read again in every test run (``tests/fuzz/fuzz.py`` finds more)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_FOLDER = Path(__file__).parent / "fuzz"
_SPEC = importlib.util.spec_from_file_location("fuzz", _FOLDER / "fuzz.py")
assert _SPEC is not None
assert _SPEC.loader is not None
fuzz = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz)


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_the_corpus_of_fuzzing_is_answered(target: str) -> None:
    inputs = sorted((fuzz.CORPUS / target).iterdir())
    assert len(inputs) > 100
    for file in inputs:
        fuzz.TARGETS[target](file.read_bytes())
