"""Decks through the programs of those who show them: LibreOffice, LaTeX, Marp, Pandoc, Chromium.

A tool that this machine has not is a reason to skip. Debian has libreoffice-impress, poppler-utils,
texlive-latex-recommended, texlive-fonts-recommended, lmodern, pandoc and chromium; npm has
@marp-team/marp-cli, found on PATH or at MARP.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from slide_examples import hostile

from gdsim.scenario import shipped
from gdsim.slides import Deck, Look, assemble, read_deck, save

pytestmark = pytest.mark.release

_CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip


@pytest.fixture(scope="module", params=["lecture", "hostile"])
def made(request: pytest.FixtureRequest) -> Deck:
    """The lecture that ships, and a deck of hostile texts."""
    if request.param == "hostile":
        return hostile()
    lecture = read_deck(shipped("scenarios") / "lecture-1" / "deck.yaml")
    return assemble(lecture.entries(), lecture.title, name="lecture")


def tool(*names: str) -> str:
    """Return the path of the first tool that is there; skip where none is."""
    for name in names:
        found = shutil.which(name)
        if found:
            return found
    pytest.skip(f"{names[0]} is not installed")


def call(*words: str, folder: Path, seconds: int = 300) -> str:
    done = subprocess.run(words, cwd=folder, capture_output=True, timeout=seconds, check=False)
    output = (done.stdout + done.stderr).decode(errors="replace")
    assert done.returncode == 0, output[-3000:]
    return output


def pages(pdf: Path) -> int:
    found = re.search(r"^Pages:\s+(\d+)", call(tool("pdfinfo"), pdf.name, folder=pdf.parent), re.MULTILINE)
    assert found is not None
    return int(found[1])


def words_of(pdf: Path) -> str:
    call(tool("pdftotext"), pdf.name, "out.txt", folder=pdf.parent)
    return pdf.with_name("out.txt").read_text(encoding="utf-8")


def test_libreoffice_opens_the_powerpoint_file(made: Deck, tmp_path: Path) -> None:
    office = tool("soffice", "libreoffice")
    tool("pdfinfo")
    save(made, tmp_path / "deck.pptx", "pptx", Look())
    profile = f"-env:UserInstallation=file://{tmp_path}/profile"
    call(office, profile, "--headless", "--convert-to", "pdf", "deck.pptx", folder=tmp_path)
    assert pages(tmp_path / "deck.pdf") == len(made.slides)
    assert "weight w" in words_of(tmp_path / "deck.pdf")


@pytest.mark.parametrize("engine", ["pdflatex", "lualatex", "xelatex"])
def test_latex_compiles_the_beamer_file(made: Deck, engine: str, tmp_path: Path) -> None:
    latex = tool(engine)
    tool("pdfinfo")
    save(made, tmp_path / "deck.tex", "beamer", Look())
    words = (latex, "-interaction=nonstopmode", "-halt-on-error", "deck.tex")
    log = call(*words, folder=tmp_path)
    assert made is hostile() or "Overfull \\vbox" not in log  # hostile titles fill half a slide
    assert pages(tmp_path / "deck.pdf") == len(made.slides)


def test_latex_compiles_slides_that_are_included(made: Deck, tmp_path: Path) -> None:
    latex = tool("pdflatex")
    tool("pdfinfo")
    save(made, tmp_path / "part.tex", "beamer", Look(include=True))
    own = (
        "\\documentclass[aspectratio=169]{beamer}\\usepackage[T1]{fontenc}\\usepackage{lmodern}"
        "\\usepackage{amsmath,booktabs,graphicx,tabularx}\\begin{document}\\input{part}\\end{document}"
    )
    (tmp_path / "own.tex").write_text(own, encoding="utf-8")
    call(latex, "-interaction=nonstopmode", "-halt-on-error", "own.tex", folder=tmp_path)
    assert pages(tmp_path / "own.pdf") == len(made.slides) - 1


def test_every_letter_that_is_left_to_latex_is_one_that_it_has(tmp_path: Path) -> None:
    from gdsim.slides.escape import _LATEX, _T1, latex

    engine = tool("pdflatex")
    letters = " ".join(map(latex, sorted(_T1 | set(_LATEX))))
    head = "\\documentclass{article}\\usepackage[T1]{fontenc}\\usepackage{lmodern}\\begin{document}"
    (tmp_path / "letters.tex").write_text(f"{head}{letters}\\end{{document}}", encoding="utf-8")
    call(engine, "-interaction=nonstopmode", "-halt-on-error", "letters.tex", folder=tmp_path)


def test_marp_renders_the_slides(made: Deck, tmp_path: Path) -> None:
    marp = os.environ.get("MARP") or tool("marp")
    save(made, tmp_path / "deck.md", "marp", Look())
    call(marp, "--no-stdin", "deck.md", "-o", "deck.html", folder=tmp_path)
    page = (tmp_path / "deck.html").read_text(encoding="utf-8")
    slides = made.slides
    assert page.count("<section") == len(slides)
    assert "<script>alert" not in page
    assert page.count('class="bespoke-marp-note"') == sum(bool(slide.notes) for slide in slides)
    assert page.count("<img") == sum(slide.visual is not None for slide in slides)


def test_pandoc_reads_the_quarto_file(made: Deck, tmp_path: Path) -> None:
    """Quarto is built on Pandoc; its own binary is in no package registry that builds without a network."""
    pandoc = tool("quarto", "pandoc")
    save(made, tmp_path / "deck.qmd", "quarto", Look())
    arguments = ("-f", "markdown", "-t", "revealjs", "--slide-level=2", "-s", "deck.qmd", "-o", "deck.html")
    call(pandoc, *(("pandoc",) if "quarto" in Path(pandoc).name else ()), *arguments, folder=tmp_path)
    page = (tmp_path / "deck.html").read_text(encoding="utf-8")
    slides = made.slides
    assert len(re.findall(r'<section\s+id="[^"]*"\s+class="slide', page)) >= len(slides) - 1
    assert page.count('<aside class="notes">') == sum(bool(s.notes) for s in slides if not s.opening)
    assert "<script>alert" not in page
    assert page.count("fig-alt=") == sum(slide.visual is not None for slide in slides)


def test_chromium_shows_the_page_and_prints_each_slide(made: Deck, tmp_path: Path) -> None:
    chromium = tool("chromium", "chromium-browser", "google-chrome")
    tool("pdfinfo")
    save(made, tmp_path / "deck.html", "html", Look())
    profile = f"--user-data-dir={tmp_path}/profile"
    target = f"file://{tmp_path}/deck.html"
    call(
        chromium,
        *_CHROMIUM,
        profile,
        "--no-pdf-header-footer",
        "--print-to-pdf=deck.pdf",
        target,
        folder=tmp_path,
    )
    assert pages(tmp_path / "deck.pdf") == len(made.slides)
    page = call(chromium, *_CHROMIUM, profile, "--dump-dom", f"{target}#3", folder=tmp_path)
    assert page.count('class="shown"') + page.count(' shown"') == 1
    assert f"Slide 3 of {len(made.slides)}" in page
