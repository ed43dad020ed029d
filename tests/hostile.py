"""What nobody sends by mistake: formulas, scenarios, tables and files made to do harm or to break something.

Each case is a folder to prepare and the words of a command to give there. All of them are refused, with exit
code 2 and a sentence, unless ``fine`` says that the input is odd but right.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

Content = bytes | Callable[[Path], None]


class Case(NamedTuple):
    """One attack: its name, the files it lays out, the command, and whether the input is in fact right."""

    name: str
    files: dict[str, Content]
    command: tuple[str, ...]
    fine: bool = False


_HEAD = "initial_weight: 1\nlearning_rate: 0.1\nstopping: {max_steps: 3}\n"

# ---- formulas -------------------------------------------------------------------------------------------

ESCAPES = (
    "__import__('os').system('id')", "__import__", "w.__class__", "w.__class__.__mro__[1].__subclasses__()",
    "().__class__.__bases__[0]", "(w).real", "w.real", "sin.__globals__", "sin.__call__(w)", "getattr(w, 'x')",
    "eval('1')", "exec('1')", "compile('1','','eval')", "open('/etc/passwd')", "globals()", "locals()", "vars()",
    "dir(w)", "breakpoint()", "input()", "print(w)", "exit()", "quit()", "help()", "type(w)", "object()",
    "lambda: 1", "lambda w: w", "[w for w in (1,2)]", "{w for w in (1,2)}", "{1: w}", "[1, 2][0]", "w[0]", "w[0:1]",
    "(w := 3)", "w = 3", "w == 3", "w < 3", "w if w else 1", "w and 1", "not w", "w is w", "w in (1,)", "yield w",
    "await w", "*w", "**w", "f'{w}'", "f(w)", "'w'", '"w"', "b'w'", "r'w'", "'''w'''", "w; import os", "import os",
    "from os import *", "w\nimport os", "del w", "raise w", "assert w", "...", "None", "True", "False",
    "__debug__", "_", "__", "_w", "__proto__.x", "toString()", "w.constructor('x')()",
    "${7*7}", "{{7*7}}", "<%= 7*7 %>", "$(id)", "`id`", "| id", "&& id", "; id", "> /tmp/x", "%s%s%s%n", "\\x41",
    "\\input{/etc/passwd}", "\\write18{id}", "=cmd|'/C calc'!A0", "@SUM(1+1)", "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>", "javascript:alert(1)", "w//2", "w % 2", "w @ w", "w << 2", "w >> 2", "w & 1",
    "w | 1", "~w", "w!", "w'", "w?", "w$", "#", "w #", "w \\ 2", "0x10", "0b1", "0o7", "1_000", "1e",
    "1e+", "1.2.3", "..", ".", ",", "(", ")", "((w)", "(w))", "w +", "* w", "w ** ** 2", "w + + * 2", "()", "sin",
    "sin()", "sin(w, w, w)", "sin(w", "where(w)", "where(w, 1, 2)", "where(w < 1 < 2, 1, 2)",
    "where(w > 0 and w < 1, 1, 2)", "mean(mean(w))", "sum()", "max()", "sin(x=w)", "sin(*w)", "sin(**w)", "", " ",
)  # fmt: skip
LOOK_ALIKES = (
    "ѕin(w)", "еxp(w)", "s\u200bin(w)", "w\u202e+1", "w\u00adw", "\ufeffw\ufeff", "w\u2060",     "w\u0301", "ﬁ(w)", "1٣", "w²³⁻", "²w", "w＋1", "w‐1", "w❘1", "∑w", "∫w", "√w", "∞", "w→1", "𝟙𝟚w(", "w\x00", "w\x07",
    "w\x1b[31m", "w\ud7ff", "w\U000e0041", "\U0001f4a5", "w\u2028w(", "‮w", "ŀ", "wŀ", "Ŀ + w",
)  # fmt: skip
INNOCENT = (
    "pass",
    "w__",
    "constructor",
    "1j",
    "2jw",
    "ｓｉｎ(ｗ) + 𝘄",
    "ｗ__",
    "w\x85",
    "w^1e308",
    "print",
    "e^pi*w",
)
GIANTS = {
    "power-tower": "^".join(["9"] * 60), "power-tower-of-weights": "^".join(["w"] * 300), 
    "long-literal": "9" * 5000 + "*w",
    "exponent-of-a-million": "1e1000000*w", "exponent-of-a-trillion": "1e999999999999*w",
    "tiny-exponent": "1e-999999999999*w", "long-decimal": "0." + "3" * 5000 + "*w", "long-name": "x" * 5000,
    "deep-brackets": "(" * 300 + "w" + ")" * 300, "deeper-brackets": "(" * 100_000 + "w" + ")" * 100_000,
    "open-brackets": "(" * 50_000, "deep-calls": "sin(" * 200 + "w" + ")" * 200,
    "deeper-calls": "exp(" * 50_000 + "w" + ")" * 50_000, "minus-signs": "-" * 10_000 + "w",
    "plus-signs": "+" * 10_000 + "w", "many-terms": "+".join(["w"] * 100_000), "many-factors": "w*" * 3000 + "w",
    "implicit-products": "w " * 3000, "many-arguments": "max(" + ",".join(["w"] * 5000) + ")",
    "many-weights": "+".join(f"w{i}" for i in range(5000)), "spaces": " " * 200_000 + "w(",
    "new-lines": "\n" * 5000 + "w(", "superscripts": "w" + "²" * 5000, "nested-where": "where(w>0," * 200 + "w" + ",1)" * 200,
    "combining-marks": "w" + "\u0301" * 5000, "dots": "." * 5000, "sums-of-sums": "sum(" * 100 + "w" + ")" * 100,
    "commas": "max(" + "," * 5000 + ")",
}  # fmt: skip


#: written out, its derivative has four million parts
MAXIMA = "max(w^2*" * 16 + "w" + ", 2)/2" * 16


def _loss(name: str, formula: str, fine: bool = False) -> Case:
    quoted = "".join(_in_quotes(sign) for sign in formula)
    text = f'loss: "{quoted}"\n{_HEAD}'
    files: dict[str, Content] = {"s.yaml": text.encode()}
    return Case(f"{'odd' if fine else 'formula'}: {name}", files, ("run", "s.yaml", "--no-plot"), fine)


def _in_quotes(sign: str) -> str:
    if sign in '"\\':
        return "\\" + sign
    if sign.isprintable() and ord(sign) < 0x10000:
        return sign
    return f"\\U{ord(sign):08x}"


def _formulas() -> Iterator[Case]:
    for formula in (*ESCAPES, *LOOK_ALIKES):
        yield _loss(formula.encode("unicode_escape").decode() or "nothing", formula)
    for formula in INNOCENT:
        yield _loss(formula.encode("unicode_escape").decode(), formula, fine=True)
    for name, formula in GIANTS.items():
        yield _loss(name, formula)
    for formula in ("__import__('os')", "(" * 5000, "9" * 6000, "ѕin(w)", "w.__class__", "1e999999999999"):
        yield Case(f"derive: {formula[:20]}", {}, ("derive", formula))
        yield Case(f"critical: {formula[:20]}", {}, ("critical", formula))
        yield Case(
            f"rate: {formula[:20]}", {}, ("run", "parabola", "-S", f"learning_rate={formula}", "--no-plot")
        )
    for words in (("derive", MAXIMA, "--at", "1"), ("derive", MAXIMA, "--json"), ("critical", MAXIMA)):
        yield Case(f"odd: maxima in maxima, {words[0]} {words[-1][-6:]}", {}, words, fine=True)
    yield _loss("maxima in maxima", MAXIMA, fine=True)


# ---- scenarios ------------------------------------------------------------------------------------------

_BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{here}: &{here} [{','.join([f'*{before}'] * 9)}]\n"
    for before, here in zip("abcdefgh", "bcdefghi", strict=True)
)
YAML = {
    "alias-bomb": _BOMB, "alias-in-itself": "loss: &a [*a]\n" + _HEAD, "merge-key": "<<: {loss: w^2}\n" + _HEAD,
    "merge-of-an-alias": "x: &x {loss: w^2}\n<<: *x\n" + _HEAD, "unknown-alias": "loss: *nothing\n" + _HEAD,
    "python-object": "loss: !!python/object/apply:os.system [id]\n" + _HEAD,
    "python-name": "loss: !!python/name:os.system\n" + _HEAD, "python-module": "loss: !!python/module:os\n" + _HEAD,
    "binary-tag": "loss: !!binary aWQ=\n" + _HEAD, "set-tag": "loss: !!set {w^2}\n" + _HEAD,
    "own-tag": "loss: !run id\n" + _HEAD, "tag-directive": "%TAG ! tag:evil,2026:\n---\nloss: !x w^2\n" + _HEAD,
    "omap": "!!omap [loss: w^2]\n",
    "integer-tag": "loss: !!int w\n" + _HEAD, "float-tag": "loss: w^2\nlearning_rate: !!float x\ninitial_weight: 1\n",
    "duplicate-key": "loss: w^2\nloss: w^4\n" + _HEAD, "duplicate-deep": f"loss: w^2\n{_HEAD}domain: {{w: [0, 1], w: [0, 2]}}\n",
    "list-as-key": "? [loss]\n: w^2\n" + _HEAD, "mapping-as-key": "? {loss: 1}\n: w^2\n" + _HEAD,
    "null-key": "~: w^2\n" + _HEAD, "number-key": "1: w^2\n" + _HEAD, "two-documents": f"loss: w^2\n{_HEAD}---\nloss: w^4\n",
    "empty": "", "comment-only": "# nothing\n", "null": "~\n", "a-number": "3\n", "a-list": "[1, 2]\n", "a-word": "loss\n",
    "tab": "loss: w^2\n\tinitial_weight: 1\n", "open-bracket": "loss: [w^2\n", "open-quote": 'loss: "w^2\n', "open-brace": "{",
    "deep-lists": "loss: " + "[" * 5000 + "]" * 5000, "deep-mappings": "loss: " + "{a: " * 5000 + "}" * 5000,
    "deep-indent": "".join(" " * i + "a:\n" for i in range(2000)), "long-key": "x" * 100_000 + ": 1\n",
    "many-keys": "".join(f"k{i}: 1\n" for i in range(20_000)), "many-dashes": "- " * 5000 + "x\n",
    "nul": f"loss: w^2\x00\n{_HEAD}", "bell": f"loss: w^2\x07\n{_HEAD}", "escape-sign": f"title: \x1b[31mred\nloss: w^2\n{_HEAD}",
    "nan-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: .nan\n", "inf-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: .inf\n",
    "huge-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: 1e999\n", "true-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: true\n",
    "text-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: fast\n", "list-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: [0.1]\n",
    "long-integer": f"loss: w^2\n{_HEAD}seed: {'9' * 5000}\n", "negative-seed": f"loss: w^2\n{_HEAD}seed: -1\n",
    "seed-too-large": f"loss: w^2\n{_HEAD}seed: 99999999999999999999999\n", "hexadecimal-rate": "loss: w^2\ninitial_weight: 1\nlearning_rate: 0xzz\n",
    "steps-beyond-memory": "loss: w^2\ninitial_weight: 1\nlearning_rate: 1e-9\nstopping: {max_steps: 9e18}\n",
    "steps-infinite": "loss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\nstopping: {max_steps: .inf}\n",
    "steps-negative": "loss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\nstopping: {max_steps: -1}\n",
    "steps-a-fraction": "loss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\nstopping: {max_steps: 1.5}\n",
    "record-zero": f"loss: w^2\n{_HEAD}record: {{every: 0}}\n", "unknown-key": f"loss: w^2\n{_HEAD}exec: id\n",
    "dunder-key": f"loss: w^2\n{_HEAD}__class__: x\n", "weight-named-step": "loss: step^2\ninitial_weight: {step: 1}\nlearning_rate: 0.1\n",
    "weight-named-loss": "loss: loss^2\ninitial_weight: {loss: 1}\nlearning_rate: 0.1\n", "weight-dunder": "loss: w^2\ninitial_weight: {__class__: 1}\nlearning_rate: 0.1\n",
    "weight-formula": 'loss: w^2\ninitial_weight: {"=1+1": 1}\nlearning_rate: 0.1\n', "weight-without-start": "loss: w^2 + v^2\ninitial_weight: {w: 1}\nlearning_rate: 0.1\n",
    "start-too-many": "loss: w^2\ninitial_weight: {w: 1, v: 2}\nlearning_rate: 0.1\n", "start-null": "loss: w^2\ninitial_weight: ~\nlearning_rate: 0.1\n",
    "start-a-text": "loss: w^2\ninitial_weight: {w: '1; rm -rf /'}\nlearning_rate: 0.1\n", "domain-turned-round": f"loss: w^2\n{_HEAD}domain: [2, -2]\n",
    "domain-empty": f"loss: w^2\n{_HEAD}domain: [1, 1]\n", "domain-infinite": f"loss: w^2\n{_HEAD}domain: [-.inf, .inf]\n",
    "domain-three": f"loss: w^2\n{_HEAD}domain: [1, 2, 3]\n", "domain-of-another": f"loss: w^2\n{_HEAD}domain: {{v: [0, 1]}}\n",
    "rule-unknown": f"loss: w^2\n{_HEAD}update_rule: sdg\n", "rule-with-dots": f"loss: w^2\n{_HEAD}update_rule: ../../os.system\n",
    "rule-option-unknown": f"loss: w^2\n{_HEAD}update_rule: {{name: adam, beta: 1}}\n", "rule-momentum-two": f"loss: w^2\n{_HEAD}update_rule: {{name: momentum, momentum: 2}}\n",
    "derivative-unknown": f"loss: w^2\n{_HEAD}derivative: os.system\n", "derivative-step-zero": f"loss: w^2\n{_HEAD}derivative: {{method: numeric, scheme: forward, step: 0}}\n",
    "schedule-unknown": "loss: w^2\ninitial_weight: 1\nlearning_rate: {schedule: cosin, initial: 0.1}\n",
    "noise-negative": f"loss: w^2\n{_HEAD}noise: {{kind: gaussian, scale: -1}}\n", "minibatch-without-data": f"loss: w^2\n{_HEAD}noise: {{kind: minibatch, size: 4}}\n",
    "schema-of-tomorrow": f"schema: 99\nloss: w^2\n{_HEAD}", "schema-a-text": f"schema: one\nloss: w^2\n{_HEAD}",
    "loss-a-list": "loss: [w^2]\n" + _HEAD, "loss-null": "loss: ~\n" + _HEAD, "loss-unknown-name": "loss: {name: ../../etc/passwd}\n" + _HEAD,
    "parameter-as-formula": "loss: {expression: a*w^2, parameters: {a: __import__('os')}}\n" + _HEAD, "parameter-infinite": "loss: {expression: a*w^2, parameters: {a: .inf}}\n" + _HEAD,
    "parameter-named-pi": "loss: {expression: pi*w^2, parameters: {pi: 3}}\n" + _HEAD,
    "expect-unknown": f"loss: w^2\n{_HEAD}expect: {{verdict: wonderful}}\n", "expect-step-text": f"loss: w^2\n{_HEAD}expect: {{at: {{ten: 1}}}}\n",
    "name-with-path": f"name: ../../evil\nloss: w^2\n{_HEAD}", "name-absolute": f"name: /tmp/evil\nloss: w^2\n{_HEAD}", "name-dots": f"name: ..\nloss: w^2\n{_HEAD}",
    "name-with-backslash": f"name: ..\\evil\nloss: w^2\n{_HEAD}", "name-with-new-line": f'name: "a\\nb"\nloss: w^2\n{_HEAD}',
    "name-with-nul": f'name: "a\\0b"\nloss: w^2\n{_HEAD}', "name-too-long": f"name: {'n' * 500}\nloss: w^2\n{_HEAD}", "name-a-device": f"name: CON:\nloss: w^2\n{_HEAD}",
    "name-empty": f'name: ""\nloss: w^2\n{_HEAD}', "name-a-list": f"name: [a]\nloss: w^2\n{_HEAD}",
    "extends-itself": f"extends: s.yaml\nloss: w^2\n{_HEAD}", "extends-nothing": f"extends: gone.yaml\nloss: w^2\n{_HEAD}",
    "extends-passwd": f"extends: /etc/passwd\nloss: w^2\n{_HEAD}", "extends-a-folder": f"extends: .\nloss: w^2\n{_HEAD}", "extends-a-device": f"extends: /dev/zero\nloss: w^2\n{_HEAD}",
    "extends-an-address": f"extends: https://example.org/s.yaml\nloss: w^2\n{_HEAD}", "extends-a-list": f"extends: [s.yaml]\nloss: w^2\n{_HEAD}",
    "data-passwd": f"loss: mean((w*x)^2)\ndata: {{file: /etc/passwd}}\n{_HEAD}", "data-upwards": f"loss: mean((w*x)^2)\ndata: {{file: ../../../../etc/passwd}}\n{_HEAD}",
    "data-a-folder": f"loss: mean((w*x)^2)\ndata: {{file: .}}\n{_HEAD}", "data-a-device": f"loss: mean((w*x)^2)\ndata: {{file: /dev/zero}}\n{_HEAD}",
    "data-memory": f"loss: mean((w*x)^2)\ndata: {{file: /proc/self/mem}}\n{_HEAD}", "data-an-address": f"loss: mean((w*x)^2)\ndata: {{file: 'http://example.org'}}\n{_HEAD}",
    "data-with-nul": f'loss: mean((w*x)^2)\ndata: {{file: "a\\0b"}}\n{_HEAD}', "data-long-name": f"loss: mean((w*x)^2)\ndata: {{file: {'x' * 5000}}}\n{_HEAD}",
    "data-ragged": f"loss: mean((w*x - y)^2)\ndata: {{x: [1, 2], y: [1]}}\n{_HEAD}", "data-of-text": f"loss: mean((w*x)^2)\ndata: {{x: [1, two]}}\n{_HEAD}",
    "data-infinite": f"loss: mean((w*x)^2)\ndata: {{x: [1, .inf]}}\n{_HEAD}", "data-empty": f"loss: mean((w*x)^2)\ndata: {{x: []}}\n{_HEAD}", "column-named-as-weight": f"loss: mean((w*x)^2)\ndata: {{w: [1], x: [1]}}\n{_HEAD}",
}  # fmt: skip
BYTES: dict[str, bytes] = {
    "latin-1": "loss: w^2 # é\n".encode("latin-1") + _HEAD.encode(), "utf-16": ("loss: w^2\n" + _HEAD).encode("utf-16"),
    "utf-32": ("loss: w^2\n" + _HEAD).encode("utf-32"), "half-a-letter": b"loss: w^2\ntitle: \xc3\n" + _HEAD.encode(),
    "overlong": b"loss: w^2\ntitle: \xc0\xaf\n" + _HEAD.encode(), "surrogate": b"loss: w^2\ntitle: \xed\xa0\x80\n" + _HEAD.encode(),
    "all-bytes": bytes(range(256)), "gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00", "elf": b"\x7fELF\x02\x01\x01", "zeros": b"\0" * 1000,
    "two-megabytes": b"# " + b"x" * (2 << 20) + b"\nloss: w^2\n" + _HEAD.encode(), "one-long-line": b"loss: " + b"w+" * 400_000 + b"w\n" + _HEAD.encode(),
}  # fmt: skip
SWEEPS = {
    "of-all": "learning_rate: {min: 0, max: 1, num: 1000000000000000000}", "of-a-dunder": "__class__: {values: [1]}",
    "of-ten-axes": ", ".join(f"loss.parameters.a{i}: {{min: 0, max: 1, num: 1000}}" for i in range(10)),
    "of-nothing": "learning_rate: {values: []}", "without-end": "learning_rate: {min: 0, max: .inf, num: 5}",
    "backwards": "learning_rate: {min: 1, max: 0, num: 5}", "of-text": "learning_rate: {values: [fast]}",
    "of-the-name": "name: {values: [a, ../b]}", "of-data": "data.file: {values: [/etc/passwd]}",
}  # fmt: skip
ODD_BUT_RIGHT: dict[str, bytes] = {
    "byte-order-mark": b"\xef\xbb\xbfloss: w^2\n" + _HEAD.encode(), "carriage-returns": b"loss: w^2\r\n" + _HEAD.replace("\n", "\r\n").encode(),
    "markup-in-the-title": b'title: "<script>alert(1)</script> $\\\\input{x}$ =1+1"\nloss: w^2\n' + _HEAD.encode(),
    "aliases": b"loss: w^2\ninitial_weight: &a 1\nlearning_rate: *a\nstopping: {max_steps: 3}\n", "flow": b"{loss: w^2, initial_weight: 1, learning_rate: 0.1}",
    "document-marks": b"---\nloss: w^2\n" + _HEAD.encode() + b"...\n", "yaml-directive": b"%YAML 1.2\n---\nloss: w^2\n" + _HEAD.encode(),
}  # fmt: skip


def _scenarios() -> Iterator[Case]:
    command = ("run", "s.yaml", "--no-plot")
    for name, text in YAML.items():
        yield Case(f"scenario: {name}", {"s.yaml": text.encode()}, command)
    for name, content in BYTES.items():
        yield Case(f"bytes: {name}", {"s.yaml": content}, command)
    for name, content in ODD_BUT_RIGHT.items():
        yield Case(f"odd: {name}", {"s.yaml": content}, command, fine=True)
    for name, axes in SWEEPS.items():
        text = f"loss: w^2\n{_HEAD}sweep: {{parameters: {{{axes}}}}}\n"
        yield Case(f"sweep: {name}", {"s.yaml": text.encode()}, ("sweep", "s.yaml", "--no-plot"))
    ring = {f"{a}.yaml": f"extends: {b}.yaml\nloss: w^2\n{_HEAD}".encode() for a, b in ("sa", "ab", "bs")}
    yield Case("scenario: extends-in-a-ring", ring, command)
    chain: dict[str, Content] = {f"c{i}.yaml": f"extends: c{i + 1}.yaml\n".encode() for i in range(500)}
    yield Case("scenario: extends-five-hundred", {**chain, "s.yaml": b"extends: c0.yaml\n"}, command)


# ---- tables ---------------------------------------------------------------------------------------------

TABLES: dict[str, bytes] = {
    "empty": b"", "blank-lines": b"\n\n\n", "header-only": b"x,y\n", "no-header": b"1,2\n3,4\n", "formulas": b"x,y\n=1+1,2\n",
    "command": b"x,y\n=cmd|'/C calc'!A0,1\n", "at-sign": b"x,y\n@SUM(1),1\n", "ragged-short": b"x,y\n1\n", "ragged-long": b"x,y\n1,2,3\n",
    "semicolons": b"x;y\n1;2\n", "decimal-commas": b"x;y\n1,5;2\n", "tabs": b"x\ty\n1\t2\n", "twice": b"x,x\n1,2\n", "unnamed": b"x,\n1,2\n",
    "nan": b"x,y\nnan,1\n", "inf": b"x,y\ninf,1\n", "too-large": b"x,y\n1e999,1\n", "hexadecimal": b"x,y\n0x10,1\n", "thousands": b'x,y\n"1,000",1\n',
    "underscores": b"x,y\n1_000,1\n", "other-digits": "x,y\n٣,1\n".encode(), "words": b"x,y\none,two\n", "empty-cells": b"x,y\n,\n", "open-quote": b'x,y\n"1,2\n',
    "nul": b"x,y\n1\0,2\n", "not-utf-8": b"x,y\n\xff,2\n", "utf-16": "x,y\n1,2\n".encode("utf-16"), "huge-cell": b"x,y\n" + b"1" * (1 << 20) + b",2\n",
    "huge-header": b",".join(b"c%d" % i for i in range(20_000)) + b"\n1\n", "long-row": b"x,y\n" + b"1," * 500_000 + b"1\n", "all-wrong": b"x,y\n" + b"a,b\n" * 200_000,
    "fifteen-megabytes-wrong": b"x,y\n" + b"a,b\n" * 3_900_000, "eighteen-megabytes": b"x,y\n" + b"1,2\n" * 4_500_000,
    "markup": b"x,y\n<script>,1\n", "column-dunder": b"__class__,y\n1,2\n",
}  # fmt: skip


def _tables() -> Iterator[Case]:
    scenario = f"loss: mean((w*x - y)^2)\ndata: {{file: t.csv}}\n{_HEAD}".encode()
    for name, table in TABLES.items():
        yield Case(f"table: {name}", {"s.yaml": scenario, "t.csv": table}, ("run", "s.yaml", "--no-plot"))
    fine = b"\xef\xbb\xbfx,y\r\n1,2\r\n\r\n3,4\r\n"
    yield Case("odd: table", {"s.yaml": scenario, "t.csv": fine}, ("run", "s.yaml", "--no-plot"), fine=True)


# ---- files ----------------------------------------------------------------------------------------------


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _link(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(target)


def _sparse(size: int) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size)

    return write


def _folder(path: Path) -> None:
    path.mkdir()


def _files() -> Iterator[Case]:
    good = f"loss: w^2\n{_HEAD}".encode()
    table = f"loss: mean((w*x - y)^2)\ndata: {{file: t.csv}}\n{_HEAD}".encode()
    extending = f"extends: t.yaml\nloss: w^2\n{_HEAD}".encode()
    special: dict[str, Content] = {
        "pipe": _pipe, "link-to-a-pipe": _link("/dev/stdin"), "link-to-itself": _link("t"), "link-to-nothing": _link("gone"),
        "link-to-zeros": _link("/dev/zero"), "link-to-random": _link("/dev/urandom"), "link-to-passwd": _link("/etc/passwd"),
        "hundred-megabytes": _sparse(100 << 20), "terabyte": _sparse(1 << 40), "folder": _folder,
    }  # fmt: skip
    for name, content in special.items():
        yield Case(f"file: {name}", {"s.yaml": content}, ("validate", "s.yaml"), fine=False)
        yield Case(f"data: {name}", {"s.yaml": table, "t.csv": content}, ("run", "s.yaml", "--no-plot"))
        yield Case(
            f"extends: {name}", {"s.yaml": extending, "t.yaml": content}, ("run", "s.yaml", "--no-plot")
        )
        if name != "folder":
            yield Case(
                f"out: {name}", {"s.yaml": good, "o": content}, ("run", "s.yaml", "--no-plot", "--out", "o")
            )
    yield Case("file: /dev/zero", {}, ("run", "/dev/zero", "--no-plot"))
    yield Case("file: name-of-a-megabyte", {}, ("run", "x" * 100_000 + ".yaml", "--no-plot"))
    yield Case("file: nul-in-an-option", {}, ("run", "parabola", "-S", "name=a\tb", "--no-plot"))
    yield Case("set: path-of-dunders", {}, ("run", "parabola", "-S", "__class__.__init__=1", "--no-plot"))
    yield Case("set: deep-path", {}, ("run", "parabola", "-S", ".".join(["a"] * 10_000) + "=1", "--no-plot"))
    yield Case("set: bomb", {}, ("run", "parabola", "-S", "domain=" + "[" * 5000, "--no-plot"))
    yield Case("preset: path", {}, ("run", "parabola", "--config", "../../../etc/passwd", "--no-plot"))


CASES = {case.name: case for case in (*_formulas(), *_scenarios(), *_tables(), *_files())}


def lay_out(case: Case, folder: Path) -> None:
    """Write the files of a case into a folder."""
    for name, content in case.files.items():
        if isinstance(content, bytes):
            (folder / name).write_bytes(content)
        else:
            content(folder / name)
