"""Fuzz the parser or the loader, guided by coverage: no input may raise anything but InputError, or take a second.

Needs atheris (``pip install atheris``). What is found and kept stands in ``tests/fuzz/corpus``, which
``tests/test_fuzz_corpus.py`` reads in every test run:

    python tests/fuzz/fuzz.py formula -max_total_time=1800
    python tests/fuzz/fuzz.py scenario -max_total_time=1800
"""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path

CORPUS = Path(__file__).parent / "corpus"


def read_formula(data: bytes) -> None:
    """Parse a formula, print it, read and print that again, and differentiate it."""
    from gdsim.expr.differentiate import derivative
    from gdsim.expr.display import to_text
    from gdsim.expr.nodes import symbols
    from gdsim.expr.parse import parse
    from gdsim.outcomes import InputError

    try:
        tree = parse(data.decode("utf-8", "surrogateescape"))
        text = to_text(tree)
        if to_text(parse(text)) != text:
            raise AssertionError(f"{text} is printed otherwise when it is read again")
        for weight in symbols(tree, "weight")[:1]:
            to_text(derivative(tree, weight))
    except InputError:
        pass


def read_scenario(data: bytes) -> None:
    """Load a scenario from a file with this content, write it down, and read that again."""
    from gdsim.outcomes import InputError
    from gdsim.scenario import load
    from gdsim.scenario.write import scenario_text

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "s.yaml"
        path.write_bytes(data)
        try:
            scenario = load(path)
        except InputError:
            return
        path.write_text(scenario_text(scenario), encoding="utf-8")
        if load(path) != scenario:
            raise AssertionError(f"{scenario_text(scenario)} is another scenario than {data!r}")


TARGETS = {"formula": read_formula, "scenario": read_scenario}


def main() -> None:
    """Fuzz the target that the first word names; the other words are libFuzzer's."""
    import atheris

    target = TARGETS[sys.argv[1]]
    with atheris.instrument_imports(include=["gdsim", "yaml"]):
        target(b"")
    warnings.simplefilter("error")
    atheris.Setup([sys.argv[0], str(CORPUS / sys.argv[1]), "-timeout=2", *sys.argv[2:]], target)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
