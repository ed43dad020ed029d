"""Films: time → position, frames as the whole figure gives them, GIF and video files, the command."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from shipped import executed
from tiers import examples, some

import gdsim as package
from gdsim.cli import main
from gdsim.outcomes import InputError
from gdsim.plots import PLOTS, Look, read_stamp, staged
from gdsim.plots.encoders import CODECS, FILM_FORMATS
from gdsim.plots.film import FILM_SIZES, Film, Take, animate, pixels
from gdsim.plots.frames import Frames
from gdsim.plots.pace import Pace, durations
from gdsim.runs import Run

GROWING = [kind for kind, plot in PLOTS.items() if plot.stepwise]
SMALL = "320x180"
NAMES = (
    "double-well",
    "himmelblau-centre",
    "double-well-cycle",
    "parabola-divergence",
    "rosenbrock-momentum",
)


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def suited(kind: str) -> Run:
    return next(executed(name) for name in NAMES if not PLOTS[kind].refusal(executed(name)))


def filmed(file: Path, name: str = "double-well", kind: str = "curve", **take: object) -> Film:
    return animate(
        executed(name),
        kind,
        file,
        take=Take(**{"size": SMALL, "fps": 8, "seconds": 2.0, "hold": 1.0, **take}),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The directory of a saved run without figures."""
    assert gdsim("run", "double-well", "--no-plot", "--out", str(tmp_path)).exit_code == 0
    return next(tmp_path.iterdir())


# Time → position


@examples(100)
@given(
    st.lists(st.integers(1, 50), max_size=60), st.floats(0.1, 60.0), st.floats(0.0, 0.9), st.integers(0, 9)
)
def test_a_pace_never_goes_back_begins_at_the_start_and_ends_at_the_end(
    gaps: list[int], seconds: float, held: float, first: int
) -> None:
    stops = [first, *(first + np.cumsum(gaps)).tolist()]
    pace = Pace(stops, seconds, held * seconds)
    found = pace.position(np.linspace(0, seconds, 400))
    assert (np.diff(found) >= 0).all()
    assert found[0] == first
    assert pace.position(seconds) == stops[-1]
    assert (pace.position(np.linspace(seconds * (1 - held) + 1e-9, seconds, 9)) == stops[-1]).all()


def test_every_stop_is_rested_at() -> None:
    pace = Pace(range(11), 10.0, 2.0)
    found = pace.position(np.arange(300) / 30)
    for stop in range(11):
        assert (np.abs(found - stop) < 1e-9).sum() >= 4, stop


def test_a_step_eases_out_and_in() -> None:
    pace = Pace([0, 1], 4.0, 0.0)
    speed = np.diff(pace.position(np.linspace(0, 4, 2001)))
    assert speed.argmax() == pytest.approx(2000 - 1350 / 2, abs=3)  # the middle of the time after the rests
    assert speed[-1] < 0.01 * speed.max()


def test_the_first_steps_of_a_long_run_are_slow_enough_to_follow() -> None:
    lasting = durations(1000, 10.0)
    assert lasting.sum() == pytest.approx(10.0)
    assert lasting[0] == pytest.approx(0.8, rel=1e-6)
    assert (np.diff(lasting) < 0).all()


def test_steps_too_quick_to_be_followed_are_jumps() -> None:
    found = Pace(range(1001), 12.0, 2.0).position(np.linspace(8, 10, 200))
    assert (found == found.round()).all()


# Frames


@pytest.mark.parametrize("style", some(["slides", "slides-dark", "print"], "slides"))
@pytest.mark.parametrize("kind", GROWING)
def test_a_frame_is_what_drawing_the_whole_figure_gives(kind: str, style: str) -> None:
    run, look = suited(kind), Look(style)
    last = float(run.trajectory.step_index[-1])
    moments = [0.0, 0.5, 1.0, 1.25, 0.3, last - 0.5, last]
    with look.applied(), np.errstate(all="ignore"):
        scene = staged(run, kind, look=look, at=[0])
        frames = Frames(scene, (640, 360))
        drawn = [frames.at(moment).astype(int) for moment in moments]
        for artist in frames._fresh:
            artist.set_animated(False)
        for moment, frame in list(zip(moments, drawn, strict=True))[1::2]:
            scene.show(moment)
            frames._canvas.draw()
            assert np.abs(frame - np.asarray(frames._canvas.buffer_rgba())).max() <= 3, moment


