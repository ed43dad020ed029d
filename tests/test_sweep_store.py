"""The folder of a sweep: killed, interrupted, damaged or grown, it ends with the same bytes."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from copy import copy
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest

from gdsim.outcomes import InputError
from gdsim.scenario import parse_mapping
from gdsim.scenario.axes import with_axes
from gdsim.sweeps.assembly import RESULTS, TRAJECTORIES, Assembly
from gdsim.sweeps.columns import Damaged, directory, member, read_columns, whole_file, write_columns
from gdsim.sweeps.design import Design
from gdsim.sweeps.execution import Forecast, Sweep
from gdsim.sweeps.result import Column, SweepResult
from gdsim.sweeps.results import TABLE, finish
from gdsim.sweeps.store import Plan, Store, directory_of, opened
from gdsim.sweeps.versions import versions

BASE = {
    "name": "wells", "loss": "(w^2 - 1)^2", "initial_weight": 0.5, "learning_rate": 0.1, "domain": [-2, 2],
    "stopping": {"max_steps": 50},
}  # fmt: skip
RATES, STARTS = "learning_rate=lin(0.01,0.4,40)", "initial_weight=lin(-1.9,1.9,50)"
CHUNK = 128  # runs: 16 chunks
FILES = (RESULTS, TRAJECTORIES, TABLE, "scenario.yaml", "manifest.json")


def made(parent: Path, *axes: str, engine: str = "auto", **changes: object) -> Sweep:
    """A sweep of two wells, by default of 2,000 runs."""
    scenario = with_axes(parse_mapping({**BASE, **changes}), axes or (RATES, STARTS))
    return Sweep(scenario, parent, engine)  # type: ignore[arg-type]


def carry_out(sweep: Sweep, jobs: int = 1, say: Callable[[str], None] = print) -> SweepResult:
    """Run it in small chunks and put the results together."""
    sweep.jobs = jobs
    forecast = Forecast(sweep.design.runs, 1, 0, 0.0 if jobs == 1 else 60.0, "numpy", "", jobs)
    plan = Plan(sweep.design, "numpy", CHUNK, versions("numpy"))
    return finish(sweep.carry_out(plan, forecast, warn=say), sweep.worker)


def contents(directory: Path | None) -> dict[str, bytes]:
    """The files that must not depend on what happened on the way."""
    assert directory is not None
    return {name: (directory / name).read_bytes() for name in FILES}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the sweep leaves when nothing happens to it."""
    return contents(carry_out(made(tmp_path_factory.mktemp("undisturbed"))).directory)


SCRIPT = """
import os, resource, signal, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import test_sweep_store as t
{fault}
if __name__ == "__main__":
    sweep = t.made(Path({parent!r}))
    try:
        t.carry_out(sweep)
    except KeyboardInterrupt:
        sys.exit(130)
    except OSError as error:
        print(error.strerror)
        sys.exit(1)
"""
#: a fault from the n-th chunk on: it strikes before or after the writing of each file
STRIKE = """
write, count = t.Store.write, [0]
def struck(store, chunk, columns):
    count[0] += 1
    if count[0] >= {at} and {before}:
        {what}
    write(store, chunk, columns)
    if count[0] >= {at}:
        {what}
t.Store.write = struck
"""
KILL = "os.kill(os.getpid(), signal.SIGKILL)"


def disturbed(parent: Path, fault: str) -> subprocess.CompletedProcess[str]:
    """Run the same sweep in a process of its own, with a fault."""
    script = SCRIPT.format(tests=str(Path(__file__).parent), parent=str(parent), fault=fault)
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("at", "before"), [(1, True), (1, False), (7, False), (16, True)])
def test_a_killed_sweep_goes_on_to_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, bytes], at: int, before: bool
) -> None:
    died = disturbed(tmp_path, STRIKE.format(at=at, before=before, what=KILL))
    assert died.returncode == -signal.SIGKILL
    assert contents(carry_out(made(tmp_path)).directory) == undisturbed


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    disturbed(tmp_path, STRIKE.format(at=7, before=False, what=KILL))
    sweep = made(tmp_path)
    before = {file.name: file.stat().st_mtime_ns for file in (sweep.directory / "chunks").glob("0*.npz")}
    assert len(before) >= 6
    carry_out(sweep)
    after = {file.name: file.stat().st_mtime_ns for file in (sweep.directory / "chunks").glob("0*.npz")}
    assert before.items() <= after.items()


