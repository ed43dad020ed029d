"""PowerPoint files, read back: native charts and tables, notes, alt text, templates, the same bytes."""

from __future__ import annotations

import builtins
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from shipped import executed
from slide_examples import deck, hostile

from gdsim.outcomes import InputError
from gdsim.slides import Entry, assemble
from gdsim.slides.pptx import _CLEAR_TABLE, write_pptx
from gdsim.slides.pptx_template import design
from gdsim.slides.words import clean

pptx = pytest.importorskip("pptx")


@pytest.fixture(scope="module", autouse=True)
def _quick_figures() -> Iterator[None]:
    """Stand-ins for the figures, which are not what is tested here."""
    target = io.BytesIO()
    Image.new("RGB", (820, 530), "white").save(target, "png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("gdsim.slides.figures.picture", lambda *_, **__: target.getvalue())
        yield


def opened(data: bytes) -> Any:
    return pptx.Presentation(io.BytesIO(data))


@pytest.fixture(scope="module")
def parabola() -> Any:
    return opened(write_pptx(deck("parabola")))


def slide(presentation: Any, ending: str) -> Any:
    return next(s for s in presentation.slides if s.shapes.title.text_frame.text.endswith(ending))


def charts(presentation: Any) -> list[Any]:
    return [shape.chart for s in presentation.slides for shape in s.shapes if shape.has_chart]


def test_every_slide_has_its_title_and_the_shape_of_a_screen(parabola: Any) -> None:
    titles = [s.shapes.title.text_frame.text for s in parabola.slides]
    assert titles == [s.title for s in deck("parabola").slides]
    assert parabola.slide_width * 9 == parabola.slide_height * 16


def test_charts_are_native_and_hold_the_numbers_of_the_trajectory(parabola: Any) -> None:
    trajectory = executed("parabola").trajectory
    (loss,) = (shape.chart for shape in slide(parabola, "loss by step").shapes if shape.has_chart)
    (series,) = loss.plots[0].series
    np.testing.assert_array_equal(list(series.values), trajectory.loss[:, 0])
    steps = [float(v.text) for v in series._element.findall(".//{*}xVal//{*}v")]
    np.testing.assert_array_equal(steps, trajectory.step_index)
    assert loss.value_axis._element.find(".//{*}logBase").get("val") == "10"


def test_the_worksheet_behind_a_chart_holds_the_same_numbers(parabola: Any) -> None:
    (weight,) = (shape.chart for shape in slide(parabola, "weight by step").shapes if shape.has_chart)
    with zipfile.ZipFile(io.BytesIO(weight.part.chart_workbook.xlsx_part.blob)) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert "<v>3.6</v>" in sheet


def test_the_curve_is_a_chart_with_the_path_up_to_the_step(parabola: Any) -> None:
    (chart,) = (shape.chart for shape in slide(parabola, "step 2").shapes if shape.has_chart)
    series = {one.name: list(one.values) for one in chart.plots[0].series}
    assert list(series) == ["loss L(w)", "minimum", "steps", "step\u00a02"]
    np.testing.assert_array_equal(series["steps"], executed("parabola").trajectory.loss[:3, 0])


def test_large_numbers_on_an_axis_are_those_of_its_ticks() -> None:
    presentation = opened(write_pptx(deck("parabola-divergence")))
    axis = next(s.chart for s in slide(presentation, "weight by step").shapes if s.has_chart).value_axis
    places = axis.tick_labels.number_format.partition("E")[0].partition(".")[2].count("0")
    for tick in np.arange(axis.minimum_scale, axis.maximum_scale, axis.major_unit):
        assert float(f"{tick:.{places}e}") == pytest.approx(tick)


def test_charts_take_every_colour_from_the_theme(parabola: Any) -> None:
    for chart in charts(parabola):
        assert not chart._chartSpace.findall(".//{*}srgbClr")
        assert not chart._chartSpace.findall(".//{*}latin")


def test_what_charts_cannot_show_is_a_picture() -> None:
    presentation = opened(write_pptx(assemble([Entry(executed("saddle"), ("contour",))])))
    kinds = [shape.shape_type.name for shape in presentation.slides[1].shapes if shape.shape_type]
    assert "PICTURE" in kinds


@pytest.mark.parametrize("names", [("parabola",), ("saddle", "parabola-divergence")])
def test_every_chart_picture_and_table_says_what_it_shows(names: tuple[str, ...]) -> None:
    presentation = opened(write_pptx(deck(*names)))
    found = 0
    for one in presentation.slides:
        for shape in one.shapes:
            if (
                shape.has_chart
                or shape.has_table
                or shape.shape_type == pptx.enum.shapes.MSO_SHAPE_TYPE.PICTURE
            ):
                found += 1
                assert len(shape._element.xpath(".//p:cNvPr")[0].get("descr")) > 15
    assert found >= 7


def test_notes_hold_the_numbers_in_full(parabola: Any) -> None:
    notes = slide(parabola, "step 2").notes_slide.notes_text_frame.text
    assert "w = 3.5999999999999996" in notes or "w = 3.6" in notes
    assert f"loss = {float(executed('parabola').trajectory.loss[2, 0])!r}" in notes


def test_tables_are_native_and_nothing_is_smaller_than_18_points(parabola: Any) -> None:
    (table,) = (shape.table for shape in slide(parabola, "where L′ = 0").shapes if shape.has_table)
    assert [cell.text for cell in table.rows[1].cells] == ["minimum", "w = 0", "0", "2", "certified"]
    sizes = [
        run.font.size.pt
        for one in parabola.slides for shape in one.shapes for frame in _frames(shape)
        for paragraph in frame.paragraphs for run in paragraph.runs if run.font.size
    ]  # fmt: skip
    assert sizes
    assert min(sizes) >= 18


def test_the_numbers_of_slides_are_legible(parabola: Any) -> None:
    numbers = parabola.slide_master._element.xpath('.//p:sp[.//p:ph[@type="sldNum"]]//a:defRPr')
    assert numbers
    assert all(int(found.get("sz")) >= 1800 for found in numbers)


def _frames(shape: Any) -> list[Any]:
    if shape.has_table:
        return [cell.text_frame for row in shape.table.rows for cell in row.cells]
    return [shape.text_frame] if shape.has_text_frame else []


def test_no_word_of_a_table_is_broken() -> None:
    points = slide(opened(write_pptx(deck("iris-two-weights"))), "where L′ = 0")
    (table,) = (shape.table for shape in points.shapes if shape.has_table)
    for row in table.rows:
        for cell, column in zip(row.cells, table.columns, strict=True):
            size = cell.text_frame.paragraphs[0].runs[0].font.size
            longest = max(len(word) + 0.6 * word.count("m") for word in cell.text.split())
            assert longest * 0.55 * size <= column.width - cell.margin_left - cell.margin_right, cell.text


def test_nothing_leaves_its_slide() -> None:
    presentation = opened(write_pptx(deck("saddle", "parabola-divergence")))
    for one in presentation.slides:
        for shape in one.shapes:
            assert shape.left >= 0
            assert shape.top >= 0
            assert shape.left + shape.width <= presentation.slide_width
            assert shape.top + shape.height <= presentation.slide_height, one.shapes.title.text_frame.text


def test_the_same_runs_give_the_same_bytes_whatever_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_pptx(deck("saddle"))
    with zipfile.ZipFile(io.BytesIO(first)) as file:
        assert {entry.date_time for entry in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        books = [file.read(name) for name in file.namelist() if name.endswith(".xlsx")]
    assert books
    for book in books:
        with zipfile.ZipFile(io.BytesIO(book)) as inner:
            assert b"2000-01-01T00:00:00Z" in inner.read("docProps/core.xml")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert write_pptx(deck("saddle")) == first


def test_hostile_text_arrives_as_it_is() -> None:
    presentation = opened(write_pptx(hostile()))
    assert presentation.slides[0].shapes.title.text_frame.text == clean(hostile().title)


def test_a_dark_style_makes_a_dark_design() -> None:
    presentation = opened(write_pptx(deck("parabola"), style="slides-dark"))
    assert presentation.slide_master._element.find("{*}clrMap").get("bg1") == "dk1"


# ---- templates


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """A 4:3 template of a university: its fonts, colours and slides, its layouts in another order."""
    presentation = pptx.Presentation()
    ids = presentation.slide_master.slide_layouts._sldLayoutIdLst
    ids.insert(0, ids[5])  # Title Only comes first
    presentation.slides.add_slide(presentation.slide_layouts[0]).shapes.title.text_frame.text = "A sample"
    part = next(r.target_part for r in presentation.slide_master.part.rels.values() if "theme" in r.reltype)
    part._blob = part.blob.replace(b"4F81BD", b"123456").replace(b'typeface="Calibri"', b'typeface="Georgia"')
    path = tmp_path / "own.pptx"
    presentation.save(path)
    return path


def test_a_template_gives_size_layouts_colours_and_fonts(template: Path) -> None:
    presentation = opened(write_pptx(deck("parabola"), template))
    assert presentation.slide_width == pptx.Presentation(template).slide_width
    layouts = [one.slide_layout.name for one in presentation.slides]
    assert layouts[0] == "Title Slide"
    assert set(layouts[1:]) == {"Title Only"}
    part = next(r.target_part for r in presentation.slide_master.part.rels.values() if "theme" in r.reltype)
    assert b"123456" in part.blob
    assert b"Georgia" in part.blob
    for one in presentation.slides:
        assert not one._element.findall(".//{*}latin")
        assert not one._element.findall(".//{*}srgbClr")


def test_slides_of_the_template_are_left_out(template: Path) -> None:
    data = write_pptx(deck("parabola"), template)
    assert "A sample" not in [s.shapes.title.text_frame.text for s in opened(data).slides]
    with zipfile.ZipFile(io.BytesIO(data)) as file:
        names = file.namelist()
    assert len(names) == len(set(names))


def test_charts_keep_to_the_room_of_the_template(template: Path) -> None:
    presentation = opened(write_pptx(deck("parabola"), template))
    for one in presentation.slides:
        title = one.shapes.title
        for shape in one.shapes:
            if shape.has_chart:
                assert shape.top >= title.top + title.height
                assert shape.left + shape.width <= presentation.slide_width


def test_layouts_of_sections_and_of_vertical_text_are_passed_over(tmp_path: Path) -> None:
    presentation = pptx.Presentation()
    ids = presentation.slide_master.slide_layouts._sldLayoutIdLst
    ids[:] = ids[::-1]
    presentation.save(tmp_path / "own.pptx")
    found = design(tmp_path / "own.pptx")
    assert found.content.name == "Title and Content"


def test_tables_are_clear_where_the_dark_colour_of_the_theme_is_light(template: Path, tmp_path: Path) -> None:
    presentation = pptx.Presentation(template)
    part = next(r.target_part for r in presentation.slide_master.part.rels.values() if "theme" in r.reltype)
    part._blob = part.blob.replace(b'lastClr="000000"', b'lastClr="F0F0F0"').replace(b"FFFFFF", b"202020")
    presentation.save(tmp_path / "dark.pptx")
    styles = [
        {found.text for one in opened(write_pptx(deck("parabola"), path)).slides
         for found in one._element.iterfind(".//{*}tableStyleId")}
        for path in (template, tmp_path / "dark.pptx")
    ]  # fmt: skip
    assert styles[1] == {_CLEAR_TABLE}
    assert not styles[0] & styles[1]


def test_a_table_that_finds_no_room_ends_in_dots(template: Path) -> None:
    presentation = opened(write_pptx(deck("himmelblau-centre"), template))
    (frame,) = (shape for shape in slide(presentation, "where L′ = 0").shapes if shape.has_table)
    kinds = [row.cells[0].text for row in frame.table.rows]
    assert kinds[-1] == "…"
    assert len(kinds) > 3
    assert frame.top + frame.height <= presentation.slide_height


def test_a_potx_is_opened_as_well(template: Path, tmp_path: Path) -> None:
    kind = b"application/vnd.openxmlformats-officedocument.presentationml.{}.main+xml"
    path = tmp_path / "own.potx"
    with zipfile.ZipFile(template) as old, zipfile.ZipFile(path, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "[Content_Types].xml":
                content = content.replace(
                    kind.replace(b"{}", b"presentation"), kind.replace(b"{}", b"template")
                )
            new.writestr(name, content)
    assert len(opened(write_pptx(deck("parabola"), path)).slides) == len(deck("parabola").slides)


@pytest.mark.parametrize("content", [b"", b"no zip", None])
def test_what_is_no_template_is_an_error(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "own.pptx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"own\.pptx"):
        write_pptx(deck("parabola"), path)


def test_without_python_pptx_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def absent(name: str, *rest: Any, **more: Any) -> Any:
        if name == "pptx":
            raise ModuleNotFoundError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", absent)
    with pytest.raises(InputError, match=r'pip install "gdsim\[pptx\]"'):
        write_pptx(deck("parabola"))