def test_what_lies_upon_moving_artists_is_drawn_upon_them() -> None:
    """A static mark of high order above a moving line, and one of low order below it."""
    from matplotlib.figure import Figure

    from gdsim.plots.scene import Scene

    figure = Figure(figsize=(2, 2))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, 1), ylim=(0, 1))
    axes.axis("off")
    below = {"marker": "s", "markersize": 60, "linestyle": "none"}
    axes.plot([0.25], [0.5], color="lime", zorder=1, **below)
    axes.plot([0.75], [0.5], color="blue", zorder=9, **below)
    (moving,) = axes.plot([0, 1], [0.5, 0.5], color="red", linewidth=20, zorder=5)
    frames = Frames(
        Scene(figure, lambda position: moving.set_ydata([0.4 + position] * 2), 0.2, (moving,)), (200, 200)
    )
    for position in (0.1, 0.0, 0.1):
        frame = frames.at(position)
    assert frame[100, 50].tolist() == [255, 0, 0, 255]
    assert frame[100, 150].tolist() == [0, 0, 255, 255]


def test_letters_are_as_large_as_the_narrower_side_allows() -> None:
    for size in ((1280, 720), (1080, 1080), (1080, 1920)):
        look = Look("slides", f"{size[0] / min(size) * 7.5:.6f}x{size[1] / min(size) * 7.5:.6f}")
        with look.applied():
            scene = staged(executed("double-well"), "curve", look=look)
            frames = Frames(scene, size)
        assert frames.at(0).shape == (size[1], size[0], 4)
        assert scene.figure.dpi == pytest.approx(min(size) / 7.5, rel=1e-4)


# GIF


def test_a_gif_has_the_size_and_the_length_asked_for(tmp_path: Path) -> None:
    film = filmed(tmp_path / "film.gif", fps=12, seconds=3.0)
    with Image.open(film.file) as picture:
        assert picture.size == (film.width, film.height) == (320, 180)
        assert picture.n_frames == film.frames
        lengths = []
        for number in range(picture.n_frames):
            picture.seek(number)
            lengths.append(picture.info["duration"])
        assert picture.info["loop"] == 0
    assert sum(lengths) == 3000
    assert lengths[-1] == pytest.approx(1000, abs=90)
    assert film.seconds == 3.0
    assert film.bytes == film.file.stat().st_size


def test_the_pictures_of_a_gif_are_the_frames(tmp_path: Path) -> None:
    film = filmed(tmp_path / "film.gif", size="480x270")
    look = Look("slides", "13.333333x7.5")
    with look.applied():
        frames = Frames(staged(executed("double-well"), "curve", look=look), (480, 270))
        first, last = frames.at(1e-6)[:, :, :3].copy().astype(int), frames.at(15)[:, :, :3].astype(int)
    with Image.open(film.file) as picture:
        shown = np.asarray(picture.convert("RGB")).astype(int)
        assert np.quantile(np.abs(shown - first), 0.999) <= 16
        assert (shown[first.min(axis=2) == 255] == 255).all()  # white stays white
        picture.seek(picture.n_frames - 1)
        assert np.quantile(np.abs(np.asarray(picture.convert("RGB")) - last), 0.999) <= 16


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = (filmed(tmp_path / name).file.read_bytes() for name in ("a.gif", "b.gif"))
    assert first == second


def test_a_film_says_what_it_shows(tmp_path: Path) -> None:
    content = filmed(tmp_path / "film.gif").file.read_bytes()
    stamp = read_stamp(content)
    assert stamp is not None
    assert stamp["kind"] == "curve"
    assert stamp["scenario"].startswith("double-well-")
    assert (stamp["fps"], stamp["seconds"], stamp["size"]) == ("8", "2", SMALL)
    assert b"Two valleys" in content