def test_a_sweep_that_was_interrupted_goes_on_to_the_same_bytes(
    tmp_path: Path, undisturbed: dict[str, bytes]
) -> None:
    stop = "os.kill(os.getpid(), signal.SIGINT)"
    assert disturbed(tmp_path, STRIKE.format(at=5, before=False, what=stop)).returncode == 130
    assert contents(carry_out(made(tmp_path)).directory) == undisturbed


def test_a_full_disk_leaves_whole_chunks_and_says_so(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    # the system refuses to make files longer than this: a chunk of 128 runs with its tail takes about 40 kB
    limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))"
    refused = disturbed(tmp_path, f"{limit}; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)")
    assert (refused.returncode, refused.stdout.strip()) == (1, "File too large")
    sweep = made(tmp_path)
    assert [*(sweep.directory / "chunks").iterdir()] == []
    assert contents(carry_out(sweep).directory) == undisturbed


def test_processes_compute_the_same_bytes(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    assert contents(carry_out(made(tmp_path), jobs=2).directory) == undisturbed


# ---- damage


def damage_one(file: Path, at: float) -> None:
    """Change one byte somewhere in a file."""
    content = bytearray(file.read_bytes())
    content[int(at * (len(content) - 1))] ^= 0xFF
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("at", [0.0, 0.1, 0.5, 0.9, 0.985])
def test_a_damaged_chunk_is_named_and_computed_again(
    tmp_path: Path, undisturbed: dict[str, bytes], at: float
) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    damage_one(directory / "chunks" / "000003.npz", at)
    said: list[str] = []
    assert contents(carry_out(made(tmp_path), say=said.append).directory) == undisturbed
    assert len(said) == 1
    assert "000003.npz is damaged" in said[0]


def test_a_chunk_that_was_cut_off_is_computed_again(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    os.truncate(directory / "chunks" / "000000.npz", 1000)
    assert contents(carry_out(made(tmp_path)).directory) == undisturbed


def test_a_chunk_of_another_place_is_not_taken(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    (directory / "chunks" / "000002.npz").write_bytes((directory / "chunks" / "000005.npz").read_bytes())
    said: list[str] = []
    assert contents(carry_out(made(tmp_path), say=said.append).directory) == undisturbed
    assert "000002.npz" in said[0]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_parts_in_any_order_make_the_file_that_whole_columns_make(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    columns: dict[str, Column] = {
        "w": np.linspace(-1.0, 1.0, 10), "größe": np.arange(10, dtype=np.int8),
        "tail": np.arange(60.0).reshape(10, 3, 2),
    }  # fmt: skip
    write_columns(tmp_path / "whole.npz", columns)
    with whole_file(tmp_path / "parts.npz") as file:
        made = Assembly(file, {name: (column.dtype, column.shape) for name, column in columns.items()})
        for part in order:
            for name, column in columns.items():
                made.put(name, 4 * part, column[4 * part : 4 * part + 4])
        made.close()
    assert (tmp_path / "parts.npz").read_bytes() == (tmp_path / "whole.npz").read_bytes()


def test_the_end_of_a_large_archive_is_the_one_that_zipfile_writes() -> None:
    """A sparse file of 5 GiB: sizes and places that take more than 32 bits."""
    entries, written = [], io.BytesIO()
    for place, size in ((0, 1), (3 << 30, 5), (5 << 30, 3 << 30)):
        entry = member(f"w{place}")
        entry.header_offset, entry.file_size, entry.compress_size, entry.CRC = place, size, size, 7
        entry.create_version = entry.extract_version = 45
        entries.append(entry)
    end = (8 << 30) + 100
    with ZipFile(written, "w") as archive:
        archive.filelist.extend(copy(entry) for entry in entries)
    assert len(directory(entries, 0)) == len(written.getvalue())
    assert directory(entries, 0)[:-22] == written.getvalue()[:-22]
    close = directory(entries, end)[-98:]
    assert (close[:4], close[56:60], close[76:80]) == (b"PK\6\6", b"PK\6\7", b"PK\5\6")
    assert int.from_bytes(close[48:56], "little") == end
    assert int.from_bytes(close[64:72], "little") == end + len(directory(entries, 0)) - 22


def test_what_a_killed_process_was_writing_is_removed(tmp_path: Path, undisturbed: dict[str, bytes]) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    for folder in (directory, directory / "chunks"):
        (folder / ".gdsim-writing-results.npz-1").write_bytes(b"half of it")
    assert contents(carry_out(made(tmp_path)).directory) == undisturbed
    assert not [*directory.rglob(".gdsim-writing-*")]


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    (directory / "manifest.json").write_text("{}")
    with pytest.raises(InputError, match="no manifest of a sweep"):
        made(tmp_path)


@pytest.mark.parametrize("flip", [0x01, 0x10, 0xFF])
def test_a_changed_byte_never_passes_for_the_columns(tmp_path: Path, flip: int) -> None:
    file = tmp_path / "some.npz"
    columns = {"w": np.linspace(0, 1, 7), "status": np.arange(7, dtype=np.int8)}
    write_columns(file, columns)
    good = file.read_bytes()
    for place in range(len(good)):
        file.write_bytes(good[:place] + bytes([good[place] ^ flip]) + good[place + 1 :])
        try:
            found = read_columns(file, ["w", "status"])
        except Damaged:
            continue
        assert all(found[name].tolist() == column.tolist() for name, column in columns.items())


# ---- axes that grow


def computed_runs(monkeypatch: pytest.MonkeyPatch, sweep: Sweep) -> list[int]:
    """Note the runs that are computed."""
    seen: list[int] = []
    compute = sweep.worker.compute
    monkeypatch.setattr(sweep.worker, "compute", lambda run: (seen.extend(run.tolist()), compute(run))[1])
    return seen


GROWN = {
    "more rates": (("learning_rate=0.1,0.2", STARTS), ("learning_rate=0.1,0.2,0.3", STARTS), 50),
    "more starts": ((RATES, "initial_weight=0.5,1"), (RATES, "initial_weight=0.25,0.5,1"), 40),
    "fewer": ((RATES, STARTS), (RATES, "initial_weight=-1.9,1.9"), 0),
    "other values": (("learning_rate=0.1,0.2", STARTS), ("learning_rate=0.3,0.4", STARTS), 100),
    "words": (("update_rule=adam", RATES), ("update_rule=momentum,adam", RATES), 40),
}


@pytest.mark.parametrize("name", GROWN)
def test_an_axis_that_grew_takes_over_what_was_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    first, second, new = GROWN[name]
    carry_out(made(tmp_path / "grown", *first))
    grown = made(tmp_path / "grown", *second)
    seen = computed_runs(monkeypatch, grown)
    directory = carry_out(grown).directory
    assert len(seen) == new
    assert contents(directory) == contents(carry_out(made(tmp_path / "new", *second)).directory)
    assert directory is not None
    assert not (directory / "earlier").exists()


def random(runs: int) -> dict[str, object]:
    axis = {"learning_rate": {"min": 0.01, "max": 0.4}}
    return {"sweep": {"method": "random", "runs": runs, "parameters": axis}}


def test_more_random_runs_take_over_the_earlier_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = parse_mapping({**BASE, **random(300)})
    carry_out(Sweep(scenario, tmp_path))
    more = Sweep(parse_mapping({**BASE, **random(500)}), tmp_path)
    seen = computed_runs(monkeypatch, more)
    carry_out(more)
    assert seen == [*range(300, 500)]


def zipped(*rates: float) -> dict[str, object]:
    axes = {"learning_rate": {"values": [*rates]}, "initial_weight": {"values": [2 * rate for rate in rates]}}
    return {"sweep": {"method": "zip", "parameters": axes}}


def test_axes_side_by_side_take_over_the_pairs_that_were_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    carry_out(Sweep(parse_mapping({**BASE, **zipped(0.1, 0.2)}), tmp_path))
    more = Sweep(parse_mapping({**BASE, **zipped(0.3, 0.2, 0.4, 0.1)}), tmp_path)
    seen = computed_runs(monkeypatch, more)
    carry_out(more)
    assert seen == [0, 2]


def test_a_sweep_killed_while_it_grew_keeps_all_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disturbed(tmp_path, STRIKE.format(at=7, before=False, what=KILL))  # six chunks or more of 2,000 runs
    wider = made(tmp_path, RATES, "initial_weight=lin(-1.9,1.9,50)", engine="auto")
    scenario = with_axes(wider.design.scenario, ["learning_rate=lin(0.01,0.4,40)", "initial_weight=0.5"])
    carry_out(Sweep(scenario, tmp_path))  # other axes in between: what was there goes aside, and is of no use
    again = made(tmp_path)
    carry_out(again)
    assert again.directory == directory_of(again.design.scenario, tmp_path)


# ---- one at a time, and with one engine


def test_two_processes_cannot_run_one_sweep(tmp_path: Path) -> None:
    sweep = made(tmp_path)
    plan = Plan(sweep.design, "numpy", CHUNK, versions("numpy"))
    with (
        opened(sweep.directory, plan),
        pytest.raises(InputError, match="another process"),
        opened(sweep.directory, plan),
    ):
        pass


def test_a_sweep_goes_on_with_the_engine_it_was_begun_with(tmp_path: Path) -> None:
    carry_out(made(tmp_path))
    with pytest.raises(InputError, match="begun with the numpy engine"):
        made(tmp_path, engine="fast")


def test_other_versions_are_said(tmp_path: Path) -> None:
    directory = carry_out(made(tmp_path)).directory
    assert directory is not None
    manifest = json.loads((directory / "manifest.json").read_text())
    manifest["versions"]["numpy"] = "1.0"
    (directory / "manifest.json").write_text(json.dumps(manifest))
    said: list[str] = []
    carry_out(made(tmp_path), say=said.append)
    assert "numpy 1.0" in said[0]


def test_another_scenario_has_another_folder(tmp_path: Path) -> None:
    assert made(tmp_path).directory != made(tmp_path, stopping={"max_steps": 51}).directory
    assert made(tmp_path).directory == made(tmp_path, "learning_rate=1", "initial_weight=1").directory


# ---- what other programs read


def test_numpy_reads_the_results(tmp_path: Path) -> None:
    result = carry_out(made(tmp_path))
    assert result.directory is not None
    with np.load(result.directory / RESULTS) as columns:
        assert columns["learning_rate"][:2].tolist() == [0.01, 0.01]
        assert columns["w"].tobytes() == result.columns["w"].tobytes()


def test_a_row_of_the_table_round_trips(tmp_path: Path) -> None:
    result = carry_out(made(tmp_path))
    assert result.directory is not None
    head, first, *_ = (result.directory / TABLE).read_text().splitlines()
    row = dict(zip(head.split(","), first.split(","), strict=True))
    assert float(row["w"]) == result.columns["w"][0]
    assert (row["status"], row["verdict"]) in {("MAX_STEPS", "minimum"), ("MAX_STEPS", "still_moving")}


def test_a_store_is_complete_when_nothing_is_missing(tmp_path: Path) -> None:
    sweep = made(tmp_path)
    carry_out(sweep)
    plan = Plan(Design.of(sweep.design.scenario), "numpy", CHUNK, versions("numpy"))
    assert Store(sweep.directory, plan).missing() == ([], [])
