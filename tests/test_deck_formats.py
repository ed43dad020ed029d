"""Beamer, Quarto, Marp and HTML: the same content, every text harmless, files whole or absent."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from shipped import executed
from slide_examples import HOSTILE, deck, hostile
from tiers import later

from gdsim.outcomes import InputError
from gdsim.slides import FORMATS, Deck, Entry, Look, assemble, check, kind_of, render, save
from gdsim.slides.escape import latex, markdown
from gdsim.slides.formats import Format
from gdsim.slides.marp import write_marp
from gdsim.slides.model import Picture
from gdsim.slides.words import clean

DRAWING = '<svg xmlns="http://www.w3.org/2000/svg"><g id="a"><use href="#a"/></g></svg>'
TEXTS = [kind for kind, format in FORMATS.items() if format.pictures is not None]


@pytest.fixture(autouse=True)
def _quick_figures(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-ins for the figures, which are not what is tested here; real ones where a test says so."""
    if "real_figures" not in request.fixturenames:
        monkeypatch.setattr("gdsim.slides.figures.picture", lambda *_, **__: DRAWING.encode())


@pytest.fixture
def real_figures() -> None:
    """Draw the figures."""


def text(made: Deck, kind: str, **look: object) -> str:
    return render(made, kind, Look(**look), "figures")[0].decode()  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", TEXTS)
def test_every_slide_and_every_figure_is_there(kind: str) -> None:
    made = deck("parabola")
    data, files = render(made, kind, Look(), "figures")
    counts = {
        "beamer": data.count(b"\\begin{frame}"), "quarto": data.count(b"\n## ") + 1,
        "marp": data.count(b"\n# "), "html": data.count(b"<section"),
    }  # fmt: skip
    assert counts[kind] == len(made.slides)
    if FORMATS[kind].beside:
        assert {Path(name).stem for name in files} == {picture.name for picture in made.pictures}
        for name, content in files.items():
            assert f"figures/{name}".encode() in data
            assert content


@pytest.mark.usefixtures("real_figures")
@pytest.mark.parametrize("kind", [later(kind) for kind in FORMATS])
def test_every_format_gives_the_same_bytes_twice(kind: str) -> None:
    assert render(deck("saddle"), kind, Look(), "f") == render(deck("saddle"), kind, Look(), "f")


@pytest.mark.parametrize("kind", TEXTS)
def test_notes_and_alternative_texts_are_there(kind: str) -> None:
    data = text(deck("parabola"), kind)
    assert "Step 2 of 42" in data.replace("\\", "")
    alts = {"beamer": "alt={", "quarto": 'fig-alt="', "marp": "![h:", "html": 'aria-label="'}
    assert alts[kind] in data


# ---- LaTeX


def test_latex_leaves_no_sign_with_a_meaning() -> None:
    escaped = latex(clean(HOSTILE))
    bare = re.sub(r"\\(?:[a-zA-Z]+|[{}$&#_%])(?:\{[0-9A-F]*\})?|\{[-'\[\]]?\}", "", escaped)
    assert not set(bare) & set('\\$&#_%~^<>|"`')
    assert r"\input" not in escaped
    assert r"\textbackslash{}input\{" in escaped


def test_latex_is_ascii_but_for_letters_that_its_fonts_have() -> None:
    assert latex("Größe") == "Größe"
    assert latex("中ħ") == r"\gdsimsign{4E2D}\gdsimsign{127}"


def test_hostile_text_opens_and_closes_no_frame() -> None:
    data = text(hostile(), "beamer")
    assert data.count(r"\begin{frame}") == data.count(r"\end{frame}") == len(hostile().slides)
    assert r"\input{" not in data


# ---- Markdown


@pytest.mark.parametrize(
    ("given", "escaped"),
    [
        ("- a", r"\- a"), ("12) a", r"12\) a"), ("(a) b", r"(a\) b"), ("# a", r"\# a"), ("a | b", r"a \| b"),
        ("w = 1.5, x", "w = 1.5, x"), ("f(x) - 2", "f(x) - 2"),
    ],
)  # fmt: skip
def test_markdown_escapes_what_has_a_meaning_and_nothing_else(given: str, escaped: str) -> None:
    assert markdown(given) == escaped


