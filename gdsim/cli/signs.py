"""Signs that an encoding lacks, written with those it has: η as ``eta``, − as ``-``, x⁴ as ``x^4``."""

from __future__ import annotations

import re
import unicodedata

_SIGNS = {
    "−": "-", "–": "-", "—": "-", "′": "'", "″": "''", "’": "'", "‘": "'", "“": '"', "”": '"', "…": "...",
    "·": "*", "×": "x", "∂": "d", "∇": "grad ", "√": "sqrt", "∞": "inf", "≈": "~", "≠": "!=", "≤": "<=",
    "≥": ">=", "→": "->", "←": "<-", "↑": "^", "↓": "v", "⇒": "=>", "±": "+-", "∝": "~", "∈": "in",
    "Σ": "sum", "∑": "sum", "½": "1/2", "¼": "1/4", "λ": "lambda", "Λ": "Lambda", "»": ">", "«": "<",
    "✓": "+", "✗": "x", "•": "*", "●": "*", "○": "o", "│": "|", "└": "+", "─": "-", "╌": "-",
    "█": "#", "▓": "#", "▒": ":", "░": ".",
}  # fmt: skip
_RAISED = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻ⁿˣʷʰᵏ", "0123456789+-nxwhk", strict=True))
_LOWERED = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋ₙₓₖ", "0123456789+-nxk", strict=True))
_RUNS = re.compile(f"([{''.join(_RAISED)}]+)|([{''.join(_LOWERED)}]+)")


def readable(text: str) -> str:
    """Write a text with signs of ASCII, as far as there are any for it; what is left becomes ``?``.

    >>> readable("η·∂L/∂w ≤ 10⁻¹¹"), readable("w₀ → naïve 字")
    ('eta*dL/dw <= 10^-11', 'w_0 -> naive ?')
    """

    def level(run: re.Match[str]) -> str:
        signs = _RAISED if run[1] else _LOWERED
        return ("^" if run[1] else "_") + "".join(signs[sign] for sign in run[0])

    return "".join(map(_spelled, _RUNS.sub(level, text)))


def _spelled(sign: str) -> str:
    if sign.isascii():
        return sign
    if sign in _SIGNS:
        return _SIGNS[sign]
    name = unicodedata.name(sign, "")
    if greek := re.match(r"GREEK (SMALL|CAPITAL) LETTER (\w+)$", name):
        return greek[2].lower() if greek[1] == "SMALL" else greek[2].capitalize()
    plain = unicodedata.normalize("NFKD", sign).encode("ascii", "ignore").decode()
    return plain or "?"


def spelled(error: UnicodeError) -> tuple[str, int]:
    """Spell what cannot be encoded: a handler for :func:`codecs.register_error`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = readable(error.object[error.start : error.end])
    greek = "GREEK" in unicodedata.name(error.object[error.end - 1], "")
    product = greek and error.object[error.end : error.end + 1].isalpha()  # ηL is a product, etaL a word
    return text + "*" * product, error.end
