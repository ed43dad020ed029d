"""Formulas as MathML, which browsers show by themselves: no script, no network, and no TeX to build them."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.writers.html5 import HTML5Translator


def converted(node: nodes.math | nodes.math_block) -> str:
    """Return a formula as a ``<math>`` element."""
    try:
        found = str(tex2mathml(node.astext(), as_block=isinstance(node, nodes.math_block)))
    except MathError as error:
        raise ExtensionError(f"{node.astext()}: {error}") from error
    # primes, where it leaves apostrophes
    return re.sub(r"<mo>'</mo>\s*<mo>'</mo>", "<mo>″</mo>", found).replace("<mo>'</mo>", "<mo>′</mo>")


def inline(self: HTML5Translator, node: nodes.math) -> None:
    self.body.append(converted(node))
    raise nodes.SkipNode


def block(self: HTML5Translator, node: nodes.math_block) -> None:
    self.body.append(f'<div class="formula">{converted(node)}</div>')
    raise nodes.SkipNode


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}
