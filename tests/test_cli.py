"""``gdsim run`` and what all commands share: output, exit codes, streams, errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from interpreters import command, environment, python
from tiers import later

from gdsim.cli import main
from gdsim.outcomes import VERDICT_KINDS
from gdsim.scenario import shipped

PLAIN = "loss: (w - 3)^2\ninitial_weight: 0\nlearning_rate: 0.1\n"
BROKEN = "loss: (w - 3)^2 +\ninitial_weight: 0\nlearning_rate: fast\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "80")


def gdsim(*words: str, **options: object) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim", **options)  # type: ignore[arg-type]


def document(*words: str) -> object:
    """The one JSON document that a command prints; nothing else may stand on stdout."""

    def no_constant(text: str) -> None:
        raise AssertionError(f"{text} is not JSON")

    return json.loads(gdsim(*words, "--json").stdout, parse_constant=no_constant)


def write(name: str, text: str = PLAIN) -> str:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_text(text, encoding="utf-8")
    return name


# ---- what run prints

SUMMARY = """\
MINIMUM  A healthy decay
  After 42 steps the run settled on a minimum, w = 0. The slope changes from −
  to + there, and f″ = 2.

  L = w**2   η = 0.2   gradient descent   analytic

  w           10 → 4.8123e-09
  loss        100 → 2.31582e-17
              ███▇▇▇▇▇▇▇▆▆▆▆▆▅▅▅▅▅▅▅▄▄▄▄▄▃▃▃▃▃▃▃▂▂▂▂▂▂▁▁▁  log scale
  |gradient|  20 → 9.6246e-09
  steps       42  CONVERGED  (43 gradients)

  1 critical point in [-12, 12], proved to be all
  ● minimum  w = 0  loss 0  f″ = 2

  ruler       0───────●───────────┼──────────────────┼─────────→ η
                                  1/L = 0.5          2/L = 1
              η = 0.2 is at most 1/L = 0.5: near the minimum steps do not
              overshoot; and the run came in from one side.
