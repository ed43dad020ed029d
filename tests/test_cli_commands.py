"""Every command but ``run``: what it prints for people and for programs, and what it leaves behind."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import click
import jsonschema
import pytest
import sympy
import yaml
from click.shell_completion import ShellComplete
from click.testing import CliRunner, Result
from interpreters import command, environment

from gdsim.cli import main
from gdsim.cli.scenarios import LISTS
from gdsim.expr.step_move import move
from gdsim.losses import LOSSES
from gdsim.scenario import shipped, shipped_scenarios
from gdsim.update_rules import RULES

PLAIN = "loss: (w - 3)^2\ninitial_weight: 0\nlearning_rate: 0.1\n"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")


def gdsim(*words: str, **options: Any) -> Result:
    return CliRunner().invoke(main, words, prog_name="gdsim", **options)


def printed(*words: str) -> str:
    result = gdsim(*words)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return result.stdout


def document(*words: str) -> Any:
    return json.loads(printed(*words, "--json"))


def write(name: str, text: str = PLAIN) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return name


# ---- validate and show


def test_validate_names_what_is_valid_and_runs_nothing() -> None:
    write("mine.yaml")
    assert printed("validate", "mine.yaml", "parabola") == "valid: mine, parabola\n"
    assert document("validate", "mine.yaml") == {"valid": ["mine"]}
    assert printed("validate", str(shipped("scenarios"))) == f"valid: {len(shipped_scenarios())} scenarios\n"
    assert sorted(path.name for path in Path().iterdir()) == ["mine.yaml"]


def test_show_gives_every_value_with_its_origin() -> None:
    write("mine.yaml", PLAIN + "title: Mine\n")
    lines = printed("show", "mine.yaml", "-S", "seed=7").splitlines()
    found = {line.split()[0]: line.split()[-1] for line in lines}
    assert found["loss.expression"] == "mine.yaml:1"
    assert found["title"] == "mine.yaml:4"
    assert found["stopping.max_steps"] == "built-in"
    assert [line for line in lines if re.fullmatch(r"seed +7 +-S seed=7", line)]


def test_what_show_gives_as_json_is_the_scenario_itself() -> None:
    found = document("show", "double-well")
    write("again.yaml", yaml.safe_dump(found["scenario"]))
    assert document("show", "again.yaml")["scenario"] == found["scenario"]
    assert found["origins"]["update_rule.name"] == "built-in"


# ---- check


def test_check_prints_a_table_and_what_was_not_met() -> None:
    write("good.yaml", PLAIN + "expect: {verdict: minimum, status: CONVERGED}\n")
    write("bad.yaml", PLAIN + "expect: {verdict: maximum, final: {weight: {w: 3}}}\n")
    write("none.yaml", PLAIN)
    result = gdsim("check", "good.yaml", "bad.yaml", "none.yaml")
    assert result.exit_code == 3
    rows = [re.split(r"  +", line) for line in result.stdout.splitlines()]
    assert ["good", "minimum", "CONVERGED", "2/2", "ok"] in rows
    assert ["bad", "minimum", "CONVERGED", "1/2", "FAILED"] in rows
    assert ["none", "minimum", "CONVERGED", "0/0", "no expectations"] in rows
    assert "bad: verdict: expected maximum, found minimum\n" in result.stdout
    assert result.stdout.endswith("3 scenarios, 4 expectations, 1 not met\n")
    assert not Path("outputs").exists()


def test_check_is_content_where_everything_is_met() -> None:
    write("good.yaml", PLAIN + "expect: {verdict: minimum}\n")
    assert printed("check", "good.yaml").endswith("1 scenario, 1 expectation, all met\n")
    assert printed("check", "good.yaml", "--quiet") == "1 scenario, 1 expectation, all met\n"


def test_check_for_programs_names_every_expectation() -> None:
    write("bad.yaml", PLAIN + "expect: {verdict: maximum, status: CONVERGED}\n")
    result = gdsim("check", "bad.yaml", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["met"]) == (3, False)
    assert found["scenarios"][0]["expectations"] == [
        {"path": "verdict", "expected": "maximum", "found": "minimum", "met": False},
        {"path": "status", "expected": "CONVERGED", "found": "CONVERGED", "met": True},
    ]


# ---- init and schema


@pytest.mark.parametrize("name", ["lesson", "my-descent.yml", "a b", 'it\'s: #1 "x"', "überraschung"])
def test_what_init_writes_is_valid_runs_and_meets_its_expectations(name: str) -> None:
    path = document("init", name)["file"]
    assert printed("check", path).endswith("2 expectations, all met\n")
    text = Path(path).read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=scenario.schema.json\n")
    schema = json.loads(Path("scenario.schema.json").read_text(encoding="utf-8"))
    jsonschema.validate(yaml.safe_load(text), schema)


@pytest.mark.parametrize("name", ["mine", "a b", 'it\'s: #1 "x"'])
def test_the_next_command_that_init_names_can_be_typed(name: str) -> None:
    command = printed("init", name).split("next: gdsim ")[1]
    assert shlex.split(command) == ["run", f"{name}.yaml"]


def test_init_never_overwrites() -> None:
    write("mine.yaml", "precious")
    result = gdsim("init", "mine")
    assert result.exit_code == 2
    assert result.stderr == "error: mine.yaml: the file exists already; expected a name that is free\n"
    assert Path("mine.yaml").read_text(encoding="utf-8") == "precious"


def test_init_leaves_an_existing_schema_alone() -> None:
    write("scenario.schema.json", "{}")
    printed("init", "mine")
    assert Path("scenario.schema.json").read_text(encoding="utf-8") == "{}"


def test_schema_prints_a_schema_that_every_shipped_scenario_obeys() -> None:
    schema = json.loads(printed("schema"))
    jsonschema.Draft7Validator.check_schema(schema)
    assert document("schema") == schema


# ---- list, doctor, completion


def test_list_shows_everything_that_is_registered() -> None:
    everything = document("list")
    assert list(everything) == list(LISTS)
    names = {what: [row["name"] for row in rows] for what, rows in everything.items()}
    assert names["scenarios"] == list(shipped_scenarios())
    assert names["losses"] == list(LOSSES)
    assert names["rules"] == list(RULES)
    assert all(text for rows in everything.values() for row in rows for text in list(row.values())[:2])


@pytest.mark.parametrize("what", [*LISTS])
def test_each_list_prints_one_line_for_each_thing(what: str) -> None:
    lines = printed("list", what).splitlines()
    rows = document("list", what)[what]
    assert len(lines) == 1 + len(rows)
    assert all(line.startswith(row["name"]) for line, row in zip(lines[1:], rows, strict=True))


def test_doctor_finds_a_sound_installation() -> None:
    assert printed("doctor").endswith("everything is in order\n")
    found = document("doctor")
    assert found["healthy"] is True
    assert found["packages"]["click"]
    assert set(found["extras"]) == {"torch", "fast", "dask", "parquet", "pptx", "video"}
    project = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text(encoding="utf-8"))
    needs = project["project"]["dependencies"]
    assert set(found["packages"]) == {need.partition(">=")[0] for need in needs}
    assert found["shipped_scenarios"] == len(shipped_scenarios())


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish", "powershell"])
def test_completion_prints_a_script_for_each_shell(shell: str) -> None:
    result = gdsim("completion", shell)
    if result.exit_code == 2:  # click before 8.4 knows no PowerShell
        assert (shell, "knows no completion" in result.stderr) == ("powershell", True)
    else:
        assert "_GDSIM_COMPLETE" in result.stdout
        told = json.loads(gdsim("completion", shell, "--json").stdout)
        assert told == {"shell": shell, "script": result.stdout.removesuffix("\n")}


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("gdsim va", {"validate"}),
        ("gdsim run parabola-o", {"parabola-overshoot"}),
        ("gdsim run --fail-on pl", {"plateau"}),
        ("gdsim run x.yaml --config lec", {"lecture"}),
        ("gdsim list sch", {"schedules"}),
        ("gdsim runs cl", {"clean"}),
    ],
)
def test_words_are_completed(words: str, expected: set[str]) -> None:
    *before, last = words.split()[1:]
    found = ShellComplete(main, {}, "gdsim", "_GDSIM_COMPLETE").get_completions(before, last)
    assert {item.value for item in found} == expected


def test_the_shell_is_answered_by_the_command_itself() -> None:
    asked = environment(_GDSIM_COMPLETE="bash_complete", COMP_WORDS="gdsim run parabola-o", COMP_CWORD="2")
    assert command(env=asked).stdout == "plain,parabola-overshoot\n"


# ---- derive

DERIVED = """\
L = x²·exp(3·x)

