"""Pictures of sweeps as they stand in a page: drawn by Python, small, in the page itself."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gdsim.sweeps.result import SweepResult

_SIZE = "9x7"  # inches: the text of a slide can be read on a phone, too
_COLOURS = 32  # which makes a picture a third as large


def picture_address(result: SweepResult, plot: str) -> str:
    """Return a figure of a sweep as an address that holds it, a PNG of some 40 kB.

    Parameters
    ----------
    result
        The sweep.
    plot
        One of ``gdsim.plots.SWEEP_PLOTS``.

    Examples
    --------
    >>> import gdsim
    >>> swept = gdsim.sweep("parabola", {"learning_rate": "lin(0.1,1.1,20)"})
    >>> picture_address(swept, "profile")[:22]
    'data:image/png;base64,'
    """
    from PIL import Image

    from gdsim.plots import Look, sweep_picture

    drawn = Image.open(io.BytesIO(sweep_picture(result, plot, "png", look=Look(size=_SIZE))))
    small = io.BytesIO()
    drawn.convert("RGB").quantize(_COLOURS, dither=Image.Dither.NONE).save(small, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(small.getvalue()).decode()
