"""Fuzz the parser or the loader, guided by coverage: no input may raise anything but InputError, or hang.

Needs atheris (``pip install atheris``). The inputs that reached something new are kept beside this file, and
``tests/test_fuzz_corpus.py`` reads them in every test run:

    python tests/fuzz/fuzz.py formula /tmp/formula -max_total_time=1800
    python tests/fuzz/fuzz.py keep formula /tmp/formula
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from hashlib import sha256
from pathlib import Path

LONGEST, MOST = 300, 400  # bytes of an input that is kept, and how many are


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


def corpus(target: str) -> list[bytes]:
    """Return the inputs that are kept for a target; a byte stands as the character of its number."""
    texts: list[str] = json.loads(_kept(target).read_text(encoding="utf-8"))
    return [text.encode("latin-1") for text in texts]


def _kept(target: str) -> Path:
    return Path(__file__).parent / f"{target}.json"


def keep(target: str, folder: Path) -> None:
    """Write short inputs of a folder down as those that are kept; of very many, chosen by their hashes."""
    found = {data for file in folder.iterdir() if len(data := file.read_bytes()) <= LONGEST}
    inputs = sorted(sorted(found, key=lambda data: sha256(data).digest())[:MOST])
    text = json.dumps([data.decode("latin-1") for data in inputs], indent=0, ensure_ascii=True)
    _kept(target).write_text(text + "\n", encoding="utf-8")


def fuzz(target: str, folder: Path, *options: str) -> None:
    """Fuzz a target from what is kept, into a folder; the options are libFuzzer's."""
    import atheris

    folder.mkdir(parents=True, exist_ok=True)
    for place, data in enumerate(corpus(target)):
        (folder / f"kept-{place}").write_bytes(data)
    with atheris.instrument_imports(include=["gdsim", "yaml"]):
        TARGETS[target](b"")
    warnings.simplefilter("error")
    atheris.Setup([sys.argv[0], str(folder), "-timeout=2", *options], TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1] == "keep":
        keep(sys.argv[2], Path(sys.argv[3]))
    else:
        fuzz(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
