"""The page of a scenario as a file: what it holds, what it never lets in, and the command that writes it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from shipped import executed, loaded
from tiers import some

from gdsim.cli import main
from gdsim.outcomes import InputError
from gdsim.page import scenario_page
from gdsim.page.bundle import JS, bundle
from gdsim.page.document import document, json_text, save
from gdsim.page.formulas import emitted
from gdsim.page.packing import packed, squeezed, unpacked
from gdsim.page.parts import PARTS, check_hidden
from gdsim.page.scenario_data import lab_data
from gdsim.scenario import parse_mapping, shipped_scenarios

DOCS = Path(__file__).parent.parent / "docs"
LARGEST = 150_000  # bytes
HOSTILE = "</script><img src=x onerror=alert(1)><!--<script>&\u2028'\"`${1}"


def gdsim(*words: str) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim")


def data_of(page: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="gdsim-data">(.*?)</script>', page, re.DOTALL)
    assert found
    result: dict[str, Any] = json.loads(found[1])
    return result


def digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def script_of(page: str) -> str:
    """The script of a page, unpacked."""
    found = re.search(r'id="gdsim-packed" data-size="(\d+)">([^<]*)<', page)
    assert found
    return unpacked(found[2], int(found[1]))


@pytest.fixture(scope="module")
def parabola() -> str:
    return scenario_page(loaded("parabola"))


# ---- the document --------------------------------------------------------------------------------------


def test_the_same_scenario_gives_the_same_bytes(parabola: str) -> None:
    assert scenario_page(loaded("parabola")) == parabola


def test_the_policy_lets_in_this_script_and_this_style_alone(parabola: str) -> None:
    found = re.search(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', parabola)
    style = re.search(r"<style>(.*?)</style>", parabola, re.DOTALL)
    loader = re.search(r"<script>(.*?)</script>", parabola, re.DOTALL)
    assert found
    assert style
    assert loader
    rules = dict(part.strip().split(" ", 1) for part in found[1].split(";"))
    assert rules == {
        "default-src": "'none'",
        "script-src": f"{digest(loader[1])} {digest(script_of(parabola))}",
        "style-src": digest(style[1]),
        "worker-src": "blob:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def test_the_policy_stands_before_all_that_it_governs(parabola: str) -> None:
    head = parabola[: parabola.index("Content-Security-Policy")]
    assert "<script" not in head
    assert "<style" not in head


def test_no_handler_no_style_and_no_address_stands_in_the_markup(parabola: str) -> None:
    tags = re.findall(r"<[a-z][^>]*>", re.sub(r"<(script|style)\b.*?</\1>", "", parabola, flags=re.DOTALL))
    assert not [tag for tag in tags if re.search(r"\s(on\w+|style|src|href|action)\s*=", tag)]
    assert "http://" not in re.sub("http://www.w3.org/1998/Math/MathML", "", parabola)


def test_the_script_asks_nothing_of_the_network(parabola: str) -> None:
    script = script_of(parabola)
    for word in (
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "EventSource",
        "sendBeacon",
        "importScripts",
        "import(",
    ):
        assert word not in script, word


def test_the_script_runs_no_text_as_code(parabola: str) -> None:
    script = script_of(parabola)
    for word in (
        r"\beval\(",
        r"\bFunction\(",
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        r"document\.write",
    ):
        assert not re.search(word, script), word


def test_the_page_says_its_verdict_where_there_is_no_script(parabola: str) -> None:
    (told,) = re.findall(r"<noscript>(.*?)</noscript>", parabola)
    assert executed("parabola").verdict.sentence in unescape(told)


def test_the_title_and_language_stand_in_the_document(parabola: str) -> None:
    assert '<html lang="en">' in parabola
    assert "<title>A healthy decay</title>" in parabola
    assert parabola.startswith("<!DOCTYPE html>")


def test_texts_cannot_end_the_element_that_they_stand_in() -> None:
    page = document(HOSTILE, "<main></main>", {"name": HOSTILE}, "let a = 1;", "p {margin: 0}")
    assert page.count("</script>") == 3
    assert page.count("<script") == 3
    assert "<img" not in page
    assert data_of(page)["name"] == HOSTILE


def test_hostile_titles_and_columns_stay_text() -> None:
    scenario = parse_mapping({
        "name": "hostile <b>", "title": HOSTILE, "loss": "mean((w*x - y)^2)",
        "data": {"x": [1, 2], "y": [2, 4]}, "initial_weight": 0, "learning_rate": 0.1,
    })  # fmt: skip
    page = scenario_page(scenario)
    assert data_of(page)["lab"]["title"] == HOSTILE
    assert page.count("<script") == 3
    assert "<img" not in page
    assert "<b>" not in page


def test_a_style_that_would_end_its_element_is_refused() -> None:
    with pytest.raises(ValueError, match="would end the style"):
        document("", "", {}, "", "p {} </style>")


def test_numbers_that_json_lacks_are_read_by_browsers() -> None:
    assert json_text({"a": [float("inf"), float("-inf"), float("nan")], "b": "NaN"}) == (
        '{"a":[1e999,-1e999,null],"b":"NaN"}'
    )


@pytest.mark.parametrize("size", [0, 1, 2, 3, 4, 5, 1000])
def test_what_is_packed_comes_out_again(size: int) -> None:
    script = "".join(chr(33 + (k * k) % 90) for k in range(size))
    text, length = packed(script)
    assert unpacked(text, length) == script
    assert not set(text) & set("<>&") - set("&>")
    assert "<" not in text


@pytest.mark.parametrize(
    ("script", "bare"),
    [
        ("a = b + +c;", "a=b + +c;"),
        ("a = b - --c;", "a=b - --c;"),
        ('a = "x  =  y";', 'a="x  =  y";'),
        ("a = `x = ${b}`;", "a=`x = ${b}`;"),
        ("a = /x = [ /]/;", "a=/x = [ /]/;"),
        ("return a ? b : c;", "return a?b:c;"),
        ("if (a) {\n  b();\n}\nc();", "if(a){b();}\nc();"),
        ("const f = () => {\n};\nlet x;", "const f=()=>{};let x;"),
    ],
)
def test_spaces_go_where_nothing_changes(script: str, bare: str) -> None:
    assert squeezed(script) == bare


# ---- its data and its size -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", some(shipped_scenarios(), "double-well", "engel-raw", "iris-minibatch"))
def test_the_page_of_every_shipped_scenario_is_small(name: str) -> None:
    run = executed(name)
    data = {"lab": lab_data(run)}
    style = (JS.parent / "page.css").read_text(encoding="utf-8")
    page = document(run.title, "", data, bundle("app/main.js", emitted({"loss": run.loss})), style)
    assert len(page.encode()) < LARGEST - 1000


@pytest.mark.parametrize("name", ["double-well", "rosenbrock", "iris-minibatch", "camel-global"])
def test_the_data_are_those_of_the_run(name: str) -> None:
    run, data = executed(name), json.loads(json_text(lab_data(executed(name))))
    assert data["status"] == run.status
    assert data["steps"] == int(run.trajectory.steps[0])
    assert data["start"] == run.trajectory.weight[0, :, 0].tolist()
    assert data["verdict"]["sentence"] == run.verdict.sentence
    assert [point["kind"] for point in data["search"]["points"]] == [
        point.kind for point in run.critical_points
    ]
    assert len(data["derivatives"]) == len(run.loss.weights)
    assert data["mathml"].startswith("<math")


def test_scipy_is_told_at_the_start_and_pytorch_is_not_imported() -> None:
    methods = lab_data(executed("parabola"))["methods"]
    assert [one["name"] for one in methods] == [
        "analytic", "numeric forward, step 1e-05", "numeric central", "scipy derivative",
    ]  # fmt: skip
    assert all(one["value"] == pytest.approx([20.0], rel=1e-5) for one in methods)


@pytest.mark.integration
def test_pytorch_is_told_where_it_is_asked_for() -> None:
    pytest.importorskip("torch")
    methods = {one["name"]: one["value"] for one in lab_data(executed("parabola"), torch=True)["methods"]}
    assert methods["torch"] == [20.0]
    assert methods["scipy approx_fprime"] == pytest.approx([20.0], rel=1e-6)


def test_derivatives_by_scipy_become_what_the_page_can_compute() -> None:
    def of(**derivative: str) -> object:
        mapping = {"loss": "w^2", "initial_weight": 1, "learning_rate": 0.1, "derivative": derivative}
        from gdsim.runs import execute

        return lab_data(execute(parse_mapping(mapping)))["derivative"]

    assert of(method="scipy", routine="derivative") == {"method": "exact"}
    assert of(method="scipy", routine="approx_fprime") == {
        "method": "numeric", "scheme": "forward", "step": 2.0**-26,
    }  # fmt: skip
    assert of(method="numeric", scheme="central") == {
        "method": "numeric",
        "scheme": "central",
        "step": "auto",
    }


# ---- parts ----------------------------------------------------------------------------------------------


def test_hidden_parts_are_told_to_the_page() -> None:
    page = scenario_page(loaded("parabola"), hide=["verdict", "formula"])
    assert data_of(page)["hide"] == ["formula", "verdict"]


def test_a_hidden_verdict_is_not_told_without_a_script_either() -> None:
    page = scenario_page(loaded("parabola"), hide=["verdict"])
    (told,) = re.findall(r"<noscript>(.*?)</noscript>", page)
    assert "minimum" not in told


def test_unknown_parts_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as caught:
        check_hidden(["verdikt", "ruler", "x"])
    assert [(fault.path, fault.suggestion) for fault in caught.value.faults] == [
        ("--hide", "verdict"),
        ("--hide", ""),
    ]


def test_every_part_is_documented() -> None:
    rows = dict(
        re.findall(r"^\| `(\w+)` \| (.+) \|$", (DOCS / "page.md").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert {name: rows.get(name) for name in PARTS} == PARTS


def test_the_script_knows_every_part_by_its_name() -> None:
    script = "".join(file.read_text(encoding="utf-8") for file in (JS / "app").glob("*.js"))
    missing = [name for name in PARTS if f'"{name}"' not in script]
    assert not missing


def test_no_module_of_the_page_is_forgotten(parabola: str) -> None:
    script = script_of(parabola)
    for word in ("mountLab", "simulate", "judgeRun", "atlasServer", "paintScene", "svgOf"):
        assert f"function {word}(" in script, word


# ---- the command ----------------------------------------------------------------------------------------


def test_the_command_writes_a_page_named_after_the_scenario(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = gdsim("page", "double-well")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"wrote double-well.html: \d+ kB\n", result.stdout)
    assert [file.name for file in tmp_path.iterdir()] == ["double-well.html"]
    assert (tmp_path / "double-well.html").read_text(encoding="utf-8") == scenario_page(loaded("double-well"))


def test_overrides_presets_and_folders_are_honoured(tmp_path: Path) -> None:
    target = tmp_path / "new" / "page.html"
    result = gdsim("page", "parabola", "-o", str(target), "-S", "learning_rate=1.1", "--config", "quick")
    assert result.exit_code == 0, result.output
    lab = data_of(target.read_text(encoding="utf-8"))["lab"]
    assert lab["rate"]["initial"] == 1.1
    assert lab["stopping"]["maxSteps"] == 100


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("parabolla",), "did you mean parabola?"),
        (("missing.yaml",), "missing.yaml: there is no such file"),
        (("parabola", "--hide", "verdikt"), "--hide: the page has no part 'verdikt'"),
        (("parabola", "-S", "learning_rate=fast"), "learning_rate"),
        (("parabola", "-o", "."), "a folder stands where the page belongs"),
        ((), "FILE|LESSON or --course: one of the two"),
        (("parabola", "--course"), "FILE|LESSON or --course: one of the two"),
        (("nudges", "--hide", "verdict"), "--hide is for the page of a scenario"),
        (("nudges", "--torch"), "--torch is for the page of a scenario"),
        (("--course", "-S", "seed=1"), "-S is for the page of a scenario"),
    ],
)
def test_bad_input_is_told_and_nothing_is_written(
    words: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = gdsim("page", *words)
    assert result.exit_code == 2, result.output
    assert said in result.output
    assert not list(tmp_path.iterdir())


def test_json_says_what_was_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = json.loads(CliRunner().invoke(main, ["page", "parabola", "-o", "p.html", "--json"]).stdout)
    assert said == {"file": "p.html", "name": "parabola", "bytes": (tmp_path / "p.html").stat().st_size}


def test_a_page_is_whole_or_absent(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "page.html"
    target.write_text("older", encoding="utf-8")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        save("newer", target)
    assert target.read_text(encoding="utf-8") == "older"
    assert list(tmp_path.iterdir()) == [target]


def test_a_page_needs_no_figures_and_no_pytorch(tmp_path: Path) -> None:
    from interpreters import python

    code = (
        "import sys\nfrom gdsim.cli import main\n"
        "try:\n    main(['page', 'parabola'])\nexcept SystemExit:\n    pass\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = python("-c", code, cwd=tmp_path)
    roots = {name.partition(".")[0] for name in done.stderr.split()}
    assert not roots & {"matplotlib", "torch", "rich", "numba", "pandas", "pptx"}
    assert "gdsim.lessons" not in done.stderr.split()
