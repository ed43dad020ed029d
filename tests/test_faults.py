"""Power cuts, full disks, vanished folders, two at once: each output is whole or absent, and nothing is lost.

Processes are killed with SIGKILL after random times; what they wrote is compared with what an undisturbed one
writes. What needs a disk of its own mounts one, where this is allowed.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.release
RUN = ("run", "double-well")
SWEEP = (
    "sweep",
    "double-well",
    "learning_rate=lin(0.001,0.3,300)",
    "initial_weight=lin(-2,2,100)",
    "--engine",
    "numpy",
)
DECK = ("deck", "double-well", "--to", "html", "-o", "deck.html")
KILLS = {RUN: 70, SWEEP: 70, DECK: 40}  # and 20 of `learn`, below
#: what differs from one time to the next; a temporary sibling of something is no output
_PASSING = re.compile(r"environment\.json$|manifest\.json$|chunks/|\.gdsim-")
DISK = "error: No space left on device; expected free space"


def gdsim(folder: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gdsim", *words], cwd=folder, env={**os.environ, **environment},
        capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def contents(folder: Path) -> dict[str, bytes]:
    """Every file but those that hold the time or the host, and chunks, whose lengths depend on the speed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not _PASSING.search(str(path.relative_to(folder)))
    }


def killed(folder: Path, words: tuple[str, ...], seconds: float, typed: str | None = None) -> bool:
    """Start a command and kill it after so many seconds; whether it was still running."""
    process = subprocess.Popen(
        [sys.executable, "-m", "gdsim", *words], cwd=folder,
        env={**os.environ, "GDSIM_HOME": str(folder / "home")},
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        process.communicate(None if typed is None else typed.encode(), timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return True
    return False


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, ...], tuple[dict[str, bytes], float]]:
    """What each command writes undisturbed, and about how long it takes."""
    found = {}
    for words in KILLS:
        folder = tmp_path_factory.mktemp(words[0])
        began = os.times().elapsed
        assert gdsim(folder, *words).returncode == 0
        found[words] = (contents(folder), os.times().elapsed - began)
    return found


@pytest.mark.parametrize("words", KILLS, ids=lambda words: words[0])
def test_killed_at_any_moment_an_output_is_whole_or_absent_and_the_next_try_succeeds(
    tmp_path: Path, whole: dict[tuple[str, ...], tuple[dict[str, bytes], float]], words: tuple[str, ...]
) -> None:
    right, seconds = whole[words]
    moments = random.Random(8)
    stopped, attempt = 0, 0
    while stopped < KILLS[words]:
        attempt += 1
        folder = tmp_path / str(attempt)
        folder.mkdir()
        if killed(folder, words, moments.uniform(0, seconds)):
            stopped += 1
            found = contents(folder)
            if words[0] != "sweep":  # its chunks and its manifest come one after the other
                assert found in ({}, right)
            assert gdsim(folder, *words).returncode == 0
        assert contents(folder) == right
        shutil.rmtree(folder)
        assert attempt < 10 * KILLS[words]


def test_killed_while_learning_progress_is_whole_and_no_answer_is_lost(tmp_path: Path) -> None:
    moments = random.Random(9)
    stopped, attempt, answered = 0, 0, 0
    while stopped < 20:
        attempt += 1
        typed = "\n\n2\nhint\n0.75\n" * 200
        stopped += killed(tmp_path, ("learn", "01-nudges"), moments.uniform(0, 1.2), typed)
        for file in (tmp_path / "home").rglob("progress.json"):
            attempts = json.loads(file.read_text())["lessons"]["01-nudges"]["attempts"]
            assert len(attempts) >= answered
            answered = len(attempts)
        assert attempt < 200
    assert answered > 0


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 400 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if (
        os.geteuid()
        or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)]).returncode
    ):
        pytest.skip("to mount a small disk takes root")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_half_of_a_run_and_says_what_to_do(disk: Path) -> None:
    (disk / "filler").write_bytes(b"x" * 350_000)
    done = gdsim(disk.parent, *RUN, "--out", "disk")
    assert (done.returncode, done.stderr.startswith(DISK)) == (1, True)
    assert [path.name for path in disk.iterdir()] == ["filler"]