def test_a_part_of_a_run_is_filmed(tmp_path: Path) -> None:
    take = Take(steps=(2, 5))
    assert take.pace(executed("double-well").trajectory.step_index).stops == [2, 3, 4, 5]
    assert Take(steps=(4,)).pace(executed("double-well").trajectory.step_index).stops == [0, 1, 2, 3, 4]
    assert filmed(tmp_path / "film.gif", steps=(2, 5)).frames > 5


def test_a_zoom_rests_at_each_window_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn: list[float] = []
    at = Frames.at
    monkeypatch.setattr(Frames, "at", lambda self, position: drawn.append(position) or at(self, position))
    filmed(tmp_path / "film.gif", kind="zoom", fps=20, seconds=4)
    assert {0.0, 1.0, 2.0, 3.0} <= {*drawn}


def test_a_run_without_a_step_is_a_still(tmp_path: Path) -> None:
    assert filmed(tmp_path / "film.gif", "balanced-on-a-maximum", steps=(0,)).frames == 1


@pytest.mark.parametrize("kind", GROWING)
def test_every_growing_kind_is_filmed(kind: str, tmp_path: Path) -> None:
    film = animate(suited(kind), kind, tmp_path / "film.gif", take=Take(SMALL, fps=4, seconds=2, hold=1))
    with Image.open(film.file) as picture:
        assert picture.n_frames > 2


def test_a_run_films_itself(tmp_path: Path) -> None:
    run = package.simulate("(w - 1)^2", initial_weight=0, learning_rate=0.3, stopping={"max_steps": 3})
    film = run.animate("curve", tmp_path / "film.gif", size=SMALL, seconds=1, hold=0.5)
    assert film.file.stat().st_size == film.bytes


# The command


def test_the_default_is_a_gif_among_the_figures(folder: Path) -> None:
    result = gdsim("animate", str(folder), "--size", SMALL, "--seconds", "3")
    assert result.exit_code == 0, result.output
    file = folder / "figures" / "curve.gif"
    assert result.stdout.startswith(f"{file}: ")
    assert "frames of 320 × 180, 3.0 s" in result.stdout
    assert [one.name for one in file.parent.iterdir()] == ["curve.gif"]