"""


def test_run_prints_the_verdict_first_and_then_the_numbers() -> None:
    assert gdsim("run", "parabola", "--no-plot").stdout.startswith(SUMMARY)


def test_run_names_the_files_that_it_wrote() -> None:
    result = gdsim("run", "parabola")
    (directory,) = Path("outputs").iterdir()
    assert f"written     {directory}/" in result.stdout
    for name in ("trajectory.csv", "summary.json", "figures/curve.svg", "figures/convergence.svg"):
        assert name in result.stdout
        assert (directory / name).is_file()


@pytest.mark.parametrize("columns", ["80", "60"])
@pytest.mark.parametrize(
    "name",
    [
        "himmelblau-centre",
        "rippled-parabola",
        "engel-standardised",
        "cosh-cliff",
        "ravine-momentum",
        later("valley"),
    ],
)
def test_the_summary_keeps_to_the_width_of_the_terminal(
    name: str, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = gdsim("run", name, "--no-plot", "--out", "o").stdout.splitlines()
    long = [line for line in lines if len(line) > int(columns)]
    assert [line for line in long if "loss" not in line or columns == "80"] == []


def test_only_the_neighbours_of_the_end_are_listed_and_the_settled_point_is_marked() -> None:
    text = gdsim("run", "rippled-parabola", "--no-plot").stdout
    points = re.findall(r"^  ([● ]) (minimum|maximum) +w = (\S+)", text, re.MULTILINE)
    assert len(points) == 12
    assert [float(at) for mark, _, at in points if mark == "●"] == [pytest.approx(1.71278)]
    assert "… and 67 more" in text


def test_quiet_prints_one_line_for_each_run() -> None:
    lines = gdsim("--quiet", "run", "parabola", "parabola-divergence", "--no-plot").stdout.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["parabola", "minimum"],
        ["parabola-divergence", "diverged"],
    ]
    assert gdsim("run", "parabola", "-q", "--no-plot").stdout.startswith("parabola: minimum: ")


def test_no_colour_where_nobody_sees_it() -> None:
    assert "\x1b" not in gdsim("run", "parabola", "--no-plot").stdout


def test_an_override_wins_over_the_file_and_the_file_over_a_preset() -> None:
    write("preset.yaml", "learning_rate: 0.3\nstopping: {max_steps: 5}\n")
    write("mine.yaml")
    found = document("run", "mine.yaml", "--config", "preset.yaml", "--no-plot")
    assert isinstance(found, dict)
    assert (found["status"], found["steps"]) == ("MAX_STEPS", 5)
    assert found["ruler"] is None or found["ruler"]["learning_rate"] == 0.1
    found = document("run", "mine.yaml", "--config", "preset.yaml", "-S", "stopping.max_steps=2", "--no-plot")
    assert isinstance(found, dict)
    assert found["steps"] == 2


def test_engines_write_the_same_log() -> None:
    logs = []
    for engine in ("python", "numpy"):
        gdsim("run", "ravine-momentum", "--engine", engine, "--no-plot", "--out", engine)
        (directory,) = Path(engine).iterdir()
        rows = (directory / "trajectory.csv").read_text(encoding="utf-8").splitlines()
        logs.append([row.split(",")[0] for row in rows])
    assert logs[0] == logs[1]


def test_a_run_that_cannot_be_written_is_named_with_its_place() -> None:
    write("taken")
    result = gdsim("run", "parabola", "--out", "taken")
    assert result.exit_code == 2
    assert "is a file, not a folder" in result.stderr


# ---- files, folders, names


def test_run_takes_files_folders_and_names_together() -> None:
    write("a/one.yaml")
    write("a/b/two.yml")
    write("three.yaml")
    write("a/deck.yaml", "slides: []\n")
    result = gdsim("run", "a", "three.yaml", "parabola", "--no-plot", "-q")
    assert [line.partition(":")[0] for line in result.stdout.splitlines()] == [
        "two",
        "one",
        "three",
        "parabola",
    ]
    assert len(list(Path("outputs").iterdir())) == 4


def test_json_is_an_object_for_one_file_and_a_list_for_several_or_a_folder() -> None:
    write("a/one.yaml")
    one = document("run", "a/one.yaml", "--no-plot")
    assert isinstance(one, dict)
    assert Path(one["directory"]).is_dir()
    assert [found["name"] for found in document("run", "a", "--no-plot")] == ["one"]  # type: ignore[attr-defined]
    several = document("run", "parabola", "a/one.yaml", "--no-plot")
    assert [found["name"] for found in several] == ["parabola", "one"]  # type: ignore[attr-defined]


def test_json_names_what_is_not_finite() -> None:
    found = document("run", "cosh-cliff", "--no-plot")
    assert found["final"]["loss"] == "inf"  # type: ignore[index]


def test_the_summary_on_disk_is_the_one_that_is_printed() -> None:
    found = document("run", "double-well", "--no-plot")
    assert isinstance(found, dict)
    stored = json.loads((Path(found.pop("directory")) / "summary.json").read_text(encoding="utf-8"))
    assert stored == found


# ---- exit codes


def test_a_diverged_run_is_a_result() -> None:
    assert gdsim("run", "parabola-divergence", "--no-plot").exit_code == 0


@pytest.mark.parametrize(
    ("kinds", "code"), [(["diverged"], 3), (["minimum", "diverged"], 3), (["cycle"], 0), ([], 0)]
)
def test_fail_on_turns_a_verdict_into_exit_code_3(kinds: list[str], code: int) -> None:
    options = [word for kind in kinds for word in ("--fail-on", kind)]
    assert gdsim("run", "parabola-divergence", "--no-plot", *options).exit_code == code


def test_fail_on_looks_at_every_run() -> None:
    result = gdsim("run", "parabola-divergence", "parabola", "--no-plot", "--fail-on", "diverged", "--json")
    assert result.exit_code == 3
    assert len(json.loads(result.stdout)) == 2


def test_fail_on_knows_the_verdicts() -> None:
    result = gdsim("run", "parabola", "--fail-on", "divergd")
    assert result.exit_code == 2
    assert "did you mean diverged?" in result.stderr
    assert all(kind in result.stderr for kind in VERDICT_KINDS)


BAD = {
    "no such file": ["run", "missing.yaml"],
    "no such name": ["run", "parabolla"],
    "broken file": ["run", "broken.yaml"],
    "broken folder": ["run", "folder"],
    "empty folder": ["run", "empty"],
    "bad override": ["run", "parabola", "-S", "learning_rate"],
    "unknown key": ["run", "parabola", "-S", "learning_rat=1"],
    "bad value": ["run", "parabola", "-S", "learning_rate=fast"],
    "no preset": ["run", "parabola", "--config", "lectur"],
    "no kind": ["run", "parabola", "--fail-on", "sadness"],
    "not analytic": ["run", "absolute-value", "-S", "derivative={method: numeric, scheme: complex_step}"],
    "unknown option": ["run", "parabola", "--fast"],
    "no argument": ["run"],
    "no command": ["runn"],
    "bad engine": ["run", "parabola", "--engine", "steam"],
    "memory": ["run", "parabola", "-S", "stopping.max_steps=1000000000000"],
    "validate": ["validate", "broken.yaml"],
    "show": ["show", "broken.yaml"],
    "check": ["check", "broken.yaml"],
    "derive syntax": ["derive", "x^"],
    "derive at": ["derive", "x^2", "--at", "x"],
    "derive at weight": ["derive", "x^2", "--at", "y=1"],
    "derive at missing": ["derive", "x*y", "--at", "x=1"],
    "derive at bare": ["derive", "x*y", "--at", "1"],
    "derive at twice": ["derive", "x*y", "--at", "x=1,x=2,y=1"],
    "derive option": ["derive", "x^2", "--att", "1"],
    "derive two": ["derive", "x^2", "y^2"],
    "critical domain": ["critical", "x^2", "--domain", "1"],
    "critical order": ["critical", "x^2", "--domain", "2", "-2"],
    "critical weight": ["critical", "x^2", "--domain", "y=0,1"],
    "critical file": ["critical", "missing.yaml"],
    "compare along": ["compare", "x^2", "--along"],
    "compare both": ["compare", "parabola", "--along", "--at", "3"],
    "runs diff": ["runs", "diff", "a", "b"],
    "runs continue": ["runs", "continue", "empty"],
    "init taken": ["init", "broken"],
    "init folder": ["init", "no/such/folder/x"],
    "init name": ["init", ".hidden"],
    "list": ["list", "loses"],
    "completion": ["completion", "tcsh"],
}


@pytest.fixture
def _bad_files() -> None:
    write("broken.yaml", BROKEN)
    write("folder/one.yaml", BROKEN)
    write("folder/two.yaml", BROKEN)
    Path("empty").mkdir()


@pytest.mark.usefixtures("_bad_files")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told_on_stderr_with_exit_code_2(case: str) -> None:
    result = gdsim(*BAD[case])
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "rror: " in result.stderr
    assert "internal error" not in result.stderr
    assert "Traceback" not in result.stderr
    assert not Path("outputs").exists()


@pytest.mark.usefixtures("_bad_files")
@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_one_json_document_for_a_program(case: str) -> None:
    result = gdsim(*BAD[case], "--json")
    assert result.exit_code == 2
    assert result.stderr == ""
    found = json.loads(result.stdout)
    assert list(found) == ["errors"]
    keys = {"file", "line", "column", "path", "message", "expected", "suggestion"}
    assert all(set(error) == keys and error["message"] for error in found["errors"])


@pytest.mark.usefixtures("_bad_files")
def test_all_faults_of_all_files_are_told_at_once_with_their_places() -> None:
    result = gdsim("run", "folder", "broken.yaml", "parabolla")
    lines = result.stderr.splitlines()
    assert [line for line in lines if "'parabolla' is neither a file nor a shipped scenario" in line]
    for file in (f"folder{os.sep}one.yaml", f"folder{os.sep}two.yaml", "broken.yaml"):
        assert [line for line in lines if line.startswith(f"error: {file}:1:18: loss: ")]
        assert [line for line in lines if line.startswith(f"error: {file}:3:16: learning_rate: ")]
    assert len(lines) == 7


def test_an_internal_error_is_one_line_and_how_to_report_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("gdsim.runs.execution.simulate", broken)
    result = gdsim("run", "parabola")
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1
    assert "internal error: RuntimeError: first second. Please report it" in result.stderr
    assert "GDSIM_DEBUG=1" in result.stderr
    assert "internal error" in json.loads(gdsim("run", "parabola", "--json").stdout)["errors"][0]["message"]
    monkeypatch.setenv("GDSIM_DEBUG", "1")
    assert isinstance(gdsim("run", "parabola").exception, RuntimeError)


# ---- streams, in real processes


@pytest.mark.parametrize(
    ("word", "said"),
    [("critcal", "No such command 'critcal'. Did you mean 'critical'?"), ("zzz", "No such command 'zzz'.")],
)
def test_a_misspelt_command_is_told_which_is_meant(word: str, said: str) -> None:
    result = gdsim(word)
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1] == f"Error: {said}"


def test_python_m_gdsim_is_the_command() -> None:
    done = command("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, "gdsim, version 1.0.0\n", "")


def test_a_reader_that_stops_reading_is_no_error() -> None:
    lister = subprocess.Popen(
        [sys.executable, "-m", "gdsim", "list", "scenarios"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment(),
    )  # fmt: skip
    assert lister.stdout is not None
    assert lister.stderr is not None
    lister.stdout.close()
    assert lister.stderr.read() == b""
    lister.stderr.close()
    assert lister.wait() == 1


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "words", [later(("--help",)), ("derive", "x^2"), later(("run", "parabola", "--no-plot", "--json"))]
)
def test_a_full_disk_behind_stdout_is_a_fault_in_one_line(words: tuple[str, ...]) -> None:
    with Path("/dev/full").open("w") as full:
        done = python("-m", "gdsim", *words, capture_output=False, stdout=full, stderr=subprocess.PIPE)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    said = "error: No space left on device; expected free space"
    assert not done.stderr or done.stderr.startswith(said)  # with --json stderr stays empty


@pytest.mark.parametrize(
    "words", [later(("run", "parabola", "--no-plot")), ("derive", "x^2"), later(("list", "rules"))]
)
def test_an_encoding_that_lacks_signs_is_no_error(words: tuple[str, ...]) -> None:
    settings = environment(PYTHONUTF8="0", PYTHONIOENCODING="cp437", LC_ALL="C", PYTHONCOERCECLOCALE="0")
    done = command(*words, env=settings, text=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""


def test_json_is_whole_in_every_encoding() -> None:
    settings = environment(PYTHONUTF8="0", PYTHONIOENCODING="latin-1")
    done = command("run", "parabola", "--no-plot", "--json", env=settings, text=False)
    assert "f″ = 2" in json.loads(done.stdout.decode("ascii"))["verdict"]["sentence"]


INTERRUPTED = """
import signal
from gdsim.cli import main
signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
signal.setitimer(signal.ITIMER_REAL, 0.7, 5.0)  # by then it is stepping; importing may swallow the first
main(["run", "parabola", "-S", "learning_rate=1e-9", "-S", "stopping.max_steps=100000000000",
      "-S", "record.every=1000000000"])
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGALRM")
def test_ctrl_c_ends_a_run_with_130_and_leaves_nothing(tmp_path: Path) -> None:
    done = python("-c", INTERRUPTED)
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "interrupted")
    assert list(tmp_path.iterdir()) == []


