"""A deck as LaTeX Beamer: one .tex file beside PDF figures, for pdfLaTeX, LuaLaTeX and XeLaTeX."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gdsim.slides.escape import latex
from gdsim.slides.model import Deck, Formula, Line, Lines, Part, Picture, Sketch, Slide, Table, picture_of

_PREAMBLE = r"""\documentclass[aspectratio=169]{beamer}
\usepackage{iftex}
\ifPDFTeX
  \usepackage[T1]{fontenc}
  \usepackage[utf8]{inputenc}
  \usepackage{lmodern}
\else
  \usepackage{fontspec}
\fi
\usepackage{amsmath,booktabs,graphicx,tabularx}
\setbeamertemplate{navigation symbols}{}
\setbeamertemplate{footline}[frame number]
\setbeamersize{text margin left=6mm,text margin right=6mm}
"""
#: what slides that are included in another document need
_MACROS = r"""\providecommand\gdsimsign[1]{\ifdefined\Umathchar\symbol{"#1}\else\fbox{\tiny U+#1}\fi}
"""
_FULL, _BESIDE, _BELOW = "0.76", "0.74", "0.5"  # of a picture: parts of the height of the text


def write_beamer(deck: Deck, files: Mapping[str, str], include: bool = False) -> str:
    """Return a deck as LaTeX.

    Parameters
    ----------
    deck
        What is on the slides.
    files
        Where the figure of each name lies, relative to the file.
    include
        Only the frames, for a document of the reader's own, which loads amsmath, booktabs, graphicx and
        tabularx.
    """
    frames = "\n".join(_frame(slide, files) for slide in deck.slides if not (include and slide.opening))
    if include:
        return f"% slides to include in a Beamer document\n{_MACROS}\n{frames}"
    head = "".join(
        f"\\{key}{{{latex(text)}}}\n"
        for key, text in (("title", deck.title), ("author", deck.author), ("date", deck.date))
    )
    return f"{_PREAMBLE}{_MACROS}{head}\\begin{{document}}\n\n{frames}\n\\end{{document}}\n"


def _frame(slide: Slide, files: Mapping[str, str]) -> str:
    notes = "".join(f"  \\item {latex(note)}\n" for note in slide.notes)
    notes = f"\\note[itemize]{{\n{notes}}}\n" if notes else ""
    if slide.opening:
        return f"\\begin{{frame}}\n\\titlepage\n\\end{{frame}}\n{notes}"
    body = "\n".join(_body(slide, files))
    return f"\\begin{{frame}}\n\\frametitle{{{latex(slide.title)}}}\n{body}\n\\end{{frame}}\n{notes}"


def _body(slide: Slide, files: Mapping[str, str]) -> list[str]:
    parts = slide.parts
    if len(parts) == 2 and slide.visual is parts[0] and isinstance(parts[1], Lines):
        image = _image(picture_of(slide.visual), files, _BESIDE)
        return [
            r"\begin{columns}[c]", r"\begin{column}{0.66\textwidth}", image,
            r"\end{column}", r"\begin{column}{0.32\textwidth}", _lines(parts[1]), r"\end{column}",
            r"\end{columns}",
        ]  # fmt: skip
    size = _FULL if len(parts) == 1 else _BELOW
    return [text for part in parts if (text := _part(part, files, size))]


def _part(part: Part, files: Mapping[str, str], size: str) -> str:
    match part:
        case Lines():
            return _lines(part)
        case Formula():
            return _formula(part)
        case Table():
            return _table(part)
        case Picture():
            return _image(part, files, size)
    return _image(picture_of(part), files, size)


def _lines(part: Lines) -> str:
    if part.bullets:
        items = "\n".join(f"  \\item {_line(line)}" for line in part.lines)
        return f"\\begin{{itemize}}\n{items}\n\\end{{itemize}}"
    return "\n\n\\smallskip\n".join(_line(line) for line in part.lines) + "\n\n\\medskip"


def _line(line: Line) -> str:
    text = latex(line.text)
    return {"lead": rf"\textbf{{{text}}}", "quiet": rf"{{\small {text}}}"}.get(line.weight, text)


def _formula(part: Formula) -> str:
    if not part.latex.isascii():  # a letter that mathematics mode may lack
        return f"{{\\large {latex(part.text)}}}\n\n\\medskip"
    return f"{{\\large $\\displaystyle {part.latex}$}}\n\n\\medskip"


def _image(picture: Picture | Sketch, files: Mapping[str, str], high: str) -> str:
    alt = f"alt={{{latex(picture.alt)}}}"
    return (
        f"\\begin{{center}}\n\\includegraphics[width=\\textwidth,height={high}\\textheight,keepaspectratio,"
        f"\n  {alt}]{{{files[picture.name]}}}\n\\end{{center}}"
    )


def _table(part: Table) -> str:
    rows = [*([part.head] if part.head else []), *part.rows]
    longest = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    widest = longest.index(max(longest))
    wide = sum(longest) > 60
    letters = [
        r">{\raggedright\arraybackslash}X" if wide and column == widest else "l"
        for column in range(len(longest))
    ]
    kind = rf"tabularx}}{{\textwidth}}{{{''.join(letters)}" if wide else f"tabular}}{{{''.join(letters)}"
    lines = [_row(row, part.marked == place) for place, row in enumerate(part.rows)]
    head = [_row(part.head, True), r"\midrule"] if part.head else []
    body = "\n".join([r"\toprule", *head, *lines, r"\bottomrule"])
    size = r"\small" if len(rows) > 7 or sum(longest) > 75 else r"\normalsize"
    return f"{{{size}\n\\begin{{{kind}}}\n{body}\n\\end{{{kind.partition('}')[0]}}}}}"


def _row(cells: Sequence[str], bold: bool) -> str:
    texts = [rf"\textbf{{{latex(cell)}}}" if bold and cell else latex(cell) for cell in cells]
    return " & ".join(texts) + r" \\"
