r"""Text from a scenario, made harmless in LaTeX, Markdown and YAML; HTML and XML have the standard library's.

>>> latex("50 % of $x_1$"), markdown("a*b [c]")
('50 \\% of \\$x\\_1\\$', 'a\\*b \\[c\\]')
"""

from __future__ import annotations

import json
import re

_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_",
    "%": r"\%", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"\textquotedbl{}",
    "`": r"\textasciigrave{}", "[": "{[}", "]": "{]}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", "-": "-{}", "'": "'{}",
    "−": r"\ensuremath{-}", "×": r"\ensuremath{\times}", "·": r"\ensuremath{\cdot}", "±": r"\ensuremath{\pm}",
    "∞": r"\ensuremath{\infty}", "≤": r"\ensuremath{\leq}", "≥": r"\ensuremath{\geq}",
    "≠": r"\ensuremath{\neq}", "≈": r"\ensuremath{\approx}", "→": r"\ensuremath{\rightarrow}",
    "←": r"\ensuremath{\leftarrow}", "′": r"\ensuremath{'}", "″": r"\ensuremath{''}",
    "∂": r"\ensuremath{\partial}", "√": r"\ensuremath{\surd}", "∈": r"\ensuremath{\in}", "…": r"\ldots{}",
    "–": r"\textendash{}", "—": r"\textemdash{}", "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}", "‘": r"\textquoteleft{}", "’": r"\textquoteright{}",
    "∇": r"\ensuremath{\nabla}", "●": r"\ensuremath{\bullet}", "µ": r"\ensuremath{\mu}",
}  # fmt: skip
_GREEK = {
    "α": "alpha", "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "ζ": "zeta", "η": "eta",
    "θ": "theta", "ι": "iota", "κ": "kappa", "λ": "lambda", "μ": "mu", "ν": "nu", "ξ": "xi", "π": "pi",
    "ρ": "rho", "σ": "sigma", "τ": "tau", "υ": "upsilon", "φ": "phi", "χ": "chi", "ψ": "psi", "ω": "omega",
    "Γ": "Gamma", "Δ": "Delta", "Θ": "Theta", "Λ": "Lambda", "Ξ": "Xi", "Π": "Pi", "Σ": "Sigma",
    "Φ": "Phi", "Ψ": "Psi", "Ω": "Omega",
}  # fmt: skip
_LATEX |= {letter: rf"\ensuremath{{\{name}}}" for letter, name in _GREEK.items()}
_LATEX |= {
    sign: rf"\textsuperscript{{{digit}}}" for sign, digit in zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)
}
_LATEX |= {
    sign: rf"\textsubscript{{{digit}}}" for sign, digit in zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True)
}
_LATEX["⁻"] = r"\textsuperscript{\ensuremath{-}}"
#: letters of Latin-1 and Latin Extended-A that the T1 encoding has
_T1 = frozenset(
    "¡¿ÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÐÑÒÓÔÕÖØÙÚÛÜÝÞßàáâãäåæçèéêëìíîïðñòóôõöøùúûüýþÿ"
    "ĂăĄąĆćČčĎďĐđĘęĚěĞğİıŁłŃńŇňŐőŒœŔŕŘřŚśŞşŠšŢţŤťŮůŰűŸŹźŻżŽž£§"
)
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~^$&@!])")
_RUNS = re.compile(r"--|\.\.\.|==|::|\+\+")  # typography and marks of one dialect or another
_EMOJI = re.compile(r":(?=[\w+-]+:)")  # Marp looks for these after it has read the escapes
_LIST = re.compile(r"^(\(?\w{1,9})([.)])(?=\s|$)|^([-+=:])")


def latex(text: str) -> str:
    r"""Return text for LaTeX; a sign that pdfLaTeX lacks becomes ``\gdsimsign{…}``, which any engine can set.

    >>> latex("η₁ = 1×10⁻³")
    '\\ensuremath{\\eta}\\textsubscript{1} = 1\\ensuremath{\\times}10\\textsuperscript{\\ensuremath{-}}\\textsuperscript{3}'
    >>> latex("中")
    '\\gdsimsign{4E2D}'
    """  # noqa: E501
    return "".join(_LATEX.get(sign) or _sign(sign) for sign in text)


def _sign(sign: str) -> str:
    return sign if sign.isascii() or sign in _T1 else rf"\gdsimsign{{{ord(sign):X}}}"


def markdown(text: str) -> str:
    r"""Return text for Pandoc's Markdown and CommonMark alike: no mark-up, no list, no shortcode, no HTML.

    >>> markdown("1. {{< include x >}} <!-- :smile: -->")
    '1\\. \\{\\{\\< include x \\>\\}\\} \\<\\!\\-\\- :\u200bsmile: \\-\\-\\>'
    """
    escaped = _MARKDOWN.sub(r"\\\1", text)
    escaped = _EMOJI.sub(":\u200b", escaped)
    escaped = _RUNS.sub(lambda found: "".join(f"\\{sign}" for sign in found[0]), escaped)
    return _LIST.sub(lambda found: f"{found[1]}\\{found[2]}" if found[1] else f"\\{found[3]}", escaped)


def attribute(text: str) -> str:
    r"""Return text as a quoted attribute of Pandoc's Markdown.

    >>> attribute('a "b" {{< c >}}')
    '"a \\"b\\" { {< c >} }"'
    """
    plain = text.replace("{{", "{ {").replace("}}", "} }")
    return '"' + plain.replace("\\", "\\\\").replace('"', '\\"') + '"'


def yaml(text: str) -> str:
    r"""Return text as a YAML scalar.

    >>> yaml('say "hi": now')
    '"say \\"hi\\": now"'
    """
    return json.dumps(text, ensure_ascii=False)
