"""A chart as PowerPoint's own, with its numbers in an embedded worksheet, in the colours of the theme."""

from __future__ import annotations

import math
from typing import Any

from gdsim.slides.model import Chart, Series
from gdsim.slides.pptx_template import Box
from gdsim.slides.ticks import decimals, nice

_TEXT, _LABEL = 20, 22  # points: legible from the back row


def add_chart(slide: Any, chart: Chart, box: Box) -> Any:
    """Put a chart on a slide and return its frame."""
    from pptx.chart.data import XyChartData
    from pptx.enum.chart import XL_CHART_TYPE
    from pptx.util import Pt

    data = XyChartData()
    for series in chart.series:
        points = data.add_series(series.name)
        for x, y in zip(series.x, series.y, strict=True):
            points.add_data_point(x, y)
    frame = slide.shapes.add_chart(
        XL_CHART_TYPE.XY_SCATTER_LINES_NO_MARKERS, box.left, box.top, box.width, box.height, data
    )
    made = frame.chart
    made.has_title = False
    made.font.size = Pt(_TEXT)
    _ink(made.font)
    for drawn, series in zip(made.plots[0].series, chart.series, strict=True):
        _dress(drawn, series)
    _axes(made, chart)
    _legend(made, chart)
    return frame


def _ink(font: Any) -> None:
    from pptx.enum.dml import MSO_THEME_COLOR

    font.color.theme_color = MSO_THEME_COLOR.TEXT_1


def _accent(number: int) -> Any:
    from pptx.enum.dml import MSO_THEME_COLOR

    return getattr(MSO_THEME_COLOR, f"ACCENT_{(number - 1) % 6 + 1}")


def _dress(drawn: Any, series: Series) -> None:
    """Give a series its line, markers and label."""
    from pptx.enum.chart import XL_MARKER_STYLE
    from pptx.util import Pt

    widths = {"line": 3.0, "path": 2.25, "band": 20.0}
    sizes = {"path": 9, "mark": 14, "point": 16}
    colour = _accent(series.colour)
    drawn.smooth = False
    if series.role in widths:
        drawn.format.line.width = Pt(widths[series.role])
        drawn.format.line.color.theme_color = colour
    else:
        drawn.format.line.fill.background()
    if series.role in sizes:
        drawn.marker.style = getattr(XL_MARKER_STYLE, series.symbol.upper())
        drawn.marker.size = sizes[series.role]
        drawn.marker.format.fill.solid()
        drawn.marker.format.fill.fore_color.theme_color = colour
        drawn.marker.format.line.color.theme_color = colour
    else:
        drawn.marker.style = XL_MARKER_STYLE.NONE
    if series.role == "point":
        _name(drawn, series)


def _name(drawn: Any, series: Series) -> None:
    """Write its name beside a point."""
    from pptx.enum.chart import XL_LABEL_POSITION
    from pptx.util import Pt

    label = drawn.points[0].data_label
    label.position = getattr(XL_LABEL_POSITION, series.side.upper())
    label.text_frame.word_wrap = False
    run = label.text_frame.paragraphs[0].add_run()
    run.text = series.name
    run.font.size, run.font.bold = Pt(_LABEL), True
    _ink(run.font)
    _shade(label._dLbl)


def _shade(element: Any) -> None:
    """Put the ground of the slide behind a label, so that lines do not strike it through."""
    from lxml import etree

    drawing = "http://schemas.openxmlformats.org/drawingml/2006/main"
    text = element.find("{*}tx")
    properties = element.makeelement(text.tag.replace("}tx", "}spPr"), {})
    fill = etree.SubElement(properties, f"{{{drawing}}}solidFill")
    colour = etree.SubElement(fill, f"{{{drawing}}}schemeClr", val="bg1")
    etree.SubElement(colour, f"{{{drawing}}}alpha", val="75000")
    text.addnext(properties)


