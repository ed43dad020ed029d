"""``gdsim deck``: what it takes, what it writes, deck files and their faults."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft7Validator
from PIL import Image

from gdsim import deck, run
from gdsim.cli import main
from gdsim.outcomes import InputError
from gdsim.scenario import find, shipped, shipped_scenarios
from gdsim.scenario.document import read_document
from gdsim.slides import deck_schema, read_deck
from gdsim.slides.content import Words
from gdsim.slides.lecture import DECK, RUN, Source

LECTURE = shipped("scenarios") / "lecture-1" / "deck.yaml"
SHORT = "deck: 1\ntitle: T\nruns:\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    png = io.BytesIO()
    Image.new("RGB", (820, 530), "white").save(png, "png")
    drawn = {"png": png.getvalue(), "svg": b"<svg ></svg>", "pdf": b"%PDF"}
    monkeypatch.setattr("gdsim.slides.figures.picture", lambda run, kind, format, *_: drawn[format])


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def titles(path: str = "x.md") -> list[str]:
    lines = Path(path).read_text(encoding="utf-8").splitlines()
    return [line[2:].replace("\\", "") for line in lines if line.startswith("# ")]


def faults(text: str) -> list[str]:
    """What is wrong with a deck file: one line for each fault, without the file."""
    Path("deck.yaml").write_text(text, encoding="utf-8")
    result = gdsim("deck", "deck.yaml", "-o", "x.md")
    assert result.exit_code == 2, result.output
    assert not Path("x.md").exists()
    return [line.removeprefix("error: deck.yaml:") for line in result.stderr.splitlines()]


# ---- what it takes


def test_a_run_directory_becomes_a_deck() -> None:
    gdsim("run", "parabola", "--no-plot", "--quiet")
    (directory,) = Path("outputs").iterdir()
    result = gdsim("deck", str(directory), "-o", "x.md")
    assert result.exit_code == 0
    assert result.stdout == f"wrote x.md and x-marp-figures/: {len(titles())} slides\n"
    assert titles()[0] == "A healthy decay"


def test_the_default_is_powerpoint_below_outputs() -> None:
    assert gdsim("deck", "parabola").stdout.startswith("wrote outputs/parabola.pptx: ")
    assert Path("outputs/parabola.pptx").read_bytes()[:2] == b"PK"


def test_options_choose_slides_steps_and_title() -> None:
    options = ("--kinds", "steps,verdict", "--steps", "0,5", "--title", "Mine")
    gdsim("deck", "parabola", "double-well", "-o", "x.md", *options)
    assert titles()[:3] == ["Mine", "A healthy decay: start", "A healthy decay: step 5"]
    assert len(titles()) == 1 + 3 + 3 + 1


def test_json_is_one_document() -> None:
    found = json.loads(gdsim("deck", "parabola", "-o", "x.tex", "--kinds", "verdict", "--json").stdout)
    assert found == {
        "file": "x.tex", "figures": None, "format": "beamer", "title": "A healthy decay",
        "slides": ["A healthy decay", "A healthy decay: minimum"],
    }  # fmt: skip


def test_quiet_and_a_pipe_print_no_progress() -> None:
    assert gdsim("--quiet", "deck", "parabola", "-o", "x.html").stderr == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("nowhere-to-be-found",), "neither a file nor a shipped scenario"),
        (("parabola", "-o", "x.doc"), "--to, or a file that ends in"),
        (("parabola", "--kinds", "verdikt"), "did you mean verdict"),
        (("parabola", "--kinds", "contour", "-o", "x.md"), "contour cannot show"),
        (("parabola", "--steps", "0,-1"), "'-1' is no step"),
        (("parabola", "--style", "slidez"), "did you mean slides"),
        (("parabola", "--template", "none.pptx"), "no such template"),
        (("parabola", "--template", "a.pptx", "--to", "html"), "takes no template"),
        (("parabola", "-o", "."), "does not tell the format"),
        ((".",), "no run directory"),
    ],
)  # fmt: skip
def test_bad_input_is_an_error_that_says_what_to_do(words: tuple[str, ...], message: str) -> None:
    result = gdsim("deck", *words)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not [path for path in Path().rglob("*") if path.is_file()]


def test_a_place_that_cannot_be_written_to_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(path: Path, data: bytes) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "write_bytes", refused)
    result = gdsim("deck", "parabola", "--kinds", "verdict", "-o", "my-talk-1.md")
    assert result.exit_code == 1
    assert "error: my-talk-1.md: Permission denied" in result.stderr


# ---- deck files


def test_a_deck_file_is_a_lecture() -> None:
    Path("d").mkdir()
    Path("d/own.yaml").write_text("title: Own\nloss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\n")
    Path("d/deck.yaml").write_text(
        "deck: 1\ntitle: L\nauthor: A\ndate: today\nruns:\n"
        "  - {title: Words, text: [one, two], notes: n}\n"
        "  - own.yaml\n"
        "  - {run: parabola, title: Mine, kinds: [steps], steps: [0, 3], notes: Say it.,"
        " overrides: {learning_rate: 0.4, stopping.max_steps: 3}}\n"
    )
    assert gdsim("deck", "d", "-o", "x.md").exit_code == 0
    assert titles()[:2] == ["L", "Words"]
    assert titles()[-3:] == ["Mine: start", "Mine: step 3", "What became of each run"]
    text = Path("x.md").read_text(encoding="utf-8")
    assert "Say it." in text
    assert "| Mine | 0.4 | 3 | still moving |" in text


def test_a_run_directory_in_a_deck_is_found_beside_it() -> None:
    gdsim("run", "parabola", "--no-plot", "--quiet", "--out", "d")
    (directory,) = Path("d").iterdir()
    Path("d/deck.yaml").write_text(f"{SHORT}  - {directory.name}\n")
    assert gdsim("deck", "d/deck.yaml", "-o", "x.md").exit_code == 0
    assert "A healthy decay: minimum" in titles()


def test_the_command_line_wins_over_the_file() -> None:
    Path("deck.yaml").write_text(f"{SHORT}  - {{run: parabola, kinds: [scenario, ruler]}}\n")
    gdsim("deck", "deck.yaml", "-o", "x.md", "--kinds", "verdict", "--title", "Other")
    assert titles() == ["Other", "A healthy decay: minimum"]


def test_faults_name_line_column_and_what_was_expected() -> None:
    found = faults(
        "deck: 2\ntitel: T\nruns:\n  - parabolla\n  - {run: parabola, kindz: [x], kinds: [steps, rular]}\n"
        "  - {run: parabola, steps: [-1]}\n  - {text: [a]}\n  - {run: parabola, text: [a]}\n  - {}\n"
        "  - {run: parabola, overrides: {learning_rat: 1}}\n"
    )
    starts = [line.partition("; ")[0] for line in found]
    assert starts == [
        "1:1: the key 'title' is missing",
        "1:7: deck: 2 is out of range",
        "2:1: titel: unknown key 'titel'",
        "4:5: runs[0]: 'parabolla' is neither a file nor a shipped scenario",
        "5:21: runs[1].kindz: unknown key 'kindz'",
        "5:48: runs[1].kinds[1]: 'rular' is no kind of slide",
        "6:29: runs[2].steps[0]: -1 is out of range",
        "7:5: runs[3]: a slide of text has no title",
        "8:5: runs[4]: both run and text stand here",
        "9:5: runs[5]: neither run nor text stands here",
        "10:47: runs[6].overrides.learning_rat: unknown key 'learning_rat'",
    ]
    assert "did you mean ruler?" in found[5]
    assert "did you mean learning_rate?" in found[-1]


def test_a_fault_in_a_scenario_is_told_where_it_stands() -> None:
    Path("bad.yaml").write_text("loss: w^2 +\ninitial_weight: 0\nlearning_rate: 0.1\n")
    (fault,) = faults(f"{SHORT}  - bad.yaml\n")
    assert fault.startswith("error: bad.yaml:1:")


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("{run: missing.yaml}", "4:11: runs[0].run: there is no such file"),
        ("{run: parabola, overrides: [1]}", "4:32: runs[0].overrides: overrides are a mapping"),
        ("{run: empty}", "4:11: runs[0].run: empty is not a run directory"),
        ("{title: a, text: b}", "4:22: runs[0].text: 'b' does not fit"),
        ("7", "4:5: runs[0]: 7 does not fit"),
    ],
)  # fmt: skip
def test_a_run_that_cannot_be_found_is_a_fault(run: str, message: str) -> None:
    Path("empty").mkdir()
    assert [line.partition(";")[0] for line in faults(f"{SHORT}  - {run}\n")] == [message]


@pytest.mark.parametrize("runs", ["", "runs: 3\n", "runs: []\n", "runs: {a: b}\n"])
def test_a_deck_without_runs_is_an_error(runs: str) -> None:
    assert "runs" in faults(f"deck: 1\ntitle: T\n{runs}")[0]


@pytest.mark.parametrize("text", ["", "- a\n", "deck: [\n"])
def test_what_is_no_mapping_is_no_deck(text: str) -> None:
    assert faults(text)


def test_run_passes_over_a_deck_in_a_folder() -> None:
    Path("deck.yaml").write_text(f"{SHORT}  - parabola\n")
    Path("own.yaml").write_text("loss: w^2\ninitial_weight: 1\nlearning_rate: 0.1\n")
    assert [path.name for path in find(".")] == ["own.yaml"]
    assert gdsim("--quiet", "run", ".", "--no-plot").stdout.startswith("own: minimum")


def test_a_deck_is_no_shipped_scenario() -> None:
    assert "deck" not in shipped_scenarios()
    assert LECTURE.is_file()


# ---- the schema, and the lecture that ships


def test_the_schema_fits_the_lecture_and_refuses_a_misspelt_key() -> None:
    validator = Draft7Validator(deck_schema())
    data = read_document(LECTURE).data
    assert not [*validator.iter_errors(data)]
    assert [*validator.iter_errors({**data, "titel": "T"})]
    assert [*validator.iter_errors({**data, "runs": [{"run": "a", "kind": ["steps"]}]})]


def test_the_shipped_schema_file_is_the_present_one() -> None:
    """Regenerate with: gdsim schema --deck > scenarios/deck.schema.json."""
    file = shipped("scenarios") / "deck.schema.json"
    assert json.loads(file.read_text(encoding="utf-8")) == deck_schema()
    assert json.loads(gdsim("schema", "--deck").stdout) == deck_schema()


def test_every_key_of_a_deck_is_documented() -> None:
    page = (Path(__file__).parent.parent / "docs" / "decks.md").read_text(encoding="utf-8")
    for key, entry in {**DECK.keys, **RUN.keys}.items():
        assert f"| `{key}` |" in page
        assert entry.summary in page


def test_the_lecture_shows_what_a_first_lecture_needs() -> None:
    lecture = read_deck(LECTURE)
    names = [item.name for item in lecture.items if isinstance(item, Source)]
    rates = {f"parabola-{rate}" for rate in ("too-slow", "goldilocks", "overshoot", "divergence")}
    assert rates | {"parabola", "double-well", "balanced-on-a-maximum", "saddle"} <= set(names)
    assert all(item.notes for item in lecture.items if isinstance(item, Words))
    assert all(item.options["notes"] for item in lecture.items if isinstance(item, Source))


def test_one_command_makes_the_lecture_and_makes_it_again() -> None:
    assert gdsim("deck", str(LECTURE), "-o", "a.pptx").exit_code == 0
    assert gdsim("deck", str(LECTURE.parent), "-o", "b.pptx").exit_code == 0
    assert Path("a.pptx").read_bytes() == Path("b.pptx").read_bytes()


def test_a_key_that_stands_twice_is_told_with_all_other_faults() -> None:
    twice, unknown = faults("deck: 1\ntitle: T\ntitle: U\nruns: [parabole]\n")
    assert twice.startswith("3:1: title: the key 'title' stands twice")
    assert "did you mean parabola?" in unknown


# ---- from Python


def test_a_deck_from_python_is_that_of_the_command() -> None:
    assert (
        gdsim("deck", "parabola", "-o", "x.md", "--kinds", "steps,verdict", "--steps", "0,2").exit_code == 0
    )
    deck(run("parabola"), "y.md", kinds=["steps", "verdict"], steps=[0, 2])
    assert titles("y.md")[1:] == titles("x.md")[1:]
    assert len(titles("y.md")) == 4


def test_kinds_and_steps_stand_over_those_of_a_deck_file() -> None:
    Path("deck.yaml").write_text(f"{SHORT}  - {{run: parabola, kinds: [scenario]}}\n", encoding="utf-8")
    deck("deck.yaml", "y.md", kinds=["verdict"])
    gdsim("deck", "deck.yaml", "-o", "x.md", "--kinds", "verdict")
    assert titles("y.md") == titles("x.md")


def test_kinds_and_steps_from_python_are_checked_at_once() -> None:
    with pytest.raises(InputError) as caught:
        deck(run("parabola"), "y.md", kinds=["verdct"], steps=[0, -1])
    first, second = caught.value.faults
    assert (first.path, first.suggestion) == ("kinds", "verdict")
    assert (second.path, second.message) == ("steps", "-1 is no step")
    assert not Path("y.md").exists()
