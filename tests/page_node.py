"""The page's modules, run by node: JSON in, JSON out, with every double kept to the bit.

``run(script, data)`` writes ``gdsim/page/js`` and the module ``emitted`` to a folder and runs a script beside
them that imports what it needs (``import { simulate } from "./engine/descent.js"``) and gives its answer to
``answer(…)``; what it was given is ``data``.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gdsim.page.bundle import JS

TESTS = Path(__file__).parent / "page"
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None, reason="node is not installed")
SECONDS = 120
_NO_LOSSES = "export const emitted = {losses: {}, rules: {}, schedules: {}};\n"
_PRELUDE = """
import { readFileSync as readInput, writeSync as writeOutput } from "node:fs";
const SPECIAL = { nan: NaN, inf: Infinity, "-inf": -Infinity, "-0": -0 };
const plain = (key, value) => {
  return value !== null && typeof value === "object" && "$" in value ? SPECIAL[value.$] : value;
};
const data = JSON.parse(readInput(0, "utf8"), plain);
const tagged = (key, value) => {
  if (typeof value === "number") {
    if (Number.isNaN(value)) return { $: "nan" };
    if (!Number.isFinite(value)) return { $: value > 0 ? "inf" : "-inf" };
    return Object.is(value, -0) ? { $: "-0" } : value;
  }
  if (ArrayBuffer.isView(value)) return Array.from(value);
  if (value instanceof Map) return Object.fromEntries(value);
  return value === undefined ? null : value;
};
function answer(value) {
  const bytes = Buffer.from(JSON.stringify(value, tagged));
  for (let done = 0; done < bytes.length; ) {
    try { done += writeOutput(1, bytes, done); } catch (error) { if (error.code !== "EAGAIN") throw error; }
  }
}
"""


def check_own_tests(name: str) -> None:
    """Run tests that are written in JavaScript, beside the modules as they are installed."""
    with tempfile.TemporaryDirectory() as folder:
        modules, tests = Path(folder, "gdsim", "page", "js"), Path(folder, "tests", "page")
        shutil.copytree(JS, modules, ignore=shutil.ignore_patterns("node_modules"))
        shutil.copytree(TESTS, tests)
        shutil.copy(TESTS / "package.json", folder)
        done = subprocess.run(
            ["node", "--test", str(tests / f"{name}.test.js")],
            capture_output=True, encoding="utf-8", timeout=SECONDS, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def run(script: str, data: object = None, emitted: str = _NO_LOSSES) -> Any:
    """Run a script beside the modules of the page and return its answer.

    Parameters
    ----------
    script
        Text of a module; its imports are relative to ``gdsim/page/js``.
    data
        Numbers, texts, lists, mappings; nan, inf and −0 are kept.
    emitted
        The text of the module ``emitted.js``.

    Returns
    -------
    object
        What the script gave to ``answer``, arrays as lists. Raises AssertionError where node failed.
    """
    folder = written(emitted)
    with tempfile.NamedTemporaryFile("w", suffix=".mjs", dir=folder, encoding="utf-8") as file:
        file.write(_PRELUDE + script)
        file.flush()
        done = subprocess.run(
            ["node", file.name],
            input=json.dumps(_tagged(data), allow_nan=False),
            capture_output=True,
            encoding="utf-8",
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout, object_hook=_special)


@cache
def written(emitted: str = _NO_LOSSES) -> Path:
    """Return a folder with the modules of the page and ``emitted.js``; it is removed at the end."""
    folder = Path(_temporary().name) / str(abs(hash(emitted)))
    shutil.copytree(JS, folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "emitted.js").write_text(emitted, encoding="utf-8")
    return folder


@cache
def _temporary() -> tempfile.TemporaryDirectory[str]:
    import atexit

    made = tempfile.TemporaryDirectory(prefix="gdsim-page-")
    atexit.register(made.cleanup)
    return made


def _tagged(value: Any) -> Any:
    if isinstance(value, float):
        if math.isnan(value):
            return {"$": "nan"}
        if math.isinf(value):
            return {"$": "inf" if value > 0 else "-inf"}
        return {"$": "-0"} if value == 0.0 and math.copysign(1.0, value) < 0 else value
    if isinstance(value, Mapping):
        return {key: _tagged(inner) for key, inner in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_tagged(inner) for inner in value]
    return _tagged(value.tolist()) if hasattr(value, "tolist") else value


def _special(value: dict[str, Any]) -> Any:
    if set(value) != {"$"}:
        return value
    return {"nan": math.nan, "inf": math.inf, "-inf": -math.inf, "-0": -0.0}[value["$"]]
