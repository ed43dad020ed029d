"""From the characters of a formula to Python source that holds nothing of the user's.

Numbers and names are kept aside, in lists, and ``ast.parse`` sees only their places in those lists:
decimals stay exact, no literal can be large, no name can be a keyword, and every character of the
source is plain ASCII that knows its place in the text as written.
"""

from __future__ import annotations

import ast
import re
from fractions import Fraction
from itertools import pairwise
from math import isfinite
from typing import NamedTuple
from unicodedata import normalize

from gdsim.expr.functions import CONSTRUCTS, FUNCTIONS
from gdsim.outcomes import Fault, InputError

_SUPERSCRIPTS = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_DIGITS = str.maketrans(_SUPERSCRIPTS + "⁻", "0123456789-")
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    rf"|(?P<name>[^\W\d{_SUPERSCRIPTS}][^\W{_SUPERSCRIPTS}]*)"
    rf"|(?P<superscript>⁻?[{_SUPERSCRIPTS}]+)"
    r"|(?P<operator>\*\*|<=|>=|==|!=|[-+*/^(),<>−–·⋅×∙÷≤≥≠])"
)
_SPELLING = {
    "^": "**", "−": "-", "–": "-", "·": "*", "⋅": "*", "∙": "*", "×": "*", "÷": "/",
    "≤": "<=", "≥": ">=", "≠": "!=",
}  # fmt: skip
_BINARY = frozenset({"**", "*", "/", "<", ">", "<=", ">=", "==", "!="})

_ANY = "numbers, names, + - * / ^ ( ) ,"
_CHOICE = "where(x > 0, a, b) with one comparison"
_HINTS = {
    "|": "abs(x) for an absolute value",
    "=": "an expression without =; inside where(x == 0, a, b) a comparison is written ==",
    "&": _CHOICE,
    "~": _CHOICE,
    "[": "round brackets",
    "{": "round brackets",
    "]": "round brackets",
    "}": "round brackets",
    "%": "a fraction such as 5/100",
    "√": "sqrt(x)",
    "!": "a product written out, such as 1*2*3",
    "'": "a formula without quotes; gdsim takes the derivative itself",
    '"': "a formula without quotes",
    ".": "a number such as 0.5; names have no dots, and functions no module: sin(x)",
    ":": "one expression without : or lambda",
    "∞": "a finite number",
    "_": "names that begin with a letter and numbers without _",
}
_WORDS = {
    **dict.fromkeys(("if", "else", "and", "or", "not", "in", "is", "for"), _CHOICE),
    **dict.fromkeys(("True", "False", "None"), "a number"),
    **dict.fromkeys(("inf", "nan", "infinity", "Infinity", "NaN"), "a finite number"),
}
_WHOLE = "an expression such as (w - 3)^2"


class Token(NamedTuple):
    """A number, name, superscript or operator, and its place (from 0) in the text as written."""

    kind: str
    text: str
    place: int

    @property
    def sign(self) -> str:
        """The operator as Python spells it, or "" for anything else."""
        return _SPELLING.get(self.text, self.text) if self.kind == "operator" else ""