def _axes(made: Any, chart: Chart) -> None:
    from pptx.enum.chart import XL_AXIS_CROSSES, XL_TICK_LABEL_POSITION

    across, up = made.category_axis, made.value_axis
    pairs = ((across, chart.x_limits, chart.log_x, chart.x_label),
             (up, chart.y_limits, chart.log_y, chart.y_label))  # fmt: skip
    for axis, limits, logarithmic, label in pairs:
        axis.crosses = XL_AXIS_CROSSES.MINIMUM  # the axes stand at the left and at the bottom
        axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        axis.has_major_gridlines = axis is up and bool(label)
        _line(axis.format.line)
        if logarithmic:
            _make_logarithmic(axis)
        elif limits is not None:
            ends = nice(*limits, whole=label == "step")
            axis.minimum_scale, axis.maximum_scale, axis.major_unit = ends
        elif axis is up:
            _between(axis, chart)
        axis.has_title = bool(label)
        if label:
            _axis_title(axis, label)
            axis.tick_labels.number_format, axis.tick_labels.number_format_is_linked = _format(axis), False
        else:
            axis.visible = False
    if up.has_major_gridlines:
        _line(up.major_gridlines.format.line, faint=True)


def _between(axis: Any, chart: Chart) -> None:
    """Round limits for values whose limits are left open."""
    values = [value for series in chart.series for value in series.y]
    if values:
        low, high = min(values), max(values)
        room = 0.05 * (high - low) or max(abs(high), 1.0) / 2
        floor = low if low >= 0 and low < 0.3 * high else low - room
        axis.minimum_scale, axis.maximum_scale, axis.major_unit = nice(min(floor, low), high + room)


def _format(axis: Any) -> str:
    ends = [abs(end) for end in (axis.minimum_scale, axis.maximum_scale) if end]
    if axis._element.find(".//{*}logBase") is not None:
        return "0.E+0"
    scientific = bool(ends) and not 1e-3 <= max(ends) < 1e6
    unit = axis.major_unit or 1.0
    places = decimals(unit / 10.0 ** math.floor(math.log10(max(ends)))) if scientific else decimals(unit)
    return ("0.E+0" if scientific else "0") if not places else f"0.{'0' * places}{'E+0' * scientific}"


def _axis_title(axis: Any, label: str) -> None:
    from pptx.util import Pt

    run = axis.axis_title.text_frame.paragraphs[0].add_run()
    run.text = label
    run.font.size, run.font.bold = Pt(_TEXT), False
    _ink(run.font)


def _line(line: Any, faint: bool = False) -> None:
    """A line in the ink of the theme, which is light on a dark slide; ``faint`` for a grid."""
    from pptx.enum.dml import MSO_THEME_COLOR
    from pptx.util import Pt

    line.width = Pt(1.0)
    line.color.theme_color = MSO_THEME_COLOR.TEXT_1
    colour = line._ln.find(".//{*}schemeClr")
    alpha = colour.makeelement(
        colour.tag.replace("schemeClr", "alpha"), {"val": "15000" if faint else "60000"}
    )
    colour.append(alpha)


def _make_logarithmic(axis: Any) -> None:
    scaling = axis._element.find("{*}scaling")
    base = scaling.makeelement(scaling.tag.replace("scaling", "logBase"), {"val": "10"})
    scaling.insert(0, base)  # the schema wants it first


def _legend(made: Any, chart: Chart) -> None:
    """The legend below the axes, without the points that bear their names."""
    from pptx.enum.chart import XL_LEGEND_POSITION

    made.has_legend = chart.legend
    if not chart.legend:
        return
    made.legend.position = XL_LEGEND_POSITION.BOTTOM
    made.legend.include_in_layout = False
    element = made.legend._element
    spot = element.find("{*}legendPos")
    for index in reversed(range(len(chart.series))):
        if chart.series[index].role == "point":
            entry = spot.makeelement(spot.tag.replace("legendPos", "legendEntry"), {})
            for name, value in (("idx", str(index)), ("delete", "1")):
                entry.append(entry.makeelement(spot.tag.replace("legendPos", name), {"val": value}))
            spot.addnext(entry)