L′ = (x²)′·exp(3·x) + x²·exp(3·x)′   product: (f·g)′ = f′·g + f·g′
    (x²)′ = 2·x^(2 − 1) = 2·x       power: (xⁿ)′ = n·xⁿ⁻¹
    exp(3·x)′ = exp(u)′·u′          chain with u = 3·x: f(u)′ = f′(u)·u′
        exp(u)′ = exp(u)   exponential: exp(u) = e^u is its own derivative
        u′ = 3·x′ = 3·1 = 3         constant multiple: (c·f)′ = c·f′
      = exp(3·x)·3 = 3·exp(3·x)
  = 2·x·exp(3·x) + x²·3·exp(3·x) = 2·x·exp(3·x) + 3·x²·exp(3·x)

L′ = 2·x·exp(3·x) + 3·x²·exp(3·x)

at x = 0.5:
L′ = 2·0.5·exp(3·0.5) + 3·0.5²·exp(3·0.5)
  = 4.48169 + 3.36127
  = 7.84296
L′ > 0: the loss rises with x.
Positive, so decrease x: the step goes left by η·7.84296.
"""


def test_derive_tells_the_rules_then_the_number_then_the_way() -> None:
    assert printed("derive", "x^2 * exp(3x)", "--at", "0.5") == DERIVED


@pytest.mark.parametrize(
    "text", ["x^2*exp(x)", "-cosh(x)", "sin(x)/x", "-x^3 + 2x", "sqrt(x^2 + 1)", "log(1 + x^2)", "tanh(3x)"]
)
def test_derive_for_programs_agrees_with_sympy(text: str) -> None:
    found = document("derive", text, "--at", "-1.5")
    x = sympy.Symbol("x")
    exact = sympy.diff(sympy.sympify(text.replace("^", "**").replace("2x", "2*x").replace("3x", "3*x")), x)
    value = float(exact.subs(x, sympy.Rational(-3, 2)))
    assert set(found) == {
        "derivative", "latex", "value", "direction", "steps", "textbook", "textbook_latex", "filled",
        "sentence",
    }  # fmt: skip
    assert found["value"] == pytest.approx(value, rel=1e-14)
    assert found["direction"] == ("left" if value > 0 else "right")
    written = sympy.sympify(found["derivative"].replace("^", "**"))
    assert float(written.subs(x, sympy.Rational(-3, 2))) == pytest.approx(value, rel=1e-14)
    assert found["steps"][0]["depth"] == 0
    textbook = sympy.sympify(found["textbook"].replace("^", "**"))
    assert float(textbook.subs(x, sympy.Rational(-3, 2))) == pytest.approx(value, rel=1e-9)


def test_every_step_for_programs_says_rule_filled_and_result() -> None:
    chain = document("derive", "sin(x*y)", "--at", "x=1,y=2")["steps"]["x"][0]
    assert chain == {
        "depth": 0, "rule": "chain", "statement": "f(u)′ = f′(u)·u′", "variable": "x", "before": "sin(x*y)",
        "filled": "sin(u)'*u'", "worked": "cos(x*y)*y", "after": "y*cos(x*y)", "inner": "u", "held": [],
        "repeated": False,
    }  # fmt: skip
    found = document("derive", "x^2 + 3x", "--at", "1/3")
    assert found["filled"] == "2*0.333333 + 3"
    assert found["sentence"].endswith("Positive, so decrease x: the step goes left by η·3.66667.")
    assert [step["rule"] for step in found["steps"]] == ["sum", "power", "constant multiple", "identity"]


def test_derive_writes_latex_and_mathml() -> None:
    latex = printed("derive", "x^2*y", "--at", "x=1,y=2", "--format", "latex")
    assert latex.count(r"\begin{align*}") == latex.count(r"\end{align*}") == 2
    assert r"\frac{\partial L}{\partial x} = 2 x y" in latex
    first, second = printed("derive", "x^2*y", "--format", "mathml").split("\n\n")
    assert ElementTree.fromstring(first).tag == ElementTree.fromstring(second).tag
    assert "constant multiple" in first


def test_derive_shows_colours_only_where_they_are_wanted() -> None:
    result = CliRunner().invoke(main, ["derive", "x^2"], color=True, prog_name="gdsim")
    assert click.style("power", fg="cyan") in result.output
    assert click.unstyle(result.output) == printed("derive", "x^2")


def test_derive_says_what_counts_as_a_constant() -> None:
    text = printed("derive", "a^2*b*c")
    assert "by a: b and c count as constants" in text
    assert "by x: y counts as a constant" in printed("derive", "x*y")
    assert "by y: x, a and b count as constants" in printed("derive", "rosenbrock")
    rows = printed("derive", "slope-from-data", "--at", "1")
    assert "by w: x and y: numbers of each row of the data, constants too" in rows
    assert "L′ = 2·mean(x·(1·x − y))" in rows


def test_derive_without_a_point_gives_no_number() -> None:
    found = document("derive", "w^2")
    assert (found["derivative"], found["value"], found["direction"]) == ("2*w", None, None)


def test_derive_takes_a_constant() -> None:
    text = printed("derive", "7", "--at", "2")
    assert "L′ = 0                              constant: c′ = 0\n" in text
    assert text.endswith("at w = 2:\nL′ = 0\n" + "\n".join(move("L′", "w", 0.0, 7.0)) + "\n")


def test_derive_says_a_number_once_where_nothing_is_left_to_work_out() -> None:
    assert "∂L/∂w = 3\n∂L/∂w > 0" in printed("derive", "w*x", "--at", "w=2,x=3")


def test_what_derive_holds_constant_fits_the_screen() -> None:
    text = printed("derive", "engel-raw")
    assert max(map(len, text.splitlines())) <= 80
    assert "by slope: intercept counts as a constant; income and foodexp: numbers of each" in text


def test_derive_with_several_weights_gives_each() -> None:
    found = document("derive", "x^2*y", "--at", "x=-1,y=2")
    assert found["value"] == {"x": -4.0, "y": 1.0}
    assert found["direction"] == {"x": "right", "y": "left"}
    text = printed("derive", "x^2*y", "--at", "x=-1,y=2")
    assert "∂L/∂x < 0: the loss falls with x.\nNegative, so increase x: the step goes right by η·4." in text
    assert "∂L/∂y > 0: the loss rises with y.\nPositive, so decrease y: the step goes left by η·1." in text


@pytest.mark.parametrize(
    ("text", "at", "direction", "words"),
    [("w^2", "0", "stay", "no step is taken"), ("log(w)*0 + sqrt(w)", "-1", None, "not a number")],
)
def test_derive_knows_when_there_is_no_way(text: str, at: str, direction: str | None, words: str) -> None:
    assert document("derive", text, "--at", at)["direction"] == direction
    assert words in printed("derive", text, "--at", at)


@pytest.mark.parametrize(
    "words", [["-cosh(w)"], ["--", "-h"], ["-q^2"], ["-x"], ["-(x)^2"], ["−x²"], ["-sin(x)"]]
)
def test_an_expression_may_begin_with_a_minus(words: list[str]) -> None:
    assert document("derive", *words[:-1], "--json", words[-1])["steps"] if len(words) == 1 else True
    assert printed("derive", *words).startswith("L = −")


def test_derive_takes_a_library_loss_and_a_scenario() -> None:
    assert printed("derive", "himmelblau").startswith("L = ")
    assert printed("derive", "parabola", "--at", "3").endswith("so decrease w: the step goes left by η·6.\n")


# ---- critical


def test_critical_lists_kind_place_loss_and_curvature() -> None:
    assert printed("critical", "x^3 - 3x", "--domain", "-2", "2") == (
        "  2 critical points in [-2, 2], proved to be all\n"
        "    maximum  x = -1  loss 2   f″ = -6\n"
        "    minimum  x = 1   loss -2  f″ = 6\n"
    )


def test_critical_for_programs_has_the_points_and_the_reach_of_the_search() -> None:
    found = document("critical", "x^3 - 3x", "--domain", "-2", "2")
    assert set(found) == {"critical_points", "search"}
    assert [(p["kind"], p["weight"]["x"]) for p in found["critical_points"]] == [
        ("maximum", pytest.approx(-1)),
        ("minimum", pytest.approx(1)),
    ]
    assert found["search"]["domain"] == {"x": [-2.0, 2.0]}


@pytest.mark.parametrize(
    "words",
    [
        ["--domain", "x=-2,2", "--domain", "y=-1,1", "x^2 + y^2"],
        ["--domain", "x=-2,2", "y=-1,1", "x^2 + y^2"],
        ["x^2 + y^2", "--domain", "x=-2,2", "y=-1,1"],
        ["x^2 + y^2", "--domain=x=-2,2", "--domain=y=-1,1"],
        ["x^2 + y^2", "--domain", "x = -2, 2", "y = -sqrt(1), 1/1"],
    ],
)
def test_a_domain_is_given_weight_by_weight(words: list[str]) -> None:
    assert document("critical", *words)["search"]["domain"] == {"x": [-2.0, 2.0], "y": [-1.0, 1.0]}


@pytest.mark.parametrize(
    "words", [["--domain", "-1", "2"], ["--domain", "-1,2"], ["--domain=-1,2"], ["--domain", "-1 2"]]
)
def test_a_domain_for_every_weight_is_given_as_two_numbers(words: list[str]) -> None:
    for order in ([*words, "-x^2"], ["-x^2", *words]):
        assert document("critical", *order)["search"]["domain"] == {"x": [-1.0, 2.0]}


def test_critical_takes_the_domain_of_a_scenario_and_of_a_library_loss() -> None:
    assert document("critical", "parabola")["search"]["domain"] == {"w": [-12.0, 12.0]}
    assert document("critical", "forrester")["search"]["domain"] == {
        name: list(ends) for name, ends in LOSSES["forrester"].domain.items()
    }
    assert document("critical", "x^2")["search"]["domain"] == {"x": [-10.0, 10.0]}


def test_critical_lists_all_of_many_points() -> None:
    assert printed("critical", "rippled-parabola").count("\n") == 80
    assert "more" not in printed("critical", "rippled-parabola")


def test_a_flat_piece_and_a_pole_are_told_with_their_ends() -> None:
    assert "flat" in printed("critical", "max(0, x)", "--domain", "-2", "2")
    assert "from -2 to 0" in printed("critical", "max(0, x)", "--domain", "-2", "2")


# ---- compare


def test_compare_sets_the_methods_side_by_side() -> None:
    text = printed("compare", "x^2", "--at", "3")
    assert re.search(r"analytic +6\.0 +– +0\.0e\+00 +0\n", text)
    assert re.search(r"numeric forward, step 1e-05 +6\.00000999995", text)
    assert "∂L/∂x, error against h from 1 down to 1e-16" in text


def test_compare_for_programs_has_value_error_difference_and_evaluations() -> None:
    found = document("compare", "x*y^2", "--at", "x=1,y=3")
    methods = {row["method"]: row for row in found["methods"]}
    assert methods["analytic"]["value"] == {"x": 9.0, "y": 6.0}
    assert methods["analytic"]["evaluations"] == 0
    # forward with a fixed step: one evaluation at the point, one for each weight
    assert methods["numeric forward, step 1e-05"]["evaluations"] == 3
    for row in found["methods"]:
        assert row.get("unavailable") or all(value < 1e-3 for value in row["difference"].values())
    assert set(found["v_curve"]) == {"x", "y"}
    assert len(found["v_curve"]["x"]["step"]) == len(found["v_curve"]["x"]["error"]["central"])


def test_compare_says_why_a_method_is_not_there() -> None:
    assert "numeric complex_step: abs is not analytic" in printed("compare", "abs(x)")


def test_compare_takes_the_start_of_a_scenario() -> None:
    assert document("compare", "parabola")["at"] == {"w": 10.0}
    assert document("compare", "x^2")["at"] == {"x": 1.0}


def test_compare_along_measures_every_record() -> None:
    found = document("compare", "parabola", "--along")
    steps = len(found["steps"])
    assert found["steps"] == list(range(steps))
    methods = {row["method"]: row for row in found["methods"]}
    # on w_k = 10·0.6^k the gradient is 2·w_k
    assert methods["analytic"]["value"]["w"] == pytest.approx([20 * 0.6**k for k in range(steps)], rel=1e-12)
    assert methods["numeric forward, step 1e-05"]["evaluations"] == 2 * steps
    assert printed("compare", "parabola", "--along").startswith(f"{steps} records; ")


def test_compare_along_a_run_that_leaves_the_numbers() -> None:
    assert "–" in printed("compare", "cosh-cliff", "--along") or "×" in printed(
        "compare", "cosh-cliff", "--along"
    )


# ---- runs


def test_runs_list_shows_what_is_there() -> None:
    assert printed("runs", "list") == "no runs below outputs/\n"
    printed("run", "parabola", "parabola-divergence", "--no-plot")
    rows = [re.split(r"  +", line) for line in printed("runs", "list").splitlines()]
    assert rows[0] == ["directory", "verdict", "status", "steps"]
    assert [row[1:3] for row in rows[1:]] == [["minimum", "CONVERGED"], ["diverged", "DIVERGED"]]
    found = document("runs", "list")["runs"]
    assert [(row["name"], row["steps"]) for row in found] == [("parabola", 42), ("parabola-divergence", 89)]


def test_runs_diff_names_what_differs() -> None:
    printed("run", "parabola", "--no-plot", "--out", "a")
    printed("run", "parabola", "--no-plot", "--out", "b", "-S", "learning_rate=0.4")
    (first,), (second,) = (list(Path(folder).iterdir()) for folder in "ab")
    found = {row["path"]: row for row in document("runs", "diff", str(first), str(second))["differences"]}
    assert found["scenario.learning_rate.initial"] == {
        "path": "scenario.learning_rate.initial", "first": 0.2, "second": 0.4,
    }  # fmt: skip
    assert "result.steps" in found
    assert re.search(
        r"scenario\.learning_rate\.initial +0\.2 +0\.4\n", printed("runs", "diff", str(first), str(second))
    )
    assert printed("runs", "diff", str(first), str(first)) == "no difference\n"


def test_runs_continue_writes_the_longer_run_beside_it() -> None:
    printed("run", "shelf-stuck", "--no-plot", "--quiet")
    (first,) = Path("outputs").iterdir()
    found = document("runs", "continue", str(first), "--steps", "50", "--no-plot")
    assert found["steps"] == 1050
    assert Path(found["directory"]).parent == Path("outputs")
    assert len(list(Path("outputs").iterdir())) == 2


def test_runs_continue_finds_its_neighbours_from_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    printed("run", "shelf-stuck", "--no-plot", "--quiet")
    (first,) = Path("outputs").resolve().iterdir()
    monkeypatch.chdir(first)
    found = document("runs", "continue", ".", "--steps", "5", "--no-plot")
    assert Path(found["directory"]).parent == first.parent


def test_runs_clean_removes_leftovers_only() -> None:
    printed("run", "parabola", "--no-plot", "--quiet")
    Path("outputs/.gdsim-writing-x-00000000-1").mkdir()
    Path("outputs/notes").mkdir()
    assert printed("runs", "clean") == "removed 1 folder below outputs/\n"
    assert len(list(Path("outputs").iterdir())) == 2


def test_runs_clean_puts_a_run_back_that_lost_its_place() -> None:
    printed("run", "parabola", "--no-plot", "--quiet")
    (directory,) = Path("outputs").iterdir()
    directory.rename(directory.with_name(f".gdsim-replaced-{directory.name}-7"))
    assert document("runs", "clean") == {"removed": [], "restored": [str(directory)]}
    assert directory.is_dir()


def test_runs_clean_all_asks_first() -> None:
    printed("run", "parabola", "--no-plot", "--quiet")
    refused = gdsim("runs", "clean", "--all", input="n\n")
    assert refused.exit_code == 130
    assert len(list(Path("outputs").iterdir())) == 1
    agreed = gdsim("runs", "clean", "--all", input="y\n")
    assert agreed.exit_code == 0
    assert agreed.stdout.endswith("removed 1 folder below outputs/\n")  # click 8.2 repeats the answer
    printed("run", "parabola", "--no-plot", "--quiet")
    assert printed("runs", "clean", "--all", "--yes") == "removed 1 folder below outputs/\n"
