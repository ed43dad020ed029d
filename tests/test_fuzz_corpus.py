"""What fuzzing found worth keeping is read again in every test run (``tests/fuzz/fuzz.py`` finds more)."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("fuzz", Path(__file__).parent / "fuzz" / "fuzz.py")
assert _SPEC is not None
assert _SPEC.loader is not None
fuzz = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(fuzz)


@pytest.mark.parametrize("target", fuzz.TARGETS)
def test_what_fuzzing_found_is_answered(target: str) -> None:
    inputs = fuzz.corpus(target)
    assert len(inputs) > 100
    for data in inputs:
        fuzz.TARGETS[target](data)