class Source(NamedTuple):
    """What Python's parser gets, what was kept aside, and the way back to the text as written."""

    text: str
    python: str
    places: tuple[int, ...]  # for each character of ``python`` its place in ``text``
    numbers: tuple[Fraction, ...]
    names: tuple[str, ...]

    def tree(self) -> ast.expr:
        """Return Python's own tree; every kind of failure is an InputError."""
        try:
            return ast.parse(self.python, mode="eval").body
        except SyntaxError as error:
            if "nested" in error.msg:
                raise InputError(Fault("the formula is nested too deeply", "fewer brackets")) from None
            at = min(max((error.offset or 1) - 1, 0), len(self.places) - 1)
            raise InputError(Fault("this does not fit here", _WHOLE, column=self.places[at] + 1)) from None
        except (RecursionError, MemoryError, ValueError):
            raise InputError(Fault("the formula is nested too deeply", "fewer brackets and signs")) from None

    def name(self, node: ast.Name) -> str:
        """Return the name that a placeholder stands for."""
        return self.names[int(node.id[1:])]

    def number(self, node: ast.Constant) -> Fraction:
        """Return the number that a placeholder stands for."""
        return self.numbers[int(str(node.value))]

    def column(self, node: ast.expr) -> int:
        """Return the column, from 1, at which a node begins in the text as written."""
        return self.places[min(node.col_offset, len(self.places) - 1)] + 1

    def behind_name(self, call: ast.Call) -> str:
        """Return the brackets of a call as they were written, for suggestions."""
        assert isinstance(call.func, ast.Name)
        begin = self.places[call.func.col_offset]
        end = self.places[(call.end_col_offset or 1) - 1]
        return self.text[self.text.index("(", begin) : end + 1]


def read(text: str) -> Source:
    """Split a formula into tokens, check how they stand together, and write Python source.

    Raises
    ------
    InputError
        With the column of the first character, name, number or bracket that cannot stand there.
    """
    tokens = _tokens(text)
    for first, second in pairwise(tokens):
        _check_pair(first, second)
    _check_brackets(tokens, text)
    pieces: list[str] = []
    places: list[int] = []
    numbers: list[Fraction] = []
    names: list[str] = []
    before: Token | None = None
    for token in tokens:
        piece = "" if before is None else "*" if _multiplies(before, token) else " "
        if token.kind == "name":
            piece += f"n{len(names)}"
            names.append(token.text)
        elif token.kind == "operator":
            piece += token.sign
        else:
            value, raised = _literal(token), token.kind == "superscript"
            piece += ("**-" if value < 0 else "**" if raised else "") + str(len(numbers))
            numbers.append(abs(value))
        pieces.append(piece)
        places.extend([token.place] * len(piece))
        before = token
    return Source(text, "".join(pieces), tuple(places), tuple(numbers), tuple(names))


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    place = 0
    while place < len(text):
        if text[place].isspace():
            place += 1
            continue
        match = _TOKEN.match(text, place)
        if match is None:
            raise InputError(
                Fault(f"unexpected {text[place]!r}", _HINTS.get(text[place], _ANY), column=place + 1)
            )
        kind, piece = str(match.lastgroup), match.group()
        found.append(Token(kind, _name(piece, place) if kind == "name" else piece, place))
        place = match.end()
    if not found:
        raise InputError(Fault("the formula is empty", _WHOLE, column=1))
    return found


def _name(written: str, place: int) -> str:
    """Return a name in Unicode's compatibility form, in which look-alike letters are one letter."""
    name = normalize("NFKC", written)
    if name in _WORDS:
        raise InputError(Fault(f"{name!r} cannot be used in a formula", _WORDS[name], column=place + 1))
    # a letter such as ŀ becomes two signs, of which one is no letter but the operator ·
    if name.startswith("_") or not name.isidentifier() or not name.replace("_", "").isalnum():
        raise InputError(Fault(f"{_short(written)!r} cannot be a name", _HINTS["_"], column=place + 1))
    return name


def _check_pair(first: Token, second: Token) -> None:
    """Refuse two neighbours that cannot stand side by side, with what was probably meant."""
    place = second.place + 1
    function = first.kind == "name" and (first.text in FUNCTIONS or first.text in CONSTRUCTS)
    if function and second.kind in ("name", "number"):
        raise InputError(
            Fault(
                f"{first.text!r} needs brackets",
                "",
                f"{first.text}({_short(second.text)})",
                column=first.place + 1,
            )
        )
    if function and (second.sign == "**" or second.kind == "superscript"):
        suggestion = "exp(x)" if first.text == "exp" else f"{first.text}(x)^2"
        raise InputError(
            Fault(
                f"a power stands between {first.text!r} and its brackets",
                "",
                suggestion,
                column=first.place + 1,
            )
        )
    if first.kind == "number" and first.text in ("0", "00") and re.match(r"[xXbBoO][0-9]", second.text):
        raise InputError(Fault("this is not a decimal number", "a number such as 16", column=first.place + 1))
    if (first.kind in ("name", "number") and second.kind == "number") or first.kind == second.kind == "name":
        expected = f"an operator between them, such as {_short(first.text)}*{_short(second.text)}"
        raise InputError(Fault(f"{_beside(first, second)} stand side by side", expected, column=place))
    _check_operators(first, second, place)