def test_json_says_what_was_written(folder: Path) -> None:
    words = ("--kind", "convergence", "--size", SMALL, "--seconds", "2", "--hold", "1", "--json")
    document = json.loads(gdsim("animate", str(folder), *words).stdout)
    assert document["file"] == str(folder / "figures" / "convergence.gif")
    assert (document["width"], document["height"], document["seconds"]) == (320, 180, 2.0)
    assert document["bytes"] == Path(document["file"]).stat().st_size


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--kind", "curv"), "did you mean curve"),
        (("--kind", "contour"), "shows 2 weight(s), this run has 1"),
        (
            ("--kind", "contour"),
            "expected curve | zoom | derivative | cobweb | phase | convergence | sharpness",
        ),
        (("--style", "slide"), "did you mean slides"),
        (("--size", "730p"), "WIDTHxHEIGHT in pixels"),
        (("--size", "9x9"), "from 120 to 4320 pixels a side"),
        (("--size", "321x181", "--format", "mp4"), "even numbers, such as 322x182"),
        (("--format", "avi"), "gif | mp4 | webm"),
        (("-o", "film.avi"), ".gif | .mp4 | .webm"),
        (("-o", "film.gif", "--format", "mp4"), "an ending .mp4"),
        (("--fps", "60"), "1 to 50 for gif"),
        (("--fps", "nan"), "1 to 50 for gif"),
        (("--seconds", "0"), "more than 0, at most 600"),
        (("--seconds", "2"), "less than the whole film"),
        (("--steps", "5,2"), "from 0 to 15"),
        (("--steps", "0,16"), "from 0 to 15"),
        (("--steps", "1,2,3"), "has no 3 ends"),
        (("--at", "77"), "a recorded step, 0 to 15"),
    ],
)
def test_wrong_words_say_what_was_expected(folder: Path, words: tuple[str, ...], message: str) -> None:
    result = gdsim("animate", str(folder), *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not (folder / "figures").exists()


def test_a_sweep_has_no_steps_to_film(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    assert "is a sweep" in gdsim("animate", str(tmp_path)).stderr


def test_without_ffmpeg_the_error_says_what_to_install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    result = gdsim("animate", str(folder), "--format", "mp4")
    assert result.exit_code == 2
    assert "pip install 'gdsim[video]'" in result.stderr


def fake_ffmpeg(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    program = folder / "ffmpeg"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")


@pytest.mark.skipif(sys.platform == "win32", reason="a shell script stands in for ffmpeg")
def test_when_ffmpeg_fails_its_words_are_passed_on_and_nothing_is_left(
    folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_ffmpeg(tmp_path_factory.mktemp("bin"), "echo Unknown encoder libx264 >&2; exit 1", monkeypatch)
    result = gdsim("animate", str(folder), "--format", "mp4", "--size", SMALL)
    assert result.exit_code == 1
    assert "ffmpeg failed: Unknown encoder libx264" in result.stderr
    assert list((folder / "figures").iterdir()) == []


def test_an_interrupted_film_leaves_the_old_one(tmp_path: Path) -> None:
    file = tmp_path / "film.gif"
    file.write_bytes(b"old")

    def stop(done: int, count: int) -> None:
        if done > count // 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        animate(executed("double-well"), "curve", file, take=Take(SMALL, fps=4), advance=stop)
    assert file.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [file]


def test_sizes_are_even_and_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "animations.md").read_text(encoding="utf-8")
    for name, size in FILM_SIZES.items():
        assert pixels(name, "mp4") == size
        assert f"| `{name}` | {size[0]} × {size[1]} |" in page
        assert all(side % 2 == 0 for side in size)
    assert all(f"`{format}`" in page for format in FILM_FORMATS)


def test_a_file_that_is_no_film_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not end like a film"):
        filmed(tmp_path / "film.png")


# Video


def decoded(file: Path) -> np.ndarray:
    """All frames of a video as red, green, blue."""
    from gdsim.plots.encoders import ffmpeg

    command = [ffmpeg(), "-loglevel", "error", "-i", str(file), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    raw = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(raw, dtype=np.uint8).reshape(-1, 180, 320, 3)


@pytest.mark.integration
@pytest.mark.parametrize("format", CODECS)
def test_a_video_has_the_frames_asked_for(format: str, tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    film = filmed(tmp_path / f"film.{format}", fps=30, seconds=3)
    frames = decoded(film.file)
    assert len(frames) == film.frames == 90
    look = Look("slides", "13.333333x7.5")
    with look.applied():
        last = Frames(staged(executed("double-well"), "curve", look=look), (320, 180)).at(15)[:, :, :3]
    assert np.abs(frames[-1].astype(int) - last).mean() < 3
    held = frames[-28:].astype(int)
    assert np.abs(held - held[-1]).mean() < 1
    content = film.file.read_bytes()
    stamp = read_stamp(content)
    assert stamp is not None
    assert stamp["kind"] == "curve"
    assert b"minimum at w = 1." in content.replace("−".encode(), b"-")
    assert filmed(tmp_path / f"again.{format}", fps=30, seconds=3).file.read_bytes() == content


@pytest.mark.integration
def test_the_extra_brings_an_ffmpeg_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    from gdsim.plots.encoders import ffmpeg

    extra = pytest.importorskip("imageio_ffmpeg")
    monkeypatch.setenv("PATH", "")
    assert ffmpeg() == extra.get_ffmpeg_exe()


@pytest.mark.integration
@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_control_c_leaves_neither_a_file_nor_a_child(folder: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    words = ("animate", str(folder), "--format", "mp4", "--seconds", "300", "--size", "1080p")
    child = subprocess.Popen(
        [sys.executable, "-m", "gdsim", *words], stderr=subprocess.DEVNULL, start_new_session=True
    )
    figures = folder / "figures"
    deadline = time.monotonic() + 60
    while not (figures.is_dir() and any(figures.iterdir())) and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1.0)
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(30) == 130
    assert list(figures.iterdir()) == []
    if shutil.which("ps"):
        group = subprocess.run(["ps", "-o", "pid=", "-g", str(child.pid)], capture_output=True, text=True)
        assert not group.stdout.strip()