@pytest.mark.parametrize("kind", ["quarto", "marp"])
def test_hostile_text_is_no_mark_up(kind: str) -> None:
    _, head, body = text(hostile(), kind).split("---\n", 2)
    assert head.count("\n") < 20
    assert body.count("\n---\n") == (0 if kind == "quarto" else len(hostile().slides) - 1)
    plain = re.sub(r'fig-alt="(?:[^"\\]|\\.)*"', "", body)
    assert plain.count("<!--") == plain.count("-->")
    shown = re.sub(r"<!--.*?-->", "", plain, flags=re.DOTALL)
    shown = re.sub(r"^\||\|$| \| |\*\*|\$\$.*?\$\$", "", shown, flags=re.MULTILINE)
    assert not re.search(r"(?<!\\)[<*`|$@]", shown)
    assert "{{<" not in shown


@pytest.mark.parametrize(("title", "height"), [("short", "560"), ("long " * 14, "500")])
def test_a_picture_in_marp_leaves_room_for_a_title_of_two_lines(title: str, height: str) -> None:
    made = assemble([Entry(executed("parabola"), ("curve",), title=title)])
    assert re.findall(r"!\[h:(\d+)", text(made, "marp")) == [height]


def test_the_columns_of_a_table_in_quarto_are_as_wide_as_their_texts() -> None:
    lines = text(assemble([Entry(executed("iris-two-weights"), ("points",))]), "quarto").splitlines()
    rule = next(line for line in lines if line.startswith("| ---"))
    assert [len(dashes) for dashes in rule.strip("| ").split(" | ")] == [7, 32, 6, 27, 9]


def test_a_full_slide_in_quarto_is_set_smaller() -> None:
    written = text(assemble([Entry(executed("himmelblau-rejected"), ("scenario", "verdict"))]), "quarto")
    titles = [line for line in written.splitlines() if line.startswith("## ")]
    assert [title.endswith(" {.smaller}") for title in titles] == [False, True]


def test_an_emoji_in_marp_stays_in_its_line() -> None:
    assert "section img:not(.emoji) { display: block" in text(deck("parabola"), "marp")


def test_words_of_an_alternative_text_give_marp_no_instructions() -> None:
    made = deck("saddle")
    files = {picture.name: "f.svg" for picture in made.pictures}
    slide = next(slide for slide in made.slides if isinstance(slide.visual, Picture))
    picture = replace(slide.visual, alt="a bg left blur:5px width:1px fit")  # type: ignore[type-var]
    data = write_marp(replace(made, slides=(replace(slide, parts=(picture,)),)), files)
    assert "a “bg” “left” “blur:5px” “width:1px” “fit”" in data.replace("\\", "")


# ---- HTML