def test_a_full_disk_keeps_the_run_that_was_there(disk: Path) -> None:
    assert gdsim(disk.parent, *RUN, "--no-plot", "--out", "disk").returncode == 0
    before = contents(disk)
    (disk / "filler").write_bytes(b"x" * 370_000)
    assert gdsim(disk.parent, *RUN, "--out", "disk").returncode == 1
    (disk / "filler").unlink()
    assert contents(disk) == before


def test_a_sweep_on_a_full_disk_goes_on_when_there_is_room(disk: Path) -> None:
    (disk / "filler").write_bytes(b"x" * 380_000)
    words = ("sweep", "double-well", "learning_rate=lin(0.01,0.2,300)", "--out", "disk", "--no-plot")
    done = gdsim(disk.parent, *words)
    assert done.returncode == 1
    assert "the same command goes on from there" in " ".join(done.stderr.split())
    (disk / "filler").unlink()
    assert gdsim(disk.parent, *words).returncode == 0


@pytest.mark.parametrize("words", [RUN, SWEEP, DECK], ids=lambda words: words[0])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, words: tuple[str, ...]) -> None:
    target = ("--out", "/proc/nothing")
    if words is DECK:
        words, target = DECK[:4], ("-o", "/proc/nothing/deck.html")
    done = gdsim(tmp_path, *words, *target)
    assert done.returncode in (1, 2)
    assert "/proc/nothing" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_working_directory_that_is_gone_is_said(tmp_path: Path) -> None:
    folder = tmp_path / "gone"
    folder.mkdir()
    script = "import os, sys; os.rmdir(os.getcwd()); from gdsim.cli import main; main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", script, *RUN], cwd=folder, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "error: the working directory is no longer there; expected cd to one that is\n",
    )


def test_a_cache_that_cannot_be_written_costs_time_alone(tmp_path: Path) -> None:
    words = ("sweep", "double-well", "learning_rate=0.1,0.2", "--engine", "fast", "--no-plot")
    assert gdsim(tmp_path, *words, GDSIM_CACHE_DIR="/proc/nothing").returncode == 0


def test_two_processes_that_write_one_run_leave_one_whole(tmp_path: Path) -> None:
    script = [sys.executable, "-m", "gdsim", *RUN]
    together = [
        subprocess.Popen(script, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120)[1] for process in together]
    assert any(process.returncode == 0 for process in together), said
    assert not any("Traceback" in text or "internal" in text for text in said)
    alone = tmp_path / "alone"
    alone.mkdir()
    assert gdsim(alone, *RUN).returncode == 0
    shutil.rmtree(tmp_path / "outputs" / "figures", ignore_errors=True)
    assert contents(tmp_path / "outputs") == contents(alone / "outputs")


def test_two_sweeps_into_one_folder_end_with_the_results_of_one(
    tmp_path: Path, whole: dict[tuple[str, ...], tuple[dict[str, bytes], float]]
) -> None:
    together = [
        subprocess.Popen(
            [sys.executable, "-m", "gdsim", *SWEEP],
            cwd=tmp_path,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for process in together:
        process.communicate(timeout=120)
    assert gdsim(tmp_path, *SWEEP).returncode == 0
    assert contents(tmp_path) == whole[SWEEP][0]


def test_a_clock_that_jumps_changes_nothing(tmp_path: Path) -> None:
    script = (
        "import itertools, sys, time; jumps = itertools.cycle((0.0, 4e9, 1.0, 1e5));"
        "time.time = lambda: next(jumps);"
        "from gdsim.cli import main; main(sys.argv[1:])"
    )
    words = [*SWEEP, "--jobs", "1"]
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    calm = tmp_path / "calm"
    calm.mkdir()
    assert gdsim(calm, *words).returncode == 0
    assert contents(tmp_path / "outputs") == contents(calm / "outputs")


def test_records_beyond_memory_are_refused_with_their_size(tmp_path: Path) -> None:
    done = gdsim(
        tmp_path, *RUN, "-S", "stopping.max_steps=1e12", "-S", "stopping.gradient_tolerance=0", "--no-plot"
    )
    assert done.returncode == 2
    assert "bytes, and 1,073,741,824 are allowed" in done.stderr