def _check_operators(first: Token, second: Token, place: int) -> None:
    if first.kind == "superscript" and (second.sign == "**" or second.kind == "superscript"):
        raise InputError(Fault("one power stands on another", "brackets: (x²)^3 or x^(2^3)", column=place))
    if second.kind == "superscript" and not (first.kind in ("name", "number") or first.text == ")"):
        raise InputError(
            Fault(f"{second.text!r} has nothing to its left", "a base, such as x²", column=place)
        )
    if second.text in (")", ",") and first.text == "(":
        raise InputError(Fault("the brackets are empty", "an expression between them", column=place))
    if second.text in (")", ",") and first.kind == "operator" and first.text != ")":
        raise InputError(
            Fault(f"nothing follows {first.text!r}", "a number, a name or brackets", column=place)
        )
    if second.sign in _BINARY and (first.sign in _BINARY or first.sign in ("+", "-", "(", ",")):
        raise InputError(
            Fault(f"{_beside(first, second)} do not fit together", _slashes(first, second), column=place)
        )


def _beside(first: Token, second: Token) -> str:
    return f"{_short(first.text)!r} and {_short(second.text)!r}"


def _slashes(first: Token, second: Token) -> str:
    return (
        "a single / for division"
        if first.sign == second.sign == "/"
        else "a number, a name or brackets between"
    )


def _check_brackets(tokens: list[Token], text: str) -> None:
    open_brackets: list[Token] = []
    for token in tokens:
        if token.text == "(":
            open_brackets.append(token)
        elif token.text == ")":
            if not open_brackets:
                raise InputError(
                    Fault("this bracket closes nothing", "one ( for each )", column=token.place + 1)
                )
            open_brackets.pop()
    first, last = tokens[0], tokens[-1]
    if first.sign in _BINARY or first.kind == "superscript":
        raise InputError(Fault(f"{first.text!r} has nothing to its left", _WHOLE, column=first.place + 1))
    if last.kind == "operator" and last.text != ")":
        raise InputError(
            Fault(
                f"the formula ends behind {last.text!r}",
                "a number, a name or brackets",
                column=len(text.rstrip()) + 1,
            )
        )
    if open_brackets:
        raise InputError(
            Fault("this bracket is not closed", "one ) for each (", column=open_brackets[-1].place + 1)
        )


def _multiplies(before: Token, token: Token) -> bool:
    """Tell whether juxtaposition means a product: 2x, 2(x+1), (a)(b), (a)x, x²y."""
    ends_value = before.kind in ("number", "superscript") or before.text == ")"
    return ends_value and (token.kind in ("name", "number") or token.text == "(")


def _literal(token: Token) -> Fraction:
    """Return the exact decimal; refuse one that double precision would hold as infinity or zero.

    Python's own ``Fraction("0e999999999")`` never ends: a zero is answered before.
    """
    text = token.text.translate(_DIGITS)
    value = float(text)
    if value == 0.0 and not re.search(r"[1-9]", re.split("[eE]", text)[0]):
        return Fraction(0)
    if not isfinite(value) or value == 0.0:
        fault = f"the number {_short(token.text)} cannot be held in double precision"
        raise InputError(Fault(fault, "a size between 5e-324 and 1.8e308", column=token.place + 1))
    return Fraction(text)


def _short(text: str) -> str:
    return text if len(text) <= 24 else text[:21] + "…"