class Page(HTMLParser):
    """The tags of a page, in order, with their attributes."""

    def __init__(self, data: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_a_page_asks_nothing_of_the_network() -> None:
    data = text(deck("saddle"), "html")
    page = Page(data)
    assert not {"link", "iframe", "object", "img"} & {tag for tag, _ in page.tags}
    assert all("src" not in attributes for _, attributes in page.tags)
    assert "default-src 'none'" in data
    links = {value for _, attributes in page.tags for key, value in attributes.items() if "href" in key}
    assert all(str(link).startswith("#") for link in links)


def test_the_script_is_the_one_that_the_policy_allows() -> None:
    data = text(deck("parabola"), "html")
    (script,) = re.findall(r"<script>(.*?)</script>", data, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in data
    assert "ArrowRight" in script


def test_a_dark_style_makes_a_dark_page() -> None:
    assert '<body class="dark">' in text(deck("parabola"), "html", style="slides-dark")
    assert "<body>" in text(deck("parabola"), "html")


def test_hostile_text_makes_no_element() -> None:
    page = Page(text(hostile(), "html"))
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not {"b", "img"} & {tag for tag, _ in page.tags}


def test_drawings_in_one_page_share_no_identity(real_figures: None) -> None:
    page = Page(text(assemble([Entry(executed("parabola"), ("steps",), (0, 2))]), "html"))
    named = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(named) == len(set(named))
    drawings = [attributes for tag, attributes in page.tags if tag == "svg"]
    assert drawings
    assert all(attributes["role"] == "img" and attributes["aria-label"] for attributes in drawings)


# ---- includes


@pytest.mark.parametrize("kind", ["beamer", "quarto", "marp"])
def test_slides_to_include_have_no_preamble(kind: str) -> None:
    data = text(deck("parabola"), kind, include=True)
    assert not data.startswith("---")
    assert r"\documentclass" not in data
    assert "loss by step" in data


# ---- choices and files


def test_the_ending_tells_the_format() -> None:
    assert [kind_of(Path(f"x{format.suffix}")) for format in FORMATS.values()] == [*FORMATS]
    assert kind_of(None) == "pptx"
    with pytest.raises(InputError, match=r"x\.doc"):
        kind_of(Path("x.doc"))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("pptx", {"style": "slids"}, "did you mean slides"), ("html", {"template": True}, "--to pptx"),
        ("html", {"include": True}, "--to beamer"), ("beamr", {}, "did you mean beamer"),
    ],
)  # fmt: skip
def test_choices_that_do_not_fit_are_errors(kind: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        check(kind, **options)  # type: ignore[arg-type]


def test_every_format_says_what_it_is() -> None:
    assert all(format.summary and format.suffix.startswith(".") for format in FORMATS.values())


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_deck_written_again_replaces_its_figures(tmp_path: Path) -> None:
    target = tmp_path / "My talk (1).md"
    save(deck("parabola"), target, "marp", Look())
    before = contents(tmp_path)
    save(deck("saddle"), target, "marp", Look())
    after = contents(tmp_path)
    assert not {name for name in before if name.endswith(".svg")} & set(after)
    assert {name.partition("/")[0] for name in after} == {"My talk (1).md", "My-talk-1-marp-figures"}
    save(deck("parabola"), target, "marp", Look())
    assert contents(tmp_path) == before


def test_a_deck_in_one_format_leaves_the_figures_of_another(tmp_path: Path) -> None:
    save(deck("parabola"), tmp_path / "talk.tex", "beamer", Look())
    before = contents(tmp_path)
    for kind in ("quarto", "marp"):
        save(deck("saddle"), tmp_path / f"talk{FORMATS[kind].suffix}", kind, Look())
    assert before.items() <= contents(tmp_path).items()


def test_it_is_told_how_many_figures_are_drawn(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    save(deck("parabola"), tmp_path / "talk.md", "marp", Look(), lambda *counts: told.append(counts))
    assert told == [(place, len(told)) for place in range(1, len(deck("parabola").pictures) + 1)]


def test_files_of_the_user_are_not_replaced(tmp_path: Path) -> None:
    mine = tmp_path / "talk-beamer-figures" / "mine.svg"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(InputError, match=r"mine\.svg"):
        save(deck("parabola"), tmp_path / "talk.tex", "beamer", Look())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["mine.svg"]


@pytest.mark.parametrize("where", ["file", "folder"])
def test_a_deck_is_written_whole_or_not_at_all(
    where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "talk.md"
    save(deck("parabola"), target, "marp", Look())
    before = contents(tmp_path)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    if where == "file":
        monkeypatch.setattr(os, "replace", full)
    else:
        monkeypatch.setattr(Path, "mkdir", lambda self, *a, **k: full() if "writing" in self.name else None)
    with pytest.raises(OSError, match="No space"):
        save(deck("saddle"), target, "marp", Look())
    monkeypatch.undo()
    assert contents(tmp_path) == before


def test_a_folder_in_the_place_of_the_deck_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a folder stands"):
        save(deck("parabola"), tmp_path, "html", Look())


def test_a_format_is_plain_data() -> None:
    assert all(isinstance(format, Format) for format in FORMATS.values())
