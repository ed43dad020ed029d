"""Modules joined into one script: nothing lost, nothing ambiguous, nothing that only a module may have."""

from __future__ import annotations

import re
import shutil
import subprocess

import page_node
import pytest

from gdsim.losses import Loss
from gdsim.page.bundle import JS, bundle
from gdsim.page.formulas import emitted


def joined(main: str, **modules: str) -> str:
    """Bundle small modules; ``a`` is the module ``a.js``."""
    texts = {f"{name}.js": text for name, text in modules.items()}
    return bundle("main.js", modules={"main.js": main, **texts})


def body(main: str, **modules: str) -> list[str]:
    return joined(main, **modules).splitlines()[1:]


def test_modules_stand_after_those_they_import() -> None:
    lines = body(
        'import { a } from "./a.js";\nimport { b } from "./b.js";\na(b);',
        a='import { b } from "./b.js";\nexport function a(x) { return x + b; }',
        b="export const b = 1;",
    )
    assert lines == ["const b = 1;", "function a(x) { return x + b; }", "a(b);"]


def test_paths_are_relative_to_the_module_and_the_emitted_one_is_given() -> None:
    script = bundle(
        "app/main.js",
        "export const emitted = {};",
        modules={
            "app/main.js": 'import { x } from "../engine/x.js";\nx();',
            "engine/x.js": 'import { emitted } from "../emitted.js";\nexport const x = () => emitted;',
        },
    )
    assert script == '"use strict";\nconst emitted = {};\nconst x = () => emitted;\nx();\n'


@pytest.mark.parametrize(
    ("source", "kept"),
    [
        ("const a = 1; // one", "const a = 1;"),
        ("/** @type {number} */\nconst a = 1;", "const a = 1;"),
        ("  // one\n\n    const a = 1;\n", "const a = 1;"),
        ("const a = /** @type {any} */ (b);", "const a =   (b);"),
        ('const a = "https://x.org/*y*/";', 'const a = "https://x.org/*y*/";'),
        ("const a = 'it\\'s // not';", "const a = 'it\\'s // not';"),
        ("const a = `// ${b} /* c */`;", "const a = `// ${b} /* c */`;"),
        ("const a = /[/*]\\/\\/'\"`/g.test(b);", "const a = /[/*]\\/\\/'\"`/g.test(b);"),
        ("const a = b / c; // '", "const a = b / c;"),
        ("const a = f(/'/, b); // c", "const a = f(/'/, b);"),
        ("const a = b /* c\nd */ + 1;", "const a = b\n+ 1;"),
    ],
)
def test_comments_go_and_texts_and_patterns_stay(source: str, kept: str) -> None:
    assert "\n".join(body(source)) == kept


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        (
            {"main": 'import { a } from "./a.js";\nconst b = 1;', "a": "const b = 2;\nexport const a = b;"},
            "'b'",
        ),
        ({"main": 'import { a } from "./a.js";', "a": "const a = 2;"}, "does not export 'a'"),
        ({"main": 'import { a as b } from "./a.js";', "a": "export const a = 2;"}, "renamed"),
        ({"main": 'import * as a from "./a.js";', "a": ""}, "does not know"),
        ({"main": 'import "./a.js";', "a": ""}, "does not know"),
        ({"main": "export default 1;"}, "does not know"),
        ({"main": "const a = 1;\nexport { a };"}, "does not know"),
        ({"main": 'const a = await import("./a.js");'}, "does not know"),
        ({"main": 'import { a } from "a";'}, "not a module of the page"),
        ({"main": 'import { a } from "../a.js";'}, "outside"),
        ({"main": "const a = `one\ntwo`;"}, "several lines"),
        ({"main": "const { a: b } = c;"}, "pattern"),
        ({"main": "const [a, [b]] = c;"}, "pattern"),
        (
            {"main": 'import { b } from "./a.js";\nconst [a, c] = b;', "a": "export const { a, b } = self;"},
            "'a'",
        ),
        (
            {
                "main": 'import { a } from "./a.js";',
                "a": 'import { b } from "./b.js";\nexport const a = 1;',
                "b": 'import { a } from "./a.js";\nexport const b = 1;',
            },
            "a.js → b.js → a.js",
        ),
    ],
)
def test_what_one_scope_cannot_hold_is_refused(modules: dict[str, str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        joined(**modules)


def test_the_same_modules_give_the_same_bytes() -> None:
    assert bundle("engine/descent.js") == bundle("engine/descent.js")


@page_node.NEEDS_NODE
def test_the_script_does_what_the_modules_do() -> None:
    source = emitted({"well": Loss.from_text("w^4/4 - 2*w^2 + exp(-w)")})
    main = """
import { emitted } from "./emitted.js";
import { simulate } from "./engine/descent.js";
const problem = {
  loss: emitted.losses.well, parameters: [], data: [], start: [2.5], seed: 0, domain: [],
  rate: { initial: 0.03, schedule: "constant", options: {}, warmup: 0 },
  rule: { name: "adam", options: {} }, derivative: { method: "exact" },
  stopping: { maxSteps: 50, tolerance: 1e-8, bound: 1e8 }, noise: null, clip: null, lineSearch: false,
};
"""
    show = "(JSON.stringify([...simulate(problem, emitted).weight]));"
    expected = page_node.run(f"{main}answer{show}", emitted=source)
    script = bundle("main.js", source, modules={"main.js": f"{main}console.log{show}"})
    done = subprocess.run(["node", "-"], input=script, capture_output=True, encoding="utf-8", check=True)
    assert done.stdout.strip() == expected


@page_node.NEEDS_NODE
def test_every_module_alone_makes_a_script_that_node_reads() -> None:
    for path in sorted(JS.rglob("*.js")):
        name = path.relative_to(JS).as_posix()
        if name != "eslint.config.js" and "node_modules" not in name:
            script = bundle(name, emitted({}))
            done = subprocess.run(
                ["node", "--check", "-"], input=script, capture_output=True, encoding="utf-8"
            )
            assert done.returncode == 0, (name, done.stderr[-500:])


def test_no_two_modules_of_the_page_use_one_name() -> None:
    """Not only those that stand in one page today."""
    paths = [
        path.relative_to(JS).as_posix()
        for path in sorted(JS.rglob("*/*.js"))
        if "node_modules" not in path.parts
    ]
    exports = {path: re.search(r"^export \w+ (\w+)", (JS / path).read_text("utf-8"), re.M) for path in paths}
    lines = [f'import {{ {found[1]} }} from "./{path}";' for path, found in exports.items() if found]
    assert bundle("all.js", emitted({}), modules={"all.js": "\n".join(lines)})


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_no_package_of_node_is_kept_in_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", str(JS)], cwd=JS, capture_output=True, encoding="utf-8")
    assert "node_modules" not in listed.stdout
