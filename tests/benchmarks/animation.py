"""Ten seconds of film, 1280 × 720 at 30 frames a second as MP4, against a plain matplotlib FuncAnimation.

Both draw the same artists at the same positions into the same codec. FuncAnimation draws the whole figure for
each frame, as it does unless somebody blits by hand: its own ``blit`` counts on a screen, not for a file.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.animation import FFMpegWriter, FuncAnimation
from timing import paired, report

from gdsim.plots import Look, staged
from gdsim.plots.encoders import CODECS, ffmpeg
from gdsim.plots.film import Take, animate
from gdsim.runs import execute
from gdsim.scenario import load

FPS, SECONDS = 30, 10.0
LOOK = Look("slides", "13.333334x7.5")
PAIRS = 3
LIMIT = 0.5


def main() -> None:
    """Print one row: the curve of the double well."""
    run, take = execute(load("double-well")), Take("720p", FPS, SECONDS)
    with tempfile.TemporaryDirectory() as folder:

        def ours() -> None:
            film = animate(run, "curve", Path(folder, "ours.mp4"), take=take)
            assert film.frames == FPS * SECONDS

        def theirs() -> None:
            positions = take.pace(run.trajectory.step_index).position(np.arange(FPS * SECONDS) / FPS)
            with LOOK.applied(), matplotlib.rc_context({"animation.ffmpeg_path": ffmpeg()}):
                scene = staged(run, "curve", look=LOOK)
                scene.figure.draw_without_rendering()
                scene.figure.set_layout_engine("none")

                def update(position: float) -> tuple[()]:
                    scene.show(position)
                    return ()

                film = FuncAnimation(scene.figure, update, frames=positions, cache_frame_data=False)
                writer = FFMpegWriter(fps=FPS, codec="libx264", extra_args=list(CODECS["mp4"]))
                film.save(str(Path(folder, "theirs.mp4")), writer=writer, dpi=96)

        report("10 s of film, against FuncAnimation", *paired(ours, theirs, PAIRS), LIMIT)


if __name__ == "__main__":
    main()