def in_a_terminal(*words: str, stdout: bool = True, env: dict[str, str] | None = None) -> tuple[str, bytes]:
    """Run a command whose stderr, and stdout where asked, is a terminal; return what each received."""
    import pty

    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "gdsim", *words],
        stdout=theirs if stdout else subprocess.PIPE, stderr=theirs, stdin=subprocess.DEVNULL,
        env=env or environment(TERM="xterm-256color"),
    )  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    piped = done.stdout.read() if done.stdout is not None else b""
    if done.stdout is not None:
        done.stdout.close()
    os.close(ours)
    assert done.wait() == 0
    return seen.decode("utf-8"), piped


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_a_terminal_gets_colours() -> None:
    assert "\x1b[32m\x1b[1mMINIMUM" in in_a_terminal("run", "parabola", "--no-plot")[0]


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize(
    ("words", "changes"),
    [
        (("derive", "x^2", "--no-color"), {"TERM": "xterm"}),
        later(("check", "parabola"), {"TERM": "xterm", "NO_COLOR": "1"}),
        later(("run", "parabola", "--no-plot", "--no-color"), {"TERM": "xterm"}),
        later(("run", "parabola", "--no-plot"), {"TERM": "dumb"}),
    ],
)
def test_a_terminal_that_says_no_gets_no_colours(words: tuple[str, ...], changes: dict[str, str]) -> None:
    assert "\x1b" not in in_a_terminal(*words, env=environment(**changes))[0]


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
def test_progress_is_shown_on_the_terminal_and_results_go_where_stdout_goes() -> None:
    words = ("run", "parabola", "double-well", "--no-plot")
    terminal, piped = in_a_terminal(*words, stdout=False)
    assert "0/2 parabola" in terminal
    assert "1/2 double-well" in terminal
    assert terminal.endswith("\x1b[K")  # wiped away at the end
    assert b"MINIMUM" in piped
    assert b"\x1b" not in piped


@pytest.mark.integration
@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
@pytest.mark.parametrize("option", ["--quiet", "--json"])
def test_no_progress_is_shown_where_nobody_wants_it(option: str) -> None:
    words = ("run", "parabola", "double-well", "--no-plot", option)
    assert in_a_terminal(*words, stdout=False)[0] == ""


def test_without_a_terminal_there_is_no_progress() -> None:
    assert gdsim("run", str(shipped("scenarios") / "first-steps"), "--no-plot").stderr == ""
