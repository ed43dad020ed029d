"""What an encoding lacks is spelled, not lost."""

from __future__ import annotations

import codecs

import pytest

from gdsim.cli.signs import readable, spelled
from gdsim.lessons.course import Course

codecs.register_error("spelled", spelled)


@pytest.mark.parametrize(
    ("text", "encoding", "expected"),
    [
        ("w − η·f′(w)", "ascii", "w - eta*f'(w)"), ("w − η·f′(w)", "latin-1", "w - eta·f'(w)"),
        ("∂L/∂w ≤ 10⁻¹¹", "ascii", "dL/dw <= 10^-11"), ("x⁴ → λ₂", "ascii", "x^4 -> lambda_2"),
        ("1 − 2ηL", "ascii", "1 - 2eta*L"), ("字", "ascii", "?"), ("naïve", "ascii", "naive"),
    ],
)  # fmt: skip
def test_signs_are_spelled_with_those_there_are(text: str, encoding: str, expected: str) -> None:
    assert text.encode(encoding, "spelled").decode(encoding) == expected


def test_no_sign_of_the_course_is_lost_in_ascii() -> None:
    files = [*Course().folder.glob("*/en/*.md"), *Course().folder.glob("phrases/en.yaml")]
    signs = {sign for file in files for sign in file.read_text(encoding="utf-8") if not sign.isascii()}
    assert [sign for sign in sorted(signs) if "?" in readable(sign)] == []
