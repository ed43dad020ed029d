"""Pictures of the page: their own tests by node, and that an SVG is a document of its own."""

from __future__ import annotations

from xml.etree import ElementTree as Tree

import page_node
import pytest

pytestmark = page_node.NEEDS_NODE
HOSTILE = """</text><script>alert("1")</script>&amp;'"""
_WORDS = """
import { svgOf } from "./draw/svg.js";
import { THEMES } from "./draw/theme.js";
const text = { kind: "text", x: 9, y: 9, text: data, colour: "ink", size: 12, halo: true, bold: true };
const cells = {
  kind: "cells", x: 0, y: 0, width: 8, height: 4, columns: 4, rows: 2, colours: ["loss", "path"],
  cells: Uint8Array.of(0, 0, 1, 1, 1, 1, 1, 1),
};
const line = { kind: "line", points: [0, 0, 50, 50], colour: "path", width: 2, arrow: true, dash: "dashed" };
const shapes = ["disc", "ring", "square", "diamond", "triangle", "cross"].map((shape) => (
  { kind: "marks", points: [5, 5, 9, 9], colour: "loss", radius: 3, shape }
));
const area = { kind: "area", points: [0, 0, 9, 0, 9, 9], colour: "left", opacity: 0.3 };
const clip = { kind: "clip", x: 0, y: 0, width: 90, height: 90, items: [line, area, cells, ...shapes] };
const scene = { width: 100, height: 80, items: [clip, text], label: data };
answer(Object.values(THEMES).map((theme) => svgOf(scene, theme, data)));
"""
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("name", ["scale", "views"])
def test_pictures_hold_what_their_own_tests_say(name: str) -> None:
    page_node.check_own_tests(name)


def test_an_svg_keeps_hostile_names_as_text_and_is_well_formed() -> None:
    for svg in page_node.run(_WORDS, HOSTILE):
        root = Tree.fromstring(svg)
        assert [root.findtext(f"{_SVG}{tag}") for tag in ("title", "desc", "text")] == [HOSTILE] * 3
        assert {one.tag.removeprefix(_SVG) for one in root.iter()} == {
            "svg", "title", "desc", "rect", "clipPath", "g", "path", "text"
        }  # fmt: skip


def test_cells_of_one_colour_become_one_rectangle() -> None:
    root = Tree.fromstring(page_node.run(_WORDS, "x")[0])
    cells = [one for one in root.iter(f"{_SVG}rect") if float(one.get("height", "0")) < 10]
    assert [round(float(one.get("width", "0"))) for one in cells] == [4, 4, 8]
